package web

import (
	"context"
	"net/http"
	"strings"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/rights"
	"aver/trust/rights/receipt"
	"aver/trust/rights/record"
	"aver/trust/rights/settings"
	"aver/trust/rights/state"
	"aver/trust/rights/ui"
	"aver/vault"
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
	view := ui.ListView{Older: next.String(), May: s.MayDecide(request.Actor(r.Context()))}
	for _, one := range list {
		view.Requests = append(view.Requests, s.shown(one))
	}
	return page.Render(w, r, http.StatusOK, ui.List(view))
}

func (s *Service) shown(r rights.Request) ui.Request {
	return ui.Request{ID: r.ID.String(), Via: string(r.Via), Contact: r.Contact.String(), Regime: r.Regime, Kind: r.Kind, State: r.State, Reason: r.Reason, Delay: r.Delay, Policy: r.Policy,
		Passed: r.Passed, Asked: r.AskedAt, Alarm: r.AlarmAt, Due: r.DueAt, Legal: r.LegalAt, Ended: r.EndedAt, Now: s.Now(), ConfirmBy: r.ConfirmBy, Confirmed: r.ConfirmedAt, Extended: r.ExtendedAt,
		Entered: r.EnteredAt, Proof: r.Proof, ProofAt: r.ProofAt, ProveUntil: r.ProveUntil, Proved: r.ProvedAt, Counts: r.Counts, Stopped: r.Stopped(),
		File: !r.File.IsZero(), Entry: r.Entry, Returned: r.Returned.Names(), Task: ui.Task(s.TaskOf(r))}
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
	view := ui.RequestView{Request: s.shown(one), May: s.MayDecide(actor)}
	if view.Decider, err = s.Decider(r.Context(), actor, one); err != nil {
		return view, err
	}
	typed, err := s.TypedWith(r.Context(), actor, one)
	view.Address, view.Words, view.Reply = typed.Address.Reveal(), typed.Text.Reveal(), typed.Answer.Reveal()
	if one.Kind.Deed() == state.Erase && one.State == state.Fulfilled {
		view.Receipt = receipt.Of(one).Text
		p, err := s.CheckReceipt(r.Context(), actor.Tenant(), id)
		view.Checked, view.Leaf = err == nil, p.Leaf.String()
	}
	return view, err
}

func (s *Service) requestPage(w http.ResponseWriter, r *http.Request) error {
	return s.drawOne(w, r, page.Sheet{})
}

func (s *Service) drawOne(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	view, err := s.requestView(r)
	if err != nil {
		return err
	}
	view.Sheet = sheet
	return page.Render(w, r, sheet.Status(), ui.RequestPage(view))
}

// newPage is the form for a request that reached the tenant another way.
func (s *Service) newPage(w http.ResponseWriter, r *http.Request) error {
	return s.drawNew(w, r, page.Sheet{})
}

func (s *Service) drawNew(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	set, err := s.Settings(r.Context(), actor)
	if err != nil {
		return err
	}
	sheet.Action = "/privacy/requests"
	today := deadline.PlaceOf(set.Place).Today(s.Now())
	return page.Render(w, r, sheet.Status(), ui.New(ui.NewView{Person: r.URL.Query().Get("contact"), Regime: set.Regime, Today: today, Mails: s.Mails(), May: s.MayDecide(actor), Sheet: sheet}))
}

func (s *Service) enterRequest(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	wish := rights.Wish{Kind: state.Kind(form.Get("kind")), Regime: form.Get("regime"), Text: strings.TrimSpace(form.Get("words")), Language: form.Get("language"),
		Via: record.Via(form.Get("via")), Received: form.Get("received"), Proof: state.Proof(form.Get("proof")), Waits: true}
	who := strings.TrimSpace(form.Get("person"))
	contact, err := ids.ParseSubject(who)
	if err != nil {
		wish.Email = who
	}
	id, err := s.Enter(r.Context(), request.Actor(r.Context()), wish, contact)
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.Invalid, "The request was not written down.", record.Nobody)
	}
	if sheet, again := page.Refused(err, form); again {
		return s.drawNew(w, r, sheet)
	}
	return page.Done(w, r, err, "/privacy/requests/"+id.String(), ui.Entered())
}

// isAbout refuses a request that is about somebody else.
func (s *Service) isAbout(r *http.Request, id rights.RequestID, contact ids.Contact) error {
	one, err := s.Read(r.Context(), request.Actor(r.Context()), id)
	if err == nil && one.Contact != contact {
		err = errs.New(errs.NotFound, "There is no such request about this person.")
	}
	return err
}

func (s *Service) requestPart(w http.ResponseWriter, r *http.Request) error {
	view, err := s.requestView(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Progress(view.Request))
}

// decided answers a form that decides a request: with the page again, or with what is wrong.
func (s *Service) decided(w http.ResponseWriter, r *http.Request, what string, do decide) error {
	id, err := pathRequest(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	d := rights.Decision{Reason: state.Reason(form.Get("reason")), Delay: state.Delay(form.Get("delay")), Words: strings.TrimSpace(form.Get("words"))}
	_, err = do(r.Context(), request.Actor(r.Context()), id, d)
	if sheet, again := page.Refused(err, form); again {
		sheet.ID = what
		return s.drawOne(w, r, sheet)
	}
	return page.Done(w, r, err, "/privacy/requests/"+id.String(), ui.Decided(what))
}

func (s *Service) fulfilRequest(w http.ResponseWriter, r *http.Request) error {
	return s.decided(w, r, "fulfil", s.Fulfil)
}

func (s *Service) denyRequest(w http.ResponseWriter, r *http.Request) error {
	return s.decided(w, r, "deny", s.Deny)
}

func (s *Service) extendRequest(w http.ResponseWriter, r *http.Request) error {
	return s.decided(w, r, "extend", s.Extend)
}

func (s *Service) confirmRequest(w http.ResponseWriter, r *http.Request) error {
	return s.decided(w, r, "confirm", wordless(s.ConfirmReceipt))
}

func (s *Service) retryRequest(w http.ResponseWriter, r *http.Request) error {
	return s.decided(w, r, "retry", wordless(s.Retry))
}

// wordless is a decision that takes no words.
func wordless(do func(context.Context, vault.Actor, rights.RequestID) (rights.Request, error)) decide {
	return func(ctx context.Context, actor vault.Actor, id rights.RequestID, _ rights.Decision) (rights.Request, error) {
		return do(ctx, actor, id)
	}
}

func (s *Service) settingsPage(w http.ResponseWriter, r *http.Request) error {
	return s.drawSettings(w, r, page.Sheet{})
}

func (s *Service) drawSettings(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	set, err := s.Settings(r.Context(), actor)
	if err != nil {
		return err
	}
	tenant, err := s.Tenant(r.Context(), actor)
	if err != nil {
		return err
	}
	sheet.Action = "/settings/privacy"
	return page.Render(w, r, sheet.Status(), ui.Settings(ui.SettingsView{Settings: set, Portal: base(tenant), Sheet: sheet}))
}

func (s *Service) saveSettings(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	err = s.SetSettings(r.Context(), request.Actor(r.Context()), settings.Privacy{Place: form.Get("place"), Regime: form.Get("regime"), Mail: form.Get("mail")})
	if sheet, again := page.Refused(err, form); again {
		return s.drawSettings(w, r, sheet)
	}
	return page.Done(w, r, err, "/settings/privacy", ui.SettingsSaved())
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
	return page.Render(w, r, sheet.Status(), ui.Erase(ui.EraseView{Contact: contact.String(), Request: r.FormValue("request"), Word: word, Rows: rows, Faults: sheet.Errors}))
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
	if text := form.Get("request"); text != "" { // which waits for this
		id, err := record.ParseID(text)
		if err == nil {
			err = s.isAbout(r, id, contact)
		}
		if err != nil {
			return err
		}
		_, err = s.Retry(r.Context(), request.Actor(r.Context()), id)
		return page.Done(w, r, err, "/privacy/requests/"+text, ui.Erased())
	}
	done, err := s.Erase(r.Context(), request.Actor(r.Context()), contact, "order of the controller")
	return page.Done(w, r, err, "/privacy/requests/"+done.ID.String(), ui.Erased())
}
