package app_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/frame/module"
	"aver/trust/documents"
	"aver/trust/documents/drift"
	"aver/trust/documents/ui"
	"aver/vault"
	"aver/vault/postgres/pgtest"
)

// differences are what the store of the installation and that of a workspace have beside the catalogue, or lack.
func differences(t *testing.T, a *app.App) (found []string) {
	t.Helper()
	tenants, err := a.Vault.TenantIDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range tenants {
		stored, err := a.Vault.StoredColumns(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		if len(stored) < len(a.Vault.Tables()) {
			t.Fatalf("%d tables are stored, %d declared", len(stored), len(a.Vault.Tables()))
		}
		for _, line := range drift.Undeclared(stored, a.Vault.Tables()) {
			if !slices.Contains(found, line) {
				found = append(found, line)
			}
		}
	}
	return found
}

var shadows = []string{"ALTER TABLE contacts ADD COLUMN shadow TEXT", "CREATE TABLE hoard (id TEXT)", "ALTER TABLE contact_notes RENAME COLUMN body TO words"}

var shown = []string{"the column contact_notes.body is declared and not stored", "the column contact_notes.words is not declared", "the column contacts.shadow is not declared", "the table hoard is not declared"}

// shadow is a table whose migration says something else than its declaration.
type shadow struct {
	ID   ids.Object `vault:"id,key"`
	Gone string     `vault:"gone,state"`
}

var hoarder = module.Module{Name: "hoarder", Number: 900, Tables: []vault.AnyTable{vault.Define[shadow]("shadows", vault.Purpose("the test"), vault.KeepWhile("the test"))},
	Migrations: fstest.MapFS{"migrations/0001_hoarder.sql": {Data: []byte(`CREATE TABLE shadows (
    id ID NOT NULL,
    kept TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE hoard (
    id ID NOT NULL,
    PRIMARY KEY (id)
);
`)}}}

func TestTheDataCatalogueEqualsTheSchemaOfTheEmbeddedStore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		modules []module.Module
		want    []string
	}{{nil, nil}, {[]module.Module{hoarder}, []string{"the column shadows.gone is declared and not stored", "the column shadows.kept is not declared", "the table hoard is not declared"}}} {
		a, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Region: "eu", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard, Modules: c.modules, Calm: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.CreateTenant(t.Context(), "kowal", "Kowal Bikes"); err != nil {
			t.Fatal(err)
		}
		if found := differences(t, a); !slices.Equal(found, c.want) {
			t.Errorf("found %q, want %q", found, c.want)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What people read about a class of data is written by hand: a class that comes new must not be shown by its name.
func TestTheNoticeHasWordsForEveryClassOfDataAboutPeople(t *testing.T) {
	t.Parallel()
	a, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Region: "eu", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard, Calm: true})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	tenant, err := a.CreateTenant(t.Context(), "kowal", "Kowal Bikes")
	if err != nil {
		t.Fatal(err)
	}
	facts, err := a.Documents.Collect(t.Context(), tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	classes := facts.About(documents.Visitors)
	for _, lang := range documents.Languages {
		words := ui.Notice(lang).Keys()
		for _, c := range classes {
			if c.Name != vault.Blobs.Name() && !slices.Contains(words, "class."+c.Name) {
				t.Errorf("%s: no words for the class %s", lang, c.Name)
			}
			for _, category := range c.Categories {
				if strings.HasPrefix(category, "user") && !slices.Contains(words, "category."+category) {
					t.Errorf("%s: no words for what %s holds, %s", lang, c.Name, category)
				}
			}
		}
	}
	if len(classes) < 20 {
		t.Errorf("only %d classes are about people", len(classes))
	}
}

func TestTheDataCatalogueEqualsTheSchemaOfPostgreSQL(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, nil)
	if err := app.Migrate(t.Context(), db.Owner, "", pgtest.App); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Database: db.App, UnsafeForTests: true, Region: "eu", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	if found := differences(t, a); len(found) > 0 {
		t.Errorf("found %q", found)
	}
	owner, err := pgx.Connect(t.Context(), db.Owner+" search_path=aver")
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	for _, query := range shadows {
		if _, err := owner.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	if found := differences(t, a); !slices.Equal(found, shown) {
		t.Errorf("of a database that was changed behind the catalogue's back it says %q", found)
	}
}
