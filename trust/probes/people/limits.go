package people

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary/inside"
	"aver/trust/identity"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/purpose"
)

// closable are the automated purposes that do not rest on consent: open until the person closes them.
var closable = []string{purpose.Assistant, purpose.Enrichment, purpose.Analytics, purpose.Sync}

// limited is what came of restricting one person and hearing the objection of another.
type limited struct {
	before, restricted, objected map[string]int // rows that each purpose sees
	written                      []string       // purposes that could write in spite of it
	kept                         int            // rows about the restricted person that are still there
	refused                      int            // refusals in the log
	early, lifted                int            // rows that a purpose sees before the person was told that the restriction is lifted, and once it is
	tried                        int            // actions that programs may take, besides those that are owed
	through                      []string       // those of them that see the restricted person
}

func (w view) close(ctx context.Context, p *world.Person, body string) error {
	return w.Ask(ctx, p, http.MethodPost, "/v1/contacts/{contact}/restrictions", body, nil)
}

func (w view) seen(ctx context.Context, p *world.Person) (map[string]int, error) {
	out := map[string]int{}
	for _, name := range closable {
		n, err := w.Sees(ctx, p, name)
		if err != nil {
			return nil, err
		}
		out[name] = n
	}
	return out, nil
}

// meddling is what a fixture spoils while somebody objects and is restricted: before all, after either word, once it was
// looked who sees the restricted, and once the lifting is announced. The actions are tried besides the product's own.
type meddling struct {
	before, objected, restricted, seen, announced world.Meddle

	actions []*vault.Action
}

// limit has somebody object, and restricts them.
func (w view) limit(ctx context.Context, m meddling) (l limited, err error) {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, w.Forget(ctx, p)) }()
	if err := m.before.With(ctx, w.World, p); err != nil {
		return l, err
	}
	if l.before, err = w.seen(ctx, p); err != nil {
		return l, err
	}
	if err := w.close(ctx, p, `{"kind":"object"}`); err != nil {
		return l, err
	}
	if err := m.objected.With(ctx, w.World, p); err != nil {
		return l, err
	}
	if l.objected, err = w.seen(ctx, p); err != nil {
		return l, err
	}
	if err := w.Ask(ctx, p, http.MethodDelete, "/v1/contacts/{contact}/restrictions/object", "", nil); err != nil {
		return l, err
	}
	if err := w.close(ctx, p, `{"kind":"restrict"}`); err != nil {
		return l, err
	}
	if err := m.restricted.With(ctx, w.World, p); err != nil {
		return l, err
	}
	return l, w.lookAtLimited(ctx, p, &l, m)
}

func (w view) lookAtLimited(ctx context.Context, p *world.Person, l *limited, m meddling) (err error) {
	if l.restricted, err = w.seen(ctx, p); err != nil {
		return err
	}
	if l.tried, l.through, err = w.Shown(ctx, p, slices.Concat(w.Identity.Actions(), m.actions)); err != nil {
		return err
	}
	if err := m.seen.With(ctx, w.World, p); err != nil {
		return err
	}
	for _, name := range closable {
		could, err := w.Writes(ctx, p, name)
		if err != nil {
			return err
		}
		if could {
			l.written = append(l.written, name)
		}
	}
	if l.kept, _, err = w.RowsAbout(ctx, p.Side.Tenant, p.Actor.Subject()); err != nil {
		return err
	}
	if l.refused, err = w.Refusals(ctx, p); err != nil {
		return err
	}
	if err := w.Ask(ctx, p, http.MethodDelete, "/v1/contacts/{contact}/restrictions/restrict", "", nil); err != nil {
		return err
	}
	if err := m.announced.With(ctx, w.World, p); err != nil {
		return err
	}
	if l.early, err = w.Sees(ctx, p, purpose.Assistant); err != nil {
		return err
	}
	if err := w.Ask(ctx, p, http.MethodDelete, "/v1/contacts/{contact}/restrictions/restrict?told=true", "", nil); err != nil {
		return err
	}
	l.lifted, err = w.Sees(ctx, p, purpose.Assistant)
	return err
}

// restriction is rgt-5.
func restriction(w view) claim.Claim {
	return claim.Claim{
		ID: "rgt-5", Theme: world.People, Owner: world.DPO, Every: world.Hourly, On: []string{"contact.restricted", "contact.objected"},
		Wording:   "Whoever objects, or has their data restricted, is processed no more and kept: of {rows} rows programs saw before, they see {left} of {purposes} purposes, none of {tried} actions of programs sees them, and {refused} attempts to write were refused and logged",
		Predicate: "After a canary's visitor objected, and again after a restriction was placed by the API, actions for answering by a program, enrichment, analytics and handing on see no row about them, no action by which programs are shown people or work on them sees them either, every attempt of theirs to write about them is refused and stands in the log, the rows are all still there, and are seen again once the restriction is lifted: not when that is ordered, but when the person is said to know of it.",
		Method:    "The probe lets a visitor write to a canary tenant, places and lifts objection and restriction by the API, and asks the store each time what an action for each purpose sees and may write.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P4.1"}, GDPR: []string{"18(1)", "21(1)", "18(2)", "18(3)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			l, err := w.limit(ctx, meddling{})
			return judgeLimits(l), err
		},
		Fixtures: []claim.Fixture{
			unlimited(w, "an action for programs whose purpose was dropped", meddling{actions: []*vault.Action{vault.Act("conversation.peek", purpose.Storage, vault.Scope("conversations:read"))}}),
			unlimited(w, "a restriction that stands in the records alone", meddling{restricted: unstand(purpose.Restrict)}),
			unlimited(w, "a restriction that cannot be lifted", meddling{restricted: world.Stand(purpose.Object, purpose.All)}),
			unlimited(w, "an objection that programs do not hear", meddling{objected: unstand(purpose.Object)}),
			unlimited(w, "a program that writes without looking", meddling{seen: unstand(purpose.Restrict)}),
			unlimited(w, "data that was deleted instead of kept", meddling{before: hoard, restricted: disperse}),
			unlimited(w, "a restriction that was lifted before the person was told", meddling{announced: unstand(purpose.Restrict)}),
			unlimited(w, "programs that saw nobody in the first place", meddling{before: world.Stand(purpose.Object, purpose.All)}),
			w.Scratch.Broken("programs that nobody tried", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				broken := *w
				broken.Identity = identity.New(w.Vault) // which knows of no action
				l, err := view{&broken}.limit(ctx, meddling{})
				return judgeLimits(l), err
			}),
			world.Fixture("refusals that nobody can read up", func(context.Context) (claim.Evidence, error) {
				return judgeLimits(limited{before: map[string]int{purpose.Assistant: 3, purpose.Enrichment: 3, purpose.Analytics: 3, purpose.Sync: 3}, kept: 3, lifted: 3, tried: 9}), nil
			}),
		},
	}
}

// unlimited is the probe while something is spoilt.
func unlimited(w view, name string, m meddling) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		l, err := view{w}.limit(ctx, m)
		return judgeLimits(l), err
	})
}

// unstand takes from the vault what a person has closed, and leaves the record of it.
func unstand(kind purpose.Kind) world.Meddle {
	return func(ctx context.Context, w *world.World, p *world.Person) error {
		return w.Vault.Do(ctx, world.System(p.Side.Tenant), world.Act, func(tx *vault.Tx) error {
			_, err := vault.Standings.DeleteWhere(tx, "person = ? AND kind = ?", p.Actor.Subject(), string(kind))
			return err
		})
	}
}

// hoard stores files about a person, more than a restriction adds rows.
func hoard(ctx context.Context, w *world.World, p *world.Person) (err error) {
	for range 20 {
		_, stored := w.Hoard(ctx, p, "text/plain", p.Word, 0)
		err = errors.Join(err, stored)
	}
	return err
}

// disperse removes what hoard stored.
func disperse(ctx context.Context, w *world.World, p *world.Person) error {
	return w.Vault.Do(ctx, world.System(p.Side.Tenant), world.Act, func(tx *vault.Tx) error {
		all, err := vault.Blobs.Find(tx, "subject = ?", p.Actor.Subject())
		for _, b := range all {
			err = errors.Join(err, w.Vault.DeleteBlob(tx, b.ID))
		}
		return err
	})
}

func judgeLimits(l limited) claim.Evidence {
	e := world.Evidence()
	rows, left, open := 0, 0, 0
	for _, name := range closable {
		rows = max(rows, l.before[name])
		left += l.restricted[name] + l.objected[name]
		if l.before[name] > 0 {
			open++
		}
		e.See(l.objected[name] == 0, name+" after an objection", "%d rows seen", l.objected[name])
		e.See(l.restricted[name] == 0, name+" after a restriction", "%d rows seen", l.restricted[name])
	}
	e.See(open == len(closable), "purposes that saw the person before", "%d", open)
	e.See(l.tried > len(closable) && len(l.through) == 0, "actions of programs that see the restricted", "%s of %d", orNone(l.through), l.tried)
	e.See(len(l.written) == 0, "purposes that could write all the same", "%s", orNone(l.written))
	e.See(l.refused >= len(closable), "refusals in the log", "%d", l.refused)
	e.See(l.kept >= rows && l.kept > 0, "rows that are kept meanwhile", "%d", l.kept)
	e.See(l.early == 0 && l.lifted > 0, "rows seen after lifting, and before the person was told", "%d, %d", l.lifted, l.early)
	e.Figure("rows", "%d", rows)
	e.Figure("left", "%d", left)
	e.Figure("purposes", "%s", page.Number(len(closable)))
	e.Figure("tried", "%d", l.tried)
	e.Figure("refused", "%d", l.refused)
	return e
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// signalled is what came of a browser's signal.
type signalled struct {
	closed  []string // what the person has closed afterwards, and by what act
	sold    bool     // an action for sale or sharing could write about the person
	support string   // what /.well-known/gpc.json answers
}

type restrictionJSON struct {
	Kind string `json:"kind"`
	How  string `json:"how"`
}

func (w view) history(ctx context.Context, p *world.Person) ([]restrictionJSON, error) {
	var list struct {
		Data []restrictionJSON `json:"data"`
	}
	err := w.Ask(ctx, p, http.MethodGet, "/v1/contacts/{contact}/restrictions/history", "", &list)
	return list.Data, err
}

// knock makes a request of the widget as the person's browser does, with these headers besides.
func (w view) knock(ctx context.Context, p *world.Person, signals ...string) error {
	header := world.WithJSON(inside.Bearer(p.Token))
	for _, s := range signals {
		header.Add("Sec-GPC", s)
	}
	a, err := w.Canaries.Door().Do(ctx, inside.Request{Method: http.MethodPost, Path: "/widget/v1/send", Body: []byte(`{"op":"hello"}`), Header: header})
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("say hello: status %d", a.Status)
	}
	return err
}

// signal sends the headers twice, and then a request without.
func (w view) signal(ctx context.Context, headers ...string) (s signalled, err error) {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, w.Forget(ctx, p)) }()
	for _, sent := range [][]string{headers, headers, nil} {
		if err := w.knock(ctx, p, sent...); err != nil {
			return s, err
		}
	}
	all, err := w.history(ctx, p)
	if err != nil {
		return s, err
	}
	for _, r := range all {
		s.closed = append(s.closed, r.Kind+" by "+r.How)
	}
	if s.sold, err = w.Writes(ctx, p, purpose.Sale); err != nil {
		return s, err
	}
	a, err := w.Canaries.Door().Get(ctx, "/.well-known/gpc.json", nil)
	s.support = strings.TrimSpace(string(a.Body))
	return s, err
}

// goodSignal is a signal that was heard.
func goodSignal() signalled {
	return signalled{closed: []string{"opt_out_sale by browser"}, support: `{"gpc":true}`}
}

// judgeSignal looks at what came of Global Privacy Control.
func judgeSignal(s signalled, e *claim.Evidence) {
	e.See(len(s.closed) == 1 && s.closed[0] == "opt_out_sale by browser", "recorded of the browser's signal", "%s", orNone(s.closed))
	e.See(!s.sold, "sale and sharing after the signal", "%s", map[bool]string{true: "could go on", false: "refused"}[s.sold])
	e.See(strings.Contains(s.support, `"gpc":true`), "/.well-known/gpc.json", "%s", s.support)
	e.Figure("records", "%d", len(s.closed))
	e.Figure("sent", "%d", 2)
}
