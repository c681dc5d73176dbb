package keyring

import (
	"context"
	"errors"
	"fmt"

	"aver/base/ids"
	"aver/vault/engine"
)

// rewrapBatch is how many subject keys are rewrapped in one transaction, small enough not to hold up anybody.
const rewrapBatch = 500

// Rotate gives a tenant new sealing and wrapping keys and rewraps its people's keys under the new one. Old sealed
// values stay readable: the old sealing versions are kept. It is safe to run while the tenant is in use, and to repeat
// after a crash.
func (k *Keyring) Rotate(ctx context.Context, tenant ids.Tenant) error {
	t, err := k.reload(ctx, tenant)
	if err != nil {
		return err
	}
	err = k.write(ctx, tenant, func(c engine.Conn) error {
		if err := k.addVersion(ctx, c, tenant, purposeKEK, t.kek.Version()+1); err != nil {
			return err
		}
		return k.addVersion(ctx, c, tenant, purposeSeal, t.seal.Version()+1)
	})
	if errors.Is(err, engine.ErrUnique) { // somebody else rotated at the same moment
		err = nil
	}
	if err != nil {
		return fmt.Errorf("add key versions: %w", err)
	}
	return k.RewrapSubjects(ctx, tenant)
}

// RewrapSubjects wraps every subject key that is under an older version under the newest, then destroys the older wrapping keys.
// It works in batches; what was done before an interruption stays done.
func (k *Keyring) RewrapSubjects(ctx context.Context, tenant ids.Tenant) error {
	t, err := k.reload(ctx, tenant)
	if err != nil {
		return err
	}
	for {
		n := 0
		err := k.write(ctx, tenant, func(c engine.Conn) error {
			n = 0
			return k.rewrapSome(c, tenant, t, &n)
		})
		if errors.Is(err, errRetired) { // somebody else rotated meanwhile and does the same with a newer key
			return nil
		}
		if err != nil {
			return fmt.Errorf("rewrap subject keys: %w", err)
		}
		if n == 0 {
			break
		}
	}
	if err := k.write(ctx, tenant, func(c engine.Conn) error { return k.retire(c, t.kek.Version()) }); err != nil {
		return fmt.Errorf("retire wrapping keys: %w", err)
	}
	k.Forget(tenant)
	return nil
}

// errRetired says that a wrapping key was destroyed since it was read.
var errRetired = errors.New("the wrapping key was retired")

// useKEK makes sure that a wrapping key exists until the transaction ends: what is wrapped with one that another process
// destroys at the same moment would be lost.
func (k *Keyring) useKEK(c engine.Conn, version uint32) error {
	query := "SELECT 1 FROM tenant_keys WHERE purpose = ? AND version = ?"
	if k.engine.Lanes() > 1 {
		query += " FOR SHARE"
	}
	found := false
	err := c.Query(query, []any{purposeKEK, int64(version)}, func([]any) error { found = true; return nil })
	if err == nil && !found {
		err = errRetired
	}
	return err
}

// retire destroys the wrapping keys before a version unless something is under them. It waits for those who use one, and
// looks only then.
func (k *Keyring) retire(c engine.Conn, before uint32) error {
	if k.engine.Lanes() > 1 {
		err := c.Query("SELECT 1 FROM tenant_keys WHERE purpose = ? AND version < ? FOR UPDATE", []any{purposeKEK, int64(before)},
			func([]any) error { return nil })
		if err != nil {
			return err
		}
	}
	_, err := c.Exec(`DELETE FROM tenant_keys WHERE purpose = ? AND version < ?
		AND NOT EXISTS (SELECT 1 FROM subject_keys WHERE kek < ?)`, purposeKEK, int64(before), int64(before))
	return err
}

func (k *Keyring) rewrapSome(c engine.Conn, tenant ids.Tenant, t *Tenant, n *int) error {
	type old struct {
		subject ids.Subject
		kek     uint32
		wrapped []byte
	}
	if err := k.useKEK(c, t.kek.Version()); err != nil {
		return err
	}
	var some []old
	err := c.Query("SELECT subject, kek, wrapped FROM subject_keys WHERE kek < ? LIMIT ?", []any{int64(t.kek.Version()), int64(rewrapBatch)},
		func(row []any) error {
			o := old{kek: uint32(row[1].(int64)), wrapped: row[2].([]byte)}
			copy(o.subject[:], row[0].([]byte))
			some = append(some, o)
			return nil
		})
	if err != nil {
		return err
	}
	for _, o := range some {
		wrapper := t.keks[o.kek]
		if wrapper == nil {
			return ErrNoKey
		}
		where := subjectPlace(place{tenant, o.subject})
		raw, err := wrapper.Open(o.wrapped, where)
		if err != nil {
			return err
		}
		if _, err := c.Exec("UPDATE subject_keys SET kek = ?, wrapped = ? WHERE subject = ? AND kek = ?",
			int64(t.kek.Version()), t.kek.Seal(nil, raw, where), o.subject[:], int64(o.kek)); err != nil {
			return err
		}
	}
	*n = len(some)
	return nil
}

// RewrapRoot wraps a tenant's keys under the current root key: the second half of a root rotation. The key manager is
// asked outside of any transaction.
func (k *Keyring) RewrapRoot(ctx context.Context, tenant ids.Tenant) error {
	keys, err := k.wrapped(ctx, tenant)
	if err != nil {
		return err
	}
	again := make([][]byte, len(keys))
	for i, w := range keys {
		where := keyPlace(tenant, w.purpose, w.version)
		raw, err := k.root.Unwrap(ctx, w.bytes, where)
		if err != nil {
			return fmt.Errorf("unwrap tenant key: %w", err)
		}
		if again[i], err = k.root.Wrap(ctx, raw, where); err != nil {
			return fmt.Errorf("wrap tenant key: %w", err)
		}
	}
	return k.write(ctx, tenant, func(c engine.Conn) error {
		for i, w := range keys {
			if _, err := c.Exec("UPDATE tenant_keys SET wrapped = ? WHERE purpose = ? AND version = ?", again[i], w.purpose, int64(w.version)); err != nil {
				return fmt.Errorf("store tenant key: %w", err)
			}
		}
		return nil
	})
}

// wrappedKey is a tenant key as it is stored.
type wrappedKey struct {
	purpose string
	version uint32
	bytes   []byte
}

func (k *Keyring) wrapped(ctx context.Context, tenant ids.Tenant) ([]wrappedKey, error) {
	var out []wrappedKey
	err := k.engine.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query("SELECT purpose, version, wrapped FROM tenant_keys", nil, func(row []any) error {
			out = append(out, wrappedKey{row[0].(string), uint32(row[1].(int64)), row[2].([]byte)})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read tenant keys: %w", err)
	}
	return out, nil
}

// RootVersions counts how many of a tenant's keys each version of the root key wraps. Under zero are those of a key
// manager that does not tell.
func (k *Keyring) RootVersions(ctx context.Context, tenant ids.Tenant) (map[uint32]int, error) {
	keys, err := k.wrapped(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := map[uint32]int{}
	for _, w := range keys {
		var version uint32
		if v, ok := k.root.(Versioned); ok {
			version = v.WrappedBy(w.bytes)
		}
		out[version]++
	}
	return out, nil
}
