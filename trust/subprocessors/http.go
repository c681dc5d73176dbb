package subprocessors

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/subprocessors/ui"
	"aver/vault"
)

// Entry is a company in the API and in the public register.
type Entry struct {
	ID         ID         `json:"id"`
	Name       string     `json:"name"`
	Address    string     `json:"address"`
	Purposes   []string   `json:"purposes"`
	Categories []string   `json:"data_categories"`
	Region     string     `json:"region"`
	Hosts      []string   `json:"hosts"`
	Safeguard  string     `json:"safeguard,omitempty"`
	Contract   string     `json:"contract,omitempty"`
	AuditedAt  *time.Time `json:"audited_at,omitempty"`
	Status     Status     `json:"status" enum:"draft,live"`
	LiveAt     *time.Time `json:"live_at,omitempty"`
}

// EntryOf is a company as the API shows it.
func EntryOf(c Company) Entry {
	e := Entry{ID: c.ID, Name: c.Name, Address: c.Address, Purposes: c.Purposes, Categories: c.Categories, Region: c.Region, Hosts: c.Hosts,
		Safeguard: c.Safeguard, Contract: c.Contract, Status: c.Status}
	if !c.AuditedAt.IsZero() {
		e.AuditedAt = &c.AuditedAt
	}
	if !c.LiveAt.IsZero() {
		e.LiveAt = &c.LiveAt
	}
	return e
}

// Company is the entry as it is kept.
func (e Entry) Company() Company {
	c := Company{ID: e.ID, Name: e.Name, Address: e.Address, Purposes: e.Purposes, Categories: e.Categories, Region: e.Region, Hosts: e.Hosts,
		Safeguard: e.Safeguard, Contract: e.Contract, Status: e.Status}
	if e.AuditedAt != nil {
		c.AuditedAt = *e.AuditedAt
	}
	return c
}

// draft is what a caller may write.
type draft struct {
	Name       string    `json:"name" maxLength:"200"`
	Address    string    `json:"address" maxLength:"400"`
	Purposes   []string  `json:"purposes" maxItems:"20"`
	Categories []string  `json:"data_categories" maxItems:"40"`
	Region     string    `json:"region" maxLength:"80"`
	Hosts      []string  `json:"hosts" maxItems:"50"`
	Safeguard  string    `json:"safeguard,omitempty" maxLength:"400"`
	Contract   string    `json:"contract,omitempty" maxLength:"400"`
	AuditedAt  time.Time `json:"audited_at,omitempty" doc:"The day of the last audit; needed to go live"`
	Status     Status    `json:"status" enum:"draft,live"`
}

func (d draft) company(id ID) Company {
	return Company{ID: id, Name: strings.TrimSpace(d.Name), Address: strings.TrimSpace(d.Address), Purposes: d.Purposes, Categories: d.Categories,
		Region: strings.TrimSpace(d.Region), Hosts: d.Hosts, Safeguard: d.Safeguard, Contract: strings.TrimSpace(d.Contract), AuditedAt: d.AuditedAt, Status: d.Status}
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/subprocessors", func(ctx context.Context, _ *struct{}) (*answer.List[Entry], error) {
		all, err := s.List(ctx, request.Actor(ctx))
		return answer.All(all, err, EntryOf)
	})
	huma.Post(api, "/v1/subprocessors", func(ctx context.Context, in *struct{ Body draft }) (*answer.Of[Entry], error) {
		c, err := s.Save(ctx, request.Actor(ctx), in.Body.company(ID{}))
		return answer.One(c, err, EntryOf)
	})
	huma.Put(api, "/v1/subprocessors/{id}", func(ctx context.Context, in *struct {
		ID   ID `path:"id"`
		Body draft
	}) (*answer.Of[Entry], error) {
		c, err := s.Save(ctx, request.Actor(ctx), in.Body.company(in.ID))
		return answer.One(c, err, EntryOf)
	})
	huma.Delete(api, "/v1/subprocessors/{id}", func(ctx context.Context, in *struct {
		ID ID `path:"id"`
	}) (*struct{}, error) {
		return nil, s.Remove(ctx, request.Actor(ctx), in.ID)
	})
}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/subprocessors", request.Handler(s.showList))
	mux.Handle("GET /settings/subprocessors/new", request.Handler(s.showForm))
	mux.Handle("GET /settings/subprocessors/{id}", request.Handler(s.showForm))
	mux.Handle("POST /settings/subprocessors", request.Handler(s.save))
	mux.Handle("POST /settings/subprocessors/{id}", request.Handler(s.save))
	mux.Handle("POST /settings/subprocessors/{id}/remove", request.Handler(s.remove))
}

func (s *Service) showList(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	all, err := s.List(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.Register{MayWrite: s.Operates(r.Context(), actor)}
	for _, c := range all {
		view.Companies = append(view.Companies, shown(c))
	}
	for _, n := range s.Calls() {
		view.Allowed, view.Refused = view.Allowed+n.Allowed, view.Refused+n.Refused
	}
	return page.Render(w, r, http.StatusOK, ui.List(view))
}

func shown(c Company) ui.Company {
	return ui.Company{ID: c.ID.String(), Name: c.Name, Address: c.Address, Purposes: c.Purposes, Categories: c.Categories, Region: c.Region,
		Hosts: c.Hosts, Safeguard: c.Safeguard, Contract: c.Contract, AuditedAt: c.AuditedAt, Live: c.Status == Live}
}

func (s *Service) showForm(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	if !s.Operates(r.Context(), actor) {
		return errs.New(errs.NotFound, "There is no such page.")
	}
	c, err := s.one(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Form(shown(c), page.Sheet{}))
}

// one finds the entry that a page names; without a name it is an empty one.
func (s *Service) one(ctx context.Context, actor vault.Actor, text string) (Company, error) {
	if text == "" {
		return Company{}, nil
	}
	notHere := errs.New(errs.NotFound, "There is no such company in the register.")
	id, err := ids.Parse[subprocessor](text)
	if err != nil {
		return Company{}, notHere
	}
	all, err := s.List(ctx, actor)
	for _, c := range all {
		if c.ID == id {
			return c, nil
		}
	}
	if err != nil {
		return Company{}, err
	}
	return Company{}, notHere
}

func (s *Service) save(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	c, err := s.one(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	sent := fromForm(form).company(c.ID)
	saved, err := s.Save(r.Context(), actor, sent)
	if sheet, again := page.Refused(err, form); again {
		return page.Render(w, r, sheet.Status(), ui.Form(shown(sent), sheet))
	}
	return page.Done(w, r, err, "/settings/subprocessors", ui.Saved(saved.Name))
}

func fromForm(form url.Values) draft {
	audited, _ := time.Parse(time.DateOnly, form.Get("audited_at"))
	d := draft{Name: form.Get("name"), Address: form.Get("address"), Purposes: lines(form.Get("purposes")), Categories: lines(form.Get("categories")),
		Region: form.Get("region"), Hosts: lines(form.Get("hosts")), Safeguard: form.Get("safeguard"), Contract: form.Get("contract"), AuditedAt: audited, Status: Draft}
	if form.Get("live") != "" {
		d.Status = Live
	}
	return d
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func (s *Service) remove(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	c, err := s.one(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	if strings.TrimSpace(form.Get("confirm")) != c.Name {
		return page.Render(w, r, http.StatusUnprocessableEntity, ui.Form(shown(c), page.Sheet{Errors: []errs.Field{{Field: "confirm", Code: "mismatch", Message: ui.WrongWord()}}}))
	}
	return page.Done(w, r, s.Remove(r.Context(), actor, c.ID), "/settings/subprocessors", ui.Removed(c.Name))
}
