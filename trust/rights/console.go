package rights

import (
	"context"
	"net/http"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/rights/ui"
	"aver/vault"
)

func (s *Service) listPage(w http.ResponseWriter, r *http.Request) error {
	var from request.Cursor[RequestID]
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

func (s *Service) shown(r Request) ui.Request {
	return ui.Request{ID: r.ID.String(), Kind: string(r.Kind), State: string(r.State), Via: string(r.Via), Reason: r.Reason, Contact: r.Contact.String(),
		Asked: r.AskedAt, Due: r.DueAt, Ended: r.EndedAt, Now: s.vault.Now(), People: len(r.People), File: !r.File.IsZero(), Entry: r.Entry, Task: ui.Task(s.task(r))}
}

func (s *Service) cataloguePage(w http.ResponseWriter, r *http.Request) error {
	if err := s.vault.Permit(r.Context(), request.Actor(r.Context()), actLook); err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Catalogue(s.vault.Tables()))
}

func (s *Service) requestView(r *http.Request) (ui.RequestView, error) {
	id, err := pathRequest(r)
	if err != nil {
		return ui.RequestView{}, err
	}
	actor := request.Actor(r.Context())
	one, err := s.read(r.Context(), actor, id)
	if err != nil {
		return ui.RequestView{}, err
	}
	view := ui.RequestView{Request: s.shown(one)}
	if one.Kind == Erasure && one.State == Done {
		view.Receipt = receipt(one).Text
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

// word is what an operator types back to erase somebody: the name, or what stands for it.
func (s *Service) word(ctx context.Context, actor vault.Actor, contact ids.Contact) (word string, rows map[string]int, err error) {
	err = s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		tx.About(contact)
		shown, err := s.people.Show(tx, contact)
		if err != nil {
			return err
		}
		for _, name := range []string{shown.Name.Reveal(), shown.Email.Reveal(), contact.String()} {
			if word = strings.TrimSpace(name); word != "" {
				break
			}
		}
		rows, err = s.vault.Totals(tx, contact)
		return err
	})
	return word, rows, err
}

func (s *Service) erasePage(w http.ResponseWriter, r *http.Request) error {
	return s.drawErase(w, r, page.Sheet{})
}

func (s *Service) drawErase(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	contact, err := pathContact(r)
	if err != nil {
		return err
	}
	word, rows, err := s.word(r.Context(), request.Actor(r.Context()), contact)
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
	word, _, err := s.word(r.Context(), request.Actor(r.Context()), contact)
	if err != nil {
		return err
	}
	if strings.TrimSpace(form.Get("confirm")) != word {
		return s.drawErase(w, r, page.Sheet{Errors: []errs.Field{{Field: "confirm", Code: "mismatch", Message: ui.NotTheWord()}}})
	}
	done, err := s.Erase(r.Context(), request.Actor(r.Context()), contact, "order of the controller")
	return page.Done(w, r, err, "/privacy/requests/"+done.ID.String(), ui.Erased())
}
