// Package isolation attacks a whole installation across its tenants, on both databases, and proves that the attacker
// would notice a leak: by leaks that are let in on purpose, one at a time.
package isolation

import (
	"io"
	"net/http"
	"testing"
	"time"

	"aver/cmd/aver/app"
	"aver/edge"
	"aver/edge/limit"
	"aver/frame/module"
	"aver/trust/canary"
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
	s := a.Canaries
	world := a.CanaryWorld()
	world.Handler = front(a.Edge)
	if err := s.Open(t.Context(), world); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return a, s
}
