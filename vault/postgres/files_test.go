package postgres_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

func TestWhereTheServerKeepsItsFilesIsFoundWithEveryTablespace(t *testing.T) {
	t.Parallel()
	db := pgtest.NewCluster(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	e := db.Open(t, postgres.StoreSchema, people)
	elsewhere := t.TempDir()
	folders, err := e.Files()
	if err != nil || len(folders) != 1 {
		t.Fatal(folders, err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(folders[0], "pg_tblspc", "16999")); err != nil { // what CREATE TABLESPACE makes
		t.Fatal(err)
	}
	if folders, err = e.Files(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folders[0], "PG_VERSION")); err != nil || !slices.Contains(folders, elsewhere) {
		t.Errorf("found %q (%v)", folders, err)
	}
}

// Such as PgBouncer's.
func TestBehindAnotherProgramsSocketAServerHasNoFilesHere(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	wire := listenIn(t, db.App)
	e, err := postgres.Open(t.Context(), postgres.Config{URL: wire.url, Migrations: people, UnsafeForTests: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Files(); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("got %v", err)
	}
}
