package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aver/vault/engine"
)

var errUnsafe = errors.New("unsafe database")

// meanings are SQLSTATEs callers act on (PostgreSQL documentation, appendix A).
var meanings = map[string]error{
	"23505": engine.ErrUnique, // unique_violation
	"40001": engine.ErrRetry,  // serialization_failure
	"40P01": engine.ErrRetry,  // deadlock_detected
	"26000": engine.ErrRetry,  // invalid_sql_statement_name: the server forgot a prepared statement
	"53100": engine.ErrFull,   // disk_full
	"53300": engine.ErrAway,   // too_many_connections
	"25P03": engine.ErrAway,   // idle_in_transaction_session_timeout
	"57P01": engine.ErrAway,   // admin_shutdown
	"57P02": engine.ErrAway,   // crash_shutdown
	"57P03": engine.ErrAway,   // cannot_connect_now
	"57P05": engine.ErrAway,   // idle_session_timeout
}

// translate makes an engine's error of a driver's. What comes back never holds a value: the server's messages and the
// driver's may, so only those about names (class 42) are repeated.
func translate(ctx context.Context, err error, closed bool) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answered(answer)
	}
	var preparing pgx.ErrPreprocessingBatch
	switch {
	case errors.Is(err, errStale):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("statement cut off: %w", ctx.Err())
	case errors.As(err, &preparing) && !closed:
		return fmt.Errorf("a value does not fit its place in: %s", preparing.SQL())
	case closed:
		return fmt.Errorf("%w: connection lost", engine.ErrAway)
	}
	return fmt.Errorf("statement: %w", err)
}

func answered(answer *pgconn.PgError) error {
	meaning, known := meanings[answer.Code]
	switch {
	case known:
	case strings.HasPrefix(answer.Code, "08"): // connection_exception
		meaning = engine.ErrAway
	case answer.Code == "0A000" && strings.Contains(answer.Message, "cached plan"): // a table was altered; the next try plans anew
		meaning = engine.ErrRetry
	case strings.HasPrefix(answer.Code, "42"): // about the statement's text, which is a constant of the program
		return fmt.Errorf("statement: %s (SQLSTATE %s)", answer.Message, answer.Code)
	default:
		return fmt.Errorf("statement: SQLSTATE %s%s", answer.Code, place(answer))
	}
	return fmt.Errorf("%w (SQLSTATE %s%s)", meaning, answer.Code, place(answer))
}

// place says which rule was broken where.
func place(answer *pgconn.PgError) string {
	var out strings.Builder
	for _, part := range [][2]string{{"table", answer.TableName}, {"column", answer.ColumnName}, {"constraint", answer.ConstraintName}} {
		if part[1] != "" {
			fmt.Fprintf(&out, ", %s %s", part[0], part[1])
		}
	}
	return out.String()
}

// connecting explains why there is no connection.
func connecting(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("wait for a connection: %w", ctx.Err())
	}
	if errors.Is(err, errUnsafe) {
		return err
	}
	return fmt.Errorf("%w: %w", engine.ErrAway, err)
}
