package rights

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/rights/letters"
	"aver/trust/rights/proof"
	"aver/trust/rights/receipt"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
)

// Who may have what, when somebody types an address into the public page:
//
//   - The code goes to the address on file, which equals the typed one by blind index; nothing is ever sent to a new one.
//     Whoever reads that mailbox controls the address, and that is what the code proves.
//   - It covers the contacts that have the address. If the tenant's site has signed for one of them that the address is
//     theirs (a verified contact), it covers the verified ones only: a contact that merely typed in somebody else's address
//     must not have its words handed to the owner of the address, and the owner's erasure must not be steered by it.
//   - Contacts merged into a covered one are covered.
//   - Who has the address is asked again when the code is mailed, when it is proved and when an erasure is confirmed: an
//     address can be changed at any moment, and a request speaks only for those who have the typed one now.
//   - Whether the address is known never shows: the answer, the request and the page are the same, and the mail is sent
//     by a job after the answer.
//   - A code is six digits, for ten minutes, for the browser that asked, for five tries, and works once. There may be five a
//     day, for a month: so long a request waits for its proof, and where the law says so its clock stands still meanwhile.
//   - A link is what somebody gets whose request came another way. It works once, a week long, in the browser that opens it.
const (
	maxTries = 5
)

// Ticket is what the browser that asked holds.
type Ticket struct {
	Request RequestID
	Session string // for a cookie
	Link    string // what a mailed link ends with, until it was followed
}

// opens tells whether it is the ticket of this request.
func (t Ticket) opens(r Request) bool {
	return t.Session != "" && proof.Same(proof.OfSession(r.ID, t.Session), r.Session)
}

// Ask takes a request from the public page. The answer is the same whether or not anybody has the address: what was typed
// is kept under a key of its own until a job has looked.
func (s *Service) Ask(ctx context.Context, tenant ids.Tenant, w Wish) (Ticket, error) {
	if s.mail == nil {
		return Ticket{}, errs.New(errs.Unavailable, "This page cannot send mail yet. Write to the business directly.").Because(errNoMail)
	}
	return s.Receive(ctx, tenant, w)
}

// Receive is Ask where nobody asks whether a letter could be sent: for checks of what becomes of a request.
func (s *Service) Receive(ctx context.Context, tenant ids.Tenant, w Wish) (Ticket, error) {
	if !w.Kind.Known() {
		return Ticket{}, errs.New(errs.Invalid, "Choose what you would like.", errs.Field{Field: "kind", Code: "required", Message: "Choose one."})
	}
	asker, err := s.vault.NewSubject(ctx, system(tenant))
	if err != nil {
		return Ticket{}, err
	}
	ticket := Ticket{Session: proof.Session(tenant, w.Session)}
	err = s.vault.Do(ctx, system(tenant), actAsk, func(tx *vault.Tx) error {
		r, err := record.Begin(tx, w, record.Portal)
		if err != nil {
			return err
		}
		r.Verify(state.Code, w.Email, tx.Now())
		ticket.Request, r.Session = r.ID, proof.OfSession(r.ID, ticket.Session)
		if r.Kind.Unproved() {
			r.State, r.Policy, r.Proof, r.ProofAt = state.Running, state.Harmless, "", time.Time{}
		}
		if err := s.people.SpeakFor(tx, &r, w.Email); err != nil {
			return err
		}
		typed := Words{Asker: asker, Address: personal.Of(strings.TrimSpace(w.Email)), Text: personal.Of(strings.TrimSpace(w.Text))}
		return errors.Join(s.note(tx, &r, typed), Requests.Add(tx, r))
	})
	if err != nil {
		return Ticket{}, err
	}
	return ticket, s.queue.Enqueue(ctx, codeKind, tenant, ticket.Request.String(), time.Time{})
}

// TakeUp looks, after the answer, whom a request of the public page is about: it mails a code, carries out what takes no
// proof, or passes the request on to the tenant when nobody here has the address. It is a job's work, and does no harm
// twice.
func (s *Service) TakeUp(ctx context.Context, tenant ids.Tenant, id RequestID) error {
	r, err := s.Read(ctx, system(tenant), id)
	if err != nil || r.State.Over() {
		return ignoreAbsent(err)
	}
	if r.Contact.IsZero() {
		return s.pass(ctx, tenant, r)
	}
	if r.State == state.Running && r.Kind.Deed() == state.Hold {
		return s.hold(ctx, system(tenant), r)
	}
	if s.mail == nil {
		return nil
	}
	return s.sendCode(ctx, tenant, id)
}

// sendCode draws a code or a link, stores its hash, and mails it to the address on file. Each run makes a new one, so a letter
// that was sent twice leaves only the last one valid.
func (s *Service) sendCode(ctx context.Context, tenant ids.Tenant, id RequestID) error {
	secret := proof.Code()
	var to personal.Text
	r, err := s.change(ctx, tenant, id, func(r *Request, tx *vault.Tx) (bool, error) {
		to = personal.Text{}
		if !r.Provable(tx.Now()) || !tx.Now().Before(r.CodeUntil) {
			return false, nil
		}
		address, err := s.people.Recheck(tx, r)
		if err != nil || r.Contact.IsZero() {
			return err == nil, err
		}
		if many, err := record.Floods(tx, r.Contact); err != nil || many {
			return false, err
		}
		if to = address; r.Proof == state.Link {
			secret = proof.Link()
		}
		r.Code = proof.OfCode(id, secret)
		return true, nil
	})
	if err != nil || to.IsZero() {
		return ignoreAbsent(err)
	}
	workspace, err := s.vault.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	about := letters.About{Workspace: workspace.Name, Kind: r.Kind, Number: r.ID.String()}
	letter := letters.Code(r.Language, to, about, secret)
	if r.Proof == state.Link {
		letter = letters.Link(r.Language, to, about, s.Host()+"/my-data/proof/"+workspace.Slug+"/"+r.ID.String()+"?link="+secret)
	}
	if err := s.mail.Send(ctx, letter); errs.Is(err, errs.Invalid) { // refused for good
		return s.returned(ctx, tenant, id, record.CodeLetter)
	} else if err != nil {
		return err
	}
	_, err = s.change(ctx, tenant, id, func(r *Request, tx *vault.Tx) (bool, error) { // the letter says that the request has come
		changes := r.ConfirmedAt.IsZero() || r.Returned != 0
		r.ConfirmedAt, r.Returned = tx.Now(), r.Returned&^record.CodeLetter
		return changes, nil
	})
	return ignoreAbsent(err)
}

// Another sends another code, or another link to whoever has an older one. The answer is the same whether or not anybody
// has the address.
func (s *Service) Another(ctx context.Context, tenant ids.Tenant, t Ticket) error {
	err := s.vault.Do(ctx, system(tenant), actProve, func(tx *vault.Tx) error {
		r, err := Requests.Get(tx, t.Request)
		if err != nil {
			return err
		}
		older := r.Proof == state.Link && proof.Same(proof.OfCode(r.ID, t.Link), r.Code) // a code is short: here nobody counts tries
		if !t.opens(r) && !older {
			return errNotHeld
		}
		if !r.Provable(tx.Now()) {
			return errs.New(errs.Conflict, "There is nothing to be proved any more. Ask again.")
		}
		if r.Renew(tx.Now()); r.Codes > record.CodesPerDay {
			refused := errs.New(errs.TooMany, "Five letters within a day are enough. Ask for another one tomorrow.")
			refused.RetryAfter = int((24*time.Hour - tx.Now().Sub(r.CodesSince)).Seconds())
			return refused
		}
		return Requests.Put(tx, r)
	})
	if err != nil {
		return err
	}
	return s.queue.Enqueue(ctx, codeKind, tenant, t.Request.String(), time.Time{})
}

// Held reads a request for the browser that asked; anybody else is told that there is none.
func (s *Service) Held(ctx context.Context, tenant ids.Tenant, t Ticket) (Request, error) {
	r, err := s.Read(ctx, system(tenant), t.Request)
	if err == nil && !t.opens(r) {
		err = errNotHeld
	}
	return r, err
}

var errNotHeld = errs.New(errs.NotFound, "There is no such request in this browser. Ask again.")

var (
	errCode = errs.New(errs.Invalid, "This is not the code, or it is not valid any more.",
		errs.Field{Field: "code", Code: "wrong", Message: "Type the six digits of the newest letter. After five tries, or ten minutes, ask for a new code."})
	errLink = errs.New(errs.Gone, "This link is not valid any more.")
)

// Prove checks the mailed code. Of any number of simultaneous attempts with the right one exactly one succeeds; what was
// asked for then happens by itself, except that an erasure waits for Confirm and a correction for somebody who works here.
func (s *Service) Prove(ctx context.Context, tenant ids.Tenant, t Ticket, code string) (Request, error) {
	return s.try(ctx, tenant, t.Request, errCode, func(r *Request) bool {
		if !t.opens(*r) || r.Proof != state.Code || r.Tries >= maxTries {
			return false
		}
		r.Tries++
		return proof.Same(proof.OfCode(r.ID, code), r.Code)
	})
}

// Follow checks a mailed link. The request is then held by the browser that has followed it, by the session returned.
func (s *Service) Follow(ctx context.Context, tenant ids.Tenant, t Ticket) (Ticket, error) {
	t.Session = proof.Session(tenant, t.Session)
	_, err := s.try(ctx, tenant, t.Request, errLink, func(r *Request) bool {
		r.Session = proof.OfSession(r.ID, t.Session)
		return r.Proof == state.Link && proof.Same(proof.OfCode(r.ID, t.Link), r.Code)
	})
	return t, err
}

// try lets right look at a proof, keeps what it notes, and goes on with the request if it is one.
func (s *Service) try(ctx context.Context, tenant ids.Tenant, id RequestID, wrong error, right func(*Request) bool) (Request, error) {
	proved := false
	var r Request
	var own ids.Subject // whose key seals what was typed until now
	err := s.vault.Do(ctx, system(tenant), actProve, func(tx *vault.Tx) (err error) {
		proved = false
		if r, err = Requests.Get(tx, id); err != nil {
			return err
		}
		own = r.Asker
		if !r.Provable(tx.Now()) || !tx.Now().Before(r.CodeUntil) {
			return nil
		}
		tried := r
		if right(&tried) {
			r = tried
			proved, err = s.prove(tx, &r)
		} else {
			r.Tries = tried.Tries
		}
		return errors.Join(err, Requests.Put(tx, r))
	})
	if errs.Is(err, errs.NotFound) || err == nil && !proved {
		return r, wrong
	}
	if err != nil {
		return r, err
	}
	if err := s.destroyOwn(ctx, tenant, own); err != nil {
		return r, err
	}
	return r, s.goOn(ctx, tenant, r)
}

// goOn does what comes next for a request of which it is proved who asked.
func (s *Service) goOn(ctx context.Context, tenant ids.Tenant, r Request) error {
	if r.State == state.Running {
		return s.carryOut(ctx, system(tenant), r)
	}
	return s.write(ctx, tenant, r)
}

// next notes, in the transaction in which it is proved who asked, by what the request goes on.
func (s *Service) next(r *Request) {
	switch r.State {
	case state.Running:
		r.Policy = state.OwnRequest
	case state.Open:
		s.owe(r, record.WaitingLetter)
	}
}

// prove takes the right code, if there is still anybody whom it speaks for.
func (s *Service) prove(tx *vault.Tx, r *Request) (bool, error) {
	if _, err := s.people.Recheck(tx, r); err != nil {
		return false, err
	}
	if r.Contact.IsZero() {
		return false, r.Drop(state.Denied, state.NoMatch, state.Nobody, tx.Now())
	}
	next := state.Begin(r.Kind)
	if err := r.State.Move(next); err != nil {
		return false, err
	}
	if err := s.adopt(tx, r); err != nil {
		return false, err
	}
	if next != state.Confirming { // which asks once more who has the address
		r.Address = record.Nothing
	}
	s.next(r)
	if err := r.Proved(tx); err != nil {
		return false, err
	}
	tx.About(r.Contact)
	tx.Emit(vault.Event{Kind: "dsr.opened", Object: r.ID.String(), Subject: r.Contact}, nil)
	return true, nil
}

// Confirm carries out an erasure whose asker has proved the address.
func (s *Service) Confirm(ctx context.Context, tenant ids.Tenant, t Ticket) (Receipt, error) {
	r, err := s.Held(ctx, tenant, t)
	if err != nil {
		return Receipt{}, err
	}
	if r.Kind.Deed() == state.Erase && r.State == state.Fulfilled {
		return receipt.Of(r), nil
	}
	if r.State != state.Confirming {
		return Receipt{}, errs.New(errs.Conflict, "Prove first that the address is yours.")
	}
	first := false
	r, err = s.change(ctx, tenant, r.ID, func(r *Request, tx *vault.Tx) (bool, error) {
		if first = r.State == state.Confirming; !first {
			return false, nil
		}
		if r.Proof != state.Signed { // which speaks for an identifier, too
			if _, err := s.people.Recheck(tx, r); err != nil {
				return false, err
			}
		}
		if r.Contact.IsZero() {
			return true, r.Drop(state.Denied, state.NoMatch, state.Nobody, tx.Now())
		}
		r.Address, r.Policy = record.Nothing, state.OwnRequest
		return true, r.State.Move(state.Running)
	})
	if err != nil {
		return Receipt{}, err
	}
	if !first {
		return Receipt{}, errs.New(errs.Conflict, "This is under way already.")
	}
	if r.State == state.Denied {
		return Receipt{}, errs.New(errs.Conflict, "Nobody has this address here any more.")
	}
	return s.erase(ctx, system(tenant), r, "request of the person")
}

// Revoke takes a request back, for the browser that asked, as long as nothing has been done for it.
func (s *Service) Revoke(ctx context.Context, tenant ids.Tenant, t Ticket) error {
	return s.vault.Do(ctx, system(tenant), actRevoke, func(tx *vault.Tx) error {
		r, err := Requests.Get(tx, t.Request)
		if err != nil {
			return err
		}
		if !t.opens(r) {
			return errNotHeld
		}
		tx.About(r.Contact)
		r.DecidedBy, r.Policy = ids.User{}, state.OwnRequest
		return errors.Join(r.End(state.Revoked, tx.Now()), Requests.Put(tx, r))
	})
}

// CollectHeld opens a finished copy for the browser that asked.
func (s *Service) CollectHeld(ctx context.Context, tenant ids.Tenant, t Ticket) (content io.Reader, size int64, err error) {
	r, err := s.Held(ctx, tenant, t)
	if err != nil {
		return nil, 0, err
	}
	return s.collect(ctx, system(tenant), r)
}
