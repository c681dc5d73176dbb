package postgres_test

import (
	"reflect"
	"testing"

	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

// Each hole is planted alone, by the superuser, and must be found under its own name and nothing else with it.
func TestLintFindsEveryHole(t *testing.T) {
	t.Parallel()
	const table = "CREATE TABLE aver.odd (tenant_id uuid NOT NULL, id uuid NOT NULL, n bigint"
	const guarded = "ALTER TABLE aver.odd ENABLE ROW LEVEL SECURITY; ALTER TABLE aver.odd FORCE ROW LEVEL SECURITY; " +
		"CREATE POLICY tenant ON aver.odd USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)) " +
		"WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid))"
	for name, test := range map[string]struct {
		plant string
		want  []postgres.Finding
	}{
		"nothing":            {"SELECT 1", nil},
		"a sound table more": {table + "); " + guarded, nil},

		"not enabled":             {"ALTER TABLE aver.people DISABLE ROW LEVEL SECURITY", one(postgres.HolePolicy, "people")},
		"not forced":              {"ALTER TABLE aver.people NO FORCE ROW LEVEL SECURITY", one(postgres.HolePolicy, "people")},
		"no policy":               {"DROP POLICY tenant ON aver.people", one(postgres.HoleOpenPolicy, "people")},
		"a second policy for all": {"CREATE POLICY more ON aver.people USING (true)", one(postgres.HoleOpenPolicy, "people")},
		"an open policy":          {"ALTER POLICY tenant ON aver.people USING (true)", one(postgres.HoleOpenPolicy, "people")},
		"an open check":           {"ALTER POLICY tenant ON aver.people WITH CHECK (true)", one(postgres.HoleOpenPolicy, "people")},
		"a policy with a back door": {"ALTER POLICY tenant ON aver.people USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) OR n = 7)",
			one(postgres.HoleOpenPolicy, "people")},
		"a policy of a bare cast": {"ALTER POLICY tenant ON aver.people USING (tenant_id = current_setting('app.tenant', true)::uuid)", one(postgres.HoleOpenPolicy, "people")},
		"a policy for one role":   {"ALTER POLICY tenant ON aver.people TO aver_app", one(postgres.HoleOpenPolicy, "people")},

		"a forgotten table": {"CREATE TABLE aver.odd (id uuid PRIMARY KEY, n bigint); ALTER TABLE aver.odd ENABLE ROW LEVEL SECURITY; ALTER TABLE aver.odd FORCE ROW LEVEL SECURITY; " +
			"CREATE POLICY tenant ON aver.odd USING (id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)) WITH CHECK (true)",
			[]postgres.Finding{{postgres.HoleOpenPolicy, "odd"}, {postgres.HoleForgotten, "odd"}, {postgres.HoleUnique, "odd_pkey"}}},
		"a tenant that may be absent": {"ALTER TABLE aver.people DROP CONSTRAINT people_pkey CASCADE; ALTER TABLE aver.people ALTER tenant_id DROP NOT NULL", one(postgres.HoleForgotten, "people")},

		"a view":                        {"CREATE VIEW aver.leak AS SELECT * FROM aver.people", one(postgres.HoleView, "aver.leak")},
		"a view elsewhere":              {"CREATE VIEW public.leak AS SELECT * FROM aver.people; GRANT SELECT ON public.leak TO aver_app", one(postgres.HoleView, "public.leak")},
		"a view elsewhere, not granted": {"CREATE VIEW public.own AS SELECT * FROM aver.people", nil},
		"a view as its caller":          {"CREATE VIEW aver.fine WITH (security_invoker = true) AS SELECT * FROM aver.people", nil},
		"a materialized view":           {"CREATE MATERIALIZED VIEW aver.leak AS SELECT * FROM aver.people", one(postgres.HoleCopy, "aver.leak")},
		"a definer function": {"CREATE FUNCTION public.leak() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM aver.people'",
			one(postgres.HoleDefiner, "public.leak")},

		"a partition": {table + ") PARTITION BY HASH (id); CREATE TABLE aver.odd_0 PARTITION OF aver.odd FOR VALUES WITH (MODULUS 1, REMAINDER 0); GRANT SELECT ON aver.odd_0 TO aver_app; " + guarded,
			[]postgres.Finding{{postgres.HolePolicy, "odd_0"}, {postgres.HoleOpenPolicy, "odd_0"}, {postgres.HolePartition, "odd_0"}}},

		"a unique index":           {"CREATE UNIQUE INDEX leak ON aver.people (label)", one(postgres.HoleUnique, "leak")},
		"a unique index beside it": {"CREATE UNIQUE INDEX leak ON aver.people (label) INCLUDE (tenant_id)", one(postgres.HoleUnique, "leak")},
		"a foreign key": {"CREATE TABLE public.kinds (id uuid PRIMARY KEY); ALTER TABLE aver.people ADD CONSTRAINT leak FOREIGN KEY (id) REFERENCES public.kinds",
			one(postgres.HoleForeign, "people.leak")},
		"a crossed foreign key": {"CREATE TABLE public.kinds (tenant_id uuid, id uuid, UNIQUE (id, tenant_id)); ALTER TABLE aver.people ADD CONSTRAINT leak FOREIGN KEY (tenant_id, id) REFERENCES public.kinds (id, tenant_id)",
			one(postgres.HoleForeign, "people.leak")},

		"TRUNCATE":                       {"GRANT TRUNCATE ON aver.people TO aver_app", one(postgres.HoleGrant, "TRUNCATE on people")},
		"TRUNCATE to all":                {"GRANT TRUNCATE ON aver.people TO PUBLIC", one(postgres.HoleGrant, "TRUNCATE on people")},
		"writing the list of migrations": {"GRANT DELETE ON aver.migrations TO aver_app", one(postgres.HoleGrant, "DELETE on migrations")},
		"CREATE in a schema":             {"GRANT CREATE ON SCHEMA aver TO aver_app", one(postgres.HoleGrant, "CREATE on schema aver")},
		"a sequence":                     {"CREATE SEQUENCE aver.counter", one(postgres.HoleSequence, "counter")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t)
			e := db.Open(t, postgres.StoreSchema, people)
			pgtest.Exec(t, db.Boss, test.plant)
			expect(t, e, test.want)
		})
	}
}

// These holes are in the database's own settings, which are named after it.
func TestLintFindsHolesInTheDatabase(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		plant func(database string) string
		want  []postgres.Finding
	}{
		"TEMPORARY": {func(db string) string { return "GRANT TEMPORARY ON DATABASE " + db + " TO PUBLIC" }, one(postgres.HoleGrant, "TEMPORARY on the database")},
		"CREATE":    {func(db string) string { return "GRANT CREATE ON DATABASE " + db + " TO aver_app" }, one(postgres.HoleGrant, "CREATE on the database")},
		"a tenant for every session": {func(db string) string {
			return "ALTER DATABASE " + db + " SET app.tenant = '00000000-0000-0000-0000-000000000001'"
		},
			one(postgres.HoleSetting, "app.tenant")},
		"a tenant for the role": {func(db string) string {
			return "ALTER ROLE aver_app IN DATABASE " + db + " SET app.tenant = '00000000-0000-0000-0000-000000000001'"
		}, one(postgres.HoleSetting, "app.tenant")},
		"owning the database": {func(db string) string { return "ALTER DATABASE " + db + " OWNER TO aver_app" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t)
			e := db.Open(t, postgres.StoreSchema, people)
			pgtest.Exec(t, db.Boss, test.plant(db.Name))
			if test.want == nil { // an owner has every right too
				findings, err := e.Lint(t.Context())
				if err != nil || len(findings) == 0 || findings[0] != (postgres.Finding{Hole: postgres.HoleOwner, Object: "database " + db.Name}) {
					t.Errorf("found %v, %v", findings, err)
				}
				return
			}
			expect(t, e, test.want)
		})
	}
}

// Roles belong to a whole cluster, so this test has its own.
func TestLintFindsHolesInTheRole(t *testing.T) {
	t.Parallel()
	db := pgtest.NewCluster(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	e := db.Open(t, postgres.StoreSchema, people)
	for _, step := range []struct{ plant, remove, role string }{
		{"ALTER ROLE aver_app BYPASSRLS", "ALTER ROLE aver_app NOBYPASSRLS", "aver_app"},
		{"ALTER ROLE aver_app CREATEROLE", "ALTER ROLE aver_app NOCREATEROLE", "aver_app"},
		{"ALTER ROLE aver_app REPLICATION", "ALTER ROLE aver_app NOREPLICATION", "aver_app"},
		{"CREATE ROLE other BYPASSRLS; GRANT other TO aver_app", "REVOKE other FROM aver_app", "other"},
		{"GRANT pg_execute_server_program TO aver_app", "REVOKE pg_execute_server_program FROM aver_app", "pg_execute_server_program"},
	} {
		pgtest.Exec(t, db.Boss, step.plant)
		expect(t, e, one(postgres.HoleRole, step.role))
		pgtest.Exec(t, db.Boss, step.remove)
		expect(t, e, nil)
	}
	pgtest.Exec(t, db.Boss, "ALTER ROLE aver_app SUPERUSER")
	findings, err := e.Lint(t.Context())
	if err != nil || len(findings) == 0 || findings[0].Hole != postgres.HoleRole {
		t.Errorf("a superuser: %v, %v", findings, err)
	}
	if err := e.Check(t.Context()); err == nil {
		t.Error("Check accepts a superuser")
	}
}

func one(hole postgres.Hole, object string) []postgres.Finding {
	return []postgres.Finding{{Hole: hole, Object: object}}
}

func expect(t *testing.T, e *postgres.Engine, want []postgres.Finding) {
	t.Helper()
	got, err := e.Lint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if err := e.Check(t.Context()); (err != nil) != (len(want) > 0) {
		t.Errorf("check: %v", err)
	}
}
