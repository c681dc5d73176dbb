package page

import (
	"context"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

// Page is what a page tells its shell.
type Page struct {
	Title   string          // the heading and the window's title
	Lead    string          // one sentence under the heading
	Crumbs  []Link          // the way here, for pages below a noun's first page
	Actions templ.Component // buttons beside the heading
	Fill    bool            // the content fills the window and draws its own heading, as the inbox does
	Deep    bool            // on a phone the rail gives way: the content has a way back of its own
	Wide    bool            // tables: use the whole width
	Styles  []string        // addresses of the module's own style files
	Scripts []string        // addresses of the module's own scripts
}

// noun is an entry of the rail.
type noun struct{ path, key, icon, shortcut string }

var nouns = []noun{
	{"/inbox", "nav.inbox", "inbox", "i"},
	{"/contacts", "nav.contacts", "users-round", "c"},
	{"/privacy", "nav.privacy", "user-lock", "p"},
	{"/security", "nav.security", "key-round", "s"},
	{"/trust", "nav.trust", "shield-check", "t"},
	{"/settings", "nav.settings", "settings", ","},
}

// paths are the pages of the nouns that have several, in the order of their tabs.
var paths = map[string][]string{
	"privacy":  {"/privacy", "/privacy/holds", "/privacy/recipients", "/privacy/papers", "/privacy/catalogue", "/settings/retention", "/settings/privacy"},
	"security": {"/security", "/security/log", "/security/connections"},
}

// views are the tabs of a noun's pages.
func views(noun, on string) []Tab {
	var out []Tab
	for _, path := range paths[noun] {
		out = append(out, Tab{Label: text.T("view." + path), Href: path, On: path == on})
	}
	return out
}

// current tells whether a page is one of the noun's: a tab of it, or below it and nobody else's tab.
func (n noun) current(v View) bool {
	for noun, tabs := range paths {
		if slices.Contains(tabs, v.Path) {
			return n.path == "/"+noun
		}
	}
	return v.Path == n.path || strings.HasPrefix(v.Path, n.path+"/")
}

// here is the value of aria-current for a noun.
func here(yes bool) string {
	if yes {
		return "page"
	}
	return ""
}

// windowTitle names the page first, so that it can be read in a narrow tab.
func windowTitle(v View, p Page) string {
	if p.Title == "" || p.Title == v.Tenant {
		return product(v)
	}
	return p.Title + " · " + product(v)
}

func product(v View) string {
	if v.Tenant == "" {
		return text.T("product")
	}
	return v.Tenant
}

// whole is the state of all claims together.
func whole(c Claims) State {
	if c.Failing > 0 {
		return Failing
	}
	if c.Holding < c.Total || c.Total == 0 {
		return Unknown
	}
	return Holds
}

func themeName(t Theme) string {
	if t == System {
		return "system"
	}
	return string(t)
}

// themeAttribute fixes the theme on the root element when the person chose one.
func themeAttribute(ctx context.Context) templ.Attributes {
	if t := From(ctx).Theme; t != System {
		return templ.Attributes{"data-theme": string(t)}
	}
	return nil
}
