package identity_test

import (
	"context"
	"sync/atomic"
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/engine"
)

// A doubtful engine makes every write to a tenant's store and then says that the connection was lost.
type doubtful struct {
	engine.Engine
	tenant ids.Tenant
	lost   atomic.Bool
}

func (d *doubtful) Write(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	if err := d.Engine.Write(ctx, tenant, fn); err != nil || tenant != d.tenant || !d.lost.Load() {
		return err
	}
	return engine.ErrAway
}

func (*doubtful) Close() error { return nil } // the kit does it

func TestWhoseInvitationWasPerhapsAcceptedCanSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		link, err := h.identity.Invite(t.Context(), identity.System(h.Tenant, "test"), "ada@kowal.example", vault.Owner)
		must(t, err)
		d := &doubtful{Engine: h.Engine, tenant: h.Tenant}
		v, err := vault.Open(t.Context(), vault.Config{Engine: d, Keys: h.Vault.Keys(), Clock: h.Clock, Tables: moduletest.Config(t, identity.New(nil).Module()).Tables})
		must(t, err)
		d.lost.Store(true)
		if _, err := identity.New(v).Accept(t.Context(), link, "", "Ada Kowal", right); !errs.Is(err, errs.Unavailable) {
			t.Fatalf("got %v", err)
		}
		must(t, v.Close())
		_, err = h.identity.SignInAs(t.Context(), identity.Attempt{Email: "ada@kowal.example", Password: right})
		must(t, err)
	})
}
