package rights

import (
	"context"
	"errors"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/rights/handover"
	"aver/trust/rights/proof"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
	"aver/vault/purpose"
)

// SignedAudience is what a token that is meant for the public page alone names; one that names nobody is taken, too.
const SignedAudience = "my-data"

// signedLife is for how long a token that the tenant's site signed may be valid here. The widget takes longer ones: there they
// open a chat, and here everything that is kept.
const signedLife = 15 * time.Minute

var actHandOver = vault.Act("privacy_request.hand_over", purpose.Own, vault.System())

// HandOver takes a token that the tenant's site signed about whoever brings it. The browser may then ask without a mailed
// code, by the session returned. A token works once, here; what it says is believed as the widget believes it.
func (s *Service) HandOver(ctx context.Context, tenant ids.Tenant, token string) (string, error) {
	claims, err := s.auth.VerifyToken(ctx, tenant, token, SignedAudience)
	if errs.Is(err, errs.Unavailable) {
		return "", err
	}
	if err != nil || claims.Expires.Sub(s.vault.Now()) > signedLife {
		return "", handover.Refused.Because(err)
	}
	session := proof.Session(tenant, "")
	err = s.vault.Do(ctx, system(tenant), actHandOver, func(tx *vault.Tx) error {
		return handover.Take(tx, token, session, handover.Who{User: personal.Of(claims.UserID), Email: personal.Of(claims.Email)})
	})
	return session, err
}

// AskSigned takes a request from the public page, of a browser whose owner the tenant's site has signed for: of the contact with
// its identifier, and of those who have the address that it signed.
func (s *Service) AskSigned(ctx context.Context, tenant ids.Tenant, w Wish) (Ticket, error) {
	own, err := s.vault.NewSubject(ctx, system(tenant))
	if err != nil {
		return Ticket{}, err
	}
	t := Ticket{Session: proof.Session(tenant, w.Session)}
	var r Request
	err = s.vault.Do(ctx, system(tenant), actAsk, func(tx *vault.Tx) error {
		who, err := handover.By(tx, w.Handover)
		if err != nil {
			return err
		}
		if r, err = record.Begin(tx, w, record.Portal); err != nil {
			return err
		}
		if r.People, err = s.people.Signed(tx, who.User.Reveal(), who.Email.Reveal()); err != nil {
			return err
		}
		r.Session, r.Proof, r.ProvedAt, t.Request = proof.OfSession(r.ID, t.Session), state.Signed, tx.Now(), r.ID
		words := Words{Asker: own, Address: who.Email, Text: personal.Of(strings.TrimSpace(w.Text))}
		if len(r.People) == 0 { // the tenant knows them, and nobody here does
			r.State, r.Passed = state.Open, true
			s.next(&r)
			words.Text = personal.Of(strings.TrimSpace("user_id " + who.User.Reveal() + "\n" + w.Text))
			tx.Emit(vault.Event{Kind: "privacy_request.passed", Object: r.ID.String()}, nil)
			return errors.Join(s.note(tx, &r, words), Requests.Add(tx, r))
		}
		r.Contact = r.People[0]
		words.Asker, words.Address = r.Contact, personal.Text{}
		r.State = state.Begin(r.Kind)
		s.next(&r)
		tx.About(r.Contact)
		tx.Emit(vault.Event{Kind: "dsr.opened", Object: r.ID.String(), Subject: r.Contact}, nil)
		return errors.Join(s.note(tx, &r, words), Requests.Add(tx, r))
	})
	if err != nil || !r.Contact.IsZero() {
		err = errors.Join(err, s.destroyOwn(ctx, tenant, own))
	}
	if err != nil {
		return Ticket{}, err
	}
	return t, s.goOn(ctx, tenant, r)
}
