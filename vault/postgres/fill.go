package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/dump"
	"aver/vault/engine"
)

// Empty is a migrated database without rows, opened as the role that owns it, to restore stores into. COPY refuses tables
// with policies, so those of a table do not bind its owner from its first row until everything has settled. The indexes of
// large tables are made when all rows are there, which takes a fraction of the time.
type Empty struct {
	*Engine
	first *pgxpool.Conn // older than any row: if it lives, the server has lost none
	mu    sync.Mutex
	bared map[string]bool // tables that are filled; whether their indexes were taken
	again []index         // those that were taken
}

var _ dump.Filler = (*Empty)(nil)

var errFilled = errs.New(errs.Conflict, "The database to restore into is not empty.")

// OpenEmpty connects as the owner.
func OpenEmpty(ctx context.Context, cfg Config) (*Empty, error) {
	e, err := dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	first, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, errors.Join(connecting(ctx, err), e.Close())
	}
	empty := &Empty{Engine: e, first: first, bared: map[string]bool{}}
	if err := empty.owned(ctx, cfg.Migrations); err != nil {
		return nil, errors.Join(err, empty.Close())
	}
	return empty, nil
}

// Close closes the connections.
func (e *Empty) Close() error {
	e.first.Release()
	return e.Engine.Close()
}

func (e *Empty) owned(ctx context.Context, migrations []engine.Migration) error {
	owner, err := false, current(ctx, e.first.Conn(), e.schema, migrations)
	if err == nil {
		err = e.first.QueryRow(ctx, "SELECT pg_has_role(current_user, nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = $1", e.schema).Scan(&owner)
	}
	if err == nil && !owner {
		err = errors.New("this role does not own the tables: restore as the role that migrated the database")
	}
	return err
}

// large is how many bytes of a table's rows make it worth while to leave its indexes for later.
const large = 64 << 10

// later lets a commit not wait for the disk: Settle's does, for all before it, on the first connection, which ends with the server.
const later = "SET LOCAL synchronous_commit = off"

// Fill implements dump.Filler.
func (e *Empty) Fill(ctx context.Context, tenant ids.Tenant, t dump.Table, rows []byte) error {
	if err := e.prepare(ctx, t.Name, len(rows) >= large); err != nil {
		return err
	}
	return e.Write(ctx, tenant, func(c engine.Conn) error {
		own := c.(*conn)
		own.batch().Queue(later)
		if err := own.Flush(); err != nil {
			return err
		}
		text := "COPY " + e.full(t.Name) + " (" + columns(t) + ") FROM STDIN (FORMAT binary)"
		if _, err := own.pg.PgConn().CopyFrom(ctx, bytes.NewReader(rows), text); err != nil {
			own.lost = translate(ctx, err, own.pg.IsClosed())
			return own.lost
		}
		return nil
	})
}

func (e *Empty) full(table string) string { return pgx.Identifier{e.schema, table}.Sanitize() }

// prepare lifts a table's policy from its owner, unless somebody else has filled it, and takes the indexes of one that will
// be large.
func (e *Empty) prepare(ctx context.Context, name string, large bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	bared, ours := e.bared[name]
	if ours && (bared || !large) {
		return nil
	}
	var again []index
	err := pgx.BeginFunc(ctx, e.first, func(tx pgx.Tx) (err error) {
		_, err = tx.Exec(ctx, later)
		if !ours && err == nil {
			err = e.open(ctx, tx, name)
		}
		if large && err == nil {
			again, err = e.bare(ctx, tx, name)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("prepare a table: %w", err)
	}
	e.bared[name], e.again = large, append(e.again, again...)
	return nil
}

// open lets the owner fill a table that has no rows.
func (e *Empty) open(ctx context.Context, tx pgx.Tx, name string) error {
	if _, err := tx.Exec(ctx, "ALTER TABLE "+e.full(name)+" NO FORCE ROW LEVEL SECURITY"); err != nil {
		return err
	}
	filled := false
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+e.full(name)+")").Scan(&filled)
	if err == nil && filled {
		return errFilled
	}
	return err
}

// index is the statements that drop an index, make it again, and make it a table's key again if it was one.
type index struct{ Drop, Make, Key string }

// indexes are those of a table, but of keys that another table refers to. $1 is the schema, $2 the table.
const indexes = `SELECT CASE WHEN k.oid IS NULL THEN format('DROP INDEX %s', i.indexrelid::regclass) ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, k.conname) END,
	pg_get_indexdef(i.indexrelid),
	CASE k.contype WHEN 'p' THEN format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY USING INDEX %I', i.indrelid::regclass, k.conname, k.conname)
		WHEN 'u' THEN format('ALTER TABLE %s ADD CONSTRAINT %I UNIQUE USING INDEX %I', i.indrelid::regclass, k.conname, k.conname) ELSE '' END
	FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
	WHERE c.relnamespace = $1::text::regnamespace AND c.relname = $2 AND NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid)`

// bare drops a table's indexes.
func (e *Empty) bare(ctx context.Context, tx pgx.Tx, name string) ([]index, error) {
	rows, _ := tx.Query(ctx, indexes, e.schema, name)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[index])
	for _, index := range found {
		if err == nil {
			_, err = tx.Exec(ctx, index.Drop)
		}
	}
	return found, err
}

// Settle implements dump.Filler: it makes the indexes, several at a time, then has the policies bind the owner again.
func (e *Empty) Settle(ctx context.Context) error {
	work, making := errgroup.WithContext(ctx)
	work.SetLimit(lanesPerTenant)
	last := &pgx.Batch{}
	for _, index := range e.again {
		work.Go(func() error { return e.make(making, index) })
		if index.Key != "" {
			last.Queue(index.Key)
		}
	}
	for table := range e.bared {
		last.Queue("ALTER TABLE " + e.full(table) + " FORCE ROW LEVEL SECURITY")
	}
	if err := work.Wait(); err != nil {
		return fmt.Errorf("make indexes: %w", err)
	}
	err := pgx.BeginFunc(ctx, e.first, func(tx pgx.Tx) error { return tx.SendBatch(ctx, last).Close() })
	if err != nil {
		return fmt.Errorf("make keys: %w", translate(ctx, err, e.first.Conn().IsClosed()))
	}
	return nil
}

// make makes one index, on one processor: others are made beside it.
func (e *Empty) make(ctx context.Context, i index) error {
	return pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, later+"; SET LOCAL max_parallel_maintenance_workers = 0; "+i.Make)
		if err != nil {
			return translate(ctx, err, tx.Conn().IsClosed())
		}
		return nil
	})
}
