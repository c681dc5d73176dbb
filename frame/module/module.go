// Package module says what a module brings: its tables and their migrations, what can be done, what is due, its
// routes, its promises, and the companies it wants to call.
//
// A module is a value that cmd/aver lists and wires; there is no registration on the side and no init function. Code
// inside a module has no use for this package beyond the function that makes its Module.
package module

import (
	"io/fs"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aver/frame/claim"
	"aver/frame/jobs"
	"aver/vault"
)

// Module is one capability of the product. Only Name and Number must be set.
type Module struct {
	Name       string // lower case, as its package
	Number     int    // 1 to 999, never reused; decides the versions and the order of its migrations
	Migrations fs.FS  // holds migrations/0001_name.sql and following
	Tables     []vault.AnyTable
	Actions    []*vault.Action

	// API adds operations below /v1. Handlers return errors of package errs and ask package request who calls.
	API func(huma.API)
	// Routes adds pages, files and sockets. Each pattern names its method ("GET /contacts").
	Routes func(Mux)
	// Classes names the routes that are no ordinary pages, by path prefix; the longest match counts.
	Classes map[string]Class
	// Settings are the module's pages below /settings, for the page that lists them all.
	Settings []Link
	// Jobs declares the module's kinds of background work.
	Jobs func(*jobs.Jobs) error
	// Claims are the promises the module keeps, each with its probe.
	Claims []claim.Claim
	// Subprocessors lists the companies the module can be set up to call. Listing one lets nothing out yet: the
	// register of trust/subprocessors does.
	Subprocessors []Subprocessor
}

// Link leads to a page of settings.
type Link struct {
	Path  string        // /settings/…
	Title string        // as on the page itself
	About string        // one sentence
	For   *vault.Action // what one must be permitted to use the page; everybody when nil
}

// Mux takes routes. It is the part of http.ServeMux that modules need; edge gives one that also knows what it was given.
type Mux interface {
	Handle(pattern string, handler http.Handler)
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
}

// Subprocessor is a company that a module can be set up to call.
type Subprocessor struct {
	Name       string   // legal name
	Address    string   // registered address with the country
	Purposes   []string // for what, as given to egress
	Hosts      []string // which of its hosts, lower case
	Categories []string // of data it would receive, fideslang
	Region     string   // where it processes
}

// Class is the sort of a route. It decides headers, the largest body, time limits, rates and whether requests from
// other sites are refused.
type Class string

// The classes. Routes are of class Page unless the module says otherwise; /v1 is always API.
const (
	Page     Class = "page"     // pages and forms of people, signed in or not
	SignIn   Class = "signin"   // where somebody proves who they are: few attempts, and none when in doubt
	Handover Class = "handover" // forms that pages of others may send: what they carry proves itself, and cookies count for nothing
	API      Class = "api"      // JSON for programs
	Upload   Class = "upload"   // large bodies, more time
	Download Class = "download" // files of strangers: sent as attachment into a sandbox
	Live     Class = "live"     // sockets opened with a session cookie: the Origin header must be our own
	Asset    Class = "asset"    // our style and scripts, for our own pages
	Embed    Class = "embed"    // scripts that pages of others load, such as /l.js
	Frame    Class = "frame"    // documents that pages of others may frame: the widget
	Widget   Class = "widget"   // what the widget calls, with a visitor's token
	Start    Class = "start"    // where somebody unknown begins something that is stored: few of one place
)

// Anybody is the Security of an API operation that needs no caller. Without it an operation refuses nobody's calls.
func Anybody() []map[string][]string { return []map[string][]string{{}} }
