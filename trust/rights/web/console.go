package web

import (
	"net/http"
	"strings"

	"aver/base/errs"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/rights"
	"aver/trust/rights/ui"
)

func (s *Service) listPage(w http.ResponseWriter, r *http.Request) error {
	var from request.Cursor[rights.RequestID]
	if err := from.UnmarshalText([]byte(r.URL.Query().Get("starting_after"))); err != nil {
		return errs.New(errs.Invalid, "This is not a place in the list.").Because(err)
	}
	list, next, err := s.List(r.Context(), request.Actor(r.Context()), from, 50)
	if err != nil {
		return err
	}
	view := ui.ListView{Older: next.String()}
	for _, one := range list {
		view.Requests = append(view.Requests, s.shown(one))
	}
	return page.Render(w, r, http.StatusOK, ui.List(view))
}

func (s *Service) shown(r rights.Request) ui.Request {
	return ui.Request{ID: r.ID.String(), Kind: string(r.Kind), State: string(r.State), Via: string(r.Via), Reason: r.Reason, Contact: r.Contact.String(),
		Asked: r.AskedAt, Due: r.DueAt, Ended: r.EndedAt, Now: s.Now(), People: len(r.People), File: !r.File.IsZero(), Entry: r.Entry, Task: ui.Task(s.TaskOf(r))}
}

func (s *Service) requestView(r *http.Request) (ui.RequestView, error) {
	id, err := pathRequest(r)
	if err != nil {
		return ui.RequestView{}, err
	}
	actor := request.Actor(r.Context())
	one, err := s.Read(r.Context(), actor, id)
	if err != nil {
		return ui.RequestView{}, err
	}
	view := ui.RequestView{Request: s.shown(one)}
	if one.Kind == rights.Erasure && one.State == rights.Done {
		view.Receipt = rights.ReceiptOf(one).Text
		p, err := s.CheckReceipt(r.Context(), actor.Tenant(), id)
		view.Checked, view.Leaf = err == nil, p.Leaf.String()
	}
	return view, nil
}

func (s *Service) requestPage(w http.ResponseWriter, r *http.Request) error {
	view, err := s.requestView(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.RequestPage(view))
}

func (s *Service) requestPart(w http.ResponseWriter, r *http.Request) error {
	view, err := s.requestView(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Progress(view.Request, "/privacy/files/"+view.ID, true))
}

func (s *Service) sendFile(w http.ResponseWriter, r *http.Request) error {
	id, err := pathRequest(r)
	if err != nil {
		return err
	}
	content, _, err := s.Collect(r.Context(), request.Actor(r.Context()), id)
	if err != nil {
		return err
	}
	return download(w, content, "copy-"+id.String()+".zip")
}

func (s *Service) exportPerson(w http.ResponseWriter, r *http.Request) error {
	contact, err := pathContact(r)
	if err != nil {
		return err
	}
	id, err := s.StartCopy(r.Context(), request.Actor(r.Context()), contact)
	return page.Done(w, r, err, "/privacy/requests/"+id.String(), "")
}

func (s *Service) erasePage(w http.ResponseWriter, r *http.Request) error {
	return s.drawErase(w, r, page.Sheet{})
}

func (s *Service) drawErase(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	contact, err := pathContact(r)
	if err != nil {
		return err
	}
	word, rows, err := s.Word(r.Context(), request.Actor(r.Context()), contact)
	if err != nil {
		return err
	}
	return page.Render(w, r, sheet.Status(), ui.Erase(ui.EraseView{Contact: contact.String(), Word: word, Rows: rows, Faults: sheet.Errors}))
}

func (s *Service) erasePerson(w http.ResponseWriter, r *http.Request) error {
	contact, err := pathContact(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	word, _, err := s.Word(r.Context(), request.Actor(r.Context()), contact)
	if err != nil {
		return err
	}
	if strings.TrimSpace(form.Get("confirm")) != word {
		return s.drawErase(w, r, page.Sheet{Errors: []errs.Field{{Field: "confirm", Code: "mismatch", Message: ui.NotTheWord()}}})
	}
	done, err := s.Erase(r.Context(), request.Actor(r.Context()), contact, "order of the controller")
	return page.Done(w, r, err, "/privacy/requests/"+done.ID.String(), ui.Erased())
}
