package keyring

import (
	"context"
	"errors"
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
	err = k.provide(ctx, t, place{tenant, subject}, raw)
	if !errors.Is(err, errRetired) {
		return err
	}
	if t, err = k.reload(ctx, tenant); err != nil { // another process rotated
		return err
	}
	return k.provide(ctx, t, place{tenant, subject}, raw)
}

// provide stores a person's key. The ledger is asked after the row is there, and Erase stands in the way of that row
// before it deletes: whichever comes second, also in another process, sees the other.
func (k *Keyring) provide(ctx context.Context, t *Tenant, p place, raw []byte) error {
	wrapped := t.kek.Seal(nil, raw, subjectPlace(p))
	return k.write(ctx, p.tenant, func(c engine.Conn) error {
		if err := k.useKEK(c, t.kek.Version()); err != nil {
			return err
		}
		_, err := c.Exec("INSERT INTO subject_keys (subject, kek, wrapped, created_at) VALUES (?, ?, ?, ?)",
			p.subject[:], int64(t.kek.Version()), wrapped, k.clock.Now().UnixMicro())
		if err != nil {
			return err
		}
		gone, err := ledgerHas(c, p.subject)
		if err == nil && gone {
			err = ErrErased
		}
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
	for {
		k.mu.Lock()
		key, turn := k.subjects.get(p), k.turn
		k.mu.Unlock()
		if key != nil {
			return key, nil
		}
		key, err := k.loadSubject(ctx, p)
		if err != nil {
			return nil, err
		}
		if k.keep(p, key, turn) {
			return key, nil
		}
	}
}

// keep puts a key into memory, unless somebody was forgotten since it was read: it might be theirs, and must not come back.
func (k *Keyring) keep(p place, key *aead.Key, turn uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.turn != turn {
		return false
	}
	k.subjects.put(p, key)
	return true
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

// ForgetSubject drops a person's key from memory, and those that are being read at this moment: it was destroyed.
func (k *Keyring) ForgetSubject(tenant ids.Tenant, subject ids.Subject) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn++
	k.subjects.forget(place{tenant, subject})
}

// ForgetSubjects drops everybody's keys from memory: any of them may have been destroyed without our hearing of it.
func (k *Keyring) ForgetSubjects() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn++
	k.subjects = generations{}
}

// Erased is the channel on which the processes that share a key store hear whose key was destroyed: tenant, space, subject.
const Erased = "aver_erased"

// Erase writes the erasure to the ledger and destroys the person's key in the same transaction, tells the processes that
// share the key store, and scrubs the live files, on a full disk with the room that was kept back for it. Afterwards
// nothing sealed for the person opens anywhere. Erasing twice is no error.
func (k *Keyring) Erase(ctx context.Context, tenant ids.Tenant, subject ids.Subject, reason string) error {
	err := engine.WithReserve(k.engine, func() error {
		return k.write(ctx, tenant, func(c engine.Conn) error { return k.destroy(c, place{tenant, subject}, reason) })
	})
	k.ForgetSubject(tenant, subject) // also after an error: it may have been committed
	if err != nil {
		return fmt.Errorf("destroy subject key: %w", err)
	}
	return engine.WithReserve(k.engine, func() error { return k.engine.Scrub(ctx, tenant) })
}

func (k *Keyring) destroy(c engine.Conn, p place, reason string) error {
	gone, err := ledgerHas(c, p.subject)
	if err != nil || gone {
		return err
	}
	now := k.clock.Now().UnixMicro()
	if _, err := c.Exec("INSERT INTO erasures (subject, reason, ordered_at) VALUES (?, ?, ?)", p.subject[:], reason, now); err != nil {
		return err
	}
	if k.engine.Lanes() > 1 { // see provide
		if _, err := c.Exec("INSERT INTO subject_keys (subject, kek, wrapped, created_at) VALUES (?, 0, ?, ?) ON CONFLICT DO NOTHING",
			p.subject[:], []byte{}, now); err != nil {
			return err
		}
	}
	if _, err := c.Exec("DELETE FROM subject_keys WHERE subject = ?", p.subject[:]); err != nil {
		return err
	}
	if t, ok := c.(engine.Teller); ok {
		return t.Tell(Erased, p.tenant.String()+" "+p.subject.String())
	}
	return nil
}

// Erasure is a line of the ledger.
type Erasure struct {
	Subject ids.Subject
	Reason  string
	Ordered time.Time
	Done    time.Time // zero while rows may remain
}

// Erasures reads the lines of the ledger that are open or were done after a time, oldest first; after the zero time that
// is all of them.
func (k *Keyring) Erasures(ctx context.Context, tenant ids.Tenant, after time.Time) ([]Erasure, error) {
	query := "SELECT subject, reason, ordered_at, done_at FROM erasures WHERE done_at IS NULL OR done_at > ? ORDER BY ordered_at"
	var out []Erasure
	err := k.engine.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query(query, []any{after.UnixMicro()}, func(row []any) error {
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

// People counts the people of a tenant who have a key.
func (k *Keyring) People(ctx context.Context, tenant ids.Tenant) (n int, err error) {
	err = k.engine.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query("SELECT count(*) FROM subject_keys", nil, func(row []any) error { n = int(row[0].(int64)); return nil })
	})
	return n, err
}

// LastErasure is when an erasure was last ordered, zero if never.
func (k *Keyring) LastErasure(ctx context.Context, tenant ids.Tenant) (at time.Time, err error) {
	err = k.engine.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query("SELECT ordered_at FROM erasures ORDER BY ordered_at DESC LIMIT 1", nil, func(row []any) error {
			at = time.UnixMicro(row[0].(int64)).UTC()
			return nil
		})
	})
	return at, err
}

// Finish notes that nothing is left of erased people in the live store.
func (k *Keyring) Finish(ctx context.Context, tenant ids.Tenant, people []ids.Subject) error {
	return engine.WithReserve(k.engine, func() error {
		return k.write(ctx, tenant, func(c engine.Conn) error {
			now := k.clock.Now().UnixMicro()
			for _, who := range people {
				if _, err := c.Exec("UPDATE erasures SET done_at = ? WHERE subject = ? AND done_at IS NULL", now, who[:]); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
