package vault

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/keyring"
	"aver/vault/purpose"
	"aver/vault/table"
)

// Event is news that a change brings: names and numbers only, written with the change and told after the commit.
type Event = journal.Event

// Tx is one actor's view of one tenant while an action runs. It has no tenant parameter anywhere.
type Tx struct {
	ctx      context.Context
	v        *Vault
	actor    Actor
	keys     *keyring.Tenant
	conn     engine.Conn
	now      time.Time
	readonly bool

	entry    journal.Entry
	commit   hash.Hash
	payloads []any

	guard   purpose.Guard
	minded  map[ids.Subject]func() (bool, error) // whom the purpose may touch
	refused []ids.Subject                        // whom it may not
}

// Context is the caller's.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Actor is who acts.
func (tx *Tx) Actor() Actor { return tx.actor }

// Now is the time of the change, the same for everything in it.
func (tx *Tx) Now() time.Time { return tx.now }

// About names the person this entry concerns where no row says so.
func (tx *Tx) About(subject ids.Subject) { tx.entry.Subject = subject }

// Emit writes news into the change's journal entry. The payload is handed to listeners in this process and is never stored.
func (tx *Tx) Emit(e Event, payload any) {
	tx.entry.Events = append(tx.entry.Events, e)
	tx.payloads = append(tx.payloads, payload)
}

// touch notes a written row in the entry and takes its sealed values into the commitment.
func (tx *Tx) touch(t *table.Shape, op journal.Op, key []byte, values []any) {
	if len(tx.entry.Touched) < journal.MaxTouched {
		tx.entry.Touched = append(tx.entry.Touched, journal.Ref{Table: t.Name, Key: key, Op: op})
	} else if len(t.Searched) > 0 && (op == journal.Added || op == journal.Put) {
		tx.Emit(wordsEvent(t, key), nil)
	}
	if tx.commit == nil {
		tx.commit = sha256.New()
	}
	buf := make([]byte, 0, 512)
	buf = appendBytes(buf, []byte(t.Name))
	buf = appendBytes(append(buf, byte(op)), key)
	for _, v := range values {
		buf = appendValue(buf, v)
	}
	tx.commit.Write(buf)
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}

func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case []byte:
		return appendBytes(append(dst, 'b'), v)
	case string:
		return appendBytes(append(dst, 's'), []byte(v))
	case int64:
		return binary.BigEndian.AppendUint64(append(dst, 'i'), uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, 'f'), math.Float64bits(v))
	case bool:
		return append(dst, 'l', byte(index(v)))
	default:
		return append(dst, 'n')
	}
}

// seal closes the entry: the commitment is final.
func (tx *Tx) finish(outcome journal.Outcome) {
	tx.entry.Outcome = outcome
	if tx.commit != nil {
		tx.commit.Sum(tx.entry.Commit[:0])
	}
}

var errReadOnly = errors.New("a read cannot write")

func (tx *Tx) write(t *table.Shape) error {
	if tx.readonly {
		return fmt.Errorf("write %s: %w", t.Name, errReadOnly)
	}
	return nil
}

func erasedError(err error) error {
	if errors.Is(err, keyring.ErrErased) {
		return errs.New(errs.Gone, "This person was erased and cannot be written about any more.").Because(err)
	}
	return err
}

// engineError gives an engine's error its meaning for callers.
func engineError(err error) error {
	switch {
	case errors.Is(err, engine.ErrFull):
		return errs.New(errs.NoSpace, "The disk is full. Nothing was changed; what was stored before is safe.").Because(err)
	case errors.Is(err, engine.ErrAway), errors.Is(err, engine.ErrRetry):
		unavailable := errs.New(errs.Unavailable, "The database is away. Try again in a moment.")
		unavailable.RetryAfter = 2
		return unavailable.Because(err)
	case errors.Is(err, engine.ErrUnique):
		return errs.New(errs.Conflict, "This exists already.").Because(err)
	}
	return err
}
