package app

import (
	"context"
	"errors"
	"sync/atomic"

	"aver/base/ids"
	"aver/vault/engine"
)

// ErrInterrupted is what happens to writes of the key store after InterruptKeys.
var ErrInterrupted = errors.New("interrupted")

type interrupted struct {
	engine.Engine
	left atomic.Int64
}

func (i *interrupted) Write(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	if i.left.Add(-1) < 0 {
		return ErrInterrupted
	}
	return i.Engine.Write(ctx, tenant, fn)
}

// Host is what the pages say that this installation is reached by.
func (a *App) Host() string { return a.host() }

// Handed is handed.
var Handed = handed

// MakeScratch opens what fixtures break.
var MakeScratch = makeScratch

// Spoil changes a tenant's store behind the vault's back.
func (a *App) Spoil(ctx context.Context, tenant ids.Tenant, query string, args ...any) error {
	return a.stores.data.Write(ctx, tenant, func(c engine.Conn) error {
		_, err := c.Exec(query, args...)
		return err
	})
}

// InterruptKeys lets so many more writes through to the key store in rotations of the root key.
func (a *App) InterruptKeys(after int64) {
	i := &interrupted{Engine: a.stores.keyStore}
	i.left.Store(after)
	a.stores.keyStore = i
}
