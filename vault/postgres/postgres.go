// Package postgres keeps all stores in one PostgreSQL database, under row-level security.
//
// Every row carries its tenant. The serving role owns nothing, so the policies hold for it whatever a statement says;
// each transaction names its tenant first, for itself alone, and in the same round trip as its first statement. Round
// trips are what PostgreSQL costs: a connection here is an engine.Queuer, and whoever writes several rows should queue.
//
// Writing transactions are READ COMMITTED and several of a tenant run at once, in this process and in others. A row
// that is read to be changed must be read with FOR UPDATE, or somebody else's change in between is overwritten.
// Reading transactions hold one snapshot, taken by their first statement.
//
// Nobody but package vault should use this package: it checks no permission and writes no log.
package postgres

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"aver/base/ids"
	"aver/vault/dump"
	"aver/vault/engine"
)

// The schemas of an installation. Stores and keys are two engines, each over its own schema.
const (
	StoreSchema = "aver"
	KeySchema   = "aver_keys"
	JobSchema   = "aver_jobs"
)

// lanesPerTenant is how many writing transactions of a tenant run at once. Their fsyncs overlap, so more lanes gain
// little, and a tenant under load must leave connections to the others.
const lanesPerTenant = 4

// Config says where the database is. The zero value of everything but URL and Migrations is right for serving.
type Config struct {
	URL        string             // of the serving role
	Schema     string             // StoreSchema unless set
	Migrations []engine.Migration // what the program was built with; Open refuses a database that has other ones
	MaxConns   int                // 16 unless set
	// UnsafeForTests accepts a server that does not fsync. Tests on throw-away clusters set it and nothing else may: what
	// such a server acknowledged is gone after a power cut.
	UnsafeForTests bool
}

// Engine is an engine.Engine over one schema.
type Engine struct {
	pool   *pgxpool.Pool
	schema string
	unsafe bool // Config.UnsafeForTests
	lanes  lanes
	texts  texts
}

var _ engine.Engine = (*Engine)(nil)

// Open connects and refuses a database that is not safe to serve from: a role that could get round the policies, a
// server that acknowledges before it has fsynced, a schema that is older or newer than the program.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	e, err := dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := e.fit(ctx, cfg.Migrations); err != nil {
		e.pool.Close()
		return nil, err
	}
	return e, nil
}

func dial(ctx context.Context, cfg Config) (*Engine, error) {
	settings, err := poolSettings(cfg)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &Engine{pool: pool, schema: cmp.Or(cfg.Schema, StoreSchema), unsafe: cfg.UnsafeForTests, lanes: newLanes(lanesPerTenant)}, nil
}

func poolSettings(cfg Config) (*pgxpool.Config, error) {
	settings, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, errors.New("open database: the address is malformed") // the library's error could repeat the password
	}
	settings.MaxConns = int32(cmp.Or(cfg.MaxConns, 16))
	settings.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	params := settings.ConnConfig.RuntimeParams
	params["application_name"] = "aver"
	params["search_path"] = cmp.Or(cfg.Schema, StoreSchema) + ", pg_temp" // named last, so that no temporary table can hide a real one
	params["idle_in_transaction_session_timeout"] = "60000"               // milliseconds: a process that hangs must not hold locks for ever
	settings.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "uuid", OID: pgtype.UUIDOID, Codec: strictUUID{}})
		return safeServer(ctx, conn, cfg.UnsafeForTests)
	}
	return settings, nil
}

// safeServer runs on every new connection: the server may have been restarted with other settings.
func safeServer(ctx context.Context, conn *pgx.Conn, unsafe bool) error {
	var fsync, pages, commit string
	err := conn.QueryRow(ctx, `SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')`).
		Scan(&fsync, &pages, &commit)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if unsafe {
		return nil
	}
	var wrong []string
	for name, value := range map[string]string{"fsync": fsync, "full_page_writes": pages, "synchronous_commit": commit} {
		if value == "off" {
			wrong = append(wrong, name+" = off")
		}
	}
	if wrong == nil {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("%w: %s: what it acknowledges may be lost", errUnsafe, strings.Join(wrong, ", "))
}

// fit tells whether role and schema are what the program needs.
func (e *Engine) fit(ctx context.Context, migrations []engine.Migration) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return connecting(ctx, err)
	}
	defer conn.Release()
	findings, err := lint(ctx, conn.Conn(), e.schema, roleChecks)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return fmt.Errorf("%w: %s. Serve as a role that owns nothing and is no superuser; aver migrate --help tells how", errUnsafe, unfit(findings))
	}
	return current(ctx, conn.Conn(), e.schema, migrations)
}

// TenantColumn is true: statements name tenant_id, so that an index serves them; the policies hold all the same.
func (e *Engine) TenantColumn() bool { return true }

// Lanes tells how many writing transactions of one tenant run at once in this process.
func (e *Engine) Lanes() int { return lanesPerTenant }

// Create does nothing: a tenant's store is where its rows are.
func (e *Engine) Create(context.Context, ids.Tenant) error { return nil }

// Write runs fn in a READ COMMITTED transaction and commits it.
func (e *Engine) Write(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	leave, err := e.lanes.enter(ctx, tenant)
	if err != nil {
		return err
	}
	defer leave()
	return e.transact(ctx, tenant, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", fn)
}

// Read runs fn on a snapshot, in a transaction that the server keeps from writing.
func (e *Engine) Read(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	return e.transact(ctx, tenant, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", fn)
}

// transact runs fn in a transaction. After the server was away, a pooled connection may turn out to be dead only when it is
// used: then fn runs once more, on a new one.
func (e *Engine) transact(ctx context.Context, tenant ids.Tenant, begin string, fn func(engine.Conn) error) error {
	if tenant.IsZero() {
		return engine.ErrNoTenant
	}
	dead, err := e.attempt(ctx, tenant, begin, fn)
	if dead {
		_, err = e.attempt(ctx, tenant, begin, fn)
	}
	return err
}

// attempt runs fn in a transaction. dead tells that the connection was lost before the server answered anything and before
// it was asked to commit: nothing was read, and nothing is stored.
func (e *Engine) attempt(ctx context.Context, tenant ids.Tenant, begin string, fn func(engine.Conn) error) (dead bool, err error) {
	lease, err := e.pool.Acquire(ctx)
	if err != nil {
		return false, connecting(ctx, err)
	}
	defer lease.Release() // a connection that is closed, busy or still in a transaction is not kept
	c := &conn{ctx: ctx, pg: lease.Conn(), texts: &e.texts, begin: begin, tenant: hex.EncodeToString(tenant.Bytes())}
	defer c.end()
	if err = fn(c); err == nil {
		err = c.commit()
	}
	if !c.pg.IsClosed() || ctx.Err() != nil {
		return false, err
	}
	e.pool.Reset() // when the server went, the other connections went too
	return !c.answered && !c.ending, err
}

// Scrub does nothing: erased text stays in the server's write-ahead log and its archives for as long as they are kept,
// and no client can change that. Destroying the key is what erases.
func (e *Engine) Scrub(context.Context, ids.Tenant) error { return nil }

// removeBatch is how many rows one transaction of a removal deletes: others are not held up, and the log of the server
// does not grow at once.
const removeBatch = 10_000

// Remove deletes every row of the tenant, some at a time, the youngest tables first: no row goes before one that refers to it.
func (e *Engine) Remove(ctx context.Context, tenant ids.Tenant) error {
	var tables []dump.Table
	err := e.Read(ctx, tenant, func(c engine.Conn) (err error) {
		tables, err = e.tables(c)
		return err
	})
	for i := len(tables) - 1; i >= 0 && err == nil; i-- {
		err = e.empty(ctx, tenant, pgx.Identifier{e.schema, tables[i].Name}.Sanitize())
	}
	if err != nil {
		return fmt.Errorf("remove a store: %w", err)
	}
	return nil
}

func (e *Engine) empty(ctx context.Context, tenant ids.Tenant, table string) error {
	for {
		var n int64
		err := e.Write(ctx, tenant, func(c engine.Conn) (err error) {
			n, err = c.Exec("DELETE FROM "+table+" WHERE tenant_id = ? AND ctid = ANY(ARRAY(SELECT ctid FROM "+table+" WHERE tenant_id = ? LIMIT ?))",
				tenant.Bytes(), tenant.Bytes(), int64(removeBatch))
			return err
		})
		if err != nil || n < removeBatch {
			return err
		}
	}
}

// Check runs Lint, asks the server whether it still fsyncs, and returns an error that lists every finding.
func (e *Engine) Check(ctx context.Context) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return connecting(ctx, err)
	}
	err = safeServer(ctx, conn.Conn(), e.unsafe) // fsync can be switched off under a running server
	conn.Release()
	findings, failed := e.Lint(ctx)
	return errors.Join(err, failed, listed(findings))
}

// Close waits for the transactions that run and closes the connections.
func (e *Engine) Close() error {
	e.pool.Close()
	return nil
}
