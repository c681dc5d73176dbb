package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/vault/sqlite"
)

var queueKey = bytes.Repeat([]byte{3}, 64)

func openDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sqlite.OpenDB(path, queueKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestOpenDBIsAsSafeAsAStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a folder & more", "jobs.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 { // new, and when it existed
		db := openDB(t, path)
		for pragma, want := range map[string]string{
			"synchronous": "2", "journal_mode": "wal", "secure_delete": "1", "foreign_keys": "1", "temp_store": "2", "busy_timeout": "5000",
		} {
			var got string
			if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, want %q; %v", pragma, got, want, err)
			}
		}
		if _, err := db.Exec("CREATE TABLE IF NOT EXISTS jobs (note TEXT)"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("INSERT INTO jobs VALUES (?)", canary); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			content, err := os.ReadFile(name)
			if err != nil || bytes.Contains(content, []byte(canary)) || bytes.Contains(content, []byte("SQLite format")) {
				t.Errorf("%s can be read: %v", filepath.Base(name), err)
			}
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v, %v", filepath.Base(name), info.Mode(), err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenDBRefusesAnotherKeyWithoutTellingIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.db")
	db := openDB(t, path)
	if _, err := db.Exec("CREATE TABLE jobs (note TEXT)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.OpenDB(path, bytes.Repeat([]byte{0xab}, 64))
	if !errors.Is(err, sqlite.ErrKey) || strings.Contains(err.Error(), "abab") {
		t.Errorf("got %v", err)
	}
	if _, err := sqlite.OpenDB(path, queueKey[:32]); err == nil {
		t.Error("a short key was taken")
	}
}

func TestOpenDBTransactionsOfManyGoroutinesLoseNothing(t *testing.T) {
	t.Parallel()
	db := openDB(t, filepath.Join(t.TempDir(), "jobs.db"))
	if _, err := db.Exec("CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)"); err != nil {
		t.Fatal(err)
	}
	const workers, times = 8, 10
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range times {
				if err := increment(db); err != nil {
					t.Errorf("transaction: %v", err)
				}
			}
		})
	}
	all.Wait()
	var n int
	if err := db.QueryRow("SELECT n FROM counter").Scan(&n); err != nil || n != workers*times {
		t.Errorf("counted %d, want %d; %v", n, workers*times, err)
	}
}

// increment reads before it writes, which would lose or fail if transactions did not begin IMMEDIATE.
func increment(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var n int
	if err := tx.QueryRow("SELECT n FROM counter").Scan(&n); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE counter SET n = ?", n+1); err != nil {
		return err
	}
	return tx.Commit()
}

func TestOpenDBStoresTimesThatSQLCanCompare(t *testing.T) {
	t.Parallel()
	db := openDB(t, filepath.Join(t.TempDir(), "jobs.db"))
	if _, err := db.Exec("CREATE TABLE jobs (due TIMESTAMP)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO jobs VALUES (?)", time.Now().Add(-time.Second).UTC()); err != nil {
		t.Fatal(err)
	}
	var due int
	if err := db.QueryRow("SELECT COUNT(*) FROM jobs WHERE due <= CURRENT_TIMESTAMP || '.999'").Scan(&due); err != nil || due != 1 {
		t.Errorf("%d jobs are due, want 1; %v", due, err)
	}
}
