package webhooks

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
)

// actTell is telling programs about people: it is for the purpose sync, which people may close.
var actTell = vault.Act("webhook.tell", purpose.Sync, vault.System())

// owed are the events that must be told whatever somebody has closed: that they closed it, and what was corrected or
// erased (GDPR Art. 19; 11 CCR § 7026(f)(2)), and how requests stand that the tenant must answer.
var owed = []string{"contact.consent.changed", "contact.erased", "contact.objected", "contact.objection_lifted", "contact.opted_in", "contact.opted_out",
	"contact.rectified", "contact.restricted", "contact.unrestricted", "child.dismissed", "child.erased", "child.suspected"}

func isOwed(kind string) bool {
	return slices.Contains(owed, kind) || strings.HasPrefix(kind, "dsr.") || strings.HasPrefix(kind, "privacy_request.")
}

// word is what somebody has said about being told of.
type word struct {
	closed   bool // nothing is told
	optedOut bool // what is told does not name them
}

// hear reads what people have said, in one transaction.
func (s *Service) hear(ctx context.Context, tenant ids.Tenant, people []ids.Contact) (map[ids.Contact]word, error) {
	said := map[ids.Contact]word{}
	if len(people) == 0 {
		return said, nil
	}
	err := s.vault.View(ctx, identity.System(tenant, "webhooks"), actTell, func(tx *vault.Tx) error {
		clear(said)
		for _, who := range people {
			err := tx.May(who)
			closed := errs.Is(err, errs.Restricted) || errs.Is(err, errs.ConsentRequired)
			if err != nil && !closed {
				return err
			}
			limits, err := restriction.Of(tx, who)
			if err != nil {
				return err
			}
			said[who] = word{closed, slices.ContainsFunc(limits, func(l restriction.Limit) bool { return l.Kind == restriction.OptOutSale })}
		}
		return nil
	})
	return said, err
}

// concerned are the people whom events are about that are not owed.
func concerned(entries []journal.Entry) []ids.Contact {
	var out []ids.Contact
	for _, e := range entries {
		for _, ev := range e.Events {
			if !ev.Subject.IsZero() && slices.Contains(Types, ev.Kind) && !isOwed(ev.Kind) && !slices.Contains(out, ev.Subject) {
				out = append(out, ev.Subject)
			}
		}
	}
	return out
}

// tellable is an event as it may be told: nothing about people who have closed that, and of those who opted out of sale
// and sharing nothing that names them.
func tellable(ev journal.Event, said map[ids.Contact]word) (journal.Event, bool) {
	switch who := said[ev.Subject]; {
	case isOwed(ev.Kind):
		return ev, true
	case who.closed, who.optedOut && ev.Object == ev.Subject.String():
		return ev, false
	case who.optedOut:
		ev.Subject = ids.Contact{}
	}
	return ev, true
}

// stillOpen tells whether a message that was written earlier may still go out.
func (s *Service) stillOpen(ctx context.Context, tenant ids.Tenant, m Message) (bool, error) {
	var body thin
	if err := json.Unmarshal([]byte(m.Body), &body); err != nil {
		return false, err
	}
	if body.Data.Contact.IsZero() || isOwed(m.Event) {
		return true, nil
	}
	said, err := s.hear(ctx, tenant, []ids.Contact{body.Data.Contact})
	who := said[body.Data.Contact]
	return !who.closed && !who.optedOut, err
}
