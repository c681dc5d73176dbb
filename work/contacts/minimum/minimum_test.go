package minimum_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/consent"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/fields"
	"aver/work/contacts/imports"
	"aver/work/contacts/minimum"
	"aver/work/contacts/web"
)

func TestMain(m *testing.M) { moduletest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// house is the contacts with everything through which something about a person comes in.
type house struct {
	*vaulttest.Kit
	contacts *contacts.Service
	imports  *imports.Service
	minimum  *minimum.Service
	handler  http.Handler
	owner    vault.Actor
	program  vault.Actor
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	c := moduletest.Config(t, identity.New(nil).Module(), consent.New(nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module(), imports.New(nil, nil).Module())
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) {
		h := &house{Kit: k, contacts: contacts.New(k.Vault), minimum: minimum.New(k.Vault, nil), owner: vaulttest.User(k.Tenant, vault.Owner), program: vaulttest.Key(k.Tenant, "contacts:read", "contacts:write", "settings:read", "settings:write")}
		h.imports = imports.New(k.Vault, h)
		h.handler = moduletest.Mux(web.New(h.contacts, h.imports, nil).Module(), h.minimum.Module())
		_, err := h.contacts.Attributes.Define(t.Context(), h.owner, attributes.Attribute{Name: "plan", Kind: attributes.Text})
		must(t, err)
		test(t, h)
	})
}

// Enqueue does an import's work at once.
func (h *house) Enqueue(ctx context.Context, _ string, tenant ids.Tenant, id string, _ time.Time) error {
	return h.imports.Work(ctx, jobs.Job{Tenant: tenant, ID: id, Attempt: 1})
}

// off switches a field off, without the sweep, which is a job's.
func (h *house) off(t *testing.T, f fields.Field) {
	t.Helper()
	must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), act, func(tx *vault.Tx) error { return fields.Table.Put(tx, fields.Row{Field: f, OffAt: tx.Now()}) }))
}

var act = vault.Act("test.switch", purpose.Storage, vault.System())

// sample is a value of a field, known again wherever it turns up.
var sample = map[fields.Field]string{fields.Name: "Zytania Orvel", fields.Email: "mail7@brunholt.example", fields.Phone: "+4930901820", fields.Company: "Quellmann KG", fields.Language: "sv", fields.Attributes: "quellgold"}

func draft(f fields.Field) contacts.Draft {
	d := contacts.Draft{}
	switch f {
	case fields.Name:
		d.Name = sample[f]
	case fields.Email:
		d.Email = sample[f]
	case fields.Phone:
		d.Phone = sample[f]
	case fields.Company:
		d.Company = sample[f]
	case fields.Language:
		d.Language = sample[f]
	case fields.Attributes:
		d.Attributes = attributes.Values{"plan": sample[f]}
	}
	return d
}

// json is the same for the API.
func json(f fields.Field) map[string]any {
	if f == fields.Attributes {
		return map[string]any{"custom_attributes": map[string]any{"plan": sample[f]}}
	}
	return map[string]any{string(f): sample[f]}
}

// form is the same for the console.
func form(f fields.Field) []string {
	if f == fields.Attributes {
		return []string{"custom_attributes.plan", sample[f]}
	}
	return []string{string(f), sample[f]}
}

func (h *house) as(who vault.Actor) http.Handler { return moduletest.Edge(h.handler, who, page.View{}) }

// entrances are all ways in which something about a person comes in. Those of people who work for the tenant, and of its
// programs, answer what is refused; those of browsers take the rest.
var entrances = []struct {
	name    string
	browser bool
	put     func(*testing.T, *house, fields.Field) error
}{
	{"the widget's first message", true, func(t *testing.T, h *house, f fields.Field) error {
		_, err := h.contacts.NewVisitor(t.Context(), h.Tenant, draft(f))
		return err
	}},
	{"the page's script", true, func(t *testing.T, h *house, f fields.Field) error {
		left, err := h.contacts.Claim(t.Context(), vaulttest.Visitor(h.Tenant, h.somebody(t)), draft(f), nil)
		if len(left) != 1 || !strings.HasSuffix(left[0], string(f)) && f != fields.Attributes {
			t.Errorf("the page was told that %q was left out", left)
		}
		return err
	}},
	{"a signed identity of somebody new", true, func(t *testing.T, h *house, f fields.Field) error {
		_, err := h.contacts.Identify(t.Context(), h.Tenant, ids.Contact{}, signed("u-new", f))
		return err
	}},
	{"a signed identity of a visitor", true, func(t *testing.T, h *house, f fields.Field) error {
		_, err := h.contacts.Identify(t.Context(), h.Tenant, h.somebody(t), signed("u-visitor", f))
		return err
	}},
	{"a signed identity of somebody known", true, func(t *testing.T, h *house, f fields.Field) error {
		_, err := h.contacts.Identify(t.Context(), h.Tenant, ids.Contact{}, identity.TokenClaims{UserID: "u-known"})
		must(t, err)
		_, err = h.contacts.Identify(t.Context(), h.Tenant, ids.Contact{}, signed("u-known", f))
		return err
	}},
	{"the API makes", false, func(t *testing.T, h *house, f fields.Field) error { return h.call(t, "POST", "/v1/contacts", f) }},
	{"the API changes", false, func(t *testing.T, h *house, f fields.Field) error {
		return h.call(t, "PUT", "/v1/contacts/"+h.somebody(t).String(), f)
	}},
	{"the API knows by its own identifier", false, func(t *testing.T, h *house, f fields.Field) error {
		return h.call(t, "PUT", "/v1/contacts/by-external-id/crm-1", f)
	}},
	{"the console adds", false, func(t *testing.T, h *house, f fields.Field) error {
		return refusal(moduletest.Post(h.as(h.owner), "/contacts", form(f)...))
	}},
	{"the console corrects", false, func(t *testing.T, h *house, f fields.Field) error {
		return refusal(moduletest.Post(h.as(h.owner), "/contacts/"+h.somebody(t).String()+"/edit", form(f)...))
	}},
	{"a list is planned", false, func(t *testing.T, h *house, f fields.Field) error {
		i := h.upload(t, f)
		return h.imports.Try(t.Context(), h.owner, i.ID, plan(f))
	}},
}

func signed(user string, f fields.Field) identity.TokenClaims {
	d := draft(f)
	claims := identity.TokenClaims{UserID: user, Name: d.Name, Email: d.Email, Phone: d.Phone, Attributes: map[string]string{}}
	for name, value := range d.Attributes {
		claims.Attributes[name] = value.(string)
	}
	return claims
}

func (h *house) somebody(t *testing.T) ids.Contact {
	t.Helper()
	c, err := h.contacts.NewVisitor(t.Context(), h.Tenant, contacts.Draft{})
	must(t, err)
	return c.ID
}

func (h *house) call(t *testing.T, method, path string, f fields.Field) error {
	t.Helper()
	return refusal(moduletest.Call(t, h.as(h.program), method, path, json(f), nil))
}

// refusal is what an answer says, as the error that it was.
func refusal(a moduletest.Answer) error {
	switch {
	case a.Status < 400:
		return nil
	case a.Status == http.StatusUnprocessableEntity && strings.Contains(a.Body, "does not process"):
		return errs.New(errs.Invalid, "refused", errs.Field{Code: "not-processed"})
	}
	return fmt.Errorf("%d %s", a.Status, a.Body)
}

func (h *house) upload(t *testing.T, f fields.Field) imports.Import {
	t.Helper()
	i, err := h.imports.Upload(t.Context(), h.owner, "people.csv", strings.NewReader("Customer ID,Value\nc-1,"+sample[f]+"\n"))
	must(t, err)
	return i
}

func plan(f fields.Field) imports.Plan {
	column := string(f)
	if f == fields.Attributes {
		column = imports.Own + "plan"
	}
	return imports.Plan{Fields: []string{"external_id", column}, Ground: identity.Ground{Basis: purpose.Contract, Purpose: purpose.Support, Since: vaulttest.Start, Words: "contract"}}
}

func TestASwitchedOffFieldIsRefusedOrDroppedAtEveryEntrance(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for f := range sample {
			h.off(t, f)
			for _, in := range entrances {
				if in.name == "the page's script" && f == fields.Language {
					continue // scripts cannot say a language
				}
				err := in.put(t, h, f)
				refused := errs.Is(err, errs.Invalid) && errs.AsProblem(err).Errors[0].Code == "not-processed"
				if in.browser && err != nil {
					t.Errorf("%s, %s: a browser is told %v", f, in.name, err)
				}
				if !in.browser && !refused {
					t.Errorf("%s, %s: got %v, want a refusal", f, in.name, err)
				}
			}
			h.holdsNone(t, f)
			must(t, h.minimum.Process(t.Context(), h.owner, f, true))
			must(t, h.call(t, "POST", "/v1/contacts", f))
			if h.holding(t, f) == 0 {
				t.Errorf("%s is not stored after it was switched on again", f)
			}
		}
	})
}

// holding counts in how many contacts and lines of history a field is, whose words are found, and who is found by it.
func (h *house) holding(t *testing.T, f fields.Field) (n int) {
	t.Helper()
	h.Filed(t)
	must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), act, func(tx *vault.Tx) error {
		n = 0
		all, err := contacts.Contacts.Find(tx, "ORDER BY id LIMIT 1000")
		if err != nil {
			return err
		}
		for _, c := range all {
			held := map[fields.Field]bool{fields.Name: !c.Name.IsZero(), fields.Email: !c.Email.IsZero(), fields.Phone: !c.Phone.IsZero(), fields.Company: !c.Company.IsZero(),
				fields.Language: c.Language != "", fields.Attributes: !c.Attributes.IsZero(), fields.Seen: !c.SeenAt.Equal(c.CreatedAt)}
			if held[f] {
				n++
			}
		}
		history, err := contacts.Changes.Count(tx, "field = ?", string(f))
		if err != nil {
			return err
		}
		found, err := contacts.Contacts.Search(tx, strings.Fields(sample[f] + " x")[0], 10)
		if err != nil {
			return err
		}
		n += history + len(found)
		if f == fields.Email || f == fields.Phone {
			owners, err := contacts.Contacts.Lookup(tx, string(f), sample[f])
			n += len(owners)
			return err
		}
		return nil
	}))
	return n
}

func (h *house) holdsNone(t *testing.T, f fields.Field) {
	t.Helper()
	if n := h.holding(t, f); n > 0 {
		t.Errorf("%s is in %d places although it is switched off", f, n)
	}
}

func TestAListThatWasPlannedBeforeTheSwitchStoresNothingOfTheField(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for f := range sample {
			i := h.upload(t, f)
			must(t, h.imports.Try(t.Context(), h.owner, i.ID, plan(f)))
			h.off(t, f)
			must(t, h.imports.Start(t.Context(), h.owner, i.ID))
			done, err := h.imports.Get(t.Context(), h.owner, i.ID)
			must(t, err)
			if done.Made != 0 || done.Refused != 1 {
				t.Errorf("%s: %d made, %d refused", f, done.Made, done.Refused)
			}
			h.holdsNone(t, f)
			must(t, h.minimum.Process(t.Context(), h.owner, f, true))
		}
	})
}

func TestAColumnIsNotGuessedToFillASwitchedOffField(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.off(t, fields.Phone)
		i, err := h.imports.Upload(t.Context(), h.owner, "people.csv", strings.NewReader("Name,Phone\nZyta,1\n"))
		must(t, err)
		if i.Columns[0].Field != "name" || i.Columns[1].Field != "" {
			t.Errorf("guessed %+v", i.Columns)
		}
	})
}

func TestWhenPeopleWereLastSeenIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.off(t, fields.Seen)
		id := h.somebody(t)
		h.Clock.Advance(time.Hour)
		must(t, h.contacts.Seen(t.Context(), h.Tenant, id))
		_, err := h.contacts.Claim(t.Context(), vaulttest.Visitor(h.Tenant, id), contacts.Draft{Name: "Zyta"}, nil)
		must(t, err)
		_, err = h.contacts.Identify(t.Context(), h.Tenant, id, identity.TokenClaims{UserID: "u1"})
		must(t, err)
		h.holdsNone(t, fields.Seen)
	})
}

func TestWhatWasStoredBeforeIsSweptWithItsHistoryWordsAndIndexes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		full := contacts.Draft{Name: sample[fields.Name], Email: sample[fields.Email], Phone: sample[fields.Phone], Company: sample[fields.Company], Language: "sv", Attributes: attributes.Values{"plan": sample[fields.Attributes]}}
		var all []ids.Contact
		for range 3 {
			c, err := h.contacts.Create(t.Context(), h.owner, full)
			must(t, err)
			_, err = h.contacts.Update(t.Context(), h.owner, c.ID, contacts.Draft{Name: "Anders", Email: "anders@anders.example", Phone: "+4930901821", Company: "Anders AG", Attributes: attributes.Values{"plan": "silver"}})
			must(t, err)
			_, err = h.contacts.Update(t.Context(), h.owner, c.ID, full)
			must(t, err)
			all = append(all, c.ID)
		}
		must(t, h.contacts.Merge(t.Context(), h.owner, all[0], all[1], ""))
		h.Clock.Advance(time.Hour)
		for _, id := range all {
			must(t, h.contacts.Seen(t.Context(), h.Tenant, id))
		}
		for _, f := range []fields.Field{fields.Name, fields.Email, fields.Phone, fields.Company, fields.Language, fields.Attributes, fields.Seen} {
			if h.holding(t, f) == 0 {
				t.Fatalf("%s is not there before", f)
			}
			h.off(t, f)
			must(t, h.minimum.Sweep(t.Context(), h.Tenant))
			h.holdsNone(t, f)
		}
		must(t, h.contacts.Unmerge(t.Context(), h.owner, all[0]))
		must(t, h.contacts.Merge(t.Context(), h.owner, all[2], all[1], ""))
		for f := range sample {
			h.holdsNone(t, f)
		}
		all2, people, err := h.minimum.Switches(t.Context(), h.owner)
		must(t, err)
		for _, one := range all2 {
			if one.Off && (one.Removed < 3 || one.Looked != 0 && one.Looked != people) {
				t.Errorf("of %s %d values were removed, %d of %d people looked at", one.Field, one.Removed, one.Looked, people)
			}
		}
	})
}

// A write that began before the switch may end after the first pass has gone by.
func TestASecondPassCatchesWhatCameDuringTheFirst(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.somebody(t)
		h.off(t, fields.Phone)
		must(t, h.minimum.Sweep(t.Context(), h.Tenant))
		must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), act, func(tx *vault.Tx) error { // as if it had looked at the switches before
			c, err := contacts.Contacts.Get(tx, id)
			if err != nil {
				return err
			}
			late, err := contacts.Check(draft(fields.Phone))
			c.Phone = personal.Of(late.Phone)
			return errors.Join(err, contacts.Contacts.Put(tx, c))
		}))
		if done := h.sweeping(t, fields.Phone); done.Done || h.holding(t, fields.Phone) == 0 {
			t.Fatalf("before the second pass: %+v", done)
		}
		must(t, h.minimum.Sweep(t.Context(), h.Tenant))
		h.holdsNone(t, fields.Phone)
		if done := h.sweeping(t, fields.Phone); !done.Done {
			t.Errorf("after the second pass: %+v", done)
		}
		must(t, h.minimum.Sweep(t.Context(), h.Tenant))
	})
}

func (h *house) sweeping(t *testing.T, f fields.Field) minimum.Switch {
	t.Helper()
	all, _, err := h.minimum.Switches(t.Context(), h.owner)
	must(t, err)
	for _, one := range all {
		if one.Field == f {
			return one
		}
	}
	t.Fatalf("there is no %s", f)
	return minimum.Switch{}
}

func TestASweepOfManyGoesOnWhereItStopped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const people = 450 // more than two batches
		var all []ids.Contact
		for range people {
			who, err := h.Vault.NewSubject(t.Context(), vaulttest.System(h.Tenant))
			must(t, err)
			all = append(all, who)
		}
		checked, err := contacts.Check(draft(fields.Email))
		must(t, err)
		for from := 0; from < people; from += 150 {
			must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), act, func(tx *vault.Tx) error {
				for _, who := range all[from : from+150] {
					c := contacts.Contact{ID: who, Role: contacts.Lead, Basis: contacts.FromAPI, Email: personal.Of(checked.Email), CreatedAt: tx.Now(), UpdatedAt: tx.Now(), SeenAt: tx.Now()}
					if err := contacts.Contacts.Add(tx, c); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		h.off(t, fields.Email)
		stopped, stop := context.WithCancel(t.Context())
		stop()
		if err := h.minimum.Sweep(stopped, h.Tenant); err == nil {
			t.Error("a sweep that was stopped says it ended")
		}
		must(t, h.minimum.Sweep(t.Context(), h.Tenant))
		must(t, h.minimum.Sweep(t.Context(), h.Tenant))
		h.holdsNone(t, fields.Email)
		if done := h.sweeping(t, fields.Email); !done.Done || done.Removed != people {
			t.Errorf("swept %+v", done)
		}
	})
}

func TestWhomALegalHoldCoversIsSweptWhenItEnds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		keeping := holds.New(h.Vault, contacts.Linked)
		var held []holds.HoldID
		for range 3 {
			c, err := h.contacts.Create(t.Context(), h.owner, draft(fields.Phone))
			must(t, err)
			_, err = h.contacts.Update(t.Context(), h.owner, c.ID, contacts.Draft{Phone: "+4930901821"})
			must(t, err)
			hold, err := keeping.Place(t.Context(), h.owner, holds.Draft{Contact: c.ID, Ground: holds.LegalClaims, Reason: "a claim", ReviewAt: h.Clock.Now().Add(time.Hour)})
			must(t, err)
			held = append(held, hold.ID)
		}
		before := h.holding(t, fields.Phone)
		h.off(t, fields.Phone)
		for range 3 { // the third has nothing to do
			must(t, h.minimum.Sweep(t.Context(), h.Tenant))
		}
		if got, now := h.holding(t, fields.Phone), h.sweeping(t, fields.Phone); got != before || !now.Done || now.Held != 3 || now.Removed != 0 {
			t.Errorf("while they are held: %d values instead of %d, %+v", got, before, now)
		}
		if a := moduletest.Get(h.as(h.owner), "/settings/fields"); !strings.Contains(a.Body, "Of 3 people it stays until a legal hold ends.") {
			t.Error("the page does not say of how many people it stays")
		}
		for i, id := range held {
			_, err := keeping.Release(t.Context(), h.owner, id)
			must(t, err)
			must(t, h.minimum.Sweep(t.Context(), h.Tenant))
			if now := h.sweeping(t, fields.Phone); now.Held != 2-i {
				t.Errorf("%d holds ended, %d people are held", i+1, now.Held)
			}
		}
		h.holdsNone(t, fields.Phone)
	})
}

func TestOnlyThoseInChargeSwitchAndTheLogSaysSo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		operator := vaulttest.User(h.Tenant, vault.Operator)
		if err := h.minimum.Process(t.Context(), operator, fields.Phone, false); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
		if err := h.minimum.Process(t.Context(), h.owner, "weather", false); !errs.Is(err, errs.NotFound) {
			t.Errorf("a field that is none: %v", err)
		}
		h.off(t, fields.Phone)
		if err := h.minimum.Process(t.Context(), vaulttest.User(h.Other, vault.Owner), fields.Phone, true); err != nil || !h.sweeping(t, fields.Phone).Off {
			t.Errorf("another workspace switched it on: %v", err)
		}
		for path, want := range map[string]string{"/settings/fields": "Stop processing names", "/settings/fields/off?field=name": "Stop processing names?", "/settings/fields/progress": "Process telephone numbers", "/contacts/new": "E-mail"} {
			if a := moduletest.Get(h.as(h.owner), path); a.Status != 200 || !strings.Contains(a.Body, want) {
				t.Errorf("%s answers %d without %q", path, a.Status, want)
			}
		}
		if a := moduletest.Get(h.as(h.owner), "/contacts/new"); strings.Contains(a.Body, `name="phone"`) {
			t.Error("the form asks for what would be refused")
		}
		if a := moduletest.Get(h.as(operator), "/settings/fields"); strings.Contains(a.Body, "Stop processing names") {
			t.Error("an operator sees what would be refused")
		}
		must(t, h.minimum.Process(t.Context(), h.owner, fields.Phone, true))
		entries, err := h.Vault.Entries(t.Context(), h.Tenant, 0, 100)
		must(t, err)
		seen := map[string]int{}
		for _, e := range entries {
			seen[e.Action+" "+fmt.Sprint(e.Outcome)]++
		}
		if len(seen) < 2 || seen["contact_field.switch "+fmt.Sprint(entries[len(entries)-1].Outcome)] != 1 {
			t.Errorf("the log has %v", seen)
		}
	})
}
