package rights_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/proof/browser"
	"aver/trust/holds"
	"aver/trust/retention"
	"aver/trust/rights"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
	"aver/vault/sqlite/disktest"
	"aver/vault/vaulttest"
)

// write adds a letter to a conversation.
func (w *world) write(t testing.TB, who ids.Contact, thread ids.Conversation, body string) {
	t.Helper()
	must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
		return letters.Add(tx, letter{ID: ids.NewObject(tx.Now()), Who: who, Thread: thread, Body: personal.Of(body), At: tx.Now()})
	}))
}

func (w *world) attach(t testing.TB, who ids.Contact, content string) ids.Object {
	t.Helper()
	blob, err := w.Vault.PutBlob(t.Context(), w.owner, who, "text/plain", strings.NewReader(content), 1000)
	must(t, err)
	must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))
	return blob.ID
}

func (w *world) hold(t testing.TB, d holds.Draft) holds.Hold {
	t.Helper()
	if d.Ground == "" {
		d.Ground = holds.LegalClaims
	}
	d.Reason, d.ReviewAt = "Kowal ./. Acme, 3 O 17/26", w.Clock.Now().Add(90*24*time.Hour)
	h, err := w.holds.Place(t.Context(), w.owner, d)
	must(t, err)
	return h
}

// kept is all that a hold keeps, as text.
func (w *world) kept(t testing.TB, h holds.Hold) string {
	t.Helper()
	items, err := w.holds.Items(t.Context(), w.owner, h.ID)
	must(t, err)
	var all strings.Builder
	for _, i := range items {
		fmt.Fprintf(&all, "%s %s %s\n", i.Class, i.Place, i.Content.Reveal())
		if !i.File.IsZero() {
			id, err := ids.ParseObject(i.Place)
			must(t, err)
			_, content, err := w.holds.OpenFile(t.Context(), w.owner, h.ID, id)
			must(t, err)
			text, err := io.ReadAll(content)
			must(t, err)
			all.Write(text)
		}
	}
	return all.String()
}

// gone waits until nothing is left of a person but what holds keep.
func (w *world) gone(t testing.TB, who ids.Contact) {
	t.Helper()
	eventually.Must(t, "the rows go", func() bool {
		n := 0
		must(t, w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
			totals, err := w.Vault.Totals(tx, who)
			n = 0
			for _, rows := range totals {
				n += rows
			}
			return err
		}))
		return n == 0
	})
}

func TestWhatIsHeldOutlivesAnErasureAndTheRestGoes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org"), Name: personal.Of("Ada Kowal")})
		twin := w.add(t, w.Tenant, person{Into: ada})
		quarrel, other := ids.NewConversation(vaulttest.Start), ids.NewConversation(vaulttest.Start)
		w.write(t, ada, quarrel, "you owe me a bicycle")
		w.write(t, twin, quarrel, "and a bell")
		w.write(t, ada, other, "what a lovely day")
		w.attach(t, ada, "a picture of the day")
		h := w.hold(t, holds.Draft{Contact: ada, Classes: []string{"letters"}, Conversations: []ids.Conversation{quarrel}})
		bob := w.add(t, w.Tenant, person{}, "bobs words")
		all := w.hold(t, holds.Draft{Contact: bob, Ground: holds.LegalObligation})
		w.attach(t, bob, "bobs contract")

		receipt, err := w.rights.Erase(t.Context(), w.owner, ada, "test")
		must(t, err)
		_, err = w.rights.Erase(t.Context(), w.owner, bob, "test")
		must(t, err)
		for _, who := range []ids.Contact{ada, twin, bob} {
			if has, err := w.Vault.HasKey(t.Context(), w.owner, who); has || err != nil {
				t.Errorf("the key of %s: %v, %v", who, has, err)
			}
			w.gone(t, who)
		}
		text := w.kept(t, h)
		for words, want := range map[string]bool{"a bicycle": true, "a bell": true, "lovely day": false, "picture": false, "Ada Kowal": false, "ada@example.org": false, "hunter2": false} {
			if strings.Contains(text, words) != want {
				t.Errorf("the narrow hold keeps %q: %v", words, !want)
			}
		}
		for _, words := range []string{"bobs words", "bobs contract"} {
			if !strings.Contains(w.kept(t, all), words) {
				t.Errorf("the wide hold lacks %q", words)
			}
		}
		if want := "letters"; !strings.Contains(receipt.Text, want) || !strings.Contains(receipt.Text, "legal claims") || strings.Contains(receipt.Text, "bicycle") {
			t.Errorf("the receipt says %q", receipt.Text)
		}
	})
}

func TestAReleasedHoldKeepsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{}, "held words")
		h := w.hold(t, holds.Draft{Contact: ada})
		_, err := w.rights.Erase(t.Context(), w.owner, ada, "test")
		must(t, err)
		if !strings.Contains(w.kept(t, h), "held words") {
			t.Fatal("nothing is held")
		}
		_, err = w.holds.Release(t.Context(), w.owner, h.ID)
		must(t, err)
		if has, err := w.Vault.HasKey(t.Context(), w.owner, h.Keeper); has || err != nil {
			t.Errorf("the hold's key: %v, %v", has, err)
		}
		if left := w.kept(t, h); left != "" {
			t.Errorf("still kept: %s", left)
		}
		again, reason, err := w.holds.Get(t.Context(), w.owner, h.ID)
		must(t, err)
		if again.ReleasedAt.IsZero() || !reason.IsZero() {
			t.Errorf("released %s, the reason is %q", again.ReleasedAt, reason.Reveal())
		}
		if _, err := w.holds.Release(t.Context(), w.owner, h.ID); !errs.Is(err, errs.Conflict) {
			t.Errorf("released twice: %v", err)
		}
	})
}

func TestSweepsAreToldWhomToLeaveAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{})
		twin := w.add(t, w.Tenant, person{Into: ada})
		w.add(t, w.Tenant, person{})
		covered := func() (who []ids.Contact) {
			must(t, w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) (err error) {
				who, err = holds.Subjects(tx)
				return err
			}))
			return who
		}
		first, second := w.hold(t, holds.Draft{Contact: ada}), w.hold(t, holds.Draft{Contact: ada})
		for _, h := range []holds.Hold{first, second} {
			if got := covered(); len(got) != 2 || !slices.Contains(got, ada) || !slices.Contains(got, twin) {
				t.Errorf("held are %v", got)
			}
			_, err := w.holds.Release(t.Context(), w.owner, h.ID)
			must(t, err)
		}
		if got := covered(); len(got) != 0 {
			t.Errorf("held after all is released: %v", got)
		}
	})
}

func TestWhatAHoldHasCopiedIsNotSweptWhileItStands(t *testing.T) {
	t.Parallel()
	vaulttest.Each(t, config(t, retention.New(nil, retention.Config{}).Module()), func(t *testing.T, k *vaulttest.Kit) {
		w := settle(t, k)
		sweeps := retention.New(w.Vault, retention.Config{Held: holds.Subjects, Keepers: holds.Keepers})
		ada := w.add(t, w.Tenant, person{})
		blob, err := w.Vault.PutBlob(t.Context(), w.owner, ada, "audio/webm", strings.NewReader("what was said"), 1000)
		must(t, err)
		must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))
		h := w.hold(t, holds.Draft{Contact: ada})
		_, err = w.rights.Erase(t.Context(), w.owner, ada, "test")
		must(t, err)
		for range 100 {
			w.Clock.Advance(24 * time.Hour)
			must(t, sweeps.Sweep(t.Context(), w.Tenant))
		}
		if !strings.Contains(w.kept(t, h), "what was said") {
			t.Error("the recording that is held was swept")
		}
		_, err = w.holds.Release(t.Context(), w.owner, h.ID)
		must(t, err)
		if kept := w.kept(t, h); kept != "" {
			t.Errorf("released, and still kept: %s", kept)
		}
	})
}

// order stores an erasure of people that nobody has begun to carry out.
func (w *world) order(t testing.TB, people ...ids.Contact) {
	t.Helper()
	must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
		return rights.Requests.Add(tx, rights.Request{ID: record.NewID(tx.Now()), Kind: state.Erasure, State: state.Running, Via: record.Widget, Contact: people[0], People: people, AskedAt: tx.Now(), DueAt: tx.Now(), LegalAt: tx.Now(), AlarmAt: tx.Now()})
	}))
}

// done tells whether all requests have ended.
func (w *world) done(t testing.TB) bool {
	t.Helper()
	n := 0
	must(t, w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) (err error) {
		n, err = rights.Requests.Count(tx, "ended_at IS NULL")
		return err
	}))
	return n == 0
}

// An erasure is cut off after each of its steps and taken up again by the jobs of the next start.
func TestAnErasureThatIsCutOffKeepsWhatIsHeldAndNothingElse(t *testing.T) {
	steps := map[string]func(*testing.T, *world, []ids.Contact){
		"before anything is copied": func(*testing.T, *world, []ids.Contact) {},
		"when all is copied": func(t *testing.T, w *world, people []ids.Contact) {
			_, err := w.holds.Preserve(t.Context(), w.Tenant, people)
			must(t, err)
		},
		"between two keys": func(t *testing.T, w *world, people []ids.Contact) {
			_, err := w.holds.Preserve(t.Context(), w.Tenant, people)
			must(t, err)
			must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), act, people[0], "test"))
		},
		"when all keys are gone": func(t *testing.T, w *world, people []ids.Contact) {
			_, err := w.holds.Preserve(t.Context(), w.Tenant, people)
			must(t, err)
			for _, who := range people {
				must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), act, who, "test"))
			}
		},
		"when the rows are gone": func(t *testing.T, w *world, people []ids.Contact) {
			_, err := w.holds.Preserve(t.Context(), w.Tenant, people)
			must(t, err)
			for _, who := range people {
				must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), act, who, "test"))
			}
			_, err = w.Vault.FinishErasures(t.Context(), w.Tenant)
			must(t, err)
		},
	}
	for name, cut := range steps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) {
				w := idle(t, k)
				ada := w.add(t, w.Tenant, person{Name: personal.Of("Ada Kowal")}, "held words")
				twin := w.add(t, w.Tenant, person{Into: ada}, "the twin's words")
				w.attach(t, twin, "a file of the twin's")
				h := w.hold(t, holds.Draft{Contact: ada, Classes: []string{"letters", "blobs"}})
				w.order(t, ada, twin)
				cut(t, w, []ids.Contact{ada, twin})

				w.Clock.Advance(time.Hour)
				w.start()
				for _, who := range []ids.Contact{ada, twin} {
					w.gone(t, who)
				}
				eventually.Must(t, "the request ends", func() bool { return w.done(t) })
				text := w.kept(t, h)
				for words, want := range map[string]bool{"held words": true, "the twin's words": true, "a file of the twin's": true, "Ada Kowal": false} {
					if strings.Contains(text, words) != want {
						t.Errorf("kept %q: %v", words, !want)
					}
				}
			})
		})
	}
}

// Whatever is held and whoever is first, a hold that was placed keeps what it covers, and one that came too late was refused.
func TestAHoldAndAnErasureAtTheSameTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 10 {
			ada := w.add(t, w.Tenant, person{}, "disputed words")
			var h holds.Hold
			var placed, erased error
			var wait sync.WaitGroup
			wait.Go(func() {
				h, placed = w.holds.Place(t.Context(), w.owner, holds.Draft{Contact: ada, Ground: holds.LegalClaims, Reason: "a claim", ReviewAt: w.Clock.Now().Add(time.Hour)})
			})
			for range 2 {
				wait.Go(func() {
					_, err := w.rights.Erase(t.Context(), w.owner, ada, "test")
					if err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Gone) {
						erased = errors.Join(erased, err)
					}
				})
			}
			wait.Wait()
			must(t, erased)
			if placed == nil && !strings.Contains(w.kept(t, h), "disputed words") {
				t.Fatal("a hold was placed, and what it covers is gone")
			}
			if placed != nil && !errs.Is(placed, errs.Conflict) && !errs.Is(placed, errs.NotFound) && !errs.Is(placed, errs.Gone) {
				t.Fatal(placed)
			}
		}
	})
}

// Any holds over any letters: afterwards exactly what they cover can be read.
func TestExactlyWhatIsHeldSurvives(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		threads := []ids.Conversation{ids.NewConversation(vaulttest.Start), ids.NewConversation(vaulttest.Start), ids.NewConversation(vaulttest.Start)}
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			ada := w.add(t, w.Tenant, person{Name: personal.Of(fmt.Sprint("name-", n, "."))})
			where := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 4).Draw(rt, "letters")
			for i, at := range where {
				w.write(t, ada, threads[at], fmt.Sprint("body-", n, "-", i, "."))
			}
			var placed []holds.Hold
			for range rapid.IntRange(0, 2).Draw(rt, "holds") {
				d := holds.Draft{Contact: ada}
				if rapid.Bool().Draw(rt, "narrow to a class") {
					d.Classes = []string{rapid.SampledFrom([]string{"letters", "persons"}).Draw(rt, "class")}
				}
				if rapid.Bool().Draw(rt, "narrow to a conversation") {
					d.Conversations = []ids.Conversation{threads[rapid.SampledFrom(where).Draw(rt, "conversation")]}
				}
				placed = append(placed, w.hold(t, d))
			}
			_, err := w.rights.Erase(t.Context(), w.owner, ada, "test")
			must(t, err)
			for _, h := range placed {
				text := w.kept(t, h)
				inClass := func(class string) bool { return len(h.Classes) == 0 || h.Classes[0] == class }
				if got, want := strings.Contains(text, fmt.Sprint("name-", n, ".")), inClass("persons") && len(h.Conversations) == 0; got != want {
					rt.Errorf("the name is held: %v", got)
				}
				for i, at := range where {
					want := inClass("letters") && (len(h.Conversations) == 0 || h.Conversations[0] == threads[at])
					if got := strings.Contains(text, fmt.Sprint("body-", n, "-", i, ".")); got != want {
						rt.Errorf("letter %d is held: %v", i, got)
					}
				}
			}
		})
	})
}

func TestAHoldIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{}, "words")
		good := holds.Draft{Contact: ada, Ground: holds.LegalClaims, Reason: "a claim", ReviewAt: w.Clock.Now().Add(time.Hour)}
		for name, c := range map[string]struct {
			actor vault.Actor
			spoil func(*holds.Draft)
			want  errs.Kind
		}{
			"without a ground of the law":       {w.owner, func(d *holds.Draft) { d.Ground = "curiosity" }, errs.Invalid},
			"without a reason":                  {w.owner, func(d *holds.Draft) { d.Reason = " " }, errs.Invalid},
			"without a day to look again":       {w.owner, func(d *holds.Draft) { d.ReviewAt = time.Time{} }, errs.Invalid},
			"for longer than a year":            {w.owner, func(d *holds.Draft) { d.ReviewAt = w.Clock.Now().Add(400 * 24 * time.Hour) }, errs.Invalid},
			"on a class that there is not":      {w.owner, func(d *holds.Draft) { d.Classes = []string{"letter"} }, errs.Invalid},
			"on a class about nobody":           {w.owner, func(d *holds.Draft) { d.Classes = []string{"tenants"} }, errs.Invalid},
			"on a conversation of others":       {w.owner, func(d *holds.Draft) { d.Conversations = []ids.Conversation{ids.NewConversation(vaulttest.Start)} }, errs.NotFound},
			"on nobody":                         {w.owner, func(d *holds.Draft) { d.Contact = ids.NewSubject(vaulttest.Start) }, errs.NotFound},
			"by an operator":                    {vaulttest.User(w.Tenant, vault.Operator), func(*holds.Draft) {}, errs.Forbidden},
			"by the person":                     {vaulttest.Visitor(w.Tenant, ada), func(*holds.Draft) {}, errs.Forbidden},
			"by the owner of another workspace": {vaulttest.User(w.Other, vault.Owner), func(*holds.Draft) {}, errs.NotFound},
		} {
			d := good
			c.spoil(&d)
			if _, err := w.holds.Place(t.Context(), c.actor, d); errs.Of(err) != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		h := w.hold(t, holds.Draft{Contact: ada})
		for name, actor := range map[string]vault.Actor{"an operator": vaulttest.User(w.Tenant, vault.Operator), "an auditor": vaulttest.User(w.Tenant, vault.Auditor)} {
			if _, err := w.holds.Items(t.Context(), actor, h.ID); !errs.Is(err, errs.Forbidden) {
				t.Errorf("%s opens what is kept: %v", name, err)
			}
		}
		if _, err := w.holds.Release(t.Context(), vaulttest.User(w.Other, vault.Owner), h.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("another workspace releases it: %v", err)
		}
	})
}

func TestAHoldIsPlacedOpenedAndReleasedOnThePages(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ada := o.add(t, o.Tenant, person{Name: personal.Of("Ada Kowal")}, "you owe me a bicycle")
	tab := browser.New(t)
	tab.Allow("status of 422")
	tab.Goto(o.server.URL + "/privacy/people/" + ada.String() + "/hold")
	tab.Click(`input[value="legal_claims"]`)
	tab.Click(`form.form button[type="submit"]`)
	tab.WaitText("body", "Say why this must be kept")
	tab.Type(`textarea[name="reason"]`, "Kowal ./. Acme")
	tab.Click(`input[value="classes"]`)
	tab.Click(`form.form button[type="submit"]`)
	tab.WaitText("body", "Choose at least one class")
	tab.Picture("hold-refused")
	tab.Click(`input[value="letters"]`)
	tab.Click(`form.form button[type="submit"]`)
	tab.WaitText("body", "In force")
	tab.WaitText("body", "Kowal ./. Acme")
	_, err := o.rights.Erase(t.Context(), o.owner, ada, "test")
	must(t, err)
	tab.Reload()
	tab.Click(`form[action$="/open"] button`)
	tab.WaitText("body", "you owe me a bicycle")
	tab.Picture("hold-opened")
	tab.Click(`.disclosure summary`)
	tab.WaitVisible(`form[action$="/release"] button`)
	tab.Picture("hold-release")
	tab.Click(`form[action$="/release"] button`)
	tab.WaitText("body", "made unreadable when it was released")
	tab.Picture("hold-released")
}

// spoil destroys a file's last byte, or all of it.
func (w *world) spoil(t testing.TB, file ids.Object, all bool) {
	t.Helper()
	path := filepath.Join(w.Folder, "blobs", w.Tenant.String(), file.String())
	if all {
		must(t, os.Remove(path))
		return
	}
	sealed, err := os.ReadFile(path)
	must(t, err)
	sealed[len(sealed)-1] ^= 1
	must(t, os.WriteFile(path, sealed, 0o600))
}

func TestAHeldFileThatIsLostDoesNotStandInTheWayOfAnErasure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{}, "held words")
		w.attach(t, ada, "a whole file")
		damaged, missing := w.attach(t, ada, "a damaged file"), w.attach(t, ada, "a missing file")
		w.spoil(t, damaged, false)
		w.spoil(t, missing, true)
		h := w.hold(t, holds.Draft{Contact: ada})
		for range 2 { // the second time as after a crash
			kept, err := w.holds.Preserve(t.Context(), w.Tenant, []ids.Contact{ada})
			if err != nil || len(kept) != 1 || kept[0].Classes["blobs"] != 1 {
				t.Errorf("kept %v, %v; want the whole file", kept, err)
			}
		}
		_, err := w.rights.Erase(t.Context(), w.owner, ada, "test")
		must(t, err)
		if has, err := w.Vault.HasKey(t.Context(), w.owner, ada); has || err != nil {
			t.Errorf("the key outlives the erasure: %v", err)
		}
		if text := w.kept(t, h); !strings.Contains(text, "held words") || !strings.Contains(text, "a whole file") {
			t.Errorf("of what was whole only this is kept: %q", text)
		}
		items, err := w.holds.Items(t.Context(), w.owner, h.ID)
		must(t, err)
		for _, i := range items {
			if want := i.Place == damaged.String() || i.Place == missing.String(); i.Lost != want {
				t.Errorf("%s %s is told as lost: %v", i.Class, i.Place, i.Lost)
			}
		}
		entries, err := w.Vault.Entries(t.Context(), w.Tenant, 0, 1000)
		must(t, err)
		said := map[string]int{}
		for _, e := range entries {
			for _, ev := range e.Events {
				if ev.Kind == "hold.file_lost" && e.Action == "hold.keep" && ev.Subject == ada {
					said[ev.Object]++
				}
			}
		}
		if want := map[string]int{damaged.String(): 1, missing.String(): 1}; !maps.Equal(said, want) {
			t.Errorf("the log names %v, want %v", said, want)
		}
	})
}

func TestAHoldsPageNamesTheFilesThatCouldNotBeKept(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ada := o.add(t, o.Tenant, person{}, "held words")
	o.attach(t, ada, "a whole file")
	missing := o.attach(t, ada, "a missing file")
	h := o.hold(t, holds.Draft{Contact: ada})
	o.spoil(t, missing, true)
	_, err := o.rights.Erase(t.Context(), o.owner, ada, "test")
	must(t, err)
	tab := browser.New(t)
	tab.Goto(o.server.URL + "/privacy/holds/" + h.ID.String())
	tab.WaitText("body", "Could not be kept")
	tab.WaitText("body", missing.String())
	tab.Picture("hold-lost")
	tab.Click(`form[action$="/open"] button`)
	tab.WaitText("body", "held words")
	tab.WaitText("body", "Save the file")
	tab.Picture("hold-lost-opened")
}

func TestOnAFullDiskErasuresAreCarriedOutAndNothingHeldIsLost(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Disk = &disktest.Disk{}
	w := settle(t, vaulttest.Embedded(t, c))
	ada := w.add(t, w.Tenant, person{}, "held words")
	h := w.hold(t, holds.Draft{Contact: ada})
	bob := w.add(t, w.Tenant, person{})
	c.Disk.Limit.Store(16 << 20)
	for n := 0; ; n++ {
		err := w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
			return letters.Add(tx, letter{ID: ids.NewObject(tx.Now()), Who: bob, Body: personal.Of(strings.Repeat("x", 1+30_000*min(1, 500/(n+1)))), At: tx.Now()})
		})
		if errs.Is(err, errs.NoSpace) {
			break
		}
		if err != nil || n > 20_000 {
			t.Fatalf("letter %d: %v", n, err)
		}
	}
	if _, err := w.holds.Preserve(t.Context(), w.Tenant, []ids.Contact{ada}); err != nil && !errs.Is(err, errs.NoSpace) { // the last page may have room
		t.Errorf("what is held, copied to a full disk: %v", err)
	}
	if has, err := w.Vault.HasKey(t.Context(), w.owner, ada); !has || err != nil {
		t.Errorf("the key is gone and what is held with it: %v", err)
	}
	for name, one := range map[string]ids.Contact{"of somebody about whom something is held": ada, "that nothing holds up": bob} {
		if _, err := w.rights.Erase(t.Context(), w.owner, one, "test"); err != nil {
			t.Errorf("an erasure %s: %v", name, err)
		}
		if has, err := w.Vault.HasKey(t.Context(), w.owner, one); has || err != nil {
			t.Errorf("the key outlives an erasure %s: %v", name, err)
		}
	}
	c.Disk.Limit.Store(0) // looking at it is written down
	if !strings.Contains(w.kept(t, h), "held words") {
		t.Error("what is held is lost")
	}
}
