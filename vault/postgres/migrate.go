package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"aver/vault/engine"
)

// versions is the table, in each schema, of the migrations that were applied. It is the only one without a tenant.
const versions = "migrations"

// Migrate brings a schema (StoreSchema, KeySchema) up to date, as the role that owns it. The serving role must exist;
// it gets the rights to read and write rows, and no other. Processes that migrate at the same time wait for each other,
// and one of them applies. A migration that fails is undone, named in the error, and tried again the next time.
func Migrate(ctx context.Context, ownerURL, appRole, schema string, migrations []engine.Migration) error {
	if !onlyName.MatchString(schema) {
		return errors.New("migrate: the schema's name is malformed")
	}
	steps, err := steps(appRole, schema, migrations)
	if err != nil {
		return err
	}
	db, database, err := openOwner(ctx, ownerURL, appRole)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := locked(ctx, db, prepared(appRole, schema, database)...); err != nil {
		return fmt.Errorf("migrate: prepare schema %s: %w", schema, err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, nil, goose.WithTableName(schema+"."+versions), goose.WithSessionLocker(locker),
		goose.WithGoMigrations(steps...), goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema %s: %w", schema, err)
	}
	return locked(ctx, db, "GRANT SELECT ON "+schema+"."+versions+" TO "+pgx.Identifier{appRole}.Sanitize())
}

// steps renders all migrations before anything runs.
func steps(appRole, schema string, migrations []engine.Migration) ([]*goose.Migration, error) {
	var out []*goose.Migration
	for _, m := range migrations {
		rendered, err := render(schema, appRole, m.SQL)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", m.Name, err)
		}
		out = append(out, goose.NewGoMigration(m.Version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			for _, statement := range rendered {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("migration %s: %w", m.Name, err)
				}
			}
			return nil
		}}, nil))
	}
	return out, nil
}

// openOwner connects as the owner and makes sure that the serving role is somebody else. It tells the database's name.
func openOwner(ctx context.Context, ownerURL, appRole string) (db *sql.DB, database string, err error) {
	settings, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return nil, "", errors.New("migrate: the owner's address is malformed") // the library's error could repeat the password
	}
	settings.RuntimeParams["application_name"] = "aver migrate"
	db = stdlib.OpenDB(*settings)
	var mayBeOwner bool
	err = db.QueryRowContext(ctx, "SELECT current_database(), pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = $1", appRole).
		Scan(&database, &mayBeOwner)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = fmt.Errorf("migrate: there is no role %s: CREATE ROLE %[1]s LOGIN", pgx.Identifier{appRole}.Sanitize())
	case err != nil:
		err = fmt.Errorf("migrate: %w", err)
	case mayBeOwner:
		err = fmt.Errorf("migrate: %w: the role that serves must not be able to become the owner", errUnsafe)
	default:
		return db, database, nil
	}
	return nil, "", errors.Join(err, db.Close())
}

// prepared makes the schema and shuts out whoever is not named.
func prepared(appRole, schema, database string) []string {
	role := pgx.Identifier{appRole}.Sanitize()
	return []string{
		"CREATE SCHEMA IF NOT EXISTS " + schema,
		"REVOKE ALL ON SCHEMA " + schema + " FROM PUBLIC",
		"GRANT USAGE ON SCHEMA " + schema + " TO " + role,
		"REVOKE TEMPORARY ON DATABASE " + pgx.Identifier{database}.Sanitize() + " FROM PUBLIC, " + role,
	}
}

// locked runs statements in a transaction that others like it wait for.
func locked(ctx context.Context, db *sql.DB, statements ...string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // a no-op after the commit
	for _, statement := range append([]string{"SELECT pg_advisory_xact_lock(hashtext('aver migrate'))"}, statements...) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// current tells how the schema differs from what the program was built with.
func current(ctx context.Context, conn *pgx.Conn, schema string, migrations []engine.Migration) error {
	rows, _ := conn.Query(ctx, "SELECT version_id FROM "+pgx.Identifier{schema, versions}.Sanitize()+" WHERE is_applied AND version_id > 0")
	applied, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	var answer *pgconn.PgError
	if errors.As(err, &answer) && (answer.Code == "42P01" || answer.Code == "42501") { // undefined_table, insufficient_privilege
		return fmt.Errorf("schema %s has not been made for this role: migrate as the owner first", schema)
	}
	if err != nil {
		return fmt.Errorf("read migrations: %w", translate(ctx, err, conn.IsClosed()))
	}
	var missing []string
	for _, m := range migrations {
		at := slices.Index(applied, m.Version)
		if at < 0 {
			missing = append(missing, m.Name)
			continue
		}
		applied = slices.Delete(applied, at, at+1)
	}
	if len(missing) > 0 {
		return fmt.Errorf("schema %s lacks migrations: %s: migrate as the owner first", schema, strings.Join(missing, ", "))
	}
	if len(applied) > 0 {
		return fmt.Errorf("schema %s is newer than this program: it has migrations %v", schema, applied)
	}
	return nil
}
