package webhooks_test

import (
	"slices"
	"strings"
	"testing"

	"aver/base/ids"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/webhooks"
)

// happens makes news of something about a person, who may have closed something just before.
func (h *house) happens(kind, object string, who ids.Contact, closed ...purpose.Said) {
	h.t.Helper()
	must(h.t, h.Vault.Do(h.t.Context(), vaulttest.System(h.Tenant), actSay, func(tx *vault.Tx) error {
		for _, c := range closed {
			if err := vault.Standings.Put(tx, vault.Standing{Person: who, Kind: c.Kind, Purpose: c.Purpose, Since: tx.Now()}); err != nil {
				return err
			}
		}
		tx.Emit(vault.Event{Kind: kind, Object: object, Subject: who}, nil)
		return nil
	}))
}

func (h *house) somebody() ids.Contact {
	h.t.Helper()
	who, err := h.Vault.NewSubject(h.t.Context(), vaulttest.System(h.Tenant))
	must(h.t, err)
	return who
}

const conversation = "cnv_00000000000000000000000000"

func TestProgramsAreToldNothingOfWhomTheyMayNotProcessButWhatIsOwed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		e, _ := h.endpoint(r, webhooks.Draft{})
		for name, c := range map[string]struct {
			closed purpose.Said
			told   bool // that something was written
			named  bool // and by whom
		}{
			"nothing closed":           {purpose.Said{Kind: purpose.Granted, Purpose: purpose.Support}, true, true},
			"restricted":               {purpose.Said{Kind: purpose.Restrict, Purpose: purpose.All}, false, false},
			"objected to programs":     {purpose.Said{Kind: purpose.Object, Purpose: purpose.All}, false, false},
			"objected to handing on":   {purpose.Said{Kind: purpose.Object, Purpose: purpose.Sync}, false, false},
			"objected to marketing":    {purpose.Said{Kind: purpose.Object, Purpose: purpose.Outreach}, true, true},
			"opted out of sale":        {purpose.Said{Kind: purpose.OptOutSale, Purpose: purpose.All}, true, false},
			"no decisions by programs": {purpose.Said{Kind: purpose.NoAutomatedDecision, Purpose: purpose.All}, true, true},
		} {
			who, thread := h.somebody(), ids.NewConversation(vaulttest.Start).String()
			h.happens("message.created", thread, who, c.closed)
			h.happens("contact.updated", who.String(), who)
			h.happens("contact.restricted", who.String(), who)
			h.collect()
			all := h.messages(e)
			told := func(kind, words string) bool {
				return slices.ContainsFunc(all, func(m webhooks.Message) bool { return m.Event == kind && strings.Contains(m.Body, words) })
			}
			if about, named := told("message.created", thread), told("message.created", who.String()); about != c.told || named != c.named {
				t.Errorf("%s: told %v, named %v", name, about, named)
			}
			if told("contact.updated", who.String()) != c.named {
				t.Errorf("%s: told of a change of the person: %v", name, !c.named)
			}
			if !told("contact.restricted", who.String()) {
				t.Errorf("%s: recipients do not learn of the restriction", name)
			}
		}
	})
}

func TestWhatIsClosedBeforeAMessageGoesOutIsNotSent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		e, _ := h.endpoint(r, webhooks.Draft{})
		closes, stays := h.somebody(), h.somebody()
		h.happens("message.created", conversation, closes)
		h.happens("message.created", conversation, stays)
		h.collect()
		h.happens("contact.restricted", closes.String(), closes, purpose.Said{Kind: purpose.Restrict, Purpose: purpose.All})
		h.collect()
		h.run(e)
		var sent []string
		for _, c := range r.calls() {
			sent = append(sent, c.body)
		}
		if all := strings.Join(sent, "\n"); len(sent) != 2 || !strings.Contains(all, stays.String()) || strings.Count(all, closes.String()) != 2 || !strings.Contains(all, "contact.restricted") {
			t.Errorf("sent %q", sent)
		}
		for _, m := range h.messages(e) {
			if closed := m.Event == "message.created" && strings.Contains(m.Body, closes.String()); closed != (m.Fault == webhooks.Closed) || closed == (m.State == webhooks.Delivered) {
				t.Errorf("%s stands as %s %s", m.Event, m.State, m.Fault)
			}
		}
		if e := h.read(e); e.Failures != 0 {
			t.Errorf("the receiver is blamed %d times", e.Failures)
		}
	})
}
