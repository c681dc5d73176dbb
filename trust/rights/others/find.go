package others

import (
	"slices"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
)

// Register is what the tenant knows of people; work/contacts keeps it.
type Register struct {
	Known func(tx *vault.Tx, text string) ([]ids.Contact, error)   // who has this address or number, as somebody wrote it
	Show  func(tx *vault.Tx, contact ids.Contact) (Someone, error) // errs.NotFound when there is none
}

// Find looks which other people are spoken of in what is kept about some: who works for the tenant, and whoever else is
// known by an address or number that stands in the texts.
func Find(tx *vault.Tx, v *vault.Vault, people []ids.Contact, reg Register) (*Redactor, error) {
	var seen Finder
	for _, table := range v.Tables() {
		if !slices.ContainsFunc(table.Columns(), Free) {
			continue
		}
		for _, person := range people {
			err := v.EachRow(tx, table, person, func(cells []vault.Cell) error {
				seen.cells(cells)
				return tx.Context().Err()
			})
			if err != nil {
				return nil, err
			}
		}
	}
	r, err := seen.Redactor(func(text string) ([]Someone, bool, error) { return reg.whose(tx, people, text) })
	if err != nil {
		return nil, err
	}
	staff, err := identity.Names(tx)
	for _, name := range staff {
		r.Hide(name.Reveal())
	}
	for _, person := range people {
		own, err := reg.Show(tx, person)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return nil, err
		}
		r.Spare(append(strings.Fields(own.Name.Reveal()), own.Name.Reveal(), own.Email.Reveal(), own.Phone.Reveal(), own.ID.Reveal())...)
	}
	return r, err
}

// Free tells whether a column holds what somebody wrote as they liked: others may be named there.
func Free(c vault.Column) bool {
	return c.Class == "personal" && (c.Category == "user" || strings.HasPrefix(c.Category, "user.content"))
}

func (f *Finder) cells(cells []vault.Cell) {
	for _, c := range cells {
		if !Free(c.Column) {
			continue
		}
		switch v := c.Value.(type) {
		case string:
			f.See(v)
		case []byte:
			f.See(string(v))
		}
	}
}

// whose finds whoever is known by an address or number and is none of those whose copy it is.
func (reg Register) whose(tx *vault.Tx, people []ids.Contact, text string) (found []Someone, mine bool, err error) {
	known, err := reg.Known(tx, text)
	if err != nil {
		return nil, false, err
	}
	for _, who := range known {
		if slices.Contains(people, who) {
			return nil, true, nil
		}
		one, err := reg.Show(tx, who)
		if errs.Is(err, errs.NotFound) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		found = append(found, one)
	}
	return found, false, nil
}
