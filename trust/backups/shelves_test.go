package backups_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module/moduletest"
	"aver/trust/backups"
	"aver/trust/backups/bucket"
	"aver/trust/backups/manifest"
	"aver/trust/backups/quarantine"
	"aver/trust/backups/shelf"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/keyring"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
	"aver/vault/sqlite"
	"aver/vault/vaulttest"
)

// inBucket makes the service put its backups into a bucket.
func (w *world) inBucket(t *testing.T) *bucket.Bucket {
	t.Helper()
	b := w.bucket(t)
	c := w.config()
	c.Shelf = b
	w.backups = backups.New(w.Vault, c)
	return b
}

// bucket is one that answers only who signs.
func (w *world) bucket(t *testing.T) *bucket.Bucket {
	t.Helper()
	backend := s3mem.New()
	must(t, backend.CreateBucket("copies"))
	fake := gofakes3.New(backend, gofakes3.WithTimeSkewLimit(0)).Server()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		fake.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	must(t, err)
	at, err := bucket.Parse("s3+http://" + u.Host + "/copies/aver")
	must(t, err)
	return bucket.Open(at, bucket.Credentials{ID: "id", Secret: personal.Of("secret")}, http.DefaultClient, w.Clock.Now)
}

func TestABucketKeepsBackupsForAWeekAndADrillRestoresFromIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.inBucket(t)
		w.make(t)
		d, err := w.backups.Drill(t.Context(), system(), nil)
		must(t, err)
		if !d.Holds || !d.Erased || d.Tenants != 3 {
			t.Errorf("the drill: %+v", d)
		}
		w.Clock.Advance(6*24*time.Hour + 23*time.Hour + 30*time.Minute)
		w.make(t)
		items, err := b.List(t.Context(), "")
		must(t, err)
		if len(items) != 2 {
			t.Errorf("in the bucket: %+v, want one backup with its manifest", items)
		}
		list, err := w.backups.List(t.Context(), system())
		must(t, err)
		if len(list) != 1 || !list[0].Signed || !list[0].There {
			t.Errorf("listed %+v", list)
		}
		kept, versioned, err := w.backups.Kept(t.Context(), system())
		must(t, err)
		if len(kept) != 3 || versioned { // and the copy of the keys, which stays on the machine
			t.Errorf("kept %+v", kept)
		}
		for _, k := range kept {
			if !k.Encrypted || !k.Private || k.Made.IsZero() {
				t.Errorf("%+v", k)
			}
		}
	})
}

// copyOfKeys is the one there is, as a file.
func copyOfKeys(t *testing.T, at shelf.Shelf) string {
	t.Helper()
	all, err := at.List(t.Context(), shelf.Keys)
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("there are %d copies of the keys", len(all))
	}
	content, err := at.Get(t.Context(), all[0].Name)
	must(t, err)
	defer content.Close()
	raw, err := io.ReadAll(content)
	must(t, err)
	file := filepath.Join(t.TempDir(), all[0].Name)
	must(t, os.WriteFile(file, raw, 0o600))
	return file
}

func TestTheCopyOfTheKeysLiesOnAShelfOfItsOwnForRecipientsOfItsOwnAndHasNobodyWhoWasErased(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make(t) // before there was such a shelf
		identity, recipient := classic(t)
		c := w.config()
		c.Shelf, c.Keys, c.KeysFor = w.bucket(t), w.bucket(t), []string{recipient}
		w.backups = backups.New(w.Vault, c)
		w.Clock.Advance(time.Hour)
		w.make(t)
		for name, at := range map[string]shelf.Shelf{"the folder": shelf.Folder(w.folder), "the bucket of the backups": c.Shelf} {
			if left, err := at.List(t.Context(), shelf.Keys); err != nil || len(left) > 0 {
				t.Errorf("%s has a copy of the keys too: %v, %v", name, left, err)
			}
		}
		first := copyOfKeys(t, c.Keys)
		own, err := os.ReadFile(filepath.Join(w.Folder, "backup.key"))
		must(t, err)
		if err := backups.RestoreKeys(t.Context(), keysOrder(first, string(own), t.TempDir(), nil)); !errs.Is(err, errs.Invalid) {
			t.Errorf("who opens backups opens the keys too: %v", err)
		}
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test"))
		w.Clock.Advance(time.Hour)
		must(t, w.backups.KeysTurn(t.Context()))
		second := copyOfKeys(t, c.Keys)
		if filepath.Base(second) == filepath.Base(first) && !w.shared { // there the erasure is found in the ledger, here it is heard of
			must(t, w.backups.Renew(t.Context()))
			second = copyOfKeys(t, c.Keys)
		}
		if keys := w.restoredKeys(t, second, identity); keys == nil {
			t.Error("the keys were not restored")
		} else if _, err := keys.Subject(t.Context(), w.Tenant, w.ada); !errors.Is(err, keyring.ErrErased) {
			t.Errorf("the key of somebody erased is in the copy: %v", err)
		}
		if r, err := w.backups.Rehearse(t.Context(), system(), nil); err != nil || !r.Holds || !slices.ContainsFunc(r.Scans, func(s backups.Scan) bool { return s.Unread == "it is sealed for others" }) {
			t.Errorf("the rehearsal says %+v, %v", r.Scans, err)
		}
	})
}

// keysOrder is the order to restore a copy of the keys.
func keysOrder(file, identity, folder string, rows engine.Engine) backups.KeysOrder {
	return backups.KeysOrder{File: file, Identity: strings.NewReader(identity), Folder: folder, Rows: rows,
		Seed: func(context.Context, func(string) ([]byte, error)) ([]byte, error) { return seed, nil }}
}

// restoredKeys is the key store of another machine made of a copy.
func (w *world) restoredKeys(t *testing.T, file, identity string) *keyring.Keyring {
	t.Helper()
	machine := t.TempDir()
	root, _, err := keyring.OpenRootFile(filepath.Join(w.Folder, "root.key"))
	must(t, err)
	if w.shared {
		store := w.another(t).Open(t, postgres.KeySchema, keyring.Migrations())
		must(t, backups.RestoreKeys(t.Context(), keysOrder(file, identity, machine, store)))
		if err := backups.RestoreKeys(t.Context(), keysOrder(file, identity, machine, store)); !errs.Is(err, errs.Conflict) {
			t.Errorf("over keys that are there: %v", err)
		}
		return keyring.Open(store, root, w.Clock)
	}
	must(t, backups.RestoreKeys(t.Context(), keysOrder(file, identity, machine, nil)))
	if err := backups.RestoreKeys(t.Context(), keysOrder(file, identity, machine, nil)); !errs.Is(err, errs.Conflict) {
		t.Errorf("over keys that are there: %v", err)
	}
	folder := filepath.Join(machine, "keys")
	pages := keyring.Pages{Dir: filepath.Join(folder, "pages"), Root: root}
	store, err := sqlite.Open(sqlite.Config{Root: folder, Migrations: keyring.Migrations(),
		PageKey: func(ctx context.Context, tenant ids.Tenant) ([]byte, error) { return pages.Get(ctx, tenant) }})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	return keyring.Open(store, root, w.Clock)
}

func TestACopyOfTheKeysIsRenewedEveryDayAndNoneIsKeptForMoreThanTwo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make(t)
		at := shelf.Folder(w.folder)
		must(t, w.backups.KeysTurn(t.Context())) // the start may have been after an erasure
		first := filepath.Base(copyOfKeys(t, at))
		w.Clock.Advance(23 * time.Hour)
		must(t, w.backups.KeysTurn(t.Context()))
		if now := filepath.Base(copyOfKeys(t, at)); now != first {
			t.Error("copied without a reason")
		}
		w.Clock.Advance(2 * time.Hour)
		must(t, w.backups.KeysTurn(t.Context()))
		if now := filepath.Base(copyOfKeys(t, at)); now == first {
			t.Error("not copied after a day")
		}
		w.Clock.Advance(2 * 24 * time.Hour) // nobody was there to copy
		queue := moduletest.Queue(t)
		must(t, w.backups.Module().Jobs(queue))
		must(t, w.backups.Turn(t.Context()))
		if left, err := at.List(t.Context(), shelf.Keys); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
		if left, err := at.List(t.Context(), shelf.Data); err != nil || len(left) != 2 {
			t.Errorf("backups: %v, %v", left, err)
		}
	})
}

func TestABackupThatABucketLostHalfOfIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.inBucket(t)
		name := filepath.Base(w.make(t))
		content, err := b.Get(t.Context(), name)
		must(t, err)
		whole, err := io.ReadAll(content)
		must(t, err)
		must(t, b.Remove(t.Context(), name))
		must(t, b.Put(t.Context(), name, func(to io.Writer) error { _, err := to.Write(whole[:len(whole)/2]); return err }))
		_, err = w.backups.Restore(t.Context(), system(), backups.Order{Name: name, To: filepath.Join(t.TempDir(), "data")})
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhoeverLooksAtAShelfSeesWhatDoesNotBelongThere(t *testing.T) {
	t.Parallel()
	at := shelf.Folder(filepath.Join(t.TempDir(), "shelf"))
	put := func(name, text string) {
		must(t, at.Put(t.Context(), name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }))
	}
	put("aver-data-20261120T020000.000.age", "age-encryption.org/v1\nsealed")
	put("notes.txt", "words")
	put("empty", "")
	must(t, os.Chmod(filepath.Join(string(at), "notes.txt"), 0o644))
	kept, err := shelf.Examine(t.Context(), at)
	must(t, err)
	got := fmt.Sprintf("%v", kept)
	if want := "[{aver-data-20261120T020000.000.age 2026-11-20 02:00:00 +0000 UTC true true} {empty 0001-01-01 00:00:00 +0000 UTC false true} {notes.txt 0001-01-01 00:00:00 +0000 UTC false false}]"; got != want {
		t.Errorf("got %s", got)
	}
	if err := at.Put(t.Context(), "empty", func(io.Writer) error { return nil }); !errs.Is(err, errs.Conflict) {
		t.Errorf("a name was given twice: %v", err)
	}
}

// The program that people have is the judge: a backup must open without Aver.
func TestEachOfSeveralRecipientsOpensABackupWithTheStockProgram(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, kind := range []func(*testing.T) (identity, recipient string){classic, hybrid} {
			w.opensFor(t, kind)
		}
	})
}

func classic(t *testing.T) (identity, recipient string) {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	must(t, err)
	return i.String(), i.Recipient().String()
}

func hybrid(t *testing.T) (identity, recipient string) {
	t.Helper()
	i, err := age.GenerateHybridIdentity()
	must(t, err)
	return i.String(), i.Recipient().String()
}

func (w *world) opensFor(t *testing.T, kind func(*testing.T) (identity, recipient string)) {
	t.Helper()
	one, toOne := kind(t)
	other, toOther := kind(t)
	c := w.config()
	c.Folder, c.Recipients = t.TempDir(), []string{toOne, toOther}
	w.backups, w.folder = backups.New(w.Vault, c), c.Folder
	file := w.make(t)
	program := stockAge(t)
	for _, identity := range []string{one, other} {
		key := filepath.Join(t.TempDir(), "key.txt")
		must(t, os.WriteFile(key, []byte(identity+"\n"), 0o600))
		clear, err := exec.Command(program, "--decrypt", "--identity", key, file).Output()
		must(t, err)
		if !bytes.HasPrefix(clear, []byte("PK\x03\x04")) || bytes.Contains(clear, []byte("only ada")) {
			t.Error("what the program opened is no archive of sealed data")
		}
		must(t, w.restore(t, file, strings.NewReader(identity), filepath.Join(t.TempDir(), "data")))
	}
}

func TestRecipientsThatDoNotGoTogetherAreRefusedInWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, one := classic(t)
		_, other := hybrid(t)
		for _, list := range [][]string{{one, other}, {"age1nobody"}, {"ssh-ed25519 AAAA"}} {
			c := w.config()
			c.Folder, c.Recipients = t.TempDir(), list
			if _, err := backups.New(w.Vault, c).Now(t.Context(), system()); !errs.Is(err, errs.Invalid) {
				t.Errorf("%d recipients: %v", len(list), err)
			}
		}
	})
}

// stockAge builds the program age once.
func stockAge(t *testing.T) string {
	t.Helper()
	program, err := builtAge()
	must(t, err)
	return program
}

var builtAge = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "aver-age-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "age")
	out, err := exec.Command("go", "build", "-modfile=../../tools/go.mod", "-o", program, "filippo.io/age/cmd/age").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build age: %w: %s", err, out)
	}
	return program, err
})

func TestAHybridIdentityOfThisMachineServesToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own, err := age.GenerateHybridIdentity()
		must(t, err)
		must(t, os.WriteFile(filepath.Join(w.Folder, "backup.key"), []byte(own.String()+"\n"), 0o600))
		must(t, w.restore(t, w.make(t), nil, filepath.Join(t.TempDir(), "data")))
	})
}

func TestWhatWasAcknowledgedBeforeABackupIsInItAndNothingIsHalf(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stop, before := make(chan struct{}), w.acknowledged(t, 20)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						w.add(t, "written meanwhile")
					}
				}
			})
		}
		file := w.make(t)
		close(stop)
		all.Wait()
		to := filepath.Join(t.TempDir(), "data")
		must(t, w.restore(t, file, nil, to))
		v := w.over(t, to)
		must(t, quarantine.Release(t.Context(), v, to))
		found := map[string]bool{}
		for _, b := range bodies(t, v, w.Tenant) { // it opens every one, so none is half
			found[b] = true
		}
		for _, words := range before {
			if !found[words] {
				t.Errorf("%q was acknowledged before the backup and is not in it", words)
			}
		}
		entries, err := v.Entries(t.Context(), w.Tenant, 0, 100_000)
		must(t, err)
		if rows := len(bodies(t, v, w.Tenant)); rows != len(written(entries)) {
			t.Errorf("%d rows and %d entries about them", rows, len(written(entries)))
		}
	})
}

// written are the entries that brought a note.
func written(entries []journal.Entry) (out []journal.Entry) {
	for _, e := range entries {
		if e.Action == "test.write" && e.Outcome == journal.Done && len(e.Touched) > 0 {
			out = append(out, e)
		}
	}
	return out
}

// acknowledged writes notes and returns their words.
func (w *world) acknowledged(t *testing.T, n int) (words []string) {
	t.Helper()
	for i := range n {
		words = append(words, fmt.Sprintf("note %d", i))
		w.add(t, words[i])
	}
	return words
}

// another is an empty, migrated PostgreSQL, such as stands in for one that was lost.
func (w *world) another(t *testing.T) pgtest.Database {
	t.Helper()
	return pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: w.schema, postgres.KeySchema: keyring.Migrations()})
}

func onPostgres(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	each(t, func(t *testing.T, w *world) {
		if w.shared {
			test(t, w)
		}
	})
}

func TestRowsAreRestoredIntoAnEmptyDatabaseWhichStaysShutUntilItIsReleased(t *testing.T) {
	onPostgres(t, func(t *testing.T, w *world) {
		bob := w.add(t, "bobs words")
		file := w.make(t)
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, bob, "test"))
		_, err := w.Vault.FinishErasures(t.Context(), w.Tenant)
		must(t, err)
		db, to := w.another(t), filepath.Join(t.TempDir(), "data")
		order := backups.Order{From: shelf.Folder(w.folder), Name: filepath.Base(file), To: to, Rows: db.Empty(t, postgres.StoreSchema, w.schema)}
		_, err = w.backups.Restore(t.Context(), system(), order)
		must(t, err)
		into := db.Open(t, postgres.StoreSchema, w.schema)
		v, err := vault.Open(t.Context(), vault.Config{Engine: into, Keys: w.Vault.Keys(), Clock: w.Clock, Blobs: filepath.Join(to, "blobs"), Tables: w.tables})
		must(t, err)
		t.Cleanup(func() { must(t, v.Close()) })
		if err := quarantine.Database(t.Context(), v); !errs.Is(err, errs.Conflict) {
			t.Errorf("a restored database may be served: %v", err)
		}
		must(t, quarantine.Release(t.Context(), v, to))
		must(t, errors.Join(quarantine.Database(t.Context(), v), quarantine.Folder(to)))
		if got := bodies(t, v, w.Tenant); len(got) != 1 || got[0] != "words that only ada wrote" {
			t.Errorf("restored: %v", got)
		}
		w.add(t, "life goes on")
		order.To = filepath.Join(t.TempDir(), "data")
		if _, err := w.backups.Restore(t.Context(), system(), order); !errs.Is(err, errs.Conflict) {
			t.Errorf("restored over what is there: %v", err)
		}
		live := order
		live.Rows = w.Engine
		if _, err := w.backups.Restore(t.Context(), system(), live); !errs.Is(err, errs.Conflict) {
			t.Errorf("restored over the living: %v", err)
		}
		if got := bodies(t, w.Vault, w.Tenant); len(got) != 2 {
			t.Errorf("the living were touched: %v", got)
		}
	})
}

// long makes a backup that is encrypted in several pieces: rows, then a letter.
func (w *world) long(t *testing.T) (file string, raw []byte) {
	t.Helper()
	sys := vaulttest.System(w.Tenant)
	blob, err := w.Vault.PutBlob(t.Context(), sys, w.ada, "text/plain", strings.NewReader(strings.Repeat("a long letter ", 20_000)), 1<<20)
	must(t, err)
	must(t, w.Vault.Do(t.Context(), sys, act, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))
	file = w.make(t)
	raw, err = os.ReadFile(file)
	must(t, err)
	return file, raw
}

func TestADatabaseIntoWhichAnAlteredBackupWasReadStaysShut(t *testing.T) {
	onPostgres(t, func(t *testing.T, w *world) {
		file, raw := w.long(t)
		raw[len(raw)/2] ^= 1 // in the letter, which is read after the archive was opened
		must(t, os.WriteFile(file, raw, 0o600))
		db, to := w.another(t), filepath.Join(t.TempDir(), "data")
		order := backups.Order{From: shelf.Folder(w.folder), Name: filepath.Base(file), To: to, Rows: db.Empty(t, postgres.StoreSchema, w.schema)}
		if _, err := w.backups.Restore(t.Context(), system(), order); !errs.Is(err, errs.Invalid) {
			t.Fatalf("restored: %v", err)
		}
		v, err := vault.Open(t.Context(), vault.Config{Engine: db.Open(t, postgres.StoreSchema, w.schema), Keys: w.Vault.Keys(), Clock: w.Clock, Blobs: filepath.Join(to, "blobs"), Tables: w.tables})
		must(t, err)
		t.Cleanup(func() { must(t, v.Close()) })
		if err := quarantine.Database(t.Context(), v); !errs.Is(err, errs.Conflict) {
			t.Errorf("it may be served: %v", err)
		}
		if quarantine.Release(t.Context(), v, to) == nil {
			t.Error("it is released")
		}
	})
}

func TestADatabaseIntoWhichSomebodyBeganToRestoreIsNotEmpty(t *testing.T) {
	onPostgres(t, func(t *testing.T, w *world) {
		file, raw := w.long(t)
		altered := bytes.Clone(raw)
		altered[bytes.Index(raw, []byte("\n--- "))+200] ^= 1 // in the first of what is encrypted: no row is read
		must(t, os.WriteFile(file, altered, 0o600))
		db := w.another(t)
		restore := func(file string) error {
			_, err := w.backups.Restore(t.Context(), system(), backups.Order{From: shelf.Folder(w.folder), Name: filepath.Base(file), To: filepath.Join(t.TempDir(), "data"), Rows: db.Empty(t, postgres.StoreSchema, w.schema)})
			return err
		}
		if err := restore(file); !errs.Is(err, errs.Invalid) {
			t.Fatalf("restored: %v", err)
		}
		must(t, os.WriteFile(file, raw, 0o600))
		w.Clock.Advance(time.Minute)
		for name, file := range map[string]string{"the same, unaltered": file, "another": w.make(t)} {
			if err := restore(file); !errs.Is(err, errs.Conflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestACopyOfTheKeysMakesAnotherMachineReadTheBackup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		file := w.make(t)
		copies, err := filepath.Glob(filepath.Join(w.folder, "aver-keys-*.age"))
		must(t, err)
		identity, err := os.ReadFile(filepath.Join(w.Folder, "backup.key"))
		must(t, err)
		keys := w.restoredKeys(t, copies[0], string(identity))
		to := filepath.Join(t.TempDir(), "data")
		must(t, w.restore(t, file, nil, to))
		e, err := sqlite.Open(sqlite.Config{Root: to, PageKey: keys.PageKey, Migrations: w.schema})
		must(t, err)
		v, err := vault.Open(t.Context(), vault.Config{Engine: e, Keys: keys, Clock: w.Clock, Blobs: filepath.Join(to, "blobs"), Tables: w.tables})
		must(t, err)
		t.Cleanup(func() { must(t, v.Close()) })
		if got := bodies(t, v, w.Tenant); len(got) != 1 {
			t.Errorf("read with the copied keys: %v", got)
		}
	})
}

// repacked is a copy of the keys that somebody opened, altered and sealed again under the same name.
func repacked(t *testing.T, file string, own *age.X25519Identity, alter func(name string, content []byte) (string, []byte)) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	must(t, err)
	clear, size, err := age.DecryptReaderAt(bytes.NewReader(raw), int64(len(raw)), own)
	must(t, err)
	z, err := zip.NewReader(clear, size)
	must(t, err)
	to, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(file)))
	must(t, err)
	out, err := age.Encrypt(to, own.Recipient())
	must(t, err)
	again := zip.NewWriter(out)
	for _, f := range z.File {
		from, err := f.Open()
		must(t, err)
		content, err := io.ReadAll(from)
		must(t, err)
		name, content := alter(f.Name, content)
		if name == "" {
			continue
		}
		w, err := again.Create(name)
		must(t, err)
		_, err = w.Write(content)
		must(t, err)
	}
	must(t, errors.Join(again.Close(), out.Close(), to.Close()))
	return to.Name()
}

func TestACopyOfTheKeysThatIsNotAsItWasSignedIsRefusedAndWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make(t)
		copies, err := filepath.Glob(filepath.Join(w.folder, "aver-keys-*.age"))
		must(t, err)
		identity, err := os.ReadFile(filepath.Join(w.Folder, "backup.key"))
		must(t, err)
		own, err := age.ParseX25519Identity(strings.TrimSpace(string(identity)))
		must(t, err)
		var store engine.Engine
		if w.shared {
			store = w.another(t).Open(t, postgres.KeySchema, keyring.Migrations())
		}
		same := func(name string, content []byte) (string, []byte) { return name, content }
		restore := func(file, machine string) error {
			return backups.RestoreKeys(t.Context(), keysOrder(file, string(identity), machine, store))
		}
		another := repacked(t, copies[0], own, same)
		renamed := filepath.Join(t.TempDir(), strings.Replace(filepath.Base(another), "aver-keys-2026", "aver-keys-2027", 1))
		must(t, os.Link(another, renamed))
		acme := "keys/stores/" + w.Tenant.String()
		for name, file := range map[string]string{
			"as a later one": renamed,
			"a store is altered": repacked(t, copies[0], own, func(name string, content []byte) (string, []byte) {
				if strings.HasPrefix(name, acme) {
					content[len(content)/2] ^= 1
				}
				return name, content
			}),
			"a store is left out": repacked(t, copies[0], own, func(name string, content []byte) (string, []byte) {
				if strings.HasPrefix(name, acme) {
					name = ""
				}
				return name, content
			}),
			"somebody else signed": repacked(t, copies[0], own, func(name string, content []byte) (string, []byte) {
				if name == "manifest.json" {
					m, err := manifest.Read(content, filepath.Base(copies[0]), ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
					must(t, err)
					content, err = m.Sign(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{4}, 32)))
					must(t, err)
				}
				return name, content
			}),
			"nobody signed": repacked(t, copies[0], own, func(name string, content []byte) (string, []byte) {
				if name == "manifest.json" {
					name = ""
				}
				return name, content
			}),
		} {
			machine := t.TempDir()
			if err := restore(file, machine); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
			if found, err := os.ReadDir(machine); err != nil || len(found) != 0 {
				t.Errorf("%s: wrote %v (%v)", name, found, err)
			}
		}
		must(t, restore(another, t.TempDir()))
	})
}

func TestAnErasureInAnotherProcessReplacesTheCopyOfTheKeysToo(t *testing.T) {
	onPostgres(t, func(t *testing.T, w *world) {
		w.make(t)
		first, err := filepath.Glob(filepath.Join(w.folder, "aver-keys-*.age"))
		must(t, err)
		w.Clock.Advance(time.Hour)
		must(t, w.backups.KeysTurn(t.Context()))
		if same, err := filepath.Glob(filepath.Join(w.folder, "aver-keys-*.age")); err != nil || same[0] != first[0] {
			t.Errorf("copied without a reason: %v", same)
		}
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test")) // this service does not listen, as in another process
		w.Clock.Advance(time.Hour)
		must(t, w.backups.KeysTurn(t.Context()))
		if now, err := filepath.Glob(filepath.Join(w.folder, "aver-keys-*.age")); err != nil || len(now) != 1 || now[0] == first[0] {
			t.Errorf("the copies are %v", now)
		}
	})
}
