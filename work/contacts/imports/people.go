package imports

import (
	"strings"

	"aver/work/contacts"
)

// people are those whom rows of the file are about, by what later rows find them by. It follows contacts.Store, so that a
// trial, which stores nobody, counts as the import will.
type people struct {
	identifiers map[string]bool
	addresses   map[string]map[string]bool // the identifiers of those who have the address, "" for somebody without one
}

func newPeople() people {
	return people{identifiers: map[string]bool{}, addresses: map[string]map[string]bool{}}
}

// note adds whom rows are about; rows that cannot be used are about nobody.
func (p people) note(part ...line) {
	for _, l := range part {
		if l.fault != nil {
			continue
		}
		if l.draft.ExternalID != "" {
			p.identifiers[l.draft.ExternalID] = true
		}
		if l.draft.Email == "" {
			continue
		}
		address := strings.ToLower(l.draft.Email)
		if p.addresses[address] == nil {
			p.addresses[address] = map[string]bool{}
		}
		owners := p.addresses[address]
		if l.draft.ExternalID != "" {
			delete(owners, "") // the row has given them this identifier
		} else if len(owners) > 0 {
			continue // the row found somebody
		}
		owners[l.draft.ExternalID] = true
	}
}

// has tells whether one of those is whom the draft is about. Two with its address are a fault of the row.
func has(d contacts.Draft, all ...people) (bool, error) {
	owners := map[string]bool{}
	for _, p := range all {
		if d.ExternalID != "" && p.identifiers[d.ExternalID] {
			return true, nil
		}
		for owner := range p.addresses[strings.ToLower(d.Email)] {
			if owner == "" || d.ExternalID == "" {
				owners[owner] = true
			}
		}
	}
	if len(owners) > 1 {
		return false, contacts.ErrSeveral
	}
	return len(owners) == 1, nil
}
