package app

import (
	"aver/base/ids"
	"aver/frame/live"
	"aver/trust/closing"
	"aver/vault"
)

func (a *App) closingConfig() closing.Config {
	c := closing.Config{Audit: a.Audit, Host: a.host, Data: a.Config.Data, Closed: a.cutTenant, Copies: a.Backups.Renew, Log: a.Log}
	if mailer := a.mailer(); mailer != nil {
		c.Mailer = mailer
	}
	if a.stores != nil && a.stores.pages != nil {
		c.Keys = func(tenant ids.Tenant) error { return a.stores.pages.Destroy(tenant) }
	}
	return c
}

// cutTenant closes every socket of a workspace that was closed. Those of other processes find out when they next ask.
func (a *App) cutTenant(tenant ids.Tenant) {
	if a.Hub == nil {
		return
	}
	a.Hub.Kick(func(who live.Who) bool {
		actor, ok := who.(vault.Actor)
		return ok && actor.Tenant() == tenant
	}, live.CloseRevoked)
}
