package rights_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module/moduletest"
	"aver/trust/identity"
	"aver/trust/rights"
	"aver/trust/rights/gather"
	"aver/trust/rights/others"
	"aver/trust/rights/state"
	"aver/vault"
	"aver/vault/vaulttest"
)

func TestACopyHoldsWhatATableNobodyToldItAboutKeeps(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org"), Name: personal.Of("Ada <b>")}, "hello", "=1+1")
		w.add(t, w.Tenant, person{Email: personal.Of("bob@example.org")}, "bobs own words")
		blob, err := w.Vault.PutBlob(t.Context(), w.owner, ada, "text/plain", strings.NewReader("a file of hers"), 1000)
		must(t, err)
		must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))

		var out bytes.Buffer
		must(t, w.rights.Export(t.Context(), w.owner, ada, &out))
		files := moduletest.Unzip(t, out.Bytes())
		all := strings.Join([]string{files["data.jsonl"], files["index.html"], files["csv/letters.csv"], files["csv/persons.csv"]}, "\n")
		for _, want := range []string{"ada@example.org", "hello", `"extra":{"shoe":42}`, "staff"} {
			if !strings.Contains(all, want) {
				t.Errorf("the copy lacks %q", want)
			}
		}
		for _, leak := range []string{"bob", "hunter2", "usr_", "http://", "https://"} {
			if strings.Contains(all, leak) {
				t.Errorf("the copy holds %q", leak)
			}
		}
		for _, markup := range []string{"<b>Ada", "Ada <b>", "<script"} {
			if strings.Contains(files["index.html"], markup) {
				t.Errorf("the readable page holds %q", markup)
			}
		}
		for line := range strings.Lines(files["data.jsonl"]) {
			if !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %s", line)
			}
		}
		rows, err := csv.NewReader(strings.NewReader(files["csv/letters.csv"])).ReadAll()
		must(t, err)
		if len(rows) != 3 || !strings.Contains(files["csv/letters.csv"], "'=1+1") {
			t.Errorf("csv: %q", files["csv/letters.csv"])
		}
		found := false
		for name, content := range files {
			found = found || strings.HasPrefix(name, "files/"+blob.ID.String()) && content == "a file of hers"
		}
		if !found {
			t.Error("the copy lacks the file")
		}
	})
}

func TestACopyIsOnlyGivenToThosePermitted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{}, "hello")
		bob := w.add(t, w.Tenant, person{}, "hello")
		if err := w.rights.Export(t.Context(), vaulttest.Visitor(w.Tenant, bob), ada, io.Discard); !errs.Is(err, errs.NotFound) {
			t.Errorf("another visitor: %v", err)
		}
		if err := w.rights.Export(t.Context(), vaulttest.User(w.Tenant, vault.Operator), ada, io.Discard); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
		if _, err := w.rights.Erase(t.Context(), vaulttest.Visitor(w.Tenant, bob), ada, "test"); !errs.Is(err, errs.NotFound) {
			t.Errorf("erasure of another: %v", err)
		}
		if _, err := w.rights.StartCopy(t.Context(), vaulttest.User(w.Other, vault.Owner), ada); !errs.Is(err, errs.NotFound) {
			t.Errorf("another tenant: %v", err)
		}
	})
}

func TestTheWidgetPutsACopyTogetherInTheBackground(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{}, "hello")
		me := vaulttest.Visitor(w.Tenant, ada)
		id, err := w.rights.StartExport(t.Context(), me)
		must(t, err)
		eventually.Must(t, "the copy", func() bool {
			task, err := w.rights.Task(t.Context(), me, id)
			must(t, err)
			return task.State == "done"
		})
		r, size, err := w.rights.Collect(t.Context(), me, id)
		must(t, err)
		b, err := io.ReadAll(r)
		must(t, err)
		if int64(len(b)) != size || !strings.Contains(moduletest.Unzip(t, b)["data.jsonl"], "hello") {
			t.Error("the copy is not complete")
		}
		other := vaulttest.Visitor(w.Tenant, w.add(t, w.Tenant, person{}))
		if _, err := w.rights.Task(t.Context(), other, id); !errs.Is(err, errs.NotFound) {
			t.Errorf("another visitor sees the task: %v", err)
		}
		if _, _, err := w.rights.Collect(t.Context(), other, id); !errs.Is(err, errs.NotFound) {
			t.Errorf("another visitor collects: %v", err)
		}
		w.Clock.Advance(25 * time.Hour)
		if _, _, err := w.rights.Collect(t.Context(), me, id); !errs.Is(err, errs.Gone) {
			t.Errorf("after a day: %v", err)
		}
	})
}

func TestAnErasureCoversMergedContactsAndItsReceiptCanBeChecked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "secret words")
		twin := w.add(t, w.Tenant, person{Into: ada}, "older words")
		bob := w.add(t, w.Tenant, person{}, "bobs words")
		var events atomic.Int64
		w.Vault.OnCommit(func(c vault.Committed) {
			for _, e := range c.Entries {
				for _, ev := range e.Events {
					if ev.Kind == "contact.erased" {
						events.Add(1)
					}
				}
			}
		})
		receipt, err := w.rights.Erase(t.Context(), vaulttest.Visitor(w.Tenant, ada), ada, "request of the person")
		must(t, err)
		for who, want := range map[ids.Contact]bool{ada: false, twin: false, bob: true} {
			has, err := w.Vault.HasKey(t.Context(), w.owner, who)
			must(t, err)
			if has != want {
				t.Errorf("key of %s: %v, want %v", who, has, want)
			}
		}
		if events.Load() != 2 {
			t.Errorf("%d contacts were told erased, want 2", events.Load())
		}
		p, err := w.rights.CheckReceipt(t.Context(), w.Tenant, receipt.ID)
		must(t, err)
		if p.Entry.Subject != ada || p.Entry.Index != receipt.Index || strings.Contains(receipt.Text, "example") {
			t.Errorf("got %+v", receipt)
		}
		eventually.Must(t, "the rows", func() bool {
			n := -1
			must(t, w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) (err error) {
				n, err = letters.Count(tx, "who = ? OR who = ?", ada, twin)
				return err
			}))
			return n == 0
		})
		if err := w.rights.Export(t.Context(), w.owner, ada, io.Discard); err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Gone) {
			t.Errorf("a copy of an erased person: %v", err)
		}
	})
}

func TestTheMailedCodeProvesTheAddressOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "hello")
		ticket, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Email: " ADA@example.org "})
		must(t, err)
		code := w.post.code(t)
		if _, err := w.rights.Prove(t.Context(), w.Tenant, rights.Ticket{Request: ticket.Request, Session: "another browser"}, code); !errs.Is(err, errs.Invalid) {
			t.Errorf("another browser: %v", err)
		}
		var right atomic.Int64
		var wait sync.WaitGroup
		for range 64 {
			wait.Go(func() {
				if _, err := w.rights.Prove(t.Context(), w.Tenant, ticket, code); err == nil {
					right.Add(1)
				}
			})
		}
		wait.Wait()
		if right.Load() != 1 {
			t.Fatalf("%d of 64 simultaneous attempts succeeded", right.Load())
		}
		eventually.Must(t, "the copy", func() bool {
			r, err := w.rights.Held(t.Context(), w.Tenant, ticket)
			must(t, err)
			return r.State == state.Fulfilled
		})
		if _, _, err := w.rights.CollectHeld(t.Context(), w.Tenant, ticket); err != nil {
			t.Error(err)
		}
		if _, _, err := w.rights.CollectHeld(t.Context(), w.Tenant, rights.Ticket{Request: ticket.Request, Session: "x"}); !errs.Is(err, errs.NotFound) {
			t.Errorf("another browser collects: %v", err)
		}
	})
}

func TestWrongCodesRunOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")})
		ticket, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Email: "ada@example.org"})
		must(t, err)
		code := w.post.code(t)
		for range 5 {
			if _, err := w.rights.Prove(t.Context(), w.Tenant, ticket, "x"+code); !errs.Is(err, errs.Invalid) {
				t.Fatalf("a wrong code: %v", err)
			}
		}
		if _, err := w.rights.Prove(t.Context(), w.Tenant, ticket, code); !errs.Is(err, errs.Invalid) {
			t.Errorf("the sixth try: %v", err)
		}
		late, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Email: "ada@example.org"})
		must(t, err)
		code = w.post.code(t)
		w.Clock.Advance(11 * time.Minute)
		if _, err := w.rights.Prove(t.Context(), w.Tenant, late, code); !errs.Is(err, errs.Invalid) {
			t.Errorf("after eleven minutes: %v", err)
		}
	})
}

func TestAVisitorCannotAskForCopiesWithoutEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "hello")
		visitor := vaulttest.Visitor(w.Tenant, ada)
		for range 5 {
			_, err := w.rights.StartExport(t.Context(), visitor)
			must(t, err)
		}
		if _, err := w.rights.StartExport(t.Context(), visitor); !errs.Is(err, errs.TooMany) {
			t.Errorf("the sixth within a day: %v", err)
		}
		_, err := w.rights.StartCopy(t.Context(), w.owner, ada)
		must(t, err)
		w.Clock.Advance(25 * time.Hour)
		_, err = w.rights.StartExport(t.Context(), visitor)
		must(t, err)
	})
}

func TestAnOpenRequestIsNeverTooOld(t *testing.T) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) {
		w := idle(t, k)
		visitor := vaulttest.Visitor(w.Tenant, w.add(t, w.Tenant, person{}, "hello"))
		_, err := w.rights.StartExport(t.Context(), visitor)
		must(t, err)
		w.Clock.Advance(10 * 365 * 24 * time.Hour)
		swept := func() (n int) {
			must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) (err error) {
				n, err = w.Vault.Sweep(tx, rights.Requests, tx.Now(), 100)
				return err
			}))
			return n
		}
		if n := swept(); n != 0 {
			t.Errorf("%d requests went before they were answered", n)
		}
		must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
			open, err := rights.Requests.Find(tx, "ended_at IS NULL")
			if err != nil || len(open) != 1 {
				return fmt.Errorf("%d open requests (%w)", len(open), err)
			}
			open[0].EndedAt = tx.Now()
			return rights.Requests.Put(tx, open[0])
		}))
		w.Clock.Advance(time.Hour)
		if n := swept(); n != 1 {
			t.Errorf("%d requests went after they had ended, want 1", n)
		}
	})
}

func TestAnErasureIsConfirmedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "hello")
		ticket, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Email: "ada@example.org"})
		must(t, err)
		_, err = w.rights.Prove(t.Context(), w.Tenant, ticket, w.post.code(t))
		must(t, err)
		var erased atomic.Int64
		w.Vault.OnCommit(func(done vault.Committed) {
			for _, entry := range done.Entries {
				for _, ev := range entry.Events {
					if ev.Kind == "contact.erased" {
						erased.Add(1)
					}
				}
			}
		})
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				if _, err := w.rights.Confirm(t.Context(), w.Tenant, ticket); err != nil && !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if erased.Load() != 1 {
			t.Errorf("the erasure was told %d times", erased.Load())
		}
	})
}

func TestAnUnknownAddressLooksLikeAKnownOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")})
		unknown, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Email: "nobody@example.org"})
		must(t, err)
		known, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Email: "ada@example.org"})
		must(t, err)
		if code := w.post.code(t); code == "" {
			t.Fatal("no code")
		}
		a, err := w.rights.Held(t.Context(), w.Tenant, unknown)
		must(t, err)
		b, err := w.rights.Held(t.Context(), w.Tenant, known)
		must(t, err)
		if a.State != b.State || len(w.post.sent) != 0 {
			t.Errorf("unknown %s, known %s, %d more letters", a.State, b.State, len(w.post.sent))
		}
		_, errA := w.rights.Prove(t.Context(), w.Tenant, unknown, "000000")
		_, errB := w.rights.Prove(t.Context(), w.Tenant, known, "x00000")
		if errA == nil || errA.Error() != errB.Error() {
			t.Errorf("unknown: %v; known: %v", errA, errB)
		}
	})
}

func TestWhoOnlyClaimsAnAddressIsNotCoveredBesideItsOwner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		real := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org"), Verified: true}, "mine")
		claim := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "a stranger's words")
		ticket, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Email: "ada@example.org"})
		must(t, err)
		_, err = w.rights.Prove(t.Context(), w.Tenant, ticket, w.post.code(t))
		must(t, err)
		if has, _ := w.Vault.HasKey(t.Context(), w.owner, real); !has {
			t.Fatal("erased before it was confirmed")
		}
		_, err = w.rights.Confirm(t.Context(), w.Tenant, ticket)
		must(t, err)
		for who, want := range map[ids.Contact]bool{real: false, claim: true} {
			if has, _ := w.Vault.HasKey(t.Context(), w.owner, who); has != want {
				t.Errorf("key: %v, want %v", has, want)
			}
		}
	})
}

func TestWhoWorksHereIsNotErasedAsAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		system, accounts := identity.System(w.Tenant, "test"), identity.New(w.Vault)
		link, err := accounts.Invite(t.Context(), system, "own@example.org", vault.Owner)
		must(t, err)
		_, err = accounts.Accept(t.Context(), link, "", "Ada Kowal", "three old bicycles in rain")
		must(t, err)
		users, err := accounts.List(t.Context(), w.owner)
		must(t, err)
		for name, asks := range map[string]func() error{
			"an erasure": func() error {
				_, err := w.rights.Erase(t.Context(), w.owner, users[0].Person, "test")
				return err
			},
			"a copy": func() error {
				_, err := w.rights.StartCopy(t.Context(), w.owner, users[0].Person)
				return err
			},
		} {
			if err := asks(); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s of an account: %v", name, err)
			}
		}
		if has, err := w.Vault.HasKey(t.Context(), w.owner, users[0].Person); err != nil || !has {
			t.Errorf("the owner's key: %v, %v", has, err)
		}
	})
}

func TestTheCopyHoldsEverybodyWhomTheCodeSpeaksFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "from the office")
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "from the train")
		w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org"), Into: first}, "from long ago")
		ticket, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Access, Email: "ada@example.org"})
		must(t, err)
		_, err = w.rights.Prove(t.Context(), w.Tenant, ticket, w.post.code(t))
		must(t, err)
		eventually.Must(t, "the copy", func() bool {
			r, err := w.rights.Held(t.Context(), w.Tenant, ticket)
			must(t, err)
			return r.State == state.Fulfilled
		})
		data := moduletest.Unzip(t, collected(t, w, ticket))["data.jsonl"]
		for _, words := range []string{"from the office", "from the train", "from long ago"} {
			if n := strings.Count(data, words); n != 1 {
				t.Errorf("the copy holds what was written %s %d times", words, n)
			}
		}
	})
}

func read(t *testing.T, r io.Reader) []byte {
	t.Helper()
	all, err := io.ReadAll(r)
	must(t, err)
	return all
}

func collected(t *testing.T, w *world, ticket rights.Ticket) []byte {
	t.Helper()
	content, _, err := w.rights.CollectHeld(t.Context(), w.Tenant, ticket)
	must(t, err)
	return read(t, content)
}

func TestWhatWasAskedElsewhereUsesUpNoCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "hello")
		for range 3 {
			_, err := w.rights.StartExport(t.Context(), vaulttest.Visitor(w.Tenant, ada))
			must(t, err)
			_, err = w.rights.StartCopy(t.Context(), w.owner, ada)
			must(t, err)
		}
		_, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Email: "ada@example.org"})
		must(t, err)
		if w.post.code(t) == "" {
			t.Error("the letter has no code")
		}
	})
}

func TestOthersAreKeptOutOfACopy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bob := w.add(t, w.Tenant, person{Email: personal.Of("bob@example.org"), Name: personal.Of("Bob Berg")})
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org"), Name: personal.Of("Ada Kowal"), Into: bob}, "Bob Berg told me; write to Bob@example.org", "I am Ada Kowal, ada@example.org, and not nobody@example.net")
		var out bytes.Buffer
		must(t, w.rights.Export(t.Context(), w.owner, ada, &out))
		for name, text := range moduletest.Unzip(t, out.Bytes()) {
			for _, leak := range []string{"Bob Berg", "Bob@example.org", "bob@example.org", bob.String()} {
				if strings.Contains(text, leak) {
					t.Errorf("%s holds %q", name, leak)
				}
			}
			if name == "data.jsonl" && (!strings.Contains(text, "[another person] told me; write to [another person]") || !strings.Contains(text, "I am Ada Kowal, ada@example.org, and not nobody@example.net")) {
				t.Errorf("%s: %s", name, text)
			}
		}
	})
}

func TestWhatGoesToAnotherProgramIsWhatThePersonProvided(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "what we noted")
		w.attach(t, ada, "what we sent")
		id, err := w.rights.Start(t.Context(), w.owner, rights.Wish{Kind: state.Portability}, ada)
		must(t, err)
		eventually.Must(t, "the copy", func() bool {
			task, err := w.rights.Task(t.Context(), w.owner, id)
			must(t, err)
			return task.State == "done"
		})
		r, _, err := w.rights.Collect(t.Context(), w.owner, id)
		must(t, err)
		raw, err := io.ReadAll(r)
		must(t, err)
		files := moduletest.Unzip(t, raw)
		if _, page := files["index.html"]; page || !strings.Contains(files["data.jsonl"], "ada@example.org") || files["csv/persons.csv"] == "" {
			t.Errorf("it holds %d files: %s", len(files), files["data.jsonl"])
		}
		for name, text := range files {
			if strings.Contains(text, "what we noted") || strings.Contains(text, "what we sent") {
				t.Errorf("%s holds what others wrote", name)
			}
		}
	})
}

func TestACopyIsNotWholeWhenItIsUnknownWhoHandedAFileIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")})
		w.attach(t, ada, "what somebody sent")
		down := errors.New("the store does not answer")
		register := gather.Register{Known: people.Known, Provided: people.Provided, Handed: func(*vault.Tx, ids.Object) (bool, error) { return false, down },
			Show: func(tx *vault.Tx, who ids.Contact) (others.Someone, error) {
				shown, err := people.Show(tx, who)
				return others.Someone{Name: shown.Name, Email: shown.Email}, err
			}}
		for portable, want := range map[bool]error{true: down, false: nil} {
			err := w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
				return gather.From(w.Vault, register).Write(tx, []ids.Contact{ada}, io.Discard, gather.Wanted{Portable: portable})
			})
			if !errors.Is(err, want) {
				t.Errorf("portable %v: %v", portable, err)
			}
		}
	})
}
