package sqlite_test

import (
	"bytes"
	"context"
	"crypto/sha512"
	"testing"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/engine/enginetest"
	"aver/vault/sqlite"
)

// pageKey gives every tenant a key of its own.
func pageKey(_ context.Context, tenant ids.Tenant) ([]byte, error) {
	key := sha512.Sum512(tenant.Bytes())
	return key[:], nil
}

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(t *testing.T) enginetest.Open {
		root := t.TempDir()
		return func(migrations []engine.Migration) (engine.Engine, error) {
			return sqlite.Open(sqlite.Config{Root: root, PageKey: pageKey, Migrations: migrations})
		}
	})
}

var _ = bytes.Equal
