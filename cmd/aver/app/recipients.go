package app

import (
	"context"
	"time"

	"aver/base/ids"
	"aver/frame/mail"
	"aver/trust/rights"
	"aver/trust/rights/letters"
	"aver/trust/rights/told"
	"aver/vault"
	"aver/vault/journal"
	"aver/work/contacts"
	"aver/work/webhooks"
)

// recipients lets those who must hear of an erasure be told by webhook, of which only the webhooks know.
func (a *App) recipients() told.Webhooks {
	return told.Webhooks{Taken: webhooks.Taken,
		Deliveries: func(tx *vault.Tx, entry journal.Entry, n int) ([]told.Delivery, error) {
			all, err := webhooks.Receivers(tx, entry, n)
			var out []told.Delivery
			for _, r := range all {
				out = append(out, told.Delivery{Webhook: r.Endpoint.String(), Name: r.Name, Message: r.Message.String()})
			}
			return out, err
		},
		Again: func(ctx context.Context, tenant ids.Tenant, webhook, message string) error {
			return a.Webhooks.Insist(ctx, tenant, webhook, message)
		}}
}

// toldOf lists for the rights who was told about a person.
func (a *App) toldOf(ctx context.Context, actor vault.Actor, contact ids.Contact) (out []rights.Told, err error) {
	all, err := a.Told.Of(ctx, actor, contact)
	for _, t := range all {
		out = append(out, rights.Told{Name: t.Name, Via: string(t.Via), Event: t.Event, At: t.ToldAt})
	}
	return out, err
}

// lifting is the letter to a person that the restriction of their data ends.
func (a *App) lifting(tx *vault.Tx, person ids.Contact, workspace vault.Tenant, ends time.Time) (mail.Message, error) {
	c, err := contacts.Contacts.Get(tx, person)
	return letters.Lifting(c.Language, c.Email, workspace.Name, "https://"+a.host()+"/my-data/"+workspace.Slug, ends), err
}
