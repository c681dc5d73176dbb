package postgres_test

import (
	"testing"

	"aver/vault/engine"
	"aver/vault/engine/enginetest"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestEngineKeepsTheContract(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(t *testing.T) enginetest.Open {
		db := pgtest.Start(t).NewDatabase(t, nil)
		return func(migrations []engine.Migration) (engine.Engine, error) {
			if err := postgres.Migrate(t.Context(), db.Owner, pgtest.App, postgres.StoreSchema, migrations); err != nil {
				return nil, err
			}
			return postgres.Open(t.Context(), postgres.Config{URL: db.App, Migrations: migrations, UnsafeForTests: true})
		}
	})
}
