package sqlite_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/sqlite"
)

func TestAStoreOfANewerProgramIsNotTouched(t *testing.T) {
	t.Parallel()
	cfg := sqlite.Config{Root: t.TempDir(), PageKey: pageKey, Migrations: append(notes[:1:1], engine.Migration{
		Version: 2, Name: "later", SQL: "ALTER TABLE notes ADD COLUMN mark INT;\n"})}
	newer, err := sqlite.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(newer.Create(t.Context(), ids.Installation), newer.Close()); err != nil {
		t.Fatal(err)
	}
	cfg.Migrations = notes
	older, err := sqlite.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer older.Close()
	if err := put(t.Context(), older, ids.Installation, 1, nil); err == nil || !strings.Contains(err.Error(), "migration 2") {
		t.Errorf("got %v", err)
	}
}

func TestAStoreThatCannotBeMadeLeavesNothing(t *testing.T) {
	t.Parallel()
	cfg := sqlite.Config{Root: t.TempDir(), PageKey: pageKey, Migrations: []engine.Migration{
		{Version: 1, Name: "module/0001_bad.sql", SQL: "CREATE INDEX i ON nothing (x);\n"}}}
	e, err := sqlite.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Create(t.Context(), ids.Installation); err == nil || !strings.Contains(err.Error(), "module/0001_bad.sql") {
		t.Errorf("create: %v", err)
	}
	err = e.Read(t.Context(), ids.Installation, func(engine.Conn) error { return nil })
	if !errors.Is(err, engine.ErrNoTenant) {
		t.Errorf("read: %v", err)
	}
}

func TestAMissingKeyIsToldAndNotRemembered(t *testing.T) {
	t.Parallel()
	away := errors.New("the key store is away")
	var now error
	e, err := sqlite.Open(sqlite.Config{Root: t.TempDir(), Migrations: notes, PageKey: func(ctx context.Context, tenant ids.Tenant) ([]byte, error) {
		key, _ := pageKey(ctx, tenant)
		return key, now
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	now = away
	if err := e.Create(t.Context(), ids.Installation); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	now = nil
	if err := e.Create(t.Context(), ids.Installation); err != nil {
		t.Errorf("once it is back: %v", err)
	}
}
