package relay_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aver/edge/relay"
)

// lines are the connection log's, each as its members.
func (c *carried) lines() []map[string]string {
	c.t.Helper()
	var all []map[string]string
	for _, name := range c.files() {
		text, err := os.ReadFile(filepath.Join(c.folder, name))
		must(c.t, err)
		for line := range strings.Lines(string(text)) {
			var one map[string]string
			must(c.t, json.Unmarshal([]byte(line), &one))
			all = append(all, one)
		}
	}
	return all
}

func (c *carried) files() (names []string) {
	c.t.Helper()
	list, err := os.ReadDir(c.folder)
	must(c.t, err)
	for _, f := range list {
		names = append(names, f.Name())
		info, err := f.Info()
		must(c.t, err)
		if info.Mode().Perm() != 0o600 {
			c.t.Errorf("%s is open to others: %v", f.Name(), info.Mode())
		}
	}
	return names
}

func TestAConnectionLeavesOneLineOfFourThings(t *testing.T) {
	t.Parallel()
	c := between(t, newRegion(t, "eu", "kowal"))
	long := "Browser/1 " + strings.Repeat("é", 300)
	c.send("POST", "/my-data/kowal?email=ada@example.org", "my secret words", "User-Agent", long, "Referer", "https://user:pass@shop.example/orders/4711?name=Ada#x",
		"Authorization", "Bearer "+token, "Cookie", "__Host-aver="+token, "X-Name", "Ada Lovelace")
	c.send("GET", "/my-data/kowal/again", "", "User-Agent", "Browser/1") // on the same connection
	lines := c.lines()
	if len(lines) != 1 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	got := lines[0]
	if len(got) != 4 || got["time"] != "2026-11-22T09:00:00Z" || got["ip"] != "127.0.0.1" || got["site"] != "https://shop.example" ||
		!strings.HasPrefix(got["user_agent"], "Browser/1 é") || len(got["user_agent"]) > 256 {
		t.Errorf("kept %v", got)
	}
}

func TestALineOfTheLogIsNoLongerThanAHostMayBe(t *testing.T) {
	t.Parallel()
	c := between(t, newRegion(t, "eu"))
	c.send("GET", "/l.js", "", "Origin", "https://"+strings.Repeat("a", 8000)+".example", "Referer", "https://shop.example/")
	if lines := c.lines(); len(lines) != 1 || lines[0]["site"] != "https://shop.example" {
		t.Errorf("kept %v", lines)
	}
}

func TestTheConnectionLogTurnsEveryDayAndForgetsAfterItsLimit(t *testing.T) {
	t.Parallel()
	c := between(t, newRegion(t, "eu"))
	visit := func() {
		c.t.Helper()
		c.client.CloseIdleConnections()
		c.send("GET", "/l.js", "")
	}
	visit()
	c.clock.Advance(24 * time.Hour)
	visit()
	if got := c.files(); len(got) != 2 || got[0] != "connections-2026-11-22.jsonl" || got[1] != "connections-2026-11-23.jsonl" {
		t.Fatalf("files %v", got)
	}
	must(t, os.WriteFile(filepath.Join(c.folder, "notes.txt"), nil, 0o600)) // not ours to remove
	c.clock.Advance(relay.DefaultKeep - 48*time.Hour + time.Minute)
	visit()
	if got := c.files(); len(got) != 4 {
		t.Errorf("before the limit: %v", got)
	}
	c.clock.Advance(24 * time.Hour)
	visit()
	if got := c.files(); len(got) != 4 || got[0] != "connections-2026-11-23.jsonl" {
		t.Errorf("after the limit of the first: %v", got)
	}
}

func TestNoConnectionLogIsKeptLongerThanAYear(t *testing.T) {
	t.Parallel()
	for _, keep := range []time.Duration{time.Hour, 366 * 24 * time.Hour} {
		_, err := relay.New(relay.Config{Regions: []relay.Region{{Name: "eu"}}, Carrier: http.NewFileTransport(http.Dir(".")), Folder: t.TempDir(), Keep: keep})
		if err == nil {
			t.Errorf("%v is taken", keep)
		}
	}
}
