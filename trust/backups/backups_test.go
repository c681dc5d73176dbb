package backups_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module"
	"aver/frame/module/moduletest"
	"aver/trust/backups"
	"aver/trust/backups/manifest"
	"aver/trust/backups/quarantine"
	"aver/trust/backups/shelf"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/sqlite"
	"aver/vault/vaulttest"
)

var (
	act      = vault.Act("test.write", purpose.Storage, vault.System())
	actErase = vault.Act("test.erase", purpose.Storage, vault.System())
)

// seed signs.
var seed = bytes.Repeat([]byte{3}, ed25519.SeedSize)

func TestMain(m *testing.M) { pgtest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type world struct {
	*vaulttest.Kit
	shared  bool // on PostgreSQL
	schema  []engine.Migration
	backups *backups.Service
	folder  string
	ada     ids.Subject
	tables  []vault.AnyTable
}

// each runs a test on stores of files and on PostgreSQL.
func each(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	c := moduletest.Config(t, identity.New(nil).Module(), backups.New(nil, backups.Config{}).Module())
	c.Tables, c.Migrations = append(c.Tables, vaulttest.Notes), append(c.Migrations, vaulttest.NotesSchema)
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) {
		_, files := k.Engine.(*sqlite.Engine)
		w := &world{Kit: k, shared: !files, folder: t.TempDir(), tables: c.Tables, schema: whole(t, c)}
		w.backups = backups.New(k.Vault, w.config())
		w.ada = w.add(t, "words that only ada wrote")
		test(t, w)
	})
}

// whole is the schema with the vault's own part.
func whole(t *testing.T, c vaulttest.Config) []engine.Migration {
	t.Helper()
	all, err := module.Migrations([]module.Module{{Name: "vault", Number: vault.Number, Migrations: vault.Migrations()}})
	must(t, err)
	return append(all, c.Migrations...)
}

func (w *world) config() backups.Config {
	var servers []backups.Server
	if shared, is := w.Engine.(backups.Server); is {
		servers = append(servers, shared)
	}
	return backups.Config{Servers: servers, Folder: w.folder, Data: w.Folder, Seed: seed, KeyStore: w.Keys, Shared: w.shared, Schema: w.schema,
		Log: slog.New(slog.DiscardHandler)}
}

func system() vault.Actor { return vaulttest.System(ids.Installation) }

// restore restores a backup that lies somewhere into a folder.
func (w *world) restore(t *testing.T, file string, identity io.Reader, to string) error {
	t.Helper()
	_, err := w.backups.Restore(t.Context(), system(), backups.Order{From: shelf.Folder(filepath.Dir(file)), Name: filepath.Base(file), Identity: identity, To: to})
	return err
}

func (w *world) add(t *testing.T, words string) ids.Subject {
	t.Helper()
	sys := vaulttest.System(w.Tenant)
	who, err := w.Vault.NewSubject(t.Context(), sys)
	must(t, err)
	blob, err := w.Vault.PutBlob(t.Context(), sys, who, "text/plain", strings.NewReader("file of "+words), 1000)
	must(t, err)
	must(t, w.Vault.Do(t.Context(), sys, act, func(tx *vault.Tx) error {
		tx.About(who)
		if err := vault.Blobs.Add(tx, blob); err != nil {
			return err
		}
		return vaulttest.Notes.Add(tx, vaulttest.Note{ID: ids.NewObject(tx.Now()), Who: who, Body: personal.Of(words)})
	}))
	return who
}

func (w *world) make(t *testing.T) string {
	t.Helper()
	m, err := w.backups.Now(t.Context(), vaulttest.System(ids.Installation))
	must(t, err)
	return filepath.Join(w.folder, m.Name)
}

// over opens a restored folder with the live keys.
func (w *world) over(t *testing.T, folder string) *vault.Vault {
	t.Helper()
	e, err := sqlite.Open(sqlite.Config{Root: folder, PageKey: w.Vault.Keys().PageKey, Migrations: w.schema})
	must(t, err)
	v, err := vault.Open(t.Context(), vault.Config{Engine: e, Keys: w.Vault.Keys(), Clock: w.Clock, Blobs: filepath.Join(folder, "blobs"), Tables: w.tables})
	must(t, err)
	t.Cleanup(func() { must(t, v.Close()) })
	return v
}

func bodies(t *testing.T, v *vault.Vault, tenant ids.Tenant) (out []string) {
	t.Helper()
	must(t, v.View(t.Context(), vaulttest.System(tenant), act, func(tx *vault.Tx) error {
		all, err := vaulttest.Notes.Find(tx, "ORDER BY id")
		for _, n := range all {
			out = append(out, n.Body.Reveal())
		}
		return err
	}))
	return out
}

func found(t *testing.T, v *vault.Vault, tenant ids.Tenant, word string) (out []vaulttest.Note) {
	t.Helper()
	must(t, v.View(t.Context(), vaulttest.System(tenant), act, func(tx *vault.Tx) (err error) {
		out, err = vaulttest.Notes.Search(tx, word, 10)
		return err
	}))
	return out
}

func TestABackupIsRestoredAndKeptShutUntilErasuresAreReplayed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bob := w.add(t, "bobs words")
		file := w.make(t)
		raw, err := os.ReadFile(file)
		must(t, err)
		if bytes.Contains(raw, []byte("only ada")) || !bytes.HasPrefix(raw, []byte("age-encryption.org")) {
			t.Fatal("the backup is not encrypted")
		}
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, bob, "test"))

		to := filepath.Join(t.TempDir(), "data")
		must(t, w.restore(t, file, nil, to))
		if err := quarantine.Folder(to); !errs.Is(err, errs.Conflict) {
			t.Fatalf("a restored folder may be served: %v", err)
		}
		v := w.over(t, to)
		must(t, quarantine.Release(t.Context(), v, to))
		must(t, quarantine.Folder(to))
		if got := bodies(t, v, w.Tenant); len(got) != 1 || got[0] != "words that only ada wrote" {
			t.Errorf("restored: %v", got)
		}
		v.Catch(w.Tenant)
		eventually.Must(t, "what was restored is found by its words", func() bool { return len(found(t, v, w.Tenant, "ada")) == 1 })
		if got := found(t, v, w.Tenant, "bobs"); len(got) != 0 {
			t.Errorf("somebody erased is found: %v", got)
		}
		left, err := filepath.Glob(filepath.Join(to, "blobs", w.Tenant.String(), "*"))
		must(t, err)
		if len(left) != 1 {
			t.Errorf("%d files are left, want ada's", len(left))
		}
	})
}

func TestARestoreThatDidNotComeToItsEndIsNotReleased(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		file, to := w.make(t), filepath.Join(t.TempDir(), "data")
		must(t, w.restore(t, file, nil, to))
		must(t, os.Truncate(filepath.Join(to, "QUARANTINE"), 0)) // as it is until everything is restored
		if err := quarantine.Release(t.Context(), w.over(t, to), to); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "did not come to its end") {
			t.Errorf("released: %v", err)
		}
		if err := quarantine.Folder(to); !errs.Is(err, errs.Conflict) {
			t.Errorf("half a restore may be served: %v", err)
		}
	})
}

func TestADrillRecomputesLogsOpensValuesAndShowsThatErasedStaysErased(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make(t)
		sys := vaulttest.System(ids.Installation)
		d, err := w.backups.Drill(t.Context(), sys, nil)
		must(t, err)
		if !d.Holds || !d.Erased || d.Tenants != 3 || d.Entries < 3 || d.Samples < 1 || d.Took <= 0 {
			t.Errorf("got %+v", d)
		}
		last, err := w.backups.LastDrill(t.Context())
		must(t, err)
		if last.ID != d.ID || last.Took != d.Took {
			t.Errorf("kept %+v", last)
		}
		left, err := filepath.Glob(filepath.Join(w.Folder, ".drill-*"))
		must(t, err)
		if len(left) != 0 {
			t.Error("the drill left its folder behind")
		}
		if got := bodies(t, w.Vault, w.Tenant); len(got) != 1 {
			t.Errorf("the drill touched what is live: %v", got)
		}
	})
}

func TestADrillFinishesNobodysErasureInTheLiveStore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make(t)
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test"))
		d, err := w.backups.Drill(t.Context(), vaulttest.System(ids.Installation), nil)
		must(t, err)
		if !d.Holds {
			t.Fatalf("the drill failed: %s", d.Fault)
		}
		if n, err := w.Vault.FinishErasures(t.Context(), w.Tenant); n != 1 || err != nil {
			t.Errorf("after the drill %d erasures were open: %v", n, err)
		}
		if got := bodies(t, w.Vault, w.Tenant); len(got) != 0 {
			t.Errorf("%d rows of somebody erased are left", len(got))
		}
	})
}

func TestOnlyAWholeUnalteredBackupOfOursIsRestored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		older := w.make(t)
		w.Clock.Advance(time.Hour)
		file := w.make(t)
		stranger, err := age.GenerateX25519Identity()
		must(t, err)
		cases := map[string]struct {
			file, manifest     string // instead of the backup's own
			alter, alterSigned func([]byte) []byte
			identity           io.Reader
			want               string
		}{
			"another key":                       {identity: strings.NewReader(stranger.String()), want: "does not open it"},
			"cut off":                           {alter: func(b []byte) []byte { return b[:len(b)/2] }, want: "were signed"},
			"lengthened":                        {alter: func(b []byte) []byte { return append(b, 0) }, want: "were signed"},
			"one bit":                           {alter: func(b []byte) []byte { b[len(b)-50] ^= 1; return b }, want: "does not open"},
			"one bit of a store":                {alter: func(b []byte) []byte { b[len(b)/3] ^= 1; return b }, want: "The backup was not restored"},
			"no archive":                        {alter: func([]byte) []byte { return nil }, want: "only its manifest"},
			"a forged manifest":                 {alterSigned: func(b []byte) []byte { return bytes.Replace(b, []byte(`"erasures":0`), []byte(`"erasures":7`), 1) }, want: "not signed"},
			"half a manifest":                   {alterSigned: func(b []byte) []byte { return b[:len(b)/2] }, want: "cannot be read"},
			"no manifest":                       {alterSigned: func([]byte) []byte { return nil }, want: "missing"},
			"an older manifest":                 {manifest: older, want: "another backup"},
			"an older backup with its manifest": {file: older, manifest: older, want: "another backup"},
			"an older backup":                   {file: older, want: "The backup was not restored"},
		}
		for name, c := range cases {
			folder := t.TempDir()
			copied := filepath.Join(folder, filepath.Base(file))
			write(t, cmp.Or(c.file, file), copied, c.alter)
			write(t, manifestOf(cmp.Or(c.manifest, file)), manifestOf(copied), c.alterSigned)
			to := filepath.Join(folder, "data")
			if err := w.restore(t, copied, c.identity, to); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := os.Stat(to); err == nil {
				t.Errorf("%s: something was restored", name)
			}
		}
		other := w.config()
		other.Seed = bytes.Repeat([]byte{4}, 32)
		order := backups.Order{Name: filepath.Base(file), To: filepath.Join(t.TempDir(), "data")}
		if _, err := backups.New(w.Vault, other).Restore(t.Context(), system(), order); !errs.Is(err, errs.Invalid) {
			t.Errorf("another installation's: %v", err)
		}
		if n := w.logged(t, "backup.refused"); n != len(cases)+1 {
			t.Errorf("the log has %d refusals, want %d", n, len(cases)+1)
		}
		must(t, w.restore(t, file, nil, filepath.Join(t.TempDir(), "data"))) // nothing was lost
		if n := w.logged(t, "backup.restored"); n != 1 {
			t.Errorf("the log has %d restores", n)
		}
	})
}

// logged counts the events of a kind in the installation's log.
func (w *world) logged(t *testing.T, kind string) (n int) {
	t.Helper()
	entries, err := w.Vault.Entries(t.Context(), ids.Installation, 0, 10_000)
	must(t, err)
	for _, e := range entries {
		for _, event := range e.Events {
			if event.Kind == kind {
				n++
			}
		}
	}
	return n
}

func manifestOf(file string) string { return strings.TrimSuffix(file, ".age") + ".manifest.json" }

// Whoever has the seed and the recipient could sign anything; a restore still writes nowhere but below its folder.
func TestWhatASignedManifestNamesOutsideTheFolderIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make(t)
		for name, c := range map[string]struct{ path, want string }{
			"upwards":  {"../escaped", "outside"},
			"absolute": {"/tmp/escaped", "outside"},
			"missing":  {"stores/none", "missing"},
			"rows":     {"stores/" + w.Tenant.String() + "/rows", "PostgreSQL"},
			"longer":   {longer, "not the one that was signed"},
		} {
			if name == "rows" && w.shared {
				c.want = "rows cannot be read"
			}
			file := w.forge(t, c.path)
			to := filepath.Join(t.TempDir(), "data")
			if err := w.restore(t, file, nil, to); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(to), "escaped")); err == nil {
				t.Errorf("%s: a file was written outside", name)
			}
			if _, err := os.Stat(to); err == nil {
				t.Errorf("%s: what was begun is still there", name)
			}
		}
	})
}

const longer = "stores/longer" // a file that is longer than its manifest says

// forge makes a well signed backup with one file of a given path.
func (w *world) forge(t *testing.T, name string) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(w.Folder, "backup.key"))
	must(t, err)
	own, err := age.ParseX25519Identity(strings.TrimSpace(string(key)))
	must(t, err)
	var sealed bytes.Buffer
	out, err := age.Encrypt(&sealed, own.Recipient())
	must(t, err)
	z := zip.NewWriter(out)
	if name != "stores/none" {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name})
		must(t, err)
		text := "text"
		if name == longer {
			text = strings.Repeat(text, 1<<20)
		}
		_, err = io.WriteString(f, text)
		must(t, err)
	}
	must(t, errors.Join(z.Close(), out.Close()))
	sum, inner := sha256.Sum256(sealed.Bytes()), sha256.Sum256([]byte("text"))
	m := manifest.Manifest{Version: 1, Name: "aver-data-forged.age", Size: int64(sealed.Len()), SHA256: hex.EncodeToString(sum[:]),
		Tenants: []manifest.Part{{Tenant: w.Tenant, Files: []manifest.File{{Path: name, Size: 4, SHA256: hex.EncodeToString(inner[:])}}}}}
	text, err := json.Marshal(m)
	must(t, err)
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(w.config().Seed), append([]byte("aver backup manifest 1\n"), text...))
	whole, err := json.Marshal(map[string]any{"manifest": json.RawMessage(text), "signature": signature})
	must(t, err)
	file := filepath.Join(t.TempDir(), m.Name)
	must(t, errors.Join(os.WriteFile(file, sealed.Bytes(), 0o600), os.WriteFile(manifestOf(file), whole, 0o600)))
	return file
}

func write(t *testing.T, from, to string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	if change != nil {
		b = change(b)
	}
	if b != nil {
		must(t, os.WriteFile(to, b, 0o600))
	}
}

func TestARestoreIsNotReleasedWithAnOldKeyStore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test"))
		file := w.make(t)
		to := filepath.Join(t.TempDir(), "data")
		must(t, w.restore(t, file, nil, to))
		other := vaulttest.Embedded(t, vaulttest.Config{}) // its key store has never heard of the erasure
		if err := quarantine.Release(t.Context(), other.Vault, to); !errs.Is(err, errs.Conflict) {
			t.Errorf("released without its ledger: %v", err)
		}
		if n := (&world{Kit: other}).logged(t, "backup.release.refused"); n != 1 {
			t.Errorf("the log has %d refusals", n)
		}
		if err := quarantine.Folder(to); err == nil {
			t.Error("the quarantine was lifted")
		}
	})
}

func TestBackupsAreKeptForAWeekAtMostAndKeysAreCopiedAnewAfterAnErasure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make(t)
		count := func(pattern string) int {
			found, err := filepath.Glob(filepath.Join(w.folder, pattern))
			must(t, err)
			return len(found)
		}
		if count("aver-data-*.age") != 1 || count("aver-keys-*.age") != 1 {
			t.Fatalf("there are %d backups and %d copies of the keys", count("aver-data-*.age"), count("aver-keys-*.age"))
		}
		w.Clock.Advance(24 * time.Hour)
		w.make(t)
		if count("aver-keys-*.age") != 1 {
			t.Error("an older copy of the keys is still there")
		}
		w.Clock.Advance(6*24*time.Hour + 30*time.Minute)
		w.make(t)
		if n := count("aver-data-*.age"); n != 2 {
			t.Errorf("%d backups are left after a week, want 2", n)
		}
		list, err := w.backups.List(t.Context(), vaulttest.System(ids.Installation))
		must(t, err)
		if len(list) != 2 || !list[0].Signed || !list[0].Made.After(list[1].Made) {
			t.Errorf("got %d", len(list))
		}
	})
}

func TestTheManifestSaysWithoutAKeyWhetherTheFileIsWhole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		file := w.make(t)
		raw, err := os.ReadFile(file)
		must(t, err)
		signed, err := os.ReadFile(manifestOf(file))
		must(t, err)
		if want := fmt.Sprintf(`"sha256":"%x"`, sha256.Sum256(raw)); !strings.Contains(strings.ReplaceAll(string(signed), `": `, `":`), want) {
			t.Errorf("the manifest has no %s", want)
		}
	})
}

func TestAFullDiskMakesNoHalfBackup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make(t)
		w.Clock.Advance(time.Hour)
		part := filepath.Join(w.folder, "aver-data-"+w.Clock.Now().Format("20060102T150405.000")+".age.part")
		must(t, os.Symlink("/dev/full", part))
		_, err := w.backups.Now(t.Context(), vaulttest.System(ids.Installation))
		if !errs.Is(err, errs.NoSpace) {
			t.Fatalf("got %v", err)
		}
		list, err := w.backups.List(t.Context(), vaulttest.System(ids.Installation))
		must(t, err)
		if len(list) != 1 {
			t.Errorf("%d backups, want the older one", len(list))
		}
		if n := w.logged(t, "backup.failed"); n != 1 {
			t.Errorf("the log has %d failures", n)
		}
	})
}

func TestAManifestThatCannotBeWrittenGetsNoName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stem := filepath.Join(w.folder, "aver-data-"+w.Clock.Now().Format("20060102T150405.000"))
		must(t, os.Symlink("/dev/full", stem+".manifest.json.part"))
		if _, err := w.backups.Now(t.Context(), vaulttest.System(ids.Installation)); !errs.Is(err, errs.NoSpace) {
			t.Fatalf("got %v", err)
		}
		left, err := filepath.Glob(filepath.Join(w.folder, "aver-data-*"))
		must(t, err)
		if len(left) != 0 {
			t.Errorf("left over: %q", left)
		}
	})
}

func TestOnlyAWholeSignedBackupPutsTheNextOneOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, spoil := range map[string]func(file, manifest string) error{
			"an archive that is gone":       func(file, _ string) error { return os.Remove(file) },
			"a manifest with nothing in it": func(_, manifest string) error { return os.Truncate(manifest, 0) },
			"a manifest that somebody has added": func(file, manifest string) error {
				return errors.Join(os.Remove(file), os.WriteFile(manifest, []byte("{}"), 0o600))
			},
		} {
			w.Clock.Advance(24 * time.Hour)
			file := w.make(t)
			due, err := w.backups.BackupDue(t.Context())
			must(t, err)
			if due {
				t.Errorf("%s: another backup is due at once", name)
			}
			must(t, spoil(file, strings.TrimSuffix(file, ".age")+".manifest.json"))
			if due, err = w.backups.BackupDue(t.Context()); err != nil || !due {
				t.Errorf("%s counts as a backup (%v)", name, err)
			}
		}
	})
}

func TestABackupAndItsDrillAreWorkOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		queue := moduletest.Queue(t)
		must(t, w.backups.Module().Jobs(queue))
		left, foreign := ".drill-"+w.Clock.Now().AddDate(1, 0, 0).Format(shelf.Stamp)+"-1", ".drill-x" // by a crash while the clock was ahead; by somebody else
		must(t, errors.Join(os.Mkdir(filepath.Join(w.Folder, left), 0o700), os.Mkdir(filepath.Join(w.Folder, foreign), 0o700)))
		must(t, w.backups.Turn(t.Context()))
		if found, err := filepath.Glob(filepath.Join(w.Folder, ".drill-*")); err != nil || len(found) != 1 || filepath.Base(found[0]) != foreign {
			t.Errorf("left of drills: %v, %v", found, err)
		}
		list, err := w.backups.List(t.Context(), vaulttest.System(ids.Installation))
		must(t, err)
		if len(list) != 0 {
			t.Error("the hour's turn itself made the backup")
		}
		must(t, queue.Start(t.Context()))
		eventually.Must(t, "the backup is rehearsed", func() bool {
			d, err := w.backups.LastDrill(t.Context())
			return err == nil && d.Holds
		})
	})
}

func TestWhatAClockThatWasAheadDatedPutsNothingOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Clock.Advance(30 * 24 * time.Hour)
		w.make(t)
		_, err := w.backups.Drill(t.Context(), vaulttest.System(ids.Installation), nil)
		must(t, err)
		w.Clock.Advance(-30 * 24 * time.Hour)
		if due, err := w.backups.BackupDue(t.Context()); err != nil || !due {
			t.Errorf("no backup is due (%v)", err)
		}
		if d, err := w.backups.LastDrill(t.Context()); !errs.Is(err, errs.NotFound) {
			t.Errorf("the last drill began %s (%v)", d.Began, err)
		}
		w.make(t)
		files, err := os.ReadDir(w.folder)
		must(t, err)
		kinds := map[string]int{}
		for _, f := range files {
			made, _ := shelf.MadeAt(f.Name())
			if made.After(w.Clock.Now()) {
				t.Errorf("%s is kept until its date", f.Name())
			}
			kinds[f.Name()[:len(shelf.Keys)]]++
		}
		if kinds[shelf.Data] != 2 || kinds[shelf.Keys] != 1 { // a backup with its manifest, and a copy of the keys
			t.Errorf("there is %v", kinds)
		}
	})
}

func TestARecipientKeepsTheIdentityAwayFromTheMachine(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		offline, err := age.GenerateX25519Identity()
		must(t, err)
		c := w.config()
		c.Folder = t.TempDir()
		c.Recipients = []string{offline.Recipient().String()}
		s := backups.New(w.Vault, c)
		_, err = s.Now(t.Context(), vaulttest.System(ids.Installation))
		must(t, err)
		if _, err := os.Stat(filepath.Join(w.Folder, "backup.key")); err == nil {
			t.Error("a key was made although there is a recipient")
		}
		if _, err := s.Drill(context.Background(), vaulttest.System(ids.Installation), nil); !errs.Is(err, errs.Conflict) {
			t.Errorf("a drill without the identity: %v", err)
		}
		d, err := s.Drill(t.Context(), vaulttest.System(ids.Installation), strings.NewReader(offline.String()))
		must(t, err)
		if !d.Holds {
			t.Errorf("got %+v", d)
		}
	})
}

func TestARefusedDrillIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	vaulttest.Each(t, vaulttest.Config{}, func(t *testing.T, k *vaulttest.Kit) {
		s := backups.New(k.Vault, backups.Config{})
		if _, err := s.Drill(t.Context(), vaulttest.User(k.Tenant, vault.Operator), nil); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
		log, err := k.Vault.Entries(t.Context(), k.Tenant, 0, 10)
		must(t, err)
		if len(log) != 1 || log[0].Outcome != journal.Denied || log[0].Action != "backup.drill" {
			t.Errorf("the log has %+v", log)
		}
	})
}
