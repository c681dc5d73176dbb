// Package consents has the probes of what people agreed to, and of the grounds on which tenants say they keep them.
package consents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/base/tlog"
	"aver/frame/claim"
	"aver/trust/canary/inside"
	"aver/trust/consent"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/purpose"
)

// Claims lists the promises about consent.
func Claims(w *world.World) []claim.Claim {
	return []claim.Claim{explicit(view{w}), binding(view{w}), grounded(w)}
}

// view is the world with the ways of looking at it that are used here alone.
type view struct{ *world.World }

// agreed is what came of giving a consent and taking it back.
type agreed struct {
	given    recordJSON // the newest record after the visitor agreed
	words    int        // characters of the notice that it refers to
	back     recordJSON // the newest record after the withdrawal
	lets     bool       // a message was taken after the withdrawal
	again    bool       // a message was taken after a new agreement
	standing int        // people of all tenants who count as having agreed to something
	unproved int        // those of them without a record that says so
	receipts int        // of what this person did
	wrong    error      // why one of them does not verify
}

type recordJSON struct {
	Purpose  string `json:"purpose"`
	Granted  bool   `json:"granted"`
	Version  int    `json:"version"`
	Language string `json:"language"`
	How      string `json:"how"`
}

func (w view) newest(ctx context.Context, p *world.Person) (recordJSON, error) {
	var list struct {
		Data []recordJSON `json:"data"`
	}
	err := w.Ask(ctx, p, http.MethodGet, "/v1/contacts/{contact}/subscriptions", "", &list)
	if err != nil || len(list.Data) == 0 {
		return recordJSON{}, err
	}
	return list.Data[0], nil
}

// say tells the widget's server what the visitor pressed.
func (w view) say(ctx context.Context, p *world.Person, granted bool, version string) error {
	body, err := json.Marshal(map[string]any{"purpose": consent.Support, "version": version, "language": "en", "granted": granted})
	if err != nil {
		return err
	}
	a, err := w.Canaries.Door().Do(ctx, inside.Request{Method: http.MethodPost, Path: "/widget/v1/consent", Header: world.WithJSON(inside.Bearer(p.Token)), Body: body})
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("say what was pressed: status %d", a.Status)
	}
	return err
}

// takes tells whether a message of the person's is taken.
func (w view) takes(ctx context.Context, p *world.Person) bool {
	_, _, err := w.Canaries.Say(ctx, p.Token, p.Conversation, "one more "+p.Word)
	return err == nil
}

func (w view) consents(ctx context.Context) (a agreed, err error) {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, w.Forget(ctx, p)) }()
	if a.given, err = w.newest(ctx, p); err != nil {
		return a, err
	}
	var notice struct {
		Text string `json:"text"`
	}
	version := fmt.Sprint(a.given.Version)
	if err := w.Ask(ctx, p, http.MethodGet, "/v1/consent_notices/"+a.given.Language+"/"+version, "", &notice); err != nil {
		return a, err
	}
	a.words = len(notice.Text)
	if err := w.say(ctx, p, false, version); err != nil {
		return a, err
	}
	a.lets = w.takes(ctx, p)
	if a.back, err = w.newest(ctx, p); err != nil {
		return a, err
	}
	if err := w.say(ctx, p, true, version); err != nil {
		return a, err
	}
	a.again = w.takes(ctx, p)
	if err := w.receipts(ctx, p, &a); err != nil {
		return a, err
	}
	return a, w.proofs(ctx, p, &a)
}

// receipts verifies what the person may keep of each act, as anybody does who has the published key.
func (w view) receipts(ctx context.Context, p *world.Person, a *agreed) error {
	key, err := w.Audit.VerifierKey(ctx)
	if err != nil {
		return err
	}
	story, err := w.Consent.Story(ctx, p.Actor, p.Actor.Subject())
	if err != nil {
		return err
	}
	for _, act := range story.Acts {
		fault, err := verify(ctx, w.World, p.Side.Tenant, key, act.Receipt, act.At)
		if err != nil {
			return err
		}
		a.receipts++
		if fault != nil {
			a.wrong = fault
		}
	}
	return nil
}

// verify tells what is wrong with a receipt: the log knows nothing of it, or its proof does not hold.
func verify(ctx context.Context, w *world.World, tenant ids.Tenant, key string, statement personal.Text, at time.Time) (fault, err error) {
	proof, err := w.Audit.ReceiptSince(ctx, tenant, []byte(statement.Reveal()), at)
	if errs.Is(err, errs.NotFound) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	if _, findings := proof.Verify(key); len(findings) > 0 {
		return findings, nil
	}
	return nil, nil
}

// proofs looks for people who count as having agreed to something of which no record says so. Of the canaries only this
// probe's own person counts: others are the business of whoever made them.
func (w view) proofs(ctx context.Context, p *world.Person, a *agreed) error {
	tenants, err := w.Vault.TenantIDs(ctx)
	if err != nil {
		return err
	}
	for _, t := range tenants[1:] {
		own := ids.Contact{}
		if w.Canaries.Is(t) {
			own = p.Actor.Subject()
		}
		if err := w.proofsOf(ctx, t, own, a); err != nil {
			return fmt.Errorf("read consents: %w", err)
		}
	}
	return nil
}

// looksAt is how many standings of one tenant the probe follows to their record, the newest first.
const looksAt = 500

func (w view) proofsOf(ctx context.Context, tenant ids.Tenant, own ids.Contact, a *agreed) error {
	standing, unproved := 0, 0
	err := w.Vault.View(ctx, world.System(tenant), world.Act, func(tx *vault.Tx) error {
		standing, unproved = 0, 0
		all, err := vault.Standings.Find(tx, "kind = ? ORDER BY kind, person DESC LIMIT ?", string(purpose.Granted), looksAt)
		for _, s := range all {
			if !own.IsZero() && s.Person != own {
				continue
			}
			n, err := consent.Records.Count(tx, "contact = ? AND purpose = ? AND granted = ? AND made_at = ?", s.Person, s.Purpose, true, s.Since)
			if err != nil {
				return err
			}
			standing++
			if n == 0 {
				unproved++
			}
		}
		return err
	})
	a.standing += standing
	a.unproved += unproved
	return err
}

// explicit is con-1.
func explicit(w view) claim.Claim {
	return claim.Claim{
		ID: "con-1", Theme: world.Keeping, Owner: world.DPO, Every: world.Hourly, On: []string{"contact.consent."},
		Wording:   "Consent is an act on record, with what was shown, and is taken back by one press: {standing} consents looked at, {unproved} without a record",
		Predicate: "What a canary's visitor agreed to is on record with purpose, version, language and act, and the words of that version can be read; a withdrawal is one request like the agreement, is on record, and from then on no message is taken until the visitor agrees again; each of the acts has a receipt that verifies against the installation's log; and of every tenant's newest 500 consents that count, each has its record.",
		Method:    "The probe writes to a canary tenant through the widget, reads the record by the API, withdraws and agrees as the widget's buttons do, tries to write in between, and follows the consents that the store goes by to their records.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P2.1"}, GDPR: []string{"7(1)", "7(3)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			a, err := w.consents(ctx)
			return judgeConsent(a), err
		},
		Fixtures: []claim.Fixture{
			judged("a withdrawal that only the page shows", func(a *agreed) { a.back, a.lets = a.given, true }),
			judged("a consent that the tenant's program made up", func(a *agreed) { a.given.How = string(consent.ByProgram) }),
			judged("a notice whose words were not kept", func(a *agreed) { a.words = 0 }),
			judged("a person who cannot agree again", func(a *agreed) { a.again = false }),
			judged("a consent that nobody can show", func(a *agreed) { a.unproved = 1 }),
			judged("nobody to look at", func(a *agreed) { a.standing = 0 }),
			judged("a receipt that does not verify", func(a *agreed) { a.wrong = tlog.Findings{tlog.Unstated{}} }),
			judged("a withdrawal without a receipt", func(a *agreed) { a.receipts = 2 }),
		},
	}
}

// judged is a world in which all is well but for one thing.
func judged(name string, spoil func(*agreed)) claim.Fixture {
	return world.Fixture(name, func(context.Context) (claim.Evidence, error) {
		given := recordJSON{Purpose: consent.Support, Granted: true, Version: 1, Language: "en", How: string(consent.ByPerson)}
		a := agreed{given: given, words: 200, back: given, again: true, standing: 5, receipts: 3}
		a.back.Granted = false
		spoil(&a)
		return judgeConsent(a), nil
	})
}

func judgeConsent(a agreed) claim.Evidence {
	e := world.Evidence()
	g := a.given
	e.See(g.Granted && g.Purpose == consent.Support && g.Version > 0 && g.Language != "" && g.How == string(consent.ByPerson), "on record", "%s, version %d in %q, by the %s", g.Purpose, g.Version, g.Language, g.How)
	e.See(a.words > 0, "the words of that version", "%d characters", a.words)
	e.See(!a.back.Granted && a.back.Purpose == g.Purpose, "after the withdrawal, on record", "granted: %v", a.back.Granted)
	e.See(!a.lets, "a message after the withdrawal", "%s", taken[a.lets])
	e.See(a.again, "a message after a new agreement", "%s", taken[a.again])
	e.See(a.receipts == 3 && a.wrong == nil, "receipts of the acts", "%d, %s", a.receipts, world.OrError("all verify", a.wrong))
	e.See(a.unproved == 0 && a.standing > 0, "consents that count", "%d, of which %d have no record", a.standing, a.unproved)
	e.Figure("standing", "%d", a.standing)
	e.Figure("unproved", "%d", a.unproved)
	return e
}

var taken = map[bool]string{true: "taken", false: "refused"}

// bound is what came of using what was given for answering for something else.
type bound struct {
	support int            // rows seen for answering, by a program that may
	others  map[string]int // rows seen for purposes that need a consent of their own
	wrote   []string       // those purposes that could write about the person
	refused int            // refusals in the log
}

// unasked are the purposes that rest on consent and that the person was not asked about.
var unasked = []string{purpose.Outreach, purpose.Improvement, purpose.Sale}

func (w view) bind(ctx context.Context, meddle world.Meddle) (b bound, err error) {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, w.Forget(ctx, p)) }()
	if err := meddle.With(ctx, w.World, p); err != nil {
		return b, err
	}
	if b.support, err = w.Sees(ctx, p, consent.Support); err != nil {
		return b, err
	}
	b.others = map[string]int{}
	for _, name := range unasked {
		if b.others[name], err = w.Sees(ctx, p, name); err != nil {
			return b, err
		}
		could, err := w.Writes(ctx, p, name)
		if err != nil {
			return b, err
		}
		if could {
			b.wrote = append(b.wrote, name)
		}
	}
	b.refused, err = w.Refusals(ctx, p)
	return b, err
}

// binding is con-2.
func binding(w view) claim.Claim {
	return claim.Claim{
		ID: "con-2", Theme: world.Keeping, Owner: world.DPO, Every: world.Hourly,
		Wording:   "What was given for answering is used for nothing else: {refused} of {tried} attempts to use it for marketing, improvement and sale were refused and logged, {seen} rows seen",
		Predicate: "Of a canary's visitor who gave an address in the chat and agreed to support alone, actions for marketing, improvement and sale see no row, and each attempt of theirs to write about the visitor is refused and stands in the log, while answering goes on.",
		Method:    "The probe writes to a canary tenant through the widget with an address, and asks the store what an action for each purpose sees and may write.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P4.1"}, GDPR: []string{"5(1)(b)", "6(1)(a)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			b, err := w.bind(ctx, nil)
			return judgeBinding(b), err
		},
		Fixtures: []claim.Fixture{
			unbound(w, "a chat that counts as consent to marketing", world.Stand(purpose.Granted, purpose.Outreach)),
			unbound(w, "nobody is answered either", erased),
			world.Fixture("a refusal that is not in the log", func(context.Context) (claim.Evidence, error) {
				return judgeBinding(bound{support: 4, refused: 1}), nil
			}),
		},
	}
}

// erased leaves nothing of a person to be seen.
func erased(ctx context.Context, w *world.World, p *world.Person) error { return w.Forget(ctx, p) }

// unbound is the probe where the vault believes something else of the person than they said.
func unbound(w view, name string, meddle world.Meddle) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		b, err := view{w}.bind(ctx, meddle)
		return judgeBinding(b), err
	})
}

func judgeBinding(b bound) claim.Evidence {
	e, seen := world.Evidence(), 0
	for _, name := range unasked {
		seen += b.others[name]
		e.See(b.others[name] == 0, "rows seen for "+name, "%d", b.others[name])
	}
	e.See(b.support > 0, "rows seen for answering", "%d", b.support)
	e.See(len(b.wrote) == 0, "attempts that were let through", "%d", len(b.wrote))
	e.See(b.refused >= len(unasked), "refusals in the log", "%d", b.refused)
	e.Figure("refused", "%d", min(b.refused, len(unasked)))
	e.Figure("tried", "%d", len(unasked))
	e.Figure("seen", "%d", seen)
	return e
}
