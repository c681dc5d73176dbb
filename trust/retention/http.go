package retention

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/trust/retention/ui"
	"aver/vault"
)

const perPage = 50

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/retention", request.Handler(s.showPage))
	mux.Handle("POST /settings/retention", request.Handler(s.savePage))
	mux.Handle("POST /settings/retention/sweep", request.Handler(s.sweepNow))
	mux.Handle("POST /settings/retention/exceptions", request.Handler(s.askPage))
	mux.Handle("POST /settings/retention/exceptions/{id}/approve", request.Handler(s.decidePage(true)))
	mux.Handle("POST /settings/retention/exceptions/{id}/refuse", request.Handler(s.decidePage(false)))
	mux.Handle("POST /settings/retention/exceptions/{id}/end", request.Handler(s.endPage))
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
	view := ui.View{Sheet: sheet, MayWrite: actor.Can(actSet), Held: last.Held, Last: last.Last, Next: last.Last.Add(every), Doubted: last.Doubted, Removed: last.Removed, Failed: last.Failed}
	if last.Now != nil {
		view.Sweeping = last.Now.Class
	}
	if view.Exceptions, err = s.shownExceptions(r.Context(), actor); err != nil {
		return err
	}
	for _, u := range s.Unlimited(actor.Tenant()) {
		view.Unlimited = append(view.Unlimited, ui.Unlimited{Name: u.Name, Reason: u.Reason})
	}
	asked, sent := r.URL.Query(), sheet.Sent
	for _, c := range classes {
		shown := shownClass(c, s.vault.Now())
		switch {
		case c.Name == asked.Get("except") || sent.Has("reason") && c.Name == sent.Get("class"):
			view.Except = &shown
		case c.Name == asked.Get("class") || c.Name == sent.Get("class"):
			view.Open = &shown
		}
		view.Classes = append(view.Classes, shown)
	}
	return page.Render(w, r, sheet.Status(), ui.Page(view))
}

func shownClass(c Class, now time.Time) ui.Class {
	return ui.Class{Name: c.Name, Purpose: c.Purpose, Limit: c.Limit, Default: c.Default, Own: c.Own, Cap: c.Cap, Strict: c.Strict, Follows: c.Follows, Until: c.Exception.Until,
		Oldest: c.Oldest, Age: now.Sub(c.Oldest), Over: c.Over(now)}
}

// shownExceptions are the exceptions with the names of those who stand for them.
func (s *Service) shownExceptions(ctx context.Context, actor vault.Actor) (out []ui.Exception, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		list, err := Exceptions.Find(tx, "ORDER BY id DESC LIMIT 100")
		out = nil
		for _, e := range list {
			asker, fault := name(tx, e.AskedBy)
			decider, other := name(tx, e.DecidedBy)
			if err := cmp.Or(fault, other); err != nil {
				return err
			}
			state, open := e.State, e.State == Asked || e.State == Approved
			if open && !e.Until.After(tx.Now()) {
				state, open = Ended, false
			}
			out = append(out, ui.Exception{ID: e.ID.String(), Class: e.Class, State: string(state), Reason: e.Reason, Days: e.Days, AskedBy: asker, DecidedBy: decider, AskedAt: e.AskedAt,
				Until: e.Until, MayDecide: open && e.State == Asked && actor.Can(actDecide) && e.AskedBy != actor.User(), MayEnd: open && actor.Can(actEnd)})
		}
		return err
	})
	return out, err
}

// name is a user's, or empty for one who is gone.
func name(tx *vault.Tx, user ids.User) (string, error) {
	if user.IsZero() {
		return "", nil
	}
	u, err := identity.Users.Get(tx, user)
	if errs.Is(err, errs.NotFound) {
		return "", nil
	}
	return u.Name.Reveal(), err
}

func (s *Service) askPage(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	days, _ := strconv.Atoi(strings.TrimSpace(form.Get("days"))) // refused in words
	until, _ := time.Parse(time.DateOnly, form.Get("until"))
	_, err = s.AskException(r.Context(), request.Actor(r.Context()), Exception{Class: form.Get("class"), Days: days, Until: until, Reason: form.Get("reason")})
	if sheet, again := page.Refused(err, form); again {
		return s.draw(w, r, sheet)
	}
	return page.Done(w, r, err, "/settings/retention", ui.Asked())
}

func (s *Service) decidePage(approve bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := request.PathID[ExceptionID](r, "id", "exception")
		if err != nil {
			return err
		}
		err = s.Decide(r.Context(), request.Actor(r.Context()), id, approve)
		return page.Done(w, r, err, "/settings/retention", ui.Decided())
	}
}

func (s *Service) endPage(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[ExceptionID](r, "id", "exception")
	if err != nil {
		return err
	}
	err = s.EndException(r.Context(), request.Actor(r.Context()), id)
	return page.Done(w, r, err, "/settings/retention", ui.Ended())
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
