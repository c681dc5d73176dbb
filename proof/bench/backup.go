package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"aver/cmd/aver/app"
	"aver/proof/bench/hoard"
	"aver/proof/bench/safe"
	"aver/proof/house"
	"aver/vault/postgres/pgtest"
)

const fileBytes = 4 << 20 // of an attachment

// backupSQLite: how fast a workspace of messages and attachments is backed up and restored, beside age alone over as many bytes.
func backupSQLite(ctx context.Context, s scale) ([]line, error) {
	return backup(ctx, s, "SQLite", app.Config{Data: filepath.Join(s.Folder, "full"), Log: io.Discard})
}

// backupPostgres: the same of rows of PostgreSQL, which are restored as a drill does it.
func backupPostgres(ctx context.Context, s scale) ([]line, error) {
	server, err := house.StartServer(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	if err := app.Migrate(ctx, server.Database.Owner, "", pgtest.App); err != nil {
		return nil, err
	}
	return backup(ctx, s, "PostgreSQL, restored into stores of files", app.Config{Data: filepath.Join(s.Folder, "files"), Log: io.Discard, Database: server.Database.App})
}

func backup(ctx context.Context, s scale, where string, config app.Config) (_ []line, err error) {
	h, err := hoard.Open(ctx, config, s.of(200_000, 2000), 0, 0)
	if err != nil {
		return nil, err
	}
	defer closing(&err, h.App.Close)
	if err := h.Attach(ctx, s.of(64, 2), fileBytes); err != nil {
		return nil, err
	}
	measured, err := safe.Measure(ctx, h, s.Folder, s.of(5, 1))
	if err != nil {
		return nil, err
	}
	one := func(what string, ours, raw []float64) line {
		ratio := median(ours) / median(raw)
		return line{What: fmt.Sprintf("%s of %s, %s", what, megabytes(float64(measured.Size)), where), Must: "≥ 0.5 of raw", Aim: "≥ 0.7", Ours: megabytes(median(ours)) + "/s",
			Raw: "age, file to file, " + megabytes(median(raw)) + "/s", Ratio: fmt.Sprintf("%.2f", ratio), Verdict: least(ratio, 0.5, 0.7)}
	}
	return []line{one("backup", measured.Made, measured.Sealing), one("restore", measured.Restored, measured.Opening)}, nil
}
