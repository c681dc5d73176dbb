package secrets

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"aver/base/aead"
	"aver/vault/keyring"
)

// An Envelope wraps keys under a data key that the key manager has wrapped, and writes the wrapped data key beside each. So
// whatever it wrapped opens with the key manager alone, in any process, and the key manager is asked once per data key.
//
// The newest data key that was made or met is used for what comes next; Renew makes another.
type Envelope struct {
	manager keyring.Root

	asking sync.Mutex // one call to the key manager at a time: whoever waited finds the answer in memory
	mu     sync.Mutex
	opened map[string]*aead.Key // by the wrapped data key
	newest string
}

var (
	_ keyring.Root      = (*Envelope)(nil)
	_ keyring.Versioned = (*Envelope)(nil)
)

// NewEnvelope uses a key manager. It is not called yet.
func NewEnvelope(manager keyring.Root) *Envelope {
	return &Envelope{manager: manager, opened: map[string]*aead.Key{}}
}

// mark is the first byte of what an Envelope wrapped. It differs from the first byte of package aead's values.
const mark = 0xE1

// dataPlace binds a data key to what it is for.
var dataPlace = []byte("aver data key")

// Renew makes a new data key, under the newest version of the manager's key: what is wrapped from now on is under it.
func (e *Envelope) Renew(ctx context.Context) error {
	e.asking.Lock()
	defer e.asking.Unlock()
	_, _, err := e.make(ctx)
	return err
}

// make needs asking.
func (e *Envelope) make(ctx context.Context) (string, *aead.Key, error) {
	raw := aead.NewRaw()
	wrapped, err := e.manager.Wrap(ctx, raw, dataPlace)
	if err != nil {
		return "", nil, fmt.Errorf("make a data key: %w", err)
	}
	key, err := e.learn(string(wrapped), raw)
	return string(wrapped), key, err
}

func (e *Envelope) learn(wrapped string, raw []byte) (*aead.Key, error) {
	key, err := aead.NewKey(raw, 1)
	if err != nil {
		return nil, fmt.Errorf("take a data key: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.opened[wrapped], e.newest = key, wrapped
	return key, nil
}

func (e *Envelope) known(wrapped string) *aead.Key {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.opened[wrapped]
}

func (e *Envelope) current() (string, *aead.Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.newest, e.opened[e.newest]
}

// Wrap seals a key for its place under the newest data key.
func (e *Envelope) Wrap(ctx context.Context, key, place []byte) ([]byte, error) {
	wrapped, by := e.current()
	if by == nil {
		var err error
		if wrapped, by, err = e.first(ctx); err != nil {
			return nil, err
		}
	}
	out := binary.BigEndian.AppendUint32([]byte{mark}, uint32(len(wrapped)))
	return by.Seal(append(out, wrapped...), key, place), nil
}

// first makes the first data key, unless somebody else did while we waited.
func (e *Envelope) first(ctx context.Context) (string, *aead.Key, error) {
	e.asking.Lock()
	defer e.asking.Unlock()
	if wrapped, by := e.current(); by != nil {
		return wrapped, by, nil
	}
	return e.make(ctx)
}

// Unwrap opens a key in its place.
func (e *Envelope) Unwrap(ctx context.Context, wrapped, place []byte) ([]byte, error) {
	data, sealed, err := split(wrapped)
	if err != nil {
		return nil, err
	}
	by := e.known(data)
	if by == nil {
		if by, err = e.open(ctx, data); err != nil {
			return nil, err
		}
	}
	return by.Open(sealed, place)
}

func (e *Envelope) open(ctx context.Context, data string) (*aead.Key, error) {
	e.asking.Lock()
	defer e.asking.Unlock()
	if by := e.known(data); by != nil {
		return by, nil
	}
	raw, err := e.manager.Unwrap(ctx, []byte(data), dataPlace)
	if err != nil {
		return nil, fmt.Errorf("open a data key: %w", err)
	}
	return e.learn(data, raw)
}

// split parts what Wrap put together.
func split(wrapped []byte) (data string, sealed []byte, err error) {
	rest, found := bytes.CutPrefix(wrapped, []byte{mark})
	if !found || len(rest) < 4 {
		return "", nil, fmt.Errorf("open a key: it was not wrapped by a key manager: %w", aead.ErrOpen)
	}
	size := uint64(binary.BigEndian.Uint32(rest))
	rest = rest[4:]
	if size > uint64(len(rest)) {
		return "", nil, aead.ErrOpen
	}
	return string(rest[:size]), rest[size:], nil
}

// WrappedBy is for keyring.Versioned: the version of the manager's key, if the manager tells.
func (e *Envelope) WrappedBy(wrapped []byte) uint32 {
	data, _, err := split(wrapped)
	v, ok := e.manager.(keyring.Versioned)
	if err != nil || !ok {
		return 0
	}
	return v.WrappedBy([]byte(data))
}
