package ui_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/a-h/templ"

	"aver/base/errs"
	"aver/frame/page"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/subprocessors/ui"
)

func TestThePagesAreLegibleToEverybody(t *testing.T) {
	t.Parallel()
	model := ui.Company{ID: "sbp_1", Name: "Modell GmbH", Address: "Invalidenstraße 1, 10115 Berlin, Germany", Region: "European Union", Purposes: []string{"assistant"},
		Categories: []string{"user.content"}, Hosts: []string{"api.modell.example"}, Contract: "Shelf 7", AuditedAt: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Live: true}
	pages := map[string]templ.Component{
		"none":    ui.List(ui.Register{MayWrite: true}),
		"several": ui.List(ui.Register{Companies: []ui.Company{model, {ID: "sbp_2", Name: "Voice Ltd", Region: "India"}}, Allowed: 31, Refused: 6}),
		"form":    ui.Form(model, page.Sheet{}),
		"refused": ui.Form(ui.Company{Name: "Voice Ltd"}, page.Sheet{Errors: []errs.Field{{Field: "audited_at", Code: "required", Message: "A company goes live after it was audited: write the day of the audit."}}}),
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+page.AssetsPath(), page.Assets())
	for name, content := range pages {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			ctx := page.With(r.Context(), page.View{Path: "/settings/subprocessors", Tenant: "Praxis am Park", Region: "EU", User: "Ines Moreau", Role: "owner"})
			if err := page.Render(w, r.WithContext(ctx), http.StatusOK, content); err != nil {
				t.Error(err)
			}
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	tab := browser.New(t)
	for name := range pages {
		tab.Goto(server.URL + "/" + name)
		axe.Look(t, tab, "subprocessors-"+name)
	}
}
