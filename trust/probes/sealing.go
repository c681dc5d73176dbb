package probes

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/probes/world"
)

// sealing is enc-1.
func sealing(w view) claim.Claim {
	return claim.Claim{
		ID: "enc-1", Theme: world.Encryption, Owner: world.Security, Every: 6 * world.Hourly, Within: 4 * world.Hourly / 60,
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
			world.Fixture("a file with plain words in it", plainFile("notes.txt", []byte("hello canarywordcanary"))),
			world.Fixture("a file with the words in base64", plainFile("stores/cache.bin", []byte("aGVsbG8gY2FuYXJ5d29yZGNhbmFyeQ=="))),
			world.Fixture("a store whose pages are not encrypted", plainFile("stores/ten_x/data.db", []byte("SQLite format 3\x00....."))),
			world.Fixture("a row with plain words in it", func(ctx context.Context) (claim.Evidence, error) {
				return judgeSealing(ctx, os.DirFS(os.DevNull), func(ids.Tenant) bool { return true }, attack.NewMarks("canarywordcanary"), oneRow([]any{int64(1), []byte("canarywordcanary")}), ids.Installation)
			}),
		},
	}
}

func oneRow(row []any) world.Rows {
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

func judgeSealing(ctx context.Context, folder fs.FS, isCanary func(ids.Tenant) bool, marks *attack.Marks, stored world.Rows, tenants ...ids.Tenant) (claim.Evidence, error) {
	e := world.Evidence()
	files, err := world.LookAtFiles(ctx, folder, isCanary, marks)
	if err != nil {
		return e, err
	}
	e.See(len(files.Found) == 0, "files of the data folder", "%d files, %s read: %s", files.Number, world.Bytes(files.Bytes), world.WordsIn(files.Found))
	e.See(len(files.Plain) == 0, "how stores begin", "%d stores, %s", files.Stores, plainIn(files.Plain))
	inRows, err := world.LookAtRows(ctx, marks, stored, tenants)
	if err != nil {
		return e, err
	}
	e.See(len(inRows.Found) == 0, "rows as they are stored", "%d rows of %d tables: %s", inRows.Rows, len(inRows.Tables), world.WordsIn(inRows.Found))
	e.Figure("files", "%s", page.Number(files.Number))
	e.Figure("bytes", "%s", world.Bytes(files.Bytes))
	e.Figure("rows", "%s", page.Number(inRows.Rows))
	e.Figure("tables", "%d", len(inRows.Tables))
	e.Figure("found", "%d", len(files.Found)+len(files.Plain)+len(inRows.Found))
	return e, nil
}

func plainIn(plain []string) string {
	if len(plain) == 0 {
		return "all encrypted"
	}
	return "not encrypted: " + strings.Join(plain[:min(len(plain), 5)], ", ")
}
