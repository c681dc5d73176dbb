package people

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aver/base/deadline"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/claim"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/probes/world"
	"aver/trust/rights"
	"aver/trust/rights/state"
	"aver/vault"
	"aver/vault/purpose"
)

// requestsOf reads the newest requests of tenants, of those that pass.
func (w view) requestsOf(ctx context.Context, passes func(ids.Tenant) bool) (all []rights.Request, err error) {
	tenants, err := w.Vault.TenantIDs(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tenants {
		if !passes(t) {
			continue
		}
		var some []rights.Request
		err := w.Vault.View(ctx, world.System(t), world.Act, func(tx *vault.Tx) (err error) {
			some, err = rights.Requests.Find(tx, "ORDER BY asked_at DESC LIMIT 1000")
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// taken is a request of the public page once it was taken up: by the job, or here, where none may run.
func (w view) taken(ctx context.Context, tenant ids.Tenant, t rights.Ticket) (r rights.Request, err error) {
	if err := w.Rights.TakeUp(ctx, tenant, t.Request); err != nil {
		return r, fmt.Errorf("take a request up: %w", err)
	}
	err = eventually.Holds(ctx, eventually.Patience, "a request of the public page is looked at", func() (bool, error) {
		r, err = w.Rights.Held(ctx, tenant, t)
		return r.Asker.IsZero() || r.State.Over(), err
	})
	return r, err
}

// passedOn finds what was typed under an address among what waits for a tenant.
func (w view) passedOn(ctx context.Context, tenant ids.Tenant, address string) (task rights.Request, typed rights.Words, err error) {
	err = w.Vault.View(ctx, world.System(tenant), world.Act, func(tx *vault.Tx) error {
		found, err := rights.Typed.Lookup(tx, "address", address)
		if err != nil || len(found) == 0 {
			return err
		}
		typed = found[0]
		task, err = rights.Requests.Get(tx, typed.Request)
		return err
	})
	return task, typed, err
}

// asked is a probe while a workspace that is no canary has a request that no service would leave like this.
func asked(w view, name string, r rights.Request, probe func(view, context.Context) (claim.Evidence, error)) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		t, err := w.Vault.CreateTenant(ctx, vault.Tenant{Slug: attack.UniqueWord("asked"), Name: "A workspace that forgets"})
		if err != nil {
			return claim.Evidence{}, err
		}
		long := w.Vault.Now().Add(-60 * world.Daily)
		r.ID, r.Kind, r.Regime, r.AskedAt, r.DueAt, r.LegalAt = rights.RequestID(ids.NewObject(long)), state.Access, deadline.GDPR, long, long.AddDate(0, 0, 7), long.AddDate(0, 1, 0)
		r.AlarmAt = r.DueAt
		return world.With(ctx, w, t.ID, rights.Requests, r, r.ID, func() (claim.Evidence, error) { return probe(view{w}, ctx) })
	})
}

// decisions is rgt-6.
func decisions(w view) claim.Claim {
	judge := func(all ...rights.Request) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeDecisions(all), nil }
	}
	somebody := ids.NewUser(time.Unix(0, 0))
	return claim.Claim{
		ID: "rgt-6", Theme: world.People, Owner: world.DPO, Every: world.Hourly, On: []string{"dsr."},
		Wording:   "No program turns a person's request down by itself: of {all} decisions about requests {people} name the person who took them, {policies} the rule that was made beforehand, and {nobody} nobody",
		Predicate: "Every request of any tenant that is being carried out or has ended names either the person who decided it or one of the rules that were made beforehand, which are listed in the program; every denial with a ground that takes weighing names a person; and so does the denial that the probe has an owner of a canary tenant give.",
		Method:    "The probe asks for a correction as a visitor of a canary, has it denied by the canary's owner, and reads the newest requests of all tenants. The assistant and the autopilot, which are to come, record their decisions in the same way.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P5.1"}, GDPR: []string{"22(1)", "22(3)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			return w.decided(ctx)
		},
		Fixtures: []claim.Fixture{
			world.Fixture("no decision at all", judge()),
			asked(w, "a denial by nobody", rights.Request{State: state.Denied, Reason: state.Excessive}, view.decided),
			asked(w, "a denial for which a program weighed", rights.Request{State: state.Denied, Reason: state.Unfounded, Policy: state.Nobody}, view.decided),
			asked(w, "a rule that nobody made", rights.Request{State: state.Fulfilled, Policy: "the model thought so"}, view.decided),
			world.Fixture("one that is carried out, and nobody decided it", judge(rights.Request{State: state.Fulfilled, DecidedBy: somebody}, rights.Request{State: state.Running})),
		},
	}
}

func (w view) decided(ctx context.Context) (claim.Evidence, error) {
	if err := w.denied(ctx); err != nil {
		return claim.Evidence{}, err
	}
	all, err := w.requestsOf(ctx, func(ids.Tenant) bool { return true })
	return judgeDecisions(all), err
}

// denied has a request of a canary's visitor denied by the canary's owner.
func (w view) denied(ctx context.Context) error {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return err
	}
	id, err := w.Rights.Start(ctx, p.Actor, rights.Wish{Kind: state.Rectification, Text: p.Word}, p.Actor.Subject())
	if err == nil {
		_, err = w.Rights.Deny(ctx, p.Side.Owner, id, rights.Decision{Reason: state.Excessive})
	}
	if err != nil {
		err = fmt.Errorf("have a canary's request denied: %w", err)
	}
	return errors.Join(err, w.Forget(ctx, p))
}

// byRule are the grounds on which a rule alone may deny: that nothing was proved, and that nobody is there.
var byRule = []state.Reason{state.Unverified, state.NoMatch}

func judgeDecisions(all []rights.Request) claim.Evidence {
	e := world.Evidence()
	decided, people, policies, nobody, weighed := 0, 0, 0, 0, 0
	for _, r := range all {
		if r.State != state.Running && !r.State.Over() {
			continue
		}
		decided++
		switch {
		case !r.DecidedBy.IsZero():
			people++
		case slices.Contains(state.Policies, r.Policy):
			policies++
		default:
			nobody++
		}
		if r.State == state.Denied && r.DecidedBy.IsZero() && r.Policy != state.Program && !slices.Contains(byRule, r.Reason) {
			weighed++
		}
	}
	e.See(decided > 0, "decisions about requests", "%d", decided)
	e.See(nobody == 0, "of them by nobody", "%d", nobody)
	e.See(weighed == 0, "denials for which a program weighed", "%d", weighed)
	e.Figure("all", "%d", decided)
	e.Figure("people", "%d", people)
	e.Figure("policies", "%d", policies)
	e.Figure("nobody", "%d", nobody)
	return e
}

// handed is what became of a request about somebody whom nobody here knows.
type handed struct {
	task    rights.Request // what waits for the tenant
	typed   rights.Words   // with it
	wrote   rights.Words   // what was typed indeed
	shown   state.State    // to the browser that asked
	ended   rights.Request // the task, once the tenant has answered
	waiting int            // such requests of all tenants
	late    int            // of them after their day
}

// passing is rgt-7.
func passing(w view) claim.Claim {
	judge := func(spoil func(*handed)) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) {
			h := goodHanded()
			spoil(&h)
			return judgeHanded(h), nil
		}
	}
	return claim.Claim{
		ID: "rgt-7", Theme: world.People, Owner: world.DPO, Every: 6 * world.Hourly, On: []string{"privacy_request."},
		Wording:   "A request from somebody whom nobody here knows goes to the business it is meant for: {waiting} wait for an answer of theirs, {late} after their day",
		Predicate: "What somebody typed under an address that a canary does not know waits for the canary's people, word for word and sealed under a key of its own, until they have answered; the browser that asked sees what it would see for a known address; and no request that was passed on to any tenant is open after its day.",
		Method:    "The probe asks on a canary's public page under an address that nobody has, reads what waits for the canary's owner, has it answered, and reads the due dates of all that was passed on.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P5.1", "P8.1"}, GDPR: []string{"28(3)(e)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			h, err := w.hand(ctx, nil)
			return judgeHanded(h), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a request that is kept from the tenant", judge(func(h *handed) { h.task = rights.Request{} })),
			w.Scratch.Broken("words that got lost", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				h, err := view{w}.hand(ctx, func(tx *vault.Tx) error { _, err := rights.Typed.Blank(tx, "text", 100); return err })
				return judgeHanded(h), err
			}),
			world.Fixture("words under no key of their own", judge(func(h *handed) { h.task.Asker = ids.Subject{} })),
			world.Fixture("a page that tells who is known", judge(func(h *handed) { h.shown = state.Open })),
			world.Fixture("an answer that ends nothing", judge(func(h *handed) { h.ended.State = state.Open })),
			asked(w, "a request that waits too long", rights.Request{State: state.Open, Passed: true}, func(w view, ctx context.Context) (claim.Evidence, error) {
				h, err := w.hand(ctx, nil)
				return judgeHanded(h), err
			}),
		},
	}
}

func goodHanded() handed {
	asker := ids.NewSubject(time.Unix(0, 0))
	task := rights.Request{State: state.Open, Passed: true, Asker: asker}
	ended := task
	ended.State, ended.DecidedBy = state.Fulfilled, ids.NewUser(time.Unix(0, 0))
	words := rights.Words{Address: personal.Of("somebody@example.org"), Text: personal.Of("hello")}
	return handed{task: task, typed: words, wrote: words, ended: ended, shown: state.Verifying}
}

func (w view) hand(ctx context.Context, meddle func(*vault.Tx) error) (h handed, err error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return h, err
	}
	word := attack.UniqueWord(side.Root)
	h.wrote = rights.Words{Address: personal.Of(canary.Address(word)), Text: personal.Of("I wrote to you as " + word)}
	ticket, err := w.Rights.Receive(ctx, side.Tenant, rights.Wish{Kind: state.Access, Email: h.wrote.Address.Reveal(), Text: h.wrote.Text.Reveal()})
	if err != nil {
		return h, fmt.Errorf("ask under an unknown address: %w", err)
	}
	seen, err := w.taken(ctx, side.Tenant, ticket)
	if err != nil {
		return h, err
	}
	h.shown = seen.State
	if meddle != nil {
		if err := w.Vault.Do(ctx, world.System(side.Tenant), world.Act, meddle); err != nil {
			return h, err
		}
	}
	if h.task, h.typed, err = w.passedOn(ctx, side.Tenant, h.wrote.Address.Reveal()); err != nil {
		return h, err
	}
	if h.ended, err = w.Rights.Fulfil(ctx, side.Owner, h.task.ID, rights.Decision{}); err != nil {
		return h, fmt.Errorf("answer what was passed on: %w", err)
	}
	all, err := w.requestsOf(ctx, func(t ids.Tenant) bool { return !w.Canaries.Is(t) })
	for _, r := range all {
		if r.Passed && !r.State.Over() {
			h.waiting++
			if r.Late(w.Vault.Now()) {
				h.late++
			}
		}
	}
	return h, errors.Join(err, w.Rights.Revoke(ctx, side.Tenant, ticket))
}

func judgeHanded(h handed) claim.Evidence {
	e := world.Evidence()
	e.See(h.task.Passed && h.task.State == state.Open, "what waits for the tenant", "%s", orNothing(string(h.task.State)))
	same := h.typed.Address.Reveal() == h.wrote.Address.Reveal() && h.typed.Text.Reveal() == h.wrote.Text.Reveal() && !h.wrote.Text.IsZero()
	e.See(same, "what was typed", "%s", map[bool]string{true: "is there, word for word", false: "is not there"}[same])
	e.See(!h.task.Asker.IsZero() && h.task.Contact.IsZero(), "its key", "%s", map[bool]string{true: "is its own", false: "is none, or somebody's"}[!h.task.Asker.IsZero()])
	e.See(h.shown == state.Verifying, "what the browser sees", "%s", h.shown)
	e.See(h.ended.State == state.Fulfilled && !h.ended.DecidedBy.IsZero(), "the answer", "%s", h.ended.State)
	e.See(h.late == 0, "passed on to all tenants", "%d wait, %d after their day", h.waiting, h.late)
	e.Figure("waiting", "%d", h.waiting)
	e.Figure("late", "%d", h.late)
	return e
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// american is what became of requests under the laws of the United States.
type american struct {
	made   []rights.Request // one of each kind
	closed bool             // the sale of the person's data was
}

// unitedStates is rgt-8: requests, and the signal that needs none.
func unitedStates(w view) claim.Claim {
	measured := func(a american, s signalled, err error) (claim.Evidence, error) {
		e := world.Evidence()
		judgeAmerican(a, &e)
		judgeSignal(s, &e)
		return e, err
	}
	judge := func(spoil func(*american)) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) {
			a := goodAmerican()
			spoil(&a)
			return measured(a, goodSignal(), nil)
		}
	}
	deaf := func(spoil func(*signalled)) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) {
			s := goodSignal()
			spoil(&s)
			return measured(goodAmerican(), s, nil)
		}
	}
	return claim.Claim{
		ID: "rgt-8", Theme: world.People, Owner: world.DPO, Every: 6 * world.Hourly, On: []string{"privacy_request."},
		Wording:   "People in California and other US states have their rights by the names and days of their law: to know, to delete, to correct, to opt out of sale and sharing without proving anything; a browser that sends Global Privacy Control has opted out: recorded {records} time for {sent} signals",
		Predicate: "A canary's visitor who opts out on the public page has the sale and sharing of their data closed with no proof asked, within 15 business days at most; to know, to correct and to delete are due within 45 days of receipt with a confirmation within 10 business days, under these names whatever they were asked for by. After a visitor sent a request with the header Sec-GPC: 1, twice, and one without it, an opt-out by the browser stands and is recorded once, no action for sale or sharing may write about the visitor, and /.well-known/gpc.json says that the signal is honoured.",
		Method:    "The probe writes to a canary as a visitor, opts out under the visitor's address on the public page, asks for the others by Europe's names under a law of the United States, and reads the requests and what is closed for the person; it sends the header as the widget's browser would, and reads by the API what was recorded.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P5.1", "P5.2"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			a, err := w.americans(ctx, nil)
			if err != nil {
				return claim.Evidence{}, err
			}
			s, err := w.signal(ctx, "0", "1")
			return measured(a, s, err)
		},
		Fixtures: []claim.Fixture{
			w.Scratch.Broken("a sale that goes on", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				a, err := view{w}.americans(ctx, opened)
				return measured(a, goodSignal(), err)
			}),
			w.Scratch.Broken("a signal that is lost on the way", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				s, err := view{w}.signal(ctx)
				return measured(goodAmerican(), s, err)
			}),
			world.Fixture("a right that is not known", judge(func(a *american) { a.made = a.made[1:] })),
			world.Fixture("an answer after two months", judge(func(a *american) { a.made[0].LegalAt = a.made[0].AskedAt.AddDate(0, 2, 0) })),
			world.Fixture("no confirmation", judge(func(a *american) { a.made[0].ConfirmBy = time.Time{} })),
			world.Fixture("a signal that is recorded with every request", deaf(func(s *signalled) { s.closed = append(s.closed, s.closed...) })),
			world.Fixture("a sale in spite of the signal", deaf(func(s *signalled) { s.sold = true })),
			world.Fixture("an installation that does not say it honours the signal", deaf(func(s *signalled) { s.support = "" })),
			world.Fixture("Europe's law", judge(func(a *american) { a.made[0].Regime = deadline.GDPR })),
		},
	}
}

func goodAmerican() american {
	asked := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	a := american{closed: true}
	for _, k := range []state.Kind{state.Know, state.Correct, state.OptOut, state.Delete} {
		a.made = append(a.made, rights.Request{Kind: k, Regime: deadline.CCPA, AskedAt: asked, LegalAt: asked.AddDate(0, 0, 21), ConfirmBy: asked.AddDate(0, 0, 14)})
	}
	return a
}

// judgeAmerican looks at the names, the days and the deed.
func judgeAmerican(a american, e *claim.Evidence) {
	for _, k := range []state.Kind{state.Know, state.Correct, state.OptOut, state.Delete} {
		i := slices.IndexFunc(a.made, func(r rights.Request) bool { return r.Kind == k })
		if i < 0 {
			e.See(false, "to "+string(k), "not known")
			continue
		}
		r := a.made[i]
		days := int(r.LegalAt.Sub(r.AskedAt).Hours() / 24)
		inTime := days <= 45 && (k != state.OptOut || days <= 15+10) // 15 business days lie within 25, whatever holidays there are
		e.See(inTime && r.Regime == deadline.CCPA, "to "+string(k), "due within %d days", days)
		confirm := int(r.ConfirmBy.Sub(r.AskedAt).Hours() / 24)
		e.See(k == state.OptOut || !r.ConfirmBy.IsZero() && confirm <= 18, "confirmation of to "+string(k), "within %d days", max(0, confirm))
	}
	e.See(a.closed, "the sale of the person's data", "%s", map[bool]string{true: "closed, without any proof", false: "still open"}[a.closed])
}

// americans asks for what the laws of the United States give, as a person and on the public page.
func (w view) americans(ctx context.Context, meddle world.Meddle) (american, error) {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return american{}, err
	}
	a, err := w.asAmerican(ctx, p, meddle)
	if err != nil { // or else the last request has erased them
		err = errors.Join(err, w.Forget(ctx, p))
	}
	return a, err
}

// opened opens again what a person has closed.
func opened(ctx context.Context, w *world.World, p *world.Person) error {
	return w.Vault.Do(ctx, world.System(p.Side.Tenant), world.Act, func(tx *vault.Tx) error {
		_, err := vault.Standings.DeleteWhere(tx, "person = ?", p.Actor.Subject())
		return err
	})
}

func (w view) asAmerican(ctx context.Context, p *world.Person, meddle world.Meddle) (a american, err error) {
	who := p.Actor.Subject()
	ticket, err := w.Rights.Receive(ctx, p.Side.Tenant, rights.Wish{Kind: state.OptOut, Regime: deadline.CCPA, Email: canary.Address(p.Word)})
	if err != nil {
		return a, fmt.Errorf("opt out on the public page: %w", err)
	}
	out, err := w.taken(ctx, p.Side.Tenant, ticket)
	if err != nil {
		return a, err
	}
	a.made = append(a.made, out)
	if err := meddle.With(ctx, w.World, p); err != nil {
		return a, err
	}
	err = w.Vault.View(ctx, world.System(p.Side.Tenant), world.Act, func(tx *vault.Tx) error {
		n, err := vault.Standings.Count(tx, "person = ? AND kind = ?", who, string(purpose.OptOutSale))
		a.closed = n > 0
		return err
	})
	if err != nil {
		return a, err
	}
	for _, k := range []state.Kind{state.Access, state.Rectification, state.Erasure} { // Europe's words for it
		id, err := w.Rights.Start(ctx, p.Side.Owner, rights.Wish{Kind: k, Regime: deadline.CCPA}, who)
		if err != nil {
			return a, fmt.Errorf("ask under a law of the United States: %w", err)
		}
		r, err := w.Rights.Read(ctx, p.Side.Owner, id)
		if err != nil {
			return a, err
		}
		a.made = append(a.made, r)
	}
	_, err = w.Vault.FinishErasures(ctx, p.Side.Tenant)
	return a, err
}
