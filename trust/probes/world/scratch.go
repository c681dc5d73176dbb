package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/vault"
)

// Scratch is an installation of its own, with nothing of anybody's in it, that fixtures may break. It is opened when the
// first of them needs it.
type Scratch struct {
	Make func(ctx context.Context) (*World, func() error, error)

	mu    sync.Mutex
	world *World
	close func() error
}

// Broken is a fixture that runs a whole probe on the scratch installation, while something there is broken. The probe puts
// right again what others would see.
func (s *Scratch) Broken(name string, probe func(context.Context, *World) (claim.Evidence, error)) claim.Fixture {
	return Fixture(name, func(ctx context.Context) (e claim.Evidence, err error) {
		s.mu.Lock() // one at a time: what one broke another would see
		defer s.mu.Unlock()
		if s.world == nil {
			if s.world, s.close, err = s.Make(context.WithoutCancel(ctx)); err != nil {
				return e, err
			}
		}
		return probe(ctx, s.world)
	})
}

// Close throws the installation away.
func (s *Scratch) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.close == nil {
		return nil
	}
	s.world = nil
	return s.close()
}

// Meddle breaks something about a person in the middle of a probe. Nil breaks nothing.
type Meddle func(ctx context.Context, w *World, p *Person) error

// With does it.
func (m Meddle) With(ctx context.Context, w *World, p *Person) error {
	if m == nil {
		return nil
	}
	return m(ctx, w, p)
}

// Hoard stores what no service would: a file about the person with this content, dated so long ago.
func (w *World) Hoard(ctx context.Context, p *Person, kind, content string, age time.Duration) (vault.Blob, error) {
	b, err := w.Vault.PutBlob(ctx, System(p.Side.Tenant), p.Actor.Subject(), kind, strings.NewReader(content), 1<<20)
	if err != nil {
		return b, fmt.Errorf("store a file: %w", err)
	}
	b.CreatedAt = w.Vault.Now().Add(-age)
	err = w.Vault.Do(ctx, System(p.Side.Tenant), Act, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, b) })
	return b, err
}

// With runs fn while a tenant has a row that no service would store.
func With[T any](ctx context.Context, w *World, tenant ids.Tenant, table *vault.Table[T], row T, key any, fn func() (claim.Evidence, error)) (e claim.Evidence, err error) {
	put := func(tx *vault.Tx) error { return table.Put(tx, row) }
	if err := w.Vault.Do(ctx, System(tenant), Act, put); err != nil {
		return e, err
	}
	defer func() {
		err = errors.Join(err, w.Vault.Do(context.WithoutCancel(ctx), System(tenant), Act, func(tx *vault.Tx) error { return table.Delete(tx, key) }))
	}()
	return fn()
}
