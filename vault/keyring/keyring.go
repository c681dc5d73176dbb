// Package keyring keeps the keys that seal tenants' and people's data, in a store of their own.
//
// Root key → tenant keys → subject keys. The store is never part of a data backup, so destroying a person's key makes
// that person's words unreadable in every copy, log and backup at once. What is erased is written to a ledger first and
// is never given a key again.
package keyring

import (
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"aver/base/aead"
	"aver/base/clock"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/group"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations is the schema of the key store.
func Migrations() []engine.Migration {
	text, err := fs.ReadFile(files, "migrations/0001_keys.sql")
	if err != nil {
		panic("keyring: " + err.Error()) // embedded at build time
	}
	return []engine.Migration{{Version: 1, Name: "keyring/0001_keys.sql", SQL: string(text)}}
}

// The errors of the key store.
var (
	ErrErased = errors.New("this person's key was destroyed")
	ErrNoKey  = errors.New("no such key")
)

// The purposes of tenant keys.
const (
	purposeKEK   = "kek"   // wraps subject keys
	purposeSeal  = "seal"  // seals what is the tenant's own
	purposePage  = "page"  // encrypts the pages of the embedded file
	purposeIndex = "index" // blind indexes and search words; it has one version for ever, or nothing could be found
)

// Keyring hands out keys. It is safe for concurrent use.
type Keyring struct {
	engine engine.Engine
	commit group.Committer
	root   Root
	clock  clock.Clock

	mu       sync.Mutex
	tenants  map[ids.Tenant]*Tenant
	subjects generations
	turn     uint64 // counts the forgettings: a load that raced one must not bring a key back
}

type place struct {
	tenant  ids.Tenant
	subject ids.Subject
}

// Open uses an engine as key store. The engine's schema must be Migrations.
func Open(e engine.Engine, root Root, c clock.Clock) *Keyring {
	return &Keyring{engine: e, commit: group.Committer{Engine: e}, root: root, clock: c,
		tenants: map[ids.Tenant]*Tenant{}}
}

// Version tells of one version of a tenant key.
type Version struct {
	Purpose string    `json:"purpose"` // kek, seal, page or index
	Version uint32    `json:"version"`
	Made    time.Time `json:"made"`
}

// Tenant is a tenant's keys, ready to use.
type Tenant struct {
	seals    map[uint32]*aead.Key
	keks     map[uint32]*aead.Key
	seal     *aead.Key
	kek      *aead.Key
	page     []byte
	index    *aead.Key
	loaded   time.Time
	Versions []Version // newest first within a purpose

	mu    sync.Mutex
	blind map[string][]byte
}

// Seal is the key for what is the tenant's own, newest version.
func (t *Tenant) Seal() *aead.Key { return t.seal }

// Open finds the version that sealed a value: ErrNoKey if it is newer than these keys, or was destroyed.
func (t *Tenant) Open(sealed, place []byte) ([]byte, error) {
	version, err := aead.Version(sealed)
	if err != nil {
		return nil, err
	}
	key := t.seals[version]
	if key == nil {
		return nil, ErrNoKey
	}
	return key.Open(sealed, place)
}

// Blind is the key of one blind index, such as contacts.email.
func (t *Tenant) Blind(name string) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if key := t.blind[name]; key != nil {
		return key
	}
	key := t.index.Derive("blind index "+name, aead.KeySize)
	t.blind[name] = key
	return key
}

func keyPlace(tenant ids.Tenant, purpose string, version uint32) []byte {
	return aead.Place([]byte("tenant-key"), tenant[:], []byte(purpose), binary.BigEndian.AppendUint32(nil, version))
}

// Create makes a tenant's keys; it is no error if they exist.
func (k *Keyring) Create(ctx context.Context, tenant ids.Tenant) error {
	if err := k.engine.Create(ctx, tenant); err != nil {
		return fmt.Errorf("create key store: %w", err)
	}
	return k.write(ctx, tenant, func(c engine.Conn) error {
		for _, p := range []string{purposeKEK, purposeSeal, purposePage, purposeIndex} {
			if err := k.addVersion(ctx, c, tenant, p, 1); err != nil && !errors.Is(err, engine.ErrUnique) {
				return err
			}
		}
		return nil
	})
}

func (k *Keyring) addVersion(ctx context.Context, c engine.Conn, tenant ids.Tenant, purpose string, version uint32) error {
	raw := aead.NewRaw()
	if purpose == purposePage {
		raw = append(raw, aead.NewRaw()...)
	}
	wrapped, err := k.root.Wrap(ctx, raw, keyPlace(tenant, purpose, version))
	if err != nil {
		return fmt.Errorf("wrap tenant key: %w", err)
	}
	_, err = c.Exec("INSERT INTO tenant_keys (purpose, version, wrapped, created_at) VALUES (?, ?, ?, ?)",
		purpose, int64(version), wrapped, k.clock.Now().UnixMicro())
	return err
}

func (k *Keyring) write(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	return k.commit.Do(ctx, tenant, &group.Task{Run: fn})
}

// trust is how long keys are used from memory: a rotation by another process or a command is noticed after that.
const trust = time.Minute

// Tenant returns a tenant's keys, from memory if they were read a moment ago.
func (k *Keyring) Tenant(ctx context.Context, tenant ids.Tenant) (*Tenant, error) {
	k.mu.Lock()
	t, turn := k.tenants[tenant], k.turn
	k.mu.Unlock()
	if t != nil && time.Since(t.loaded) < trust { // the machine's clock: it measures a cache, and decides nothing
		return t, nil
	}
	t, err := k.load(ctx, tenant)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.turn == turn { // otherwise they may be those of a tenant that was destroyed meanwhile
		k.tenants[tenant] = t
	}
	return t, nil
}

func (k *Keyring) load(ctx context.Context, tenant ids.Tenant) (*Tenant, error) {
	t := &Tenant{loaded: time.Now(), seals: map[uint32]*aead.Key{}, keks: map[uint32]*aead.Key{}, blind: map[string][]byte{}}
	err := k.engine.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query("SELECT purpose, version, wrapped, created_at FROM tenant_keys ORDER BY purpose, version DESC", nil, func(row []any) error {
			v := Version{Purpose: row[0].(string), Version: uint32(row[1].(int64)), Made: time.UnixMicro(row[3].(int64)).UTC()}
			raw, err := k.root.Unwrap(ctx, row[2].([]byte), keyPlace(tenant, v.Purpose, v.Version))
			if err != nil {
				return fmt.Errorf("unwrap tenant key %s version %d: %w", v.Purpose, v.Version, err)
			}
			t.Versions = append(t.Versions, v)
			return t.take(v, raw)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("load tenant keys: %w", err)
	}
	if t.seal == nil || t.kek == nil || t.index == nil {
		return nil, fmt.Errorf("load tenant keys: %w", ErrNoKey)
	}
	return t, nil
}

// take files one unwrapped key; versions come newest first.
func (t *Tenant) take(v Version, raw []byte) error {
	if v.Purpose == purposePage {
		t.page = raw
		return nil
	}
	key, err := aead.NewKey(raw, v.Version)
	if err != nil {
		return err
	}
	switch v.Purpose {
	case purposeKEK:
		t.keks[v.Version] = key
		if t.kek == nil {
			t.kek = key
		}
	case purposeSeal:
		t.seals[v.Version] = key
		if t.seal == nil {
			t.seal = key
		}
	case purposeIndex:
		t.index = key
	}
	return nil
}

// PageKey is the key of the tenant's embedded data file, 64 bytes for AES-256-XTS.
func (k *Keyring) PageKey(ctx context.Context, tenant ids.Tenant) ([]byte, error) {
	t, err := k.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return t.page, nil
}

// Destroy removes every key of a tenant: what was sealed for it is unreadable for good (NIST SP 800-88 cryptographic
// erase). The installation's ledger says so first, and the processes that share the key store are told, with no subject.
func (k *Keyring) Destroy(ctx context.Context, tenant ids.Tenant) error {
	err := k.engine.Create(ctx, ids.Installation)
	if err == nil {
		err = k.write(ctx, ids.Installation, func(c engine.Conn) error { return k.ledgerTenant(c, tenant) })
	}
	if err == nil {
		err = k.engine.Remove(ctx, tenant)
	}
	k.mu.Lock() // also after an error: some may be gone
	defer k.mu.Unlock()
	delete(k.tenants, tenant)
	k.turn++
	k.subjects.drop(func(p place) bool { return p.tenant == tenant })
	if err != nil {
		return fmt.Errorf("destroy a tenant's keys: %w", err)
	}
	return nil
}

// ledgerTenant writes that a tenant was destroyed, once. The line is done as soon as it is written: nobody looks for rows
// of this person, who is none.
func (k *Keyring) ledgerTenant(c engine.Conn, tenant ids.Tenant) error {
	known, err := ledgerHas(c, ids.Subject(tenant))
	if err != nil {
		return err
	}
	if !known {
		now := k.clock.Now().UnixMicro()
		_, err = c.Exec("INSERT INTO erasures (subject, reason, ordered_at, done_at) VALUES (?, ?, ?, ?)", tenant.Bytes(), "the workspace was destroyed", now, now)
	}
	if t, ok := c.(engine.Teller); ok && err == nil {
		return t.Tell(Erased, tenant.String()+" ")
	}
	return err
}

// Destroyed tells whether a tenant's keys were destroyed.
func (k *Keyring) Destroyed(ctx context.Context, tenant ids.Tenant) (gone bool, err error) {
	err = k.engine.Read(ctx, ids.Installation, func(c engine.Conn) (err error) {
		gone, err = ledgerHas(c, ids.Subject(tenant))
		return err
	})
	return gone, err
}
