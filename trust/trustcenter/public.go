package trustcenter

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"aver/base/tlog"
	"aver/frame/page"
	"aver/trust/claims"
	"aver/trust/subprocessors"
	"aver/trust/trustcenter/ui"
)

func (s *Service) companies(w http.ResponseWriter, r *http.Request) error {
	live, err := s.Companies.Live(r.Context())
	if err != nil {
		return err
	}
	view := ui.Companies{Region: s.Region}
	for _, c := range live {
		view.List = append(view.List, ui.Company{Name: c.Name, Address: c.Address, Purposes: c.Purposes, Categories: c.Categories, Region: c.Region,
			Hosts: c.Hosts, Safeguard: c.Safeguard, AuditedAt: c.AuditedAt, LiveAt: c.LiveAt})
	}
	if st, err := s.standing(r.Context(), "sub-1"); err == nil {
		one := row(st)
		view.Claim = &one
	}
	for _, n := range s.Companies.Calls() {
		view.Refused += n.Refused
	}
	return page.Render(w, r, http.StatusOK, ui.CompaniesPage(view))
}

func (s *Service) companiesJSON(w http.ResponseWriter, r *http.Request) error {
	live, err := s.Companies.Live(r.Context())
	if err != nil {
		return err
	}
	out := struct {
		Data []subprocessors.Entry `json:"data"`
	}{Data: make([]subprocessors.Entry, 0, len(live))}
	for _, c := range live {
		e := subprocessors.EntryOf(c)
		e.Contract = "" // where the papers are kept is nobody's business
		out.Data = append(out.Data, e)
	}
	return writeJSON(w, out)
}

func (s *Service) claimsJSON(w http.ResponseWriter, r *http.Request) error {
	board, err := s.Claims.Board(r.Context())
	if err != nil {
		return err
	}
	sum := board.Summary()
	out := struct {
		At      time.Time     `json:"at"`
		Holding int           `json:"holding"`
		Total   int           `json:"total"`
		Oldest  time.Time     `json:"oldest_evidence"`
		Region  string        `json:"region"`
		Claims  []claims.Line `json:"claims"`
	}{At: board.At, Holding: sum.Holding, Total: sum.Total, Oldest: sum.Oldest, Region: s.Region}
	for _, st := range board.Standings {
		out.Claims = append(out.Claims, claims.LineOf(st, false))
	}
	return writeJSON(w, out)
}

const shownCheckpoints = 48

func (s *Service) log(w http.ResponseWriter, r *http.Request) error {
	key, err := s.Log.VerifierKey(r.Context())
	if err != nil {
		return err
	}
	list, err := s.Log.Published(r.Context(), shownCheckpoints)
	if err != nil {
		return err
	}
	view := ui.Log{Key: key, Host: s.Host()}
	for _, signed := range list {
		c, err := tlog.Open([]byte(signed.Note), key)
		one := ui.Checkpoint{At: signed.At, Size: signed.Size, Good: err == nil, Note: signed.Note}
		if err == nil {
			one.Root = fmt.Sprintf("%x", c.Root[:])
			view.Origin = c.Origin
		}
		view.List = append(view.List, one)
	}
	return page.Render(w, r, http.StatusOK, ui.LogPage(view))
}

// expireAfter is how long a security.txt counts: less than a year (RFC 9116 §2.5.5), counted anew with every answer.
const expireAfter = 180 * 24 * time.Hour

// securityText tells where to report a weakness (RFC 9116). It is made for each request, so that it cannot run out.
func (s *Service) securityText(w http.ResponseWriter, r *http.Request) error {
	var out strings.Builder
	fmt.Fprintf(&out, "Contact: %s\nExpires: %s\nPreferred-Languages: en\nCanonical: https://%s/.well-known/security.txt\nPolicy: https://%s/trust\n",
		contactURI(s.Contact, s.Host()), s.Now().UTC().Add(expireAfter).Truncate(24*time.Hour).Format(time.RFC3339), s.Host(), s.Host())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write([]byte(out.String()))
	return err
}

func contactURI(contact, host string) string {
	switch {
	case strings.Contains(contact, ":"):
		return contact
	case strings.Contains(contact, "@"):
		return "mailto:" + contact
	default:
		name, _, _ := strings.Cut(host, ":")
		return "mailto:security@" + name
	}
}
