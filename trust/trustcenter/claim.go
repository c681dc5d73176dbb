package trustcenter

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/tlog"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/claims"
	"aver/trust/trustcenter/ui"
)

const shownRuns = 12

func (s *Service) claim(w http.ResponseWriter, r *http.Request) error {
	st, err := s.standing(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	runs, err := s.Claims.LastRuns(r.Context(), st.Claim.ID, shownRuns)
	if err != nil {
		return err
	}
	view := ui.Claim{Row: row(st), Theme: st.Claim.Theme, Sentence: st.Claim.Sentence(st.Last.Evidence), Predicate: st.Claim.Predicate, Method: st.Claim.Method,
		Owner: st.Claim.Owner, Measured: st.Claim.Probe != nil, Every: st.Claim.Every, FreshFor: st.Claim.FreshFor, Since: st.Since,
		References: st.Claim.Refs.List(), Fault: st.Last.Fault, Removed: st.Removed, Now: s.Now(), Check: s.steps(st.Claim)}
	for _, o := range st.Last.Evidence.Observations {
		view.Saw = append(view.Saw, ui.Observation{What: o.What, Saw: o.Saw, Holds: o.Holds})
	}
	for _, f := range st.Claim.Fixtures {
		view.Broken = append(view.Broken, f.Name)
	}
	for _, run := range runs {
		view.Runs = append(view.Runs, shownRun(run))
	}
	return page.Render(w, r, http.StatusOK, ui.ClaimPage(view))
}

func shownRun(r claims.Run) ui.Run {
	return ui.Run{Seq: r.Seq, At: r.At, State: page.State(r.State), Changed: r.Changed, Took: time.Duration(r.Took) * time.Microsecond, Href: fmt.Sprintf("/trust/claims/%s/runs/%d", r.Claim, r.Seq)}
}

// steps are commands with which a reader checks the claim.
func (s *Service) steps(c claim.Claim) []string {
	var out []string
	for line := range strings.Lines(c.Check) {
		out = append(out, strings.ReplaceAll(strings.TrimSpace(line), "HOST", s.Host()))
	}
	return append(out, "curl https://"+s.Host()+"/trust/claims/"+c.ID+"/evidence.json")
}

func (s *Service) standing(ctx context.Context, id string) (claims.Standing, error) {
	board, err := s.Claims.Board(ctx)
	if err != nil {
		return claims.Standing{}, err
	}
	st, ok := board.Find(id)
	if !ok {
		return st, errs.New(errs.NotFound, "There is no such claim.")
	}
	return st, nil
}

// evidenceFile is what can be downloaded about one run.
type evidenceFile struct {
	Claim     string         `json:"claim"`
	Sentence  string         `json:"sentence"`
	Predicate string         `json:"predicate"`
	Run       int64          `json:"run"`
	At        time.Time      `json:"measured_at"`
	State     claim.State    `json:"state"`
	Took      int64          `json:"took_microseconds"`
	Evidence  claim.Evidence `json:"evidence"`
	Fault     string         `json:"fault,omitempty"`
	Log       *logPlace      `json:"log,omitempty"`
}

// logPlace is where the run stands in the installation's log.
type logPlace struct {
	Index  int64  `json:"index"`
	Commit string `json:"commitment"` // SHA-256 over the sealed row, hex
}

func (s *Service) evidence(w http.ResponseWriter, r *http.Request) error {
	st, err := s.standing(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if st.Last.Seq == 0 {
		return errs.New(errs.NotFound, "This claim has not been measured yet.")
	}
	return s.writeEvidence(w, r, st.Claim, st.Last)
}

func (s *Service) writeEvidence(w http.ResponseWriter, r *http.Request, c claim.Claim, run claims.Run) error {
	file := evidenceFile{Claim: c.ID, Sentence: c.Sentence(run.Evidence), Predicate: c.Predicate, Run: run.Seq, At: run.At, State: run.State, Took: run.Took, Evidence: run.Evidence, Fault: run.Fault}
	if e, err := s.Claims.Entry(r.Context(), run); err == nil {
		file.Log = &logPlace{Index: e.Index, Commit: fmt.Sprintf("%x", e.Commit)}
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf("inline; filename=%q", fmt.Sprintf("%s-%d.json", c.ID, run.Seq)))
	return writeJSON(w, file)
}

func writeJSON(w http.ResponseWriter, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err = w.Write(append(text, '\n'))
	return err
}

// oneRun finds the run that an address names.
func (s *Service) oneRun(r *http.Request) (claims.Standing, claims.Run, error) {
	st, err := s.standing(r.Context(), r.PathValue("id"))
	if err != nil {
		return st, claims.Run{}, err
	}
	seq, err := strconv.ParseInt(r.PathValue("seq"), 10, 64)
	if err != nil {
		return st, claims.Run{}, errs.New(errs.NotFound, "There is no such run.")
	}
	run, err := s.Claims.OneRun(r.Context(), st.Claim.ID, seq)
	return st, run, err
}

func (s *Service) run(w http.ResponseWriter, r *http.Request) error {
	st, run, err := s.oneRun(r)
	if err != nil {
		return err
	}
	return s.writeEvidence(w, r, st.Claim, run)
}

// proof answers with a C2SP tlog-proof: that the entry of the run is in the installation's log, under a signed
// checkpoint. The entry itself is in the extra line, which the proof does not authenticate; whoever checks hashes it.
func (s *Service) proof(w http.ResponseWriter, r *http.Request) error {
	_, run, err := s.oneRun(r)
	if err != nil {
		return err
	}
	entry, err := s.Claims.Entry(r.Context(), run)
	if err != nil {
		return err
	}
	s.proving.Lock()
	defer s.proving.Unlock()
	p, err := s.Log.Prove(r.Context(), s.Actor("trustcenter"), entry.Index)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("inline; filename=%q", fmt.Sprintf("%s-%d.tlog-proof", run.Claim, run.Seq)))
	_, err = w.Write(proofText(p.Raw, entry.Index, p.Inclusion, p.Signed))
	return err
}

func proofText(entry []byte, index int64, path []tlog.Hash, signed []byte) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "c2sp.org/tlog-proof@v1\nextra %s\nindex %d\n", base64.StdEncoding.EncodeToString(entry), index)
	for _, h := range path {
		fmt.Fprintln(&out, base64.StdEncoding.EncodeToString(h[:]))
	}
	out.WriteString("\n")
	out.Write(signed)
	return []byte(out.String())
}
