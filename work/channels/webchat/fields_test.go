package webchat_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"aver/base/eventually"
	"aver/trust/holds"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts/fields"
	"aver/work/inbox"
)

// What a visitor's browser sends of a field that the tenant does not process is dropped, the page is told, and what came
// before the switch is swept by the job, in the modules that keep it beside the contact too.
func TestWhatTheTenantDoesNotProcessIsDroppedAndSwept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		said := object{"user": object{"name": "Rosa", "email": "rosa@mail.example", "phone": "+46812345678", "company": object{"name": "Lindgren AB"}}, "events": []any{object{"name": "viewed"}}}
		before := h.visitor(nil)
		before.does("set", said)
		before.does("send", object{"client_id": uuid.NewString(), "text": "hello", "reply_to_email": "rosa@mail.example"})
		for _, f := range []fields.Field{fields.Name, fields.Email, fields.Phone, fields.Company, fields.Visits} {
			must(t, h.Minimum.Process(t.Context(), h.owner, f, false))
		}
		after := h.visitor(nil)
		if got := asJSON(after.does("set", said)["left_out"]); got != `["events","user.company","user.email","user.name","user.phone"]` {
			t.Errorf("left out %s", got)
		}
		after.does("send", object{"client_id": uuid.NewString(), "text": "hello", "reply_to_email": "rosa@mail.example"})
		eventually.Must(t, "both visitors are without what is switched off", func() bool {
			held := 0
			for _, v := range []*visitor{before, after} {
				p, err := h.Contacts.Person(t.Context(), h.owner, v.id())
				must(t, err)
				for _, text := range []string{p.Contact.Name.Reveal(), p.Contact.Email.Reveal(), p.Contact.Phone.Reveal(), p.Contact.Company.Reveal()} {
					held += len(text)
				}
				for _, e := range p.Events {
					if e.Title == "On the site: viewed" {
						held++
					}
				}
			}
			must(t, h.Vault.View(t.Context(), vaulttest.System(h.tenant), actLook, func(tx *vault.Tx) error {
				all, err := inbox.Conversations.Find(tx, "ORDER BY id")
				if len(all) != 2 {
					t.Errorf("%d conversations", len(all))
				}
				for _, c := range all {
					held += len(c.ReplyTo.Reveal())
				}
				return err
			}))
			return held == 0
		})
	})
}

// A hold keeps what modules have of a field beside the contact too, until it ends.
func TestOfWhomALegalHoldCoversASwitchedOffFieldStaysUntilItEnds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		come := func() *visitor {
			v := h.visitor(nil)
			v.does("set", object{"user": object{"email": "rosa@mail.example"}, "events": []any{object{"name": "viewed"}}})
			v.does("send", object{"client_id": uuid.NewString(), "text": "hello", "reply_to_email": "rosa@mail.example"})
			return v
		}
		held, other := come(), come()
		hold, err := h.Holds.Place(t.Context(), h.owner, holds.Draft{Contact: held.id(), Ground: holds.LegalClaims, Reason: "a claim", ReviewAt: time.Now().AddDate(1, 0, 0)})
		must(t, err)
		for _, f := range []fields.Field{fields.Email, fields.Visits} {
			must(t, h.Minimum.Process(t.Context(), h.owner, f, false))
		}
		must(t, h.Minimum.Sweep(t.Context(), h.tenant)) // twice: both passes
		must(t, h.Minimum.Sweep(t.Context(), h.tenant))
		if of, rest := h.keeps(t, held), h.keeps(t, other); of != 3 || rest != 0 {
			t.Errorf("while somebody is held %d values are kept of them and %d of others", of, rest)
		}
		_, err = h.Holds.Release(t.Context(), h.owner, hold.ID)
		must(t, err)
		must(t, h.Minimum.Sweep(t.Context(), h.tenant))
		if of := h.keeps(t, held); of != 0 {
			t.Errorf("after the hold %d values are kept", of)
		}
	})
}

// keeps counts where there is still an address of a visitor, or something they did on the site.
func (h *house) keeps(t *testing.T, of *visitor) (n int) {
	t.Helper()
	p, err := h.Contacts.Person(t.Context(), h.owner, of.id())
	must(t, err)
	if !p.Contact.Email.IsZero() {
		n++
	}
	for _, e := range p.Events {
		if e.Title == "On the site: viewed" {
			n++
		}
	}
	must(t, h.Vault.View(t.Context(), vaulttest.System(h.tenant), actLook, func(tx *vault.Tx) error {
		all, err := inbox.Conversations.Find(tx, "contact = ?", of.id())
		for _, c := range all {
			if !c.ReplyTo.IsZero() {
				n++
			}
		}
		return err
	}))
	return n
}

var actLook = vault.Act("test.look", purpose.Storage, vault.System())
