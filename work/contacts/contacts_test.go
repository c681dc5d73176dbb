package contacts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
)

func TestAContactKeepsWhatWasSaidInOneForm(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.get(t, h.make(t, contacts.Draft{ExternalID: " crm-7 ", Email: "Zoë@Kowal.example ", Phone: "+49 (0)30 90 18 20", Name: "Zoë 李小龙 عمر", Company: "Nordkasse", Language: "pt-BR"}))
		got := []string{c.ExternalID.Reveal(), c.Email.Reveal(), c.Phone.Reveal(), c.Name.Reveal(), c.Company.Reveal(), c.Language, string(c.Role), string(c.Basis)}
		want := []string{"crm-7", "Zoë@Kowal.example", "+4930901820", "Zoë 李小龙 عمر", "Nordkasse", "pt-BR", "user", "operator"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if c.Verified {
			t.Error("nobody signed who this is")
		}
	})
}

func TestWhatIsNotUsableIsNamed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for field, d := range map[string]contacts.Draft{
			"email":       {Email: "Maria <maria@kowal.example>"},
			"phone":       {Phone: "030 901820"},
			"name":        {Name: "Maria\nBcc: all"},
			"company":     {Company: strings.Repeat("é", 251)},
			"language":    {Language: "en_US"},
			"external_id": {ExternalID: "4111111111111111"},
		} {
			_, err := h.contacts.Create(t.Context(), h.operator, d)
			if p := errs.AsProblem(err); p.Code != errs.Invalid || len(p.Errors) != 1 || p.Errors[0].Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if some, err := h.contacts.Any(t.Context(), h.operator); some || err != nil {
			t.Errorf("something was stored: %v", err)
		}
	})
}

func TestCardNumbersAreNeverStored(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.contacts.Attributes.Define(t.Context(), h.owner, attributes.Attribute{Name: "memo", Kind: attributes.Text})
		must(t, err)
		id := h.make(t, contacts.Draft{Name: "Maria 4111 1111 1111 1111", Company: "5555555555554444", Grounds: []identity.Ground{identity.Ground{Basis: purpose.Contract, Purpose: purpose.Support, Since: vaulttest.Start, Words: "card 4111111111111111"}}, Attributes: attributes.Values{"memo": "378282246310005"}})
		n, err := h.contacts.Notes.Add(t.Context(), h.operator, id, "Paid with 4012888888881881.")
		must(t, err)
		grounds, err := h.consent.Grounds(t.Context(), h.owner, id)
		must(t, err)
		c := h.get(t, id)
		all := c.Name.Reveal() + c.Company.Reveal() + grounds[0].Words.Reveal() + grounds[0].Receipt.Reveal() + string(c.Attributes.Reveal()) + n.Body.Reveal()
		for _, number := range []string{"4111", "55555", "37828", "40128"} {
			if strings.Contains(all, number) {
				t.Errorf("%s… is there: %s", number, all)
			}
		}
	})
}

func TestEveryChangeOfAFieldIsWrittenDown(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		id := h.make(t, contacts.Draft{Name: "Maria", Email: "maria@old.example"})
		_, err := h.contacts.Update(ctx, h.operator, id, contacts.Draft{Name: "Maria", Email: "maria@new.example", Phone: "+4930901820", Clear: []string{"name"}})
		must(t, err)
		p, err := h.contacts.Person(ctx, h.operator, id)
		must(t, err)
		var got []string
		for _, c := range p.Changes {
			got = append(got, c.Field+":"+c.Old.Reveal()+">"+c.New.Reveal())
			if c.Author != h.operator.User() {
				t.Errorf("%s was changed by %s", c.Field, c.Author)
			}
		}
		slices.Sort(got)
		if want := []string{"email:maria@old.example>maria@new.example", "phone:>+4930901820"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		_, err = h.contacts.Update(ctx, h.operator, id, contacts.Draft{Clear: []string{"email"}})
		must(t, err)
		if c := h.get(t, id); !c.Email.IsZero() || c.Name.Reveal() != "Maria" {
			t.Errorf("clearing the address left %q", c.Email.Reveal())
		}
	})
}

func TestAnIdentifierBelongsToOnePersonAndIsToldApartByEverySign(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		first := h.make(t, contacts.Draft{ExternalID: "aB3x"})
		second := h.make(t, contacts.Draft{ExternalID: "Ab3x"})
		_, err := h.contacts.Create(ctx, h.operator, contacts.Draft{ExternalID: "aB3x"})
		is(t, "the same again", err, errs.Conflict)
		_, err = h.contacts.Update(ctx, h.operator, first, contacts.Draft{ExternalID: "Ab3x"})
		is(t, "taking another's", err, errs.Conflict)
		got, err := h.contacts.Identify(ctx, h.Tenant, h.visitor(t, contacts.Draft{}), identity.TokenClaims{UserID: "Ab3x"})
		must(t, err)
		if got != second {
			t.Errorf("Ab3x is %s, not %s", got, second)
		}
	})
}

func TestUpsertFindsByIdentifierAloneAndNeverByAddress(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, key := t.Context(), vaulttest.Key(h.Tenant, "contacts:read", "contacts:write")
		claimed := h.visitor(t, contacts.Draft{Email: "maria@kowal.example"})
		c, created, err := h.contacts.Upsert(ctx, key, contacts.Draft{ExternalID: "u1", Email: "maria@kowal.example"})
		must(t, err)
		if !created || c.ID == claimed || c.Basis != contacts.FromAPI || c.Role != contacts.User {
			t.Errorf("created %v: %v", created, c)
		}
		again, created, err := h.contacts.Upsert(ctx, key, contacts.Draft{ExternalID: "u1", Name: "Maria"})
		must(t, err)
		if created || again.ID != c.ID || again.Name.Reveal() != "Maria" || again.Email.Reveal() != "maria@kowal.example" {
			t.Errorf("the second time: %v %v", created, again.ID == c.ID)
		}
		_, _, err = h.contacts.Upsert(ctx, key, contacts.Draft{Name: "nobody"})
		is(t, "without an identifier", err, errs.Invalid)
		_, _, err = h.contacts.Upsert(ctx, vaulttest.Key(h.Tenant, "contacts:read"), contacts.Draft{ExternalID: "u1"})
		is(t, "without the scope", err, errs.Forbidden)
	})
}

func TestManyUpsertsOfOnePersonAtOnceMakeOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const callers = 16
		made := make(chan ids.Contact, callers)
		for n := range callers {
			go func() {
				key := vaulttest.Key(h.Tenant, "contacts:read", "contacts:write")
				c, _, err := h.contacts.Upsert(t.Context(), key, contacts.Draft{ExternalID: "one", Name: fmt.Sprint("caller ", n)})
				if err != nil {
					t.Error(err)
				}
				made <- c.ID
			}()
		}
		first := <-made
		for range callers - 1 {
			if other := <-made; other != first {
				t.Errorf("two people: %s and %s", first, other)
			}
		}
	})
}

func TestOtherTenantsPeopleDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, foreign := t.Context(), vaulttest.User(h.Other, vault.Owner)
		id, tag := h.make(t, contacts.Draft{Name: "Maria", ExternalID: "u1", Email: "maria@kowal.example"}), h.tag(t, "VIP")
		must(t, h.contacts.Label(ctx, h.operator, id, tag))
		note, err := h.contacts.Notes.Add(ctx, h.operator, id, "secret")
		must(t, err)
		other, err := h.contacts.Create(ctx, foreign, contacts.Draft{Name: "theirs", ExternalID: "u1"})
		must(t, err)
		s := h.contacts
		for name, call := range map[string]func() error{
			"get":      func() error { _, err := s.Get(ctx, foreign, id); return err },
			"person":   func() error { _, err := s.Person(ctx, foreign, id); return err },
			"update":   func() error { _, err := s.Update(ctx, foreign, id, contacts.Draft{Name: "x"}); return err },
			"merge":    func() error { return s.Merge(ctx, foreign, id, other.ID, "") },
			"into":     func() error { return s.Merge(ctx, foreign, other.ID, id, "") },
			"unmerge":  func() error { return s.Unmerge(ctx, foreign, id) },
			"history":  func() error { _, err := s.MergeHistory(ctx, foreign, id); return err },
			"block":    func() error { return s.Block(ctx, foreign, id, true) },
			"archive":  func() error { return s.Archive(ctx, foreign, id, true) },
			"note":     func() error { _, err := s.Notes.Add(ctx, foreign, id, "x"); return err },
			"notes":    func() error { _, err := s.Notes.List(ctx, foreign, id); return err },
			"un-note":  func() error { return s.Notes.Remove(ctx, foreign, other.ID, note.ID) },
			"label":    func() error { return s.Label(ctx, foreign, other.ID, tag) },
			"unlabel":  func() error { return s.Unlabel(ctx, foreign, id, tag) },
			"tags":     func() error { _, err := s.TagsOf(ctx, foreign, id); return err },
			"tag":      func() error { _, err := s.ChangeTag(ctx, foreign, tag, "x", 0); return err },
			"remove":   func() error { return s.RemoveTag(ctx, foreign, tag) },
			"segments": func() error { _, err := s.SegmentsOf(ctx, foreign, id); return err },
			"a segment": func() error {
				_, err := s.List(ctx, foreign, contacts.Filter{Segment: contacts.SegmentID{1}})
				return err
			},
		} {
			is(t, name, call(), errs.NotFound)
		}
		for _, f := range []contacts.Filter{{Search: "Maria"}, {Search: "maria@kowal.example"}, {Label: tag}} {
			if p, err := s.List(ctx, foreign, f); err != nil || len(p.Contacts) > 0 {
				t.Errorf("%+v finds %d people: %v", f, len(p.Contacts), err)
			}
		}
		if got, err := s.Identify(ctx, h.Other, ids.Contact{9}, identity.TokenClaims{UserID: "u1"}); err != nil || got != other.ID {
			t.Errorf("u1 of the other tenant is %s, %v", got, err)
		}
	})
}

func (h *house) tag(t testing.TB, name string) contacts.TagID {
	t.Helper()
	tag, err := h.contacts.MakeTag(t.Context(), h.operator, name, 3)
	must(t, err)
	return tag.ID
}

func TestTheListGoesFromWhoWasSeenLastAndEndsOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var want []ids.Contact
		for n := range 7 {
			h.Clock.Advance(time.Duration(n%2) * time.Minute) // some are of the same moment
			want = append(want, h.make(t, contacts.Draft{Name: fmt.Sprint("person ", n)}))
		}
		var got []ids.Contact
		f := contacts.Filter{Limit: 3}
		for range 3 {
			p, err := h.contacts.List(t.Context(), h.operator, f)
			must(t, err)
			for _, c := range p.Contacts {
				got = append(got, c.ID)
			}
			f.After = p.Next
		}
		if !f.After.IsZero() || len(got) != 7 || !same(got, want) {
			t.Errorf("got %d people, next %v", len(got), f.After)
		}
		h.Clock.Advance(time.Hour)
		must(t, h.contacts.Seen(t.Context(), h.Tenant, want[2]))
		if first := h.list(t, contacts.Filter{}); first[0] != want[2] || len(first) != 7 {
			t.Error("who was just here is not the first")
		}
	})
}

func sorted(all []ids.Contact) []ids.Contact {
	out := slices.Clone(all)
	slices.SortFunc(out, func(a, b ids.Contact) int { return strings.Compare(a.String(), b.String()) })
	return out
}

func same(a, b []ids.Contact) bool { return slices.Equal(sorted(a), sorted(b)) }

func TestFiltersNarrowTheList(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		old := h.make(t, contacts.Draft{Email: "old@x.example"})
		h.Clock.Advance(40 * 24 * time.Hour)
		user, visitor := h.make(t, contacts.Draft{ExternalID: "u1"}), h.visitor(t, contacts.Draft{})
		verified, err := h.contacts.Identify(ctx, h.Tenant, h.visitor(t, contacts.Draft{}), identity.TokenClaims{UserID: "u2"})
		must(t, err)
		gone := h.make(t, contacts.Draft{Name: "gone"})
		must(t, h.contacts.Archive(ctx, h.operator, gone, true))
		must(t, h.contacts.Block(ctx, h.operator, visitor, true))
		vip := h.tag(t, "VIP")
		must(t, h.contacts.Label(ctx, h.operator, user, vip))
		must(t, h.contacts.Label(ctx, h.operator, user, vip))
		must(t, h.contacts.Label(ctx, h.operator, old, vip))
		segment := func(name string, r contacts.Rule) contacts.SegmentID {
			g, err := h.contacts.MakeSegment(ctx, h.operator, name, r)
			must(t, err)
			return g.ID
		}
		for name, c := range map[string]struct {
			f    contacts.Filter
			want []ids.Contact
		}{
			"everybody":   {contacts.Filter{}, []ids.Contact{old, user, visitor, verified}},
			"archived":    {contacts.Filter{Archived: true}, []ids.Contact{gone}},
			"role":        {contacts.Filter{Role: contacts.User}, []ids.Contact{user, verified}},
			"label":       {contacts.Filter{Label: vip}, []ids.Contact{user, old}},
			"both":        {contacts.Filter{Label: vip, Role: contacts.Lead}, []ids.Contact{old}},
			"verified":    {contacts.Filter{Segment: segment("a", contacts.Rule{Known: contacts.OnlyVerified})}, []ids.Contact{verified}},
			"recent":      {contacts.Filter{Segment: segment("b", contacts.Rule{Seen: 7, Known: contacts.OnlyUnverified})}, []ids.Contact{user, visitor}},
			"asleep":      {contacts.Filter{Segment: segment("c", contacts.Rule{Unseen: 30, Label: vip})}, []ids.Contact{old}},
			"blocked":     {contacts.Filter{Segment: segment("d", contacts.Rule{Blocked: true, Created: 1})}, []ids.Contact{visitor}},
			"in a search": {contacts.Filter{Search: "old@x.example", Label: vip}, []ids.Contact{old}},
			"not in it":   {contacts.Filter{Search: "old@x.example", Role: contacts.User}, nil},
		} {
			if got := h.list(t, c.f); !same(got, c.want) {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
			}
		}
		in, err := h.contacts.SegmentsOf(ctx, h.operator, visitor)
		must(t, err)
		if len(in) != 2 {
			t.Errorf("the visitor is in %d segments, not 2", len(in))
		}
		must(t, h.contacts.RemoveTag(ctx, h.operator, vip))
		if got := h.list(t, contacts.Filter{Label: vip}); len(got) != 0 {
			t.Error("a label that is gone still finds people")
		}
	})
}

func TestPeopleAreFoundByBeginningsAddressesNumbersAndNotes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		maria := h.make(t, contacts.Draft{Name: "María Kowalczyk", Email: "maria@kowal.example", Phone: "+49 30 901820", ExternalID: "crm-7"})
		li := h.make(t, contacts.Draft{Name: "李小龙"})
		_, err := h.contacts.Notes.Add(ctx, h.operator, li, "Prefers to be called in the afternoon")
		must(t, err)
		h.Filed(t)
		for query, want := range map[string]ids.Contact{
			"maria": maria, "kowalc": maria, "MARÍA KOW": maria, "maria@kowal.example": maria, "+49 30 901820": maria, "crm-7": maria,
			"李小": li, "afternoon": li, "called aft": li,
		} {
			if got := h.list(t, contacts.Filter{Search: query}); !same(got, []ids.Contact{want}) {
				t.Errorf("%q finds %v", query, got)
			}
		}
		if got := h.list(t, contacts.Filter{Search: "weber"}); len(got) > 0 {
			t.Errorf("weber finds %v", got)
		}
	})
}

func TestAnErasedPersonIsNowhereInTheWay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		gone, stays := h.make(t, contacts.Draft{Name: "Maria Kowal", ExternalID: "u1", Email: "m@x.example"}), h.make(t, contacts.Draft{Name: "Maria Weber"})
		into := h.make(t, contacts.Draft{Name: "Maria Winner"})
		must(t, h.contacts.Merge(ctx, h.operator, stays, into, "the same"))
		h.Filed(t)
		erase := vault.Act("test.erase", purpose.Storage, vault.System())
		for _, id := range []ids.Contact{gone, into} {
			must(t, h.Vault.EraseSubject(ctx, vaulttest.System(h.Tenant), erase, id, "asked"))
			_, err := h.Vault.FinishErasures(ctx, h.Tenant)
			must(t, err)
		}
		if got := h.list(t, contacts.Filter{Search: "maria"}); !same(got, []ids.Contact{stays}) {
			t.Errorf("a search finds %v", got)
		}
		_, err := h.contacts.Get(ctx, h.operator, gone)
		is(t, "get", err, errs.NotFound)
		_, err = h.contacts.Notes.Add(ctx, h.operator, gone, "still here?")
		is(t, "note", err, errs.NotFound)
		again := h.make(t, contacts.Draft{ExternalID: "u1", Email: "m@x.example"})
		if c := h.get(t, again); c.ID == gone || !c.Name.IsZero() {
			t.Error("the identifier's next holder inherits something")
		}
	})
}

func TestWhoMayDoWhat(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, s := t.Context(), h.contacts
		id := h.make(t, contacts.Draft{Name: "Maria"})
		auditor, dpo := vaulttest.User(h.Tenant, vault.Auditor), vaulttest.User(h.Tenant, vault.DPO)
		stranger := vaulttest.Visitor(h.Tenant, h.visitor(t, contacts.Draft{}))
		_, err := s.Get(ctx, auditor, id)
		is(t, "an auditor looks", err, errs.Forbidden)
		_, err = s.Person(ctx, dpo, id)
		is(t, "a DPO looks", err, "")
		_, err = s.Update(ctx, dpo, id, contacts.Draft{Name: "x"})
		is(t, "a DPO writes", err, errs.Forbidden)
		for _, who := range []vault.Actor{stranger, {}} {
			_, err = s.Get(ctx, who, id)
			_, err2 := s.List(ctx, who, contacts.Filter{})
			if err == nil || err2 == nil {
				t.Error("somebody from outside reads contacts")
			}
		}
		_, err = s.Attributes.Define(ctx, h.operator, attributes.Attribute{Name: "plan", Kind: attributes.Text})
		is(t, "an operator defines an attribute", err, errs.Forbidden)
	})
}

func TestAttributesHoldWhatTheyAreDefinedFor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		for _, a := range []attributes.Attribute{{Name: "plan", Kind: attributes.Choice, Options: []string{"free", "gold", "free", " "}}, {Name: "seats", Kind: attributes.Numeric},
			{Name: "paying", Kind: attributes.Boolean}, {Name: "since", Kind: attributes.Date}, {Name: "memo", Label: "Memo", Kind: attributes.Text}} {
			_, err := h.contacts.Attributes.Define(ctx, h.owner, a)
			must(t, err)
		}
		id := h.make(t, contacts.Draft{Attributes: attributes.Values{"plan": "gold", "seats": "12.5", "paying": "Yes", "since": "2026-02-28", "memo": "ok"}})
		values, err := h.get(t, id).Values()
		must(t, err)
		if fmt.Sprint(values) != "map[memo:ok paying:true plan:gold seats:12.5 since:2026-02-28]" {
			t.Errorf("holds %v", values)
		}
		for name, value := range map[string]any{"plan": "silver", "seats": "many", "paying": "perhaps", "since": "2026-02-30", "memo": strings.Repeat("x", 1001), "unknown": "x"} {
			_, err := h.contacts.Update(ctx, h.operator, id, contacts.Draft{Name: "spoiled", Attributes: attributes.Values{name: value}})
			is(t, name, err, errs.Invalid)
		}
		c, err := h.contacts.Update(ctx, h.operator, id, contacts.Draft{Attributes: attributes.Values{"seats": nil, "paying": false}})
		must(t, err)
		if values, _ = c.Values(); fmt.Sprint(values) != "map[memo:ok paying:false plan:gold since:2026-02-28]" || !c.Name.IsZero() {
			t.Errorf("now holds %v", values)
		}
		all, err := h.contacts.Attributes.All(ctx, h.operator)
		must(t, err)
		must(t, h.contacts.Attributes.Archive(ctx, h.owner, all[0].ID))
		_, err = h.contacts.Attributes.Define(ctx, h.owner, attributes.Attribute{Name: "plan", Kind: attributes.Text})
		is(t, "another kind under an old name", err, errs.Conflict)
	})
}

func TestBriefsNameManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var wanted []ids.Contact
		for n := range 130 {
			wanted = append(wanted, h.make(t, contacts.Draft{Name: fmt.Sprint("person ", n)}))
		}
		must(t, h.contacts.Merge(t.Context(), h.operator, wanted[3], wanted[4], ""))
		wanted = append(wanted, ids.Contact{1})
		look := vault.Act("test.look", purpose.Storage, vault.System())
		must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), look, func(tx *vault.Tx) error {
			got, err := h.contacts.Briefs(tx, wanted)
			if len(got) != 130 || got[wanted[129]].Name.Reveal() != "person 129" || got[wanted[3]].Name.Reveal() != "person 4" {
				t.Errorf("got %d briefs", len(got))
			}
			none, err2 := h.contacts.Briefs(tx, nil)
			if err2 != nil || len(none) != 0 {
				t.Errorf("of nobody: %v %v", none, err2)
			}
			return err
		}))
	})
}

func TestARectificationIsOnRecordAndToldOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		told := make(chan string, 100)
		h.Vault.OnCommit(func(done vault.Committed) {
			for _, entry := range done.Entries {
				for _, e := range entry.Events {
					if e.Kind == "contact.rectified" {
						told <- e.Object
					}
				}
			}
		})
		_, err := h.contacts.Attributes.Define(t.Context(), h.owner, attributes.Attribute{Name: "memo", Kind: attributes.Text})
		must(t, err)
		id := h.make(t, contacts.Draft{Name: "Marai Kowal", Email: "marai@kowal.example"})
		_, err = h.contacts.Update(t.Context(), h.operator, id, contacts.Draft{Phone: "+4930901820", Language: "de", Attributes: attributes.Values{"memo": "first"}})
		must(t, err)
		if len(told) != 0 {
			t.Error("what was added for the first time was told as a correction")
		}
		h.Clock.Advance(time.Hour)
		_, err = h.contacts.Update(t.Context(), h.owner, id, contacts.Draft{Name: "Maria Kowal", Email: "maria@kowal.example", Phone: "+4930901821", Language: "pl", Company: "Nordkasse",
			Attributes: attributes.Values{"memo": "second"}, Request: "req_06h04yypg1z9f98tyg35tv1844"})
		must(t, err)
		if len(told) != 1 || <-told != id.String() {
			t.Error("a correction of several fields is told once")
		}
		p, err := h.contacts.Person(t.Context(), h.operator, id)
		must(t, err)
		got := map[string]string{}
		for _, c := range p.Changes {
			if c.Request != "" {
				got[c.Field] = c.Old.Reveal() + " → " + c.New.Reveal()
				if c.Author != h.owner.User() || !c.At.Equal(h.Clock.Now()) {
					t.Errorf("%s was changed by %s at %s", c.Field, c.Author, c.At)
				}
			}
		}
		want := map[string]string{"name": "Marai Kowal → Maria Kowal", "email": "marai@kowal.example → maria@kowal.example", "phone": "+4930901820 → +4930901821",
			"language": "de → pl", "company": " → Nordkasse", "custom_attributes": "memo: first → memo: second"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("history %v, want %v", got, want)
		}
		h.Filed(t)
		for text, want := range map[string]int{"marai@kowal.example": 0, "maria@kowal.example": 1} {
			found := h.list(t, contacts.Filter{Search: text})
			if len(found) != want {
				t.Errorf("%s finds %d people, want %d", text, len(found), want)
			}
		}
	})
}

func TestHoldsFollowAMergeAndItsUndoing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada, twin := h.make(t, contacts.Draft{Name: "Ada"}), h.make(t, contacts.Draft{Name: "A. Kowal"})
		service := holds.New(h.Vault, contacts.Linked)
		_, err := service.Place(t.Context(), h.owner, holds.Draft{Contact: ada, Ground: holds.LegalClaims, Reason: "a claim", ReviewAt: h.Clock.Now().Add(time.Hour)})
		must(t, err)
		covered := func() (n int) {
			must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), vault.Act("test.look", purpose.Storage, vault.System()), func(tx *vault.Tx) error {
				who, err := holds.Held(tx, twin)
				n = len(who)
				return err
			}))
			return n
		}
		must(t, h.contacts.Merge(t.Context(), h.operator, twin, ada, ""))
		if covered() != 1 {
			t.Error("whoever is merged into somebody held is not held")
		}
		must(t, h.contacts.Unmerge(t.Context(), h.operator, twin))
		if covered() != 0 {
			t.Error("whoever turned out to be another is held")
		}
	})
}
