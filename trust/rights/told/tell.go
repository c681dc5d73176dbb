package told

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/vault"
)

const (
	tellKind  = "recipients.tell"
	dueKind   = "recipients.due"
	dueEvery  = 10 * time.Minute
	atOnce    = 100
	giveUp    = 24 * time.Hour // the longest wait between two tries; nobody is ever given up
	firstWait = time.Minute
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	err := j.Handle(jobs.Kind{Name: tellKind, Unique: true, Outward: true, Timeout: 5 * time.Minute, Retry: []time.Duration{time.Minute, 10 * time.Minute},
		Work: func(ctx context.Context, job jobs.Job) error { return s.Tell(ctx, job.Tenant) }})
	if err != nil {
		return err
	}
	return j.Every(dueKind, dueEvery, s.due)
}

func (s *Service) due(ctx context.Context) error {
	return s.vault.EachTenant(ctx, false, func(t vault.Tenant) error { return s.Tell(ctx, t.ID) })
}

// Tell sends what is due in a workspace, and notes which webhooks have taken what they were sent.
func (s *Service) Tell(ctx context.Context, tenant ids.Tenant) error {
	s.telling.Lock() // the periodic turn and a job of its own would send the same letter
	defer s.telling.Unlock()
	var waiting []Telling
	err := s.vault.View(ctx, system(tenant), actRead, func(tx *vault.Tx) (err error) {
		waiting, err = Tellings.Find(tx, "state = ? AND next_at <= ? ORDER BY next_at LIMIT ?", string(Waiting), tx.Now(), atOnce)
		return err
	})
	if err != nil {
		return err
	}
	var failed error // what one recipient brings must not hold back the others
	for _, t := range waiting {
		taken, err := s.try(ctx, tenant, t)
		lost := errors.Is(err, errLost)
		if lost {
			err = nil
		}
		failed = errors.Join(failed, err, s.note(ctx, tenant, t.ID, taken, lost))
	}
	if failed != nil {
		return fmt.Errorf("tell a recipient: %w", failed)
	}
	return nil
}

// errLost says that there is nobody to be told.
var errLost = errors.New("the recipient is not there")

// try tells one recipient, or looks whether the webhook was taken. A zero time means not yet.
func (s *Service) try(ctx context.Context, tenant ids.Tenant, t Telling) (taken time.Time, err error) {
	if t.Via == Webhook {
		return s.webhook(ctx, tenant, t)
	}
	id, err := ids.Parse[recipient](t.Recipient)
	if err != nil {
		return taken, err
	}
	var to Recipient
	err = s.vault.View(ctx, system(tenant), actRead, func(tx *vault.Tx) (err error) {
		to, err = Recipients.Get(tx, id)
		return err
	})
	if errs.Is(err, errs.NotFound) || err == nil && strings.HasSuffix(to.Email, ".invalid") { // such a name leads nowhere by definition (RFC 6761)
		return taken, errLost
	}
	if err != nil {
		return taken, err
	}
	workspace, err := s.vault.Tenant(ctx, tenant)
	if err != nil || s.mail == nil {
		return taken, err
	}
	if err := s.mail.Send(ctx, letter(workspace.Name, to.Email, t)); err != nil {
		return taken, nil // the next try is later; the relay's words are in the sender's log
	}
	return s.vault.Now(), nil
}

func (s *Service) webhook(ctx context.Context, tenant ids.Tenant, t Telling) (taken time.Time, err error) {
	failed := false
	err = s.vault.View(ctx, system(tenant), actRead, func(tx *vault.Tx) error {
		taken, failed, err = s.hooks.Taken(tx, t.Message)
		return err
	})
	if errs.Is(err, errs.NotFound) {
		return taken, nil
	}
	if err == nil && failed {
		err = s.hooks.Again(ctx, tenant, t.Recipient, t.Message)
		switch {
		case errs.Is(err, errs.NotFound): // removed by the tenant
			err = errLost
		case errs.Is(err, errs.Conflict): // switched off
			err = nil
		}
	}
	return taken, err
}

// note stores how a try ended. Waits double up to a day.
func (s *Service) note(ctx context.Context, tenant ids.Tenant, id TellingID, taken time.Time, lost bool) error {
	return s.vault.Do(ctx, system(tenant), actTell, func(tx *vault.Tx) error {
		t, err := Tellings.Get(tx, id)
		if err != nil || t.State != Waiting {
			return err
		}
		t.Attempts++
		t.NextAt = tx.Now().Add(min(giveUp, firstWait<<min(t.Attempts-1, 12)))
		switch {
		case lost:
			t.State, t.NextAt = Lost, time.Time{}
		case !taken.IsZero():
			t.State, t.ToldAt, t.NextAt = Acknowledged, taken, time.Time{}
			tx.Emit(vault.Event{Kind: "recipient.told", Object: t.ID.String(), Subject: t.Contact}, nil)
		}
		return Tellings.Put(tx, t)
	})
}

// letter names the person as the tenant's exports and programs do, and nothing else.
func letter(workspace, to string, t Telling) mail.Message {
	what, ask := "was erased", "Erase what you have got about this person from "+workspace+"."
	switch t.Event {
	case "contact.rectified":
		what, ask = "was corrected", "Ask "+workspace+" for the present data, and correct yours."
	case "contact.restricted":
		what, ask = "was restricted", "Do not process what you have got about this person from "+workspace+" until you hear otherwise."
	}
	return mail.Message{To: personal.Of(to), Subject: workspace + ": data that you received " + what,
		Text: "The data of the person " + t.Contact.String() + " " + what + " at " + workspace + " on " + t.HappenedAt.UTC().Format("2 January 2006, 15:04 UTC") + ".\n\n" +
			ask + "\n\nYou are told because the law wants recipients to be told (GDPR Art. 19).\n"}
}

// Add writes down a recipient.
func (s *Service) Add(ctx context.Context, actor vault.Actor, name, email string) (Recipient, error) {
	name, email = strings.TrimSpace(name), strings.TrimSpace(email)
	if name == "" || len(name) > 200 {
		return Recipient{}, errors.Join(s.vault.Permit(ctx, actor, actWrite), errs.New(errs.Invalid, "Nothing was changed.", errs.Field{Field: "name", Code: "required", Message: "Say who this is, in at most 200 characters."}))
	}
	if !mail.IsAddress(email) {
		return Recipient{}, errors.Join(s.vault.Permit(ctx, actor, actWrite), errs.New(errs.Invalid, "Nothing was changed.", errs.Field{Field: "email", Code: "malformed", Message: "Write an address like privacy@company.example."}))
	}
	var r Recipient
	err := s.vault.Do(ctx, actor, actWrite, func(tx *vault.Tx) error {
		if n, err := Recipients.Count(tx, ""); err != nil || n >= 200 {
			return errors.Join(err, errs.New(errs.TooLarge, "There are 200 recipients already."))
		}
		r = Recipient{ID: ids.New[recipient](tx.Now()), Name: name, Email: email, AddedAt: tx.Now()}
		return Recipients.Add(tx, r)
	})
	return r, err
}

// Remove forgets a recipient, who is told nothing any more.
func (s *Service) Remove(ctx context.Context, actor vault.Actor, id RecipientID) error {
	return s.vault.Do(ctx, actor, actWrite, func(tx *vault.Tx) error { return Recipients.Delete(tx, id) })
}

// List lists the recipients who are told by mail.
func (s *Service) List(ctx context.Context, actor vault.Actor) (all []Recipient, err error) {
	if actor.Kind() == vault.AsPerson {
		return nil, s.vault.Permit(ctx, actor, actWrite)
	}
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		all, err = Recipients.Find(tx, "ORDER BY id LIMIT 200")
		return err
	})
	return all, err
}
