// Package engine says what the vault needs of a database, and no more.
//
// Each tenant has a store of its own: a file in the embedded engine, a row-level-security context in PostgreSQL. An
// engine never sees plaintext of sealed columns, never chooses a tenant by itself, and commits durably or fails.
package engine

import (
	"context"
	"errors"
	"io"

	"aver/base/ids"
)

// The errors every engine translates its database's own errors into.
var (
	ErrUnique   = errors.New("unique constraint")       // a row with this key exists; the transaction stays usable
	ErrFull     = errors.New("disk full")               // nothing was committed
	ErrRetry    = errors.New("conflicting transaction") // deadlock or serialisation failure: run it again
	ErrAway     = errors.New("database away")           // connection lost; whether a commit took place may be unknown
	ErrNoTenant = errors.New("no such store")
)

// Conn runs statements in one transaction of one tenant. Placeholders are ?; values are nil, int64, float64, bool,
// string or []byte. It is used by one goroutine at a time.
type Conn interface {
	// Exec returns how many rows were affected.
	Exec(query string, args ...any) (int64, error)
	// Query calls each for every row. The slice is reused between rows; []byte and string elements are the callee's to keep.
	Query(query string, args []any, each func(row []any) error) error
}

// Engine keeps the stores.
type Engine interface {
	// TenantColumn tells whether rows carry their tenant in a column tenant_id that statements must name.
	TenantColumn() bool
	// Lanes is how many write transactions of one tenant may run at the same time.
	Lanes() int
	// Create makes the tenant's store with the current schema; it is no error if it exists.
	Create(ctx context.Context, tenant ids.Tenant) error
	// Write runs fn in a transaction and commits it durably (fsynced) before it returns nil. An error of fn rolls back. Where
	// a connection turns out to be dead before anything was read or committed, fn runs once more; in Read too.
	Write(ctx context.Context, tenant ids.Tenant, fn func(Conn) error) error
	// Read runs fn on a consistent snapshot.
	Read(ctx context.Context, tenant ids.Tenant, fn func(Conn) error) error
	// Scrub makes deleted rows unrecoverable from the live files where the engine can (checkpoint and truncate the log).
	Scrub(ctx context.Context, tenant ids.Tenant) error
	// Snapshot writes a consistent copy of the tenant's store while writers go on, in the engine's own format.
	Snapshot(ctx context.Context, tenant ids.Tenant, to io.Writer) error
	// Remove destroys the tenant's store.
	Remove(ctx context.Context, tenant ids.Tenant) error
	// Check tells what is unsafe about the database as it is set up now: nil, or an error that lists every finding.
	Check(ctx context.Context) error
	// Close waits for what runs and closes.
	Close() error
}

// Migration is one step of the schema, in neutral SQL.
type Migration struct {
	Version int64  // module number * 1000 + file number
	Name    string // module and file
	SQL     string
}

// Queuer is implemented by connections that can hold back statements whose row count nobody needs, and questions whose
// answer nobody needs yet, so that several share a round trip. An error of a queued statement surfaces at the next Exec,
// Query or Flush; a commit flushes. Ask is Query that takes place by the time answer returns.
type Queuer interface {
	Queue(query string, args ...any)
	Ask(query string, args []any, each func(row []any) error) (answer func() error)
	Flush() error
}

// Orderer is implemented by connections whose transactions run side by side. Order keeps two of them apart until they end,
// when one of them wants the matter for itself; it waits, if it must, with the next statement. Those that share it go on
// together.
type Orderer interface {
	Order(matter int64, share bool)
}

// Teller is implemented by connections that can tell other processes something: what is told goes out when the transaction
// commits, and not at all when it does not. A text holds identifiers and nobody's data.
type Teller interface {
	Tell(channel, text string) error
}

// Examiner is implemented by engines that can read a tenant's store through for damage.
type Examiner interface {
	Examine(ctx context.Context, tenant ids.Tenant) error
}

// Reserver is implemented by engines that keep room back for deletions on a full disk.
type Reserver interface {
	ReleaseReserve() error
}

// WithReserve runs an erasure's step. If the disk is full it gives the engine's reserve back to the disk and tries once more.
func WithReserve(e Engine, step func() error) error {
	err := step()
	r, ok := e.(Reserver)
	if !ok || !errors.Is(err, ErrFull) {
		return err
	}
	if err := r.ReleaseReserve(); err != nil {
		return err
	}
	return step()
}
