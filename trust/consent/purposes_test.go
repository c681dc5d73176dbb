package consent_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/frame/page/pagetest"
	"aver/trust/consent"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

var campaign = vault.Act("test.campaign", purpose.Storage, vault.System())

// may tells whether an action for the purpose may write about somebody.
func (h *house) may(t *testing.T, who ids.Contact, name string) errs.Kind {
	t.Helper()
	return errs.Of(h.Vault.View(t.Context(), vaulttest.System(h.Tenant), campaign.For(name), func(tx *vault.Tx) error { return tx.May(who) }))
}

func newsletter() consent.Definition {
	return consent.Definition{ID: "newsletter", Basis: purpose.Consent, Automated: true, Names: map[string]string{"en": "Our letter", "de": "Unser Brief", "fr": " "},
		Recipients: []string{"Letters Ltd, Cork", ""}, Keep: "until you say no"}
}

func TestAPurposeOfTheTenantsOwnBindsFromItsDefinitionOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		ctx, visitor := t.Context(), vaulttest.Visitor(h.Tenant, who)
		if got := h.may(t, who, "newsletter"); got != errs.ConsentRequired {
			t.Errorf("not defined: %q", got)
		}
		d, err := h.consent.SetPurpose(ctx, h.owner, newsletter())
		must(t, err)
		if d.Version != 1 || len(d.Names) != 2 || len(d.Recipients) != 1 {
			t.Errorf("defined as %+v", d)
		}
		must(t, h.consent.Record(ctx, visitor, who, yes("1", "en")))
		if got := h.may(t, who, "newsletter"); got != errs.ConsentRequired {
			t.Errorf("agreed to support alone: %q", got)
		}
		n, err := h.consent.SetNotice(ctx, h.owner, consent.Notice{Purpose: "newsletter", Language: "en", Text: "We send you a letter once a month."})
		must(t, err)
		must(t, h.consent.Record(ctx, visitor, who, consent.Choice{Purpose: "newsletter", Version: "1", Language: n.Language, Granted: true}))
		if got := h.may(t, who, "newsletter"); got != "" {
			t.Errorf("agreed: %q", got)
		}
		must(t, h.consent.Withdraw(ctx, visitor, who, "newsletter"))
		if got := h.may(t, who, "newsletter"); got != errs.ConsentRequired {
			t.Errorf("taken back: %q", got)
		}
		other := h.person(t)
		changed := newsletter()
		changed.Basis = purpose.LegitimateInterest
		d, err = h.consent.SetPurpose(ctx, h.owner, changed)
		must(t, err)
		if got := h.may(t, other, "newsletter"); got != "" || d.Version != 2 {
			t.Errorf("on another ground, version %d: %q", d.Version, got)
		}
		if got := h.may(t, who, "newsletter"); got != errs.ConsentRequired {
			t.Errorf("a no does not count on another ground: %q", got)
		}
		if d, err = h.consent.SetPurpose(ctx, h.owner, changed); err != nil || d.Version != 2 {
			t.Errorf("the same again is version %d, %v", d.Version, err)
		}
		all, err := h.consent.PurposeVersions(ctx, h.owner, "newsletter")
		must(t, err)
		if len(all) != 2 || all[0].Basis != purpose.LegitimateInterest || all[1].Basis != purpose.Consent {
			t.Errorf("versions: %+v", all)
		}
	})
}

func TestTheGroundOfAversOwnPurposesIsTheTenantsToChooseButForAnswering(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		if got := h.may(t, who, purpose.Assistant); got != "" {
			t.Errorf("as shipped: %q", got)
		}
		_, err := h.consent.SetPurpose(t.Context(), h.owner, consent.Definition{ID: purpose.Assistant, Basis: purpose.Consent})
		must(t, err)
		if got := h.may(t, who, purpose.Assistant); got != errs.ConsentRequired {
			t.Errorf("on consent: %q", got)
		}
		all, err := h.consent.Purposes(t.Context(), h.owner)
		must(t, err)
		i := slices.IndexFunc(all, func(d consent.Definition) bool { return d.ID == purpose.Assistant })
		if len(all) != len(purpose.Known)+1 || all[0].ID != consent.Support || i < 0 || all[i].Basis != purpose.Consent || !all[i].Automated {
			t.Errorf("listed: %+v", all)
		}
		for name, d := range map[string]consent.Definition{
			"answering":          {ID: consent.Support, Basis: purpose.LegitimateInterest},
			"an exception":       {ID: purpose.LegalClaims, Basis: purpose.LegitimateInterest},
			"what is owed":       {ID: purpose.Duty, Basis: purpose.Consent},
			"the desk":           {ID: purpose.Desk, Basis: purpose.Consent},
			"decisions":          {ID: purpose.Decision, Basis: purpose.LegitimateInterest},
			"a malformed word":   {ID: "Sell it!", Basis: purpose.Consent},
			"no ground":          {ID: "letters"},
			"a long name":        {ID: "letters", Basis: purpose.Consent, Names: map[string]string{"en": strings.Repeat("x", 81)}},
			"a foreign language": {ID: "letters", Basis: purpose.Consent, Names: map[string]string{"tlh": "x"}},
		} {
			if _, err := h.consent.SetPurpose(t.Context(), h.owner, d); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.consent.SetPurpose(t.Context(), vaulttest.User(h.Tenant, vault.Operator), newsletter()); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
	})
}

func TestThePageOfPurposes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		site := h.site(h.owner)
		a := moduletest.Get(site, "/settings/consent?purpose=new")
		pagetest.Check(t, a.Body)
		a = moduletest.Post(site, "/settings/consent/purpose", "id", "news letter", "basis", "consent", "name_en", "Our letter")
		pagetest.Check(t, a.Body)
		if a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `value="Our letter"`) || strings.Count(a.Body, `class="fault"`) != 1 {
			t.Errorf("refused with %d: %s", a.Status, a.Body)
		}
		a = moduletest.Post(site, "/settings/consent/purpose", "id", "newsletter", "basis", "consent", "name_en", "Our letter", "shares", "yes", "recipients", "Letters Ltd\r\nPost Ltd")
		if a.Status != http.StatusSeeOther {
			t.Fatalf("defined with %d: %s", a.Status, a.Body)
		}
		a = moduletest.Get(site, "/settings/consent?purpose=newsletter&lang=de")
		pagetest.Check(t, a.Body)
		for _, want := range []string{"Our letter", "Letters Ltd", "Post Ltd", "Nothing is written in this language yet", "shared"} {
			if !strings.Contains(a.Body, want) {
				t.Errorf("does not show %q", want)
			}
		}
		a = moduletest.Post(site, "/settings/consent", "purpose", "newsletter", "language", "de", "text", "Wir schicken Ihnen jeden Monat einen Brief.", "url", "")
		if a.Status != http.StatusSeeOther {
			t.Errorf("its notice: %d", a.Status)
		}
		if a := moduletest.Get(site, "/settings/consent?purpose=nothing_like_it"); a.Status != http.StatusNotFound {
			t.Errorf("an unknown purpose: %d", a.Status)
		}
		a = moduletest.Get(h.site(vaulttest.User(h.Tenant, vault.Operator)), "/settings/consent?purpose=outreach")
		pagetest.Check(t, a.Body)
		if a.Status != http.StatusOK || strings.Contains(a.Body, "<form method=\"post\" action=\"/settings/consent") {
			t.Errorf("an operator sees a form (%d)", a.Status)
		}
	})
}
