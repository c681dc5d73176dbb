package backups_test

import (
	"bytes"
	"context"
	"errors"
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
	"aver/frame/module/moduletest"
	"aver/trust/backups"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/postgres/pgtest"
	"aver/vault/sqlite"
	"aver/vault/vaulttest"
)

type note struct {
	ID   ids.Object    `vault:"id,key"`
	Who  ids.Subject   `vault:"who,subject"`
	Body personal.Text `vault:"body,personal:user.content"`
}

var (
	notes    = vault.Define[note]("notes", vault.Purpose("testing"), vault.KeepWhile("the test"))
	act      = vault.Act("test.write", vault.System())
	actErase = vault.Act("test.erase", vault.System())
)

var schema = engine.Migration{Version: 900001, Name: "notes/0001.sql", SQL: `CREATE TABLE notes (
    id ID NOT NULL,
    who ID,
    body SEALED,
    PRIMARY KEY (id)
);
CREATE INDEX notes_by_who ON notes (who);
`}

func TestMain(m *testing.M) { pgtest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type world struct {
	*vaulttest.Kit
	backups *backups.Service
	folder  string
	ada     ids.Subject
	tables  []vault.AnyTable
}

func config(k *vaulttest.Kit, folder string) backups.Config {
	return backups.Config{Folder: folder, Data: k.Folder, Seed: bytes.Repeat([]byte{3}, 32), KeyStore: k.Engine}
}

func start(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	c := moduletest.Config(t, backups.New(nil, backups.Config{}).Module())
	c.Tables, c.Migrations = append(c.Tables, notes), append(c.Migrations, schema)
	k := vaulttest.Embedded(t, c)
	w := &world{Kit: k, folder: t.TempDir(), tables: c.Tables}
	w.backups = backups.New(k.Vault, config(k, w.folder))
	w.ada = w.add(t, "words that only ada wrote")
	return w
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
		return notes.Add(tx, note{ID: ids.NewObject(tx.Now()), Who: who, Body: personal.Of(words)})
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
	e, err := sqlite.Open(sqlite.Config{Root: folder, PageKey: w.Vault.Keys().PageKey})
	must(t, err)
	v, err := vault.Open(t.Context(), vault.Config{Engine: e, Keys: w.Vault.Keys(), Clock: w.Clock, Blobs: filepath.Join(folder, "blobs"), Tables: w.tables})
	must(t, err)
	t.Cleanup(func() { must(t, v.Close()) })
	return v
}

func bodies(t *testing.T, v *vault.Vault, tenant ids.Tenant) (out []string) {
	t.Helper()
	must(t, v.View(t.Context(), vaulttest.System(tenant), act, func(tx *vault.Tx) error {
		all, err := notes.Find(tx, "ORDER BY id")
		for _, n := range all {
			out = append(out, n.Body.Reveal())
		}
		return err
	}))
	return out
}

func TestABackupIsRestoredAndKeptShutUntilErasuresAreReplayed(t *testing.T) {
	w := start(t)
	bob := w.add(t, "bobs words")
	file := w.make(t)
	raw, err := os.ReadFile(file)
	must(t, err)
	if bytes.Contains(raw, []byte("only ada")) || !bytes.HasPrefix(raw, []byte("age-encryption.org")) {
		t.Fatal("the backup is not encrypted")
	}
	must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, bob, "test"))

	to := filepath.Join(t.TempDir(), "data")
	_, err = w.backups.Restore(t.Context(), file, nil, to)
	must(t, err)
	if err := backups.Quarantined(to); !errs.Is(err, errs.Conflict) {
		t.Fatalf("a restored folder may be served: %v", err)
	}
	v := w.over(t, to)
	must(t, backups.Release(t.Context(), v, to))
	must(t, backups.Quarantined(to))
	if got := bodies(t, v, w.Tenant); len(got) != 1 || got[0] != "words that only ada wrote" {
		t.Errorf("restored: %v", got)
	}
	left, err := filepath.Glob(filepath.Join(to, "blobs", w.Tenant.String(), "*"))
	must(t, err)
	if len(left) != 1 {
		t.Errorf("%d files are left, want ada's", len(left))
	}
}

func TestADrillRecomputesLogsOpensValuesAndShowsThatErasedStaysErased(t *testing.T) {
	w := start(t)
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
	left, err := filepath.Glob(filepath.Join(w.folder, ".drill-*"))
	must(t, err)
	if len(left) != 0 {
		t.Error("the drill left its folder behind")
	}
	if got := bodies(t, w.Vault, w.Tenant); len(got) != 1 {
		t.Errorf("the drill touched what is live: %v", got)
	}
}

func TestADrillFinishesNobodysErasureInTheLiveStore(t *testing.T) {
	w := start(t)
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
}

func TestOnlyAWholeUnalteredBackupOfOursIsRestored(t *testing.T) {
	w := start(t)
	file := w.make(t)
	manifest := strings.TrimSuffix(file, ".age") + ".manifest.json"
	stranger, err := age.GenerateX25519Identity()
	must(t, err)
	for name, c := range map[string]struct {
		file     func([]byte) []byte
		manifest func([]byte) []byte
		identity string
		want     string
	}{
		"another key":       {identity: stranger.String(), want: "does not open it"},
		"cut off":           {file: func(b []byte) []byte { return b[:len(b)/2] }, want: "cut off"},
		"one bit":           {file: func(b []byte) []byte { b[len(b)-50] ^= 1; return b }, want: "not those that were signed"},
		"a forged manifest": {manifest: func(b []byte) []byte { return bytes.Replace(b, []byte(`"erasures":0`), []byte(`"erasures":7`), 1) }, want: "not signed"},
		"no manifest":       {manifest: func([]byte) []byte { return nil }, want: "missing"},
	} {
		folder := t.TempDir()
		copied := filepath.Join(folder, filepath.Base(file))
		write(t, file, copied, c.file)
		write(t, manifest, filepath.Join(folder, filepath.Base(manifest)), c.manifest)
		var identity *strings.Reader
		to := filepath.Join(folder, "data")
		if c.identity != "" {
			identity = strings.NewReader(c.identity)
			_, err = w.backups.Restore(t.Context(), copied, identity, to)
		} else {
			_, err = w.backups.Restore(t.Context(), copied, nil, to)
		}
		if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: something was restored", name)
		}
	}
	other := backups.New(w.Vault, backups.Config{Folder: w.folder, Data: w.Folder, Seed: bytes.Repeat([]byte{4}, 32)})
	if _, err := other.Restore(t.Context(), file, nil, filepath.Join(t.TempDir(), "data")); !errs.Is(err, errs.Invalid) {
		t.Errorf("another installation's: %v", err)
	}
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
	w := start(t)
	must(t, w.Vault.EraseSubject(t.Context(), vaulttest.System(w.Tenant), actErase, w.ada, "test"))
	file := w.make(t)
	to := filepath.Join(t.TempDir(), "data")
	_, err := w.backups.Restore(t.Context(), file, nil, to)
	must(t, err)
	other := vaulttest.Embedded(t, vaulttest.Config{}) // its key store has never heard of the erasure
	if err := backups.Release(t.Context(), other.Vault, to); !errs.Is(err, errs.Conflict) {
		t.Errorf("released without its ledger: %v", err)
	}
	if err := backups.Quarantined(to); err == nil {
		t.Error("the quarantine was lifted")
	}
}

func TestBackupsAreKeptForAWeekAtMostAndKeysAreCopiedAnewAfterAnErasure(t *testing.T) {
	w := start(t)
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
}

func TestAFullDiskMakesNoHalfBackup(t *testing.T) {
	w := start(t)
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
}

func TestAManifestThatCannotBeWrittenGetsNoName(t *testing.T) {
	w := start(t)
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
}

func TestOnlyAWholeSignedBackupPutsTheNextOneOff(t *testing.T) {
	w := start(t)
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
}

func TestABackupAndItsDrillAreWorkOfTheirOwn(t *testing.T) {
	w := start(t)
	queue := moduletest.Queue(t)
	must(t, w.backups.Module().Jobs(queue))
	must(t, w.backups.Turn(t.Context()))
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
}

func TestWhatAClockThatWasAheadDatedPutsNothingOff(t *testing.T) {
	w := start(t)
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
}

func TestARecipientKeepsTheIdentityAwayFromTheMachine(t *testing.T) {
	w := start(t)
	offline, err := age.GenerateX25519Identity()
	must(t, err)
	c := config(w.Kit, t.TempDir())
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
}

func TestARefusedDrillIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	vaulttest.Each(t, vaulttest.Config{}, func(t *testing.T, k *vaulttest.Kit) {
		_, embedded := k.Engine.(*sqlite.Engine)
		s := backups.New(k.Vault, backups.Config{Shared: !embedded})
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

func TestPostgreSQLIsBackedUpElsewhere(t *testing.T) {
	t.Parallel()
	s := backups.New(nil, backups.Config{Shared: true})
	if _, err := s.Now(t.Context(), vaulttest.System(ids.Installation)); !errs.Is(err, errs.Conflict) {
		t.Errorf("got %v", err)
	}
}
