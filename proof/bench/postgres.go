package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aver/proof/house"
)

const (
	pgTable = `CREATE TABLE raw (tenant_id uuid NOT NULL, conversation uuid NOT NULL, seq bigint NOT NULL, contact uuid NOT NULL, body bytea, sent_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, conversation, seq));
	ALTER TABLE raw ENABLE ROW LEVEL SECURITY; ALTER TABLE raw FORCE ROW LEVEL SECURITY;
	CREATE POLICY own ON raw USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid));
	GRANT SELECT, INSERT ON raw TO aver_app`
	pgTenant = "SELECT set_config('app.tenant', $1, true)"
	pgInsert = "INSERT INTO raw (tenant_id, conversation, seq, contact, body, sent_at) VALUES ($1, $2, $3, $4, $5, $6)"
	// pgConns is how many connections ours has; raw has as many.
	pgConns = 16
)

// intakePostgres: the same as intakeSQLite. A raw row is the tenant and an insert in one round trip, and its commit.
func intakePostgres(ctx context.Context, s scale) (_ []line, err error) {
	server, err := house.StartServer(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	crowd, err := openCrowd(ctx, s, house.Config{Database: server.Database.App}, inFlight)
	if err != nil {
		return nil, err
	}
	defer closing(&err, crowd.Close)
	raw, err := openRawPostgres(ctx, server)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	turns := []*turn{{name: "Aver"}, {name: "one pipelined insert a transaction, 16 connections"}}
	lasting := s.lasting(4 * time.Second)
	tenant := crowd.tenant.Bytes()
	for range s.rounds() {
		turns[0].add(crowd.write(ctx, inFlight, lasting))
		if err := house.Filed(ctx, crowd.house.Vault, crowd.tenant); err != nil {
			return nil, err
		}
		turns[1].add(rawLoad(ctx, inFlight, lasting, func(ctx context.Context, who []byte, seq int64, body []byte) error {
			var b pgx.Batch
			b.Queue(pgTenant, fmt.Sprintf("%x", tenant))
			b.Queue(pgInsert, tenant, who, seq, who, body, time.Now().UnixMicro())
			return raw.SendBatch(ctx, &b).Close()
		}))
	}
	l, err := intakeLine("the same on PostgreSQL", turns)
	return []line{l}, err
}

func openRawPostgres(ctx context.Context, server *house.Server) (*pgxpool.Pool, error) {
	owner, err := pgx.Connect(ctx, server.Database.Owner)
	if err != nil {
		return nil, err
	}
	defer owner.Close(ctx)
	if _, err := owner.Exec(ctx, pgTable); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(server.Database.App)
	if err != nil {
		return nil, err
	}
	config.MaxConns = pgConns
	return pgxpool.NewWithConfig(ctx, config)
}
