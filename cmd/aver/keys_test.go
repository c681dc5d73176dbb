package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"aver/cmd/aver/app"
	"aver/vault/postgres/pgtest"
)

// says runs a command line and returns what it printed.
func says(t *testing.T, want int, args ...string) (out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	if code := run(t.Context(), args, &o, &e); code != want {
		t.Fatalf("aver %s: exit status %d, want %d: %s%s", args[0], code, want, o.String(), e.String())
	}
	return o.String(), e.String()
}

func TestTheCommandsForKeysSayWhatTheyDid(t *testing.T) {
	t.Parallel()
	data := []string{"--data", filepath.Join(t.TempDir(), "data")}
	with := func(words ...string) []string { return append(words, data...) }
	says(t, exitOK, with("tenant", "create", "kowal")...)
	for _, c := range [][2]string{
		{"keys list kowal", "4 keys wrapped by version 1 of the root key"},
		{"keys list", "(installation)"},
		{"keys rotate kowal", "kowal seals with version 2 now"},
		{"keys rotate --all", "(installation) seals with version 2 now"},
		{"keys rotate-root", "version 2 of the root key, kept in " + filepath.Join(data[1], "root.key")},
	} {
		words, want := c[0], c[1]
		if out, _ := says(t, exitOK, with(strings.Fields(words)...)...); !strings.Contains(out, want) {
			t.Errorf("%s said %q", words, out)
		}
		out, errOut := says(t, exitOK, with(append(strings.Fields(words), "--json")...)...)
		if !json.Valid([]byte(out)) || errOut != "" {
			t.Errorf("%s --json said %q and %q", words, out, errOut)
		}
	}
	for _, words := range []string{"keys", "keys rotate", "keys rotate kowal --all", "keys rotate-root kowal", "keys list a b"} {
		says(t, exitUsage, with(strings.Fields(words)...)...)
	}
	says(t, exitError, with("keys", "rotate", "nobody")...)
}

func TestServeCheckListsWhatIsUnsafeOnPostgreSQL(t *testing.T) {
	t.Parallel()
	db := pgtest.NewCluster(t).NewDatabase(t, nil) // with PostgreSQL's own, durable settings
	if err := app.Migrate(t.Context(), db.Owner, "", pgtest.App); err != nil {
		t.Fatal(err)
	}
	check := []string{"serve", "--check", "--data", t.TempDir(), "--database"}
	if out, _ := says(t, exitOK, append(check, db.App)...); !strings.Contains(out, "Nothing unsafe") {
		t.Errorf("said %q", out)
	}
	if out, _ := says(t, exitOK, append([]string{"doctor"}, append(check[2:], db.App)...)...); !strings.Contains(out, "Nothing wrong") {
		t.Errorf("said %q", out)
	}
	pgtest.Exec(t, db.Owner, "ALTER TABLE aver.messages DISABLE ROW LEVEL SECURITY")
	if out, _ := says(t, exitNo, append(check, db.App)...); !strings.Contains(out, "row security: messages") {
		t.Errorf("said %q", out)
	}
	out, _ := says(t, exitNo, append(check, db.App, "--json")...)
	var told struct {
		Safe   bool
		Unsafe []string
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || told.Safe || len(told.Unsafe) == 0 {
		t.Errorf("said %q: %v", out, err)
	}
	for address, want := range map[string]string{db.Boss: "superuser", db.Owner: "owners may lift policies"} {
		if _, errOut := says(t, exitError, append(check, address)...); !strings.Contains(errOut, want) {
			t.Errorf("said %q", errOut)
		}
	}
}
