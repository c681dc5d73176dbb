package app

import (
	"context"

	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/channels/webchat"
	"aver/work/contacts/fields"
	"aver/work/contacts/minimum"
	"aver/work/inbox"
)

// cleaners are what modules keep of a contact's fields beside the contact.
func cleaners() map[fields.Field]minimum.Cleaner {
	return map[fields.Field]minimum.Cleaner{
		fields.Email: func(tx *vault.Tx, most int, spared ...ids.Subject) (int, error) {
			return inbox.Conversations.Blank(tx, "reply_to", most, spared...)
		},
		fields.Visits: webchat.ForgetVisits,
	}
}

// columns are where the fields of contacts lie, for the catalogue and the papers.
var columns = map[fields.Field][]string{
	fields.Name: {"contacts.name"}, fields.Email: {"contacts.email", "conversations.reply_to"}, fields.Phone: {"contacts.phone"}, fields.Company: {"contacts.company"},
	fields.Language: {"contacts.language"}, fields.Attributes: {"contacts.attributes"}, fields.Seen: {"contacts.seen_at"}, fields.Visits: {"webchat_events.name", "webchat_events.details"},
}

// unprocessed are the columns whose field a workspace has switched off.
func (a *App) unprocessed(ctx context.Context, tenant ids.Tenant) (out []string, err error) {
	all, _, err := a.Minimum.Switches(ctx, identity.System(tenant, "documents"))
	for _, one := range all {
		if one.Off {
			out = append(out, columns[one.Field]...)
		}
	}
	return out, err
}
