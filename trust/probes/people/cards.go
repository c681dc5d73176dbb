package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"aver/frame/claim"
	"aver/trust/canary/inside"
	"aver/trust/probes/copies"
	"aver/trust/probes/world"
	"aver/vault"
)

// testCard is a number that card networks give out for tests. It belongs to nobody.
const testCard = "4242424242424242"

// spelt is the number as people write it.
func spelt(between string) string {
	return strings.Join([]string{"4242", "4242", "4242", "4242"}, between)
}

// cardTexts are the ways in which the probe writes it.
var cardTexts = []string{testCard, spelt(" "), spelt("-"), spelt("\u00a0"), spelt("\u200b"), spelt("/"), spelt(", "), "My card is " + spelt(" ") + ", thank you", eastern.Replace(spelt(" ")), wide.Replace(testCard)}

var (
	eastern = strings.NewReplacer("4", "٤", "2", "٢")
	wide    = strings.NewReplacer("4", "４", "2", "２")
)

// A way is an entrance by which the probe lets the number in.
type way struct {
	name string
	send func(view, context.Context, *world.Person) error
}

// ways are the entrances, besides what a visitor writes.
var ways = []way{
	{"what a page says about its visitor", func(w view, ctx context.Context, p *world.Person) error {
		_, err := w.Canaries.Widget(ctx, p.Token, map[string]any{"op": "set", "user": map[string]any{"name": p.Word + " " + spelt("-"), "company": map[string]any{"name": spelt("\u00a0")}},
			"events": []any{map[string]any{"name": "paid with " + testCard, "data": map[string]any{"card": spelt(" "), "number": json.Number(testCard)}}}})
		return err
	}},
	{"a text file", func(w view, ctx context.Context, p *world.Person) error {
		return w.handIn(ctx, p, "card.txt", []byte("my card: "+spelt(" ")))
	}},
	{"a document", func(w view, ctx context.Context, p *world.Person) error {
		return w.handIn(ctx, p, "card.docx", copies.Zip("[Content_Types].xml", "<Types/>", "word/document.xml", "<w:p><w:t>"+spelt(" ")+"</w:t></w:p>"))
	}},
	{"a page", func(w view, ctx context.Context, p *world.Person) error {
		return w.refused(ctx, p, "card.pdf", "%PDF-1.7\n1 0 obj\n<< /Type /XObject /Subtype /Form >> stream\nBT ("+spelt(" ")+") Tj ET\nendstream\nendobj\n")
	}},
	{"a file's name", func(w view, ctx context.Context, p *world.Person) error {
		return w.handIn(ctx, p, testCard+".txt", []byte("hello"))
	}},
	{"an answer", byAPI(http.MethodPost, "/v1/conversations/%[1]s/reply", map[string]any{"text": "Is it " + spelt(" ") + "?"})},
	{"a note", byAPI(http.MethodPost, "/v1/conversations/%[1]s/reply", map[string]any{"type": "note", "text": "pays with " + testCard})},
	{"a contact's fields", byAPI(http.MethodPut, "/v1/contacts/%[2]s", map[string]any{"name": spelt(" "), "company": testCard})},
}

// byAPI sends a body as the canary's program. The path may name the conversation and the contact.
func byAPI(method, path string, body map[string]any) func(view, context.Context, *world.Person) error {
	return func(w view, ctx context.Context, p *world.Person) error {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		at := fmt.Sprintf(path+"%.0[1]s%.0[2]s", p.Conversation, p.Actor.Subject().String())
		a, err := w.Canaries.Door().Do(ctx, inside.Request{Method: method, Path: at, Header: world.WithJSON(inside.Bearer(p.Side.Key)), Body: raw})
		if err == nil && a.Status >= http.StatusBadRequest {
			err = fmt.Errorf("%s %s: status %d: %s", method, path, a.Status, a.Body)
		}
		return err
	}
}

// handIn uploads a file as the visitor.
func (w view) handIn(ctx context.Context, p *world.Person, name string, content []byte) error {
	a, err := w.upload(ctx, p, name, content)
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("hand in a file: status %d", a.Status)
	}
	return err
}

// refused uploads a file in which nothing can be masked. That it is taken is no error: then its number is found.
func (w view) refused(ctx context.Context, p *world.Person, name, content string) error {
	a, err := w.upload(ctx, p, name, []byte(content))
	if err == nil && a.Status != http.StatusOK && a.Status != http.StatusUnprocessableEntity {
		err = fmt.Errorf("hand in a file: status %d", a.Status)
	}
	return err
}

func (w view) upload(ctx context.Context, p *world.Person, name string, content []byte) (inside.Answer, error) {
	header := inside.Bearer(p.Token)
	header.Set("X-File-Name", url.PathEscape(name))
	return w.Canaries.Door().Do(ctx, inside.Request{Method: http.MethodPost, Path: "/widget/v1/uploads", Header: header, Body: content})
}

// cardsClaim is rgt-10.
func cardsClaim(w view) claim.Claim {
	kept := func(name, content string) claim.Fixture {
		return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
			return view{w}.cards(ctx, func(ctx context.Context, w *world.World, p *world.Person) error {
				_, err := w.Hoard(ctx, p, "text/plain", content, 0)
				return err
			})
		})
	}
	return claim.Claim{
		ID: "rgt-10", Theme: world.People, Owner: world.DPO, Every: world.Hourly,
		Wording:   "Card numbers are masked, or refused, before anything is stored: a test number sent in {sent} ways, in messages, fields, notes and files, {kept} kept",
		Predicate: "After a visitor and a program of a canary tenant sent a test card number, written in each of several ways and scripts, in messages, as a name, in what a page tells, in notes, in a contact's fields, in a text file, in a document, on a page (PDF) and as a file's name, no value of any table that is about the person and no file of theirs holds its digits in a row, whatever stands between them.",
		Method:    "The probe sends the number that card networks give out for tests by every entrance, opens every row and every file about the person with the tenant's keys, turns digits of all scripts into those of ours, strips all but the digits and looks for the number. A file in which it cannot be masked is refused. What is to be seen on a picture or a scanned page is not read, and neither is what a PDF does not hold as text.",
		Refs:      claim.References{ISO: []string{"A.8.11", "A.8.12"}, SOC2: []string{"C1.1"}, GDPR: []string{"5(1)(c)"}},
		Probe:     func(ctx context.Context) (claim.Evidence, error) { return w.cards(ctx, nil) },
		Fixtures: []claim.Fixture{
			kept("a number that was kept as it was sent", spelt(" ")),
			kept("a number that was kept with no-break spaces", spelt("\u00a0")),
			kept("a number that was kept with dashes", spelt("-")),
			kept("a number that was kept with strokes", spelt("/")),
			kept("a number that was kept in the digits of another script", eastern.Replace(spelt(" "))),
			kept("a number that was kept in a document", string(copies.Zip("word/document.xml", "<w:t>"+spelt(" ")+"</w:t>"))),
			kept("a number that was kept on a page", "%PDF-1.7\nBT ("+spelt(" ")+") Tj ET"),
			world.Fixture("a person about whom nothing can be read", func(context.Context) (claim.Evidence, error) { return judgeCards(nil), nil }),
		},
	}
}

// cards lets the number in by every entrance and looks at what is stored.
func (w view) cards(ctx context.Context, meddle world.Meddle) (e claim.Evidence, err error) {
	p, err := w.NewPerson(ctx, cardTexts...)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, w.Forget(ctx, p)) }()
	for _, way := range ways {
		if err := way.send(w, ctx, p); err != nil {
			return e, fmt.Errorf("send a card's number by %s: %w", way.name, err)
		}
	}
	if err := meddle.With(ctx, w.World, p); err != nil {
		return e, err
	}
	stored, err := w.storedAbout(ctx, p)
	return judgeCards(stored), err
}

// storedAbout opens everything that is stored about a person: the values of every table's rows, and the files.
func (w view) storedAbout(ctx context.Context, p *world.Person) (texts []string, err error) {
	err = w.Vault.View(ctx, world.System(p.Side.Tenant), world.Act, func(tx *vault.Tx) error {
		texts = nil
		for _, table := range w.Vault.Tables() {
			err := w.Vault.EachRow(tx, table, p.Actor.Subject(), func(cells []vault.Cell) error {
				for _, c := range cells {
					texts = append(texts, cellText(c.Value))
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		files, err := vault.Blobs.Find(tx, "subject = ?", p.Actor.Subject())
		for _, f := range files {
			_, content, err := w.Vault.ReadBlob(tx, f.ID)
			if err != nil {
				return err
			}
			raw, err := io.ReadAll(content)
			if err != nil {
				return err
			}
			texts = append(texts, string(raw))
			parts, _ := copies.Unzip(raw) // what is no archive has none
			for _, part := range parts {
				texts = append(texts, string(part))
			}
		}
		return err
	})
	return texts, err
}

func cellText(value any) string {
	switch v := value.(type) {
	case []byte:
		return string(v)
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(value)
}

// digits are those of a text, in ours, those of the other scripts that the probe writes, too.
func digits(r rune) rune {
	for _, zero := range []rune{'0', '٠', '０'} {
		if r >= zero && r <= zero+9 {
			return '0' + r - zero
		}
	}
	return -1
}

func judgeCards(texts []string) claim.Evidence {
	e, kept := world.Evidence(), 0
	for _, text := range texts {
		if strings.Contains(strings.Map(digits, text), testCard) {
			kept++
		}
	}
	e.See(len(texts) > 1, "values and files about the person", "%d", len(texts))
	e.See(kept == 0, "of them with the number's digits in a row", "%d", kept)
	e.Figure("sent", "%d", len(cardTexts)+len(ways))
	e.Figure("kept", "%d", kept)
	return e
}
