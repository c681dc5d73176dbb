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
	"aver/vault/engine"
	"aver/vault/postgres/pgtest"
)

const fileBytes = 4 << 20 // of an attachment

// backupSQLite: how fast a workspace of messages and attachments is backed up and restored, beside age alone over as many bytes.
func backupSQLite(ctx context.Context, s scale) ([]line, error) {
	return backup(ctx, s, "SQLite", app.Config{Data: filepath.Join(s.Folder, "full"), Log: io.Discard}, nil)
}

// backupPostgres: the same of rows of PostgreSQL, restored into another database, and into stores of files as a drill does
// it. The database's server may use all processors of the machine: who backs up waits for both.
func backupPostgres(ctx context.Context, s scale) ([]line, error) {
	server, err := house.StartServer(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	if err := server.Unbind(ctx); err != nil {
		return nil, err
	}
	if err := app.Migrate(ctx, server.Database.Owner, "", pgtest.App); err != nil {
		return nil, err
	}
	return backup(ctx, s, "PostgreSQL on all processors", app.Config{Data: filepath.Join(s.Folder, "files"), Log: io.Discard, Database: server.Database.App}, server)
}

func backup(ctx context.Context, s scale, where string, config app.Config, server *house.Server) (_ []line, err error) {
	h, err := hoard.Open(ctx, config, s.of(200_000, 2000), 0, 0)
	if err != nil {
		return nil, err
	}
	defer closing(&err, h.App.Close)
	if err := h.Attach(ctx, s.of(64, 2), fileBytes); err != nil {
		return nil, err
	}
	var empty func() (engine.Engine, error)
	if server != nil {
		empty = func() (engine.Engine, error) { return emptyDatabase(ctx, h.App, server) }
	}
	measured, err := safe.Measure(ctx, h, s.Folder, s.of(5, 1), empty)
	if err != nil {
		return nil, err
	}
	one := func(what string, ours, raw []float64) line {
		ratio := median(ours) / median(raw)
		return line{What: fmt.Sprintf("%s of %s, %s", what, megabytes(float64(measured.Size)), where), Must: "≥ 0.5 of raw", Aim: "≥ 0.7", Ours: megabytes(median(ours)) + "/s",
			Raw: "age, file to file, " + megabytes(median(raw)) + "/s", Ratio: fmt.Sprintf("%.2f", ratio), Verdict: least(ratio, 0.5, 0.7)}
	}
	made, restored := one("backup", measured.Made, measured.Sealing), one("restore", measured.Restored, measured.Opening)
	if server == nil {
		return []line{made, restored}, nil
	}
	restored.What += " into stores of files, as in a drill"
	return []line{made, one("restore", measured.Rows, measured.Opening), restored}, nil
}

func emptyDatabase(ctx context.Context, a *app.App, server *house.Server) (engine.Engine, error) {
	d, err := server.Another()
	if err != nil {
		return nil, err
	}
	if err := app.Migrate(ctx, d.Owner, "", pgtest.App); err != nil {
		return nil, err
	}
	return a.EmptyDatabase(ctx, d.Owner)
}
