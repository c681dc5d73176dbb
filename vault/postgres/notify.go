package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aver/vault/engine"
)

// MaxPayload is how many bytes Notify takes. The server's limit is 8,000.
const MaxPayload = 7900

// Notify tells the processes that listen on a channel. Every role of the database can listen, so a payload holds
// identifiers and never anybody's data. It is news and no delivery: who must not miss it reads a table.
func (e *Engine) Notify(ctx context.Context, channel, payload string) error {
	if payload == "" || len(payload) > MaxPayload {
		return fmt.Errorf("notify: a payload has 1 to %d bytes, this one %d", MaxPayload, len(payload))
	}
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("notify: %w", connecting(ctx, err))
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_notify($1, $2)", channel, payload); err != nil {
		return fmt.Errorf("notify: %w", translate(ctx, err, conn.Conn().IsClosed()))
	}
	return nil
}

// Listen calls each for every notification on a channel until the context ends, then returns its error. It has a
// connection of its own and opens another when that is lost. Whenever it has begun to listen, the first time too, it
// calls each with an empty payload: news may have been missed, so caches are stale and cursors behind.
func (e *Engine) Listen(ctx context.Context, channel string, each func(payload string)) error {
	const shortest, longest = 50 * time.Millisecond, 5 * time.Second
	wait := shortest
	for {
		err := e.listen(ctx, channel, func(payload string) {
			wait = shortest
			each(payload)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errUnsafe) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait/2 + rand.N(wait)):
		}
		wait = min(2*wait, longest)
	}
}

func (e *Engine) listen(ctx context.Context, channel string, each func(payload string)) error {
	settings := e.pool.Config()
	conn, err := pgx.ConnectConfig(ctx, settings.ConnConfig)
	if err != nil {
		return fmt.Errorf("listen: %w", connecting(ctx, err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := settings.AfterConnect(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return fmt.Errorf("listen: %w", translate(ctx, err, conn.IsClosed()))
	}
	each("")
	for {
		news, err := await(ctx, conn)
		switch {
		case err != nil:
			return fmt.Errorf("%w: listen: connection lost", engine.ErrAway)
		case news != nil:
			each(news.Payload)
		}
	}
}

// await waits for the next notification. When there is none for half a minute it asks the server for a sign of life:
// a connection that a firewall has forgotten stays silent for ever.
func await(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	quiet, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	news, err := conn.WaitForNotification(quiet)
	if err == nil || ctx.Err() != nil || quiet.Err() == nil {
		return news, err
	}
	answer, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return nil, conn.Ping(answer)
}
