package app

import (
	"context"

	"aver/base/ids"
	"aver/frame/live"
	"aver/trust/closing"
	"aver/vault"
	"aver/vault/keyring"
)

func (a *App) closingConfig() closing.Config {
	c := closing.Config{Audit: a.Audit, Host: a.host, Data: a.Config.Data, Closed: a.tenantClosed, Copies: a.Backups.Renew, Log: a.Log}
	c.Trust = func(ctx context.Context) (bool, error) { return a.Retention.TrustClock(ctx, ids.Installation) }
	if mailer := a.mailer(); mailer != nil {
		c.Mailer = mailer
	}
	if a.stores != nil && a.stores.pages != nil {
		c.Keys = func(tenant ids.Tenant) error { return a.stores.pages.Destroy(tenant) }
	}
	return c
}

// tenantClosed tells every process of the installation that a workspace was closed.
func (a *App) tenantClosed(tenant ids.Tenant) {
	a.cutTenant(tenant)
	if a.stores.sharedKeys == nil {
		return
	}
	if err := (notices{a.stores.sharedKeys, keyring.Erased}).Notify(a.ctx, tenant.String()+" "); err != nil {
		a.Log.Warn("tell other processes that a workspace was closed: they find out within seconds", "error", err)
	}
}

// cutTenant forgets what is known of a workspace and closes every socket of it.
func (a *App) cutTenant(tenant ids.Tenant) {
	a.stores.keys.Forget(tenant)
	a.Vault.Settle(a.Vault.Region())
	a.Hub.Kick(func(who live.Who) bool {
		actor, ok := who.(vault.Actor)
		return ok && actor.Tenant() == tenant
	}, live.CloseRevoked)
}
