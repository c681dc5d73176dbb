package retention

import (
	"net/http"
	"strconv"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/retention/ui"
)

const perPage = 50

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/retention", request.Handler(s.showPage))
	mux.Handle("POST /settings/retention", request.Handler(s.savePage))
	mux.Handle("POST /settings/retention/sweep", request.Handler(s.sweepNow))
	mux.Handle("GET /security/connections", request.Handler(s.connectionsPage))
}

func (s *Service) showPage(w http.ResponseWriter, r *http.Request) error {
	return s.draw(w, r, page.Sheet{})
}

func (s *Service) draw(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	classes, err := s.Schedule(r.Context(), actor)
	if err != nil {
		return err
	}
	last, err := s.LastRun(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.View{Sheet: sheet, MayWrite: actor.Can(actSet), Last: last.Last, Doubted: last.Doubted, Removed: last.Removed}
	if last.Now != nil {
		view.Sweeping = last.Now.Class
	}
	for _, c := range classes {
		shown := ui.Class{Name: c.Name, Purpose: c.Purpose, Limit: c.Limit, Default: c.Default, Own: c.Limit != c.Default, Cap: c.Cap, Oldest: c.Oldest, Over: c.Over(s.vault.Now())}
		if c.Name == r.URL.Query().Get("class") || c.Name == sheet.Sent.Get("class") {
			view.Open = &shown
		}
		view.Classes = append(view.Classes, shown)
	}
	return page.Render(w, r, sheet.Status(), ui.Page(view))
}

func (s *Service) savePage(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	class, typed := form.Get("class"), strings.TrimSpace(form.Get("days"))
	days, err := strconv.Atoi(typed)
	if typed == "" {
		days, err = 0, nil
	} else if err != nil || days == 0 {
		days = -1 // refused in words
	}
	err = s.SetLimit(r.Context(), request.Actor(r.Context()), class, days)
	if sheet, again := page.Refused(err, form); again {
		sheet.Errors[0].Field = "days"
		return s.draw(w, r, sheet)
	}
	return page.Done(w, r, err, "/settings/retention", ui.Saved())
}

func (s *Service) sweepNow(w http.ResponseWriter, r *http.Request) error {
	err := s.SweepSoon(r.Context(), request.Actor(r.Context()))
	return page.Done(w, r, err, "/settings/retention", ui.Sweeping())
}

func (s *Service) connectionsPage(w http.ResponseWriter, r *http.Request) error {
	var from request.Cursor[ids.Object]
	if err := from.UnmarshalText([]byte(r.URL.Query().Get("starting_after"))); err != nil {
		return errs.New(errs.Invalid, "This is not a place in the list.").Because(err)
	}
	list, err := s.ConnectionList(r.Context(), request.Actor(r.Context()), from.At, from.ID, perPage+1)
	if err != nil {
		return err
	}
	list, next := request.Cut(list, perPage, func(c Connection) request.Cursor[ids.Object] { return request.Cursor[ids.Object]{At: c.At, ID: c.ID} })
	view := ui.Connections{Older: next.String()}
	for _, c := range list {
		view.List = append(view.List, ui.Connection{At: c.At, IP: c.IP, Agent: c.Agent, Class: c.Class, Who: c.Who})
	}
	return page.Render(w, r, http.StatusOK, ui.ConnectionsPage(view))
}
