package enrichment_test

import (
	"net/http"
	"testing"

	"aver/frame/claim"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// probe runs enr-1 over an installation with a canary workspace.
func (h *house) probe(t *testing.T) claim.Evidence {
	t.Helper()
	e, err := h.service.Module().Claims[0].Probe(t.Context())
	must(t, err)
	return e
}

func TestThePromiseHoldsUntilSomethingIsKeptAboutSomebodyWhoObjects(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.Vault.CreateTenant(t.Context(), vault.Tenant{Slug: "canary", Name: "canary", Region: "eu", Canary: true})
		must(t, err)
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		ada := h.person(t, "ada@acme.example")
		must(t, h.look(t, ada))
		for range 2 { // it leaves nothing behind that the next run would stumble over
			if e := h.probe(t); !e.Holds || e.Figures["values"] != "2" {
				t.Fatalf("%+v", e)
			}
		}
		must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), actSay, func(tx *vault.Tx) error {
			return vault.Standings.Put(tx, vault.Standing{Person: ada, Kind: purpose.Restrict, Purpose: purpose.All, Since: tx.Now()})
		}))
		if e := h.probe(t); e.Holds || e.Figures["hidden"] != "2" {
			t.Errorf("it is not noticed: %+v", e)
		}
	})
}
