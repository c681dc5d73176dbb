package vault_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// stand gives a person these standings and no others.
func stand(ctx context.Context, k *vaulttest.Kit, who ids.Contact, all ...purpose.Said) error {
	return k.Vault.Do(ctx, vaulttest.System(k.Tenant), write, func(tx *vault.Tx) error {
		if _, err := vault.Standings.DeleteWhere(tx, "person = ?", who); err != nil {
			return err
		}
		for _, s := range all {
			if err := vault.Standings.Put(tx, vault.Standing{Person: who, Kind: s.Kind, Purpose: s.Purpose, Since: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// subject is a person with a row in each table, words, and a file.
type subject struct {
	id     ids.Contact
	email  string
	word   string
	thread ids.Object
	file   ids.Object
}

func settle(t *testing.T, k *vaulttest.Kit, name string) subject {
	t.Helper()
	s := subject{email: name + "@shop.example", word: "schlagwort" + name, thread: ids.NewObject(vaulttest.Start)}
	s.id = newPerson(t, k, k.Tenant, s.email)
	system := vaulttest.System(k.Tenant)
	addNote(t, k, system, note{Person: s.id, Thread: s.thread, Seq: 1, Text: personal.Of("das " + s.word)})
	blob, err := k.Vault.PutBlob(t.Context(), system, s.id, "text/plain", strings.NewReader("a file of "+name), 100)
	must(t, err)
	must(t, k.Vault.Do(t.Context(), system, write, func(tx *vault.Tx) error {
		err := plainNotes.Add(tx, plainNote{Person: s.id, Thread: s.thread, Seq: 1, Text: personal.Of(s.word), At: tx.Now()})
		return errors.Join(err, vault.Blobs.Add(tx, blob))
	}))
	s.file = blob.ID
	return s
}

// reaches lists the verbs by which the action gets at the person; a read of several people counts if this one is in it.
func reaches(ctx context.Context, k *vaulttest.Kit, actor vault.Actor, act *vault.Action, s subject) (out []string, err error) {
	note := func(verb string, reached bool) {
		if reached {
			out = append(out, verb)
		}
	}
	err = k.Vault.View(ctx, actor, act, func(tx *vault.Tx) error {
		out = nil
		_, e := people.Get(tx, s.id)
		note("Get", e == nil)
		_, e = notes.Get(tx, s.thread, int64(1))
		note("Get by another key", e == nil)
		all, e1 := notes.Find(tx, "ORDER BY at, thread")
		for _, n := range all {
			note("Find", n.Person == s.id)
		}
		mine, e2 := notes.Later(tx, "person = ? OR open = ?", s.id, true)()
		note("Later", len(mine) > 0)
		found, e3 := people.Lookup(tx, "email", s.email)
		note("Lookup", len(found) > 0)
		n, e4 := plainNotes.Count(tx, "thread = ?", s.thread)
		note("Count", n > 0)
		hits, e5 := notes.Search(tx, s.word, 10)
		note("Search", len(hits) > 0)
		e6 := k.Vault.EachRow(tx, notes, s.id, func([]vault.Cell) error { note("EachRow", true); return nil })
		totals, e7 := k.Vault.Totals(tx, s.id)
		note("Totals", totals["notes"]+totals["people"]+totals["blobs"] > 0)
		_, content, e := k.Vault.ReadBlob(tx, s.file)
		if e == nil {
			_, e = io.ReadAll(content)
		}
		note("ReadBlob", e == nil)
		return errors.Join(e1, e2, e3, e4, e5, e6, e7)
	})
	return out, err
}

const readVerbs = 10

// writes lists the verbs by which the action changes something about the person, each tried in a change that is dropped.
func writes(ctx context.Context, k *vaulttest.Kit, actor vault.Actor, act *vault.Action, s subject, other ids.Contact) (out []string, err error) {
	dropped := errors.New("dropped")
	row := note{Person: s.id, Thread: s.thread, Seq: 2, Text: personal.Of("more"), At: vaulttest.Start}
	verbs := map[string]func(tx *vault.Tx) error{
		"Add":    func(tx *vault.Tx) error { return notes.Add(tx, row) },
		"Append": func(tx *vault.Tx) error { return notes.Append(tx, row) },
		"Put":    func(tx *vault.Tx) error { return notes.Put(tx, row) },
		"Put in the place of theirs": func(tx *vault.Tx) error {
			return notes.Put(tx, note{Person: other, Thread: s.thread, Seq: 1, At: vaulttest.Start})
		},
		"Change": func(tx *vault.Tx) error {
			before, after := row, row
			before.Seq, after.Seq, after.Open = 1, 1, true
			return notes.Change(tx, before, after)
		},
		"Delete": func(tx *vault.Tx) error { return notes.Delete(tx, s.thread, int64(1)) },
		"DeleteWhere": func(tx *vault.Tx) error {
			if n, err := plainNotes.DeleteWhere(tx, "thread = ?", s.thread); n == 0 {
				return cmp.Or(err, error(errs.New(errs.NotFound, "none")))
			}
			return nil
		},
		"Blank": func(tx *vault.Tx) error {
			others, _ := plainNotes.Count(tx, "thread <> ?", s.thread)
			n, err := plainNotes.Blank(tx, "text", 100)
			if n <= others {
				return cmp.Or(err, error(errs.New(errs.NotFound, "none")))
			}
			return err
		},
	}
	for name, verb := range verbs {
		refused := error(nil)
		e := k.Vault.Do(ctx, actor, act, func(tx *vault.Tx) error {
			refused = verb(tx)
			return dropped
		})
		if refused == nil {
			out = append(out, name)
		}
		if kind := errs.Of(refused); refused != nil && kind != errs.Restricted && kind != errs.ConsentRequired && kind != errs.NotFound {
			err = errors.Join(err, fmt.Errorf("%s: %w", name, refused))
		}
		if !errors.Is(e, dropped) {
			err = errors.Join(err, e)
		}
	}
	return out, err
}

const writeVerbs = 8

// opens is the rule in Go, written from the law and apart from the condition in SQL.
func opens(name string, basis purpose.Basis, shares bool, said []purpose.Said) bool {
	granted := false
	for _, s := range said {
		about := s.Purpose == name || s.Purpose == purpose.All
		switch s.Kind {
		case purpose.Restrict:
			return false
		case purpose.Object, purpose.Refused:
			if about {
				return false
			}
		case purpose.NoAutomatedDecision:
			if name == purpose.Decision {
				return false
			}
		case purpose.OptOutSale:
			if shares {
				return false
			}
		case purpose.LimitSensitive:
			if name == purpose.Enrichment || name == purpose.Improvement || name == purpose.Sale {
				return false
			}
		case purpose.Granted:
			granted = granted || s.Purpose == name
		}
	}
	return basis != purpose.Consent || granted
}

func drawSaid(rt *rapid.T) []purpose.Said {
	said := map[purpose.Said]bool{}
	for range rapid.IntRange(0, 4).Draw(rt, "how many") {
		s := purpose.Said{Kind: rapid.SampledFrom(append([]purpose.Kind{purpose.Granted, purpose.Excepted, purpose.Refused}, purpose.Limits...)).Draw(rt, "kind"),
			Purpose: rapid.SampledFrom(append([]string{purpose.All, "newsletter", purpose.Support}, purpose.Known...)).Draw(rt, "purpose")}
		said[s] = true
	}
	var out []purpose.Said
	for s := range said {
		out = append(out, s)
	}
	return out
}

// Whatever somebody has said, every verb of the vault reaches them for an automated purpose if the purpose is open to
// them, and none if it is not; somebody who has opened it is always seen.
func TestNoVerbReachesSomebodyWhoHasClosedThePurpose(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		ctx := context.Background()
		anna, berta := settle(t, k, "anna"), settle(t, k, "berta")
		k.Filed(t)
		rapid.Check(t, func(rt *rapid.T) {
			name := rapid.SampledFrom(append([]string{"newsletter", purpose.Decision}, purpose.Known...)).Draw(rt, "purpose of the action")
			terms := purpose.Of(name)
			basis, shares := terms.Basis, terms.Shares
			chosen := rapid.Bool().Draw(rt, "the tenant has chosen")
			if chosen {
				basis, shares = rapid.SampledFrom(purpose.Bases).Draw(rt, "basis"), rapid.Bool().Draw(rt, "shares")
			}
			said := drawSaid(rt)
			must(t, stand(ctx, k, anna.id, said...))
			must(t, stand(ctx, k, berta.id, purpose.Said{Kind: purpose.Granted, Purpose: name}))
			must(t, k.Vault.Do(ctx, vaulttest.System(k.Tenant), write, func(tx *vault.Tx) error {
				if chosen {
					return vault.Purposes.Put(tx, vault.PurposeTerms{ID: name, Basis: basis, Shares: shares})
				}
				_, err := vault.Purposes.DeleteWhere(tx, "id = ?", name)
				return err
			}))
			act, actor := vault.Act("note.work", purpose.Sync, vault.System()).For(name), vaulttest.System(k.Tenant)
			for _, c := range []struct {
				who  subject
				open bool
			}{{anna, opens(name, basis, shares, said)}, {berta, true}} {
				read, err := reaches(ctx, k, actor, act, c.who)
				must(t, err)
				changed, err := writes(ctx, k, actor, act, c.who, berta.id)
				must(t, err)
				if wantR, wantW := count(c.open, readVerbs), count(c.open, writeVerbs); len(read) != wantR || len(changed) != wantW {
					rt.Fatalf("%s on %s (shares %v) after %v, open %v: read by %v, changed by %v", name, basis, shares, said, c.open, read, changed)
				}
			}
		})
	})
}

func count(open bool, all int) int {
	if open {
		return all
	}
	return 0
}

func TestWhoIsRestrictedIsReadByPeopleOnlyWithConsentOrAGroundOfTheLaw(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		ctx := t.Context()
		anna := settle(t, k, "anna")
		k.Filed(t)
		answer := vault.Act("note.answer", purpose.Support, vault.Everyone(), vault.Visitors(), vault.System(), vault.Scope("notes:write"))
		claim := vault.Act("note.claim", purpose.LegalClaims, vault.Everyone())
		operator, dpo, program := vaulttest.User(k.Tenant, vault.Operator), vaulttest.User(k.Tenant, vault.DPO), vaulttest.Key(k.Tenant, "notes:write")
		restricted := purpose.Said{Kind: purpose.Restrict, Purpose: purpose.All}
		yes := purpose.Said{Kind: purpose.Granted, Purpose: purpose.Support}
		legal := purpose.Said{Kind: purpose.Excepted, Purpose: purpose.LegalClaims}
		for _, c := range []struct {
			why   string
			said  []purpose.Said
			actor vault.Actor
			act   *vault.Action
			want  int
		}{
			{"nobody said anything", nil, operator, answer, readVerbs},
			{"restricted", []purpose.Said{restricted}, operator, answer, 0},
			{"restricted, who looks after rights", []purpose.Said{restricted}, dpo, answer, readVerbs},
			{"restricted, with consent", []purpose.Said{restricted, yes}, operator, answer, readVerbs},
			{"restricted, legal claims, but for answering", []purpose.Said{restricted, legal}, operator, answer, 0},
			{"restricted, legal claims", []purpose.Said{restricted, legal}, operator, claim, readVerbs},
			{"restricted, with consent, by a program", []purpose.Said{restricted, yes}, program, answer, 0},
			{"objected to all that is automated", []purpose.Said{{Kind: purpose.Object, Purpose: purpose.All}}, operator, answer, readVerbs},
			{"objected to all that is automated, by a program", []purpose.Said{{Kind: purpose.Object, Purpose: purpose.All}}, program, answer, 0},
			{"objected to handing on, by a program", []purpose.Said{{Kind: purpose.Object, Purpose: purpose.Sync}}, program, answer, 0},
			{"objected to marketing, by a program", []purpose.Said{{Kind: purpose.Object, Purpose: purpose.Outreach}}, program, answer, readVerbs},
			{"opted out of sale, by a program of the tenant's own", []purpose.Said{{Kind: purpose.OptOutSale, Purpose: purpose.All}}, program, answer, readVerbs},
			{"restricted, by themselves", []purpose.Said{restricted}, vaulttest.Visitor(k.Tenant, anna.id), answer, readVerbs},
			{"restricted, by what keeps the service going", []purpose.Said{restricted}, vaulttest.System(k.Tenant), answer, readVerbs},
		} {
			must(t, stand(ctx, k, anna.id, c.said...))
			got, err := reaches(ctx, k, c.actor, c.act, anna)
			must(t, err)
			if len(got) != c.want {
				t.Errorf("%s: read by %v", c.why, got)
			}
		}
	})
}

func TestWhatIsWrittenWithoutConsentIsRefusedAndTheLogSaysAboutWhom(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		ctx := t.Context()
		anna := settle(t, k, "anna")
		receive := vault.Act("note.receive", purpose.Support, vault.Visitors())
		answer := vault.Act("note.answer", purpose.Support, vault.Roles(vault.Operator))
		campaign := vault.Act("note.campaign", purpose.Outreach, vault.Roles(vault.Operator))
		visitor, operator := vaulttest.Visitor(k.Tenant, anna.id), vaulttest.User(k.Tenant, vault.Operator)
		row := note{Person: anna.id, Thread: anna.thread, Seq: 1, At: vaulttest.Start}
		try := func(actor vault.Actor, act *vault.Action) errs.Kind {
			row.Seq++
			return errs.Of(k.Vault.Do(ctx, actor, act, func(tx *vault.Tx) error { return notes.Append(tx, row) }))
		}
		yes := purpose.Said{Kind: purpose.Granted, Purpose: purpose.Support}
		no := purpose.Said{Kind: purpose.Refused, Purpose: purpose.Support}
		for _, c := range []struct {
			why     string
			said    []purpose.Said
			visitor errs.Kind
			staff   errs.Kind
			market  errs.Kind
		}{
			{"never asked", nil, errs.ConsentRequired, "", errs.ConsentRequired},
			{"agreed to support", []purpose.Said{yes}, "", "", errs.ConsentRequired},
			{"took it back", []purpose.Said{no}, errs.ConsentRequired, errs.ConsentRequired, errs.ConsentRequired},
			{"agreed to marketing", []purpose.Said{{Kind: purpose.Granted, Purpose: purpose.Outreach}}, errs.ConsentRequired, "", ""},
			{"objected to marketing after all", []purpose.Said{{Kind: purpose.Granted, Purpose: purpose.Outreach}, {Kind: purpose.Object, Purpose: purpose.Outreach}}, errs.ConsentRequired, "", errs.Restricted},
			{"restricted", []purpose.Said{{Kind: purpose.Restrict, Purpose: purpose.All}}, errs.ConsentRequired, errs.Restricted, errs.Restricted},
		} {
			must(t, stand(ctx, k, anna.id, c.said...))
			for act, want := range map[*vault.Action]errs.Kind{answer: c.staff, campaign: c.market} {
				if got := try(operator, act); got != want {
					t.Errorf("%s: %s is %q, want %q", c.why, act.Name(), got, want)
				}
			}
			if got := try(visitor, receive); got != c.visitor {
				t.Errorf("%s: %s is %q, want %q", c.why, receive.Name(), got, c.visitor)
			}
		}
		entries, err := k.Vault.Entries(ctx, k.Tenant, 0, 200)
		must(t, err)
		denied := map[string]int{}
		for _, e := range entries {
			if e.Outcome == journal.Denied && e.Subject == anna.id {
				denied[e.Action]++
			}
		}
		if denied["note.receive"] != 5 || denied["note.answer"] != 2 || denied["note.campaign"] != 5 {
			t.Errorf("the log has refused %v", denied)
		}
	})
}

func TestAListThatLeavesSomebodyOutIsNoRefusalButAReadOfTheirRowIs(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		anna := settle(t, k, "anna")
		must(t, stand(t.Context(), k, anna.id, purpose.Said{Kind: purpose.Restrict, Purpose: purpose.All}))
		act, actor := vault.Act("note.compare", purpose.Analytics, vault.System()), vaulttest.System(k.Tenant)
		size := func() int64 { n, _, _, err := k.Vault.Head(t.Context(), k.Tenant); must(t, err); return n }
		before := size()
		must(t, k.Vault.View(t.Context(), actor, act, func(tx *vault.Tx) error { _, err := people.Find(tx, "ORDER BY id"); return err }))
		if now := size(); now != before {
			t.Errorf("a list wrote %d entries", now-before)
		}
		err := k.Vault.View(t.Context(), actor, act, func(tx *vault.Tx) error { _, err := people.Get(tx, anna.id); return err })
		if now := size(); now != before+1 || !errs.Is(err, errs.Restricted) {
			t.Errorf("a read wrote %d entries: %v", now-before, err)
		}
	})
}

func TestWhatIsForTheWorkspaceTouchesNobody(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		anna := settle(t, k, "anna")
		k.Filed(t)
		act := vault.Act("note.settings", purpose.Workspace, vault.Everyone(), vault.System())
		for _, actor := range []vault.Actor{vaulttest.System(k.Tenant), vaulttest.User(k.Tenant, vault.Owner)} {
			read, err := reaches(t.Context(), k, actor, act, anna)
			must(t, err)
			if len(read) > 0 {
				t.Errorf("read by %v", read)
			}
			err = k.Vault.Do(t.Context(), actor, act, func(tx *vault.Tx) error {
				return notes.Add(tx, note{Person: anna.id, Thread: anna.thread, Seq: 2, At: vaulttest.Start})
			})
			if !errs.Is(err, errs.Forbidden) {
				t.Errorf("a write about somebody: %v", err)
			}
		}
	})
}

func TestAnActionThatMustKnowWhoIsThereSeesEverybodyAndWritesAboutNobodyWhoClosedIt(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		anna, berta := settle(t, k, "anna"), settle(t, k, "berta")
		k.Filed(t)
		act, actor := vault.Act("note.import", purpose.Sync, vault.System(), vault.Finds()), vaulttest.System(k.Tenant)
		for _, c := range []struct {
			who    subject
			said   []purpose.Said
			writes int
		}{{anna, []purpose.Said{{Kind: purpose.Object, Purpose: purpose.Sync}}, 0}, {berta, nil, writeVerbs}} {
			must(t, stand(t.Context(), k, anna.id, c.said...))
			read, err := reaches(t.Context(), k, actor, act, c.who)
			must(t, err)
			changed, err := writes(t.Context(), k, actor, act, c.who, berta.id)
			must(t, err)
			if len(read) != readVerbs || len(changed) != c.writes {
				t.Errorf("read by %v, changed by %v", read, changed)
			}
		}
	})
}

// At the desk nobody speaks to the person: a consent to answers that was taken back closes nothing, a restriction does.
func TestTheDeskKeepsInOrderWhoWantsNoAnswersAndLeavesTheRestrictedAlone(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		anna, berta := settle(t, k, "anna"), settle(t, k, "berta")
		k.Filed(t)
		act := vault.Act("note.sort", purpose.Desk, vault.Everyone(), vault.Visitors(), vault.Scope("notes:write"))
		operator, dpo, program := vaulttest.User(k.Tenant, vault.Operator), vaulttest.User(k.Tenant, vault.DPO), vaulttest.Key(k.Tenant, "notes:write")
		restricted := purpose.Said{Kind: purpose.Restrict, Purpose: purpose.All}
		yes, no := purpose.Said{Kind: purpose.Granted, Purpose: purpose.Support}, purpose.Said{Kind: purpose.Refused, Purpose: purpose.Support}
		for _, c := range []struct {
			why   string
			said  []purpose.Said
			actor vault.Actor
			open  bool
		}{
			{"took the consent back", []purpose.Said{no}, operator, true},
			{"restricted", []purpose.Said{restricted}, operator, false},
			{"restricted, with consent", []purpose.Said{restricted, yes}, operator, true},
			{"restricted, who looks after rights", []purpose.Said{restricted, no}, dpo, true},
			{"restricted, by a program", []purpose.Said{restricted, yes}, program, false},
			{"objected to handing on, by a program", []purpose.Said{{Kind: purpose.Object, Purpose: purpose.Sync}}, program, false},
			{"nothing said, by themselves", nil, vaulttest.Visitor(k.Tenant, anna.id), true},
		} {
			must(t, stand(t.Context(), k, anna.id, c.said...))
			read, err := reaches(t.Context(), k, c.actor, act, anna)
			must(t, err)
			changed, err := writes(t.Context(), k, c.actor, act, anna, berta.id)
			must(t, err)
			if len(read) != count(c.open, readVerbs) || len(changed) != count(c.open, writeVerbs) {
				t.Errorf("%s: read by %v, changed by %v", c.why, read, changed)
			}
		}
	})
}

func TestNoActionIsWithoutAPurpose(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"", "newsletter", "Support"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("an action for %q was declared", what)
				}
			}()
			vault.Act("note.work", what, vault.System())
		}()
	}
}

func TestARefusalSaysWhichPurposeLacksWhichGround(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		anna := settle(t, k, "anna")
		act, actor := vault.Act("note.compare", purpose.Analytics, vault.System()), vaulttest.System(k.Tenant)
		refusal := func(want errs.Field) {
			t.Helper()
			err := k.Vault.View(t.Context(), actor, act, func(tx *vault.Tx) error { _, err := people.Get(tx, anna.id); return err })
			if got := errs.AsProblem(err).Errors; len(got) != 1 || got[0] != want {
				t.Errorf("%v says %v", err, got)
			}
		}
		must(t, stand(t.Context(), k, anna.id, purpose.Said{Kind: purpose.Object, Purpose: purpose.Analytics}))
		refusal(errs.Field{Field: "purpose", Code: "objected", Message: "The purpose analytics: closed by an objection or opt-out."})
		must(t, stand(t.Context(), k, anna.id))
		must(t, k.Vault.Do(t.Context(), actor, write, func(tx *vault.Tx) error {
			return vault.Purposes.Put(tx, vault.PurposeTerms{ID: purpose.Analytics, Basis: purpose.Consent})
		}))
		refusal(errs.Field{Field: "purpose", Code: "no-consent", Message: "The purpose analytics: it rests on consent, and there is none."})
	})
}

// elsewhere is somebody whose changes may run beside those of the system.
func elsewhere(k *vaulttest.Kit) vault.Actor {
	for {
		u := vaulttest.User(k.Tenant, vault.Operator)
		id := u.ID()
		if lanes := uint32(k.Engine.Lanes()); lanes == 1 || binary.BigEndian.Uint32(id[12:])%lanes != 0 {
			return u
		}
	}
}

// An objection and what a program writes about the person come one after the other, whichever began first: the objection
// that is first stops the write, and one that is second is stored after it. So do the choice of another ground and what is
// written on the old one.
func TestWhatClosesAPurposeAndAProgramsWriteComeOneAfterTheOther(t *testing.T) {
	verbs := map[string]func(*vault.Tx, subject) error{
		"Append": func(tx *vault.Tx, s subject) error {
			return notes.Append(tx, note{Person: s.id, Thread: s.thread, Seq: 2, At: vaulttest.Start})
		},
		"Delete":      func(tx *vault.Tx, s subject) error { return notes.Delete(tx, s.thread, int64(1)) },
		"DeleteWhere": func(tx *vault.Tx, s subject) error { return one(plainNotes.DeleteWhere(tx, "thread = ?", s.thread)) },
		"Blank":       func(tx *vault.Tx, s subject) error { return one(plainNotes.Blank(tx, "text", 100)) },
	}
	choose := func(tx *vault.Tx, basis purpose.Basis) error {
		return vault.Purposes.Put(tx, vault.PurposeTerms{ID: purpose.Analytics, Basis: basis})
	}
	words := map[string]func(*vault.Tx, subject) error{
		"an objection": func(tx *vault.Tx, s subject) error {
			return vault.Standings.Put(tx, vault.Standing{Person: s.id, Kind: purpose.Object, Purpose: purpose.All, Since: tx.Now()})
		},
		"another ground": func(tx *vault.Tx, _ subject) error { return choose(tx, purpose.Consent) },
	}
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		compare, system := vault.Act("note.compare", purpose.Analytics, vault.System()), vaulttest.System(k.Tenant)
		for verb, do := range verbs {
			for word, say := range words {
				for _, saidFirst := range []bool{true, false} {
					anna := settle(t, k, strings.ToLower(verb)+strings.ReplaceAll(word, " ", "")+fmt.Sprint(saidFirst))
					work := deed{system, compare, func(tx *vault.Tx) error { return do(tx, anna) }}
					said := deed{elsewhere(k), write, func(tx *vault.Tx) error { return say(tx, anna) }}
					name := fmt.Sprintf("%s, %s first %v", verb, word, saidFirst)
					first, second := work, said
					if saidFirst {
						first, second = said, work
					}
					err := oneAfterTheOther(t, k, name, first, second)
					stopped := errs.Is(err, errs.Restricted) || errs.Is(err, errs.ConsentRequired) || errs.Is(err, errs.NotFound) || errors.Is(err, errNothing)
					if saidFirst != stopped || !stopped && err != nil {
						t.Errorf("%s: the second ended with %v", name, err)
					}
					must(t, stand(t.Context(), k, anna.id))
					must(t, k.Vault.Do(t.Context(), system, write, func(tx *vault.Tx) error {
						_, err := plainNotes.DeleteWhere(tx, "thread = ?", anna.thread)
						return errors.Join(err, choose(tx, purpose.LegitimateInterest))
					}))
				}
			}
		}
	})
}

// deed is what somebody does.
type deed struct {
	actor vault.Actor
	act   *vault.Action
	do    func(*vault.Tx) error
}

// oneAfterTheOther begins the second while the first is not at its end, and returns how the second ended.
func oneAfterTheOther(t *testing.T, k *vaulttest.Kit, name string, first, second deed) error {
	t.Helper()
	end := make(chan struct{})
	release := sync.OnceFunc(func() { close(end) })
	t.Cleanup(release)
	start := func(c deed, wait chan struct{}) (inside chan struct{}, ended chan error) {
		inside, ended = make(chan struct{}), make(chan error, 1)
		once := sync.OnceFunc(func() { close(inside) })
		go func() {
			ended <- k.Vault.Do(context.WithoutCancel(t.Context()), c.actor, c.act, func(tx *vault.Tx) error {
				err := c.do(tx)
				if err == nil && wait != nil {
					_, err = people.Count(tx, "") // what was queued has gone out
				}
				once()
				if wait != nil {
					<-wait
				}
				return err
			})
		}()
		return inside, ended
	}
	inside, one := start(first, end)
	<-inside
	_, two := start(second, nil)
	if k.Database.Name != "" { // of SQLite's there is one at a time, whoever asks
		eventually.Must(t, "the second waits or ends", func() bool { return k.Database.Waiting(t) > 0 || len(two) > 0 })
	}
	if len(two) > 0 {
		t.Errorf("%s: the second did not wait for the first", name)
	}
	release()
	must(t, <-one)
	return <-two
}

var errNothing = errors.New("nothing was changed")

// one refuses to have changed nothing.
func one(n int, err error) error {
	if err == nil && n == 0 {
		return errNothing
	}
	return err
}
