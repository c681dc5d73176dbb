// Package moduletest stands in for what lies above a module, so that a test can call it: for main, which makes one schema
// and one set of routes of many modules, for the edge, which says who calls, and for the queue.
//
// It is for tests only: whoever a test names is believed.
package moduletest

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"aver/frame/jobs"
	"aver/frame/module"
	"aver/vault/sqlite"
	"aver/vault/vaulttest"
)

// Config is a vault with the tables of these modules.
func Config(t testing.TB, modules ...module.Module) vaulttest.Config {
	t.Helper()
	migrations, err := module.Migrations(modules)
	must(t, err)
	c := vaulttest.Config{Migrations: migrations}
	for _, m := range modules {
		c.Tables = append(c.Tables, m.Tables...)
	}
	return c
}

// Queue is a queue of the test's own, on SQLite. It knows no kinds of work and has not begun: the test declares some and
// starts it.
func Queue(t testing.TB) *jobs.Jobs {
	t.Helper()
	db, err := sqlite.OpenDB(filepath.Join(t.TempDir(), "jobs.db"), bytes.Repeat([]byte{7}, 64))
	must(t, err)
	queue, err := jobs.Open(t.Context(), db, jobs.SQLite)
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		must(t, queue.Stop(ctx))
		must(t, db.Close())
	})
	return queue
}

// Unzip returns the files of an archive by name.
func Unzip(t testing.TB, archive []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	must(t, err)
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		content, err := io.ReadAll(r)
		must(t, err)
		files[f.Name] = string(content)
	}
	return files
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
