package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/ui"
)

// filter reads a list's filter from its address. What cannot be one is left out: addresses get cut and edited.
func filter(q url.Values) contacts.Filter {
	f := contacts.Filter{Search: strings.TrimSpace(q.Get("q")), Archived: q.Get("archived") == "1"}
	if r := contacts.Role(q.Get("role")); r == contacts.Visitor || r == contacts.Lead || r == contacts.User {
		f.Role = r
	}
	if len(f.Search) > 250 {
		f.Search = ""
	}
	_ = f.Label.UnmarshalText([]byte(q.Get("label")))
	_ = f.Segment.UnmarshalText([]byte(q.Get("segment")))
	_ = f.After.UnmarshalText([]byte(q.Get("after")))
	return f
}

// address is a person's page.
func address(id ids.Contact) string { return "/contacts/" + id.String() }

func (s *Service) showList(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), actor(r)
	p := ui.People{Filter: filter(r.URL.Query()), MayWrite: contacts.MayWrite(who)}
	var err error
	if p.Page, err = s.List(ctx, who, p.Filter); errs.Is(err, errs.NotFound) { // a segment that is gone
		p.Filter.Segment = contacts.SegmentID{}
		p.Page, err = s.List(ctx, who, p.Filter)
	}
	if err != nil {
		return err
	}
	if p.Tags, err = s.Tags(ctx, who); err != nil {
		return err
	}
	if p.Segments, err = s.Segments(ctx, who); err != nil {
		return err
	}
	if p.Any = len(p.Page.Contacts) > 0; !p.Any {
		if p.Any, err = s.Any(ctx, who); err != nil {
			return err
		}
	}
	return page.Render(w, r, http.StatusOK, ui.List(p))
}

// find answers the palette.
func (s *Service) find(w http.ResponseWriter, r *http.Request) error {
	f := filter(url.Values{"q": {r.URL.Query().Get("q")}})
	f.Limit = 8
	type hit struct {
		Title string `json:"title"`
		Note  string `json:"note"`
		Href  string `json:"href"`
	}
	hits := []hit{}
	if actor(r).Kind() == vault.Nobody {
		return errs.New(errs.Unauthenticated, "Sign in first.")
	}
	if f.Search != "" {
		p, err := s.List(r.Context(), actor(r), f)
		if err != nil {
			return err
		}
		for _, c := range p.Contacts {
			hits = append(hits, hit{ui.Name(c), c.Email.Reveal(), address(c.ID)})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(hits)
}

func (s *Service) showNew(w http.ResponseWriter, r *http.Request) error {
	return s.drawForm(w, r, contacts.Contact{}, page.Sheet{})
}

func (s *Service) drawForm(w http.ResponseWriter, r *http.Request, c contacts.Contact, sheet page.Sheet) error {
	all, err := s.Attributes.All(r.Context(), actor(r))
	if err != nil {
		return err
	}
	if !contacts.MayWrite(actor(r)) {
		return errs.New(errs.Forbidden, "Your role does not allow this.")
	}
	off, err := s.Attributes.Off(r.Context(), actor(r))
	if err != nil {
		return err
	}
	return page.Render(w, r, sheet.Status(), ui.Edit(ui.Form{Contact: c, Attributes: all, Off: off, Sheet: sheet}))
}

// groundIn reads why somebody's data is kept. What is no day is no time, which whoever checks the ground says.
func groundIn(form url.Values) identity.Ground {
	since, err := time.Parse(time.DateOnly, form.Get("grounds.since"))
	if err != nil {
		since = time.Time{}
	}
	return identity.Ground{Basis: purpose.Basis(form.Get("grounds.basis")), Purpose: strings.TrimSpace(form.Get("grounds.purpose")), Since: since, Words: form.Get("grounds.words")}
}

// draft reads the form of a person. Its empty fields are meant to be empty.
func (s *Service) draft(r *http.Request, form url.Values) (contacts.Draft, error) {
	d := contacts.Draft{Name: form.Get("name"), Email: form.Get("email"), Phone: form.Get("phone"), Company: form.Get("company"),
		Language: strings.TrimSpace(form.Get("language")), ExternalID: form.Get("external_id"), Attributes: attributes.Values{}}
	if g := groundIn(form); g.Basis != "" || g.Words != "" {
		d.Grounds = []identity.Ground{g}
	}
	for _, name := range []string{"name", "email", "phone", "company", "language", "external_id"} {
		if form.Has(name) && strings.TrimSpace(form.Get(name)) == "" {
			d.Clear = append(d.Clear, name)
		}
	}
	all, err := s.Attributes.All(r.Context(), actor(r))
	for _, a := range all {
		if name := "custom_attributes." + a.Name; form.Has(name) {
			d.Attributes[a.Name] = form.Get(name)
		}
	}
	return d, err
}

func (s *Service) create(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	d, err := s.draft(r, form)
	if err != nil {
		return err
	}
	d.Clear = nil
	c, err := s.Create(r.Context(), actor(r), d)
	if sheet, again := page.Refused(err, form); again {
		return s.drawForm(w, r, contacts.Contact{}, sheet)
	}
	return page.Done(w, r, err, address(c.ID), ui.Flash("created"))
}

func (s *Service) showEdit(w http.ResponseWriter, r *http.Request) error {
	id, err := person(r)
	if err != nil {
		return err
	}
	c, err := s.Get(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	return s.drawForm(w, r, c, page.Sheet{})
}

func (s *Service) edit(w http.ResponseWriter, r *http.Request) error {
	id, form, err := asked(r)
	if err != nil {
		return err
	}
	d, err := s.draft(r, form)
	if err != nil {
		return err
	}
	_, err = s.Update(r.Context(), actor(r), id, d)
	if sheet, again := page.Refused(err, form); again {
		c, err := s.Get(r.Context(), actor(r), id)
		if err != nil {
			return err
		}
		return s.drawForm(w, r, c, sheet)
	}
	return page.Done(w, r, err, address(id), ui.Flash("saved"))
}

// act carries out what a form asks for and goes back to the person's page.
func (s *Service) act(w http.ResponseWriter, r *http.Request, said string, do func(ids.Contact, url.Values) error) error {
	id, form, err := asked(r)
	if err != nil {
		return err
	}
	return page.Done(w, r, do(id, form), address(id), ui.Flash(said))
}

func (s *Service) showPerson(w http.ResponseWriter, r *http.Request) error {
	id, err := person(r)
	if err != nil {
		return err
	}
	return s.drawPerson(w, r, id, page.Sheet{})
}

func (s *Service) drawPerson(w http.ResponseWriter, r *http.Request, id ids.Contact, note page.Sheet) error {
	p, err := s.Person(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	tags, err := s.Tags(r.Context(), actor(r))
	if err != nil {
		return err
	}
	view := ui.Person{Person: p, Tags: tags, Tables: s.Tables(), Sheet: note, MayWrite: contacts.MayWrite(actor(r)), Tab: r.URL.Query().Get("tab")}
	if view.Tab == ui.TabConsent {
		if view.History, err = s.consents(r.Context(), actor(r), id); err != nil {
			return err
		}
	}
	for _, panel := range s.panels {
		part, err := panel(r.Context(), actor(r), id)
		if err != nil {
			return err
		}
		if part != nil {
			view.Panels = append(view.Panels, part)
		}
	}
	return page.Render(w, r, note.Status(), ui.Show(view))
}

func (s *Service) showErase(w http.ResponseWriter, r *http.Request) error {
	id, err := person(r)
	if err != nil {
		return err
	}
	c, err := s.Get(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.ErasePage(c))
}

func (s *Service) addNote(w http.ResponseWriter, r *http.Request) error {
	id, form, err := asked(r)
	if err != nil {
		return err
	}
	_, err = s.Notes.Add(r.Context(), actor(r), id, form.Get("body"))
	if sheet, again := page.Refused(err, form); again {
		return s.drawPerson(w, r, id, sheet)
	}
	return page.Done(w, r, err, address(id), ui.Flash("note"))
}

func (s *Service) removeNote(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "note.gone", func(id ids.Contact, _ url.Values) error {
		note, err := request.PathID[ids.Object](r, "note", "note")
		if err != nil {
			return err
		}
		return s.Notes.Remove(r.Context(), actor(r), id, note)
	})
}

func (s *Service) addLabel(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "labelled", func(id ids.Contact, form url.Values) error {
		var label contacts.TagID
		if err := label.UnmarshalText([]byte(form.Get("label"))); err != nil || label.IsZero() {
			return errs.New(errs.Invalid, "Choose a label.")
		}
		return s.Label(r.Context(), actor(r), id, label)
	})
}

func (s *Service) removeLabel(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "unlabelled", func(id ids.Contact, _ url.Values) error {
		label, err := label(r)
		if err != nil {
			return err
		}
		return s.Unlabel(r.Context(), actor(r), id, label)
	})
}

func (s *Service) block(w http.ResponseWriter, r *http.Request) error {
	return mark(w, r, s.Block, "blocked", "unblocked")
}

func (s *Service) archive(w http.ResponseWriter, r *http.Request) error {
	return mark(w, r, s.Archive, "archived", "unarchived")
}

// mark switches on or off what a form asks for.
func mark(w http.ResponseWriter, r *http.Request, set func(context.Context, vault.Actor, ids.Contact, bool) error, said, unsaid string) error {
	id, form, err := asked(r)
	if err != nil {
		return err
	}
	on := form.Get("on") == "yes"
	if !on {
		said = unsaid
	}
	return page.Done(w, r, set(r.Context(), actor(r), id, on), address(id), ui.Flash(said))
}

func (s *Service) showMerge(w http.ResponseWriter, r *http.Request) error {
	id, err := person(r)
	if err != nil {
		return err
	}
	return s.drawMerge(w, r, id, page.Sheet{})
}

const mostMatches = 20

// drawMerge offers who has the same address or name, or who was searched for.
func (s *Service) drawMerge(w http.ResponseWriter, r *http.Request, id ids.Contact, sheet page.Sheet) error {
	c, err := s.Get(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	m := ui.Merge{From: c, Search: strings.TrimSpace(r.URL.Query().Get("q")), Sheet: sheet}
	seen := map[ids.Contact]bool{id: true}
	queries := []string{m.Search}
	if m.Search == "" {
		queries = []string{c.Email.Reveal(), c.Phone.Reveal(), c.Name.Reveal()}
	}
	for _, q := range queries {
		if q == "" {
			continue
		}
		p, err := s.List(r.Context(), actor(r), contacts.Filter{Search: q, Limit: mostMatches})
		if err != nil {
			return err
		}
		for _, other := range p.Contacts {
			if !seen[other.ID] {
				seen[other.ID] = true
				m.Matches = append(m.Matches, other)
			}
		}
	}
	return page.Render(w, r, sheet.Status(), ui.MergePage(m))
}

func (s *Service) merge(w http.ResponseWriter, r *http.Request) error {
	id, form, err := asked(r)
	if err != nil {
		return err
	}
	var into ids.Contact // none if nobody was chosen, which names nobody
	if err := into.UnmarshalText([]byte(form.Get("into"))); err != nil {
		return errs.New(errs.NotFound, "There is no such person.")
	}
	err = s.Merge(r.Context(), actor(r), id, into, form.Get("reason"))
	if sheet, again := page.Refused(err, form); again {
		return s.drawMerge(w, r, id, sheet)
	}
	return page.Done(w, r, err, address(into), ui.Flash("merged"))
}

func (s *Service) unmerge(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "unmerged", func(id ids.Contact, _ url.Values) error { return s.Unmerge(r.Context(), actor(r), id) })
}
