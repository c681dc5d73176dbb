package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/cmd/aver/app"
)

func TestTheReferenceOfCommandsIsCurrent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if code := run(t.Context(), []string{"help", "--all"}, &out, &out); code != exitOK {
		t.Fatalf("exit status %d", code)
	}
	kept, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, out.Bytes()) {
		t.Error("docs/commands.md is not current: run make generate and commit it")
	}
}

func TestAWrongCommandLineSaysSoWithAStatusOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"frobnicate"}, {"tenant"}, {"tenant", "create"}, {"audit", "verify"}, {"claims"}, {"serve", "--no-such-option"}, {"serve", "--cert", "a"}, {"relay"}, {"relay", "--to", "eu"}, {"relay", "--to", "eu=http://eu.example"}, {"relay", "--to", "eu=https://eu.example", "--cert", "a"}, {"regions"},
		{"serve", "everything"}, {"demo", "now"}, {"doctor", "who"}} {
		var out, errOut bytes.Buffer
		data := filepath.Join(t.TempDir(), "data")
		if args[0] != "frobnicate" {
			args = append(args, "--data", data)
		}
		if code := run(t.Context(), args, &out, &errOut); code != exitUsage {
			t.Errorf("%v: exit status %d, said %q", args, code, errOut.String())
		}
		if errOut.Len() == 0 {
			t.Errorf("%v: nothing was said", args)
		}
		for _, folder := range []string{data, "aver-data"} {
			if _, err := os.Stat(folder); err == nil {
				t.Errorf("%v: made the folder %s", args, folder)
			}
		}
	}
}

func TestHelpAndACommandsNameIsTheCommandsHelp(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"help", "tenant"}, &out, &errOut); code != exitOK || !strings.HasPrefix(errOut.String(), "aver tenant: ") {
		t.Errorf("exit status %d, said %q %q", code, out.String(), errOut.String())
	}
	if code := run(t.Context(), []string{"help", "frobnicate"}, &out, &errOut); code != exitUsage {
		t.Errorf("of no command: exit status %d", code)
	}
}

func TestNoHelpPrintsTheEnvironment(t *testing.T) {
	for _, name := range []string{"AVER_DATABASE", "AVER_KEY_DATABASE", "AVER_ROOT_KEY_FROM", "AVER_DATABASE_OWNER", "AVER_KEY_DATABASE_OWNER", "AVER_BACKUP_TO", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "not-for-a-screen")
	}
	_, all := says(t, exitOK, "serve", "--help")
	_, migrating := says(t, exitOK, "migrate", "--help")
	all += migrating
	if strings.Contains(all, "not-for-a-screen") {
		t.Error("--help prints what the environment holds")
	}
	for _, name := range []string{"AVER_DATABASE", "AVER_KEY_DATABASE", "AVER_ROOT_KEY_FROM", "AVER_DATABASE_OWNER", "AVER_KEY_DATABASE_OWNER", "AVER_BACKUP_TO", "AWS_SECRET_ACCESS_KEY"} {
		if !strings.Contains(all, name) {
			t.Errorf("--help does not name %s", name)
		}
	}
}

func TestServeRefusesSettingsThatExposeIt(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for _, c := range []struct {
		option, value string
		want          int
	}{
		{"--admin", ":9464", exitNo}, {"--admin", "0.0.0.0:9464", exitNo}, {"--admin", "[::]:9464", exitNo}, {"--admin", "metrics.example:9464", exitNo},
		{"--admin", "127.0.0.1:9464", exitOK}, {"--admin", "[::1]:9464", exitOK}, {"--admin", "localhost:9464", exitOK},
		{"--proxy", "0.0.0.0/0", exitNo}, {"--proxy", "::/0", exitNo}, {"--proxy", "10.0.0.0/8", exitOK},
	} {
		out, _ := says(t, c.want, "serve", "--check", "--data", data, c.option, c.value)
		if c.want == exitNo && !strings.Contains(out, "Aver does not serve like this") {
			t.Errorf("%s %s: said %q", c.option, c.value, out)
		}
	}
	says(t, exitNo, "serve", "--data", data, "--proxy", "0.0.0.0/0")
}

func TestACommandMakesNoInstallation(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"tenant list", "tenant setup kowal", "claims list", "claims verify", "subprocessors list", "papers check kowal", "audit export kowal", "audit key",
		"audit checkpoint", "backup now", "backup list", "drill restore-erasure", "keys list", "keys rotate-root", "doctor"} {
		folder := filepath.Join(t.TempDir(), "data")
		_, errOut := says(t, exitError, append(strings.Fields(words), "--data", folder)...)
		if !strings.Contains(errOut, "there is no installation in "+folder) {
			t.Errorf("%s said %q", words, errOut)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s made %s", words, folder)
		}
	}
}

func TestAWorkspaceTakesTheRegionThatTheInstallationIsServedWith(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	create := func(slug string, more ...string) string {
		t.Helper()
		says(t, exitOK, append([]string{"tenant", "create", slug, "--data", data}, more...)...)
		out, _ := says(t, exitOK, "tenant", "list", "--data", data)
		for line := range strings.Lines(out) {
			if words := strings.Fields(line); words[0] == slug {
				return words[2]
			}
		}
		return "nothing"
	}
	served := func(region string) {
		t.Helper()
		a, err := app.Open(t.Context(), app.Config{Data: data, Region: region, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard, Calm: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		if err := a.Serve(ctx, func(*app.App) { stop() }); err != nil {
			t.Fatal(err)
		}
	}
	if got := create("one"); got != "local" {
		t.Errorf("before it was served: %s", got)
	}
	served("eu")
	if got := create("two"); got != "eu" {
		t.Errorf("after it was served in eu: %s", got)
	}
	served("")
	if got := create("three"); got != "eu" {
		t.Errorf("after it was served without a word: %s", got)
	}
	_, why := says(t, exitError, "tenant", "create", "four", "--region", "pl", "--data", data)
	if !strings.Contains(why, "stands in eu") {
		t.Errorf("a workspace of another region is refused with %q", why)
	}
	says(t, exitOK, "backup", "list", "--backup-region", "de", "--data", data)
	if _, why := says(t, exitError, "backup", "list", "--backup-region", "us", "--data", data); !strings.Contains(why, "at home in eu is not kept in us") {
		t.Errorf("backups in another region are refused with %q", why)
	}
	if out, _ := says(t, exitOK, "tenant", "list", "--data", data); strings.Contains(out, "four") || strings.Contains(out, "local") {
		t.Errorf("the workspaces are now %s", out)
	}
}

func TestAWorkspaceOfAnotherRegionIsReferredTo(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	says(t, exitOK, "tenant", "create", "one", "--region", "eu", "--data", data)
	says(t, exitOK, "regions", "add", "in", "https://in.chat.example", "--data", data)
	says(t, exitError, "regions", "add", "eu", "https://eu.chat.example", "--data", data)
	says(t, exitError, "regions", "add", "us", "http://us.chat.example", "--data", data)
	id := ids.NewTenant(time.Now()).String()
	says(t, exitUsage, "tenant", "refer", "far", "--region", "in", "--data", data)
	says(t, exitUsage, "tenant", "refer", "far", "con_x", "--region", "in", "--data", data)
	says(t, exitError, "tenant", "refer", "far", id, "--region", "eu", "--data", data)
	says(t, exitOK, "tenant", "refer", "far", id, "--region", "in", "--data", data)
	says(t, exitError, "tenant", "refer", "one", id, "--region", "in", "--data", data)
	says(t, exitError, "tenant", "create", "far", "--data", data)
	says(t, exitError, "tenant", "setup", "far", "--data", data)
	if out, _ := says(t, exitOK, "tenant", "list", "--data", data); !strings.Contains(out, id) {
		t.Errorf("listed %s", out)
	}
	if out, _ := says(t, exitOK, "regions", "list", "--json", "--data", data); !strings.Contains(out, `"region": "eu"`) || !strings.Contains(out, "https://in.chat.example") {
		t.Errorf("regions %s", out)
	}
	says(t, exitOK, "doctor", "--data", data)
	says(t, exitOK, "tenant", "unrefer", "far", "--data", data)
	says(t, exitError, "tenant", "unrefer", "one", "--data", data)
	says(t, exitOK, "tenant", "create", "far", "--data", data)
	says(t, exitOK, "regions", "remove", "in", "--data", data)
	if _, errOut := says(t, exitError, "regions", "remove", "in", "--data", data); !strings.Contains(errOut, "No address of a region of this name") {
		t.Errorf("removed twice: %q", errOut)
	}
}

func TestAWorkspaceIsMadeListedAndItsLogVerifies(t *testing.T) {
	t.Parallel()
	data, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "log")
	do := func(want int, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		if code := run(t.Context(), args, &out, &errOut); code != want {
			t.Fatalf("aver %s: exit status %d, want %d: %s%s", strings.Join(args, " "), code, want, out.String(), errOut.String())
		}
		return out.String()
	}
	if out := do(exitOK, "tenant", "create", "kowal", "--name", "Kowal Bikes", "--data", data); !strings.Contains(out, "/setup/avi_") {
		t.Errorf("no set-up link in %q", out)
	}
	do(exitError, "tenant", "create", "kowal", "--data", data)
	do(exitError, "tenant", "create", "No Such Slug", "--data", data)
	if out := do(exitOK, "tenant", "list", "--data", data); !strings.Contains(out, "Kowal Bikes") {
		t.Errorf("listed %q", out)
	}
	// The first run makes the canaries, which on a busy machine may take longer than the minute that a probe has.
	if err := eventually.Holds(t.Context(), 5*time.Minute, "the claim holds", func() (bool, error) {
		return run(t.Context(), []string{"claims", "verify", "enc-5", "--data", data}, io.Discard, io.Discard) == exitOK, nil
	}); err != nil {
		t.Fatal(err)
	}
	if out := do(exitOK, "claims", "show", "enc-5", "--data", data); !strings.HasPrefix(out, "holds    enc-5") || !strings.Contains(out, "Who answers for it") || !strings.Contains(out, "  yes  ") {
		t.Errorf("of one claim it says %q", out)
	}
	do(exitOK, "keys", "rotate", "kowal", "--data", data)
	do(exitOK, "keys", "rotate-root", "--data", data)
	if out := do(exitOK, "keys", "list", "kowal", "--data", data); !strings.Contains(out, "version 2") {
		t.Errorf("keys %q", out)
	}
	do(exitOK, "doctor", "--data", data)
	key := strings.TrimSpace(do(exitOK, "audit", "key", "--data", data))
	do(exitOK, "audit", "export", "kowal", "--out", file, "--data", data)
	do(exitOK, "audit", "verify", file, "--key", key)
	do(exitOK, "tenant", "create", "harbour", "--data", data) // the installation's log grows
	kept := filepath.Join(t.TempDir(), "checkpoint")
	if err := os.WriteFile(kept, []byte(do(exitOK, "audit", "checkpoint", "--data", data)), 0o600); err != nil {
		t.Fatal(err)
	}
	size := strings.Split(do(exitOK, "audit", "checkpoint", "--data", data), "\n")[1]
	if out := do(exitError, "audit", "verify", file, "--key", key, "--older", kept); !strings.Contains(out, "not shown") || strings.Contains(out, "does not verify") {
		t.Errorf("an honest log that shows nothing about the checkpoint: %q", out)
	}
	since := file + ".since"
	do(exitOK, "audit", "export", "kowal", "--since", size, "--out", since, "--data", data)
	if out := do(exitOK, "audit", "verify", since, "--key", key, "--older", kept); !strings.Contains(out, "The log verifies") {
		t.Errorf("an export since the checkpoint: %q", out)
	}
	do(exitUsage, "audit", "verify", since, "--older", kept)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := do(exitNo, "audit", "verify", file, "--key", key); !strings.Contains(out, "does not verify") {
		t.Errorf("an altered log: %q", out)
	}
	do(exitOK, "backup", "now", "--data", data)
	do(exitOK, "backup", "drill", "--data", data)
}

func TestAYearOfDeadlinesIsCountedAndChecked(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"deadlines", "simulate", "--year", "2027"}, &out, &errOut); code != exitOK {
		t.Fatalf("exit status %d: %s", code, errOut.String())
	}
	for _, line := range []string{"01-31 to 03-01 (the month ends, nobody works)", "1460 days counted for 4 regimes in eu: 0 wrong."} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("it does not say %q:\n%s", line, out.String())
		}
	}
	for _, line := range []string{"deadlines", "deadlines simulate", "deadlines simulate --year 2027 --place atlantis"} {
		if code := run(t.Context(), strings.Fields(line), io.Discard, io.Discard); code != exitUsage {
			t.Errorf("aver %s: exit status %d", line, code)
		}
	}
}

func TestRedactionIsMeasuredOnTheSameSentencesEachTime(t *testing.T) {
	t.Parallel()
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if code := run(t.Context(), []string{"redact", "bench", "--json", "--sentences", "500"}, out, io.Discard); code != exitOK {
			t.Fatalf("exit status %d", code)
		}
	}
	if first.String() != second.String() || !strings.Contains(first.String(), `"holds": true`) || !strings.Contains(first.String(), `"type": "names on no list"`) {
		t.Errorf("it says:\n%s", first.String())
	}
	for _, line := range []string{"redact", "redact bench --sentences 0", "redact bench now"} {
		if code := run(t.Context(), strings.Fields(line), io.Discard, io.Discard); code != exitUsage {
			t.Errorf("aver %s: exit status %d", line, code)
		}
	}
}
