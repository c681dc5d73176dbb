package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
)

const widget = ".."

func TestDistIsBuiltFromTheSourcesAsTheyAre(t *testing.T) {
	t.Parallel()
	want, err := build(widget)
	if err != nil {
		t.Fatal(err)
	}
	dist := filepath.Join(widget, "dist")
	for name, body := range want {
		got, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("dist/%s is out of date (%v): go generate ./work/channels/webchat/widget", name, err)
		}
	}
	err = filepath.WalkDir(dist, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dist, path)
		if want[filepath.ToSlash(name)] == nil {
			t.Errorf("dist/%s is built from nothing", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheWidgetStaysSmall(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int{"l.js": 5_000, "app.js": 24_000, "app.css": 4_000, "strings/hi.json": 3_000} {
		body, err := os.ReadFile(filepath.Join(widget, "dist", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := compressed(t, body); got > limit {
			t.Errorf("%s is %d bytes compressed, more than %d", name, got, limit)
		} else {
			t.Logf("%s: %d bytes compressed of %d", name, got, limit)
		}
	}
}

func compressed(t *testing.T, body []byte) int {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}
