package rights_test

import (
	"regexp"
	"testing"
	"time"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/retention"
	"aver/trust/rights"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
	"aver/vault/vaulttest"
)

const day = 24 * time.Hour

var linkEnd = regexp.MustCompile(`link=([0-9a-f]{64})`)

// link waits for a letter with one to this address.
func (w *world) link(t *testing.T, to string) string {
	t.Helper()
	found := linkEnd.FindStringSubmatch(w.letter(t, to).Text)
	if found == nil {
		t.Fatal("the letter has no link")
	}
	return found[1]
}

func TestTheClockStandsStillUntilItIsProvedWhoAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		for regime, stops := range map[string]bool{deadline.GDPR: true, deadline.CCPA: false} {
			ticket := w.ask(t, rights.Wish{Kind: state.Rectification, Regime: regime, Email: "ada@example.org", Text: "my name"})
			first := w.letter(t, "ada@example.org")
			asked := w.request(t, ticket.Request)
			if asked.Stopped() != stops || asked.Waits() {
				t.Errorf("%s: the clock stands still: %v; it waits for us: %v", regime, asked.Stopped(), asked.Waits())
			}
			w.Clock.Advance(12 * day)
			must(t, w.rights.Due(t.Context()))
			if _, err := w.rights.Prove(t.Context(), w.Tenant, ticket, digits.FindString(first.Text)); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: a code of twelve days ago: %v", regime, err)
			}
			must(t, w.rights.Another(t.Context(), w.Tenant, ticket))
			r, err := w.rights.Prove(t.Context(), w.Tenant, ticket, digits.FindString(w.letter(t, "ada@example.org").Text))
			for errs.Is(err, errs.Invalid) { // whatever looks just then for what is due draws another code, and the newest counts
				r, err = w.rights.Prove(t.Context(), w.Tenant, ticket, digits.FindString(w.letter(t, "ada@example.org").Text))
			}
			must(t, err)
			later := r.LegalAt.Sub(asked.LegalAt)
			if stops && (later < 10*day || later > 14*day) || !stops && later != 0 { // a weekend moves the last day
				t.Errorf("%s: the law's last day is %s later", regime, later)
			}
			if week := r.DueAt.Sub(r.ProvedAt); week < 6*day || week > 8*day || r.Late(w.Clock.Now()) || r.AlarmAt.Before(r.ProvedAt) {
				t.Errorf("%s: promised %s after the proof, the alarm at %s", regime, week, r.AlarmAt)
			}
			if r.State != state.Open || r.Stopped() {
				t.Errorf("%s: it is %s, and the clock stands still: %v", regime, r.State, r.Stopped())
			}
		}
	})
}

func TestWhatNobodyProvesEndsByItselfAndTellsNothingOfAnybody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		ticket := w.ask(t, rights.Wish{Kind: state.Erasure, Email: "ada@example.org", Text: "please"})
		w.letter(t, "ada@example.org")
		w.Clock.Advance(29 * day)
		must(t, w.rights.Due(t.Context()))
		asked := w.request(t, ticket.Request)
		if asked.State != state.Verifying {
			t.Fatalf("after 29 days it is %s", asked.State)
		}
		w.Clock.Advance(2 * day)
		must(t, w.rights.Due(t.Context()))
		must(t, w.rights.Due(t.Context()))
		r := w.request(t, ticket.Request)
		if r.State != state.Expired || !r.Contact.IsZero() || len(r.People) > 0 || !r.Asker.IsZero() || r.Policy != state.Unproved {
			t.Errorf("after 31 days: %+v", r)
		}
		if has, err := w.Vault.HasKey(t.Context(), w.owner, asked.Asker); err != nil || has {
			t.Errorf("what was typed can still be opened: %v", err)
		}
		if err := w.rights.Another(t.Context(), w.Tenant, ticket); !errs.Is(err, errs.Conflict) {
			t.Errorf("another code for what has ended: %v", err)
		}
	})
}

func TestRetentionDeletesWhatNobodyProved(t *testing.T) {
	t.Parallel()
	vaulttest.Each(t, config(t, retention.New(nil, retention.Config{}).Module()), func(t *testing.T, k *vaulttest.Kit) {
		w, keeper := settle(t, k), retention.New(k.Vault, retention.Config{})
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")})
		w.ask(t, rights.Wish{Kind: state.Access, Email: "ada@example.org"})
		for _, step := range []struct {
			wait time.Duration
			left int
		}{{31 * day, 1}, {733 * day, 0}} {
			w.Clock.Advance(step.wait)
			must(t, w.rights.Due(t.Context()))
			for range 2 { // the first does not believe a clock that went so far
				must(t, keeper.Sweep(t.Context(), w.Tenant))
				w.Clock.Advance(time.Hour)
			}
			if left := w.all(t); len(left) != step.left {
				t.Errorf("%s later %d are left, want %d: %+v", step.wait, len(left), step.left, left)
			}
		}
	})
}

func TestAnotherCodeIsSentAndTheAnswerIsTheSameForAStranger(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		known, stranger := w.ask(t, rights.Wish{Kind: state.Access, Email: "ada@example.org"}), w.ask(t, rights.Wish{Kind: state.Access, Email: "who@example.org"})
		first := digits.FindString(w.letter(t, "ada@example.org").Text)
		for range 5 { // guesses
			for _, ticket := range []rights.Ticket{known, stranger} {
				if _, err := w.rights.Prove(t.Context(), w.Tenant, ticket, "not it"); !errs.Is(err, errs.Invalid) {
					t.Errorf("a guess: %v", err)
				}
			}
		}
		if _, err := w.rights.Prove(t.Context(), w.Tenant, known, first); !errs.Is(err, errs.Invalid) {
			t.Errorf("the right code after five guesses: %v", err)
		}
		for range 4 {
			must(t, w.rights.Another(t.Context(), w.Tenant, known))
			must(t, w.rights.Another(t.Context(), w.Tenant, stranger))
			w.letter(t, "ada@example.org")
		}
		for name, ticket := range map[string]rights.Ticket{"known": known, "a stranger": stranger} {
			if err := w.rights.Another(t.Context(), w.Tenant, ticket); !errs.Is(err, errs.TooMany) {
				t.Errorf("%s: a sixth letter within a day: %v", name, err)
			}
		}
		if err := w.rights.Another(t.Context(), w.Tenant, rights.Ticket{Request: known.Request, Session: stranger.Session}); !errs.Is(err, errs.NotFound) {
			t.Errorf("another browser asks for a code: %v", err)
		}
		w.Clock.Advance(25 * time.Hour)
		must(t, w.rights.Another(t.Context(), w.Tenant, known))
		code := digits.FindString(w.letter(t, "ada@example.org").Text)
		if _, err := w.rights.Prove(t.Context(), w.Tenant, known, first); !errs.Is(err, errs.Invalid) {
			t.Errorf("an older code: %v", err)
		}
		r, err := w.rights.Prove(t.Context(), w.Tenant, known, code)
		must(t, err)
		if r.State != state.Running && r.State != state.Fulfilled {
			t.Errorf("proved, and %s", r.State)
		}
	})
}

func TestABrowserThatAsksTwiceKeepsBothRequests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.ask(t, rights.Wish{Kind: state.Access, Email: "ada@example.org"})
		second := w.ask(t, rights.Wish{Kind: state.Erasure, Email: "ada@example.org", Session: first.Session})
		for _, id := range []rights.RequestID{first.Request, second.Request} {
			if _, err := w.rights.Held(t.Context(), w.Tenant, rights.Ticket{Request: id, Session: second.Session}); err != nil {
				t.Errorf("the browser does not open %s: %v", id, err)
			}
		}
		chosen := w.ask(t, rights.Wish{Kind: state.Access, Email: "ada@example.org", Session: "1"})
		if chosen.Session == "1" {
			t.Error("a browser chooses a session that anybody can guess")
		}
	})
}

func TestARequestThatCameByLetterIsCountedFromItsDayAndProvedByALink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		received := w.Clock.Now().Add(-5 * day).UTC().Format(time.DateOnly)
		id, err := w.rights.Enter(t.Context(), w.owner, rights.Wish{Kind: state.Access, Regime: deadline.GDPR, Email: "Ada@example.org", Text: "a letter on blue paper", Via: record.Letter, Received: received, Proof: state.Link, Language: "de"}, ids.Contact{})
		must(t, err)
		secret := w.link(t, "ada@example.org")
		asked := w.request(t, id)
		if got := asked.AskedAt.Format(time.DateOnly); got != received || asked.State != state.Verifying || !asked.Stopped() || asked.Contact != ada {
			t.Errorf("received on %s, want %s; %+v", got, received, asked)
		}
		if asked.Asker == ada || asked.Asker.IsZero() {
			t.Error("what was typed lies under the key of somebody who has proved nothing")
		}
		for name, wrong := range map[string]rights.Ticket{"no link": {Request: id}, "a guess": {Request: id, Link: "0000"}, "the link of another request": {Request: record.NewID(w.Clock.Now()), Link: secret}} {
			if _, err := w.rights.Follow(t.Context(), w.Tenant, wrong); !errs.Is(err, errs.Gone) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.Clock.Advance(8 * day)
		if _, err := w.rights.Follow(t.Context(), w.Tenant, rights.Ticket{Request: id, Link: secret}); !errs.Is(err, errs.Gone) {
			t.Errorf("a link of eight days ago: %v", err)
		}
		must(t, w.rights.Another(t.Context(), w.Tenant, rights.Ticket{Request: id, Link: secret}))
		newer := w.link(t, "ada@example.org")
		if _, err := w.rights.Follow(t.Context(), w.Tenant, rights.Ticket{Request: id, Link: secret}); !errs.Is(err, errs.Gone) {
			t.Errorf("an older link: %v", err)
		}
		ticket, err := w.rights.Follow(t.Context(), w.Tenant, rights.Ticket{Request: id, Link: newer})
		must(t, err)
		if _, err := w.rights.Follow(t.Context(), w.Tenant, rights.Ticket{Request: id, Link: newer}); !errs.Is(err, errs.Gone) {
			t.Errorf("a link that was followed is followed again: %v", err)
		}
		proved, err := w.rights.Held(t.Context(), w.Tenant, ticket)
		must(t, err)
		if later := proved.LegalAt.Sub(asked.LegalAt); later < 6*day || later > 10*day {
			t.Errorf("the clock stood still for eight days, and the last day is %s later", later)
		}
		eventually.Must(t, "the copy", func() bool { return w.request(t, id).State == state.Fulfilled })
		if _, err := w.rights.Held(t.Context(), w.Tenant, rights.Ticket{Request: id, Session: "somebody else's"}); !errs.Is(err, errs.NotFound) {
			t.Errorf("another browser opens it: %v", err)
		}
	})
}

func TestARequestThatSomebodyBroughtInPersonBeginsAtOnceAndAnErasureWaitsForALastWord(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{}, "words")
		wish := rights.Wish{Kind: state.Erasure, Via: record.Person, Proof: state.Seen, Waits: true}
		id, err := w.rights.Enter(t.Context(), w.owner, wish, ada)
		must(t, err)
		if r := w.request(t, id); r.State != state.Open || r.Proof != state.Seen || r.Via != record.Person || r.EnteredAt.IsZero() {
			t.Errorf("%+v", r)
		}
		w.keys(t, map[string]bool{"ada": true}, map[string]ids.Contact{"ada": ada})
		r, err := w.rights.Retry(t.Context(), w.owner, id)
		must(t, err)
		if done := w.request(t, id); done.State != state.Fulfilled || done.DecidedBy != w.owner.User() {
			t.Errorf("after the last word it is %s, decided by %s; %+v", done.State, done.DecidedBy, r)
		}
		w.keys(t, map[string]bool{"ada": false}, map[string]ids.Contact{"ada": ada})
	})
}

func TestWhatCannotBeRightIsNotWrittenDown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		mute := w.add(t, w.Tenant, person{}, "words")
		w.add(t, w.Tenant, person{Email: personal.Of("eve@example.org"), Verified: true})
		claimed := w.add(t, w.Tenant, person{Email: personal.Of("eve@example.org")})
		now := w.Clock.Now()
		for name, c := range map[string]struct {
			wish  rights.Wish
			who   ids.Contact
			field string
		}{
			"tomorrow":                    {rights.Wish{Kind: state.Access, Received: now.Add(2 * day).Format(time.DateOnly)}, ada, "received"},
			"two years ago":               {rights.Wish{Kind: state.Access, Received: now.Add(-700 * day).Format(time.DateOnly)}, ada, "received"},
			"no day":                      {rights.Wish{Kind: state.Access, Received: "last week"}, ada, "received"},
			"nobody":                      {rights.Wish{Kind: state.Access}, ids.Contact{}, "person"},
			"no address":                  {rights.Wish{Kind: state.Access, Email: "Ada Kowal"}, ids.Contact{}, "person"},
			"two at once":                 {rights.Wish{Kind: state.Access, Email: "ada@example.org"}, ada, "person"},
			"no kind":                     {rights.Wish{}, ada, "kind"},
			"by pigeon":                   {rights.Wish{Kind: state.Access, Via: "pigeon"}, ada, "via"},
			"proved by a guess":           {rights.Wish{Kind: state.Access, Proof: state.Signed}, ada, "proof"},
			"a link to nowhere":           {rights.Wish{Kind: state.Access, Proof: state.Link}, mute, "proof"},
			"a link to somebody verified": {rights.Wish{Kind: state.Access, Proof: state.Link}, claimed, "proof"},
		} {
			_, err := w.rights.Enter(t.Context(), w.owner, c.wish, c.who)
			p := errs.AsProblem(err)
			if p.Code != errs.Invalid || len(p.Errors) != 1 || p.Errors[0].Field != c.field {
				t.Errorf("%s: %v, %+v", name, err, p.Errors)
			}
		}
		if _, err := w.rights.Enter(t.Context(), vaulttest.User(w.Tenant, vault.Operator), rights.Wish{Kind: state.Access, Proof: state.Link}, ada); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
		if n := len(w.all(t)); n != 0 {
			t.Errorf("%d requests are there", n)
		}
	})
}

func TestWhatSomebodyUnknownAsksByLetterIsTheTenantsToAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id, err := w.rights.Enter(t.Context(), w.owner, rights.Wish{Kind: state.Access, Email: "who@example.org", Text: "by letter", Via: record.Letter, Proof: state.Link}, ids.Contact{})
		must(t, err)
		r := w.request(t, id)
		typed, err := w.rights.TypedWith(t.Context(), w.owner, r)
		must(t, err)
		if r.State != state.Open || !r.Passed || typed.Address.Reveal() != "who@example.org" || typed.Text.Reveal() != "by letter" {
			t.Errorf("%+v", r)
		}
		_, err = w.rights.Fulfil(t.Context(), w.owner, id, rights.Decision{Words: "We have nothing."})
		must(t, err)
		w.letter(t, "who@example.org")
	})
}

// all lists the requests.
func (w *world) all(t *testing.T) (all []rights.Request) {
	t.Helper()
	must(t, w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) (err error) {
		all, err = rights.Requests.Find(tx, "ORDER BY asked_at")
		return err
	}))
	return all
}

func TestNobodyLearnsWithoutATryWhetherACodeIsRight(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		ticket := w.ask(t, rights.Wish{Kind: state.Access, Email: "ada@example.org"})
		code := w.post.code(t)
		for range 4 { // the fifth letter of the day is the last
			must(t, w.rights.Another(t.Context(), w.Tenant, ticket))
			code = w.post.code(t)
		}
		for name, guess := range map[string]string{"the right one": code, "a wrong one": "x"} {
			if err := w.rights.Another(t.Context(), w.Tenant, rights.Ticket{Request: ticket.Request, Link: guess}); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s without the session: %v", name, err)
			}
		}
	})
}
