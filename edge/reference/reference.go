// Package reference draws the API's description for people, at /docs, and says what each error means, at /problems.
//
// Everything comes from the OpenAPI document, so there is nothing to write here when an operation is added; programs
// read /openapi.json instead. No script, font or style is loaded from elsewhere.
package reference

//go:generate go tool -modfile=../../tools/go.mod templ generate -include-version=false
//go:generate go tool -modfile=../../tools/go.mod templ fmt .

import (
	_ "embed"
	"net/http"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/language"

	"aver/base/errs"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
)

//go:embed strings.json
var english []byte

//go:embed style/reference.css
var css []byte

var text = page.MustStrings(language.English, english)

var bundle = page.NewBundle(map[string][]byte{"reference.css": css})

// Meaning is an error that the API answers with.
type Meaning struct {
	Code   errs.Kind
	Status int
	Title  string
}

// About is what it means and what to do, in a sentence or two.
func (m Meaning) About() string { return text.T("problem." + string(m.Code)) }

// Reference is the documentation of one API.
type Reference struct {
	api      func() *huma.OpenAPI
	host     string
	meanings []Meaning
	groups   func() []group
}

// New documents an API that is reached at a host, such as chat.example. The description is read at the first look,
// when all modules have added their operations.
func New(api func() *huma.OpenAPI, host string, meanings []Meaning) *Reference {
	r := &Reference{api: api, host: host, meanings: meanings}
	r.groups = sync.OnceValue(func() []group { return groupsOf(api(), "https://"+host) })
	return r
}

// AssetsPath is where the style lies.
func AssetsPath() string { return bundle.Path() }

// Routes adds the pages.
func (ref *Reference) Routes(mux module.Mux) {
	mux.Handle("GET "+bundle.Path(), bundle)
	mux.Handle("GET /docs", request.Handler(func(w http.ResponseWriter, r *http.Request) error {
		return page.Render(w, r, http.StatusOK, index(ref.api().Info, ref.groups()))
	}))
	mux.Handle("GET /docs/{group}", request.Handler(ref.group))
	mux.Handle("GET /problems", request.Handler(func(w http.ResponseWriter, r *http.Request) error {
		return page.Render(w, r, http.StatusOK, problems(ref.meanings))
	}))
	mux.Handle("GET /problems/{code}", request.Handler(ref.problem))
}

func (ref *Reference) group(w http.ResponseWriter, r *http.Request) error {
	for _, g := range ref.groups() {
		if g.Slug == r.PathValue("group") {
			return page.Render(w, r, http.StatusOK, operations(g))
		}
	}
	return errs.New(errs.NotFound, text.T("no.group"))
}

func (ref *Reference) problem(w http.ResponseWriter, r *http.Request) error {
	i := slices.IndexFunc(ref.meanings, func(m Meaning) bool { return string(m.Code) == r.PathValue("code") })
	if i < 0 {
		return errs.New(errs.NotFound, text.T("no.problem"))
	}
	return page.Render(w, r, http.StatusOK, problem(ref.meanings[i]))
}

// ErrorPage draws an error for people.
func ErrorPage(w http.ResponseWriter, r *http.Request, p errs.Problem) error {
	return page.Render(w, r, p.Status, fault(p))
}
