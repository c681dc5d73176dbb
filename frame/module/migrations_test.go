package module_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"aver/frame/module"
)

func files(names ...string) fstest.MapFS {
	fsys := fstest.MapFS{"migrations": &fstest.MapFile{Mode: 0o755 | 1<<31}}
	for _, name := range names {
		fsys["migrations/"+name] = &fstest.MapFile{Data: []byte("-- " + name)}
	}
	return fsys
}

func TestMigrationsComeInTheOrderOfTheirVersions(t *testing.T) {
	t.Parallel()
	got, err := module.Migrations([]module.Module{
		{Name: "inbox", Number: 20, Migrations: files("0002_labels.sql", "0001_conversations.sql")},
		{Name: "contacts", Number: 3, Migrations: files("0001_contacts.sql")},
		{Name: "demo", Number: 99},
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range got {
		list = append(list, m.Name)
		if m.SQL != "-- "+m.Name[strings.Index(m.Name, "/")+1:] {
			t.Errorf("%s holds %q", m.Name, m.SQL)
		}
	}
	if want := "contacts/0001_contacts.sql inbox/0001_conversations.sql inbox/0002_labels.sql"; strings.Join(list, " ") != want {
		t.Errorf("got %v", list)
	}
	if got[0].Version != 3001 || got[1].Version != 20001 || got[2].Version != 20002 {
		t.Errorf("versions %d %d %d", got[0].Version, got[1].Version, got[2].Version)
	}
}

func TestMigrationsThatCannotBeOrderedAreRefused(t *testing.T) {
	t.Parallel()
	for name, modules := range map[string][]module.Module{
		"a gap":                      {{Name: "a", Number: 1, Migrations: files("0001_a.sql", "0003_c.sql")}},
		"a number twice":             {{Name: "a", Number: 1, Migrations: files("0001_a.sql", "0001_b.sql")}},
		"no first":                   {{Name: "a", Number: 1, Migrations: files("0002_a.sql")}},
		"number zero":                {{Name: "a", Number: 1, Migrations: files("0000_a.sql")}},
		"another name":               {{Name: "a", Number: 1, Migrations: files("1_a.sql")}},
		"a stray file":               {{Name: "a", Number: 1, Migrations: files("0001_a.sql", "README.md")}},
		"capital letters":            {{Name: "a", Number: 1, Migrations: files("0001_Add.sql")}},
		"no folder":                  {{Name: "a", Number: 1, Migrations: fstest.MapFS{}}},
		"one number for two modules": {{Name: "a", Number: 1}, {Name: "b", Number: 1}},
		"module number zero":         {{Name: "a"}},
		"module number too large":    {{Name: "a", Number: 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := module.Migrations(modules); err == nil {
				t.Errorf("accepted as %v", got)
			}
		})
	}
}
