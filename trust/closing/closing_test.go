package closing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/frame/module/moduletest"
	"aver/trust/audit"
	"aver/trust/closing"
	"aver/trust/identity"
	"aver/trust/retention"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/keyring"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

var (
	act = vault.Act("test.write", purpose.Storage, vault.System(), vault.Roles(vault.Owner))
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
	closing *closing.Service
	audit   *audit.Service
	sweeps  *retention.Service
	cfg     closing.Config
	cut     []ids.Tenant
	letters []mail.Message
}

// Send implements closing.Mailer.
func (w *world) Send(_ context.Context, m mail.Message) error {
	w.letters = append(w.letters, m)
	return nil
}

func each(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	c := moduletest.Config(t, identity.New(nil).Module(), audit.New(nil).Module(), retention.New(nil, retention.Config{}).Module(), closing.New(nil, closing.Config{}).Module())
	c.Tables, c.Migrations = append(c.Tables, vaulttest.Notes), append(c.Migrations, vaulttest.NotesSchema)
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) {
		k.Vault.Settle("eu")
		w := &world{Kit: k, audit: audit.New(k.Vault), sweeps: retention.New(k.Vault, retention.Config{})}
		w.cfg = closing.Config{Audit: w.audit, Mailer: w, Host: func() string { return "aver.example" }, Data: k.Folder, Log: slog.New(slog.DiscardHandler),
			Trust:  func(ctx context.Context) (bool, error) { return w.sweeps.TrustClock(ctx, ids.Installation) },
			Closed: func(t ids.Tenant) { w.cut = append(w.cut, t) },
			Keys: func(tenant ids.Tenant) error {
				return os.RemoveAll(filepath.Join(k.Folder, "keys", "pages", tenant.String()))
			}}
		w.closing = closing.New(k.Vault, w.cfg)
		w.write(t, k.Tenant, "words of the closed")
		w.write(t, k.Other, "words of the other")
		test(t, w)
	})
}

func (w *world) write(t *testing.T, tenant ids.Tenant, words string) {
	t.Helper()
	sys := vaulttest.System(tenant)
	who, err := w.Vault.NewSubject(t.Context(), sys)
	must(t, err)
	blob, err := w.Vault.PutBlob(t.Context(), sys, who, "text/plain", strings.NewReader(words), 1000)
	must(t, err)
	must(t, w.Vault.Do(t.Context(), sys, act, func(tx *vault.Tx) error {
		return errors.Join(vault.Blobs.Add(tx, blob), vaulttest.Notes.Add(tx, vaulttest.Note{ID: ids.NewObject(tx.Now()), Who: who, Body: personal.Of(words)}))
	}))
	must(t, w.Vault.Do(t.Context(), vaulttest.System(ids.Installation), act, func(tx *vault.Tx) error {
		return identity.Doors.Add(tx, identity.Door{ID: ids.NewObject(tx.Now()), Email: words + "@example.org", Workspace: tenant, User: ids.NewUser(tx.Now())})
	}))
}

func (w *world) reads(t *testing.T, tenant ids.Tenant) (n int, err error) {
	t.Helper()
	err = w.Vault.View(t.Context(), vaulttest.User(tenant, vault.Owner), act, func(tx *vault.Tx) (err error) {
		n, err = vaulttest.Notes.Count(tx, "")
		return err
	})
	return n, err
}

func TestAClosedWorkspaceAnswersAsOneThatDoesNotExistUntilItIsReopened(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if _, _, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Administrator), closing.Grace, ""); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an administrator: %v", err)
		}
		if _, _, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), 91*24*time.Hour, ""); !errs.Is(err, errs.Invalid) {
			t.Errorf("a grace of 91 days: %v", err)
		}
		c, secret, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), closing.Grace, "owner@example.org")
		must(t, err)
		for name, got := range map[string]error{
			"a read":          func() error { _, err := w.reads(t, w.Tenant); return err }(),
			"a write by Aver": w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(*vault.Tx) error { return nil }),
			"by its name":     func() error { _, err := w.Vault.TenantBySlug(t.Context(), "acme"); return err }(),
			"closing it again": func() error {
				_, _, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), 0, "")
				return err
			}(),
		} {
			if !errs.Is(got, errs.NotFound) {
				t.Errorf("%s: %v", name, got)
			}
		}
		if _, err := w.Vault.CreateTenant(t.Context(), vault.Tenant{Slug: "acme", Name: "another", Region: "eu"}); !errs.Is(err, errs.Conflict) {
			t.Errorf("its name was given away: %v", err)
		}
		if n, err := w.reads(t, w.Other); n != 1 || err != nil {
			t.Errorf("the other workspace: %d, %v", n, err)
		}
		if len(w.cut) != 1 || w.cut[0] != w.Tenant || len(w.letters) != 1 || !strings.Contains(w.letters[0].Text, secret) {
			t.Errorf("cut off %v, letters %d", w.cut, len(w.letters))
		}
		if _, err := w.closing.Destroy(t.Context(), w.Tenant); !errs.Is(err, errs.Conflict) {
			t.Errorf("destroyed within the grace period: %v", err)
		}
		if found, err := w.closing.ByLink(t.Context(), secret); err != nil || found.Workspace != c.Workspace || found.OrderedBy != "owner" {
			t.Errorf("by its link: %+v, %v", found, err)
		}
		if _, err := w.closing.ByLink(t.Context(), secret+"x"); !errs.Is(err, errs.NotFound) {
			t.Errorf("by a guessed link: %v", err)
		}
		_, err = w.closing.Reopen(t.Context(), "acme")
		must(t, err)
		if n, err := w.reads(t, w.Tenant); n != 1 || err != nil {
			t.Errorf("reopened: %d, %v", n, err)
		}
		if _, err := w.closing.Reopen(t.Context(), "acme"); !errs.Is(err, errs.NotFound) {
			t.Errorf("reopened twice: %v", err)
		}
	})
}

func TestOfManyClosingsAtOnceOneCountsAndItsLinkLeadsThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const many = 8
		links, faults := make(chan string, many), make(chan error, many)
		for range many {
			go func() {
				_, secret, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), closing.Grace, "")
				if err == nil {
					links <- secret
				}
				faults <- err
			}()
		}
		for range many {
			if err := <-faults; err != nil && !errs.Is(err, errs.Conflict) && !errs.Is(err, errs.NotFound) {
				t.Errorf("a closing that came later: %v", err)
			}
		}
		if len(links) != 1 {
			t.Fatalf("%d closings were told that they are the one", len(links))
		}
		if c, err := w.closing.ByLink(t.Context(), <-links); err != nil || c.Workspace != w.Tenant {
			t.Errorf("by its link: %v, %v", c.Workspace, err)
		}
	})
}

func TestAfterTheGracePeriodKeysRowsAndFilesAreGoneAndACertificateSaysSo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Filed(t) // the index of words has rows too
		before, err := w.closing.Look(t.Context(), w.Tenant)
		must(t, err)
		if !before.Keys || before.Rows < 3 || before.Files < 1 || before.Doors != 1 || !before.Listed {
			t.Fatalf("before: %+v", before)
		}
		_, secret, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), 24*time.Hour, "owner@example.org")
		must(t, err)
		must(t, w.closing.Due(t.Context()))
		if look, err := w.closing.Look(t.Context(), w.Tenant); err != nil || look != (closing.Remains{Keys: true, Rows: look.Rows, Files: look.Files, Doors: 1, Listed: true}) || look.Rows < before.Rows {
			t.Errorf("within the grace period: %+v, %v", look, err)
		}
		w.Clock.Advance(24 * time.Hour)
		must(t, w.closing.Due(t.Context()))
		if look, err := w.closing.Look(t.Context(), w.Tenant); err != nil || look != (closing.Remains{}) {
			t.Errorf("afterwards: %+v, %v", look, err)
		}
		c, err := w.closing.ByLink(t.Context(), secret)
		must(t, err)
		if c.DestroyedAt.IsZero() || c.Notify != "" || len(w.letters) != 2 || !strings.Contains(w.letters[1].Text, string(c.Document)) {
			t.Errorf("%+v, %d letters", c.DestroyedAt, len(w.letters))
		}
		w.verifies(t, c.Document)
		if n, err := w.reads(t, w.Other); n != 1 || err != nil {
			t.Errorf("the other workspace: %d, %v", n, err)
		}
		if _, err := w.closing.Reopen(t.Context(), "acme"); !errs.Is(err, errs.NotFound) {
			t.Errorf("reopened: %v", err)
		}
		if _, err := w.Vault.CreateTenant(t.Context(), vault.Tenant{Slug: "acme", Name: "another", Region: "eu"}); err != nil {
			t.Errorf("its name is not free: %v", err)
		}
		if gone, err := w.Vault.Keys().Destroyed(t.Context(), w.Tenant); !gone || err != nil {
			t.Errorf("the ledger says %v, %v", gone, err)
		}
	})
}

// A clock that jumped is one that somebody set, or that nobody looked at while nothing ran.
func TestAClockThatIsSetAheadDestroysNothingBeforeItWasRightForAWhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.sweeps.Sweep(t.Context(), ids.Installation))
		_, _, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), closing.Grace, "")
		must(t, err)
		w.Clock.Advance(40 * 24 * time.Hour)
		for range 3 {
			must(t, w.closing.Due(t.Context()))
			w.Clock.Advance(5 * time.Minute)
		}
		w.Clock.Advance(-40*24*time.Hour - 15*time.Minute) // somebody noticed
		must(t, w.closing.Due(t.Context()))
		_, err = w.closing.Reopen(t.Context(), "acme")
		must(t, err)
		if n, err := w.reads(t, w.Tenant); n != 1 || err != nil {
			t.Fatalf("reopened: %d, %v", n, err)
		}
		_, _, err = w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), closing.Grace, "")
		must(t, err)
		w.Clock.Advance(40 * 24 * time.Hour) // nothing ran
		must(t, w.closing.Due(t.Context()))
		w.Clock.Advance(30 * time.Minute)
		must(t, w.closing.Due(t.Context()))
		if look, err := w.closing.Look(t.Context(), w.Tenant); err != nil || look != (closing.Remains{}) {
			t.Errorf("when the time is confirmed: %+v, %v", look, err)
		}
	})
}

func TestAWorkspaceThatIsReopenedAtTheLastMomentStaysOpen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), time.Hour, "")
		must(t, err)
		w.Clock.Advance(time.Hour)
		late := w.cfg
		late.Trust = func(ctx context.Context) (bool, error) {
			_, err := w.closing.Reopen(ctx, "acme")
			return true, err
		}
		if _, err := closing.New(w.Vault, late).Destroy(t.Context(), w.Tenant); !errs.Is(err, errs.NotFound) {
			t.Errorf("destroyed all the same: %v", err)
		}
		if n, err := w.reads(t, w.Tenant); n != 1 || err != nil {
			t.Errorf("reopened: %d, %v", n, err)
		}
		if all, err := w.closing.List(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("it is listed as closed: %+v, %v", all, err)
		}
	})
}

// verifies checks a certificate offline, and that an altered one and another key are refused.
func (w *world) verifies(t *testing.T, document []byte) {
	t.Helper()
	key, err := w.audit.VerifierKey(t.Context())
	must(t, err)
	c, err := closing.Verify(document, key)
	must(t, err)
	if c.Slug != "acme" || c.Before.PeopleKeys != 1 || c.Before.Rows < 3 || c.Verified != (closing.Remains{}) || len(c.Steps) != 2 || c.Steps[0].At.IsZero() {
		t.Errorf("it says %+v", c)
	}
	var d closing.Document
	must(t, json.Unmarshal(document, &d))
	for name, alter := range map[string]func(closing.Document) closing.Document{
		"another name": func(d closing.Document) closing.Document {
			d.Certificate = bytes.Replace(d.Certificate, []byte("acme"), []byte("acmx"), 1)
			return d
		},
		"another entry":  func(d closing.Document) closing.Document { d.Entry = append(bytes.Clone(d.Entry), 0); return d },
		"no proof":       func(d closing.Document) closing.Document { d.Inclusion = nil; return d },
		"no checkpoint":  func(d closing.Document) closing.Document { d.Checkpoint = ""; return d },
		"no certificate": func(d closing.Document) closing.Document { d.Certificate = json.RawMessage("{}"); return d },
	} {
		text, err := json.Marshal(alter(d))
		must(t, err)
		if _, err := closing.Verify(text, key); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := closing.Verify(document, "aver+12345678+AQIDBA=="); !errs.Is(err, errs.Invalid) {
		t.Errorf("another key: %v", err)
	}
	if _, err := closing.Verify([]byte("words"), key); !errs.Is(err, errs.Invalid) {
		t.Errorf("words: %v", err)
	}
}

// A crash between two steps is a step that returns an error and is never told about: the next run goes on from there.
func TestADestructionThatIsCutOffAnywhereIsFinishedByTheNextRun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), 0, "")
		must(t, err)
		crash := errors.New("the power went")
		broken, steps := w.cfg, 0
		broken.Keys = func(tenant ids.Tenant) error {
			if steps++; steps == 1 {
				return crash
			}
			return w.cfg.Keys(tenant)
		}
		broken.Copies = func(context.Context) error {
			if steps++; steps < 4 {
				return crash
			}
			return nil
		}
		for run := range 2 {
			if _, err := closing.New(w.Vault, broken).Destroy(t.Context(), w.Tenant); !errors.Is(err, crash) {
				t.Fatalf("run %d: %v", run, err)
			}
			if _, err := w.Vault.Keys().Tenant(t.Context(), w.Tenant); err == nil {
				t.Errorf("run %d: the keys are still there", run)
			}
			if _, err := w.closing.Reopen(t.Context(), "acme"); !errs.Is(err, errs.Conflict) {
				t.Errorf("run %d: reopened: %v", run, err)
			}
		}
		c, err := closing.New(w.Vault, broken).Destroy(t.Context(), w.Tenant)
		must(t, err)
		w.verifies(t, c.Document)
		again, err := w.closing.Destroy(t.Context(), w.Tenant)
		must(t, err)
		if !bytes.Equal(again.Document, c.Document) {
			t.Error("it was certified twice")
		}
	})
}

func TestSomethingThatIsLeftGetsNoCertificate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), 0, "")
		must(t, err)
		forgetful := w.cfg
		forgetful.Copies = func(context.Context) error { // somebody keeps a file
			folder := filepath.Join(w.Folder, "blobs", w.Tenant.String())
			return errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, "kept"), []byte("x"), 0o600))
		}
		c, err := closing.New(w.Vault, forgetful).Destroy(t.Context(), w.Tenant)
		if err == nil || c.Document != nil {
			t.Errorf("it was certified: %v", err)
		}
	})
}

func TestNobodyOpensASnapshotOfADestroyedWorkspace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var copied bytes.Buffer
		must(t, w.Vault.Snapshot(t.Context(), w.Tenant, &copied))
		_, _, err := w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), 0, "")
		must(t, err)
		_, err = w.closing.Destroy(t.Context(), w.Tenant)
		must(t, err)
		if _, err := w.Vault.Keys().PageKey(t.Context(), w.Tenant); !errors.Is(err, keyring.ErrNoKey) && !errors.Is(err, engine.ErrNoTenant) {
			t.Errorf("a key for it is there: %v", err)
		}
		if bytes.Contains(copied.Bytes(), []byte("words of the closed")) {
			t.Error("the copy has the words in clear")
		}
	})
}

func TestTheInstallationGoesOnSigningWhenAWorkspaceIsDestroyed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		queue := moduletest.Queue(t)
		must(t, w.audit.Module().Jobs(queue)) // from here on it notes whose logs grow
		_, err := w.audit.Checkpoint(t.Context())
		must(t, err)
		w.write(t, w.Tenant, "the last words")
		_, _, err = w.closing.Close(t.Context(), vaulttest.User(w.Tenant, vault.Owner), 0, "")
		must(t, err)
		_, err = w.closing.Destroy(t.Context(), w.Tenant)
		must(t, err)
		w.write(t, w.Other, "life goes on")
		if _, err := w.audit.Checkpoint(t.Context()); err != nil {
			t.Errorf("a checkpoint: %v", err)
		}
	})
}
