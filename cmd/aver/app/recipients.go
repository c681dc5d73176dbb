package app

import (
	"context"

	"aver/base/ids"
	"aver/trust/rights/told"
	"aver/vault"
	"aver/vault/journal"
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
