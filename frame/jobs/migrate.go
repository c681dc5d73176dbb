package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/riverqueue/river/rivermigrate"
)

const schemaName = "aver_jobs"

var validRole = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// Migrate brings the queue's tables to the current schema. On PostgreSQL db belongs to the owner of the database, the
// tables go into the schema aver_jobs, and role, which serves, may then use them. On SQLite role is ignored.
func Migrate(ctx context.Context, db *sql.DB, dialect Dialect, role string) error {
	j := &Jobs{db: db, dialect: dialect, log: slog.Default()}
	if dialect == SQLite {
		return j.migrate(ctx)
	}
	if !validRole.MatchString(role) {
		return fmt.Errorf("migrate the queue: the serving role's name has unusual characters")
	}
	lock, err := db.Conn(ctx)
	if err != nil {
		return unavailable("migrate the queue", err)
	}
	defer lock.Close()
	// Processes that start together take turns. The lock belongs to the connection, which goes back to the pool.
	if err := execAll(ctx, lock, "SELECT pg_advisory_lock(hashtext('"+schemaName+"'))"); err != nil {
		return err
	}
	defer lock.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(hashtext('"+schemaName+"'))")
	if err := execAll(ctx, lock, "CREATE SCHEMA IF NOT EXISTS "+schemaName); err != nil {
		return err
	}
	if err := j.migrate(ctx); err != nil {
		return err
	}
	return execAll(ctx, lock,
		"GRANT USAGE ON SCHEMA "+schemaName+" TO "+role,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "+schemaName+" TO "+role,
		"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "+schemaName+" TO "+role)
}

func execAll(ctx context.Context, conn *sql.Conn, statements ...string) error {
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("migrate the queue: %w", err)
		}
	}
	return nil
}

func (j *Jobs) migrate(ctx context.Context) error {
	migrator, err := j.migrator()
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	return nil
}

func (j *Jobs) migrator() (*rivermigrate.Migrator[*sql.Tx], error) {
	migrator, err := rivermigrate.New(j.driver(), &rivermigrate.Config{Schema: j.schema(), Logger: j.riverLog()})
	if err != nil {
		return nil, fmt.Errorf("read the queue's migrations: %w", err)
	}
	return migrator, nil
}

func (j *Jobs) checkSchema(ctx context.Context) error {
	migrator, err := j.migrator()
	if err != nil {
		return err
	}
	res, err := migrator.Validate(ctx)
	if err != nil {
		return unavailable("read the queue's schema version", err)
	}
	if !res.OK {
		return fmt.Errorf("open the queue: its tables are not current (%s): the owner of the database runs the migration first", strings.Join(res.Messages, "; "))
	}
	return nil
}
