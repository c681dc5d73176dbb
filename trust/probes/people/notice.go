package people

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary"
	"aver/trust/canary/inside"
	"aver/trust/documents"
	"aver/trust/probes/world"
)

// told is what a notice must tell, from where it is decided, and what the pages say.
type told struct {
	purposes   map[string]string // words that people are shown when they are asked, by purpose
	recipients []string          // names and hosts
	limits     map[string]int    // days, by class about people
	pages      map[string]string // by language
}

// informed is rgt-1.
func informed(w view) claim.Claim {
	good := func() told {
		text := `<div data-source="purpose support"><dt>x</dt><dd>We keep what you write.</dd></div><div data-source="register sbp_1"><dt>Modell GmbH</dt></div><div data-source="schedule messages"><dt>Messages</dt><dd>30 days</dd></div>`
		return told{purposes: map[string]string{"support": "We keep what you write."}, recipients: []string{"Modell GmbH"}, limits: map[string]int{"messages": 30}, pages: map[string]string{"en": text, "de": text}}
	}
	broken := func(name string, change func(*told)) claim.Fixture {
		n := good()
		change(&n)
		return world.Fixture(name, func(context.Context) (claim.Evidence, error) { return judgeNotice(n), nil })
	}
	return claim.Claim{
		ID: "rgt-1", Theme: world.People, Owner: world.DPO, Every: world.Hourly, On: []string{"retention.changed", "subprocessor.", "consent_notice.", "webhook."},
		Wording:   "People are told what for, by whom and how long: the notice of a canary workspace names {purposes} purposes, {recipients} recipients and {limits} limits in force, {missing} missing, in {languages} languages",
		Predicate: "In each language the public notice has the words of every purpose that people are asked to agree to, names every live sub-processor and every receiver of the workspace's, and states every limit of a class about people as the retention schedule has it.",
		Method:    "The probe reads the page as anybody may, and compares it with the consent notice, the purposes that the workspace defined, the register, the list of webhooks and the retention schedule, each read where it is decided.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P1.1"}, GDPR: []string{"12(1)", "13", "14"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			n, err := w.lookAtNotice(ctx, nil)
			return judgeNotice(n), err
		},
		Fixtures: []claim.Fixture{
			outdated(w, "a receiver whom the notice does not name", func(ctx context.Context, w *world.World, side *canary.Side) error {
				_, err := w.Canaries.Door().Do(ctx, inside.Request{Method: http.MethodPost, Path: "/v1/webhooks", Header: world.WithJSON(inside.Bearer(side.Key)), Body: []byte(`{"url":"https://schatten.invalid/","events":["contact.erased"]}`)})
				return err
			}),
			outdated(w, "a limit that was changed since", func(ctx context.Context, w *world.World, side *canary.Side) error {
				return w.Retention.SetLimit(ctx, side.Owner, "messages", 3)
			}),
			broken("a sub-processor that the notice does not name", func(n *told) { n.recipients = append(n.recipients, "Schatten Ltd") }),
			broken("a class that the notice does not name", func(n *told) { n.limits["connections"] = 90 }),
			broken("a purpose whose words people were not shown", func(n *told) { n.purposes["support"] = "We sell what you write." }),
			broken("a language that nobody wrote", func(n *told) { n.pages["de"] = "" }),
			broken("no page at all", func(n *told) { n.pages = nil }),
		},
	}
}

// outdated is the probe where something changes after the notice was written.
func outdated(w view, name string, change func(context.Context, *world.World, *canary.Side) error) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		n, err := view{w}.lookAtNotice(ctx, change)
		return judgeNotice(n), err
	})
}

func (w view) lookAtNotice(ctx context.Context, change func(context.Context, *world.World, *canary.Side) error) (n told, err error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return n, err
	}
	n = told{purposes: map[string]string{}, limits: map[string]int{}, pages: map[string]string{}}
	door := w.Canaries.Door()
	for _, lang := range documents.Languages {
		a, err := door.Get(ctx, "/my-data/"+side.Slug+"/notice?lang="+lang, nil)
		if err != nil {
			return n, err
		}
		if a.Status == http.StatusOK {
			n.pages[lang] = string(a.Body)
		}
	}
	if change != nil {
		if err := change(ctx, w.World, side); err != nil {
			return n, err
		}
	}
	notice, err := list[struct{ Language, Text, Purpose string }](ctx, door, side, "/v1/consent_notices")
	if err != nil {
		return n, err
	}
	for _, one := range notice {
		if one.Language == documents.Languages[0] {
			n.purposes[one.Purpose] = one.Text
		}
	}
	defined, err := list[struct {
		ID      string
		Version int
	}](ctx, door, side, "/v1/purposes")
	if err != nil {
		return n, err
	}
	for _, p := range defined {
		if p.Version > 0 {
			n.purposes[p.ID] += "" // it must be named, with whatever words
		}
	}
	if n.recipients, err = w.recipients(ctx, door, side); err != nil {
		return n, err
	}
	classes, err := w.Retention.Oldest(ctx, side.Tenant)
	if err != nil {
		return n, err
	}
	idle, err := w.idle(ctx, side)
	for _, c := range classes {
		if idle[c.Name] && c.Oldest.IsZero() {
			continue // nothing is there, and nothing comes
		}
		if c.Limit > 0 && slices.ContainsFunc(c.Categories, func(category string) bool { return strings.HasPrefix(category, "user") }) && !ofStaff[c.Name] {
			n.limits[c.Name] = int((c.Limit + world.Daily - 1) / world.Daily)
		}
	}
	return n, err
}

// idle are the classes of purposes for which nothing is processed now.
func (w view) idle(ctx context.Context, side *canary.Side) (map[string]bool, error) {
	f, err := w.Documents.Collect(ctx, side.Tenant)
	out := map[string]bool{}
	for _, p := range f.Purposes {
		for _, c := range f.Of(p.ID) {
			out[c.Name] = p.Idle
		}
	}
	return out, err
}

// ofStaff are classes about people who answer, whom their employer informs.
var ofStaff = map[string]bool{"credentials": true}

func (w view) recipients(ctx context.Context, door *inside.Door, side *canary.Side) (names []string, err error) {
	live, err := w.Companies.Live(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range live {
		names = append(names, c.Name)
	}
	purposes, err := list[struct{ Recipients []string }](ctx, door, side, "/v1/purposes")
	if err != nil {
		return nil, err
	}
	for _, p := range purposes {
		names = append(names, p.Recipients...)
	}
	hooks, err := list[struct{ URL string }](ctx, door, side, "/v1/webhooks")
	for _, h := range hooks {
		if u, fault := url.Parse(h.URL); fault == nil {
			names = append(names, u.Hostname())
		}
	}
	return names, err
}

// list reads a list of the API with a canary's key.
func list[T any](ctx context.Context, door *inside.Door, side *canary.Side, path string) ([]T, error) {
	a, err := door.Get(ctx, path, inside.Bearer(side.Key))
	if err != nil {
		return nil, err
	}
	var out struct {
		Data []T `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &out); err != nil || a.Status != http.StatusOK {
		return nil, fmt.Errorf("read %s: %d, %w", path, a.Status, err)
	}
	return out.Data, nil
}

func judgeNotice(n told) claim.Evidence {
	e := world.Evidence()
	var missing []string
	absent := func(lang, what string, found bool) {
		if !found {
			missing = append(missing, lang+": "+what)
		}
	}
	for lang, text := range n.pages {
		for purpose, words := range n.purposes {
			line := part(text, "purpose "+purpose)
			absent(lang, "purpose "+purpose, line != "" && (lang != documents.Languages[0] || strings.Contains(line, words)))
		}
		for _, name := range n.recipients {
			absent(lang, name, strings.Contains(html.UnescapeString(text), name))
		}
		for class, days := range n.limits {
			absent(lang, class, strings.Contains(part(text, "schedule "+class), ">"+page.Number(days)+" "))
		}
	}
	slices.Sort(missing)
	e.See(len(n.pages) > 1, "languages", "%d", len(n.pages))
	e.See(len(n.purposes) > 0 && len(n.limits) > 0, "what must be told", "%d purposes, %d recipients, %d limits", len(n.purposes), len(n.recipients), len(n.limits))
	e.See(len(missing) == 0, "what the notice does not tell", "%d %s", len(missing), strings.Join(missing[:min(8, len(missing))], ", "))
	e.Figure("purposes", "%d", len(n.purposes))
	e.Figure("recipients", "%d", len(n.recipients))
	e.Figure("limits", "%d", len(n.limits))
	e.Figure("missing", "%d", len(missing))
	e.Figure("languages", "%d", len(n.pages))
	return e
}

// part is the line of a notice that was taken from a source.
func part(page, source string) string {
	_, after, found := strings.Cut(page, `data-source="`+source+`"`)
	if !found {
		return ""
	}
	line, _, _ := strings.Cut(after, `data-source="`)
	return html.UnescapeString(line)
}
