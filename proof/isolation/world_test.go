// Package isolation attacks a whole installation across its tenants, on both databases, and proves that the attacker
// would notice a leak: by leaks that are let in on purpose, one at a time.
package isolation

import (
	"io"
	"net/http"
	"testing"
	"time"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/edge"
	"aver/edge/limit"
	"aver/frame/module"
	"aver/trust/canary"
	"aver/trust/identity"
	"aver/trust/subprocessors"
	"aver/vault/postgres/pgtest"
)

// unlimited lets a rig ask as fast as it can.
func unlimited() map[module.Class]edge.Quota {
	out := map[module.Class]edge.Quota{}
	plenty := limit.Rate{Quota: 1_000_000, Window: time.Minute}
	for _, class := range []module.Class{module.Page, module.SignIn, module.API, module.Upload, module.Download, module.Live, module.Asset, module.Embed, module.Frame, module.Widget} {
		out[class] = edge.Quota{Actor: plenty, Address: plenty}
	}
	return out
}

func TestMain(m *testing.M) { pgtest.Main(m) }

// each runs a test on an installation with the embedded store and on one with PostgreSQL.
func each(t *testing.T, test func(*testing.T, app.Config)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, app.Config{})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := pgtest.Start(t).NewDatabase(t, nil)
		if err := app.Migrate(t.Context(), db.Owner, "", pgtest.App); err != nil {
			t.Fatal(err)
		}
		test(t, app.Config{Database: db.App, UnsafeForTests: true})
	})
}

// open starts a whole installation with its two canaries. front may stand between them and the edge.
func open(t *testing.T, c app.Config, front func(http.Handler) http.Handler) (*app.App, *canary.Service) {
	t.Helper()
	c.Data, c.Listen, c.Admin, c.Log = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", io.Discard
	c.Quotas = unlimited()

	a, err := app.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	if _, err := a.Subprocessors.Save(t.Context(), identity.System(ids.Installation, "test"), subprocessors.Company{Name: "Modell GmbH", Address: "Berlin", Region: "eu",
		Hosts: []string{"api.modell.example"}, Purposes: []string{"assistant"}, Categories: []string{"user.content"}, Contract: "shelf 7", AuditedAt: a.Vault.Now(), Status: subprocessors.Live}); err != nil {
		t.Fatal(err)
	}
	s := a.Canaries
	world := a.CanaryWorld()
	a.Children.Follow() // the canaries have one
	world.Handler = front(a.Edge)
	if err := s.Open(t.Context(), world); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return a, s
}
