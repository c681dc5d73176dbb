package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A Hole is a way round row-level security that was seen to work on a real server.
type Hole string

// The holes. Two more, cursors WITH HOLD and settings of a session, leave no trace in a catalogue: statements that make
// them are refused before they are sent.
const (
	HoleRole       Hole = "role"              // superuser, BYPASSRLS, or able to become or make such a role
	HoleOwner      Hole = "owner"             // owns something, and owners may lift policies
	HolePolicy     Hole = "row security"      // a table on which it is not enabled and forced
	HoleOpenPolicy Hole = "policy"            // a policy that is missing, or lets more through than the tenant's rows
	HoleForgotten  Hole = "no tenant"         // a table without tenant_id
	HoleView       Hole = "view"              // runs with its owner's rights
	HoleCopy       Hole = "materialized view" // holds rows without policies
	HoleDefiner    Hole = "definer function"  // runs with its owner's rights
	HolePartition  Hole = "partition"         // can be read directly
	HoleUnique     Hole = "unique index"      // without the tenant: its errors tell what others have
	HoleForeign    Hole = "foreign key"       // without the tenant: its checks bypass policies, and so do its cascades
	HoleGrant      Hole = "grant"             // TRUNCATE, TEMPORARY and others that policies do not bind
	HoleSetting    Hole = "setting"           // a role or database that starts sessions with a tenant or without policies
	HoleSequence   Hole = "sequence"          // its counter is visible to every tenant
)

// A Finding is one hole in one place.
type Finding struct {
	Hole   Hole
	Object string // the name of the table, view, function, role, …
}

// Lint looks for every hole, as the serving role, in the schema and in what else of the database the role can reach.
func (e *Engine) Lint(ctx context.Context) ([]Finding, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, connecting(ctx, err)
	}
	defer conn.Release()
	return lint(ctx, conn.Conn(), e.schema, slices.Concat(roleChecks, tableChecks, reachChecks))
}

// listed makes one error of the findings, or nil.
func listed(findings []Finding) error {
	var out []error
	for _, f := range findings {
		out = append(out, fmt.Errorf("%s: %s", f.Hole, f.Object))
	}
	return errors.Join(out...)
}

// unfit says in words what is wrong with a role that would serve.
func unfit(findings []Finding) string {
	objects := map[Hole][]string{}
	for _, f := range findings {
		objects[f.Hole] = append(objects[f.Hole], f.Object)
	}
	var out []string
	if roles := objects[HoleRole]; len(roles) > 0 {
		out = append(out, "the serving role is a superuser, or is or can become another that policies do not bind: "+strings.Join(roles, ", "))
	}
	if owned := objects[HoleOwner]; len(owned) > 0 {
		out = append(out, fmt.Sprintf("the serving role owns %d things, and owners may lift policies: %s …", len(owned), strings.Join(owned[:min(len(owned), 3)], ", ")))
	}
	return strings.Join(out, "; ")
}

// A check is a query that names the objects with a hole. $1 is the schema.
type check struct {
	hole  Hole
	query string
}

func lint(ctx context.Context, conn *pgx.Conn, schema string, checks []check) ([]Finding, error) {
	batch := &pgx.Batch{}
	var findings []Finding
	for _, c := range checks {
		batch.Queue("WITH input AS (SELECT $1::text AS schema) "+c.query, schema).Query(func(rows pgx.Rows) error {
			objects, err := pgx.CollectRows(rows, pgx.RowTo[string])
			for _, object := range objects {
				findings = append(findings, Finding{c.hole, object})
			}
			return err
		})
	}
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("look for holes in row-level security: %w", translate(ctx, err, conn.IsClosed()))
	}
	return findings, nil
}

// roleChecks are about who serves.
var roleChecks = []check{
	{HoleRole, `SELECT rolname::text FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') AND (rolsuper OR rolbypassrls OR rolcreaterole
		OR rolreplication OR rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))`},
	{HoleOwner, `SELECT pg_describe_object(classid, objid, objsubid) FROM pg_shdepend, pg_database d
		WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND pg_has_role(session_user, refobjid, 'MEMBER') AND d.datname = current_database()
		AND (dbid = d.oid OR dbid = 0 AND classid = 'pg_database'::regclass AND objid = d.oid)`},
}

// tables are the schema's tables, except the list of migrations, which is nobody's data.
const tables = `, tables AS (SELECT c.* FROM pg_class c, input i WHERE c.relnamespace = i.schema::regnamespace AND c.relkind IN ('r', 'p', 'f') AND c.relname <> 'migrations') `

// samePolicy tells whether an expression is the policy's, whatever casts, names and parentheses a server version prints.
const samePolicy = `regexp_replace(lower(pg_get_expr(%[1]s, polrelid)), '::text|::uuid| as "?\w+"?|[\s()]', '', 'g') = 'tenant_id=selectnullifcurrent_setting''app.tenant'',true,'''''`

// tableChecks are about the schema's tables.
var tableChecks = []check{
	{HolePolicy, tables + `SELECT relname::text FROM tables WHERE NOT (relrowsecurity AND relforcerowsecurity)`},
	{HoleOpenPolicy, tables + `SELECT relname::text FROM tables t LEFT JOIN pg_policy p ON p.polrelid = t.oid GROUP BY relname
		HAVING count(p.oid) <> 1 OR NOT bool_and(coalesce(polpermissive AND polcmd = '*' AND polroles = '{0}' AND ` +
		fmt.Sprintf(samePolicy, "polqual") + ` AND ` + fmt.Sprintf(samePolicy, "polwithcheck") + `, false))`},
	{HoleForgotten, tables + `SELECT relname::text FROM tables t WHERE NOT EXISTS
		(SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant_id' AND a.atttypid = 'uuid'::regtype AND a.attnotnull)`},
	{HolePartition, tables + `SELECT relname::text FROM tables t JOIN pg_inherits h ON h.inhrelid = t.oid
		WHERE has_table_privilege(session_user, t.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') OR NOT relrowsecurity`},
	{HoleUnique, tables + `SELECT x.relname::text FROM pg_index i JOIN tables t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
		WHERE (indisunique OR indisexclusion) AND NOT EXISTS
		(SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant_id' AND a.attnum = ANY (indkey[0:indnkeyatts - 1]))`},
	{HoleForeign, tables + `SELECT t.relname || '.' || f.conname FROM pg_constraint f JOIN tables t ON t.oid = f.conrelid WHERE f.contype = 'f' AND NOT EXISTS
		(SELECT FROM unnest(f.conkey, f.confkey) AS pair (here, there)
		JOIN pg_attribute h ON h.attrelid = f.conrelid AND h.attnum = here AND h.attname = 'tenant_id'
		JOIN pg_attribute o ON o.attrelid = f.confrelid AND o.attnum = there AND o.attname = 'tenant_id')`},
	{HoleGrant, tables + `SELECT what || ' on ' || relname FROM tables t, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) what WHERE has_table_privilege(session_user, t.oid, what)
		UNION ALL SELECT what || ' on migrations' FROM pg_class c, input i, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) what
		WHERE c.relnamespace = i.schema::regnamespace AND c.relname = 'migrations' AND has_table_privilege(session_user, c.oid, what)`},
	{HoleSequence, `SELECT c.relname::text FROM pg_class c, input i WHERE c.relnamespace = i.schema::regnamespace AND c.relkind = 'S' AND NOT EXISTS
		(SELECT FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND t.relname = 'migrations' AND t.relnamespace = c.relnamespace)`},
}

// foreign are namespaces that are not the server's own. What belongs to an extension is the server's own too.
const foreign = `, spaces AS (SELECT n.oid, n.nspname, n.nspname = i.schema AS ours FROM pg_namespace n, input i WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
	, extension AS (SELECT objid FROM pg_depend WHERE deptype = 'e') `

// reachChecks are about what else the role can reach.
var reachChecks = []check{
	{HoleView, foreign + `SELECT s.nspname || '.' || c.relname FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
		WHERE c.relkind = 'v' AND c.oid NOT IN (SELECT objid FROM extension) AND (s.ours OR has_table_privilege(session_user, c.oid, 'SELECT'))
		AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker' AND option_value::boolean)`},
	{HoleCopy, foreign + `SELECT s.nspname || '.' || c.relname FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
		WHERE c.relkind = 'm' AND (s.ours OR has_table_privilege(session_user, c.oid, 'SELECT'))`},
	{HoleDefiner, foreign + `SELECT s.nspname || '.' || p.proname FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace
		WHERE p.prosecdef AND p.oid NOT IN (SELECT objid FROM extension) AND (s.ours OR has_function_privilege(session_user, p.oid, 'EXECUTE'))`},
	{HoleGrant, foreign + `SELECT 'TEMPORARY on the database' WHERE has_database_privilege(session_user, current_database(), 'TEMPORARY')
		UNION ALL SELECT 'CREATE on the database' WHERE has_database_privilege(session_user, current_database(), 'CREATE')
		UNION ALL SELECT 'CREATE on schema ' || nspname FROM spaces WHERE has_schema_privilege(session_user, oid, 'CREATE')`},
	{HoleSetting, `SELECT split_part(setting, '=', 1) FROM pg_db_role_setting s, unnest(s.setconfig) setting
		WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
		AND (s.setrole = 0 OR pg_has_role(session_user, s.setrole, 'MEMBER'))
		AND split_part(setting, '=', 1) IN ('app.tenant', 'row_security', 'role', 'session_replication_role')`},
}
