package postgres_test

import (
	"strings"
	"testing"

	"aver/vault/postgres"
)

func TestRewriteNumbersPlaceholders(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT a FROM t WHERE b = ? AND c > ?":      "SELECT a FROM t WHERE b = $1 AND c > $2",
		"SELECT '?' FROM t WHERE b = ?":              "SELECT '?' FROM t WHERE b = $1",
		"SELECT 'it''s ?' FROM t WHERE b = ?":        "SELECT 'it''s ?' FROM t WHERE b = $1",
		`SELECT "odd?" FROM t WHERE b = ? LIMIT ?`:   `SELECT "odd?" FROM t WHERE b = $1 LIMIT $2`,
		`SELECT '"' FROM t WHERE b = ? AND c = '"?'`: `SELECT '"' FROM t WHERE b = $1 AND c = '"?'`,
		"ROLLBACK TO task":                           "ROLLBACK TO task",
	} {
		if got, _, err := postgres.Rewrite(query); err != nil || got != want {
			t.Errorf("%s became %s, %v", query, got, err)
		}
	}
}

// What would outlive the transaction, or end it, or change its tenant, is not sent.
func TestRewriteRefusesWhatOutlivesTheTransaction(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"", " ", "SET app.tenant = 'x'", "SET LOCAL app.tenant = 'x'", "RESET ALL", "DISCARD ALL",
		"SELECT set_config('app.tenant', ?, true)", "SELECT SET_CONFIG('app.tenant', ?, false)",
		"COMMIT", "BEGIN", "ROLLBACK", "ROLLBACK; SELECT 1", "END", "PREPARE TRANSACTION 'x'",
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1", "CREATE TEMP TABLE t (a int)", "CREATE TABLE t (a int)", "DROP TABLE t",
		"TRUNCATE t", "COPY t TO STDOUT", "DO 'x'", "CALL f()", "LISTEN x", "NOTIFY x", "LOCK TABLE t", "GRANT ALL ON t TO u",
		"SELECT 1; SELECT 2", "SELECT $1", "SELECT $$x$$", "SELECT 1 -- ?", "SELECT 1 /* ? */", `SELECT E'\'' || ?`, "SELECT 'open", "SELECT \x00",
	} {
		if got, _, err := postgres.Rewrite(query); err == nil {
			t.Errorf("%q became %q", query, got)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add("SELECT a FROM t WHERE b = ? AND c = 'it''s ?' AND \"d?\" = ?")
	f.Add("UPDATE t SET a = ?")
	f.Fuzz(func(t *testing.T, query string) {
		text, values, err := postgres.Rewrite(query)
		if err != nil {
			return
		}
		if strings.Count(query, "?") < values {
			t.Errorf("%q: %d values", query, values)
		}
		if !strings.ContainsAny(query, `'"`) && (strings.Count(text, "$") != values || strings.ContainsAny(text, "?;")) {
			t.Errorf("%q became %q with %d values", query, text, values)
		}
	})
}
