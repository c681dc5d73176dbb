package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/riverqueue/river/rivermigrate"
)

// schemaName is where PostgreSQL keeps the queue. Its owner makes the tables (vault/postgres.MigrateJobs), because the
// role that serves may not.
const schemaName = "aver_jobs"

// prepare brings a SQLite queue to the current schema, and tells whether the queue's schema is the one this program knows.
func (j *Jobs) prepare(ctx context.Context) error {
	migrator, err := j.migrator()
	if err != nil {
		return err
	}
	if j.dialect == SQLite {
		if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return unavailable("open the queue: bring its tables up to date", err)
		}
	}
	res, err := migrator.Validate(ctx)
	if err != nil {
		return unavailable("open the queue: read its schema version", err)
	}
	if !res.OK {
		return fmt.Errorf("open the queue: its tables are not current (%s): the owner of the database migrates them first", strings.Join(res.Messages, "; "))
	}
	return nil
}

func (j *Jobs) migrator() (*rivermigrate.Migrator[*sql.Tx], error) {
	migrator, err := rivermigrate.New(j.driver(), &rivermigrate.Config{Schema: j.schema(), Logger: j.riverLog()})
	if err != nil {
		return nil, fmt.Errorf("open the queue: read its migrations: %w", err)
	}
	return migrator, nil
}
