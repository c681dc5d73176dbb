package aver_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"aver/frame/page"
)

// A text that no page shows is work for whoever translates it. A key stands in the code whole, or it is put together
// there from how it begins ("flash.") or how it ends (".title").
func TestEveryTextIsUsed(t *testing.T) {
	t.Parallel()
	project, err := read(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !ofPages(name) {
			return err
		}
		files++
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		used := project.literals(strings.TrimSuffix(strings.TrimSuffix(path.Dir(name), "/strings"), "/ui"))
		for _, key := range page.MustStrings(language.English, text).Keys() {
			if !slices.ContainsFunc(used, func(literal string) bool { return mentions(literal, key) }) {
				t.Errorf("%s: nothing shows %q", name, key)
			}
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Fatalf("%d files of texts, %v", files, err)
	}
}

// ofPages tells whether a file holds texts of pages. The widget's are its own script's.
func ofPages(name string) bool {
	base := path.Base(name)
	return base == "strings.en.json" || base == "strings.json" || name == "frame/page/strings/en.json"
}

func mentions(literal, key string) bool {
	begin, _, _ := strings.Cut(literal, "%")
	return literal == key || strings.HasSuffix(begin, ".") && len(begin) > 1 && strings.HasPrefix(key, begin) ||
		strings.HasPrefix(literal, ".") && len(literal) > 1 && strings.HasSuffix(key, literal)
}

// literals are the texts in the code of a folder and below it, without tests.
func (s source) literals(dir string) (all []string) {
	for _, f := range s.files {
		if f.test || !f.under(dir) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if text, err := strconv.Unquote(l.Value); err == nil {
					all = append(all, text)
				}
			}
			return true
		})
	}
	return all
}
