package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"aver/vault/durable"
	"aver/vault/sqlite/pages"
)

// OpenDB opens an encrypted file through database/sql, for libraries that want it so, with the same safety as a
// tenant's store. It makes the file if need be. Transactions begin IMMEDIATE, and times are stored as SQLite writes
// them, without which the job queue does not find its retries. The key is 64 bytes and not part of any file name.
func OpenDB(path string, key []byte) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Base(path), err)
	}
	if err := makeFile(path); err != nil {
		return nil, translateFile("open "+filepath.Base(path), err)
	}
	db, err := database{vfs: pages.Register(), path: path, key: key}.openDB()
	if err == nil {
		err = db.Ping()
	}
	if err != nil {
		return nil, errors.Join(err, closeDB(db))
	}
	return db, nil
}

func closeDB(db *sql.DB) error {
	if db == nil {
		return nil
	}
	return db.Close()
}

// makeFile makes an empty file that only its owner may read, unless it exists.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), durable.Names(filepath.Dir(path)))
}

// openDB opens the file through database/sql; each connection of the pool is made safe as all others are.
func (d database) openDB() (*sql.DB, error) {
	db, err := driver.Open(d.uri("_txlock", "immediate", "_timefmt", "sqlite"), func(c *sqlite3.Conn) error {
		if err := d.shield(); err != nil {
			return err
		}
		return secure(c, d.key)
	})
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return db, nil
}
