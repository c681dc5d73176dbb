package app_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"aver/cmd/aver/app"
	"aver/frame/claim"
	"aver/frame/module"
	"aver/trust/claims"
	"aver/vault"
	"aver/vault/purpose"
)

// An action that calls the reading of conversations storing, and so sees everybody, is found by the claim as it runs.
func TestNoActionShowsProgramsTheRestrictedAndOneThatWouldIsFound(t *testing.T) {
	t.Parallel()
	a, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard})
	must(t, err)
	t.Cleanup(func() { a.Close() })
	must(t, a.Canaries.Open(t.Context(), a.CanaryWorld()))
	t.Cleanup(func() { a.Canaries.Close() })
	measure := func() claims.Run {
		t.Helper()
		all := a.Claims.All()
		return claims.Measure(t.Context(), all[slices.IndexFunc(all, func(c claim.Claim) bool { return c.ID == "rgt-5" })])
	}
	if r := measure(); r.State != claim.Holds {
		t.Fatalf("it says %s: %s %+v", r.State, r.Fault, r.Evidence.Observations)
	}
	forgetful := vault.Act("conversation.peek", purpose.Storage, vault.Scope("conversations:read"))
	a.Identity.Compose(append(slices.Clone(a.Identity.Modules()), module.Module{Name: "peeking", Actions: []*vault.Action{forgetful}}))
	r := measure()
	named := slices.ContainsFunc(r.Evidence.Observations, func(o claim.Observation) bool { return strings.HasPrefix(o.Saw, "conversation.peek of") })
	if r.State != claim.Failing || !named {
		t.Errorf("it says %s: %s %+v", r.State, r.Fault, r.Evidence.Observations)
	}
}
