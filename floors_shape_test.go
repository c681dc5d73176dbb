package aver_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	functionLines     = 60
	functionLinesEver = 100
	fileLines         = 500
	packageLines      = 2000
	largeLines        = 3000
	interfaceMethods  = 4
)

func vagueNames(s source) (breaches []string) {
	vague := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "lib"}
	for _, dir := range slices.Sorted(maps.Keys(s.packages)) {
		name := strings.TrimSuffix(s.packages[dir][0].syntax.Name.Name, "_test")
		for _, word := range append(strings.Split(dir, "/"), name) {
			if slices.Contains(vague, word) {
				breaches = append(breaches, fmt.Sprintf("%s: %q says nothing", dir, word))
				break
			}
		}
	}
	return breaches
}

// functions calls each for every function of the hand-written files that the filter lets pass.
func (s source) functions(each func(f file, name string, d *ast.FuncDecl)) {
	for _, f := range s.files {
		for _, decl := range f.syntax.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok || f.generated {
				continue
			}
			each(f, f.dir+"."+receiver(d)+d.Name.Name, d)
		}
	}
}

func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	of := d.Recv.List[0].Type
	for {
		switch t := of.(type) {
		case *ast.StarExpr:
			of = t.X
		case *ast.IndexExpr:
			of = t.X
		case *ast.IndexListExpr:
			of = t.X
		case *ast.Ident:
			return t.Name + "."
		default:
			return ""
		}
	}
}

func initFunctions(s source) (breaches []string) {
	s.functions(func(f file, _ string, d *ast.FuncDecl) {
		if d.Name.Name == "init" && d.Recv == nil {
			breaches = append(breaches, f.at(d.Pos())+": init() runs at import, where nobody sees it")
		}
	})
	return breaches
}

func silentPackages(s source) (breaches []string) {
	for _, dir := range slices.Sorted(maps.Keys(s.packages)) {
		files := slices.DeleteFunc(slices.Clone(s.packages[dir]), func(f file) bool { return f.test })
		if len(files) == 0 {
			continue
		}
		name, said := files[0].syntax.Name.Name, ""
		for _, f := range files {
			said += f.syntax.Doc.Text()
		}
		if said == "" {
			breaches = append(breaches, dir+": no package comment")
		} else if name != "main" && !strings.HasPrefix(said, "Package "+name+" ") {
			breaches = append(breaches, fmt.Sprintf("%s: the package comment does not begin with %q", dir, "Package "+name))
		}
	}
	return breaches
}

func longFunctionBodies(s source) (breaches []string) {
	s.functions(func(f file, name string, d *ast.FuncDecl) {
		lines := f.set.Position(d.End()).Line - f.set.Position(d.Pos()).Line + 1
		limit := functionLines
		if longFunctions[name] != "" {
			limit = functionLinesEver
		}
		if !f.test && lines > limit {
			breaches = append(breaches, fmt.Sprintf("%s: %s has %d lines, at most %d", f.at(d.Pos()), name, lines, limit))
		}
	})
	return breaches
}

func longFiles(s source) (breaches []string) {
	for _, f := range s.files {
		if !f.test && !f.generated && f.lines > fileLines {
			breaches = append(breaches, fmt.Sprintf("%s: %d lines, at most %d", f.path, f.lines, fileLines))
		}
	}
	return breaches
}

func bigPackages(s source) (breaches []string) {
	for _, dir := range slices.Sorted(maps.Keys(s.packages)) {
		lines := 0
		for _, f := range s.packages[dir] {
			if !f.test && !f.generated {
				lines += f.lines
			}
		}
		limit := packageLines
		if largePackages[dir] != "" {
			limit = largeLines
		}
		if lines > limit {
			breaches = append(breaches, fmt.Sprintf("%s: %d lines, at most %d", dir, lines, limit))
		}
	}
	return breaches
}

func wideInterfaceTypes(s source) (breaches []string) {
	for _, f := range s.files {
		if f.generated {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			t, ok := spec.Type.(*ast.InterfaceType)
			name := f.dir + "." + spec.Name.Name
			if ok && t.Methods.NumFields() > interfaceMethods && wideInterfaces[name] == "" {
				breaches = append(breaches, fmt.Sprintf("%s: %s has %d methods, at most %d", f.at(spec.Pos()), name, t.Methods.NumFields(), interfaceMethods))
			}
			return true
		})
	}
	return breaches
}

var (
	later         = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	unimplemented = regexp.MustCompile(`(?i)"not (yet )?implemented|errors\.New\("todo`)
)

func leftovers(s source) (breaches []string) {
	for _, f := range s.files {
		if f.generated || f.dir == "" {
			continue
		}
		for _, group := range f.syntax.Comments {
			if word := later.FindString(group.Text()); word != "" {
				breaches = append(breaches, fmt.Sprintf("%s: a %s", f.at(group.Pos()), word))
			}
		}
		if at := unimplemented.FindStringIndex(f.text); at != nil {
			breaches = append(breaches, fmt.Sprintf("%s:%d: something is not implemented", f.path, 1+strings.Count(f.text[:at[0]], "\n")))
		}
	}
	return breaches
}

func strayPrinting(s source) (breaches []string) {
	for _, f := range s.files {
		if !f.product() || f.syntax.Name.Name == "main" {
			continue
		}
		f.uses("log", func(name string, at token.Pos) {
			if name != "New" && name != "Logger" { // net/http wants one; it can lead to slog
				breaches = append(breaches, fmt.Sprintf("%s: log.%s", f.at(at), name))
			}
		})
		f.uses("fmt", func(name string, at token.Pos) {
			if strings.HasPrefix(name, "Print") {
				breaches = append(breaches, fmt.Sprintf("%s: fmt.%s", f.at(at), name))
			}
		})
	}
	return breaches
}

// In the picture a row names a folder, its packages and what they are about, with more than one space between.
var columns = regexp.MustCompile(`\s{2,}`)

// picture compares the floors drawn in ARCHITECTURE.md with the folders. Folders below a package belong to it and need
// not be drawn.
func picture(s source) (breaches []string) {
	drawn := drawnPackages(s.pictures)
	existing := map[string]bool{}
	for dir, files := range s.packages {
		if top := files[0].top(); dir != "" && top != "proof" {
			existing[drawnAs(dir)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(existing)) {
		if !drawn[name] {
			breaches = append(breaches, "ARCHITECTURE.md: the picture lacks "+name)
		}
	}
	tops := map[string]bool{}
	for name := range existing {
		tops[strings.SplitN(name, "/", 2)[0]] = true
	}
	for _, name := range slices.Sorted(maps.Keys(drawn)) {
		if tops[strings.SplitN(name, "/", 2)[0]] && !existing[name] {
			breaches = append(breaches, "ARCHITECTURE.md: the picture shows "+name+", which does not exist")
		}
	}
	return breaches
}

// drawnAs is the name under which a folder appears: vault and edge are drawn as one.
func drawnAs(dir string) string {
	top := strings.SplitN(dir, "/", 2)[0]
	if top == "vault" || top == "edge" {
		return top
	}
	return module(dir)
}

func drawnPackages(text string) map[string]bool {
	drawn, top := map[string]bool{}, ""
	for line := range strings.Lines(text) {
		label, row, isRow := strings.Cut(line, "│")
		if label = strings.TrimSpace(label); !isRow || label != "" {
			top = "" // only a row without a label goes on with the floor above
		}
		cells := columns.Split(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(row), "│")), -1)
		if strings.HasPrefix(label, "floor") {
			top, cells = strings.TrimSuffix(cells[0], "/"), cells[1:]
			if drawnAs(top+"/x") == top || strings.Contains(top, "/") { // one name for the floor
				drawn[top], top = true, ""
			}
		}
		if top == "" || len(cells) == 0 {
			continue
		}
		for _, name := range strings.Fields(cells[0]) {
			drawn[path.Join(top, name)] = true
		}
	}
	return drawn
}
