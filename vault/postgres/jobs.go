package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"
)

// OpenDB opens a handle for the job queue, whose tables are in JobSchema. Jobs hold identifiers only and are not under
// row-level security, and the stores' schema is out of the handle's sight unless it is named.
func OpenDB(url string) (*sql.DB, error) {
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("open job queue: the address is malformed") // the library's error could repeat the password
	}
	settings.RuntimeParams["search_path"] = JobSchema + ", pg_temp"
	settings.RuntimeParams["application_name"] = "aver jobs"
	db := stdlib.OpenDB(*settings)
	db.SetMaxOpenConns(8) // the stores' own pool serves people, who must not wait for connections that jobs hold
	db.SetMaxIdleConns(8)
	return db, nil
}

// MigrateJobs makes the job queue's tables or brings them up to date, as the role that owns them. Processes that
// migrate at the same time wait for each other.
func MigrateJobs(ctx context.Context, ownerURL, appRole string) error {
	db, database, err := openOwner(ctx, ownerURL, appRole)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := locked(ctx, db, prepared(appRole, JobSchema, database)...); err != nil {
		return fmt.Errorf("migrate jobs: prepare the schema: %w", err)
	}
	if err := migrateRiver(ctx, db); err != nil {
		return fmt.Errorf("migrate jobs: %w", err)
	}
	role := pgx.Identifier{appRole}.Sanitize()
	return locked(ctx, db,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "+JobSchema+" TO "+role,
		"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "+JobSchema+" TO "+role)
}

// migrateRiver holds a lock of the session, because some of River's migrations need a transaction of their own.
func migrateRiver(ctx context.Context, db *sql.DB) error {
	const key = "hashtext('aver migrate jobs')"
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock("+key+")"); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock("+key+")") // closing the connection would unlock too
	migrator, err := rivermigrate.New(riverdatabasesql.New(db), &rivermigrate.Config{Schema: JobSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}
