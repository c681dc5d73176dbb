// Package trustcenter shows the world how the promises stand: a public page per claim with what exactly is checked, what
// the last run saw, its place in the log, and the command to check it oneself.
//
// It shows and never judges: states come from trust/claims, companies from the register, checkpoints from the log. The
// pages work without scripts and set no cookies.
package trustcenter

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"aver/base/errs"
	"aver/frame/claim"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/audit"
	"aver/trust/claims"
	"aver/trust/subprocessors"
	"aver/trust/trustcenter/ui"
	"aver/vault"
)

// Drill is the last rehearsal of a restore.
type Drill struct {
	At    time.Time // zero if there was none
	Took  time.Duration
	Holds bool
}

// Config is what the pages show.
type Config struct {
	Claims    *claims.Service
	Companies *subprocessors.Service
	Log       *audit.Service
	Drill     func(ctx context.Context) (Drill, error)
	Actor     func(part string) vault.Actor // Aver itself, acting on the installation's log
	Now       func() time.Time
	Region    string        // home region, such as eu
	Contact   string        // where reporters of weaknesses write: a mail address or an https address
	Host      func() string // what this installation is reached by, with its port
}

// Service answers for the public pages.
type Service struct {
	Config
	proving sync.Mutex // one proof at a time: anybody may ask for one, and each reads a whole log's hashes
}

// New makes the service.
func New(c Config) *Service { return &Service{Config: c} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "trustcenter", Number: 14, Routes: s.routes, Classes: map[string]module.Class{"/trust/api/": module.API, ui.Style.Path(): module.Asset}}
}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET "+ui.Style.Path(), ui.Style)
	mux.Handle("GET /trust", request.Handler(s.home))
	mux.Handle("GET /trust/claims/{id}", request.Handler(s.claim))
	mux.Handle("GET /trust/claims/{id}/evidence.json", request.Handler(s.evidence))
	mux.Handle("GET /trust/claims/{id}/runs/{seq}", request.Handler(s.run))
	mux.Handle("GET /trust/claims/{id}/runs/{seq}/proof", request.Handler(s.proof))
	mux.Handle("GET /trust/subprocessors", request.Handler(s.companies))
	mux.Handle("GET /trust/subprocessors.json", request.Handler(s.companiesJSON))
	mux.Handle("GET /trust/log", request.Handler(s.log))
	mux.Handle("GET /trust/api/claims.json", request.Handler(s.claimsJSON))
	mux.Handle("GET /.well-known/security.txt", request.Handler(s.securityText))
}

// filters are the states that the list can be narrowed to.
var filters = []claim.State{claim.Failing, claim.Stale, claim.Unknown, claim.Holds}

func (s *Service) home(w http.ResponseWriter, r *http.Request) error {
	board, err := s.Claims.Board(r.Context())
	if err != nil {
		return err
	}
	only := claim.State(r.URL.Query().Get("state"))
	if only != "" && !slices.Contains(filters, only) {
		return errs.New(errs.NotFound, "There is no such state.")
	}
	home := ui.Home{Now: s.Now(), Region: s.Region, Only: string(only), Summary: summaryOf(board), States: map[string]int{}}
	if home.Drill, err = s.drill(r.Context()); err != nil {
		return err
	}
	for _, st := range board.Standings {
		home.States[string(st.State)]++
		if only == "" || only == st.State {
			home.Add(st.Claim.Theme, row(st))
		}
	}
	return page.Render(w, r, http.StatusOK, ui.HomePage(home))
}

func (s *Service) drill(ctx context.Context) (ui.Drill, error) {
	d, err := s.Drill(ctx)
	if errs.Is(err, errs.NotFound) { // none yet
		return ui.Drill{}, nil
	}
	return ui.Drill{At: d.At, Took: d.Took, Holds: d.Holds}, err
}

func summaryOf(b claims.Board) ui.Summary {
	sum := b.Summary()
	return ui.Summary{Holding: sum.Holding, Total: sum.Total, Failing: sum.Failing, Oldest: sum.Oldest, Removed: b.Removed}
}

func row(st claims.Standing) page.ClaimRow {
	return page.ClaimRow{ID: st.Claim.ID, Href: "/trust/claims/" + st.Claim.ID, State: stateOf(st), Sentence: spans(st.Claim.Parts(st.Last.Evidence)), Days: days(st), Checked: st.Last.At}
}

func spans(parts []claim.Part) []page.Span {
	out := make([]page.Span, len(parts))
	for i, p := range parts {
		out[i] = page.Span{Text: p.Text, Live: p.Live}
	}
	return out
}

// stateOf never shows a person's word as a measurement.
func stateOf(st claims.Standing) page.State {
	if st.Claim.Kind == claim.Attested && st.State == claim.Holds {
		return page.Attested
	}
	return page.State(st.State)
}

func days(st claims.Standing) page.Days {
	out := make(page.Days, len(st.Days))
	for i, d := range st.Days {
		out[i] = page.State(d)
	}
	return out
}
