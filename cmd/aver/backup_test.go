package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aver/cmd/aver/app"
	"aver/trust/backups"
	"aver/trust/backups/manifest"
	"aver/vault/keyring"
	"aver/vault/postgres/pgtest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rehearsed runs aver drill restore-erasure and checks what it prints for programs.
func rehearsed(t *testing.T, places int, at ...string) {
	t.Helper()
	out, _ := says(t, exitOK, append([]string{"drill", "restore-erasure", "--json"}, at...)...)
	var r backups.Rehearsal
	must(t, json.Unmarshal([]byte(out), &r))
	if !r.Holds || r.Before.Rows != 3 || r.Inside.Rows != 3 || r.Released.Rows != 0 || len(r.Scans) != places {
		t.Errorf("the drill said %s", out)
	}
	if out, _ := says(t, exitOK, append([]string{"drill", "restore-erasure"}, at...)...); !strings.Contains(out, "Nobody came back") {
		t.Errorf("the drill said %q", out)
	}
}

// made makes a backup and returns its file.
func made(t *testing.T, data string, at ...string) string {
	t.Helper()
	out, _ := says(t, exitOK, append([]string{"backup", "now", "--json"}, at...)...)
	var m manifest.Manifest
	must(t, json.Unmarshal([]byte(out), &m))
	return filepath.Join(data, "backups", m.Name)
}

func TestACommandLineRestoresAnInstallationOfFiles(t *testing.T) {
	t.Parallel()
	data, to := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "restored")
	says(t, exitOK, "tenant", "create", "kowal", "--data", data)
	rehearsed(t, 5, "--data", data)
	file := made(t, data, "--data", data)
	says(t, exitOK, "tenant", "create", "later", "--data", data)
	if out, _ := says(t, exitOK, "backup", "list", "--data", data); strings.Count(out, "signed by this installation") != 3 {
		t.Errorf("listed %q", out)
	}
	if out, _ := says(t, exitOK, "backup", "drill", "--data", data); !strings.Contains(out, "stayed erased: true") {
		t.Errorf("the drill said %q", out)
	}
	says(t, exitOK, "backup", "restore", filepath.Base(file), "--to", to, "--data", data)
	says(t, exitError, "backup", "restore", file, "--to", to, "--data", data) // not empty any more
	must(t, exec.Command("cp", "-r", filepath.Join(data, "keys"), filepath.Join(data, "root.key"), to).Run())
	if _, errOut := says(t, exitError, "serve", "--check", "--data", to); !strings.Contains(errOut, "aver backup release") {
		t.Errorf("serve said %q", errOut)
	}
	says(t, exitOK, "backup", "release", "--data", to)
	if out, _ := says(t, exitOK, "tenant", "list", "--data", to); !strings.Contains(out, "kowal") || strings.Contains(out, "later") {
		t.Errorf("restored: %q", out)
	}
	for _, words := range []string{"backup", "backup restore x", "backup keys x", "drill", "drill nothing"} {
		says(t, exitUsage, append(strings.Fields(words), "--data", data)...)
	}
}

func TestACommandLineRestoresAnInstallationOnPostgreSQLOnAnotherMachine(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t) // with PostgreSQL's own, durable settings
	live, fresh := cluster.NewDatabase(t, nil), cluster.NewDatabase(t, nil)
	must(t, errors.Join(app.Migrate(t.Context(), live.Owner, "", pgtest.App), app.Migrate(t.Context(), fresh.Owner, "", pgtest.App)))
	data, machine, to := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "machine"), filepath.Join(t.TempDir(), "restored")
	at := []string{"--data", data, "--database", live.App}
	says(t, exitOK, append([]string{"tenant", "create", "kowal"}, at...)...)
	rehearsed(t, 6, at...) // and the files of the server
	file := made(t, data, at...)
	says(t, exitError, append([]string{"backup", "restore", file, "--to", to, "--to-database", live.Owner}, at...)...) // the living are not restored over

	// All that is left of the first machine: the backup, the copy of the keys, the identity, the root key.
	copies, err := filepath.Glob(filepath.Join(data, "backups", "aver-keys-*.age"))
	must(t, err)
	there := []string{"--data", machine, "--database", fresh.App}
	keys := append([]string{"backup", "keys", copies[0], "--identity", filepath.Join(data, "backup.key")}, there...)
	if _, errOut := says(t, exitError, keys...); !strings.Contains(errOut, "root.key is missing") {
		t.Errorf("without the root key: %q", errOut)
	}
	must(t, os.MkdirAll(machine, 0o700))
	_, foreign, err := keyring.OpenRootFile(filepath.Join(machine, "root.key"))
	must(t, err)
	if _, errOut := says(t, exitError, keys...); !foreign || !strings.Contains(errOut, "this root key does not open them") {
		t.Errorf("with another root key: %q", errOut)
	}
	root, err := os.ReadFile(filepath.Join(data, "root.key"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(machine, "root.key"), root, 0o600))
	says(t, exitOK, keys...)
	says(t, exitError, keys...) // twice
	says(t, exitOK, append([]string{"backup", "restore", file, "--identity", filepath.Join(data, "backup.key"), "--to", to, "--to-database", fresh.Owner}, there...)...)
	if _, errOut := says(t, exitError, append([]string{"serve", "--check"}, there...)...); !strings.Contains(errOut, "aver backup release") {
		t.Errorf("another folder opens the database that is shut: %q", errOut)
	}
	must(t, exec.Command("cp", "-r", filepath.Join(machine, "keys"), filepath.Join(machine, "root.key"), to).Run())
	there[1] = to
	if _, errOut := says(t, exitError, append([]string{"serve", "--check"}, there...)...); !strings.Contains(errOut, "aver backup release") {
		t.Errorf("serve said %q", errOut)
	}
	says(t, exitOK, append([]string{"backup", "release"}, there...)...)
	says(t, exitOK, append([]string{"serve", "--check"}, there...)...)
	if out, _ := says(t, exitOK, append([]string{"tenant", "list"}, there...)...); !strings.Contains(out, "kowal") {
		t.Errorf("restored: %q", out)
	}
	if out, _ := says(t, exitOK, append([]string{"doctor"}, there...)...); !strings.Contains(out, "Nothing wrong") {
		t.Errorf("the doctor said %q", out)
	}
}

func TestACommandLineClosesReopensAndDestroysAWorkspace(t *testing.T) {
	t.Parallel()
	data := []string{"--data", filepath.Join(t.TempDir(), "data")}
	at := func(words ...string) []string { return append(words, data...) }
	says(t, exitOK, at("tenant", "create", "kowal")...)
	if out, _ := says(t, exitOK, at("tenant", "closed")...); !strings.Contains(out, "No workspace is closed") {
		t.Errorf("listed %q", out)
	}
	along := filepath.Join(t.TempDir(), "along")
	says(t, exitUsage, at("tenant", "export", "kowal")...)
	if out, _ := says(t, exitOK, at("tenant", "export", "kowal", "--to", along)...); !strings.Contains(out, "rows") {
		t.Errorf("the export said %q", out)
	}
	if _, err := os.Stat(filepath.Join(along, "catalogue.json")); err != nil {
		t.Errorf("nothing was written: %v", err)
	}
	says(t, exitUsage, at("tenant", "close", "kowal", "--grace", "soon", "--yes")...)
	says(t, exitUsage, at("tenant", "close", "kowal")...) // nobody typed its name
	if out, _ := says(t, exitOK, at("tenant", "close", "kowal", "--grace", "14d", "--yes")...); !strings.Contains(out, "can be reopened until") {
		t.Errorf("said %q", out)
	}
	if out, _ := says(t, exitOK, at("tenant", "list")...); strings.Contains(out, "kowal") {
		t.Errorf("listed %q", out)
	}
	says(t, exitError, at("tenant", "setup", "kowal")...)
	says(t, exitOK, at("tenant", "reopen", "kowal")...)
	says(t, exitError, at("tenant", "reopen", "kowal")...)
	says(t, exitUsage, at("tenant", "close", "kowal", "--address", "chat.example.com", "--yes")...)
	out, _ := says(t, exitOK, at("tenant", "close", "kowal", "--grace", "0", "--yes", "--address", "https://chat.example.com", "--json")...)
	var told struct {
		Destroyed bool
		Link      string
	}
	must(t, json.Unmarshal([]byte(out), &told))
	if !told.Destroyed || !strings.HasPrefix(told.Link, "https://chat.example.com/closed/") {
		t.Errorf("said %q", out)
	}
	if out, _ := says(t, exitOK, at("tenant", "closed")...); !strings.Contains(out, "kowal") || !strings.Contains(out, "destroyed") {
		t.Errorf("listed %q", out)
	}
	document := ""
	must(t, with(t.Context(), app.Config{Data: data[1]}, func(a *app.App) error {
		all, err := a.Closing.List(t.Context())
		document = string(all[0].Document)
		return err
	}))
	file := filepath.Join(t.TempDir(), "certificate.json")
	must(t, os.WriteFile(file, []byte(document), 0o600))
	key, _ := says(t, exitOK, at("audit", "key")...)
	if out, _ := says(t, exitOK, "tenant", "certificate", file, "--key", strings.TrimSpace(key)); !strings.Contains(out, "It holds: workspace kowal") || !strings.Contains(out, "of chat.example.com was destroyed") {
		t.Errorf("said %q", out)
	}
	must(t, os.WriteFile(file, []byte(strings.Replace(document, `"slug": "kowal"`, `"slug": "other"`, 1)), 0o600))
	says(t, exitNo, "tenant", "certificate", file, "--key", strings.TrimSpace(key))
}
