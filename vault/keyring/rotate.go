package keyring

import (
	"context"
	"errors"
	"fmt"

	"aver/base/aead"
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
		if err != nil {
			return fmt.Errorf("rewrap subject keys: %w", err)
		}
		if n == 0 {
			break
		}
	}
	err = k.write(ctx, tenant, func(c engine.Conn) error {
		_, err := c.Exec(`DELETE FROM tenant_keys WHERE purpose = ? AND version < ?
			AND NOT EXISTS (SELECT 1 FROM subject_keys WHERE kek < ?)`, purposeKEK, int64(t.kek.Version()), int64(t.kek.Version()))
		return err
	})
	if err != nil {
		return fmt.Errorf("retire wrapping keys: %w", err)
	}
	k.Forget(tenant)
	return nil
}

func (k *Keyring) rewrapSome(c engine.Conn, tenant ids.Tenant, t *Tenant, n *int) error {
	type old struct {
		subject ids.Subject
		kek     uint32
		wrapped []byte
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
		if _, err := c.Exec("UPDATE subject_keys SET kek = ?, wrapped = ? WHERE subject = ?",
			int64(t.kek.Version()), t.kek.Seal(nil, raw, where), o.subject[:]); err != nil {
			return err
		}
	}
	*n = len(some)
	return nil
}

// RewrapRoot wraps a tenant's keys under the current root key: the second half of a root rotation.
func (k *Keyring) RewrapRoot(ctx context.Context, tenant ids.Tenant) error {
	return k.write(ctx, tenant, func(c engine.Conn) error {
		var keys []Version
		var wrapped [][]byte
		err := c.Query("SELECT purpose, version, wrapped FROM tenant_keys", nil, func(row []any) error {
			keys = append(keys, Version{Purpose: row[0].(string), Version: uint32(row[1].(int64))})
			wrapped = append(wrapped, row[2].([]byte))
			return nil
		})
		if err != nil {
			return err
		}
		for i, v := range keys {
			where := keyPlace(tenant, v.Purpose, v.Version)
			raw, err := k.root.Unwrap(ctx, wrapped[i], where)
			if err != nil {
				return fmt.Errorf("unwrap tenant key: %w", err)
			}
			again, err := k.root.Wrap(ctx, raw, where)
			if err != nil {
				return fmt.Errorf("wrap tenant key: %w", err)
			}
			if _, err := c.Exec("UPDATE tenant_keys SET wrapped = ? WHERE purpose = ? AND version = ?", again, v.Purpose, int64(v.Version)); err != nil {
				return err
			}
		}
		return nil
	})
}

// RootVersions lists which root key versions still wrap something of the tenant's, so that an old one is dropped only when unused.
func (k *Keyring) RootVersions(ctx context.Context, tenant ids.Tenant) (map[uint32]int, error) {
	out := map[uint32]int{}
	err := k.engine.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query("SELECT wrapped FROM tenant_keys", nil, func(row []any) error {
			version, err := aead.Version(row[0].([]byte))
			out[version]++
			return err
		})
	})
	return out, err
}
