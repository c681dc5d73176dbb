package sqlite_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/sqlite"
)

func TestASnapshotTakenWhileWritersWorkIsOneMoment(t *testing.T) {
	t.Parallel()
	cfg := sqlite.Config{Root: t.TempDir()}
	e, tenant := open(t, cfg)
	var stop atomic.Bool
	var writers sync.WaitGroup
	for worker := range int64(2) {
		writers.Go(func() {
			for i := int64(0); !stop.Load(); i++ { // always two rows at a time
				err := e.Write(context.Background(), tenant, func(c engine.Conn) error {
					_, err := c.Exec("INSERT INTO notes (id, body) VALUES (?, ?), (?, ?)",
						worker<<40+2*i, bytes.Repeat([]byte{1}, 500), worker<<40+2*i+1, bytes.Repeat([]byte{2}, 5000))
					return err
				})
				if err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
		writers.Go(func() {
			for !stop.Load() { // readers that keep the log busy
				_ = e.Read(context.Background(), tenant, func(c engine.Conn) error {
					return c.Query("SELECT COUNT(*) FROM notes", nil, func([]any) error { return nil })
				})
			}
		})
	}
	for range 5 {
		before := count(t, e, tenant)
		var snapshot bytes.Buffer
		if err := e.Snapshot(t.Context(), tenant, &snapshot); err != nil {
			t.Fatalf("snapshot: %v", err)
		}
		if bytes.HasPrefix(snapshot.Bytes(), []byte("SQLite format 3")) {
			t.Error("the snapshot is not encrypted")
		}
		got := restored(t, tenant, snapshot.Bytes())
		if got < before || got%2 != 0 {
			t.Errorf("the snapshot has %d rows; there were %d when it began, and rows come in twos", got, before)
		}
	}
	stop.Store(true)
	writers.Wait()
}

// restored places a snapshot in a new data folder and counts its rows.
func restored(t *testing.T, tenant ids.Tenant, snapshot []byte) int64 {
	t.Helper()
	e, err := sqlite.Open(sqlite.Config{Root: t.TempDir(), PageKey: pageKey, Migrations: notes})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Restore(t.Context(), tenant, bytes.NewReader(snapshot)); err != nil {
		t.Fatalf("restore: %v", err)
	}
	return count(t, e, tenant)
}

func TestASnapshotLeavesNoFileBehind(t *testing.T) {
	t.Parallel()
	cfg := sqlite.Config{Root: t.TempDir()}
	e, tenant := open(t, cfg)
	if err := e.Snapshot(t.Context(), tenant, failingWriter{}); !errors.Is(err, errNoSpaceThere) {
		t.Errorf("got %v", err)
	}
	modes(t, cfg.Root) // counts the files
}

var errNoSpaceThere = errors.New("no space at the other end")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errNoSpaceThere }

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	for id := range int64(100) {
		if err := put(t.Context(), e, tenant, id, bytes.Repeat([]byte{1}, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	var snapshot bytes.Buffer
	if err := e.Snapshot(t.Context(), tenant, &snapshot); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 8192)
	_, _ = rand.Read(noise)
	cases := map[string]struct {
		tenant  ids.Tenant
		content []byte
		want    error
	}{
		"to replace a store":            {tenant, snapshot.Bytes(), fs.ErrExist},
		"another tenant's snapshot":     {ids.Tenant{0: 9}, snapshot.Bytes(), sqlite.ErrKey},
		"what is no snapshot":           {ids.Tenant{0: 8}, noise, sqlite.ErrKey},
		"a snapshot that was cut":       {ids.Tenant{0: 7}, nil, nil},
		"a snapshot with pages swapped": {ids.Tenant{0: 6}, nil, nil},
	}
	for name, c := range cases {
		if c.want == nil {
			c.content = damaged(t, c.tenant, name == "a snapshot that was cut")
		}
		err := e.Restore(t.Context(), c.tenant, bytes.NewReader(c.content))
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if c.tenant == tenant {
			continue
		}
		if err := put(t.Context(), e, c.tenant, 1, nil); !errors.Is(err, engine.ErrNoTenant) {
			t.Errorf("%s left a store: %v", name, err)
		}
	}
	if got := count(t, e, tenant); got != 100 {
		t.Errorf("%d rows, want 100", got)
	}
}

// damaged makes a snapshot of a tenant's store elsewhere and breaks it.
func damaged(t *testing.T, tenant ids.Tenant, cut bool) []byte {
	t.Helper()
	e := reopen(t, sqlite.Config{Root: t.TempDir()}, tenant)
	for id := range int64(100) {
		if err := put(t.Context(), e, tenant, id, bytes.Repeat([]byte{byte(id)}, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	var snapshot bytes.Buffer
	if err := e.Snapshot(t.Context(), tenant, &snapshot); err != nil {
		t.Fatal(err)
	}
	content := snapshot.Bytes()
	if cut {
		return content[:len(content)/2]
	}
	const page = 4096
	last := content[len(content)-page:]
	copy(last, content[len(content)-2*page:len(content)-page])
	return content
}

func TestRemoveTakesTheWholeFolder(t *testing.T) {
	t.Parallel()
	cfg := sqlite.Config{Root: t.TempDir()}
	e, tenant := open(t, cfg)
	folder := filepath.Join(cfg.Root, "stores", tenant.String())
	if err := os.MkdirAll(filepath.Join(folder, "blobs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "blobs", "one"), []byte("sealed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := e.Remove(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(cfg.Root, "stores"))
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := put(t.Context(), e, tenant, 1, nil); !errors.Is(err, engine.ErrNoTenant) {
		t.Errorf("a write to the removed store: %v", err)
	}
}

func TestRemoveWaitsForThoseInsideAndRefusesNewcomers(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	removed := make(chan error, 1)
	var finished atomic.Bool
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
		go func() {
			err := e.Remove(context.Background(), tenant)
			if !finished.Load() {
				t.Error("removed under a running transaction")
			}
			removed <- err
		}()
		for e.Read(t.Context(), tenant, func(engine.Conn) error { return nil }) == nil { // until newcomers are refused
		}
		_, err := c.Exec("INSERT INTO notes (id) VALUES (1)")
		finished.Store(true)
		return err
	})
	if err != nil {
		t.Errorf("the transaction inside: %v", err)
	}
	if err := <-removed; err != nil {
		t.Errorf("remove: %v", err)
	}
}

func TestARemovalThatIsGivenUpLeavesTheStore(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := e.Remove(ctx, tenant); !errors.Is(err, context.Canceled) {
			t.Errorf("remove: %v", err)
		}
		_, err := c.Exec("INSERT INTO notes (id) VALUES (1)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, e, tenant); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestOpenClearsWhatAnInterruptedRemovalLeft(t *testing.T) {
	t.Parallel()
	cfg := sqlite.Config{Root: t.TempDir()}
	left := filepath.Join(cfg.Root, "stores", ".removed-ten_x")
	if err := os.MkdirAll(filepath.Join(left, "blobs"), 0o700); err != nil {
		t.Fatal(err)
	}
	open(t, cfg)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestAStoreWhoseMakingWasInterruptedIsMade(t *testing.T) {
	t.Parallel()
	cfg := sqlite.Config{Root: t.TempDir()}
	for i, leave := range []func(folder string) error{
		func(folder string) error { return os.MkdirAll(folder, 0o700) },
		func(folder string) error {
			return errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, "data.db"), nil, 0o600))
		},
	} {
		tenant := ids.Tenant{0: 1, 1: byte(i)}
		if err := leave(filepath.Join(cfg.Root, "stores", tenant.String())); err != nil {
			t.Fatal(err)
		}
		e := reopen(t, cfg, tenant)
		if err := put(t.Context(), e, tenant, 1, nil); err != nil {
			t.Errorf("state %d: %v", i, err)
		}
	}
}

func TestManyWritersAndReadersOfManyTenants(t *testing.T) {
	t.Parallel()
	e, first := open(t, sqlite.Config{Root: t.TempDir(), MaxOpen: 2})
	tenants := []ids.Tenant{first, {0: 2}, {0: 3}}
	for _, tenant := range tenants {
		if err := e.Create(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	const workers, rounds = 100, 4
	var all sync.WaitGroup
	for worker := range workers {
		tenant := tenants[worker%len(tenants)]
		all.Go(func() {
			for round := range rounds {
				if err := put(t.Context(), e, tenant, int64(worker*rounds+round), []byte("x")); err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
		all.Go(func() {
			for range rounds {
				err := e.Read(t.Context(), tenant, func(c engine.Conn) error {
					return c.Query("SELECT id, body FROM notes", nil, func([]any) error { return nil })
				})
				if err != nil {
					t.Errorf("read: %v", err)
				}
			}
			e.CloseIdle()
		})
	}
	all.Wait()
	var total int64
	for _, tenant := range tenants {
		total += count(t, e, tenant)
	}
	if total != workers*rounds {
		t.Errorf("%d rows, want %d", total, workers*rounds)
	}
}

func TestTheLogIsKeptShort(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	e, err := sqlite.Open(sqlite.Config{Root: root, PageKey: pageKey, Migrations: notes})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	e.ShortenLogs(20, 100)
	tenant := ids.Installation
	if err := e.Create(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte{1}, 10_000)
	const writes = 1000
	for id := range int64(writes) { // each puts three pages or more into the log
		if err := put(t.Context(), e, tenant, id%10, body); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(root, "stores", tenant.String(), "data.db-wal"))
	if err != nil || info.Size() > writes*3*4096/2 {
		t.Errorf("the log has %d kB, %v", info.Size()>>10, err)
	}
	if got := count(t, e, tenant); got != 10 {
		t.Errorf("%d rows, want 10", got)
	}
}
