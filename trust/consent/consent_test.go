package consent_test

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/frame/page/pagetest"
	"aver/trust/consent"
	"aver/vault"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// house is a vault with the consent service in it.
type house struct {
	*vaulttest.Kit
	consent *consent.Service
	owner   vault.Actor
}

func config(t *testing.T) vaulttest.Config {
	t.Helper()
	return moduletest.Config(t, consent.New(nil).Module())
}

func furnish(k *vaulttest.Kit) *house {
	return &house{Kit: k, consent: consent.New(k.Vault), owner: vaulttest.User(k.Tenant, vault.Owner)}
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, furnish(k)) })
}

func embedded(t *testing.T) *house { return furnish(vaulttest.Embedded(t, config(t))) }

func TestMain(m *testing.M) { pgtest.Main(m) }

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

var (
	look   = vault.Act("test.look", purpose.Storage, vault.System())
	write  = vault.Act("test.write", consent.Support, vault.Visitors())
	answer = vault.Act("test.answer", consent.Support, vault.Everyone())
)

// required is what the vault says when a person wants to write to us.
func (h *house) required(t *testing.T, contact ids.Contact) errs.Kind {
	t.Helper()
	return errs.Of(h.Vault.View(t.Context(), vaulttest.Visitor(h.Tenant, contact), write, func(tx *vault.Tx) error { return tx.May(contact) }))
}

func (h *house) notice(t *testing.T, lang string) consent.Notice {
	t.Helper()
	n, err := h.consent.Current(t.Context(), h.Tenant, lang)
	must(t, err)
	return n
}

func yes(version, lang string) consent.Choice {
	return consent.Choice{Purpose: consent.Support, Version: version, Language: lang, Granted: true}
}

func TestConsentIsNeededUntilItIsGivenAndAfterItIsWithdrawn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		visitor := vaulttest.Visitor(h.Tenant, who)
		if got := h.required(t, who); got != errs.ConsentRequired {
			t.Errorf("before: %q", got)
		}
		must(t, h.consent.Record(t.Context(), visitor, who, yes("1", "de")))
		if got := h.required(t, who); got != "" {
			t.Errorf("given: %q", got)
		}
		if got := h.required(t, h.person(t)); got != errs.ConsentRequired {
			t.Errorf("somebody else: %q", got)
		}
		must(t, h.consent.Withdraw(t.Context(), visitor, who, consent.Support))
		if got := h.required(t, who); got != errs.ConsentRequired {
			t.Errorf("withdrawn: %q", got)
		}
	})
}

func TestWhoSaysNoWithoutHavingAgreedIsHeard(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		visitor := vaulttest.Visitor(h.Tenant, who)
		may := func() errs.Kind {
			return errs.Of(h.Vault.View(t.Context(), h.owner, answer, func(tx *vault.Tx) error { return tx.May(who) }))
		}
		must(t, h.consent.Withdraw(t.Context(), visitor, who, "nobody_asks_for_this"))
		if got := may(); got != "" {
			t.Fatalf("before: %q", got)
		}
		for range 2 {
			must(t, h.consent.Withdraw(t.Context(), visitor, who, consent.Support))
		}
		if got := may(); got != errs.ConsentRequired {
			t.Errorf("after: %q", got)
		}
		all, err := h.consent.History(t.Context(), h.owner, who)
		must(t, err)
		if len(all) != 1 || all[0].Granted || all[0].How != consent.ByPerson || all[0].Version != 0 {
			t.Errorf("the record says %+v", all)
		}
	})
}

func TestTheRecordSaysWhatWasShownWhenAndHow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		ctx, visitor := t.Context(), vaulttest.Visitor(h.Tenant, who)
		must(t, h.consent.Record(ctx, visitor, who, yes("1", "fr")))
		must(t, h.consent.Record(ctx, visitor, who, yes("1", "fr"))) // the same again
		shown := h.notice(t, "fr").Text
		h.Clock.Advance(time.Hour)
		n, err := h.consent.SetNotice(ctx, h.owner, consent.Notice{Purpose: consent.Support, Language: "fr", Text: "Nous gardons vos messages pour vous répondre."})
		must(t, err)
		if n.Version != 2 || !n.Own {
			t.Errorf("in force: %+v", n)
		}
		must(t, h.consent.Withdraw(ctx, h.owner, who, consent.Support))
		c := yes("2", "fr")
		c.How = consent.BySite
		must(t, h.consent.Record(ctx, vaulttest.System(h.Tenant), who, c))

		all, err := h.consent.History(ctx, h.owner, who)
		must(t, err)
		var got []string
		for _, r := range all {
			got = append(got, map[bool]string{true: "yes", false: "no"}[r.Granted]+" "+string(r.How)+" "+r.Language+string(rune('0'+r.Version))+" "+r.At.Sub(vaulttest.Start).String())
		}
		want := []string{"yes page fr2 1h0m0s", "no operator fr1 1h0m0s", "yes person fr1 0s"}
		if !slices.Equal(got, want) && !slices.Equal(got, []string{want[1], want[0], want[2]}) { // two of the same moment
			t.Errorf("history: %q", got)
		}
		old, err := h.consent.Version(ctx, h.owner, consent.Support, "fr", 1)
		must(t, err)
		if old.Text != shown {
			t.Errorf("version 1 now reads %q", old.Text)
		}
	})
}

func TestAnOlderNoticeCannotBeAgreedTo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		_, err := h.consent.SetNotice(t.Context(), h.owner, consent.Notice{Purpose: consent.Support, Language: "en", Text: "We keep your messages for a year."})
		must(t, err)
		for _, version := range []string{"1", "3", "", "02", "2 "} {
			if err := h.consent.Record(t.Context(), vaulttest.Visitor(h.Tenant, who), who, yes(version, "en")); !errs.Is(err, errs.ConsentRequired) {
				t.Errorf("version %q: %v", version, err)
			}
		}
		must(t, h.consent.Record(t.Context(), vaulttest.Visitor(h.Tenant, who), who, yes("2", "en")))
		for _, c := range []consent.Choice{yes("1", "xx"), {Purpose: "marketing", Version: "1", Language: "en", Granted: true}} {
			if err := h.consent.Record(t.Context(), vaulttest.Visitor(h.Tenant, who), who, c); !errs.Is(err, errs.NotFound) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}

func TestNobodyAgreesForSomebodyElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, other := h.person(t), vaulttest.Visitor(h.Tenant, h.person(t))
		ctx := t.Context()
		foreigner := vaulttest.User(h.Other, vault.Owner)
		for name, err := range map[string]error{
			"another visitor":     h.consent.Record(ctx, other, who, yes("1", "en")),
			"another withdraws":   h.consent.Withdraw(ctx, other, who, consent.Support),
			"another tenant":      h.consent.Record(ctx, foreigner, who, yes("1", "en")),
			"nobody of that name": h.consent.Record(ctx, h.owner, ids.NewSubject(vaulttest.Start), yes("1", "en")),
		} {
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := h.consent.Record(ctx, vaulttest.User(h.Tenant, vault.Auditor), who, yes("1", "en")); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an auditor: %v", err)
		}
		if _, err := h.consent.History(ctx, other, who); !errs.Is(err, errs.NotFound) {
			t.Errorf("another's history: %v", err)
		}
		must(t, h.consent.Record(ctx, vaulttest.Visitor(h.Tenant, who), who, yes("1", "en")))
		err := h.Vault.View(ctx, vaulttest.Visitor(h.Other, who), write, func(tx *vault.Tx) error { return tx.May(who) })
		if !errs.Is(err, errs.ConsentRequired) {
			t.Errorf("seen from another tenant: %v", err)
		}
	})
}

func TestAnErasedPersonAgreesToNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		must(t, h.consent.Record(t.Context(), vaulttest.Visitor(h.Tenant, who), who, yes("1", "en")))
		must(t, h.Vault.EraseSubject(t.Context(), vaulttest.System(h.Tenant), look, who, "asked"))
		if err := h.consent.Record(t.Context(), vaulttest.Visitor(h.Tenant, who), who, yes("1", "en")); !errs.Is(err, errs.Gone) {
			t.Errorf("got %v", err)
		}
		_, err := h.Vault.FinishErasures(t.Context(), h.Tenant)
		must(t, err)
		if got := h.required(t, who); got != errs.ConsentRequired {
			t.Errorf("afterwards: %q", got)
		}
		if all, _ := h.consent.History(t.Context(), h.owner, who); len(all) != 0 {
			t.Errorf("%d records left", len(all))
		}
	})
}

func TestEveryChoiceIsInTheLog(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		must(t, h.consent.Record(t.Context(), vaulttest.Visitor(h.Tenant, who), who, yes("1", "en")))
		must(t, h.consent.Withdraw(t.Context(), vaulttest.Visitor(h.Tenant, who), who, consent.Support))
		entries, err := h.Vault.Entries(t.Context(), h.Tenant, 0, 100)
		must(t, err)
		var got []string
		for _, e := range entries {
			for _, ev := range e.Events {
				if e.Subject == who && ev.Subject == who && ev.Kind != "receipt.issued" {
					got = append(got, e.Action+" "+ev.Kind)
				}
			}
		}
		if want := []string{"consent.grant contact.consent.changed", "consent.withdraw contact.consent.changed"}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

// Whatever people say in whatever order, the present state is what they said last, and nothing of it is forgotten.
func TestTheLastWordCounts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		rapid.Check(t, func(rt *rapid.T) {
			who := h.person(t)
			granted, turns := false, 0
			for _, say := range rapid.SliceOfN(rapid.Bool(), 1, 6).Draw(rt, "said") {
				h.Clock.Advance(time.Second)
				must(t, h.consent.Record(context.Background(), vaulttest.Visitor(h.Tenant, who), who, consent.Choice{Purpose: consent.Support, Version: "1", Language: "en", Granted: say}))
				if say != granted || turns == 0 {
					turns++
				}
				granted = say
			}
			if got := h.required(t, who) == ""; got != granted {
				rt.Fatalf("said %v last, holds %v", granted, got)
			}
			all, err := h.consent.History(context.Background(), h.owner, who)
			if err != nil || len(all) != turns {
				rt.Fatalf("%d records of %d turns, %v", len(all), turns, err)
			}
		})
	})
}

func TestThereAreWordsInEveryLanguageOfTheWidget(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		seen := map[string]bool{}
		for _, lang := range consent.Languages {
			n := h.notice(t, lang+"-XX")
			if n.Language != lang || len(n.Text) < 80 || n.Version != 1 || n.Own || seen[n.Text] {
				t.Errorf("%s: %+v", lang, n)
			}
			seen[n.Text] = true
			if _, err := os.Stat("../../work/channels/webchat/widget/strings/" + lang + ".json"); err != nil {
				t.Errorf("the widget does not speak %s: %v", lang, err)
			}
		}
		if n := h.notice(t, "tlh"); n.Language != "en" {
			t.Errorf("an unknown language gets %q", n.Language)
		}
	})
}

func TestANoticeMustSaySomething(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		good := consent.Notice{Purpose: consent.Support, Language: "en", Text: "We keep your messages for a year.", URL: "https://shop.example/privacy"}
		for name, spoil := range map[string]func(*consent.Notice){
			"short":            func(n *consent.Notice) { n.Text = "ok" },
			"long":             func(n *consent.Notice) { n.Text = strings.Repeat("x", 4001) },
			"a script address": func(n *consent.Notice) { n.URL = "javascript:alert(1)" },
			"plain HTTP":       func(n *consent.Notice) { n.URL = "http://shop.example" },
			"a language":       func(n *consent.Notice) { n.Language = "xx" },
			"a purpose":        func(n *consent.Notice) { n.Purpose = "Sell it!" },
		} {
			n := good
			spoil(&n)
			if _, err := h.consent.SetNotice(t.Context(), h.owner, n); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.consent.SetNotice(t.Context(), vaulttest.User(h.Tenant, vault.Operator), good); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
	})
}

// serve answers a request as edge would, for the actor.
// site is the settings page, as an actor meets it.
func (h *house) site(who vault.Actor) http.Handler {
	return moduletest.Edge(moduletest.Mux(h.consent.Module()), who, page.View{Tenant: "Praxis am Park", User: "Ines Moreau"})
}

func TestTheSettingsPage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := moduletest.Get(h.site(h.owner), "/settings/consent?lang=de")
		pagetest.Check(t, a.Body)
		if !strings.Contains(a.Body, ">"+h.notice(t, "de").Text+"</textarea>") {
			t.Errorf("does not show the words in force: %s", a.Body)
		}
		words := "Wir bewahren Ihre Nachrichten <b>ein Jahr</b> auf."
		a = moduletest.Post(h.site(h.owner), "/settings/consent", "language", "de", "text", words, "url", "")
		if a.Status != http.StatusSeeOther || h.notice(t, "de").Text != words {
			t.Errorf("saved with %d: %+v", a.Status, h.notice(t, "de"))
		}
		a = moduletest.Post(h.site(h.owner), "/settings/consent", "language", "de", "text", "kurz", "url", "ftp://x")
		pagetest.Check(t, a.Body)
		if a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, ">kurz</textarea>") || strings.Count(a.Body, `class="fault"`) != 2 {
			t.Errorf("refused with %d: %s", a.Status, a.Body)
		}
		a = moduletest.Get(h.site(vaulttest.User(h.Tenant, vault.Operator)), "/settings/consent")
		if a.Status != http.StatusOK || strings.Contains(a.Body, "<textarea") {
			t.Errorf("an operator sees a form (%d)", a.Status)
		}
		if a := moduletest.Post(h.site(vaulttest.User(h.Tenant, vault.Operator)), "/settings/consent", "language", "de", "text", words); a.Status != http.StatusForbidden {
			t.Errorf("an operator saves: %d", a.Status)
		}
	})
}

func TestAConsentIsHandedOutAsARecordOfTheStandard(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, who := t.Context(), h.person(t)
		visitor := vaulttest.Visitor(h.Tenant, who)
		must(t, h.consent.Record(ctx, visitor, who, yes("1", "de")))
		shown := h.notice(t, "de").Text
		h.Clock.Advance(time.Hour)
		must(t, h.consent.Withdraw(ctx, visitor, who, consent.Support))
		for _, actor := range []vault.Actor{visitor, h.owner} {
			all, err := h.consent.Documents(ctx, actor, who)
			must(t, err)
			if len(all) != 1 {
				t.Fatalf("%d records", len(all))
			}
			d := all[0]
			if d.Type != "dpv:ConsentRecord" || !strings.HasSuffix(d.Schema, "dpv-27560#record") || !strings.HasPrefix(d.ID, "urn:uuid:") || d.Person != who || d.Status != "dpv:ConsentWithdrawn" ||
				len(d.Notices) != 1 || d.Notices[0].Text != shown || d.Notices[0].Language != "de" || len(d.Events) != 2 || d.Events[0].State != "dpv:ConsentGiven" || d.Events[1].At.Sub(d.Events[0].At) != time.Hour ||
				d.Process.Controller != "acme" || d.Process.Jurisdiction != "eu" || d.Withdrawal == "" {
				t.Errorf("%+v", d)
			}
		}
		if _, err := h.consent.Documents(ctx, vaulttest.Visitor(h.Tenant, h.person(t)), who); !errs.Is(err, errs.NotFound) {
			t.Errorf("another's records: %v", err)
		}
	})
}
