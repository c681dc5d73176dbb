package schema_test

import (
	"strings"
	"testing"

	"aver/vault/engine"
	"aver/vault/sqlite/schema"
)

func render(migrations []engine.Migration) error {
	_, err := schema.Render(migrations)
	return err
}

func TestNeutralTypesBecomeThoseOfSQLite(t *testing.T) {
	t.Parallel()
	got, err := schema.Rendered(`-- a comment; TEXT stays
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
) STRICT;
CREATE INDEX messages_by_time ON messages (sent_at);
ALTER TABLE messages ADD COLUMN seen_at INTEGER;
UPDATE messages SET state = 'TEXT';
`
	if err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestOnlySealedRowsUnderAKeyOfSeveralPartsLieInTheOrderOfWriting(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CREATE TABLE t (\n    id ID NOT NULL,\n    body SEALED,\n    PRIMARY KEY (id)\n);\n":                    ") STRICT, WITHOUT ROWID;",
		"CREATE TABLE t (\n    a ID NOT NULL,\n    b INT NOT NULL,\n    PRIMARY KEY (a, b)\n);\n":                ") STRICT, WITHOUT ROWID;",
		"CREATE TABLE t (\n    a ID NOT NULL,\n    b SEALED NOT NULL,\n    PRIMARY KEY (a, b)\n);\n":             ") STRICT, WITHOUT ROWID;",
		"CREATE TABLE t (\n    a ID NOT NULL,\n    b INT NOT NULL,\n    c SEALED,\n    PRIMARY KEY (a, b)\n);\n": ") STRICT;",
	} {
		got, err := schema.Rendered(text)
		if err != nil || !strings.HasSuffix(got, want+"\n") {
			t.Errorf("%s became %s (%v), want %s", text, got, err, want)
		}
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
		err := render([]engine.Migration{{Version: 1, Name: "module/0001.sql", SQL: text}})
		if err == nil || !strings.Contains(err.Error(), "module/0001.sql") {
			t.Errorf("%s: %v", name, err)
		}
	}
	twice := []engine.Migration{{Version: 1, Name: "a"}, {Version: 1, Name: "b"}}
	if err := render(twice); err == nil {
		t.Error("a version that exists twice was accepted")
	}
}
