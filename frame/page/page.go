// Package page makes every page of Aver from the same parts.
//
// A page is a templ component inside Shell (people who are signed in) or Public (everybody else), answered with
// Render, which adds the security headers and a fresh nonce. Parts without content are values (@page.Button{…});
// parts that wrap content are functions (@page.Panel("Title") { … }). Nothing here knows what a page is about: no
// storage, no permissions, no words beyond those of the parts themselves. Programs that talk to Aver should use the
// API and not read these pages. README.md shows how to make one.
//
// The content security policy allows no inline style, script or event attribute; a style attribute is silently
// dropped by the browser. Use the classes in assets/css, SVG attributes, or a style file of the module's own.
package page

//go:generate go tool -modfile=../../tools/go.mod templ generate -include-version=false
//go:generate go tool -modfile=../../tools/go.mod templ fmt .

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"

	"github.com/a-h/templ"
)

// View is what a page knows about the request and about who looks. Edge puts it into the request's context with
// With; the zero value is a visitor whom nobody knows.
type View struct {
	Path      string         // the request's path, to mark where one is
	Tenant    string         // the workspace's name
	Region    string         // where its data lies
	User      string         // the name of who is signed in
	Role      string         // in words: Owner, Operator, …
	Claims    Claims         // for the mark in the rail; nothing is shown while Total is 0
	Waiting   map[string]int // how much waits under a noun of the rail, by its path: {"/inbox": 3}
	Theme     Theme          // what the person chose; empty follows the system
	Flash     string         // one sentence about what the last request did
	RequestID string         // shown on error pages
}

// Claims says how many of the installation's promises hold now, and how many do not. Of the rest nobody knows: they were not
// measured yet, or not lately.
type Claims struct{ Holding, Failing, Total int }

type viewKey struct{}

// With returns a context that carries the view to every part of the page.
func With(ctx context.Context, v View) context.Context { return context.WithValue(ctx, viewKey{}, v) }

// From returns the view that With stored, or the zero View.
func From(ctx context.Context) View {
	v, _ := ctx.Value(viewKey{}).(View)
	return v
}

// Nonce is this answer's nonce. Every element with an hx- attribute repeats it as hx-nonce; others are disarmed.
func Nonce(ctx context.Context) string { return templ.GetNonce(ctx) }

// Render answers with the component as HTML. It is drawn in full before the first byte leaves, so a part that fails
// turns into a plain 500 rather than half a page; the error is returned for the log.
func Render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	nonce := rand.Text()
	var out bytes.Buffer
	if err := c.Render(templ.WithNonce(r.Context(), nonce), &out); err != nil {
		http.Error(w, text.T("render.failed"), http.StatusInternalServerError)
		return fmt.Errorf("drawing the page %s: %w", r.URL.Path, err)
	}
	Headers(w.Header(), nonce)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("sending the page %s: %w", r.URL.Path, err)
	}
	return nil
}

// Fragment tells whether a script asked for a part of a page rather than the whole: answer then with the part alone.
func Fragment(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-Request-Type") != "full"
}
