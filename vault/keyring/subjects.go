package keyring

import (
	"context"
	"fmt"
	"time"

	"aver/base/aead"
	"aver/base/ids"
	"aver/vault/engine"
)

// generations is a bounded cache: when the young half is full it becomes the old half, and what nobody asked for since
// the last turn is forgotten.
type generations struct{ young, old map[place]*aead.Key }

const generationSize = 8192

func (g *generations) get(p place) *aead.Key {
	if key := g.young[p]; key != nil {
		return key
	}
	key := g.old[p]
	if key != nil {
		g.put(p, key)
	}
	return key
}

func (g *generations) put(p place, key *aead.Key) {
	if g.young == nil || len(g.young) >= generationSize {
		g.old, g.young = g.young, map[place]*aead.Key{}
	}
	g.young[p] = key
}

func (g *generations) drop(match func(place) bool) {
	for _, half := range []map[place]*aead.Key{g.young, g.old} {
		for p := range half {
			if match(p) {
				delete(half, p)
			}
		}
	}
}

func (g *generations) forget(p place) {
	delete(g.young, p)
	delete(g.old, p)
}

func subjectPlace(p place) []byte {
	return aead.Place([]byte("subject-key"), p.tenant[:], p.subject[:])
}

// NewSubject makes a person's key, durably. An erased person never gets another one.
func (k *Keyring) NewSubject(ctx context.Context, tenant ids.Tenant, subject ids.Subject) error {
	t, err := k.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	raw := aead.NewRaw()
	wrapped := t.kek.Seal(nil, raw, subjectPlace(place{tenant, subject}))
	return k.write(ctx, tenant, func(c engine.Conn) error {
		gone, err := ledgerHas(c, subject)
		if err != nil {
			return err
		}
		if gone {
			return ErrErased
		}
		_, err = c.Exec("INSERT INTO subject_keys (subject, kek, wrapped, created_at) VALUES (?, ?, ?, ?)",
			subject[:], int64(t.kek.Version()), wrapped, k.clock.Now().UnixMicro())
		return err
	})
}

func ledgerHas(c engine.Conn, subject ids.Subject) (bool, error) {
	found := false
	err := c.Query("SELECT 1 FROM erasures WHERE subject = ?", []any{subject[:]}, func([]any) error {
		found = true
		return nil
	})
	return found, err
}

// Subject returns a person's key: ErrErased if it was destroyed, ErrNoKey if there never was one.
func (k *Keyring) Subject(ctx context.Context, tenant ids.Tenant, subject ids.Subject) (*aead.Key, error) {
	p := place{tenant, subject}
	k.mu.Lock()
	key := k.subjects.get(p)
	k.mu.Unlock()
	if key != nil {
		return key, nil
	}
	key, err := k.loadSubject(ctx, p)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, gone := k.erased[p]; gone {
		return nil, ErrErased
	}
	k.subjects.put(p, key)
	return key, nil
}

func (k *Keyring) loadSubject(ctx context.Context, p place) (*aead.Key, error) {
	t, err := k.Tenant(ctx, p.tenant)
	if err != nil {
		return nil, err
	}
	var wrapped []byte
	var kek uint32
	gone := false
	err = k.engine.Read(ctx, p.tenant, func(c engine.Conn) error {
		if err := c.Query("SELECT wrapped, kek FROM subject_keys WHERE subject = ?", []any{p.subject[:]}, func(row []any) error {
			wrapped, kek = row[0].([]byte), uint32(row[1].(int64))
			return nil
		}); err != nil || wrapped != nil {
			return err
		}
		gone, err = ledgerHas(c, p.subject)
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("load subject key: %w", err)
	case gone:
		return nil, ErrErased
	case wrapped == nil:
		return nil, ErrNoKey
	}
	if t.keks[kek] == nil { // another process rotated: look again
		if t, err = k.reload(ctx, p.tenant); err != nil {
			return nil, err
		}
	}
	wrapper := t.keks[kek]
	if wrapper == nil {
		return nil, fmt.Errorf("load subject key: %w: wrapping key version %d", ErrNoKey, kek)
	}
	raw, err := wrapper.Open(wrapped, subjectPlace(p))
	if err != nil {
		return nil, fmt.Errorf("unwrap subject key: %w", err)
	}
	return aead.NewKey(raw, 1)
}

func (k *Keyring) reload(ctx context.Context, tenant ids.Tenant) (*Tenant, error) {
	k.Forget(tenant)
	return k.Tenant(ctx, tenant)
}

// Forget drops a tenant's keys from memory, so that the next use reads the store.
func (k *Keyring) Forget(tenant ids.Tenant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.tenants, tenant)
}

// ForgetSubject drops a person's key from memory and never takes it back: another process destroyed it.
func (k *Keyring) ForgetSubject(tenant ids.Tenant, subject ids.Subject) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.erased[place{tenant, subject}] = struct{}{}
	k.subjects.forget(place{tenant, subject})
}

// Erase writes the erasure to the ledger and destroys the person's key in the same transaction, then scrubs the live
// files. Afterwards nothing sealed for the person opens anywhere. Erasing twice is no error.
func (k *Keyring) Erase(ctx context.Context, tenant ids.Tenant, subject ids.Subject, reason string) error {
	k.ForgetSubject(tenant, subject)
	err := k.write(ctx, tenant, func(c engine.Conn) error {
		gone, err := ledgerHas(c, subject)
		if err != nil || gone {
			return err
		}
		if _, err := c.Exec("INSERT INTO erasures (subject, reason, ordered_at) VALUES (?, ?, ?)",
			subject[:], reason, k.clock.Now().UnixMicro()); err != nil {
			return err
		}
		_, err = c.Exec("DELETE FROM subject_keys WHERE subject = ?", subject[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("destroy subject key: %w", err)
	}
	return k.engine.Scrub(ctx, tenant)
}

// Erasure is a line of the ledger.
type Erasure struct {
	Subject ids.Subject
	Reason  string
	Ordered time.Time
	Done    time.Time // zero while rows may remain
}

// Erasures reads the ledger, oldest first; with open only those whose rows may remain.
func (k *Keyring) Erasures(ctx context.Context, tenant ids.Tenant, open bool) ([]Erasure, error) {
	query := "SELECT subject, reason, ordered_at, done_at FROM erasures ORDER BY ordered_at"
	if open {
		query = "SELECT subject, reason, ordered_at, done_at FROM erasures WHERE done_at IS NULL ORDER BY ordered_at"
	}
	var out []Erasure
	err := k.engine.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query(query, nil, func(row []any) error {
			e := Erasure{Reason: row[1].(string), Ordered: time.UnixMicro(row[2].(int64)).UTC()}
			copy(e.Subject[:], row[0].([]byte))
			if done, ok := row[3].(int64); ok {
				e.Done = time.UnixMicro(done).UTC()
			}
			out = append(out, e)
			return nil
		})
	})
	return out, err
}

// Finish notes that an erasure's rows are gone too.
func (k *Keyring) Finish(ctx context.Context, tenant ids.Tenant, subject ids.Subject) error {
	return k.write(ctx, tenant, func(c engine.Conn) error {
		_, err := c.Exec("UPDATE erasures SET done_at = ? WHERE subject = ? AND done_at IS NULL", k.clock.Now().UnixMicro(), subject[:])
		return err
	})
}
