package app

import (
	"context"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/children"
	"aver/vault"
	"aver/work/contacts"
	"aver/work/inbox"
)

// children is what the look at children must know of those who hold what people say.
func (a *App) children() children.Config {
	return children.Config{Rights: a.Rights, Restriction: a.Restriction, Mail: a.mailer(), Host: a.host,
		Message: func(tx *vault.Tx, contact ids.Contact, conversation string, seq int64) (personal.Text, error) {
			id, err := ids.ParseConversation(conversation)
			if err != nil {
				return personal.Text{}, nil
			}
			l, err := inbox.Messages.Get(tx, contact, id, seq, int64(0))
			if errs.Is(err, errs.NotFound) || err == nil && l.From != inbox.Visitor {
				return personal.Text{}, nil
			}
			return l.Body, err
		},
		Fields: func(tx *vault.Tx, contact ids.Contact) (map[string]any, error) {
			c, err := contacts.Contacts.Get(tx, contact)
			if errs.Is(err, errs.NotFound) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			return c.Values()
		},
		Flag: func(ctx context.Context, tenant ids.Tenant, contact ids.Contact, conversation string, on bool) error {
			id, err := ids.ParseConversation(conversation)
			if err != nil {
				return err
			}
			return a.Inbox.Flag(ctx, tenant, contact, id, "Possibly a child", on)
		}}
}
