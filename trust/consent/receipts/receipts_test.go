package receipts_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/tlog"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/audit"
	"aver/trust/consent"
	"aver/trust/consent/receipts"
	"aver/trust/consent/receipts/ui"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// house is a vault with consents, a log and receipts in it.
type house struct {
	*vaulttest.Kit
	consent  *consent.Service
	receipts *receipts.Service
	audit    *audit.Service
	owner    vault.Actor
}

func TestMain(m *testing.M) { pgtest.Main(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, moduletest.Config(t, consent.New(nil).Module(), audit.New(nil).Module()), func(t *testing.T, k *vaulttest.Kit) {
		h := &house{Kit: k, consent: consent.New(k.Vault), audit: audit.New(k.Vault), owner: vaulttest.User(k.Tenant, vault.Owner)}
		h.receipts = receipts.New(h.consent, h.audit)
		test(t, h)
	})
}

// person is somebody who agreed in German and took it back.
func (h *house) person(t *testing.T) (ids.Contact, vault.Actor) {
	t.Helper()
	who, err := h.Vault.NewSubject(t.Context(), vaulttest.System(h.Tenant))
	must(t, err)
	visitor := vaulttest.Visitor(h.Tenant, who)
	must(t, h.consent.Record(t.Context(), visitor, who, consent.Choice{Purpose: consent.Support, Version: "1", Language: "de", Granted: true}))
	h.Clock.Advance(time.Hour)
	must(t, h.consent.Withdraw(t.Context(), visitor, who, consent.Support))
	return who, visitor
}

func (h *house) key(t *testing.T) string {
	t.Helper()
	key, err := h.audit.VerifierKey(t.Context())
	must(t, err)
	return key
}

// verify is what anybody does with a file and the published key.
func verify(file []byte, key string) (statement map[string]any, err error) {
	r, err := tlog.ReadReceipt(file)
	if err != nil {
		return nil, err
	}
	if _, findings := r.Verify(key); len(findings) > 0 {
		return nil, findings
	}
	return statement, json.Unmarshal(r.Said(), &statement)
}

func TestEachAgreementAndWithdrawalHasAReceiptThatProvesItself(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, visitor := h.person(t)
		mine, err := h.receipts.Mine(t.Context(), visitor, "en", "/files/", who)
		must(t, err)
		if len(mine.Receipts) != 2 {
			t.Fatalf("%d receipts", len(mine.Receipts))
		}
		record := ""
		for n, want := range []string{"dpv:ConsentWithdrawn", "dpv:ConsentGiven"} {
			_, err := h.consent.SetPurpose(t.Context(), h.owner, consent.Definition{ID: "letters", Basis: purpose.Consent, Keep: "as long as " + want}) // what came later changes nothing
			must(t, err)
			file, err := h.receipts.File(t.Context(), visitor, mine.Receipts[n].ID, who)
			must(t, err)
			said, err := verify(file, h.key(t))
			must(t, err)
			about := said["dpv:hasRecordOfActivity"].(map[string]any)
			notice := about["dpv:hasNotice"].([]any)[0].(map[string]any)
			if said["@type"] != "dpv:ConsentReceipt" || about["dpv:hasConsentStatus"] != want || about["dpv:hasDataSubject"] != who.String() || notice["dct:language"] != "de" ||
				!strings.Contains(notice["dct:description"].(string), "Wenn Sie zustimmen") {
				t.Errorf("%s: it says %v", want, said)
			}
			if id := about["dct:identifier"].(string); record != "" && id != record {
				t.Errorf("the acts are in the records %s and %s", record, id)
			} else {
				record = id
			}
		}
	})
}

func TestAChangedByteOfAReceiptIsNoticed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, visitor := h.person(t)
		mine, err := h.receipts.Mine(t.Context(), visitor, "en", "", who)
		must(t, err)
		file, err := h.receipts.File(t.Context(), visitor, mine.Receipts[0].ID, who)
		must(t, err)
		key := h.key(t)
		for at := range file {
			altered := bytes.Clone(file)
			altered[at] ^= 1
			if _, err := verify(altered, key); err == nil {
				t.Fatalf("byte %d (%q) makes no difference", at, file[at])
			}
		}
	})
}

func TestReceiptsAreForThePersonAndWhoWorksForTheTenant(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, visitor := h.person(t)
		other, stranger := h.person(t)
		mine, err := h.receipts.Mine(t.Context(), visitor, "en", "", who)
		must(t, err)
		for name, err := range map[string]error{
			"somebody else's, as oneself":    second(h.receipts.File(t.Context(), stranger, mine.Receipts[0].ID, other)),
			"somebody else's, by their name": second(h.receipts.File(t.Context(), stranger, mine.Receipts[0].ID, who)),
			"one that is not there":          second(h.receipts.File(t.Context(), visitor, "cns_00000000000000000000000000", who)),
		} {
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		site := moduletest.Edge(moduletest.Mux(h.receipts.Module()), h.owner, page.View{})
		path := "/privacy/people/" + who.String() + "/receipts/" + mine.Receipts[0].ID
		a := moduletest.Get(site, path)
		if _, err := verify([]byte(a.Body), h.key(t)); a.Status != http.StatusOK || err != nil || !strings.Contains(a.Header.Get("Content-Disposition"), mine.Receipts[0].ID) {
			t.Errorf("in the console: %d, %v", a.Status, err)
		}
		if a := moduletest.Get(moduletest.Edge(moduletest.Mux(h.receipts.Module()), vaulttest.User(h.Tenant, vault.Auditor), page.View{}), path); a.Status != http.StatusForbidden {
			t.Errorf("for somebody without the role: %d", a.Status)
		}
	})
}

func second(_ []byte, err error) error { return err }

func TestATenantsWordHasAReceiptToo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, visitor := h.person(t)
		said := consent.Brought{How: consent.BySigned, Key: "kid1", Identity: true, Grounds: []identity.Ground{{Basis: purpose.Contract, Purpose: consent.Support, Since: h.Clock.Now().Add(-time.Hour), Words: "order 17"}}}
		state := vault.Act("test.state", purpose.Storage, vault.System())
		for range 2 { // saying the same again changes nothing
			must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), state, func(tx *vault.Tx) error {
				if err := said.Check(tx, who); err != nil {
					return err
				}
				return said.Keep(tx, who)
			}))
		}
		grounds, err := h.consent.Grounds(t.Context(), visitor, who)
		must(t, err)
		if len(grounds) != 1 {
			t.Fatalf("%d grounds", len(grounds))
		}
		file, err := h.receipts.File(t.Context(), visitor, grounds[0].ID.String(), who)
		must(t, err)
		proved, err := verify(file, h.key(t))
		must(t, err)
		if proved["dpv:hasLegalBasis"] != "eu-gdpr:A6-1-b" || proved["dct:description"] != "order 17" || proved["dpv:hasActiveEntity"] != "kid1" || proved["dpv:hasDataSubject"] != who.String() {
			t.Errorf("it says %v", proved)
		}
	})
}

func TestPeopleAreToldInTheirLanguage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, visitor := h.person(t)
		told := map[string]bool{}
		for _, lang := range consent.Languages {
			mine, err := h.receipts.Mine(t.Context(), visitor, lang, "/files/", who)
			must(t, err)
			offer := mine.Offer()
			about := ui.Purpose(lang, consent.Support)
			for _, words := range []string{offer.Title, offer.Text, offer.Save, offer.Receipts[0].Text, offer.Receipts[1].Text} {
				if words == "" || told[words] {
					t.Errorf("%s: %q is said in another language", lang, words)
				}
				told[words] = true
			}
			if !strings.Contains(offer.Receipts[0].Text, about) || offer.Receipts[0].URL != "/files/"+offer.Receipts[0].ID {
				t.Errorf("%s: %v", lang, offer.Receipts[0])
			}
		}
	})
}

func TestThePictureOfAPersonSaysWhatTheTableSays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, _ := h.person(t)
		part, err := h.receipts.Page(t.Context(), h.owner, who)
		must(t, err)
		var out strings.Builder
		must(t, part.Render(t.Context(), &out))
		for _, want := range []string{`role="img"`, "Answering: taken back", "<title>", "Version 1, de", "The person", "/privacy/people/" + who.String() + "/receipts/cns_"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in %s", want, out.String())
			}
		}
		nobody, err := h.Vault.NewSubject(t.Context(), vaulttest.System(h.Tenant))
		must(t, err)
		part, err = h.receipts.Page(t.Context(), h.owner, nobody)
		must(t, err)
		out.Reset()
		must(t, part.Render(t.Context(), &out))
		if !strings.Contains(out.String(), "Nothing agreed to") {
			t.Errorf("of somebody without any: %s", out.String())
		}
	})
}
