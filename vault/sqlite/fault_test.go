package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"aver/base/clock"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/sqlite"
)

func TestOnAFullDiskWritesAreRefusedAndReadsAndErasuresWork(t *testing.T) {
	t.Parallel()
	d := &disk{}
	cfg := sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, true)}
	d.Root = cfg.Root
	e, tenant := open(t, cfg)
	d.Limit.Store(8 << 20) // all but 2 MiB is the reserve
	stored := fill(t, e, tenant)
	if got := count(t, e, tenant); got != stored {
		t.Fatalf("%d writes were acknowledged, but there are %d rows", stored, got)
	}
	if err := remove(t.Context(), e, tenant, 0); !errors.Is(err, engine.ErrFull) {
		t.Fatalf("a deletion on the full disk: %v", err)
	}
	if err := e.ReleaseReserve(); err != nil {
		t.Fatal(err)
	}
	if err := e.Check(t.Context()); err == nil {
		t.Error("check does not miss the reserve")
	}
	if err := remove(t.Context(), e, tenant, 0); err != nil {
		t.Fatalf("a deletion with the reserve: %v", err)
	}
	if err := e.Scrub(t.Context(), tenant); err != nil {
		t.Fatalf("a scrub with the reserve: %v", err)
	}
	if got := count(t, e, tenant); got != stored-1 {
		t.Errorf("%d rows, want %d", got, stored-1)
	}
	d.Limit.Store(0)
	if err := e.RefillReserve(); err != nil {
		t.Errorf("refill: %v", err)
	}
	if err := e.Check(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if err := put(t.Context(), e, tenant, 1<<30, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTheReserveIsNotTakenBackWhileAnErasureNeedsIt(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	e, _ := open(t, sqlite.Config{Root: t.TempDir(), Clock: now})
	for range 2 {
		if err := e.ReleaseReserve(); err != nil {
			t.Fatal(err)
		}
		e.Reclaim()
		if err := e.Check(t.Context()); err == nil {
			t.Error("the reserve was taken back at once")
		}
		now.Advance(time.Minute)
		e.Reclaim()
		if err := e.Check(t.Context()); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	}
}

// fill writes until the disk is full to the last page and returns how many writes were acknowledged.
func fill(t *testing.T, e *sqlite.Engine, tenant ids.Tenant) (id int64) {
	t.Helper()
	for _, size := range []int{20_000, 1} {
		for {
			err := put(t.Context(), e, tenant, id, bytes.Repeat([]byte{1}, size))
			if errors.Is(err, engine.ErrFull) {
				break
			}
			if err != nil || id > 10_000 {
				t.Fatalf("row %d: %v", id, err)
			}
			id++
		}
	}
	return id
}

func TestOnAFullDiskAClosedStoreCanStillBeRead(t *testing.T) {
	t.Parallel()
	d := &disk{}
	now := clock.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	cfg := sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, true), Clock: now}
	d.Root = cfg.Root
	e, tenant := open(t, cfg)
	if err := put(t.Context(), e, tenant, 1, nil); err != nil {
		t.Fatal(err)
	}
	now.Advance(time.Hour)
	e.CloseIdle()
	d.Limit.Store(6 << 20) // the reserve fills it
	if got := count(t, e, tenant); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestScrubOnAFullDiskUsesTheReserve(t *testing.T) {
	t.Parallel()
	d := &disk{}
	cfg := sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, true)}
	d.Root = cfg.Root
	e, tenant := open(t, cfg)
	for id := range int64(20) { // all in the log, so that moving it makes the file grow
		if err := put(t.Context(), e, tenant, id, bytes.Repeat([]byte{1}, 20_000)); err != nil {
			t.Fatal(err)
		}
	}
	d.Limit.Store(1)
	if err := put(t.Context(), e, tenant, 99, bytes.Repeat([]byte{1}, 20_000)); !errors.Is(err, engine.ErrFull) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := e.Scrub(t.Context(), tenant); !errors.Is(err, engine.ErrFull) { // also the reserve is of no use on this disk
		t.Errorf("without any room: %v", err)
	}
	if err := e.RefillReserve(); err != nil {
		t.Fatal(err)
	}
	d.Limit.Store(int64(6<<20 + 700_000)) // the reserve, the log, and a little
	if err := e.Scrub(t.Context(), tenant); err != nil {
		t.Errorf("with the reserve: %v", err)
	}
	if got := count(t, e, tenant); got != 20 {
		t.Errorf("%d rows, want 20", got)
	}
}

func TestACallerWhoIgnoresAFullDiskCommitsNothing(t *testing.T) {
	t.Parallel()
	d := &disk{}
	cfg := sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, true)}
	d.Root = cfg.Root
	e, tenant := open(t, cfg)
	d.Limit.Store(1)
	large := bytes.Repeat([]byte{1}, 40<<20) // more than the writer's memory, so that it meets the disk before the commit
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
		_, _ = c.Exec("INSERT INTO notes (id, body) VALUES (1, ?)", large)
		_, _ = c.Exec("INSERT INTO notes (id) VALUES (2)") // the database has given up; by itself this would commit
		return nil
	})
	if !errors.Is(err, engine.ErrFull) {
		t.Errorf("got %v", err)
	}
	if got := count(t, e, tenant); got != 0 {
		t.Errorf("%d rows", got)
	}
}

func TestAFailedFsyncIsNeverAnAcknowledgement(t *testing.T) {
	t.Parallel()
	d := &disk{}
	e, tenant := open(t, sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, true)})
	if err := put(t.Context(), e, tenant, 1, []byte("before")); err != nil {
		t.Fatal(err)
	}
	d.FailSyncs.Store(1)
	err := put(t.Context(), e, tenant, 2, []byte("lost"))
	if err == nil {
		t.Fatal("it was acknowledged")
	}
	if got := count(t, e, tenant); got != 1 {
		t.Errorf("after the failure there are %d rows, want 1", got)
	}
	if err := put(t.Context(), e, tenant, 3, []byte("after")); err != nil {
		t.Fatalf("the next write: %v", err)
	}
	if got := count(t, e, tenant); got != 2 {
		t.Errorf("at the end there are %d rows, want 2", got)
	}
}

func TestWhileFsyncFailsNothingIsAcknowledged(t *testing.T) {
	t.Parallel()
	d := &disk{}
	cfg := sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, true)}
	e, tenant := open(t, cfg)
	d.FailSyncs.Store(1 << 40)
	for id := range int64(5) {
		if err := put(t.Context(), e, tenant, id, []byte("x")); err == nil {
			t.Errorf("write %d was acknowledged", id)
		}
	}
	d.FailSyncs.Store(0)
	if err := put(t.Context(), e, tenant, 9, []byte("x")); err != nil {
		t.Fatalf("after the disk has recovered: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if got := count(t, reopen(t, cfg, tenant), tenant); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestEveryWriteIsSynced(t *testing.T) {
	t.Parallel()
	d := &disk{}
	e, tenant := open(t, sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, true)})
	for id := range int64(10) {
		before := d.Syncs.Load()
		if err := put(t.Context(), e, tenant, id, nil); err != nil {
			t.Fatal(err)
		}
		if d.Syncs.Load() == before {
			t.Errorf("write %d was acknowledged without an fsync", id)
		}
	}
}

func TestARolledBackTransactionIsNotSynced(t *testing.T) {
	t.Parallel()
	d := &disk{}
	e, tenant := open(t, sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, true)})
	before := d.Syncs.Load()
	err := e.Write(context.Background(), tenant, func(c engine.Conn) error {
		if _, err := c.Exec("INSERT INTO notes (id) VALUES (1)"); err != nil {
			return err
		}
		return errors.ErrUnsupported
	})
	if !errors.Is(err, errors.ErrUnsupported) || d.Syncs.Load() != before {
		t.Errorf("%d fsyncs, %v", d.Syncs.Load()-before, err)
	}
}
