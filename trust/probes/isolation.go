package probes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"aver/base/clock"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/postings"
)

// roundAge is how old a round of attacks may be that the claim rests on.
const roundAge = 90 * time.Minute

// crossing is iso-1.
func crossing(w view) claim.Claim {
	return claim.Claim{
		ID: "iso-1", Theme: world.Isolation, Owner: world.Security, Every: world.Often, Within: 5 * time.Minute,
		Wording:   "Every tenant's data lies apart: {attempts} attempts to get across in the last round, through {operations} operations, {leaks} got through; {untried} parameters had nothing to name",
		Predicate: "In the last round of attacks of one canary tenant on the other, every answer equals the one for something that does not exist, no answer holds a byte of the other tenant, and nothing of the other tenant was changed. What could not be tried, for want of something to name, is listed.",
		Method:    "One of two tenants that nobody else uses attacks the other all the time, about two requests a second, through every operation of the API, every page and every socket except signing in and links whose parameter is a secret. The attempts are generated from what operations declare, so a new one is attacked from its first day.",
		Refs:      claim.References{ISO: []string{"A.5.15", "A.8.3", "A.8.22"}, SOC2: []string{"CC6.1", "C1.1"}, GDPR: []string{"32(1)(b)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			last := w.Canaries.Last()
			if !clock.Within(w.Vault.Now(), last.At, roundAge) {
				var err error
				if last, err = w.Canaries.Round(ctx, canary.Options{Brief: true}); err != nil {
					return claim.Evidence{}, err
				}
			}
			return judgeRound(last)
		},
		Fixtures: []claim.Fixture{
			world.Fixture("an answer that says forbidden where it should say that there is nothing", leakyRound(func(_, victim string) inside.Answer {
				return inside.Answer{Status: http.StatusForbidden}
			})),
			world.Fixture("a page of the other tenant", leakyRound(func(root, _ string) inside.Answer {
				return inside.Answer{Status: http.StatusNotFound, Body: []byte("written by " + root)}
			})),
		},
	}
}

func judgeRound(r canary.Report) (claim.Evidence, error) {
	if r.Attempts == 0 {
		return claim.Evidence{}, errors.New("no attempt was made")
	}
	e := world.Evidence()
	e.Figure("attempts", "%s", page.Number(r.Attempts))
	e.Figure("operations", "%s", page.Number(r.Operations))
	e.Figure("leaks", "%d", len(r.Findings))
	e.See(len(r.Findings) == 0, "answers to the attacker", "%d of %d told or showed something", len(r.Findings), r.Attempts)
	e.See(r.Writes == 0, "the other tenant's log", "%d changes that are not its own", r.Writes)
	e.See(true, "what could not be tried", "%s", orMissing(r.Missing))
	e.Figure("untried", "%d", len(r.Missing))
	for _, f := range r.Findings[:min(len(r.Findings), 5)] {
		e.See(false, f.What+" as "+f.As, "%s", f.Why)
	}
	return e, nil
}

// orMissing lists what an attack would have had to name and the victim has none of: trying it proves nothing.
func orMissing(slots []string) string {
	if len(slots) == 0 {
		return "nothing: the other tenant has one of every kind"
	}
	return "the other tenant has nothing to name for " + strings.Join(slots, ", ")
}

// leakyRound attacks a small edge of its own that answers wrongly to what names the victim.
func leakyRound(wrong func(root, id string) inside.Answer) func(context.Context) (claim.Evidence, error) {
	return func(ctx context.Context) (claim.Evidence, error) {
		const victim, root = "con_06h023z1hxy8vcecxmtp173nhg", "qxvictimvictim"
		door := inside.Open(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			a := inside.Answer{Status: http.StatusNotFound}
			if bytes.Contains([]byte(r.URL.Path), []byte(victim)) {
				a = wrong(root, victim)
			}
			rw.WriteHeader(a.Status)
			_, _ = rw.Write(a.Body)
		}), "fixture")
		defer door.Close()
		rig := &attack.Rig{Door: door, Attacker: &attack.Side{Callers: []attack.Caller{{Name: attack.Owner}}, Pool: attack.Pool{}, Root: "qxattackerattacker"},
			Victim: &attack.Side{Pool: attack.Pool{"contact": {victim}}, Root: root}}
		report := canary.Report{At: time.Now()}
		for _, a := range rig.PlanRoutes([]attack.Route{{Method: http.MethodGet, Path: "/contacts/{id}"}}) {
			found, err := rig.Try(ctx, a)
			if err != nil {
				return claim.Evidence{}, err
			}
			report.Attempts++
			if found != nil {
				report.Findings = append(report.Findings, *found)
			}
		}
		return judgeRound(report)
	}
}

// shelf is something of the application that all tenants' requests go through, and what it holds.
type shelf struct {
	name   string
	status int
	text   []byte
}

// fewest is how many shelves there must be to read: an application that answers nobody mixes nothing, and proves nothing.
const fewest = 5

// pooling is iso-2.
func pooling(w view) claim.Claim {
	return claim.Claim{
		ID: "iso-2", Theme: world.Isolation, Owner: world.Security, Every: world.Hourly,
		Wording:   "Nothing mixes tenants: {shelves} shared places hold {found} words of either canary, and the word index has {shared} entries in common",
		Predicate: "The metrics and at least five shared pages can be read, none of them answers with a fault, no metric and no shared page holds a word or an identifier of a canary tenant, and the same word gives different index entries in each of the two.",
		Method:    "The probe reads the metrics and, without a session, every page that can be read without naming anything, and compares the word indexes of two tenants that hold the same words.",
		Refs:      claim.References{ISO: []string{"A.8.3", "A.8.11"}, SOC2: []string{"CC6.1", "C1.1"}, GDPR: []string{"5(1)(f)", "32(1)(b)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			north, err := w.Canaries.Await(ctx, canary.North)
			if err != nil {
				return claim.Evidence{}, err
			}
			south := w.Canaries.Side(canary.South)
			shelves, err := w.shelves(ctx)
			if err != nil {
				return claim.Evidence{}, err
			}
			one, err := filledIndex(ctx, w.Vault, north)
			if err != nil {
				return claim.Evidence{}, err
			}
			other, err := filledIndex(ctx, w.Vault, south)
			if err != nil {
				return claim.Evidence{}, err
			}
			marks := attack.NewMarks(north.Root, south.Root, north.Slug, south.Slug, north.Tenant.String(), south.Tenant.String())
			return judgeShelves(shelves, marks, one, other)
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a metric with a tenant's name in it", func(context.Context) (claim.Evidence, error) {
				return judgeShelves(withMetrics(`messages{tenant="canary-north-abc"} 4`), attack.NewMarks("canary-north-abc"), map[string]bool{"a": true}, map[string]bool{"b": true})
			}),
			world.Fixture("one word index for all tenants", func(context.Context) (claim.Evidence, error) {
				return judgeShelves(withMetrics(""), attack.NewMarks("canary-north-abc"), map[string]bool{"a": true}, map[string]bool{"a": true})
			}),
			world.Fixture("an application that answers everything with 503", func(ctx context.Context) (claim.Evidence, error) {
				door := inside.Open(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) }), "fixture")
				defer door.Close()
				shelves, err := readPages(ctx, door, slices.Repeat([]string{"/trust"}, fewest))
				if err != nil {
					return claim.Evidence{}, err
				}
				return judgeShelves(shelves, attack.NewMarks("canary-north-abc"), map[string]bool{"a": true}, map[string]bool{"b": true})
			}),
			world.Fixture("an application that sends everybody to sign in", func(context.Context) (claim.Evidence, error) {
				return judgeShelves(slices.Repeat([]shelf{{"/", http.StatusSeeOther, nil}}, fewest), attack.NewMarks("canary-north-abc"), map[string]bool{"a": true}, map[string]bool{"b": true})
			}),
		},
	}
}

// withMetrics is an application's shelves, the metrics among them.
func withMetrics(text string) []shelf {
	return append(slices.Repeat([]shelf{{"/trust", http.StatusOK, nil}}, fewest), shelf{"metrics", http.StatusOK, []byte(text)})
}

func (w view) shelves(ctx context.Context) ([]shelf, error) {
	var out []shelf
	if at := w.Addresses().Admin; at != "" {
		s, err := w.metrics(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("read the metrics: %w", err)
		}
		out = append(out, s)
	}
	pages, err := readPages(ctx, w.Canaries.Door(), w.Pages())
	return append(out, pages...), err
}

func readPages(ctx context.Context, door *inside.Door, pages []string) (out []shelf, err error) {
	for _, path := range pages {
		if strings.HasPrefix(path, "/v1/") { // which answer nobody
			continue
		}
		a, err := door.Get(ctx, path, nil)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		out = append(out, shelf{path, a.Status, a.Body})
	}
	return out, nil
}

// metrics reads what monitoring reads.
func (w view) metrics(ctx context.Context, at string) (s shelf, err error) {
	conn, err := w.Dial(ctx, at)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+"/metrics", http.NoBody)
	if err != nil {
		return s, err
	}
	if err := request.Write(conn); err != nil {
		return s, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, inside.MaxAnswer))
	return shelf{"metrics", answer.StatusCode, text}, err
}

// filledIndex waits until something of a tenant's is in its word index: words are indexed shortly after they are written.
func filledIndex(ctx context.Context, v *vault.Vault, side *canary.Side) (map[string]bool, error) {
	for {
		entries, err := indexEntries(ctx, v, side)
		if err != nil || len(entries) > 0 {
			return entries, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the word index of a canary: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// indexEntries are the entries of a tenant's word index. The canaries hold words that both have, such as "question".
func indexEntries(ctx context.Context, v *vault.Vault, side *canary.Side) (map[string]bool, error) {
	out := map[string]bool{}
	err := v.Stored(ctx, side.Tenant, func(table string, row []any) error {
		var tokens []byte
		switch table {
		case "search_terms": // …, token, places
			tokens, _ = row[len(row)-2].([]byte)
		case "search_fresh": // …, tokens
			tokens, _ = row[len(row)-1].([]byte)
		}
		for part := range slices.Chunk(tokens, postings.TokenSize) {
			out[string(part)] = true
		}
		return nil
	})
	return out, err
}

func judgeShelves(shelves []shelf, marks *attack.Marks, one, other map[string]bool) (claim.Evidence, error) {
	e, found, shared, read := world.Evidence(), 0, 0, 0
	for _, s := range shelves {
		form := marks.Find(s.text)
		if form != "" {
			found++
		}
		if form == "" && s.name != "metrics" && s.status >= 300 && s.status < 500 { // for those who have signed in or name something
			continue
		}
		read++
		e.See(form == "" && s.status == http.StatusOK, s.name, "status %d, %s", s.status, orClean(form, len(s.text)))
	}
	e.See(read >= fewest, "shared places that can be read", "%d, of at least %d", read, fewest)
	for token := range one {
		if other[token] {
			shared++
		}
	}
	e.See(shared == 0, "word indexes of two tenants", "%d and %d entries, %d in common", len(one), len(other), shared)
	e.Figure("shelves", "%d", read)
	e.Figure("found", "%d", found)
	e.Figure("shared", "%d", shared)
	return e, nil
}

func orClean(form string, size int) string {
	if form == "" {
		return world.Bytes(int64(size)) + " read, nothing of a canary's"
	}
	return "words of a canary (" + form + ")"
}
