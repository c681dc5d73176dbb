package contacts

import (
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/work/contacts/attributes"
	"aver/work/contacts/fields"
	"cmp"
)

// Check brings a draft into the form in which it is stored, or says which fields are not usable.
func Check(d Draft) (Draft, error) { return clean(d) }

// Store puts a checked draft into the contact it is about, or into a new one under a key that was made for it. A contact
// is found by the identifier; by the address only if it has no identifier that says otherwise and the tenant itself
// wrote the address down: what a visitor claims finds nobody. Two contacts with the address are errs.Conflict.
func Store(tx *vault.Tx, d Draft, fresh ids.Contact) (c Contact, created bool, err error) {
	c, err = about(tx, d)
	if err != nil {
		return c, false, err
	}
	if c.ID.IsZero() {
		c, err = insert(tx, fresh, d, false)
		return c, err == nil, err
	}
	if err := apply(tx, &c, d); err != nil {
		return c, false, err
	}
	return c, false, put(tx, c)
}

// Try tells what Store would do, and refuses what it would refuse: exists if it would change somebody rather than make
// somebody.
func Try(tx *vault.Tx, d Draft) (exists bool, err error) {
	off, err := fields.Off(tx)
	if err == nil {
		err = off.Refuse(d.said()...)
	}
	if err != nil {
		return false, err
	}
	if len(d.Attributes) > 0 {
		all, err := attributes.List(tx)
		if err != nil {
			return false, err
		}
		if _, err := attributes.Understand(all, d.Attributes); err != nil {
			return false, err
		}
	}
	c, err := about(tx, d)
	return !c.ID.IsZero(), cmp.Or(err, tx.May(c.ID))
}

// ErrSeveral says that an address does not tell whom a draft is about.
var ErrSeveral = errs.New(errs.Conflict, "Several people have this address.", errs.Field{Field: "email", Code: "ambiguous", Message: "Several people have this address."})

func about(tx *vault.Tx, d Draft) (Contact, error) {
	if d.ExternalID != "" {
		list, err := Contacts.Lookup(tx, "external_id", d.ExternalID)
		if err != nil || len(list) > 0 {
			return first(list), err
		}
	}
	if d.Email == "" {
		return Contact{}, nil
	}
	list, err := Contacts.Lookup(tx, "email", d.Email)
	if err != nil {
		return Contact{}, err
	}
	var ours []Contact
	for _, c := range list {
		claimed := c.Basis == FromWidget && !c.Verified
		another := d.ExternalID != "" && !c.ExternalID.IsZero()
		if !claimed && !another && c.MergedInto.IsZero() {
			ours = append(ours, c)
		}
	}
	if len(ours) > 1 {
		return Contact{}, ErrSeveral
	}
	return first(ours), nil
}

func first(list []Contact) Contact {
	if len(list) == 0 {
		return Contact{}
	}
	return list[0]
}
