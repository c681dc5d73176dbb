package postgres_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aver/vault/postgres"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestRenderGivesEveryTableItsTenant(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/render/*.sql")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			statements, err := postgres.Render("aver", "aver_app", string(text))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(statements, ";\n") + ";\n"
			golden := strings.TrimSuffix(input, ".sql") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestRenderRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	body := func(lines ...string) string { return "CREATE TABLE t (\n" + strings.Join(lines, "\n") + "\n);\n" }
	for name, text := range map[string]string{
		"nothing":                         "",
		"a comment only":                  "-- later\n",
		"no semicolon":                    "DROP TABLE t\n",
		"two statements on a line":        "DROP TABLE t; DROP TABLE u;\n",
		"a comment behind a statement":    "DROP TABLE t; -- gone\n",
		"a table on one line":             "CREATE TABLE t (id ID NOT NULL, PRIMARY KEY (id));\n",
		"another statement":               "GRANT ALL ON t TO PUBLIC;\n",
		"a setting":                       "SET row_security = off;\n",
		"another policy":                  "CREATE POLICY p ON t USING (true);\n",
		"a temporary table":               "CREATE TEMP TABLE t (\nid ID,\nPRIMARY KEY (id)\n);\n",
		"a table of another schema":       "CREATE TABLE public.t (\nid ID,\nPRIMARY KEY (id)\n);\n",
		"no key":                          body("id ID NOT NULL"),
		"two keys":                        body("id ID NOT NULL,", "PRIMARY KEY (id),", "PRIMARY KEY (id)"),
		"a key of a column it lacks":      body("id ID NOT NULL,", "PRIMARY KEY (idd)"),
		"two columns of a name":           body("id ID NOT NULL,", "id INT,", "PRIMARY KEY (id)"),
		"the tenant named by the module":  body("tenant_id ID NOT NULL,", "PRIMARY KEY (tenant_id)"),
		"a type of PostgreSQL":            body("id uuid NOT NULL,", "PRIMARY KEY (id)"),
		"an upper-case name":              body("ID ID NOT NULL,", "PRIMARY KEY (ID)"),
		"a quoted name":                   body(`"id" ID NOT NULL,`, "PRIMARY KEY (id)"),
		"a name too long for PostgreSQL":  body(strings.Repeat("x", 64)+" ID NOT NULL,", "PRIMARY KEY (id)"),
		"a key beside its column":         body("id ID PRIMARY KEY"),
		"a check":                         body("id ID NOT NULL,", "CHECK (id > 0),", "PRIMARY KEY (id)"),
		"a missing comma":                 body("id ID NOT NULL", "PRIMARY KEY (id)"),
		"a comma too many":                body("id ID NOT NULL,", "PRIMARY KEY (id),"),
		"a default of another type":       body("id ID NOT NULL,", "n INT DEFAULT 'x',", "PRIMARY KEY (id)"),
		"a default that is an expression": body("id ID NOT NULL,", "n INT DEFAULT now(),", "PRIMARY KEY (id)"),
		"a default of sealed bytes":       body("id ID NOT NULL,", "b SEALED DEFAULT 'x',", "PRIMARY KEY (id)"),
		"a foreign key that sets null":    body("id ID NOT NULL,", "PRIMARY KEY (id),", "FOREIGN KEY (id) REFERENCES u (id) ON DELETE SET NULL"),
		"a lopsided foreign key":          body("id ID NOT NULL,", "PRIMARY KEY (id),", "FOREIGN KEY (id) REFERENCES u (id, n)"),
		"an index over an expression":     "CREATE INDEX i ON t (lower(name));\n",
		"an index over a part of a table": "CREATE INDEX i ON t (name) WHERE name IS NOT NULL;\n",
		"an index of its own method":      "CREATE INDEX i ON t USING gin (name);\n",
		"a new column without a value":    "ALTER TABLE t ADD COLUMN n INT NOT NULL;\n",
		"lifting the policies":            "ALTER TABLE t DISABLE ROW LEVEL SECURITY;\n",
		"dropping the list of migrations": "DROP TABLE migrations;\n",
		"a cascading drop":                "DROP TABLE t CASCADE;\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := postgres.Render("aver", "aver_app", text); err == nil {
				t.Errorf("rendered as %q", out)
			}
		})
	}
}

func TestRenderQuotesTheServingRole(t *testing.T) {
	t.Parallel()
	out, err := postgres.Render("aver", `a"; DROP SCHEMA aver; --`, "CREATE TABLE t (\nid ID NOT NULL,\nPRIMARY KEY (id)\n);\n")
	if err != nil {
		t.Fatal(err)
	}
	if grant := out[len(out)-1]; !strings.HasSuffix(grant, ` TO "a""; DROP SCHEMA aver; --"`) {
		t.Error(grant)
	}
}

// FuzzRender holds that whatever is accepted comes out as the few kinds of statement the renderer knows, each one
// statement, and that no table comes out without its policy.
func FuzzRender(f *testing.F) {
	for _, name := range []string{"tables", "later"} {
		text, err := os.ReadFile("testdata/render/" + name + ".sql")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("CREATE TABLE t (\nid ID DEFAULT ';',\nPRIMARY KEY (id)\n);")
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := postgres.Render("aver", "aver_app", text)
		if err != nil {
			return
		}
		tables, forced, policies := 0, 0, 0
		for _, s := range statements {
			if strings.Contains(s, ";") || strings.Contains(s, "--") {
				t.Errorf("more than a statement: %q", s)
			}
			switch {
			case strings.HasPrefix(s, "CREATE TABLE aver."):
				tables++
				if !strings.Contains(s, "PRIMARY KEY (tenant_id, ") {
					t.Errorf("no tenant in the key: %q", s)
				}
			case strings.HasSuffix(s, " FORCE ROW LEVEL SECURITY"):
				forced++
			case strings.HasPrefix(s, "CREATE POLICY tenant ON aver."):
				policies++
			case strings.HasPrefix(s, "CREATE INDEX "), strings.HasPrefix(s, "CREATE UNIQUE INDEX "):
				if !strings.Contains(s, " (tenant_id, ") {
					t.Errorf("no tenant in the index: %q", s)
				}
			case strings.HasPrefix(s, "ALTER TABLE aver."), strings.HasPrefix(s, "DROP TABLE aver."), strings.HasPrefix(s, "DROP INDEX aver."):
			case strings.HasPrefix(s, "GRANT SELECT, INSERT, UPDATE, DELETE ON aver."):
			default:
				t.Errorf("unknown statement %q", s)
			}
		}
		if tables != forced || tables != policies {
			t.Errorf("%d tables, %d forced, %d policies", tables, forced, policies)
		}
	})
}
