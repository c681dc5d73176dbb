package aver_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// floors orders the folders of the project from the ground up.
var floors = map[string]int{"base": 0, "vault": 1, "frame": 2, "trust": 3, "work": 4, "edge": 5, "cmd": 6}

// ours returns the folder of an import path of this module.
func ours(imported string) (string, bool) { return strings.CutPrefix(imported, "aver/") }

// module is the part of a folder that names a module: trust/identity, work/channels/webchat.
func module(dir string) string {
	parts := strings.SplitN(dir, "/", 4)
	depth := 2
	if len(parts) > 1 && parts[1] == "channels" {
		depth = 3
	}
	return strings.Join(parts[:min(depth, len(parts))], "/")
}

func upwardImports(s source) (breaches []string) {
	for _, f := range s.files {
		from, placed := floors[f.top()]
		if !placed {
			if f.dir != "" && f.top() != "proof" {
				breaches = append(breaches, fmt.Sprintf("%s: %s is on no floor", f.path, f.top()))
			}
			continue
		}
		for _, imported := range f.imports() {
			dir, mine := ours(imported)
			to, known := floors[strings.SplitN(dir, "/", 2)[0]]
			if !mine || !known {
				continue
			}
			switch {
			case to > from && !(f.test && dir == "cmd/aver/app"): // a test may start the whole and look at its own part
				breaches = append(breaches, fmt.Sprintf("%s: floor %d imports %s on floor %d", f.path, from, dir, to))
			case to == from && (to == 3 || to == 4) && !f.test && module(dir) != module(f.dir) && !slices.Contains(streets[module(f.dir)], module(dir)):
				breaches = append(breaches, fmt.Sprintf("%s: no street leads from %s to %s", f.path, module(f.dir), module(dir)))
			}
		}
	}
	return breaches
}

// strayImports finds product files outside the allowed folders that import one of the packages, or one below it.
func strayImports(s source, what string, allowed []string, packages ...string) (breaches []string) {
	for _, f := range s.files {
		if !f.product() || f.under(allowed...) {
			continue
		}
		for _, imported := range f.imports() {
			if slices.ContainsFunc(packages, func(p string) bool { return within(imported, p) }) {
				breaches = append(breaches, fmt.Sprintf("%s: imports %s, %s", f.path, imported, what))
			}
		}
	}
	return breaches
}

func importedRigs(s source) []string { return strayImports(s, "a rig", nil, "aver/proof") }

func importedTestPackages(s source) (breaches []string) {
	for _, f := range s.files {
		if !f.product() {
			continue
		}
		for _, imported := range f.imports() {
			dir, mine := ours(imported)
			if imported == "testing" || mine && strings.HasSuffix(dir, "test") {
				breaches = append(breaches, fmt.Sprintf("%s: imports %s, which is for tests", f.path, imported))
			}
		}
	}
	return breaches
}

func strayDrivers(s source) []string {
	const what = "which belongs below vault"
	handles := strayImports(s, what, []string{"vault", "frame/jobs", "cmd"}, "database/sql") // main hands the queue its database
	handles = slices.DeleteFunc(handles, func(breach string) bool { return strings.Contains(breach, "database/sql/driver") })
	return slices.Concat(handles,
		strayImports(s, what, []string{"vault"}, "github.com/ncruces/go-sqlite3", "github.com/jackc/pgx/v5", "github.com/lib/pq", "github.com/pressly/goose/v3"),
		strayImports(s, "which belongs in frame/jobs", []string{"frame/jobs", "vault/postgres"}, "github.com/riverqueue/river"))
}

func strayCiphers(s source) []string {
	return strayImports(s, "which belongs in base/aead or base/xts", []string{"base/aead", "base/xts"}, "crypto/aes", "crypto/cipher", "crypto/des", "crypto/rc4")
}

// dialers are the names that open a connection. A pointer to an http.Client may be passed around: egress hands it out.
var dialers = map[string][]string{
	"net":                          {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "LookupHost", "LookupIP", "LookupAddr", "LookupCNAME", "LookupMX", "LookupNS", "LookupSRV", "LookupTXT"},
	"net/http":                     {"Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport", "Client", "Transport"},
	"crypto/tls":                   {"Dial", "DialWithDialer", "Dialer"},
	"net/smtp":                     {"Dial", "SendMail"},
	"github.com/gorilla/websocket": {"Dialer", "DefaultDialer"},
}

func strayDialers(s source) (breaches []string) {
	for _, f := range s.files {
		if !f.product() || f.under("frame/egress", "trust/canary/inside") { // the latter speaks to its own process, over a pipe
			continue
		}
		pointers := pointedAt(f.syntax)
		for imported, names := range dialers {
			f.uses(imported, func(name string, at token.Pos) {
				if slices.Contains(names, name) && !pointers[at] {
					breaches = append(breaches, fmt.Sprintf("%s: %s.%s opens connections, which is for frame/egress", f.at(at), imported, name))
				}
			})
		}
	}
	return breaches
}

// pointedAt finds the types that only occur as *T.
func pointedAt(syntax *ast.File) map[token.Pos]bool {
	found := map[token.Pos]bool{}
	ast.Inspect(syntax, func(n ast.Node) bool {
		if star, ok := n.(*ast.StarExpr); ok {
			found[star.X.Pos()] = true
		}
		return true
	})
	return found
}

func strayMints(s source) (breaches []string) {
	for _, f := range s.files {
		if !f.product() || f.under("trust/identity", "vault") {
			continue
		}
		f.uses("aver/vault", func(name string, at token.Pos) {
			if name == "Mint" {
				breaches = append(breaches, f.at(at)+": vault.Mint is for trust/identity")
			}
		})
	}
	return breaches
}

// The simple protocol writes values into the statement's text; pgx had an injection there (fixed in 5.9.2).
var simple = regexp.MustCompile(`QueryExecModeSimpleProtocol|default_query_exec_mode=simple_protocol|prefer_simple_protocol`)

func simpleProtocol(s source) (breaches []string) {
	for _, f := range s.files {
		if f.dir != "" && simple.MatchString(f.text) {
			breaches = append(breaches, f.path+": asks for PostgreSQL's simple protocol")
		}
	}
	return breaches
}

// fixes are the versions that close published advisories.
var fixes = map[string]string{
	"golang.org/x/crypto":                 "v0.58.0",
	"golang.org/x/net":                    "v0.56.0",
	"golang.org/x/image":                  "v0.45.0",
	"github.com/jackc/pgx/v5":             "v5.9.2",
	"github.com/go-jose/go-jose/v4":       "v4.1.8",
	"github.com/yuin/goldmark":            "v1.7.17",
	"github.com/russellhaering/goxmldsig": "v1.6.1",
}

const goFix = "v1.26.6"

func oldDependencies(s source) (breaches []string) {
	mod, err := modfile.Parse("go.mod", s.modules, nil)
	if err != nil {
		return []string{err.Error()}
	}
	if mod.Go == nil || semver.Compare("v"+mod.Go.Version, goFix) < 0 {
		breaches = append(breaches, "go.mod: Go is older than "+goFix)
	}
	for _, require := range mod.Require {
		if fix := fixes[require.Mod.Path]; fix != "" && semver.Compare(require.Mod.Version, fix) < 0 {
			breaches = append(breaches, fmt.Sprintf("go.mod: %s is older than %s", require.Mod, fix))
		}
	}
	for _, replace := range mod.Replace {
		breaches = append(breaches, fmt.Sprintf("go.mod: %s is replaced, so its checksum is nobody's", replace.Old))
	}
	return breaches
}
