package web

import (
	"net/http"
	"strconv"
	"strings"

	"aver/base/errs"
	"aver/frame/page"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/ui"
)

func (s *Service) showTags(w http.ResponseWriter, r *http.Request) error {
	return s.drawTags(w, r, http.StatusOK, ui.Tags{})
}

func (s *Service) drawTags(w http.ResponseWriter, r *http.Request, status int, t ui.Tags) error {
	var err error
	t.All, err = s.Tags(r.Context(), actor(r))
	if err != nil {
		return err
	}
	t.MayWrite = contacts.MayWrite(actor(r))
	return page.Render(w, r, status, ui.TagsPage(t))
}

func (s *Service) makeTag(w http.ResponseWriter, r *http.Request) error {
	form, err := sent(r)
	if err != nil {
		return err
	}
	hue, _ := strconv.Atoi(form.Get("hue")) // anything else is grey
	_, err = s.MakeTag(r.Context(), actor(r), form.Get("name"), hue)
	if sheet, again := refused(err, form); again {
		return s.drawTags(w, r, http.StatusUnprocessableEntity, ui.Tags{Sheet: sheet})
	}
	return done(w, r, err, "/settings/tags", "tag")
}

func done(w http.ResponseWriter, r *http.Request, err error, to, flash string) error {
	if err != nil {
		return err
	}
	page.Redirect(w, r, to, ui.Flash(flash))
	return nil
}

func label(r *http.Request) (contacts.TagID, error) {
	var id contacts.TagID
	if err := id.UnmarshalText([]byte(r.PathValue("label"))); err != nil || id.IsZero() {
		return id, errs.New(errs.NotFound, "There is no such label.")
	}
	return id, nil
}

func (s *Service) changeTag(w http.ResponseWriter, r *http.Request) error {
	id, err := label(r)
	if err != nil {
		return err
	}
	form, err := sent(r)
	if err != nil {
		return err
	}
	hue, _ := strconv.Atoi(form.Get("hue")) // anything else is grey
	_, err = s.ChangeTag(r.Context(), actor(r), id, form.Get("name"), hue)
	if sheet, again := refused(err, form); again {
		return s.drawTags(w, r, http.StatusUnprocessableEntity, ui.Tags{Sheet: sheet, Open: id})
	}
	return done(w, r, err, "/settings/tags", "tag")
}

func (s *Service) removeTag(w http.ResponseWriter, r *http.Request) error {
	id, err := label(r)
	if err != nil {
		return err
	}
	return done(w, r, s.RemoveTag(r.Context(), actor(r), id), "/settings/tags", "tag.gone")
}

func (s *Service) showSegments(w http.ResponseWriter, r *http.Request) error {
	return s.drawSegments(w, r, http.StatusOK, page.Sheet{})
}

func (s *Service) drawSegments(w http.ResponseWriter, r *http.Request, status int, sheet page.Sheet) error {
	all, err := s.Segments(r.Context(), actor(r))
	if err != nil {
		return err
	}
	tags, err := s.Tags(r.Context(), actor(r))
	if err != nil {
		return err
	}
	return page.Render(w, r, status, ui.SegmentsPage(ui.Segments{All: all, Tags: tags, Sheet: sheet, MayWrite: contacts.MayWrite(actor(r))}))
}

func (s *Service) makeSegment(w http.ResponseWriter, r *http.Request) error {
	form, err := sent(r)
	if err != nil {
		return err
	}
	rule := contacts.Rule{Role: contacts.Role(form.Get("role")), Known: contacts.Known(form.Get("known")), Blocked: form.Get("blocked") == "yes",
		Seen: number(form.Get("seen")), Unseen: number(form.Get("unseen")), Created: number(form.Get("created"))}
	if err := rule.Label.UnmarshalText([]byte(form.Get("label"))); err != nil {
		return errs.New(errs.NotFound, "There is no such label.")
	}
	_, err = s.MakeSegment(r.Context(), actor(r), form.Get("name"), rule)
	if sheet, again := refused(err, form); again {
		return s.drawSegments(w, r, http.StatusUnprocessableEntity, sheet)
	}
	return done(w, r, err, "/settings/segments", "segment")
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
	var id contacts.SegmentID
	if err := id.UnmarshalText([]byte(r.PathValue("segment"))); err != nil || id.IsZero() {
		return errs.New(errs.NotFound, "There is no such segment.")
	}
	return done(w, r, s.RemoveSegment(r.Context(), actor(r), id), "/settings/segments", "segment.gone")
}

func (s *Service) showAttributes(w http.ResponseWriter, r *http.Request) error {
	return s.drawAttributes(w, r, http.StatusOK, page.Sheet{})
}

func (s *Service) drawAttributes(w http.ResponseWriter, r *http.Request, status int, sheet page.Sheet) error {
	all, err := s.Attributes.All(r.Context(), actor(r))
	if err != nil {
		return err
	}
	return page.Render(w, r, status, ui.AttributesPage(ui.Attributes{All: all, Sheet: sheet, MayWrite: attributes.MayDefine(actor(r))}))
}

func (s *Service) defineAttribute(w http.ResponseWriter, r *http.Request) error {
	form, err := sent(r)
	if err != nil {
		return err
	}
	_, err = s.Attributes.Define(r.Context(), actor(r), attributes.Attribute{Name: form.Get("name"), Label: form.Get("label"),
		Kind: attributes.Kind(form.Get("kind")), Options: strings.Split(form.Get("options"), "\n")})
	if sheet, again := refused(err, form); again {
		return s.drawAttributes(w, r, http.StatusUnprocessableEntity, sheet)
	}
	return done(w, r, err, "/settings/attributes", "attribute")
}

func (s *Service) archiveAttribute(w http.ResponseWriter, r *http.Request) error {
	var id attributes.ID
	if err := id.UnmarshalText([]byte(r.PathValue("id"))); err != nil || id.IsZero() {
		return errs.New(errs.NotFound, "There is no such field.")
	}
	return done(w, r, s.Attributes.Archive(r.Context(), actor(r), id), "/settings/attributes", "attribute.gone")
}
