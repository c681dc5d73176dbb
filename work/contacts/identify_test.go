package contacts_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
)

func TestTheFirstSignedIdentityMakesTheVisitorThatPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, visitor := t.Context(), h.visitor(t, contacts.Draft{Name: "who knows", Email: "claimed@x.example"})
		token, err := h.identity.IssueVisitor(ctx, h.Tenant, visitor, false)
		must(t, err)
		id, err := h.contacts.Identify(ctx, h.Tenant, visitor, identity.TokenClaims{UserID: "u1", Email: "maria@kowal.example", Name: "Maria", Phone: "nonsense"})
		must(t, err)
		if c := h.get(t, id); id != visitor || !c.Verified || c.Role != contacts.User || c.Email.Reveal() != "maria@kowal.example" || !c.Phone.IsZero() {
			t.Errorf("became %s of %s: verified %v, %q", id, visitor, c.Verified, c.Email.Reveal())
		}
		_, err = h.identity.Visitor(ctx, token)
		is(t, "the token from before", err, errs.Unauthenticated)
		_, err = h.contacts.Claim(ctx, vaulttest.Visitor(h.Tenant, id), contacts.Draft{Name: "Mallory"}, nil)
		must(t, err)
		if c := h.get(t, id); c.Name.Reveal() != "Maria" {
			t.Errorf("a claim made the verified person %q", c.Name.Reveal())
		}
		_, err = h.contacts.Update(ctx, h.operator, id, contacts.Draft{ExternalID: "u2"})
		is(t, "another identifier for a signed identity", err, errs.Conflict)
	})
}

func TestAClaimedAddressReachesNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		maria, err := h.contacts.Identify(ctx, h.Tenant, h.visitor(t, contacts.Draft{}), identity.TokenClaims{UserID: "u1", Email: "maria@kowal.example", Name: "Maria"})
		must(t, err)
		mallory := h.visitor(t, contacts.Draft{})
		_, err = h.contacts.Claim(ctx, vaulttest.Visitor(h.Tenant, mallory), contacts.Draft{Email: "maria@kowal.example", ExternalID: "u1", Name: "Maria"}, nil)
		must(t, err)
		if c := h.get(t, mallory); c.Verified || !c.ExternalID.IsZero() || c.Role != contacts.Lead {
			t.Errorf("claiming made %+v", c.Role)
		}
		is(t, "merging the claim", h.contacts.Merge(ctx, h.operator, mallory, maria, ""), errs.Conflict)
		is(t, "the other way", h.contacts.Merge(ctx, h.operator, maria, mallory, ""), errs.Conflict)
	})
}

func TestAMergeIsALinkThatUndoTakesBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, s := t.Context(), h.contacts
		a, b, c := h.make(t, contacts.Draft{Name: "A"}), h.make(t, contacts.Draft{Name: "B"}), h.make(t, contacts.Draft{Name: "C"})
		must(t, s.Merge(ctx, h.operator, a, b, "same voice"))
		if got := h.list(t, contacts.Filter{}); !same(got, []ids.Contact{b, c}) {
			t.Errorf("the list shows %v", got)
		}
		for name, err := range map[string]error{
			"itself":        s.Merge(ctx, h.operator, a, a, ""),
			"again":         s.Merge(ctx, h.operator, a, c, ""),
			"into a merged": s.Merge(ctx, h.operator, c, a, ""),
			"the winner":    s.Merge(ctx, h.operator, b, c, ""),
			"two known": func() error {
				return s.Merge(ctx, h.operator, h.make(t, contacts.Draft{ExternalID: "u1"}), h.make(t, contacts.Draft{ExternalID: "u2"}), "")
			}(),
		} {
			if !errs.Is(err, errs.Conflict) && !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		look := vault.Act("test.look", purpose.Storage, vault.System())
		must(t, h.Vault.View(ctx, vaulttest.System(h.Tenant), look, func(tx *vault.Tx) error {
			linked, err := contacts.Linked(tx, b)
			if !same(linked, []ids.Contact{a, b}) {
				t.Errorf("linked with B: %v", linked)
			}
			return err
		}))
		h.Clock.Advance(29 * 24 * time.Hour)
		_, err := s.Update(ctx, h.operator, a, contacts.Draft{Name: "A again"}) // does not lengthen the time
		must(t, err)
		must(t, s.Unmerge(ctx, h.operator, a))
		is(t, "undone twice", s.Unmerge(ctx, h.operator, a), errs.Conflict)
		must(t, s.Merge(ctx, h.operator, a, b, ""))
		h.Clock.Advance(31 * 24 * time.Hour)
		_, err = s.Update(ctx, h.operator, a, contacts.Draft{Name: "A"})
		must(t, err)
		is(t, "after 31 days", s.Unmerge(ctx, h.operator, a), errs.Conflict)
		history, err := s.MergeHistory(ctx, h.operator, b)
		must(t, err)
		if len(history) != 2 || !history[0].UndoneAt.IsZero() || history[1].UndoneAt.IsZero() || history[1].Reason.Reveal() != "same voice" {
			t.Errorf("history %+v", history)
		}
	})
}

func TestWhoBecomesKnownIsCutLooseFromClaims(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, s := t.Context(), h.contacts
		lead, claim, visitor := h.make(t, contacts.Draft{Name: "lead"}), h.visitor(t, contacts.Draft{}), h.visitor(t, contacts.Draft{})
		must(t, s.Merge(ctx, h.operator, claim, visitor, ""))
		id, err := s.Identify(ctx, h.Tenant, visitor, identity.TokenClaims{UserID: "u1"})
		must(t, err)
		if id != visitor || !h.get(t, claim).MergedInto.IsZero() {
			t.Error("a claim is still merged into the verified person")
		}
		other := h.visitor(t, contacts.Draft{})
		must(t, s.Merge(ctx, h.operator, other, lead, ""))
		token, err := h.identity.IssueVisitor(ctx, h.Tenant, other, false)
		must(t, err)
		_, err = s.Update(ctx, h.operator, other, contacts.Draft{ExternalID: "u2"})
		must(t, err)
		if !h.get(t, other).MergedInto.IsZero() {
			t.Error("who got an identifier is still shown with a lead")
		}
		_, err = h.identity.Visitor(ctx, token)
		is(t, "a token from before the identifier", err, errs.Unauthenticated)
	})
}

// street is everything that can happen to a few people and their sessions, in any order.
type street struct {
	h        *house
	t        *testing.T
	people   []ids.Contact
	sessions []session
	known    map[string]ids.Contact // whom each signed identity turned out to be
	run      int64                  // in the names of users, so that each run starts without them
}

type session struct {
	token    string
	verified bool
}

func (s *street) pick(rt *rapid.T) ids.Contact {
	return rapid.SampledFrom(s.people).Draw(rt, "who")
}

func (s *street) user(rt *rapid.T) string {
	return fmt.Sprint(rapid.SampledFrom([]string{"u1", "U1", "u2"}).Draw(rt, "user"), "-", s.run)
}

func (s *street) visit(*rapid.T) {
	id := s.h.visitor(s.t, contacts.Draft{Name: "claim", Email: "maria@kowal.example"})
	s.people = append(s.people, id)
	s.open(id, false)
}

func (s *street) open(id ids.Contact, verified bool) {
	token, err := s.h.identity.IssueVisitor(s.t.Context(), s.h.Tenant, id, verified)
	must(s.t, err)
	s.sessions = append(s.sessions, session{token, verified})
}

// sign lets a session that still counts show what the site signed.
func (s *street) sign(rt *rapid.T) {
	user := s.user(rt)
	actor, err := s.h.identity.Visitor(s.t.Context(), rapid.SampledFrom(s.sessions).Draw(rt, "session").token)
	if err != nil {
		return
	}
	id, err := s.h.contacts.Identify(s.t.Context(), s.h.Tenant, actor.Subject(), identity.TokenClaims{UserID: user, Name: "signed " + user})
	must(s.t, err)
	if before, seen := s.known[user]; seen && before != id {
		rt.Fatalf("%s was %s and is now %s", user, before, id)
	}
	if _, seen := s.known[user]; !seen {
		s.people = append(s.people, id)
	}
	s.known[user] = id
	s.open(id, true)
}

func (s *street) claim(rt *rapid.T) {
	actor, err := s.h.identity.Visitor(s.t.Context(), rapid.SampledFrom(s.sessions).Draw(rt, "session").token)
	if err != nil {
		return
	}
	_, err = s.h.contacts.Claim(s.t.Context(), actor, contacts.Draft{Name: "claim", ExternalID: s.user(rt), Email: "maria@kowal.example"}, nil)
	must(s.t, err)
}

func (s *street) merge(rt *rapid.T) {
	_ = s.h.contacts.Merge(s.t.Context(), s.h.operator, s.pick(rt), s.pick(rt), "") // may be refused; the check says what must hold
}

func (s *street) unmerge(rt *rapid.T) {
	id := s.pick(rt)
	before := s.all()[id]
	if err := s.h.contacts.Unmerge(s.t.Context(), s.h.operator, id); err != nil {
		return
	}
	after := s.all()[id]
	before.MergedInto, before.UpdatedAt = ids.Contact{}, after.UpdatedAt
	if fmt.Sprint(before) != fmt.Sprint(after) || before.Name != after.Name || before.Email != after.Email {
		rt.Fatal("merging and undoing it changed the person")
	}
}

func (s *street) name(rt *rapid.T) {
	_, _ = s.h.contacts.Update(s.t.Context(), s.h.operator, s.pick(rt), contacts.Draft{ExternalID: s.user(rt)}) // may be taken
}

// all reads everybody of this run.
func (s *street) all() map[ids.Contact]contacts.Contact {
	out := map[ids.Contact]contacts.Contact{}
	look := vault.Act("test.look", purpose.Storage, vault.System())
	must(s.t, s.h.Vault.View(s.t.Context(), vaulttest.System(s.h.Tenant), look, func(tx *vault.Tx) error {
		for _, id := range s.people {
			c, err := contacts.Contacts.Get(tx, id)
			if err != nil {
				return err
			}
			out[id] = c
		}
		return nil
	}))
	return out
}

// check holds after every step.
func (s *street) check(rt *rapid.T) {
	all := s.all()
	for _, open := range s.sessions {
		actor, err := s.h.identity.Visitor(s.t.Context(), open.token)
		if err != nil {
			continue
		}
		if c := all[actor.Subject()]; !open.verified && (c.Verified || !c.ExternalID.IsZero()) {
			rt.Fatalf("an unverified session is inside the known person %s", c.ID)
		}
	}
	holder := map[string]ids.Contact{}
	for id, c := range all {
		if external := c.ExternalID.Reveal(); external != "" {
			if other, twice := holder[external]; twice && other != id {
				rt.Fatalf("%s is two people", external)
			}
			holder[external] = id
		}
		if c.Verified && c.Name.Reveal() != "signed "+c.ExternalID.Reveal() {
			rt.Fatalf("a verified person is called %q", c.Name.Reveal())
		}
		if c.MergedInto.IsZero() {
			continue
		}
		if into := all[c.MergedInto]; into.Verified != c.Verified || !into.MergedInto.IsZero() {
			rt.Fatalf("%s is merged into %s across what is verified, or twice removed", c.ID, into.ID)
		}
	}
}

func TestNoOrderOfEventsLetsAClaimIntoAVerifiedPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var runs atomic.Int64
		rapid.Check(t, func(rt *rapid.T) {
			s := &street{h: h, t: t, known: map[string]ids.Contact{}, run: runs.Add(1)}
			s.visit(rt)
			s.visit(rt)
			actions := map[string]func(*rapid.T){"": s.check, "visit": s.visit, "sign": s.sign, "claim": s.claim, "merge": s.merge, "unmerge": s.unmerge, "name": s.name}
			rt.Repeat(actions)
		})
	})
}
