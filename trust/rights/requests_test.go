package rights_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/frame/module/moduletest"
	"aver/trust/rights"
	"aver/trust/rights/record"
	"aver/trust/rights/settings"
	"aver/trust/rights/state"
	"aver/vault"
	"aver/vault/vaulttest"
)

const officer = "privacy@acme.example"

// letter waits for one to this address.
func (w *world) letter(t *testing.T, to string) mail.Message {
	t.Helper()
	for {
		select {
		case m := <-w.post.sent:
			if m.To.Reveal() == to {
				return m
			}
		case <-time.After(time.Minute):
			t.Fatalf("no letter came to %s", to)
		}
	}
}

// staffed lets an officer be told of requests.
func (w *world) staffed(t *testing.T) {
	t.Helper()
	must(t, w.rights.SetSettings(t.Context(), w.owner, settings.Privacy{Place: "eu", Regime: deadline.GDPR, Mail: officer}))
}

// ask asks on the public page.
func (w *world) ask(t *testing.T, wish rights.Wish) rights.Ticket {
	t.Helper()
	ticket, err := w.rights.Ask(t.Context(), w.Tenant, wish)
	must(t, err)
	return ticket
}

// request reads a request as the owner sees it.
func (w *world) request(t *testing.T, id rights.RequestID) rights.Request {
	t.Helper()
	r, err := w.rights.Read(t.Context(), w.owner, id)
	must(t, err)
	return r
}

// passed waits for the request that was passed on.
func (w *world) passed(t *testing.T) (found rights.Request) {
	t.Helper()
	eventually.Must(t, "the request that is passed on", func() bool {
		must(t, w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
			all, err := rights.Requests.Find(tx, "passed = ? ORDER BY asked_at DESC LIMIT 1", true)
			if len(all) > 0 {
				found = all[0]
			}
			return err
		}))
		return !found.ID.IsZero()
	})
	return found
}

// events counts what of a kind happens from now on.
func (w *world) events(kind string) *atomic.Int64 {
	var n atomic.Int64
	w.Vault.OnCommit(func(c vault.Committed) {
		for _, e := range c.Entries {
			for _, ev := range e.Events {
				if ev.Kind == kind {
					n.Add(1)
				}
			}
		}
	})
	return &n
}

func TestARequestAboutSomebodyUnknownIsPassedToTheTenantAndTrackedUntilItIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.staffed(t)
		told := w.events("privacy_request.passed")
		ticket := w.ask(t, rights.Wish{Kind: state.Erasure, Email: "unknown@example.net", Text: "I bought a bicycle in your shop", Language: "de"})
		if m := w.letter(t, officer); strings.Contains(m.Text, "unknown@") || strings.Contains(m.Text, "bicycle") || !strings.Contains(m.Text, "/privacy/requests/req_") {
			t.Errorf("the officer is told %q", m.Text)
		}
		task := w.passed(t)
		seen, err := w.rights.Held(t.Context(), w.Tenant, ticket)
		must(t, err)
		if seen.State != state.Verifying || task.State != state.Open || !task.Contact.IsZero() || task.Asker.IsZero() || told.Load() != 1 {
			t.Errorf("the browser sees %s; the task is %+v; %d events", seen.State, task, told.Load())
		}
		typed, err := w.rights.TypedWith(t.Context(), w.owner, task)
		must(t, err)
		if typed.Address.Reveal() != "unknown@example.net" || typed.Text.Reveal() != "I bought a bicycle in your shop" {
			t.Errorf("what was typed is %+v", typed)
		}
		done, err := w.rights.Fulfil(t.Context(), w.owner, task.ID, rights.Decision{Words: "Wir haben Ihre Rechnung gelöscht."})
		must(t, err)
		if m := w.letter(t, "unknown@example.net"); !strings.Contains(m.Text, "Rechnung") || !strings.Contains(m.Text, "Das ist geschehen") {
			t.Errorf("the person is told %q", m.Text)
		}
		if done.State != state.Fulfilled || done.DecidedBy != w.owner.User() || done.Policy != "" {
			t.Errorf("it was decided by %v, %q", done.DecidedBy, done.Policy)
		}
		w.Clock.Advance(31 * 24 * time.Hour)
		must(t, w.rights.Due(t.Context()))
		if has, err := w.Vault.HasKey(t.Context(), w.owner, task.Asker); err != nil || has {
			t.Errorf("what was typed can still be opened a month after the answer: %v", err)
		}
		if left := w.request(t, task.ID); !left.Asker.IsZero() || left.State != state.Fulfilled {
			t.Errorf("what is left: %+v", left)
		}
	})
}

func TestThreeRequestsADayUnderOneUnknownAddressArePassedOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 5 {
			w.ask(t, rights.Wish{Kind: state.Access, Email: "unknown@example.net"})
		}
		w.ask(t, rights.Wish{Kind: state.Access, Email: "other@example.net"})
		var n int
		eventually.Must(t, "all to be looked at", func() bool {
			waiting := 0
			must(t, w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) (err error) {
				if n, err = rights.Requests.Count(tx, "passed = ?", true); err != nil {
					return err
				}
				waiting, err = rights.Requests.Count(tx, "state = 'verifying' AND asker IS NOT NULL")
				return err
			}))
			return waiting == 0
		})
		if n != 4 {
			t.Errorf("%d requests were passed on, want 3 and 1", n)
		}
	})
}

func TestNoOfficersMailboxIsFloodedByStrangers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.staffed(t)
		passed := w.events("privacy_request.passed")
		for n := range 25 {
			w.ask(t, rights.Wish{Kind: state.Access, Email: fmt.Sprintf("somebody%d@example.net", n)})
		}
		eventually.Must(t, "all to be passed on", func() bool { return passed.Load() == 25 })
		w.allWritten(t)
		if n := len(w.post.sent); n != 20 {
			t.Errorf("%d letters in a day about people whom nobody knows", n)
		}
	})
}

func TestALookAlikeAddressIsNobodys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada.kowal@example.org")}, "words")
		for _, typed := range []string{
			"аda.kowal@example.org",        // a Cyrillic а
			"ada.kowal@exаmple.org",        // in the domain
			"ada.kowаl@xn--exmple-4nf.org", // the same in the domain's other spelling
			"adakowal@example.org", "ada.kowal+shop@example.org", "ada.kowal@example.org.evil.example",
			"ada․kowal@example.org", // a one dot leader
			"ａda.kowal@example.org", "ada.kowal@example.org\u200b", "ada.kowaı@example.org",
		} {
			ticket := w.ask(t, rights.Wish{Kind: state.Erasure, Email: typed})
			if r := w.request(t, ticket.Request); !r.Contact.IsZero() || len(r.People) != 0 {
				t.Errorf("%q speaks for somebody", typed)
			}
		}
		w.ask(t, rights.Wish{Kind: state.Access, Email: " ADA.Kowal@Example.ORG"})
		if m := w.letter(t, "ada.kowal@example.org"); digits.FindString(m.Text) == "" {
			t.Errorf("no code in %q", m.Text)
		}
		w.keys(t, map[string]bool{"ada": true}, map[string]ids.Contact{"ada": ada})
	})
}

func TestADenialNamesAGroundAndWhoDecidedAndWhereToComplain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		id, err := w.rights.Start(t.Context(), w.owner, rights.Wish{Kind: state.Rectification, Text: "my name is Ada"}, ada)
		must(t, err)
		for name, d := range map[string]rights.Decision{"no ground": {}, "a ground that does not fit": {Reason: state.Exempt}, "other, without why": {Reason: state.Other}} {
			if _, err := w.rights.Deny(t.Context(), w.owner, id, d); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.rights.Deny(t.Context(), vaulttest.User(w.Tenant, vault.Operator), id, rights.Decision{Reason: state.Excessive}); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
		r, err := w.rights.Deny(t.Context(), w.owner, id, rights.Decision{Reason: state.Excessive, Words: "The fifth time this week."})
		must(t, err)
		m := w.letter(t, "ada@example.org")
		for _, want := range []string{"Art. 12(5)", "Art. 77", "The fifth time this week."} {
			if !strings.Contains(m.Text, want) {
				t.Errorf("the letter lacks %q: %s", want, m.Text)
			}
		}
		if r.DecidedBy != w.owner.User() || r.Reason != state.Excessive {
			t.Errorf("got %+v", r)
		}
		for name, again := range map[string]func() error{
			"denied again": func() error {
				_, err := w.rights.Deny(t.Context(), w.owner, id, rights.Decision{Reason: state.NoMatch})
				return err
			},
			"fulfilled after it was denied": func() error {
				_, err := w.rights.Fulfil(t.Context(), w.owner, id, rights.Decision{})
				return err
			},
			"extended": func() error {
				_, err := w.rights.Extend(t.Context(), w.owner, id, rights.Decision{Delay: state.Many})
				return err
			},
		} {
			if err := again(); !errs.Is(err, errs.Conflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestTimeIsExtendedOnlyOnceThePersonIsToldWithinTheFirstMonth(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		asks := func(email string) rights.RequestID {
			who := w.add(t, w.Tenant, person{Email: personal.Of(email)}, "words")
			id, err := w.rights.Start(t.Context(), w.owner, rights.Wish{Kind: state.Rectification, Text: "my name"}, who)
			must(t, err)
			return id
		}
		id, late, mute := asks("ada@example.org"), asks("bob@example.org"), asks("")
		before := w.request(t, id)
		if _, err := w.rights.Extend(t.Context(), w.owner, id, rights.Decision{}); !errs.Is(err, errs.Invalid) {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := w.rights.Extend(t.Context(), w.owner, mute, rights.Decision{Delay: state.Many}); !errs.Is(err, errs.Conflict) {
			t.Errorf("somebody who cannot be told: %v", err)
		}
		_, err := w.rights.Extend(t.Context(), w.owner, id, rights.Decision{Delay: state.Complex, Words: "There are many files."})
		must(t, err)
		if m := w.letter(t, "ada@example.org"); !strings.Contains(m.Text, "complex") || !strings.Contains(m.Text, "There are many files.") {
			t.Errorf("the letter says %q", m.Text)
		}
		var after rights.Request
		eventually.Must(t, "the extension", func() bool { after = w.request(t, id); return !after.ExtendedAt.IsZero() })
		law, err := deadline.Of(deadline.GDPR, before.AskedAt)
		must(t, err)
		want := law.Due(before.AskedAt, deadline.PlaceOf("eu"), 0).Extended
		if !after.LegalAt.Equal(want) || !after.DueAt.Equal(want) || !after.AlarmAt.After(before.AlarmAt) || !before.LegalAt.Before(want) {
			t.Errorf("extended from %s to %s, want %s", before.LegalAt, after.LegalAt, want)
		}
		w.Clock.Advance(40 * 24 * time.Hour)
		if _, err := w.rights.Extend(t.Context(), w.owner, late, rights.Decision{Delay: state.Many}); !errs.Is(err, errs.Conflict) {
			t.Errorf("after the first month: %v", err)
		}
	})
}

func TestAnAlarmGoesOffOnceWhenFourFifthsOfTheTimeHavePassed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.staffed(t)
		rung := w.events("privacy_request.due_soon")
		ada := w.add(t, w.Tenant, person{}, "words")
		id, err := w.rights.Start(t.Context(), w.owner, rights.Wish{Kind: state.Rectification, Text: "my name"}, ada)
		must(t, err)
		r := w.request(t, id)
		w.Clock.Advance(r.AlarmAt.Sub(w.Vault.Now()) - time.Minute)
		must(t, w.rights.Due(t.Context()))
		if rung.Load() != 0 || w.request(t, id).Late(w.Vault.Now()) {
			t.Fatal("it went off too early")
		}
		w.Clock.Advance(2 * time.Minute)
		for range 3 {
			must(t, w.rights.Due(t.Context()))
		}
		if m := w.letter(t, officer); rung.Load() != 1 || !strings.Contains(m.Subject, "due soon") {
			t.Errorf("%d events, and a letter %q", rung.Load(), m.Subject)
		}
		w.Clock.Advance(3 * 24 * time.Hour)
		if !w.request(t, id).Late(w.Vault.Now()) {
			t.Error("after a week it is not late")
		}
	})
}

func TestManyRequestsThatWaitKeepNoOtherFromItsAlarm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		now := w.Clock.Now()
		must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) (err error) {
			for n := range 100 {
				err = errors.Join(err, rights.Requests.Add(tx, rights.Request{ID: record.NewID(now), Kind: state.Access, State: state.Open, Via: record.Portal, Passed: true,
					AskedAt: now.Add(time.Duration(n) * time.Second), DueAt: now, LegalAt: now, AlarmAt: now, AlarmedAt: now}))
			}
			return err
		}))
		w.Clock.Advance(time.Hour)
		rung := w.events("privacy_request.due_soon")
		id, err := w.rights.Start(t.Context(), w.owner, rights.Wish{Kind: state.Rectification, Text: "my name"}, w.add(t, w.Tenant, person{}, "words"))
		must(t, err)
		w.Clock.Advance(w.request(t, id).AlarmAt.Sub(w.Vault.Now()) + time.Minute)
		must(t, w.rights.Due(t.Context()))
		eventually.Must(t, "the alarm", func() bool { return rung.Load() == 1 })
	})
}

func TestWhoProvesAnAddressClosesWhatTheirDataIsUsedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for kind, want := range map[state.Kind]string{state.Restriction: "restrict", state.Objection: "object", state.NoAutomation: "no_automated_decision"} {
			who := w.add(t, w.Tenant, person{Email: personal.Of(want + "@example.org")}, "words")
			ticket := w.ask(t, rights.Wish{Kind: kind, Email: want + "@example.org"})
			_, err := w.rights.Prove(t.Context(), w.Tenant, ticket, digits.FindString(w.letter(t, want+"@example.org").Text))
			must(t, err)
			set, _ := limits.Load(who)
			if r := w.request(t, ticket.Request); set != want || r.State != state.Fulfilled || r.Policy != state.OwnRequest {
				t.Errorf("%s: %v is set, and the request is %s by %q", kind, set, r.State, r.Policy)
			}
		}
	})
}

func TestOptingOutTakesNoProofAndLooksTheSameForSomebodyUnknown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		known := w.ask(t, rights.Wish{Kind: state.OptOut, Regime: deadline.CCPA, Email: "ada@example.org"})
		unknown := w.ask(t, rights.Wish{Kind: state.OptOut, Regime: deadline.CCPA, Email: "unknown@example.net"})
		for _, ticket := range []rights.Ticket{known, unknown} {
			eventually.Must(t, "the request to be done", func() bool { return w.request(t, ticket.Request).State == state.Fulfilled })
		}
		if set, _ := limits.Load(who); set != "opt_out_sale" {
			t.Errorf("what is set: %v", set)
		}
		if task := w.passed(t); task.Kind != state.OptOut || task.State != state.Open {
			t.Errorf("passed on: %+v", task)
		}
		if m := w.letter(t, "ada@example.org"); digits.FindString(m.Text) != "" || !strings.Contains(m.Text, "sell or share") {
			t.Errorf("the letter says %q", m.Text)
		}
	})
}

func TestNobodysMailboxIsFloodedByRequestsThatTakeNoProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		for range 8 {
			ticket := w.ask(t, rights.Wish{Kind: state.OptOut, Regime: deadline.CCPA, Email: "ada@example.org"})
			eventually.Must(t, "the request to be done", func() bool { return w.request(t, ticket.Request).State == state.Fulfilled })
		}
		w.add(t, w.Tenant, person{Email: personal.Of("last@example.org")})
		w.ask(t, rights.Wish{Kind: state.OptOut, Regime: deadline.CCPA, Email: "last@example.org"})
		sent := map[string]int{}
		for sent["ada@example.org"] < 5 || sent["last@example.org"] == 0 { // the last comes after all others, or nearly
			m := <-w.post.sent
			sent[m.To.Reveal()]++
		}
		if n := sent["ada@example.org"] + len(w.post.sent); n != 5 {
			t.Errorf("%d letters were sent in a day to somebody who asked for none", n)
		}
	})
}

func TestACorrectionWaitsForSomebodyAndItsWordsArePartOfThePersonsCopy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.staffed(t)
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		ticket := w.ask(t, rights.Wish{Kind: state.Rectification, Email: "ada@example.org", Text: "I am called Adah"})
		own := w.request(t, ticket.Request).Asker
		_, err := w.rights.Prove(t.Context(), w.Tenant, ticket, digits.FindString(w.letter(t, "ada@example.org").Text))
		must(t, err)
		w.letter(t, officer)
		r := w.request(t, ticket.Request)
		if r.State != state.Open || r.Asker != ada {
			t.Errorf("got %s, sealed for %s", r.State, r.Asker)
		}
		if has, err := w.Vault.HasKey(t.Context(), w.owner, own); err != nil || has {
			t.Errorf("the key from before the proof: %v, %v", has, err)
		}
		id, err := w.rights.StartCopy(t.Context(), w.owner, ada)
		must(t, err)
		eventually.Must(t, "the copy", func() bool { return w.request(t, id).State == state.Fulfilled })
		content, _, err := w.rights.Collect(t.Context(), w.owner, id)
		must(t, err)
		if data := moduletest.Unzip(t, read(t, content))["data.jsonl"]; !strings.Contains(data, "I am called Adah") {
			t.Error("the copy lacks what was typed with the request")
		}
	})
}

func TestTheLawOfThePersonDecidesWhatARequestIsCalledAndWhenItIsDue(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		europe := w.request(t, w.ask(t, rights.Wish{Kind: state.Delete, Regime: deadline.GDPR, Email: "ada@example.org"}).Request)
		us := w.request(t, w.ask(t, rights.Wish{Kind: state.Access, Regime: deadline.CCPA, Email: "ada@example.org"}).Request)
		if europe.Kind != state.Erasure || !europe.ConfirmBy.IsZero() || europe.LegalAt.Sub(europe.AskedAt) > 34*24*time.Hour {
			t.Errorf("in Europe: %+v", europe)
		}
		if us.Kind != state.Know || us.ConfirmBy.IsZero() || us.LegalAt.Sub(us.AskedAt) < 44*24*time.Hour || !us.DueAt.Equal(europe.DueAt) {
			t.Errorf("in California: %+v", us)
		}
		eventually.Must(t, "the confirmation, which the letter with the code is", func() bool { return !w.request(t, us.ID).ConfirmedAt.IsZero() })
		if _, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Regime: "of the sea", Email: "ada@example.org"}); !errs.Is(err, errs.Invalid) {
			t.Errorf("a law that nobody knows: %v", err)
		}
		if _, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: "everything", Email: "ada@example.org"}); !errs.Is(err, errs.Invalid) {
			t.Errorf("a wish that nobody knows: %v", err)
		}
	})
}

func TestARequestIsTakenBackByTheBrowserThatMadeItWhileNothingWasDone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		ticket := w.ask(t, rights.Wish{Kind: state.Erasure, Email: "ada@example.org"})
		code := w.post.code(t)
		if err := w.rights.Revoke(t.Context(), w.Tenant, rights.Ticket{Request: ticket.Request, Session: "forged"}); !errs.Is(err, errs.NotFound) {
			t.Errorf("another browser: %v", err)
		}
		_, err := w.rights.Prove(t.Context(), w.Tenant, ticket, code)
		must(t, err)
		must(t, w.rights.Revoke(t.Context(), w.Tenant, ticket))
		if _, err := w.rights.Confirm(t.Context(), w.Tenant, ticket); !errs.Is(err, errs.Conflict) {
			t.Errorf("confirmed after it was taken back: %v", err)
		}
		if err := w.rights.Revoke(t.Context(), w.Tenant, ticket); !errs.Is(err, errs.Conflict) {
			t.Errorf("taken back twice: %v", err)
		}
		w.keys(t, map[string]bool{"ada": true}, map[string]ids.Contact{"ada": ada})
		must(t, w.rights.Due(t.Context()))
		if r := w.request(t, ticket.Request); r.State != state.Revoked || !r.Asker.IsZero() {
			t.Errorf("left: %+v", r)
		}
	})
}

func TestACopyThatIsOvertakenByAnErasureIsDeniedAndGivesNothing(t *testing.T) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) {
		w := idle(t, k)
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		id, err := w.rights.StartCopy(t.Context(), w.owner, ada)
		must(t, err)
		_, err = w.rights.Erase(t.Context(), w.owner, ada, "test")
		must(t, err)
		if _, err := w.rights.StartCopy(t.Context(), w.owner, ada); !errs.Is(err, errs.NotFound) {
			t.Errorf("a request after the erasure: %v", err)
		}
		w.start()
		eventually.Must(t, "the end of the copy", func() bool { return w.request(t, id).State.Over() })
		if r := w.request(t, id); r.State != state.Denied || r.Reason != state.NoMatch || r.Policy != state.Nobody || !r.File.IsZero() {
			t.Errorf("got %+v", r)
		}
	})
}

func TestWhatFailedIsTakenUpAgainByHand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{}, "words")
		now := w.Vault.Now()
		failed := rights.Request{ID: record.NewID(now), Kind: state.Access, Regime: deadline.GDPR, State: state.Open, Via: record.Portal, Contact: ada, People: []ids.Contact{ada}, AskedAt: now, DueAt: now, LegalAt: now, AlarmAt: now}
		must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error { return rights.Requests.Add(tx, failed) }))
		if _, err := w.rights.Retry(t.Context(), vaulttest.User(w.Tenant, vault.Auditor), failed.ID); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an auditor: %v", err)
		}
		_, err := w.rights.Retry(t.Context(), w.owner, failed.ID)
		must(t, err)
		eventually.Must(t, "the copy", func() bool { return w.request(t, failed.ID).State == state.Fulfilled })
		if r := w.request(t, failed.ID); r.DecidedBy != w.owner.User() || r.File.IsZero() {
			t.Errorf("got %+v", r)
		}
		if _, err := w.rights.Retry(t.Context(), w.owner, failed.ID); !errs.Is(err, errs.Conflict) {
			t.Errorf("taken up again after it was done: %v", err)
		}
	})
}
