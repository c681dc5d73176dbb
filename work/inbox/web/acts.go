package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/page"
	"aver/frame/request"
	"aver/work/inbox"
	"aver/work/inbox/desk"
	"aver/work/inbox/ui"
)

// postReply takes a reply or a note from a form. Scripts use the socket instead.
func (s *Service) postReply(w http.ResponseWriter, r *http.Request) error {
	id, form, err := asked(r)
	if err != nil {
		return err
	}
	out := inbox.Outgoing{ClientID: form.Get("client_id"), Text: personal.Of(form.Get("text")), Note: form.Get("kind") == "note"}
	for _, text := range form["attachment"] {
		file, err := request.ParseID[ids.Object](text, "file")
		if err != nil {
			return err
		}
		out.Attachments = append(out.Attachments, file)
	}
	_, err = s.Reply(r.Context(), actor(r), id, out)
	if p := errs.AsProblem(err); err != nil && (p.Code == errs.Invalid || p.Code == errs.TooLarge || p.Code == errs.ConsentRequired) {
		return s.draw(w, r, p.Status, 1, ui.Thread{Draft: form.Get("text"), Note: out.Note, Fault: p.Detail})
	}
	said := "sent"
	if out.Note {
		said = "noted"
	}
	return page.Done(w, r, err, back(r, "/inbox/"+id.String()), ui.Said(said))
}

// asked reads what a form says about which conversation.
func asked(r *http.Request) (ids.Conversation, url.Values, error) {
	id, err := conversation(r)
	if err != nil {
		return id, nil, err
	}
	form, err := request.Form(r)
	return id, form, err
}

// act carries out what a form asks for and goes back to the conversation.
func (s *Service) act(w http.ResponseWriter, r *http.Request, said string, do func(ids.Conversation, url.Values) error) error {
	id, form, err := asked(r)
	if err != nil {
		return err
	}
	if err := do(id, form); err != nil {
		return s.overtaken(w, r, err)
	}
	page.Redirect(w, r, back(r, "/inbox/"+id.String()), ui.Said(said))
	return nil
}

// overtaken shows the conversation as it is now to somebody who acted on how it was. Other errors are passed on.
func (s *Service) overtaken(w http.ResponseWriter, r *http.Request, err error) error {
	if p := errs.AsProblem(err); p.Code == errs.Conflict {
		return s.draw(w, r, p.Status, 1, ui.Thread{Fault: p.Detail})
	}
	return err
}

func (s *Service) postState(w http.ResponseWriter, r *http.Request) error {
	id, form, err := asked(r)
	if err != nil {
		return err
	}
	state := inbox.State(form.Get("state"))
	seen, err := seenOf(form)
	if err != nil {
		return err
	}
	if err := s.SetState(r.Context(), actor(r), id, state, seen); err != nil {
		return s.overtaken(w, r, err)
	}
	if state == inbox.Closed { // on to the next one
		page.Redirect(w, r, back(r, "/inbox"), ui.Said("closed"))
		return nil
	}
	page.Redirect(w, r, "/inbox/"+id.String(), ui.Said("opened"))
	return nil
}

func (s *Service) postSnooze(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "snoozed", func(id ids.Conversation, form url.Values) error {
		until, err := s.until(r, form)
		if err != nil {
			return err
		}
		seen, err := seenOf(form)
		if err != nil {
			return err
		}
		return s.Snooze(r.Context(), actor(r), id, until, seen)
	})
}

// seenOf reads up to which message the page had shown the conversation.
func seenOf(form url.Values) (int64, error) {
	seq, err := strconv.ParseInt(form.Get("seen"), 10, 64)
	if err != nil || seq < 0 {
		return 0, errs.New(errs.Invalid, "The form does not say what was seen. Open the conversation again.")
	}
	return seq, nil
}

// until reads a time: one of those offered, or one picked by the clock on the tenant's wall.
func (s *Service) until(r *http.Request, form url.Values) (time.Time, error) {
	bad := errs.New(errs.Invalid, "Choose a time in the coming year.", errs.Field{Field: "until", Code: "malformed", Message: "Choose a time in the coming year."})
	if text := form.Get("until"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return at, bad
		}
		return at, nil
	}
	h, err := s.Hours(r.Context(), actor(r))
	if err != nil {
		return time.Time{}, err
	}
	zone, err := time.LoadLocation(h.Zone)
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.ParseInLocation("2006-01-02T15:04", form.Get("pick"), zone)
	if err != nil {
		return at, bad
	}
	return at, nil
}

// postAssign changes the user or the team and keeps the other.
func (s *Service) postAssign(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "assigned", func(id ids.Conversation, form url.Values) error {
		to, err := assignmentOf(form, actor(r).User())
		if err != nil {
			return err
		}
		return s.Assign(r.Context(), actor(r), id, to)
	})
}

// assignmentOf reads what a form changes about whose a conversation is. Who takes one takes it from whom the page named.
func assignmentOf(form url.Values, self ids.User) (inbox.Assignment, error) {
	switch {
	case form.Has("take"):
		from, err := orNobody(form.Get("take"), userOf)
		return inbox.Assignment{User: &self, From: &from}, err
	case form.Has("team"):
		team, err := orNobody(form.Get("team"), teamOf)
		return inbox.Assignment{Team: &team}, err
	}
	user, err := orNobody(form.Get("user"), userOf)
	return inbox.Assignment{User: &user}, err
}

// orNobody reads an identifier, or zero for the word that menus send for nobody.
func orNobody[ID any](text string, read func(string) (ID, error)) (ID, error) {
	if text == "none" {
		return *new(ID), nil
	}
	return read(text)
}

func (s *Service) postLabel(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "labelled", func(id ids.Conversation, form url.Values) error {
		label, err := request.ParseID[desk.LabelID](form.Get("label"), "label")
		if err != nil {
			return err
		}
		return s.SetLabel(r.Context(), actor(r), id, label, form.Get("on") == "yes")
	})
}

// which reads the numbers of a message.
func which(q url.Values) (seq, note int64, err error) {
	seq, err1 := strconv.ParseInt(q.Get("seq"), 10, 64)
	note, err2 := strconv.ParseInt(q.Get("note"), 10, 64)
	if err1 != nil || err2 != nil || seq < 0 || note < 0 {
		return 0, 0, errs.New(errs.NotFound, "There is no such message.")
	}
	return seq, note, nil
}

func (s *Service) showRedact(w http.ResponseWriter, r *http.Request) error {
	id, err := conversation(r)
	if err != nil {
		return err
	}
	seq, note, err := which(r.URL.Query())
	if err != nil {
		return err
	}
	t, err := s.Open(r.Context(), actor(r), id, seq+1)
	if err != nil {
		return err
	}
	for _, m := range t.Messages {
		if m.Seq == seq && m.Note == note && !m.Redacted {
			l := lineOf(m, t, &ui.Thread{})
			action := "/inbox/" + id.String() + "/redact?" + r.URL.RawQuery
			return page.Render(w, r, http.StatusOK, ui.Redact(action, "/inbox/"+id.String(), l, nameOf(t.Row)))
		}
	}
	return errs.New(errs.NotFound, "There is no such message.")
}

func (s *Service) postRedact(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "removed", func(id ids.Conversation, _ url.Values) error {
		seq, note, err := which(r.URL.Query())
		if err != nil {
			return err
		}
		return s.Redact(r.Context(), actor(r), id, seq, note)
	})
}
