package people

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"aver/frame/claim"
	"aver/trust/canary/inside"
	"aver/trust/probes/world"
)

// testCard is a number that card networks give out for tests. It belongs to nobody.
const testCard = "4242424242424242"

// spelt is the number as people write it.
func spelt(between string) string {
	return strings.Join([]string{"4242", "4242", "4242", "4242"}, between)
}

// cardTexts are the ways in which the probe writes it.
var cardTexts = []string{testCard, spelt(" "), spelt("-"), spelt("\u00a0"), spelt("  "), "My card is " + spelt(" ") + ", thank you"}

// cardsClaim is rgt-10.
func cardsClaim(w view) claim.Claim {
	judge := func(texts ...string) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeCards(texts), nil }
	}
	return claim.Claim{
		ID: "rgt-10", Theme: world.People, Owner: world.DPO, Every: world.Hourly,
		Wording:   "Card numbers are never kept: {sent} ways of writing a test number sent in messages and in a name, {kept} kept",
		Predicate: "After a visitor of a canary tenant sent a test card number, written in each of several ways, in messages and as a name, nothing that the tenant's API returns about the conversation and the person holds its digits in a row, whatever stands between them.",
		Method:    "The probe sends the number that card networks give out for tests, with spaces, no-break spaces, dashes, without any and inside a sentence, lets the page call the visitor by it, reads conversation and contact by the API, strips all but the digits and looks for the number.",
		Refs:      claim.References{ISO: []string{"A.8.11", "A.8.12"}, SOC2: []string{"C1.1"}, GDPR: []string{"5(1)(c)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			p, err := w.NewPerson(ctx, cardTexts...)
			if err != nil {
				return claim.Evidence{}, err
			}
			texts, err := w.readCards(ctx, p)
			return judgeCards(texts), errors.Join(err, w.Forget(ctx, p))
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a number that was kept as it was sent", judge("hello", spelt(" "))),
			world.Fixture("a number that was kept with no-break spaces", judge("hello", spelt("\u00a0"))),
			world.Fixture("a number that was kept with dashes", judge("hello", spelt("-"))),
			world.Fixture("a number that was kept without a space", judge("hello", testCard)),
			world.Fixture("a number that was kept inside a sentence", judge("hello", "My card is "+spelt(" ")+", thank you")),
			world.Fixture("a conversation that cannot be read", judge()),
		},
	}
}

// readCards lets the page call the person by a card's number, and reads back what the API shows.
func (w view) readCards(ctx context.Context, p *world.Person) ([]string, error) {
	if _, err := w.Canaries.Widget(ctx, p.Token, map[string]any{"op": "set", "user": map[string]any{"name": p.Word + " " + spelt("-"), "company": map[string]any{"name": spelt("\u00a0")}}}); err != nil {
		return nil, err
	}
	var texts []string
	for _, path := range []string{"/v1/conversations/" + p.Conversation + "/parts", "/v1/contacts/" + p.Actor.Subject().String()} {
		a, err := w.Canaries.Door().Get(ctx, path, inside.Bearer(p.Side.Key))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte(p.Word)) {
			return nil, fmt.Errorf("read what was written: status %d, without the person's word", a.Status)
		}
		var parts any
		if err := json.Unmarshal(a.Body, &parts); err != nil {
			return nil, fmt.Errorf("read what was written: %w", err)
		}
		texts = append(texts, stringsIn(parts)...)
	}
	return texts, nil
}

// stringsIn are all texts of a JSON value: each by itself, so that digits of two do not run together.
func stringsIn(value any) (out []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, part := range v {
			out = append(out, stringsIn(part)...)
		}
	case map[string]any:
		for _, part := range v {
			out = append(out, stringsIn(part)...)
		}
	}
	return out
}

func digits(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

func judgeCards(texts []string) claim.Evidence {
	e, kept := world.Evidence(), 0
	for _, text := range texts {
		if strings.Contains(strings.Map(digits, text), testCard) {
			kept++
		}
	}
	e.See(len(texts) > 1, "texts read back", "%d", len(texts))
	e.See(kept == 0, "texts with the number's digits in a row", "%d", kept)
	e.Figure("sent", "%d", len(cardTexts)+2)
	e.Figure("kept", "%d", kept)
	return e
}
