package probes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/vault"
)

// rows calls each for every stored row of a tenant.
type rows func(ctx context.Context, tenant ids.Tenant, each func(table string, row []any) error) error

// sealing is enc-1.
func sealing(w *World) claim.Claim {
	return claim.Claim{
		ID: "enc-1", Theme: encryption, Owner: security, Every: 6 * hourly, Within: 4 * hourly / 60,
		Wording:   "What people write is sealed with AES-256: {files} files ({bytes}) and {rows} rows of {tables} tables looked at as they are stored, {found} with plain words",
		Predicate: "No file of the data folder and no row as it is stored holds a word that the canary tenants wrote, plain, in base64, in hex, as UTF-16 or in gzip; and no store begins as an unencrypted one does.",
		Method:    "Two walls are looked at apart: the bytes of the files, whose pages are encrypted under the tenant's key, and the values inside, which are sealed under the tenant's or the person's key. Other tenants' stores are only looked at from outside, for the canaries' words cannot be in them.",
		Refs:      claim.References{ISO: []string{"A.8.24"}, SOC2: []string{"CC6.1", "CC6.7"}, GDPR: []string{"32(1)(a)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			north, err := w.Canaries.Await(ctx, canary.North)
			if err != nil {
				return claim.Evidence{}, err
			}
			south := w.Canaries.Side(canary.South)
			marks := attack.NewMarks(north.Root, south.Root)
			return judgeSealing(ctx, os.DirFS(w.Folder), w.Canaries.Is, marks, w.Vault.Stored, north.Tenant, south.Tenant, ids.Installation)
		},
		Fixtures: []claim.Fixture{
			fixture("a file with plain words in it", plainFile("notes.txt", []byte("hello canarywordcanary"))),
			fixture("a file with the words in base64", plainFile("stores/cache.bin", []byte("aGVsbG8gY2FuYXJ5d29yZGNhbmFyeQ=="))),
			fixture("a store whose pages are not encrypted", plainFile("stores/ten_x/data.db", []byte("SQLite format 3\x00....."))),
			fixture("a row with plain words in it", func(ctx context.Context) (claim.Evidence, error) {
				return judgeSealing(ctx, os.DirFS(os.DevNull), func(ids.Tenant) bool { return true }, attack.NewMarks("canarywordcanary"), oneRow([]any{int64(1), []byte("canarywordcanary")}), ids.Installation)
			}),
		},
	}
}

func oneRow(row []any) rows {
	return func(_ context.Context, _ ids.Tenant, each func(string, []any) error) error {
		return each("messages", row)
	}
}

// plainFile is a data folder with one file.
func plainFile(name string, text []byte) func(context.Context) (claim.Evidence, error) {
	return func(ctx context.Context) (claim.Evidence, error) {
		folder, err := os.MkdirTemp("", "aver-fixture-*")
		if err != nil {
			return claim.Evidence{}, fmt.Errorf("make a fixture: %w", err)
		}
		defer os.RemoveAll(folder)
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return claim.Evidence{}, err
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return claim.Evidence{}, err
		}
		return judgeSealing(ctx, os.DirFS(folder), func(ids.Tenant) bool { return true }, attack.NewMarks("canarywordcanary"), oneRow(nil), ids.Installation)
	}
}

func judgeSealing(ctx context.Context, folder fs.FS, isCanary func(ids.Tenant) bool, marks *attack.Marks, stored rows, tenants ...ids.Tenant) (claim.Evidence, error) {
	e := evidence()
	files, err := lookAtFiles(ctx, folder, isCanary, marks)
	if err != nil {
		return e, err
	}
	e.See(len(files.found) == 0, "files of the data folder", "%d files, %s read: %s", files.number, bytesOf(files.bytes), wordsIn(files.found))
	e.See(len(files.plain) == 0, "how stores begin", "%d stores, %s", files.stores, plainIn(files.plain))
	inRows, err := lookAtRows(ctx, marks, stored, tenants)
	if err != nil {
		return e, err
	}
	e.See(len(inRows.found) == 0, "rows as they are stored", "%d rows of %d tables: %s", inRows.rows, len(inRows.tables), wordsIn(inRows.found))
	e.Figure("files", "%s", page.Number(files.number))
	e.Figure("bytes", "%s", bytesOf(files.bytes))
	e.Figure("rows", "%s", page.Number(inRows.rows))
	e.Figure("tables", "%d", len(inRows.tables))
	e.Figure("found", "%d", len(files.found)+len(files.plain)+len(inRows.found))
	return e, nil
}

func wordsIn(found []string) string {
	if len(found) == 0 {
		return "no words of the canaries"
	}
	return "words of the canaries in " + strings.Join(found[:min(len(found), 5)], ", ")
}

func plainIn(plain []string) string {
	if len(plain) == 0 {
		return "all encrypted"
	}
	return "not encrypted: " + strings.Join(plain[:min(len(plain), 5)], ", ")
}

type filesSeen struct {
	number, stores int
	bytes          int64
	found, plain   []string
}

// lookAtFiles reads the whole folder, but for the stores and files of tenants that are no canaries: of these only the
// beginning.
func lookAtFiles(ctx context.Context, folder fs.FS, isCanary func(ids.Tenant) bool, marks *attack.Marks) (seen filesSeen, err error) {
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

func (seen *filesSeen) look(folder fs.FS, path string, beginning bool, marks *attack.Marks, buf []byte) error {
	f, err := folder.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	seen.number++
	for first := true; ; first = false {
		n, err := io.ReadFull(f, buf[len(buf):len(buf)+window])
		buf = buf[:len(buf)+n]
		seen.bytes += int64(n)
		if first && filepath.Base(path) == "data.db" {
			seen.stores++
			if bytes.HasPrefix(buf, []byte("SQLite format 3\x00")) {
				seen.plain = append(seen.plain, path)
			}
		}
		if marks.Find(buf) != "" {
			seen.found = append(seen.found, path)
			return nil
		}
		if err != nil || beginning { // the end, or the file was cut meanwhile
			return nil
		}
		buf = append(buf[:0], buf[max(0, len(buf)-overlap):]...)
	}
}

type rowsSeen struct {
	rows   int
	tables map[string]bool
	found  []string
}

func lookAtRows(ctx context.Context, marks *attack.Marks, stored rows, tenants []ids.Tenant) (rowsSeen, error) {
	seen := rowsSeen{tables: map[string]bool{}}
	for _, tenant := range tenants {
		err := stored(ctx, tenant, func(table string, row []any) error {
			seen.rows++
			seen.tables[table] = true
			for _, value := range row {
				if text := asBytes(value); marks.Find(text) != "" {
					seen.found = append(seen.found, "the table "+table)
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

var _ rows = (*vault.Vault)(nil).Stored
