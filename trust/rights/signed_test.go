package rights_test

import (
	"context"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/identity"
	"aver/trust/rights"
	"aver/trust/rights/state"
	"aver/vault"
)

// signer makes tokens as the tenant's site does.
func (w *world) signer(t *testing.T) func(change func(jwt.MapClaims)) string {
	t.Helper()
	kid, secret, err := identity.New(w.Vault).AddSecret(t.Context(), w.owner)
	must(t, err)
	return func(change func(jwt.MapClaims)) string {
		now := w.Clock.Now()
		claims := jwt.MapClaims{"user_id": "u-17", "email": "ada@example.org", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": ids.NewObject(now).String()}
		change(claims)
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
		token.Header["kid"] = kid
		signed, err := token.SignedString([]byte(secret))
		must(t, err)
		return signed
	}
}

func asIs(jwt.MapClaims) {}

func TestWhomTheSiteHasSignedAsksWithoutACodeForWhatIsKeptUnderItsIdentifier(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sign := w.signer(t)
		ada := w.add(t, w.Tenant, person{External: personal.Of("u-17"), Verified: true}, "words") // no address on file
		eve := w.add(t, w.Tenant, person{External: personal.Of("u-18"), Email: personal.Of("eve@example.org"), Verified: true}, "hers")
		token := sign(asIs)
		session, err := w.rights.HandOver(t.Context(), w.Tenant, token)
		must(t, err)
		if _, err := w.rights.HandOver(t.Context(), w.Tenant, token); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("a token is taken twice: %v", err)
		}
		if _, err := w.rights.HandOver(t.Context(), w.Other, sign(asIs)); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("another workspace takes it: %v", err)
		}
		ticket, err := w.rights.AskSigned(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Handover: session})
		must(t, err)
		eventually.Must(t, "the copy", func() bool { return w.request(t, ticket.Request).State == state.Fulfilled })
		r := w.request(t, ticket.Request)
		if r.Contact != ada || len(r.People) != 1 || r.Proof != state.Signed || r.Counts["letters"] != 1 {
			t.Errorf("%+v", r)
		}
		second, err := w.rights.AskSigned(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Handover: session, Session: ticket.Session})
		must(t, err)
		if r := w.request(t, second.Request); r.State != state.Confirming {
			t.Errorf("an erasure is %s before the last word", r.State)
		}
		_, err = w.rights.Confirm(t.Context(), w.Tenant, second)
		must(t, err)
		w.keys(t, map[string]bool{"ada": false, "eve": true}, map[string]ids.Contact{"ada": ada, "eve": eve})
		if r := w.request(t, second.Request); r.Counts["letters"] != 1 {
			t.Errorf("erased: %v", r.Counts)
		}
		w.Clock.Advance(31 * time.Minute)
		if _, err := w.rights.AskSigned(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Handover: session}); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("half an hour later: %v", err)
		}
	})
}

func TestATokenThatIsNotForThisPageIsNotTaken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sign := w.signer(t)
		for name, change := range map[string]func(jwt.MapClaims){
			"for a day":           func(c jwt.MapClaims) { c["exp"] = w.Clock.Now().Add(23 * time.Hour).Unix() },
			"for the widget only": func(c jwt.MapClaims) { c["aud"] = "ws_kowal" },
			"expired":             func(c jwt.MapClaims) { c["exp"] = w.Clock.Now().Add(-2 * time.Minute).Unix() },
			"of nobody":           func(c jwt.MapClaims) { delete(c, "user_id") },
		} {
			if _, err := w.rights.HandOver(t.Context(), w.Tenant, sign(change)); !errs.Is(err, errs.Unauthenticated) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.rights.HandOver(t.Context(), w.Tenant, sign(asIs)+"x"); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("forged: %v", err)
		}
		for _, session := range []string{"", "0000"} {
			if _, err := w.rights.AskSigned(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Handover: session}); !errs.Is(err, errs.Unauthenticated) {
				t.Errorf("without a token: %v", err)
			}
		}
		if _, err := w.rights.HandOver(t.Context(), w.Tenant, sign(func(c jwt.MapClaims) { c["aud"] = rights.SignedAudience })); err != nil {
			t.Errorf("for this page: %v", err)
		}
		if n := len(w.all(t)); n != 0 {
			t.Errorf("%d requests are there", n)
		}
	})
}

func TestWhomTheSiteSignedAndNobodyHereKnowsIsPassedToTheTenant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		session, err := w.rights.HandOver(t.Context(), w.Tenant, w.signer(t)(asIs))
		must(t, err)
		ticket, err := w.rights.AskSigned(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Handover: session, Text: "please"})
		must(t, err)
		r := w.request(t, ticket.Request)
		typed, err := w.rights.TypedWith(t.Context(), w.owner, r)
		must(t, err)
		if !r.Passed || r.State != state.Open || typed.Address.Reveal() != "ada@example.org" || typed.Text.Reveal() != "user_id u-17\nplease" {
			t.Errorf("%+v, %+v", r, typed)
		}
	})
}

func TestWhoWasToldIsShownToWhoeverHasProvedThatItIsThem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		w.rights.Told = func(_ context.Context, _ vault.Actor, contact ids.Contact) ([]rights.Told, error) {
			if contact != ada {
				return nil, nil
			}
			return []rights.Told{{Name: "Post", Via: "mail", Event: "contact.erased"}}, nil
		}
		ticket := w.ask(t, rights.Wish{Kind: state.Access, Email: "ada@example.org"})
		told, err := w.rights.ToldOf(t.Context(), w.Tenant, w.request(t, ticket.Request))
		must(t, err)
		if len(told) != 0 {
			t.Error("somebody who has proved nothing is shown who was told")
		}
		r, err := w.rights.Prove(t.Context(), w.Tenant, ticket, w.post.code(t))
		must(t, err)
		if told, err = w.rights.ToldOf(t.Context(), w.Tenant, r); err != nil || len(told) != 1 {
			t.Errorf("%v, %v", told, err)
		}
	})
}

func TestACopyOfSomebodyWhoWasErasedMeanwhileEndsQuietly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		quiet := idle(t, w.Kit) // whose jobs do not run
		id, err := quiet.rights.StartCopy(t.Context(), w.owner, ada)
		must(t, err)
		_, err = w.rights.Erase(t.Context(), w.owner, ada, "order of the controller")
		must(t, err)
		if err := w.rights.Work(t.Context(), w.Tenant, id); err != nil {
			t.Errorf("the job fails: %v", err)
		}
		if r := w.request(t, id); r.State != state.Denied || r.Policy != state.Nobody {
			t.Errorf("it is %s by %s", r.State, r.Policy)
		}
	})
}
