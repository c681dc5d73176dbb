package takeout_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/closing/takeout"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

type note struct {
	ID     ids.Object    `vault:"id,key"`
	N      int64         `vault:"n,key"`
	Who    ids.Subject   `vault:"who,subject"`
	Body   personal.Text `vault:"body,personal:user.content"`
	Secret personal.Text `vault:"secret,secret"`
}

var (
	notes    = vault.Define[note]("notes", vault.Purpose("testing"), vault.KeepWhile("the test"))
	act      = vault.Act("test.write", purpose.Storage, vault.System())
	actErase = vault.Act("test.erase", purpose.Storage, vault.System())
	schema   = engine.Migration{Version: 900001, Name: "notes/0001.sql", SQL: `CREATE TABLE notes (
    id ID NOT NULL,
    n INT NOT NULL,
    who ID,
    body SEALED,
    secret SEALED,
    PRIMARY KEY (id, n)
);
CREATE INDEX notes_by_who ON notes (who);
`}
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type world struct {
	*vaulttest.Kit
	takeout *takeout.Service
	owner   vault.Actor
	ada     ids.Subject
}

func each(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	c := moduletest.Config(t, identity.New(nil).Module(), takeout.New(nil).Module())
	c.Tables, c.Migrations = append(c.Tables, notes), append(c.Migrations, schema)
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) {
		w := &world{Kit: k, takeout: takeout.New(k.Vault), owner: vaulttest.User(k.Tenant, vault.Owner)}
		w.ada = w.write(t, k.Tenant, "words that ada wrote", 3)
		w.write(t, k.Other, "words of another workspace", 3)
		test(t, w)
	})
}

// write stores what somebody wrote: rows, and a file with the same words.
func (w *world) write(t *testing.T, tenant ids.Tenant, words string, rows int) ids.Subject {
	t.Helper()
	sys := vaulttest.System(tenant)
	who, err := w.Vault.NewSubject(t.Context(), sys)
	must(t, err)
	blob, err := w.Vault.PutBlob(t.Context(), sys, who, "text/plain", strings.NewReader("file of "+words), 1000)
	must(t, err)
	id := ids.NewObject(w.Vault.Now())
	must(t, w.Vault.Do(t.Context(), sys, act, func(tx *vault.Tx) error {
		err := vault.Blobs.Add(tx, blob)
		for n := range int64(rows) {
			err = errors.Join(err, notes.Add(tx, note{ID: id, N: n, Who: who, Body: personal.Of(fmt.Sprintf("%s, %d", words, n)), Secret: personal.Of("nobody exports this")}))
		}
		return err
	}))
	return who
}

// works starts the queue, which puts archives together.
func (w *world) works(t *testing.T) {
	t.Helper()
	queue := moduletest.Queue(t)
	must(t, w.takeout.Module().Jobs(queue))
	must(t, queue.Start(t.Context()))
	w.takeout.Follow(w.Tenant)
}

// ready asks for an archive and waits for it.
func (w *world) ready(t *testing.T) takeout.Takeout {
	t.Helper()
	asked, err := w.takeout.Ask(t.Context(), w.owner)
	must(t, err)
	var now takeout.Takeout
	eventually.Must(t, "the archive is ready", func() bool {
		now, err = w.takeout.Latest(t.Context(), w.owner)
		return err == nil && now.ID == asked.ID && now.State == takeout.Ready
	})
	return now
}

// at is the pages as somebody sees them.
func (w *world) at(actor vault.Actor) http.Handler {
	return moduletest.Edge(moduletest.Mux(w.takeout.Module()), actor, page.View{})
}

func file(of takeout.Takeout) string { return "/settings/takeout/file/" + of.ID.String() }

// said are the bodies of an export's notes.
func said(t *testing.T, lines string) (out []string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var row struct{ Body string }
		must(t, json.Unmarshal([]byte(line), &row))
		out = append(out, row.Body)
	}
	return out
}

func TestAnOwnerTakesEverythingOfTheWorkspaceAlongAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.works(t)
		many := 2*takeout.AtOnce + 7
		w.write(t, w.Tenant, "one of many", many)
		gone := w.write(t, w.Tenant, "words of somebody erased", 2)
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, gone, "test"))
		archive := w.ready(t)
		sealed, err := os.ReadFile(filepath.Join(w.Folder, "blobs", w.Tenant.String(), archive.File.String()))
		must(t, err)
		if bytes.Contains(sealed, []byte("PK\x03\x04")) || bytes.Contains(sealed, []byte("ada wrote")) {
			t.Error("the archive lies in the clear")
		}
		answer := moduletest.Get(w.at(w.owner), file(archive))
		files := moduletest.Unzip(t, []byte(answer.Body))
		bodies := said(t, files["data/notes.jsonl"])
		slices.Sort(bodies)
		if len(bodies) != many+3 || len(slices.Compact(bodies)) != many+3 {
			t.Errorf("%d notes, want %d, each once", len(bodies), many+3)
		}
		all := strings.Join(slices.Collect(maps.Values(files)), "\n")
		for text, want := range map[string]bool{"words that ada wrote, 2": true, "file of words that ada wrote": true, `"table": "notes"`: true,
			"another workspace": false, "somebody erased": false, "nobody exports this": false} {
			if strings.Contains(all, text) != want {
				t.Errorf("%q is in it: %v", text, !want)
			}
		}
		if archive.Rows < int64(many) || archive.Files != 2 || archive.Size != int64(len(answer.Body)) {
			t.Errorf("it is said to have %d rows and %d files in %d bytes", archive.Rows, archive.Files, archive.Size)
		}
		if log := w.logged(t); !strings.Contains(log, "workspace.export ") || !strings.Contains(log, "workspace.export.download ") {
			t.Errorf("the log has %s", log)
		}
	})
}

// logged are the actions in the workspace's log.
func (w *world) logged(t *testing.T) (all string) {
	t.Helper()
	entries, err := w.Vault.Entries(t.Context(), w.Tenant, 0, 10_000)
	must(t, err)
	for _, e := range entries {
		all += e.Action + " "
	}
	return all
}

func TestNobodyButAnOwnerOfTheWorkspaceTakesItsDataAlong(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.works(t)
		archive := w.ready(t)
		for name, actor := range map[string]vault.Actor{"an administrator": vaulttest.User(w.Tenant, vault.Administrator), "an operator": vaulttest.User(w.Tenant, vault.Operator),
			"an owner of another workspace": vaulttest.User(w.Other, vault.Owner), "nobody": {}} {
			if got := moduletest.Get(w.at(actor), file(archive)); got.Status < 400 {
				t.Errorf("%s is answered %d", name, got.Status)
			}
			if _, err := w.takeout.Ask(t.Context(), actor); err == nil && actor.Tenant() != w.Other {
				t.Errorf("%s may ask", name)
			}
		}
	})
}

func TestAnArchiveIsKeptForThreeDaysAndReplacesTheOneBefore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.works(t)
		first := w.ready(t)
		w.Clock.Advance(time.Hour)
		second := w.ready(t)
		if got := moduletest.Get(w.at(w.owner), file(first)); got.Status != http.StatusGone {
			t.Errorf("the one before is answered %d", got.Status)
		}
		w.Clock.Advance(3*24*time.Hour - time.Minute)
		must(t, w.takeout.Due(t.Context()))
		if got := moduletest.Get(w.at(w.owner), file(second)); got.Status != http.StatusOK {
			t.Errorf("within three days it is answered %d", got.Status)
		}
		w.Clock.Advance(time.Minute)
		must(t, w.takeout.Due(t.Context()))
		if got := moduletest.Get(w.at(w.owner), file(second)); got.Status != http.StatusGone {
			t.Errorf("after three days it is answered %d", got.Status)
		}
		if now, err := w.takeout.Latest(t.Context(), w.owner); err != nil || now.State != takeout.Expired {
			t.Errorf("got %+v, %v", now, err)
		}
	})
}

func TestAnArchiveThatWaitsIsMadeOnceAndAlsoWhenTheQueueHasLostIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		queue := moduletest.Queue(t)
		must(t, w.takeout.Module().Jobs(queue)) // and nobody works yet
		asked, err := w.takeout.Ask(t.Context(), w.owner)
		must(t, err)
		if again, err := w.takeout.Ask(t.Context(), w.owner); err != nil || again.ID != asked.ID {
			t.Errorf("a second one at the same time: %v, %v", again, err)
		}
		w.works(t) // another queue, which knows nothing of it
		must(t, w.takeout.Due(t.Context()))
		eventually.Must(t, "it is put together", func() bool {
			now, err := w.takeout.Latest(t.Context(), w.owner)
			return err == nil && now.ID == asked.ID && now.State == takeout.Ready
		})
	})
}

func TestAnOperatorWritesItAllIntoAnEmptyFolder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		to := filepath.Join(t.TempDir(), "along")
		done, err := w.takeout.Export(t.Context(), w.Tenant, to)
		must(t, err)
		lines, err := os.ReadFile(filepath.Join(to, "data", "notes.jsonl"))
		must(t, err)
		files, err := filepath.Glob(filepath.Join(to, "files", "*"))
		must(t, err)
		if done.Files != 1 || len(files) != 1 || len(said(t, string(lines))) != 3 {
			t.Errorf("%+v; %q; %s", done, files, lines)
		}
		info, err := os.Stat(files[0])
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("others may read it: %v", info.Mode())
		}
		if _, err := w.takeout.Export(t.Context(), w.Tenant, to); !errs.Is(err, errs.Conflict) {
			t.Errorf("into a folder that is not empty: %v", err)
		}
	})
}

// An erasure while an archive is put together is one that is dated after its beginning.
func TestAnArchiveIsPutTogetherAnewWhenSomebodyWasErasedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.takeout.Module().Jobs(moduletest.Queue(t)))
		w.Clock.Advance(time.Hour)
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test"))
		w.Clock.Advance(-time.Hour)
		asked, err := w.takeout.Ask(t.Context(), w.owner)
		must(t, err)
		job := jobs.Job{Tenant: w.Tenant, ID: asked.ID.String()}
		if err := w.takeout.Work(t.Context(), job); !errs.Is(err, errs.Conflict) {
			t.Errorf("it was made with somebody who was erased: %v", err)
		}
		if now, err := w.takeout.Latest(t.Context(), w.owner); err != nil || now.State != takeout.Waiting {
			t.Errorf("it is %q, %v", now.State, err)
		}
		w.Clock.Advance(2 * time.Hour)
		must(t, w.takeout.Work(t.Context(), job))
		if now, err := w.takeout.Latest(t.Context(), w.owner); err != nil || now.State != takeout.Ready {
			t.Errorf("made anew it is %q, %v", now.State, err)
		}
	})
}

func TestWhoeverAsksAtTheSameMomentGetsTheSameArchive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.takeout.Module().Jobs(moduletest.Queue(t)))
		for round := range 5 {
			var asked [8]takeout.Takeout
			var all errgroup.Group
			for i := range asked {
				all.Go(func() (err error) {
					asked[i], err = w.takeout.Ask(t.Context(), vaulttest.User(w.Tenant, vault.Owner)) // transactions of different people run side by side
					return err
				})
			}
			must(t, all.Wait())
			for _, one := range asked {
				if one.ID != asked[0].ID {
					t.Fatalf("round %d: two archives", round)
				}
			}
			w.Clock.Advance(time.Hour)
			must(t, w.takeout.Work(t.Context(), jobs.Job{Tenant: w.Tenant, ID: asked[0].ID.String()}))
		}
	})
}

func TestWhoeverAsksForAnArchiveThatIsBegunRemovesTheOneBeforeItToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.works(t)
		first := w.ready(t)
		w.Clock.Advance(time.Hour)
		begun := takeout.Takeout{ID: ids.NewObject(w.Vault.Now()), N: first.N + 1, State: takeout.Waiting, AskedAt: w.Vault.Now()}
		must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error { return takeout.Takeouts.Add(tx, begun) })) // by somebody who came no further
		w.Clock.Advance(time.Second)
		if asked, err := w.takeout.Ask(t.Context(), w.owner); err != nil || asked.ID != begun.ID {
			t.Errorf("asked for: %+v, %v", asked, err)
		}
		if has, err := w.Vault.HasKey(t.Context(), w.owner, first.Keeper); has || err != nil {
			t.Errorf("the key of the one before: %v, %v", has, err)
		}
	})
}

// made is an archive that is put together and not stored yet, and its file.
func (w *world) made(t *testing.T) (takeout.Takeout, vault.Blob, string) {
	t.Helper()
	sys := vaulttest.System(w.Tenant)
	asked, err := w.takeout.Ask(t.Context(), w.owner)
	must(t, err)
	asked.State, asked.Began = takeout.Ready, w.Vault.Now()
	asked.Keeper, err = w.Vault.NewSubject(t.Context(), sys)
	must(t, err)
	blob, err := w.Vault.PutBlob(t.Context(), sys, asked.Keeper, "application/zip", strings.NewReader("everything"), 1000)
	must(t, err)
	asked.File = blob.ID
	return asked, blob, filepath.Join(w.Folder, "blobs", w.Tenant.String(), blob.ID.String())
}

func TestAnArchiveIsNotStoredOfSomebodyWhoWasErasedAtTheLastMoment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.takeout.Module().Jobs(moduletest.Queue(t)))
		made, blob, file := w.made(t)
		w.Clock.Advance(time.Millisecond)
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test"))
		if err := w.takeout.Keep(t.Context(), w.Tenant, made, blob); !errs.Is(err, errs.Conflict) {
			t.Errorf("it was stored: %v", err)
		}
		if now, err := w.takeout.Latest(t.Context(), w.owner); err != nil || now.State != takeout.Waiting || !now.File.IsZero() {
			t.Errorf("it is %+v, %v", now, err)
		}
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its bytes: %v", err)
		}
		if has, err := w.Vault.HasKey(t.Context(), w.owner, made.Keeper); has || err != nil {
			t.Errorf("its key: %v, %v", has, err)
		}
	})
}

// Where transactions run side by side, the entry of an erasure may come before that of an archive that did not see it.
func TestAnArchiveWhoseEntryComesAfterAnErasureThatItDidNotSeeEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.works(t)
		first := w.ready(t)
		w.Clock.Advance(time.Hour)
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test"))
		ended := func(id ids.Object) func() bool {
			return func() bool {
				now, err := w.takeout.Latest(t.Context(), w.owner)
				return err == nil && now.ID == id && now.State == takeout.Expired
			}
		}
		eventually.Must(t, "the erasure is heard of", ended(first.ID))
		blob, err := w.Vault.PutBlob(t.Context(), vaulttest.System(w.Tenant), w.write(t, w.Tenant, "more", 1), "application/zip", strings.NewReader("everything"), 1000)
		must(t, err)
		late := takeout.Takeout{ID: ids.NewObject(w.Vault.Now()), N: first.N + 1, State: takeout.Ready, AskedAt: w.Vault.Now(), Began: w.Vault.Now().Add(-time.Second), ReadyAt: w.Vault.Now(), Keeper: blob.Subject, File: blob.ID}
		must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
			tx.Emit(vault.Event{Kind: "workspace.export.ready", Object: late.ID.String()}, nil)
			return errors.Join(vault.Blobs.Add(tx, blob), takeout.Takeouts.Add(tx, late))
		}))
		eventually.Must(t, "the archive ends", ended(late.ID))
	})
}

func TestNobodyIsLeftInAnArchiveWhoWasErasedSince(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.works(t)
		archive := w.ready(t)
		sealed := filepath.Join(w.Folder, "blobs", w.Tenant.String(), archive.File.String())
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test"))
		eventually.Must(t, "the archive goes", func() bool {
			now, err := w.takeout.Latest(t.Context(), w.owner)
			return err == nil && now.State == takeout.Expired
		})
		if answer := moduletest.Get(w.at(w.owner), file(archive)); answer.Status != http.StatusGone {
			t.Errorf("it is answered with %d", answer.Status)
		}
		if has, err := w.Vault.HasKey(t.Context(), w.owner, archive.Keeper); has || err != nil || archive.Keeper.IsZero() {
			t.Errorf("its key: %v, %v", has, err)
		}
		eventually.Must(t, "its bytes go", func() bool {
			_, err := os.Stat(sealed)
			return errors.Is(err, os.ErrNotExist)
		})
	})
}
