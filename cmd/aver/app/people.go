package app

import (
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/consent"
	"aver/vault"
	"aver/work/contacts"
	"aver/work/inbox"
)

// known are the contacts that have an address or number, as somebody wrote it.
func known(tx *vault.Tx, text string) ([]ids.Contact, error) {
	if strings.Contains(text, "@") {
		return contacts.WithEmail(tx, text)
	}
	d, err := contacts.Check(contacts.Draft{Phone: text})
	if err != nil {
		return nil, nil // no number, or one without its country
	}
	found, err := contacts.Contacts.Lookup(tx, "phone", d.Phone)
	var out []ids.Contact
	for _, c := range found {
		out = append(out, c.ID)
	}
	return out, err
}

// provided tells whether a row is what the person provided, or what was observed with their consent (GDPR Art. 20(1)):
// not what others wrote to them or about them.
func provided(table string, cells []vault.Cell) bool {
	switch table {
	case contacts.Contacts.Name(), consent.States.Name(), consent.Records.Name():
		return true
	case inbox.Messages.Name():
		return says(cells, "sender", string(inbox.Visitor))
	case inbox.Uploads.Name():
		return says(cells, "by_person", true)
	}
	return false
}

func says(cells []vault.Cell, column string, want any) bool {
	for _, c := range cells {
		if c.Column.Name == column {
			return c.Value == want
		}
	}
	return false
}

// handed tells whether the person handed a file in.
func handed(tx *vault.Tx, file ids.Object) (bool, error) {
	f, err := inbox.Uploads.Get(tx, file)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return f.ByPerson, err
}
