package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/dump"
	"aver/vault/engine"
)

// Empty is a migrated database without rows, opened as the role that owns it, to restore stores into. Policies bind the
// owner too, but in the transactions that fill a table, as COPY refuses tables with policies. The indexes of large tables
// are made when all rows are there, which takes a fraction of the time.
type Empty struct {
	*Engine
	mu    sync.Mutex
	known map[string]bool // tables that this restore fills; whether without indexes
	again []string        // statements that make the indexes
}

var _ dump.Filler = (*Empty)(nil)

var errFilled = errs.New(errs.Conflict, "The database to restore into is not empty.")

// OpenEmpty connects as the owner.
func OpenEmpty(ctx context.Context, cfg Config) (*Empty, error) {
	e, err := dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := e.owned(ctx, cfg.Migrations); err != nil {
		e.pool.Close()
		return nil, err
	}
	return &Empty{Engine: e, known: map[string]bool{}}, nil
}

func (e *Engine) owned(ctx context.Context, migrations []engine.Migration) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return connecting(ctx, err)
	}
	defer conn.Release()
	if err := current(ctx, conn.Conn(), e.schema, migrations); err != nil {
		return err
	}
	owner := false
	err = conn.QueryRow(ctx, "SELECT pg_has_role(current_user, nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = $1", e.schema).Scan(&owner)
	if err == nil && !owner {
		err = errors.New("this role does not own the tables: restore as the role that migrated the database")
	}
	return err
}

// large is how many bytes of a table's rows make it worth while to leave its indexes for later.
const large = 64 << 10

// emptyTable is how many bytes COPY writes of no rows: its head and its end.
const emptyTable = 21

// Fill implements dump.Filler.
func (e *Empty) Fill(ctx context.Context, tenant ids.Tenant, t dump.Table, rows io.Reader) error {
	begin := make([]byte, large)
	n, err := io.ReadFull(rows, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read rows: %w", err)
	}
	if n <= emptyTable {
		return nil
	}
	rows = io.MultiReader(bytes.NewReader(begin[:n]), rows)
	table := pgx.Identifier{e.schema, t.Name}.Sanitize()
	var columns []string
	for _, column := range t.Columns {
		columns = append(columns, pgx.Identifier{column.Name}.Sanitize())
	}
	return e.Write(ctx, tenant, func(c engine.Conn) error {
		own := c.(*conn)
		own.batch().Queue("ALTER TABLE " + table + " NO FORCE ROW LEVEL SECURITY") // and the table is nobody else's
		if err := own.Flush(); err != nil {
			return err
		}
		err := e.prepare(ctx, own.pg, t.Name, n == large)
		if err == nil {
			_, err = own.pg.PgConn().CopyFrom(ctx, rows, "COPY "+table+" ("+strings.Join(columns, ", ")+") FROM STDIN (FORMAT binary)")
		}
		if err != nil {
			own.lost = translate(ctx, err, own.pg.IsClosed())
			return own.lost
		}
		own.batch().Queue("ALTER TABLE " + table + " FORCE ROW LEVEL SECURITY")
		return own.Flush()
	})
}

// prepare takes the indexes of a table that will be large, unless somebody else has filled it.
func (e *Empty) prepare(ctx context.Context, pg *pgx.Conn, name string, large bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	bare, ours := e.known[name]
	if e.known[name] = bare || large; bare || !large {
		return nil
	}
	filled := false
	if err := pg.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+pgx.Identifier{e.schema, name}.Sanitize()+")").Scan(&filled); err != nil {
		return err
	}
	if filled && !ours {
		return errFilled
	}
	rows, _ := pg.Query(ctx, indexes, e.schema, name)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Drop, Make string }])
	for _, index := range found {
		if err == nil {
			_, err = pg.Exec(ctx, index.Drop)
		}
		e.again = append(e.again, index.Make)
	}
	return err
}

// indexes are statements that drop what a table's rows are found by, and others that make it again: keys, unless another
// table refers to one, and indexes. $1 is the schema, $2 the table.
const indexes = `WITH home AS (SELECT c.oid, c.oid::regclass::text AS name FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relname = $2)
	SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', home.name, conname), format('ALTER TABLE %s ADD CONSTRAINT %I %s', home.name, conname, pg_get_constraintdef(k.oid))
		FROM pg_constraint k JOIN home ON home.oid = conrelid WHERE contype IN ('p', 'u') AND NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = home.oid)
	UNION ALL SELECT format('DROP INDEX %I.%I', $1::text, x.relname), pg_get_indexdef(x.oid)
		FROM pg_index i JOIN home ON home.oid = indrelid JOIN pg_class x ON x.oid = indexrelid WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.oid)`

// Settle implements dump.Filler: it makes the indexes.
func (e *Empty) Settle(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		for _, statement := range e.again {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return translate(ctx, err, tx.Conn().IsClosed())
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make indexes: %w", err)
	}
	return nil
}
