package web

import (
	"net/http"
	"strconv"
	"strings"

	"aver/base/errs"
	"aver/frame/page"
	"aver/frame/request"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/ui"
)

func (s *Service) showTags(w http.ResponseWriter, r *http.Request) error {
	return s.drawTags(w, r, ui.Tags{})
}

func (s *Service) drawTags(w http.ResponseWriter, r *http.Request, t ui.Tags) error {
	var err error
	t.All, err = s.Tags(r.Context(), actor(r))
	if err != nil {
		return err
	}
	t.MayWrite = contacts.MayWrite(actor(r))
	return page.Render(w, r, t.Sheet.Status(), ui.TagsPage(t))
}

func (s *Service) makeTag(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	hue, _ := strconv.Atoi(form.Get("hue")) // anything else is grey
	_, err = s.MakeTag(r.Context(), actor(r), form.Get("name"), hue)
	if sheet, again := page.Refused(err, form); again {
		return s.drawTags(w, r, ui.Tags{Sheet: sheet})
	}
	return page.Done(w, r, err, "/settings/tags", ui.Flash("tag"))
}

func label(r *http.Request) (contacts.TagID, error) {
	return request.PathID[contacts.TagID](r, "label", "label")
}

func (s *Service) changeTag(w http.ResponseWriter, r *http.Request) error {
	id, err := label(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	hue, _ := strconv.Atoi(form.Get("hue")) // anything else is grey
	_, err = s.ChangeTag(r.Context(), actor(r), id, form.Get("name"), hue)
	if sheet, again := page.Refused(err, form); again {
		return s.drawTags(w, r, ui.Tags{Sheet: sheet, Open: id})
	}
	return page.Done(w, r, err, "/settings/tags", ui.Flash("tag"))
}

func (s *Service) removeTag(w http.ResponseWriter, r *http.Request) error {
	id, err := label(r)
	if err != nil {
		return err
	}
	return page.Done(w, r, s.RemoveTag(r.Context(), actor(r), id), "/settings/tags", ui.Flash("tag.gone"))
}

func (s *Service) showSegments(w http.ResponseWriter, r *http.Request) error {
	return s.drawSegments(w, r, page.Sheet{})
}

func (s *Service) drawSegments(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	all, err := s.Segments(r.Context(), actor(r))
	if err != nil {
		return err
	}
	tags, err := s.Tags(r.Context(), actor(r))
	if err != nil {
		return err
	}
	return page.Render(w, r, sheet.Status(), ui.SegmentsPage(ui.Segments{All: all, Tags: tags, Sheet: sheet, MayWrite: contacts.MayWrite(actor(r))}))
}

func (s *Service) makeSegment(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	rule := contacts.Rule{Role: contacts.Role(form.Get("role")), Known: contacts.Known(form.Get("known")), Blocked: form.Get("blocked") == "yes",
		Seen: number(form.Get("seen")), Unseen: number(form.Get("unseen")), Created: number(form.Get("created"))}
	if err := rule.Label.UnmarshalText([]byte(form.Get("label"))); err != nil {
		return errs.New(errs.NotFound, "There is no such label.")
	}
	_, err = s.MakeSegment(r.Context(), actor(r), form.Get("name"), rule)
	if sheet, again := page.Refused(err, form); again {
		return s.drawSegments(w, r, sheet)
	}
	return page.Done(w, r, err, "/settings/segments", ui.Flash("segment"))
}

// number reads a number of days; nothing is 0, and what is no number is refused as out of range.
func number(text string) int {
	if text = strings.TrimSpace(text); text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

func (s *Service) removeSegment(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[contacts.SegmentID](r, "segment", "segment")
	if err != nil {
		return err
	}
	return page.Done(w, r, s.RemoveSegment(r.Context(), actor(r), id), "/settings/segments", ui.Flash("segment.gone"))
}

func (s *Service) showAttributes(w http.ResponseWriter, r *http.Request) error {
	return s.drawAttributes(w, r, page.Sheet{})
}

func (s *Service) drawAttributes(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	all, err := s.Attributes.All(r.Context(), actor(r))
	if err != nil {
		return err
	}
	return page.Render(w, r, sheet.Status(), ui.AttributesPage(ui.Attributes{All: all, Sheet: sheet, MayWrite: attributes.MayDefine(actor(r))}))
}

func (s *Service) defineAttribute(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	_, err = s.Attributes.Define(r.Context(), actor(r), attributes.Attribute{Name: form.Get("name"), Label: form.Get("label"),
		Kind: attributes.Kind(form.Get("kind")), Options: strings.Split(form.Get("options"), "\n")})
	if sheet, again := page.Refused(err, form); again {
		return s.drawAttributes(w, r, sheet)
	}
	return page.Done(w, r, err, "/settings/attributes", ui.Flash("attribute"))
}

func (s *Service) archiveAttribute(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[attributes.ID](r, "id", "field")
	if err != nil {
		return err
	}
	return page.Done(w, r, s.Attributes.Archive(r.Context(), actor(r), id), "/settings/attributes", ui.Flash("attribute.gone"))
}
