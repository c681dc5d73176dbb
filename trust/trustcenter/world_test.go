package trustcenter_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/audit"
	"aver/trust/claims"
	"aver/trust/subprocessors"
	"aver/trust/trustcenter"
	"aver/vault"
	"aver/vault/vaulttest"
)

// world is a trust centre over a real vault, with three months of history behind it.
type world struct {
	kit       *vaulttest.Kit
	claims    *claims.Service
	companies *subprocessors.Service
	log       *audit.Service
	server    *httptest.Server
	begin     time.Time
	drill     trustcenter.Drill
}

// must stops a test.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stated is a claim whose probe is told what to find.
func stated(id, theme, wording, predicate string, figures map[string]string, holds func() bool) claim.Claim {
	return claim.Claim{ID: id, Theme: theme, Wording: wording, Predicate: predicate, Method: "The probe acts as a caller does, over the installation's own address.", Owner: "Security",
		Kind: claim.Measured, Every: 15 * time.Minute, FreshFor: 45 * time.Minute, Check: "aver claims verify " + id,
		Refs:     claim.References{ISO: []string{"A.8.24"}, SOC2: []string{"CC6.1"}, GDPR: []string{"32(1)(a)"}},
		Fixtures: []claim.Fixture{{Name: "a folder with plain text in it"}, {Name: "a table whose column is not sealed"}},
		Probe: func(context.Context) (claim.Evidence, error) {
			e := claim.Evidence{Holds: true, Figures: figures}
			e.See(true, "files of the data folder", "1,204 files, 84 MB read, no canary text")
			e.See(holds(), "rows as they are stored", "31 tables, 8,311 rows, no canary text")
			return e, nil
		}}
}

func yes() bool { return true }

func open(t *testing.T) *world {
	t.Helper()
	c := moduletest.Config(t, claims.New(nil, 0, nil).Module(), subprocessors.New(nil).Module(), audit.New(nil).Module())
	w := &world{kit: vaulttest.Embedded(t, c), begin: time.Now()}
	w.kit.Clock.Advance(w.begin.Sub(vaulttest.Start)) // pages tell times relative to the browser's
	w.claims, w.companies, w.log = claims.New(w.kit.Vault, 0, slog.Default()), subprocessors.New(w.kit.Vault), audit.New(w.kit.Vault)
	center := trustcenter.New(trustcenter.Config{Claims: w.claims, Companies: w.companies, Log: w.log, Region: "eu", Contact: "security@chat.example", Host: func() string { return "localhost:8443" },
		Drill: func(context.Context) (trustcenter.Drill, error) { return w.drill, nil },
		Actor: func(string) vault.Actor { return vaulttest.System(ids.Installation) }, Now: w.kit.Clock.Now})
	w.server = httptest.NewServer(moduletest.Edge(moduletest.Mux(center.Module(), w.companies.Module()), vault.Actor{}, page.View{}))
	t.Cleanup(w.server.Close)
	return w
}
