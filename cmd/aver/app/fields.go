package app

import (
	"aver/vault"
	"aver/work/channels/webchat"
	"aver/work/contacts/fields"
	"aver/work/contacts/minimum"
	"aver/work/inbox"
)

// cleaners are what modules keep of a contact's fields beside the contact.
func cleaners() map[fields.Field]minimum.Cleaner {
	return map[fields.Field]minimum.Cleaner{
		fields.Email:  func(tx *vault.Tx, most int) (int, error) { return inbox.Conversations.Blank(tx, "reply_to", most) },
		fields.Visits: webchat.ForgetVisits,
	}
}
