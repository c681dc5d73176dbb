package restriction_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// house is a vault with the service in it, where two people may be shown as one.
type house struct {
	*vaulttest.Kit
	limits *restriction.Service
	dpo    vault.Actor
	twins  map[ids.Contact]ids.Contact
	start  func() // the jobs

	mu        sync.Mutex
	addresses map[ids.Contact]string
	refused   string // an address that takes no letters
	sent      []mail.Message
}

func (h *house) Send(_ context.Context, m mail.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.To.Reveal() == h.refused {
		return errs.New(errs.Invalid, "The mail relay refuses this mail for good.")
	}
	h.sent = append(h.sent, m)
	return nil
}

func (h *house) letters() []mail.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sent)
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, moduletest.Config(t, restriction.New(nil, nil).Module()), func(t *testing.T, k *vaulttest.Kit) {
		h := &house{Kit: k, dpo: vaulttest.User(k.Tenant, vault.DPO), twins: map[ids.Contact]ids.Contact{}, addresses: map[ids.Contact]string{}}
		h.limits = restriction.New(k.Vault, func(_ *vault.Tx, id ids.Contact) ([]ids.Contact, error) {
			if twin, ok := h.twins[id]; ok {
				return []ids.Contact{id, twin}, nil
			}
			for who, twin := range h.twins {
				if twin == id {
					return []ids.Contact{who, twin}, nil
				}
			}
			return []ids.Contact{id}, nil
		})
		h.limits.Mail = h
		h.limits.Letter = func(_ *vault.Tx, who ids.Contact, workspace vault.Tenant, ends time.Time) (mail.Message, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return mail.Message{To: personal.Of(h.addresses[who]), Subject: workspace.Name, Text: ends.Format(time.DateOnly)}, nil
		}
		queue := moduletest.Queue(t)
		must(t, h.limits.Module().Jobs(queue))
		h.start = func() { must(t, queue.Start(t.Context())) }
		test(t, h)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) person(t *testing.T) ids.Contact {
	t.Helper()
	id, err := h.Vault.NewSubject(t.Context(), vaulttest.System(h.Tenant))
	must(t, err)
	return id
}

func (h *house) closed(t *testing.T, who ids.Contact) []string {
	t.Helper()
	list, err := h.limits.List(t.Context(), h.dpo, who)
	must(t, err)
	var out []string
	for _, l := range list {
		out = append(out, string(l.Kind)+" "+l.Purpose)
	}
	return out
}

// works tells whether an action for the purpose may write about somebody.
func (h *house) works(t *testing.T, who ids.Contact, name string) errs.Kind {
	t.Helper()
	act := vault.Act("test.work", purpose.Sync, vault.System()).For(name)
	return errs.Of(h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), act, func(tx *vault.Tx) error {
		return restriction.Records.Add(tx, restriction.Record{Contact: who, ID: ids.NewObject(tx.Now()), Kind: restriction.Object, At: tx.Now()})
	}))
}

func TestWhatIsClosedStopsThePurposesThatItNamesUntilItIsLifted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, c := range []struct {
			kind   restriction.Kind
			name   string
			stops  []string
			spares []string
		}{
			{restriction.Restrict, "", []string{purpose.Assistant, purpose.Sync, purpose.Analytics, purpose.Enrichment}, nil},
			{restriction.Restrict, purpose.LegalClaims, []string{purpose.Assistant, purpose.Sync}, nil},
			{restriction.Object, "", []string{purpose.Assistant, purpose.Sync, purpose.Analytics}, nil},
			{restriction.Object, purpose.Analytics, []string{purpose.Analytics}, []string{purpose.Assistant, purpose.Sync}},
			{restriction.NoAutomatedDecision, "", []string{purpose.Decision}, []string{purpose.Assistant}},
			{restriction.LimitSensitive, "", []string{purpose.Enrichment}, []string{purpose.Assistant}},
			{restriction.OptOutSale, "", nil, []string{purpose.Assistant, purpose.Sync}},
		} {
			who, other := h.person(t), h.person(t)
			must(t, h.limits.Set(t.Context(), h.dpo, who, c.kind, c.name))
			for _, name := range c.stops {
				if got := h.works(t, who, name); got != errs.Restricted {
					t.Errorf("%s %s: %s is %q", c.kind, c.name, name, got)
				}
				if got := h.works(t, other, name); got != "" {
					t.Errorf("%s of somebody else: %s is %q", c.kind, name, got)
				}
			}
			for _, name := range c.spares {
				if got := h.works(t, who, name); got != "" {
					t.Errorf("%s %s: %s is %q", c.kind, c.name, name, got)
				}
			}
			if c.kind == restriction.Restrict {
				must(t, h.limits.LiftTold(t.Context(), h.dpo, who))
			} else {
				must(t, h.limits.Lift(t.Context(), h.dpo, who, c.kind, c.name))
			}
			if left := h.closed(t, who); len(left) != 0 {
				t.Errorf("%s %s: after lifting %v stand", c.kind, c.name, left)
			}
			for _, name := range c.stops {
				if got := h.works(t, who, name); got != "" {
					t.Errorf("lifted %s: %s is %q", c.kind, name, got)
				}
			}
		}
	})
}

func TestWhatStandsAlreadyIsNotPlacedAgainAndEveryActIsOnRecord(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		for range 2 {
			must(t, h.limits.Set(t.Context(), vaulttest.Visitor(h.Tenant, who), who, restriction.OptOutSale, ""))
			h.Clock.Advance(time.Minute)
		}
		must(t, h.limits.Lift(t.Context(), h.dpo, who, restriction.OptOutSale, ""))
		must(t, h.limits.Lift(t.Context(), h.dpo, who, restriction.OptOutSale, ""))
		all, err := h.limits.History(t.Context(), h.dpo, who)
		must(t, err)
		if len(all) != 2 || all[0].Placed || all[0].How != restriction.ByOperator || !all[1].Placed || all[1].How != restriction.ByPerson || !all[1].At.Equal(vaulttest.Start) {
			t.Errorf("the record says %+v", all)
		}
		entries, err := h.Vault.Entries(t.Context(), h.Tenant, 0, 100)
		must(t, err)
		var news []string
		for _, e := range entries {
			for _, ev := range e.Events {
				if ev.Subject == who {
					news = append(news, ev.Kind)
				}
			}
		}
		if want := []string{"contact.opted_out", "contact.opted_in"}; !slices.Equal(news, want) {
			t.Errorf("the news was %v", news)
		}
	})
}

func TestWhoeverIsShownAsOneIsLimitedAsOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, twin := h.person(t), h.person(t)
		h.twins[who] = twin
		must(t, h.limits.Set(t.Context(), h.dpo, who, restriction.Restrict, ""))
		for _, one := range []ids.Contact{who, twin} {
			if got := h.closed(t, one); !slices.Equal(got, []string{"restrict *"}) {
				t.Errorf("%v", got)
			}
		}
	})
}

func TestNobodyClosesForSomebodyElseAndNothingThatCannotBeClosed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, other := h.person(t), h.person(t)
		visitor := vaulttest.Visitor(h.Tenant, other)
		set := func(actor vault.Actor, kind restriction.Kind, name string) errs.Kind {
			return errs.Of(h.limits.Set(t.Context(), actor, who, kind, name))
		}
		for why, c := range map[string][2]errs.Kind{
			"another visitor":            {set(visitor, restriction.Object, ""), errs.NotFound},
			"a visitor restricts":        {set(vaulttest.Visitor(h.Tenant, who), restriction.Restrict, ""), errs.NotFound},
			"another tenant":             {set(vaulttest.User(h.Other, vault.DPO), restriction.Object, ""), errs.NotFound},
			"an auditor":                 {set(vaulttest.User(h.Tenant, vault.Auditor), restriction.Object, ""), errs.Forbidden},
			"a program without scope":    {set(vaulttest.Key(h.Tenant, "contacts:read"), restriction.Object, ""), errs.Forbidden},
			"no such kind":               {set(h.dpo, "granted", ""), errs.Invalid},
			"no ground of Art. 18(2)":    {set(h.dpo, restriction.Restrict, "support"), errs.Invalid},
			"a malformed purpose":        {set(h.dpo, restriction.Object, "Sell it!"), errs.Invalid},
			"what is owed":               {set(h.dpo, restriction.Object, purpose.Storage), errs.Invalid},
			"a purpose for an opt-out":   {set(h.dpo, restriction.OptOutSale, "sync"), errs.Invalid},
			"an operator may not open":   {errs.Of(h.limits.Lift(t.Context(), vaulttest.User(h.Tenant, vault.Operator), who, restriction.Restrict, "")), errs.Forbidden},
			"nor say that they know":     {errs.Of(h.limits.LiftTold(t.Context(), vaulttest.User(h.Tenant, vault.Operator), who)), errs.Forbidden},
			"nor a visitor":              {errs.Of(h.limits.LiftTold(t.Context(), vaulttest.Visitor(h.Tenant, who), who)), errs.NotFound},
			"nobody of that name":        {errs.Of(h.limits.Set(t.Context(), h.dpo, ids.NewSubject(vaulttest.Start), restriction.Object, "")), errs.NotFound},
			"a visitor opens it himself": {errs.Of(h.limits.Lift(t.Context(), vaulttest.Visitor(h.Tenant, who), who, restriction.Object, "")), errs.Forbidden},
		} {
			if c[0] != c[1] {
				t.Errorf("%s: %q, want %q", why, c[0], c[1])
			}
		}
		if got := h.closed(t, who); len(got) != 0 {
			t.Errorf("closed all the same: %v", got)
		}
	})
}

func TestAnErasedPersonHasNothingLeftThatCouldBeClosed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		must(t, h.limits.Set(t.Context(), h.dpo, who, restriction.Restrict, purpose.LegalClaims))
		must(t, h.Vault.EraseSubject(t.Context(), h.dpo, vault.Act("test.erase", purpose.Storage, vault.Everyone()), who, "asked"))
		_, err := h.Vault.FinishErasures(t.Context(), h.Tenant)
		must(t, err)
		if got := h.closed(t, who); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
		if err := h.limits.Set(t.Context(), h.dpo, who, restriction.Object, ""); !errs.Is(err, errs.NotFound) {
			t.Errorf("closed again: %v", err)
		}
	})
}

func TestTheFormOnAPersonsPageClosesAndOpens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		site := func(actor vault.Actor) http.Handler {
			return moduletest.Edge(moduletest.Mux(h.limits.Module()), actor, page.View{Tenant: "Praxis am Park", User: "Ines Moreau"})
		}
		panel := func(actor vault.Actor) string {
			var out strings.Builder
			part, err := h.limits.Panel(t.Context(), actor, who)
			must(t, err)
			must(t, part.Render(t.Context(), &out))
			return out.String()
		}
		path := "/contacts/" + who.String() + "/restrictions"
		for what, want := range map[string]string{"restrict legal_claims": "used only for legal claims", "object outreach": "Objects to marketing", "opt_out_sale": "Opted out of sale and sharing"} {
			if a := moduletest.Post(site(h.dpo), path, "what", what); a.Status != http.StatusSeeOther || !strings.Contains(panel(h.dpo), want) {
				t.Errorf("%s: %d, %s", what, a.Status, panel(h.dpo))
			}
		}
		if strings.Contains(panel(vaulttest.User(h.Tenant, vault.Operator)), "Open again") {
			t.Error("an operator is shown what is refused")
		}
		if !strings.Contains(panel(h.dpo), "Except something") || strings.Contains(panel(vaulttest.User(h.Tenant, vault.Operator)), "Except something") {
			t.Error("the form of exceptions is shown to others than those who may make one")
		}
		if a := moduletest.Post(site(h.dpo), path, "what", "restrict protection", "why", "a child's safety"); a.Status != http.StatusSeeOther || !strings.Contains(panel(h.dpo), "the rights of another person") {
			t.Errorf("an exception: %d, %s", a.Status, panel(h.dpo))
		}
		if a := moduletest.Post(site(h.dpo), path, "what", "restrict", "lift", "yes"); a.Status != http.StatusSeeOther || !strings.Contains(panel(h.dpo), "no letter reaches the person") || !strings.Contains(panel(h.dpo), "Keep it restricted") {
			t.Errorf("an end that nobody can be told of: %d, %s", a.Status, panel(h.dpo))
		}
		for _, what := range []string{"restrict told", "object outreach", "opt_out_sale *"} {
			lift := "yes"
			if kind, told, _ := strings.Cut(what, " "); kind == "restrict" {
				what, lift = kind, told
			}
			if a := moduletest.Post(site(h.dpo), path, "what", what, "lift", lift); a.Status != http.StatusSeeOther {
				t.Errorf("%s: %d", what, a.Status)
			}
		}
		if got := panel(h.dpo); !strings.Contains(got, "Nothing is closed") {
			t.Errorf("left: %s", got)
		}
	})
}

func TestABrowsersSignalIsRecordedOnceAndForEverybodyItIsKnownAs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, twin := h.person(t), h.person(t)
		h.twins[who] = twin
		for range 3 {
			must(t, h.limits.Signal(t.Context(), vaulttest.Visitor(h.Tenant, who)))
		}
		for _, one := range []ids.Contact{who, twin} {
			all, err := h.limits.History(t.Context(), h.dpo, one)
			must(t, err)
			if len(all) != 1 || all[0].Kind != restriction.OptOutSale || all[0].How != restriction.ByBrowser || h.works(t, one, purpose.Sale) != errs.Restricted {
				t.Errorf("recorded %+v", all)
			}
		}
		site := moduletest.Edge(moduletest.Mux(h.limits.Module()), vault.Actor{}, page.View{})
		if a := moduletest.Get(site, "/.well-known/gpc.json"); a.Status != http.StatusOK || !strings.HasPrefix(a.Body, `{"gpc":true,"lastUpdate":"20`) {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

// claims tells whether people who work here see a person for legal claims.
func (h *house) claims(t *testing.T, who ids.Contact) bool {
	t.Helper()
	n := 0
	claim := vault.Act("test.claim", purpose.LegalClaims, vault.Everyone())
	must(t, h.Vault.View(t.Context(), vaulttest.User(h.Tenant, vault.Operator), claim, func(tx *vault.Tx) (err error) {
		n, err = restriction.Records.Count(tx, "contact = ?", who)
		return err
	}))
	return n > 0
}

func TestAnExceptionFromARestrictionThatStandsTakesAReasonAndWhoeverMayLiftIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, twin := h.person(t), h.person(t)
		h.twins[who] = twin
		operator := vaulttest.User(h.Tenant, vault.Operator)
		except := func(actor vault.Actor, name, why string) errs.Kind {
			return errs.Of(h.limits.Except(t.Context(), actor, who, name, why))
		}
		if got := except(h.dpo, purpose.LegalClaims, "a lawsuit"); got != errs.Conflict {
			t.Errorf("from no restriction: %q", got)
		}
		must(t, h.limits.Set(t.Context(), vaulttest.System(h.Tenant), who, restriction.Restrict, "")) // at the person's request
		for why, c := range map[string][2]errs.Kind{
			"by restricting once more":     {errs.Of(h.limits.Set(t.Context(), operator, who, restriction.Restrict, purpose.LegalClaims)), errs.Conflict},
			"so, of an officer":            {errs.Of(h.limits.Set(t.Context(), h.dpo, who, restriction.Restrict, purpose.LegalClaims)), errs.Conflict},
			"by a program":                 {errs.Of(h.limits.Set(t.Context(), vaulttest.Key(h.Tenant, "contacts:write"), who, restriction.Restrict, purpose.LegalClaims)), errs.Conflict},
			"by an operator":               {except(operator, purpose.LegalClaims, "a lawsuit"), errs.Forbidden},
			"by the person":                {except(vaulttest.Visitor(h.Tenant, who), purpose.LegalClaims, "a lawsuit"), errs.NotFound},
			"of another workspace":         {except(vaulttest.User(h.Other, vault.DPO), purpose.LegalClaims, "a lawsuit"), errs.NotFound},
			"without a reason":             {except(h.dpo, purpose.LegalClaims, " "), errs.Invalid},
			"with a story":                 {except(h.dpo, purpose.LegalClaims, strings.Repeat("so ", 200)), errs.Invalid},
			"of everything":                {except(h.dpo, "", "a lawsuit"), errs.Invalid},
			"of what the law does not say": {except(h.dpo, purpose.Outreach, "a lawsuit"), errs.Invalid},
		} {
			if c[0] != c[1] {
				t.Errorf("%s: %q, want %q", why, c[0], c[1])
			}
		}
		if h.claims(t, who) {
			t.Error("opened all the same")
		}
		h.Clock.Advance(time.Minute)
		for range 2 {
			must(t, h.limits.Except(t.Context(), h.dpo, who, purpose.LegalClaims, "a lawsuit"))
		}
		for _, one := range []ids.Contact{who, twin} {
			list, err := h.limits.Exceptions(t.Context(), h.dpo, one)
			must(t, err)
			all, err := h.limits.History(t.Context(), h.dpo, one)
			must(t, err)
			if len(list) != 1 || list[0].Ground != purpose.LegalClaims || list[0].Why != "a lawsuit" || len(all) != 2 || all[0].How != restriction.ByOperator || all[0].Why.Reveal() != "a lawsuit" {
				t.Errorf("excepted %+v, on record %+v", list, all)
			}
			if !h.claims(t, one) {
				t.Error("not opened")
			}
			if got := h.works(t, one, purpose.Sync); got != errs.Restricted {
				t.Errorf("opened as well: %q", got)
			}
		}
		entries, err := h.Vault.Entries(t.Context(), h.Tenant, 0, 200)
		must(t, err)
		var said []journal.Outcome
		for _, e := range entries {
			if e.Action == "restriction.except" {
				said = append(said, e.Outcome)
			}
		}
		if want := []journal.Outcome{journal.Denied, journal.Done, journal.Done}; !slices.Equal(said, want) {
			t.Errorf("the log says %v", said)
		}
		must(t, h.limits.LiftTold(t.Context(), h.dpo, who))
		if list, err := h.limits.Exceptions(t.Context(), h.dpo, who); err != nil || len(list) != 0 {
			t.Errorf("left: %v, %v", list, err)
		}
	})
}
