package holds

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/holds/ui"
	"aver/vault"
)

// usualReview is when a hold is looked at again if nobody says otherwise.
const usualReview = 182 * 24 * time.Hour

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /privacy/holds", request.Handler(s.listPage))
	mux.Handle("GET /privacy/people/{contact}/hold", request.Handler(s.newPage))
	mux.Handle("POST /privacy/people/{contact}/hold", request.Handler(s.placeHold))
	mux.Handle("GET /privacy/holds/{id}", request.Handler(s.holdPage))
	mux.Handle("POST /privacy/holds/{id}/review", request.Handler(s.reviewHold))
	mux.Handle("POST /privacy/holds/{id}/release", request.Handler(s.releaseHold))
	mux.Handle("POST /privacy/holds/{id}/open", request.Handler(s.openHold))
	mux.Handle("GET /privacy/holds/files/{id}/{file}", request.Handler(s.sendFile))
}

func (s *Service) listPage(w http.ResponseWriter, r *http.Request) error {
	var from request.Cursor[HoldID]
	if err := from.UnmarshalText([]byte(r.URL.Query().Get("starting_after"))); err != nil {
		return errs.New(errs.Invalid, "This is not a place in the list.").Because(err)
	}
	list, next, err := s.List(r.Context(), request.Actor(r.Context()), from, 50)
	if err != nil {
		return err
	}
	view := ui.ListView{Older: next.String()}
	for _, h := range list {
		view.Holds = append(view.Holds, s.shown(h))
	}
	return page.Render(w, r, http.StatusOK, ui.List(view))
}

func (s *Service) shown(h Hold) ui.Hold {
	out := ui.Hold{ID: h.ID.String(), Contact: h.Contact.String(), Ground: string(h.Ground), Classes: h.Classes, Placed: h.PlacedAt, Review: h.ReviewAt, Released: h.ReleasedAt, Now: s.vault.Now()}
	for _, c := range h.Conversations {
		out.Conversations = append(out.Conversations, c.String())
	}
	return out
}

// Panel shows beside a person what is held about them, and lets a hold be placed, to those who may.
func (s *Service) Panel(ctx context.Context, actor vault.Actor, contact ids.Contact) (templ.Component, error) {
	if !actor.Can(actList) {
		return nil, nil
	}
	view := ui.PanelView{Contact: contact.String(), MayWrite: actor.Can(actPlace)}
	err := s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		view.Holds = nil
		held, err := Held(tx, contact)
		for _, h := range held {
			view.Holds = append(view.Holds, s.shown(h))
		}
		return err
	})
	return ui.Panel(view), err
}

func (s *Service) newPage(w http.ResponseWriter, r *http.Request) error {
	return s.drawNew(w, r, page.Sheet{})
}

func (s *Service) drawNew(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	contact, err := request.PathID[ids.Contact](r, "contact", "person")
	if err != nil {
		return err
	}
	var view ui.NewView
	err = s.vault.View(r.Context(), request.Actor(r.Context()), actPlace, func(tx *vault.Tx) (err error) {
		view.Classes, err = s.classes(tx, contact)
		return err
	})
	if err != nil {
		return err
	}
	sheet.Action = "/privacy/people/" + contact.String() + "/hold"
	view.Contact, view.Sheet, view.Review = contact.String(), sheet, s.vault.Now().Add(usualReview)
	for _, g := range Grounds {
		view.Grounds = append(view.Grounds, string(g))
	}
	return page.Render(w, r, sheet.Status(), ui.New(view))
}

func (s *Service) placeHold(w http.ResponseWriter, r *http.Request) error {
	contact, err := request.PathID[ids.Contact](r, "contact", "person")
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	d, err := draft(form, contact)
	var h Hold
	if err == nil {
		h, err = s.Place(r.Context(), request.Actor(r.Context()), d)
	}
	if sheet, again := page.Refused(err, form); again {
		return s.drawNew(w, r, sheet)
	}
	return page.Done(w, r, err, "/privacy/holds/"+h.ID.String(), ui.Placed())
}

// draft reads the form. Which classes are chosen counts only when not everything is held.
func draft(form url.Values, contact ids.Contact) (Draft, error) {
	d := Draft{Contact: contact, Ground: Ground(form.Get("ground")), Reason: form.Get("reason"), ReviewAt: day(form)}
	for _, text := range strings.Fields(form.Get("conversations")) {
		id, err := ids.ParseConversation(text)
		if err != nil {
			return d, invalid("conversations", "malformed", "Write the identifiers of conversations, one on each line, as the inbox's addresses show them.")
		}
		d.Conversations = append(d.Conversations, id)
	}
	if form.Get("scope") != "classes" {
		return d, nil
	}
	if d.Classes = form["classes"]; len(d.Classes) == 0 {
		return d, invalid("classes", "required", "Choose at least one class, or hold everything.")
	}
	return d, nil
}

func day(form url.Values) time.Time {
	at, _ := time.Parse(time.DateOnly, form.Get("review_at")) // no day is refused as one out of range
	return at
}

func pathHold(r *http.Request) (HoldID, error) { return request.PathID[HoldID](r, "id", "hold") }

func (s *Service) holdPage(w http.ResponseWriter, r *http.Request) error {
	return s.drawHold(w, r, page.Sheet{}, nil)
}

func (s *Service) drawHold(w http.ResponseWriter, r *http.Request, sheet page.Sheet, items []Item) error {
	id, err := pathHold(r)
	if err != nil {
		return err
	}
	actor := request.Actor(r.Context())
	h, reason, err := s.Get(r.Context(), actor, id)
	if err != nil {
		return err
	}
	view := ui.HoldView{Hold: s.shown(h), Reason: reason.Reveal(), Sheet: sheet, MayWrite: actor.Can(actRelease)}
	if view.Kept, view.Lost, err = s.counts(r.Context(), actor, id); err != nil {
		return err
	}
	for _, i := range items {
		if i.Lost {
			continue
		}
		item := ui.Item{Class: i.Class, Place: i.Place, Fields: fields(i)}
		if !i.File.IsZero() {
			item.File = "/privacy/holds/files/" + id.String() + "/" + i.Place
		}
		view.Items = append(view.Items, item)
	}
	return page.Render(w, r, sheet.Status(), ui.One(view))
}

// fields are the columns of a row that is kept, as they are shown.
func fields(i Item) (out []page.KeyValue) {
	var columns map[string]json.RawMessage
	if err := json.Unmarshal(i.Content.Reveal(), &columns); err != nil {
		return nil // a file
	}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		value := string(columns[name])
		var text string
		if json.Unmarshal(columns[name], &text) == nil {
			value = text
		}
		if value != "" {
			out = append(out, page.KeyValue{Key: name, Value: value})
		}
	}
	return out
}

// counts tells how many items of each class a hold keeps, and which files it could not keep, without opening them.
func (s *Service) counts(ctx context.Context, actor vault.Actor, id HoldID) (out []ui.Count, lost []string, err error) {
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		out, lost = nil, nil
		items, err := itemsOf(tx, id)
		classes, count := Counts(items)
		for _, class := range classes {
			out = append(out, ui.Count{Class: class, N: count[class]})
		}
		for _, i := range items {
			if i.Lost {
				lost = append(lost, i.Place)
			}
		}
		return err
	})
	return out, lost, err
}

func (s *Service) openHold(w http.ResponseWriter, r *http.Request) error {
	id, err := pathHold(r)
	if err != nil {
		return err
	}
	items, err := s.Items(r.Context(), request.Actor(r.Context()), id)
	if err != nil {
		return err
	}
	return s.drawHold(w, r, page.Sheet{}, items)
}

func (s *Service) reviewHold(w http.ResponseWriter, r *http.Request) error {
	id, err := pathHold(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	_, err = s.Extend(r.Context(), request.Actor(r.Context()), id, day(form))
	if sheet, again := page.Refused(err, form); again {
		return s.drawHold(w, r, sheet, nil)
	}
	return page.Done(w, r, err, "/privacy/holds/"+id.String(), ui.Reviewed())
}

func (s *Service) releaseHold(w http.ResponseWriter, r *http.Request) error {
	id, err := pathHold(r)
	if err != nil {
		return err
	}
	_, err = s.Release(r.Context(), request.Actor(r.Context()), id)
	return page.Done(w, r, err, "/privacy/holds/"+id.String(), ui.Released())
}

func (s *Service) sendFile(w http.ResponseWriter, r *http.Request) error {
	id, err := pathHold(r)
	if err != nil {
		return err
	}
	original, err := request.PathID[ids.Object](r, "file", "file")
	if err != nil {
		return err
	}
	_, content, err := s.OpenFile(r.Context(), request.Actor(r.Context()), id, original)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream") // whatever it is, it is to be saved
	h.Set("Content-Disposition", `attachment; filename="`+original.String()+`.bin"`)
	h.Set("Cache-Control", "no-store")
	_, err = io.Copy(w, content)
	return err
}
