// The rules of ARCHITECTURE.md, read from the source. A rule that nothing can break is no rule, so each one has a
// fixture in floors_fixtures_test.go that breaks it.
package aver_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// streets lists which module may import which neighbour on floors 3 and 4. Everything else meets by identifier and
// by event.
var streets = map[string][]string{
	"trust/audit":       {"trust/identity"},
	"trust/consent":     {"trust/identity", "trust/audit"},
	"trust/holds":       {"trust/identity"},
	"trust/rights":      {"trust/identity", "trust/audit", "trust/holds", "trust/restriction"},
	"trust/restriction": {"trust/identity"},
	"trust/retention":   {"trust/identity", "trust/audit"},
	"trust/children":    {"trust/identity", "trust/restriction", "trust/rights"},
	"trust/backups":     {"trust/identity", "trust/audit"},
	"trust/closing":     {"trust/identity", "trust/audit", "trust/rights"}, // everything is taken along in the form in which people get theirs

	"trust/documents":     {"trust/identity", "trust/claims", "trust/consent", "trust/retention", "trust/subprocessors", "trust/residency", "trust/rights"}, // facts are collected from all
	"trust/improvement":   {"trust/identity"},
	"trust/residency":     {"trust/identity"},
	"trust/claims":        {"trust/identity"},
	"trust/subprocessors": {"trust/identity"},
	"trust/trustcenter":   {"trust/claims", "trust/subprocessors", "trust/audit"},
	"trust/canary":        {"trust/identity"},
	"trust/probes":        {"trust/improvement", "trust/canary", "trust/children", "trust/identity", "trust/audit", "trust/subprocessors", "trust/retention", "trust/backups", "trust/closing", "trust/rights", "trust/holds", "trust/residency", "trust/consent", "trust/documents"},

	"work/inbox":            {"work/contacts"},
	"work/enrichment":       {"work/contacts"},
	"work/channels/webchat": {"work/contacts", "work/inbox"},
}

// longFunctions may have up to 100 lines instead of 60: a list that reads better whole. "folder.Function" or
// "folder.Type.Method", with the reason.
var longFunctions = map[string]string{}

// largePackages may have up to 3,000 lines.
var largePackages = map[string]string{
	"vault": "one door: its verbs, codec, sealing and erasure share a transaction that nothing else may see",
}

// wideInterfaces may have more than four methods.
var wideInterfaces = map[string]string{
	"vault/engine.Engine": "the whole of what a database must do",
}

// rule is one promise of ARCHITECTURE.md. breaches returns one line for each place that breaks it.
type rule struct {
	name     string
	breaches func(source) []string
}

var rules = []rule{
	{"imports go down, or along a listed street", upwardImports},
	{"nothing imports the rigs", importedRigs},
	{"test packages stay out of the product", importedTestPackages},
	{"database drivers stay below the vault", strayDrivers},
	{"ciphers stay in base", strayCiphers},
	{"connections out are opened by frame/egress", strayDialers},
	{"actors are minted by trust/identity", strayMints},
	{"simple protocol is never used", simpleProtocol},
	{"packages are named for what they are", vagueNames},
	{"nothing happens at import", initFunctions},
	{"every package says what it is for", silentPackages},
	{"functions are short", longFunctionBodies},
	{"files are short", longFiles},
	{"packages are small", bigPackages},
	{"interfaces are narrow", wideInterfaceTypes},
	{"nothing is left for later", leftovers},
	{"packages log and print through slog", strayPrinting},
	{"ARCHITECTURE.md shows exactly the packages that exist", picture},
	{"dependencies are at or above the published fixes", oldDependencies},
}

func TestTheFloorsHold(t *testing.T) {
	t.Parallel()
	project, err := read(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, breach := range r.breaches(project) {
				t.Error(breach)
			}
		})
	}
}

func TestEveryRuleCatchesItsBreach(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			cases := fixtures[r.name]
			if len(cases) == 0 {
				t.Fatal("no fixture breaks it")
			}
			for _, c := range cases {
				project, err := read(c.tree())
				if err != nil {
					t.Fatalf("%s: %v", c.why, err)
				}
				found := strings.Join(r.breaches(project), "\n")
				if c.want == "" && found != "" {
					t.Errorf("%s: allowed, but got %s", c.why, found)
				}
				if c.want != "" && !strings.Contains(found, c.want) {
					t.Errorf("%s: got %q, want a line with %q", c.why, found, c.want)
				}
			}
		})
	}
}

// source is the project as text.
type source struct {
	files    []file
	packages map[string][]file // by folder; "" is the root
	pictures string            // ARCHITECTURE.md
	modules  []byte            // go.mod
}

type file struct {
	path      string
	dir       string
	text      string
	lines     int
	test      bool // _test.go
	generated bool
	set       *token.FileSet
	syntax    *ast.File
}

func read(project fs.FS) (source, error) {
	s := source{packages: map[string][]file{}}
	err := fs.WalkDir(project, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skip(project, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		f, err := readFile(project, name)
		if err != nil {
			return err
		}
		s.files = append(s.files, f)
		s.packages[f.dir] = append(s.packages[f.dir], f)
		return nil
	})
	if err != nil {
		return s, err
	}
	if text, err := fs.ReadFile(project, "ARCHITECTURE.md"); err == nil {
		s.pictures = string(text)
	}
	s.modules, _ = fs.ReadFile(project, "go.mod")
	return s, nil
}

// skip leaves out what is not this module's source.
func skip(project fs.FS, dir string) error {
	base := path.Base(dir)
	if dir != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules") {
		return fs.SkipDir
	}
	if _, err := fs.Stat(project, path.Join(dir, "go.mod")); dir != "." && err == nil { // a module of its own, such as tools
		return fs.SkipDir
	}
	return nil
}

func readFile(project fs.FS, name string) (file, error) {
	text, err := fs.ReadFile(project, name)
	if err != nil {
		return file{}, err
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	dir := path.Dir(name)
	if dir == "." {
		dir = ""
	}
	return file{
		path: name, dir: dir, text: string(text), lines: strings.Count(string(text), "\n"),
		test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(syntax),
		set: set, syntax: syntax,
	}, nil
}

// product tells whether the file ends up in the binary.
func (f file) product() bool {
	return !f.test && f.top() != "proof" && !strings.HasSuffix(path.Base(f.dir), "test")
}

func (f file) top() string {
	top, _, _ := strings.Cut(f.dir, "/")
	return top
}

// under tells whether the file lies in one of the folders or below.
func (f file) under(dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return within(f.dir, dir) })
}

func within(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

func (f file) at(pos token.Pos) string {
	return f.path + ":" + strconv.Itoa(f.set.Position(pos).Line)
}

// imports returns the import paths of the file.
func (f file) imports() []string {
	var all []string
	for _, spec := range f.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			all = append(all, name)
		}
	}
	return all
}

// uses calls each for every mention of a name of the imported package: http.Client, vault.Mint.
func (f file) uses(imported string, each func(name string, at token.Pos)) {
	local := f.localName(imported)
	if local == "" {
		return
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == local {
				each(s.Sel.Name, s.Pos())
			}
		}
		return true
	})
}

// localName is what the file calls an imported package, or nothing if it does not import it.
func (f file) localName(imported string) string {
	for _, spec := range f.syntax.Imports {
		if name, _ := strconv.Unquote(spec.Path.Value); name != imported {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(imported)
	}
	return ""
}
