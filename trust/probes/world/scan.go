package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"aver/base/ids"
	"aver/trust/canary/attack"
	"aver/vault"
)

// Rows calls each for every stored row of a tenant.
type Rows func(ctx context.Context, tenant ids.Tenant, each func(table string, row []any) error) error

// WordsIn says where words of the canaries were found.
func WordsIn(found []string) string {
	if len(found) == 0 {
		return "no words of the canaries"
	}
	return "words of the canaries in " + strings.Join(found[:min(len(found), 5)], ", ")
}

// Files is what was seen in a folder.
type Files struct {
	Number, Stores int      // of files, and of those that are stores
	Bytes          int64    // that were read
	Found, Plain   []string // files with words of a canary, and stores that are not encrypted
}

// LookAtFiles reads the whole folder, but for the stores and files of tenants that are no canaries: of these only the
// beginning.
func LookAtFiles(ctx context.Context, folder fs.FS, isCanary func(ids.Tenant) bool, marks *attack.Marks) (seen Files, err error) {
	buf := make([]byte, 0, window+overlap)
	err = fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if path == "." && err != nil {
			return fs.SkipAll // no folder: the data lies in PostgreSQL
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if entry.Type().IsRegular() {
			return seen.look(folder, path, foreign(path, isCanary), marks, buf)
		}
		return nil
	})
	if err != nil {
		return seen, fmt.Errorf("read the data folder: %w", err)
	}
	return seen, nil
}

// foreign tells whether a file belongs to a tenant that is no canary.
func foreign(path string, isCanary func(ids.Tenant) bool) bool {
	for _, part := range strings.Split(path, "/") {
		if tenant, err := ids.ParseTenant(part); err == nil {
			return tenant != ids.Installation && !isCanary(tenant)
		}
	}
	return false
}

const (
	window  = 256 << 10 // bytes that are looked at together
	overlap = 4 << 10   // bytes that two windows share, so that no word falls between
)

func (seen *Files) look(folder fs.FS, path string, beginning bool, marks *attack.Marks, buf []byte) error {
	f, err := folder.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	seen.Number++
	for first := true; ; first = false {
		n, err := io.ReadFull(f, buf[len(buf):len(buf)+window])
		buf = buf[:len(buf)+n]
		seen.Bytes += int64(n)
		if first && filepath.Base(path) == "data.db" {
			seen.Stores++
			if bytes.HasPrefix(buf, []byte("SQLite format 3\x00")) {
				seen.Plain = append(seen.Plain, path)
			}
		}
		if marks.Find(buf) != "" {
			seen.Found = append(seen.Found, path)
			return nil
		}
		if err != nil || beginning { // the end, or the file was cut meanwhile
			return nil
		}
		buf = append(buf[:0], buf[max(0, len(buf)-overlap):]...)
	}
}

// RowsSeen is what was seen in rows as they are stored.
type RowsSeen struct {
	Rows   int
	Tables map[string]bool
	Found  []string // where words of a canary are
}

// LookAtRows reads every row of the tenants as it is stored.
func LookAtRows(ctx context.Context, marks *attack.Marks, stored Rows, tenants []ids.Tenant) (RowsSeen, error) {
	seen := RowsSeen{Tables: map[string]bool{}}
	for _, tenant := range tenants {
		err := stored(ctx, tenant, func(table string, row []any) error {
			seen.Rows++
			seen.Tables[table] = true
			for _, value := range row {
				if text := asBytes(value); marks.Find(text) != "" {
					seen.Found = append(seen.Found, "the table "+table)
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return seen, fmt.Errorf("read rows as they are stored: %w", err)
		}
	}
	return seen, nil
}

func asBytes(value any) []byte {
	switch v := value.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

var _ Rows = (*vault.Vault)(nil).Stored
