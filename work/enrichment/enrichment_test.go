package enrichment_test

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/holds"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/postgres"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/enrichment"
)

const answer = `{"person":{"title":"Head of bees","teams":[{"size":7}],"salary":90000},"other":"x"}`

func TestNobodyIsLookedUpUnlessTheTenantSwitchedItOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(t, "ada@acme.example")
		must(t, h.look(t, ada))
		if h.source.calls() != 0 {
			t.Error("somebody was looked up")
		}
	})
}

func TestWhatASourceSaysIsKeptWithItsNameAndTimeBesideWhatThePersonSaid(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		ada := h.person(t, "ada+bees@acme.example")
		must(t, h.look(t, ada))
		if got, want := h.found(t, ada), map[string]string{"job_title": "Head of bees", "team_size": "7"}; !maps.Equal(got, want) {
			t.Errorf("kept %v, want %v", got, want)
		}
		r := h.source.asked[0]
		if r.URL.Query().Get("email") != "ada+bees@acme.example" || r.Header.Get("Authorization") != "Bearer s3cret" {
			t.Errorf("asked for %s with %q", r.URL, r.Header.Get("Authorization"))
		}
		c, err := h.contacts.Get(t.Context(), h.owner, ada)
		must(t, err)
		if c.Name.Reveal() != "Ada Kowalska" || c.Company.Reveal() != "" {
			t.Error("the person's own words were changed")
		}
	})
}

func TestAPictureIsAskedForByHashAloneAndKeptOnlyIfItIsOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		set := func(url string) error {
			_, err := h.service.Set(t.Context(), h.owner, enrichment.Source{Kind: enrichment.Picture, On: true, URL: h.source.URL + url})
			return err
		}
		is(t, "a picture by address", set("/avatar/{email}{sha256}"), errs.Invalid)
		must(t, set("/avatar/{sha256}?d=404"))
		h.source.answer = says(http.StatusOK, "<svg onload=alert(1)>")
		ada := h.person(t, "Ada@acme.example")
		is(t, "what is no picture", h.look(t, ada), errs.Invalid)
		h.source.answer = says(http.StatusOK, "\x89PNG\x0d\x0a\x1a\x0a the rest")
		must(t, h.look(t, ada))
		if got := h.found(t, ada); len(got) != 1 {
			t.Errorf("kept %v", got)
		}
		// echo -n ada@acme.example | sha256sum
		if at := h.source.asked[0].URL.Path; at != "/avatar/2a1322415fff1b1aceaebe7855b2c5bd6e9efa5e787d46391f971aea65062ce3" {
			t.Errorf("asked for %s", at)
		}
		if strings.Contains(strings.ToLower(h.source.asked[0].URL.String()), "ada@") {
			t.Error("the address itself left")
		}
	})
}

func TestASourceThatIsNotInTheRegisterCannotBeSwitchedOnNorAsked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		ada := h.person(t, "ada@acme.example")
		h.listed = false
		if err := h.look(t, ada); err == nil {
			t.Error("a source was asked that left the register")
		}
		_, err := h.service.Set(t.Context(), h.owner, enrichment.Source{Kind: enrichment.Profile, On: true, URL: h.source.URL + "/{email}", Fields: map[string]string{"a": "/a"}})
		is(t, "switching it on", err, errs.Invalid)
		if h.source.calls() != 0 {
			t.Error("it was asked")
		}
	})
}

func TestWhoIsFoundIsToldOnceWithinAMonthOfWhatAndFromWhere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		ada := h.person(t, "ada@acme.example")
		must(t, h.look(t, ada))
		h.post.broken = errs.New(errs.Unavailable, "The relay is away.")
		if err := h.notify(t); err == nil {
			t.Error("a letter that was not taken counts as sent")
		}
		if waiting, late, err := h.service.Owed(t.Context(), h.Tenant, h.Vault.Now()); waiting != 1 || late != 0 || err != nil {
			t.Errorf("%d wait, %d are late, %v", waiting, late, err)
		}
		if _, late, err := h.service.Owed(t.Context(), h.Tenant, vaulttest.Start.AddDate(0, 1, 0)); late != 1 || err != nil {
			t.Errorf("a month later %d are late, %v", late, err)
		}
		h.post.broken = nil
		must(t, h.notify(t))
		must(t, h.notify(t))
		if len(h.post.sent) != 1 {
			t.Fatalf("%d letters", len(h.post.sent))
		}
		m := h.post.sent[0]
		for _, part := range []string{"job title, from 127.0.0.1, on 22 November 2026", "https://aver.example/my-data/acme", "object", "complain"} {
			if !strings.Contains(m.Text, part) {
				t.Errorf("the letter does not say %q:\n%s", part, m.Text)
			}
		}
		if m.To.Reveal() != "ada@acme.example" {
			t.Errorf("it went to %s", m.To.Reveal())
		}
	})
}

func TestWhatNobodyCanBeToldOfIsNotKept(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *house, ids.Contact){
		"the address takes no letters": func(_ *testing.T, h *house, _ ids.Contact) {
			h.post.broken = errs.New(errs.Invalid, "The mail relay refuses this mail for good.")
		},
		"the address is gone": func(t *testing.T, h *house, ada ids.Contact) {
			_, err := h.contacts.Update(t.Context(), h.owner, ada, contacts.Draft{Clear: []string{"email"}})
			must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.profiles(t)
				h.source.answer = says(http.StatusOK, answer)
				ada := h.person(t, "ada@acme.example")
				must(t, h.look(t, ada))
				spoil(t, h, ada)
				must(t, h.notify(t))
				found, err := h.service.Of(t.Context(), h.owner, ada)
				must(t, err)
				if n := h.kept(t, ada); n != 0 || !found.Notice.FoundAt.IsZero() {
					t.Errorf("%d values are kept, and the notice is %+v", n, found.Notice)
				}
			})
		})
	}
}

func TestTheLetterNamesTheGround(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		ada := h.person(t, "ada@acme.example")
		h.agree(t, ada)
		must(t, h.look(t, ada))
		must(t, h.notify(t))
		if m := h.post.sent[0]; !strings.Contains(m.Text, "GDPR Art. 6(1): consent.") || strings.Contains(m.Text, "legitimate interest") {
			t.Errorf("it rests on consent, and the letter says\n%s", m.Text)
		}
	})
}

func TestNobodyIsAskedAboutAgainBeforeTheAnswerIsOldOrTheAddressAnother(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		ada := h.person(t, "ada@acme.example")
		must(t, errors.Join(h.look(t, ada), h.look(t, ada)))
		if h.source.calls() != 1 {
			t.Errorf("asked %d times", h.source.calls())
		}
		_, err := h.contacts.Update(t.Context(), h.owner, ada, contacts.Draft{Email: "ada@home.example"})
		must(t, err)
		must(t, h.look(t, ada))
		h.Clock.Advance(91 * 24 * time.Hour)
		must(t, h.look(t, ada))
		if h.source.calls() != 3 {
			t.Errorf("asked %d times, want 3", h.source.calls())
		}
	})
}

func TestWhatIsFoundGoesWithTheSourceThePersonAndTheButton(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		ada, bea, cyd := h.person(t, "ada@acme.example"), h.person(t, "bea@acme.example"), h.person(t, "cyd@acme.example")
		must(t, errors.Join(h.look(t, ada), h.look(t, bea), h.look(t, cyd)))
		must(t, h.service.Forget(t.Context(), h.owner, ada))
		must(t, h.Vault.EraseSubject(t.Context(), vaulttest.System(h.Tenant), actErase, bea, "test"))
		_, err := h.Vault.FinishErasures(t.Context(), h.Tenant)
		must(t, err)
		for name, one := range map[string]ids.Contact{"who was forgotten": ada, "who was erased": bea} {
			if got := h.found(t, one); len(got) != 0 {
				t.Errorf("of %s is kept %v", name, got)
			}
		}
		_, err = h.service.Set(t.Context(), h.owner, enrichment.Source{Kind: enrichment.Profile})
		must(t, err)
		must(t, h.service.Sweep(t.Context(), h.Tenant))
		if got := h.found(t, cyd); len(got) != 0 {
			t.Errorf("the source is off and %v is kept", got)
		}
	})
}

var actErase = vault.Act("test.erase", purpose.Storage, vault.System())

func TestATokenIsNeverShownAndNeverGoesToAnotherHost(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		off := func(url string) enrichment.Source {
			set, err := h.service.Set(t.Context(), h.owner, enrichment.Source{Kind: enrichment.Profile, URL: url})
			must(t, err)
			return set
		}
		if off(h.source.URL+"/v2/{email}").Token.Reveal() != "s3cret" {
			t.Error("an empty field took the token away")
		}
		if !off("https://elsewhere.example/{email}").Token.IsZero() {
			t.Error("the token would go to another host")
		}
	})
}

func TestOnlyOwnersAndOfficersSwitchSourcesAndOperatorsLookPeopleUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(t, "ada@acme.example")
		for role, kind := range map[vault.Role]errs.Kind{vault.Operator: errs.Forbidden, vault.Administrator: errs.Forbidden, vault.DPO: ""} {
			_, err := h.service.Set(t.Context(), vaulttest.User(h.Tenant, role), enrichment.Source{Kind: enrichment.Profile})
			if (err == nil) != (kind == "") || err != nil && errs.Of(err) != kind {
				t.Errorf("%s: %v", role, err)
			}
		}
		must(t, h.service.Ask(t.Context(), vaulttest.User(h.Tenant, vault.Operator), ada))
		is(t, "an auditor", h.service.Ask(t.Context(), vaulttest.User(h.Tenant, vault.Auditor), ada), errs.Forbidden)
		is(t, "another tenant's person", h.service.Ask(t.Context(), vaulttest.User(h.Other, vault.Owner), ada), errs.NotFound)
	})
}

func TestSourcesThatMakeNoSenseAreRefusedByField(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		good := enrichment.Source{Kind: enrichment.Profile, On: true, URL: h.source.URL + "/{email}", Fields: map[string]string{"a": "/a"}}
		for field, spoil := range map[string]func(*enrichment.Source){
			"url":     func(s *enrichment.Source) { s.URL = "http://plain.example/{email}" },
			"url ":    func(s *enrichment.Source) { s.URL = "https://{email}.example/" },
			"url  ":   func(s *enrichment.Source) { s.URL = h.source.URL + "/all" },
			"fields":  func(s *enrichment.Source) { s.Fields = map[string]string{"A b": "/a"} },
			"fields ": func(s *enrichment.Source) { s.Fields = nil },
		} {
			bad := good
			spoil(&bad)
			_, err := h.service.Set(t.Context(), h.owner, bad)
			p := errs.AsProblem(err)
			if err == nil || len(p.Errors) == 0 || p.Errors[0].Field != strings.TrimSpace(field) {
				t.Errorf("%q: %v %+v", field, err, p.Errors)
			}
		}
	})
}

func TestACardNumberThatASourceTellsIsMasked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, `{"person":{"title":"4242 4242 4242 4242"}}`)
		ada := h.person(t, "ada@acme.example")
		must(t, h.look(t, ada))
		if got := h.found(t, ada)["job_title"]; got == "" || strings.Contains(got, "4242 4242") {
			t.Errorf("kept %q", got)
		}
	})
}

func TestANumberOfThousandsOfDigitsIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, `{"person":{"title":"Head of bees","teams":[{"size":`+strings.Repeat("9", 5000)+`}]}}`)
		ada := h.person(t, "ada@acme.example")
		must(t, h.look(t, ada))
		if got := h.found(t, ada); len(got) != 1 || got["job_title"] == "" {
			t.Errorf("kept %d values of %d characters", len(got), len(got["team_size"]))
		}
	})
}

func TestAnAnswerThatIsTooLargeOrNoAnswerAtAllKeepsWhatThereWas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		ada := h.person(t, "ada@acme.example")
		must(t, h.look(t, ada))
		for name, bad := range map[string]func(http.ResponseWriter, *http.Request){
			"large": says(http.StatusOK, strings.Repeat(" ", 300<<10)+answer), "busy": says(http.StatusTooManyRequests, ""),
			"moved": says(http.StatusFound, ""), "words": says(http.StatusOK, "<html>"),
		} {
			h.source.answer = bad
			must(t, h.service.Ask(t.Context(), h.owner, ada))
			if err := h.look(t, ada); err == nil {
				t.Errorf("%s: taken for an answer", name)
			}
			if len(h.found(t, ada)) != 2 {
				t.Errorf("%s: what was known is gone", name)
			}
		}
		h.source.answer = says(http.StatusNotFound, "")
		must(t, h.look(t, ada))
		if len(h.found(t, ada)) != 0 {
			t.Error("the source knows nothing any more, and it is still kept")
		}
	})
}

func TestWithoutAPostNobodyIsLookedUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		ada := h.person(t, "ada@acme.example")
		h.service.Mail = nil
		must(t, h.look(t, ada))
		_, err := h.service.Set(t.Context(), h.owner, enrichment.Source{Kind: enrichment.Profile, On: true, URL: h.source.URL + "/{email}", Fields: map[string]string{"a": "/a"}, Token: personal.Of("x")})
		is(t, "switching on", err, errs.Invalid)
		if h.source.calls() != 0 {
			t.Error("somebody was looked up who cannot be told")
		}
	})
}

var actSay = vault.Act("test.say", purpose.Storage, vault.System())

func TestWhoIsRestrictedOrObjectsIsNotAskedAboutAndWhatWasFoundGoes(t *testing.T) {
	for name, said := range map[string]vault.Standing{
		"an objection to enrichment":   {Kind: purpose.Object, Purpose: purpose.Enrichment},
		"an objection to all programs": {Kind: purpose.Object, Purpose: purpose.All},
		"a restriction":                {Kind: purpose.Restrict, Purpose: purpose.All},
		"a limit on what is sensitive": {Kind: purpose.LimitSensitive, Purpose: purpose.All},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.profiles(t)
				h.source.answer = says(http.StatusOK, answer)
				ada, bea := h.person(t, "ada@acme.example"), h.person(t, "bea@acme.example")
				must(t, errors.Join(h.look(t, ada), h.look(t, bea)))
				must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), actSay, func(tx *vault.Tx) error {
					said := said
					said.Person, said.Since = ada, tx.Now()
					return vault.Standings.Put(tx, said)
				}))
				asked := h.source.calls()
				h.Clock.Advance(91 * 24 * time.Hour)
				must(t, h.look(t, ada))
				if h.source.calls() != asked {
					t.Error("they were asked about")
				}
				if n := h.kept(t, ada); n != 0 {
					t.Errorf("%d values are kept", n)
				}
				must(t, h.look(t, bea))
				if len(h.found(t, bea)) != 2 || h.source.calls() != asked+1 {
					t.Error("somebody else was left alone too")
				}
			})
		})
	}
}

func TestWhatALegalHoldCoversOutlivesAnObjectionTheSwitchAndTheButtonUntilTheHoldIsReleased(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		ada, bea, cyd := h.person(t, "ada@acme.example"), h.person(t, "bea@acme.example"), h.person(t, "cyd@acme.example")
		must(t, errors.Join(h.look(t, ada), h.look(t, bea), h.look(t, cyd)))
		legal := holds.New(h.Vault, alone)
		var placed []holds.Hold
		for _, who := range []ids.Contact{ada, bea} {
			one, err := legal.Place(t.Context(), h.owner, holds.Draft{Contact: who, Ground: holds.LegalClaims, Reason: "a lawsuit", ReviewAt: h.Clock.Now().Add(30 * 24 * time.Hour)})
			must(t, err)
			placed = append(placed, one)
		}
		h.objects(t, ada)
		must(t, h.look(t, ada)) // finds the purpose closed
		is(t, "the button", h.service.Forget(t.Context(), h.owner, bea), errs.Conflict)
		is(t, "asking anew", h.service.Ask(t.Context(), h.owner, bea), errs.Conflict)
		h.Clock.Advance(91 * 24 * time.Hour)
		h.source.answer = says(http.StatusNotFound, "")
		must(t, h.look(t, bea))
		h.post.broken = errs.New(errs.Invalid, "The mail relay refuses this mail for good.")
		must(t, h.notify(t))
		_, err := h.service.Set(t.Context(), h.owner, enrichment.Source{Kind: enrichment.Profile})
		must(t, err)
		must(t, h.service.Sweep(t.Context(), h.Tenant))
		if a, b, c := h.kept(t, ada), h.kept(t, bea), h.kept(t, cyd); a != 2 || b != 2 || c != 0 {
			t.Errorf("kept under a hold are %d and %d, and %d without", a, b, c)
		}
		if got := h.found(t, ada); len(got) != 0 {
			t.Errorf("shown in spite of the objection: %v", got)
		}
		if _, late, err := h.service.Owed(t.Context(), h.Tenant, h.Clock.Now()); late != 0 || err != nil {
			t.Errorf("%d letters are late that cannot go, %v", late, err)
		}
		h.service.Follow(h.Tenant)
		must(t, h.queue.Start(t.Context()))
		for _, one := range placed {
			_, err := legal.Release(t.Context(), h.owner, one.ID)
			must(t, err)
		}
		eventually.Must(t, "what was held goes", func() bool { return h.kept(t, ada)+h.kept(t, bea) == 0 })
	})
}

// An objection that comes while a source is being asked, with all that follows from it, finds nothing yet to remove: what
// the source then says must not be kept.
func TestWhatASourceSaysAfterAnObjectionIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		ada := h.person(t, "ada@acme.example")
		h.source.answer = func(w http.ResponseWriter, r *http.Request) {
			h.objects(t, ada)
			if err := h.service.Sweep(t.Context(), h.Tenant); err != nil {
				t.Error(err)
			}
			says(http.StatusOK, answer)(w, r)
		}
		must(t, h.look(t, ada))
		if n := h.kept(t, ada); n != 0 || h.source.calls() != 1 {
			t.Errorf("%d values are kept, asked %d times", n, h.source.calls())
		}
	})
}

// Where transactions run side by side, an objection waits for what is being kept, so that what follows from it finds that.
func TestAnObjectionWaitsForWhatIsBeingKept(t *testing.T) {
	t.Parallel()
	k := vaulttest.Postgres(t, config(t))
	h := furnish(t, k)
	h.profiles(t)
	h.source.answer = says(http.StatusOK, answer)
	ada := h.person(t, "ada@acme.example")
	for lanes := uint32(k.Engine.Lanes()); ; h.owner = vaulttest.User(k.Tenant, vault.Owner) { // one who shares no transaction with the system
		if id := h.owner.User(); lanes == 1 || binary.BigEndian.Uint32(id[12:])%lanes != 0 {
			break
		}
	}
	boss, err := pgx.Connect(t.Context(), k.Database.Boss)
	must(t, err)
	defer boss.Close(context.WithoutCancel(t.Context()))
	held, err := boss.Begin(t.Context())
	must(t, err)
	_, err = held.Exec(t.Context(), "LOCK TABLE "+postgres.StoreSchema+".enrichment_notices IN SHARE MODE") // the last that is written of what was found
	must(t, err)
	looked, objected := make(chan error, 1), make(chan struct{})
	go func() { looked <- h.look(t, ada) }()
	eventually.Must(t, "the values wait to be kept", func() bool { return k.Database.Waiting(t) == 1 })
	go func() { h.objects(t, ada); close(objected) }()
	eventually.Must(t, "the objection waits or ends", func() bool { return k.Database.Waiting(t) > 1 || closed(objected) })
	if closed(objected) {
		t.Error("it did not wait")
	}
	must(t, held.Rollback(t.Context()))
	must(t, <-looked)
	<-objected
	must(t, h.service.Sweep(t.Context(), h.Tenant))
	if n := h.kept(t, ada); n != 0 {
		t.Errorf("%d values are kept", n)
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// objects says no to enrichment for a person.
func (h *house) objects(t testing.TB, who ids.Contact) {
	if err := restriction.New(h.Vault, alone).Set(t.Context(), h.owner, who, restriction.Object, purpose.Enrichment); err != nil {
		t.Error(err)
	}
}
