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

func TestNeutralTypesBecomeThoseOfSQLite(t *testing.T) {
	t.Parallel()
	got, err := sqlite.Rendered(`-- a comment; TEXT stays
CREATE TABLE messages (
    conversation ID NOT NULL,
    seq INT NOT NULL, -- INT in a comment
    body SEALED,
    email_index BLIND,
    sent_at TIME NOT NULL,
    open BOOL NOT NULL DEFAULT TRUE,
    state TEXT NOT NULL DEFAULT 'new ID',
    PRIMARY KEY (conversation, seq)
);
CREATE INDEX messages_by_time ON messages (sent_at);
ALTER TABLE messages ADD COLUMN seen_at TIME;
UPDATE messages SET state = 'TEXT';
`)
	want := `-- a comment; TEXT stays
CREATE TABLE messages (
    conversation BLOB NOT NULL,
    seq INTEGER NOT NULL, -- INT in a comment
    body BLOB,
    email_index BLOB,
    sent_at INTEGER NOT NULL,
    open INTEGER NOT NULL DEFAULT TRUE,
    state TEXT NOT NULL DEFAULT 'new ID',
    PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_by_time ON messages (sent_at);
ALTER TABLE messages ADD COLUMN seen_at INTEGER;
UPDATE messages SET state = 'TEXT';
`
	if err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestMalformedMigrationsAreRefusedBeforeAnyFileIsTouched(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an unknown type":         "CREATE TABLE t (\n    id UUID NOT NULL,\n    PRIMARY KEY (id)\n);\n",
		"SQLite's own type":       "CREATE TABLE t (\n    id INTEGER NOT NULL,\n    PRIMARY KEY (id)\n);\n",
		"an unknown type, added":  "ALTER TABLE t ADD COLUMN x VARCHAR;\n",
		"a table that stays open": "CREATE TABLE t (\n    id ID NOT NULL\n",
		"a table in one line":     "CREATE TABLE t (id ID, PRIMARY KEY (id));\n",
	} {
		err := sqlite.Render([]engine.Migration{{Version: 1, Name: "module/0001.sql", SQL: text}})
		if err == nil || !strings.Contains(err.Error(), "module/0001.sql") {
			t.Errorf("%s: %v", name, err)
		}
	}
	twice := []engine.Migration{{Version: 1, Name: "a"}, {Version: 1, Name: "b"}}
	if err := sqlite.Render(twice); err == nil {
		t.Error("a version that exists twice was accepted")
	}
}

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
