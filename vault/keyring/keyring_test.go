package keyring_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aver/base/clock"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/keyring"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
	"aver/vault/sqlite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// A world is a key store with one tenant, and processes that use it.
type world struct {
	*keyring.Keyring // of the first process
	other            *keyring.Keyring
	engine           engine.Engine
	rootFile         string
	tenant           ids.Tenant
}

// each runs a test on both engines. The processes have memories of their own; on PostgreSQL also engines of their own.
func each(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.engine = w.embedded(t)
		w.open(t, w.engine)
		test(t, w)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		db := pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.KeySchema: keyring.Migrations()})
		w.engine = db.Open(t, postgres.KeySchema, keyring.Migrations())
		w.open(t, db.Open(t, postgres.KeySchema, keyring.Migrations()))
		test(t, w)
	})
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{rootFile: newRoot(t), tenant: ids.NewTenant(start)}
}

func (w *world) embedded(t *testing.T) *sqlite.Engine {
	t.Helper()
	folder := t.TempDir()
	pages := keyring.Pages{Dir: filepath.Join(folder, "pages"), Root: w.root(t)}
	e, err := sqlite.Open(sqlite.Config{Root: folder, Migrations: keyring.Migrations(),
		PageKey: func(ctx context.Context, tenant ids.Tenant) ([]byte, error) { return pages.Get(ctx, tenant) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func (w *world) root(t *testing.T) *keyring.LocalRoot {
	t.Helper()
	root, _, err := keyring.OpenRootFile(w.rootFile)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func (w *world) open(t *testing.T, others engine.Engine) {
	t.Helper()
	w.Keyring = keyring.Open(w.engine, w.root(t), clock.At(start))
	w.other = keyring.Open(others, w.root(t), clock.At(start))
	if err := w.Create(t.Context(), w.tenant); err != nil {
		t.Fatal(err)
	}
}

func (w *world) keys(t *testing.T, k *keyring.Keyring) *keyring.Tenant {
	t.Helper()
	keys, err := k.Tenant(t.Context(), w.tenant)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// person makes somebody and returns something sealed for them.
func (w *world) person(t *testing.T) (ids.Subject, []byte) {
	t.Helper()
	s := ids.NewSubject(start)
	if err := w.NewSubject(t.Context(), w.tenant, s); err != nil {
		t.Error(err)
		return s, nil
	}
	key, err := w.Subject(t.Context(), w.tenant, s)
	if err != nil {
		t.Error(err)
		return s, nil
	}
	return s, key.Seal(nil, []byte("words of "+s.String()), place)
}

// people makes many, who share commits, and returns something sealed for each.
func (w *world) people(t *testing.T, n int) map[ids.Subject][]byte {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	out := map[ids.Subject][]byte{}
	for range n {
		all.Go(func() {
			s, sealed := w.person(t)
			mu.Lock()
			defer mu.Unlock()
			out[s] = sealed
		})
	}
	all.Wait()
	return out
}

// reads tells whether a process opens what was sealed for a person.
func (w *world) reads(t *testing.T, k *keyring.Keyring, s ids.Subject, sealed []byte) {
	t.Helper()
	key, err := k.Subject(t.Context(), w.tenant, s)
	if err != nil {
		t.Errorf("the key of a person: %v", err)
		return
	}
	if got, err := key.Open(sealed, place); err != nil || string(got) != "words of "+s.String() {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestAProcessOpensWhatAnotherSealedAfterARotation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		before := w.keys(t, w.other)
		old := before.Seal().Seal(nil, []byte("old"), place)
		if err := w.Rotate(t.Context(), w.tenant); err != nil {
			t.Fatal(err)
		}
		sealed := w.keys(t, w.Keyring).Seal().Seal(nil, []byte("new"), place)
		if _, err := before.Open(sealed, place); !errors.Is(err, keyring.ErrNoKey) {
			t.Errorf("the keys of before: %v, want ErrNoKey, which tells to look again", err)
		}
		if got := w.keys(t, w.other); got != before {
			t.Error("within the minute the store was asked")
		}
		w.other.Outlive(w.tenant)
		after := w.keys(t, w.other)
		for text, s := range map[string][]byte{"old": old, "new": sealed} {
			if got, err := after.Open(s, place); err != nil || string(got) != text {
				t.Errorf("%s: %q, %v", text, got, err)
			}
		}
		if got := after.Seal().Version(); got != 2 {
			t.Errorf("after the minute it seals with version %d, want 2", got)
		}
	})
}

func TestPeopleMadeByAProcessThatMissedARotationKeepTheirKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.keys(t, w.other)
		if err := w.Rotate(t.Context(), w.tenant); err != nil {
			t.Fatal(err)
		}
		s := ids.NewSubject(start)
		if err := w.other.NewSubject(t.Context(), w.tenant, s); err != nil {
			t.Fatal(err)
		}
		fresh := keyring.Open(w.engine, w.root(t), clock.At(start))
		if _, err := fresh.Subject(t.Context(), w.tenant, s); err != nil {
			t.Errorf("after a restart: %v", err)
		}
	})
}

func TestPeopleComeWhileTwoProcessesRotateAndNobodyIsLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		people := make([]ids.Subject, 4*40)
		for worker := range 4 {
			k := []*keyring.Keyring{w.Keyring, w.other}[worker%2]
			all.Go(func() {
				for i := worker * 40; i < (worker+1)*40; i++ {
					people[i] = ids.NewSubject(start)
					if err := k.NewSubject(t.Context(), w.tenant, people[i]); err != nil {
						t.Errorf("make a person: %v", err)
					}
				}
			})
		}
		for _, k := range []*keyring.Keyring{w.Keyring, w.other} {
			all.Go(func() {
				for range 6 {
					if err := k.Rotate(t.Context(), w.tenant); err != nil {
						t.Errorf("rotate: %v", err)
					}
				}
			})
		}
		all.Wait()
		fresh := keyring.Open(w.engine, w.root(t), clock.At(start))
		for _, s := range people {
			if _, err := fresh.Subject(t.Context(), w.tenant, s); err != nil {
				t.Fatalf("a person's key: %v", err)
			}
		}
	})
}

// A stopper is an engine that lets so many more writes through.
type stopper struct {
	engine.Engine
	mu   sync.Mutex
	left int
}

var errStopped = errors.New("the process is gone")

func (s *stopper) Write(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	s.mu.Lock()
	s.left--
	stopped := s.left < 0
	s.mu.Unlock()
	if stopped {
		return errStopped
	}
	return s.Engine.Write(ctx, tenant, fn)
}

func TestAnInterruptedRotationIsTakenUpWhereItStopped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		people := w.people(t, 2*keyring.RewrapBatch+1)
		steps := []struct {
			writes int // until the interruption
			do     func(*keyring.Keyring) error
		}{
			{0, func(k *keyring.Keyring) error { return k.Rotate(t.Context(), w.tenant) }},         // nothing yet
			{1, func(k *keyring.Keyring) error { return k.Rotate(t.Context(), w.tenant) }},         // the new versions
			{1, func(k *keyring.Keyring) error { return k.RewrapSubjects(t.Context(), w.tenant) }}, // the first batch
			{3, func(k *keyring.Keyring) error { return k.RewrapSubjects(t.Context(), w.tenant) }}, // all but destroying the old key
		}
		for i, step := range steps {
			err := step.do(keyring.Open(&stopper{Engine: w.engine, left: step.writes}, w.root(t), clock.At(start)))
			if !errors.Is(err, errStopped) {
				t.Fatalf("step %d: %v", i, err)
			}
			fresh := keyring.Open(w.engine, w.root(t), clock.At(start))
			for s, sealed := range people {
				w.reads(t, fresh, s, sealed)
			}
			if oldest(w.keys(t, fresh), "kek") != 1 {
				t.Errorf("step %d: the old wrapping key was destroyed too early", i)
			}
		}
		if err := w.RewrapSubjects(t.Context(), w.tenant); err != nil {
			t.Fatal(err)
		}
		if got := oldest(w.keys(t, w.Keyring), "kek"); got != 2 {
			t.Errorf("wrapping key %d is still there", got)
		}
		for s, sealed := range people {
			w.reads(t, w.other, s, sealed)
		}
	})
}

func oldest(keys *keyring.Tenant, purpose string) (version uint32) {
	for _, v := range keys.Versions { // newest first
		if v.Purpose == purpose {
			version = v.Version
		}
	}
	return version
}

func TestARotationWhoseCallerLeavesCanBeRepeated(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		s, sealed := w.person(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.Rotate(ctx, w.tenant); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if err := w.Rotate(t.Context(), w.tenant); err != nil {
			t.Fatal(err)
		}
		w.reads(t, w.Keyring, s, sealed)
		w.reads(t, w.other, s, sealed)
	})
}

func TestRewrappingTheRootLeavesNothingUnderTheOldOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		s, sealed := w.person(t)
		root, err := keyring.AddRootVersion(w.rootFile)
		if err != nil {
			t.Fatal(err)
		}
		k := keyring.Open(w.engine, root, clock.At(start))
		if got, err := k.RootVersions(t.Context(), w.tenant); err != nil || got[1] != 4 || got[2] != 0 {
			t.Errorf("before: %v, %v", got, err)
		}
		for range 2 { // it may be repeated
			if err := k.RewrapRoot(t.Context(), w.tenant); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := k.RootVersions(t.Context(), w.tenant); err != nil || got[1] != 0 || got[2] != 4 {
			t.Errorf("after: %v, %v", got, err)
		}
		for range 2 { // two more, so that the first is dropped
			if err := keyring.DropOldRoots(w.rootFile); err != nil {
				t.Fatal(err)
			}
			w.reads(t, keyring.Open(w.engine, w.root(t), clock.At(start)), s, sealed)
			if _, err := keyring.AddRootVersion(w.rootFile); err != nil {
				t.Fatal(err)
			}
		}
		w.other.Outlive(w.tenant) // a process that has only ever seen the first version
		w.reads(t, w.other, s, sealed)
	})
}

// opaque is a key manager that does not tell which version wrapped a key.
type opaque struct{ keyring.Root }

func (o opaque) Wrap(ctx context.Context, key, place []byte) ([]byte, error) {
	w, err := o.Root.Wrap(ctx, key, place)
	return append([]byte("opaque:"), w...), err
}

func (o opaque) Unwrap(ctx context.Context, wrapped, place []byte) ([]byte, error) {
	return o.Root.Unwrap(ctx, wrapped[len("opaque:"):], place)
}

func TestTheVersionsOfAKeyManagerThatDoesNotTellAreUnknown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		k := keyring.Open(w.engine, opaque{w.root(t)}, clock.At(start))
		tenant := ids.NewTenant(start)
		if err := k.Create(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		if got, err := k.RootVersions(t.Context(), tenant); err != nil || got[0] != 4 || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestAPageKeyIsMadeOnceAndGoneOnceDestroyed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pages := keyring.Pages{Dir: filepath.Join(t.TempDir(), "pages"), Root: w.root(t)}
	first, err := pages.Get(t.Context(), w.tenant)
	if err != nil || len(first) != 64 {
		t.Fatalf("%d bytes, %v", len(first), err)
	}
	root, err := keyring.AddRootVersion(w.rootFile)
	if err != nil {
		t.Fatal(err)
	}
	pages.Root = root
	if err := pages.Rewrap(t.Context(), w.tenant); err != nil {
		t.Fatal(err)
	}
	if again, err := pages.Get(t.Context(), w.tenant); err != nil || string(again) != string(first) {
		t.Errorf("after rewrapping it is another one: %v", err)
	}
	for range 2 {
		if err := pages.Destroy(w.tenant); err != nil {
			t.Fatal(err)
		}
	}
	if other, err := pages.Get(t.Context(), w.tenant); err != nil || string(other) == string(first) {
		t.Errorf("after its destruction it came back: %v", err)
	}
}

func TestAKeyMovedToAnotherTenantDoesNotOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		thief := ids.NewTenant(start)
		if err := w.Create(t.Context(), thief); err != nil {
			t.Fatal(err)
		}
		var wrapped []byte
		err := w.engine.Read(t.Context(), w.tenant, func(c engine.Conn) error {
			return c.Query("SELECT wrapped FROM tenant_keys WHERE purpose = 'seal'", nil, func(row []any) error {
				wrapped = row[0].([]byte)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		err = w.engine.Write(t.Context(), thief, func(c engine.Conn) error {
			_, err := c.Exec("UPDATE tenant_keys SET wrapped = ? WHERE purpose = 'seal'", wrapped)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Tenant(t.Context(), thief); err == nil {
			t.Error("another tenant's key opened")
		}
	})
}

func BenchmarkNewSubject(b *testing.B) {
	root, _, err := keyring.OpenRootFile(filepath.Join(b.TempDir(), "root.key"))
	if err != nil {
		b.Fatal(err)
	}
	page := make([]byte, 64)
	_, _ = rand.Read(page)
	e, err := sqlite.Open(sqlite.Config{Root: b.TempDir(), Migrations: keyring.Migrations(), PageKey: func(context.Context, ids.Tenant) ([]byte, error) { return page, nil }})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	k, tenant := keyring.Open(e, root, clock.At(start)), ids.NewTenant(start)
	if err := k.Create(b.Context(), tenant); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := k.NewSubject(b.Context(), tenant, ids.NewSubject(start)); err != nil {
			b.Fatal(fmt.Errorf("make a person: %w", err))
		}
	}
}
