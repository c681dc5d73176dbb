package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPapersAreWrittenShownAndChecked(t *testing.T) {
	t.Parallel()
	data, out := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "papers")
	says(t, exitOK, "tenant", "create", "kowal", "--name", "Kowal Bikes", "--region", "eu", "--data", data)
	list, _ := says(t, exitOK, "papers", "build", "kowal", "--out", out, "--json", "--data", data)
	var made []struct {
		File, Kind string
		Hash       string `json:"content_sha256"`
	}
	if err := json.Unmarshal([]byte(list), &made); err != nil || len(made) != 20 {
		t.Fatalf("%d files, %v: %s", len(made), err, list)
	}
	for _, one := range made {
		text, err := os.ReadFile(one.File)
		if err != nil || filepath.Ext(one.File) != ".jsonld" && !strings.Contains(string(text), one.Hash) {
			t.Errorf("%s does not carry the hash %s: %v", one.File, one.Hash, err)
		}
	}
	missing, _ := says(t, exitNo, "papers", "check", "kowal", "--data", data)
	if !strings.Contains(missing, "record       Legal name: /settings/legal name") {
		t.Errorf("missing is %s", missing)
	}
	shown, _ := says(t, exitOK, "papers", "show", "kowal", "record", "--format", "jsonld", "--data", data)
	if !strings.Contains(shown, "dpv:RegisterOfProcessingActivities") {
		t.Errorf("shown is %s", shown)
	}
	says(t, exitUsage, "papers", "build", "kowal", "--data", data)
	for want, words := range map[string][]string{`no paper "weather", only notice`: {"show", "kowal", "weather"}, `notice has no form "jsonld"`: {"show", "kowal", "notice", "--format", "jsonld"},
		`installation has no form "jsonld"`: {"installation", "--format", "jsonld"}} {
		if _, said := says(t, exitUsage, append(append([]string{"papers"}, words...), "--data", data)...); !strings.Contains(said, want) {
			t.Errorf("%v said %s", words, said)
		}
	}
	if _, said := says(t, exitError, "papers", "show", "nobody", "record", "--data", data); !strings.Contains(said, `no workspace "nobody" here`) {
		t.Errorf("of a workspace that is not there it said %s", said)
	}

	file := filepath.Join(t.TempDir(), "operator.json")
	if err := os.WriteFile(file, []byte(`{"name": "Betrieb AG", "address": "Bern", "country": "CH", "email": "privacy@betrieb.example"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, exitOK, "papers", "operator", file, "--data", data)
	record, _ := says(t, exitOK, "papers", "installation", "--format", "csv", "--data", data)
	if !strings.Contains(record, "Betrieb AG") || !strings.Contains(record, "On behalf of Kowal Bikes") {
		t.Errorf("the record is %s", record)
	}
}
