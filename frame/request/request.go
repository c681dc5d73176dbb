// Package request tells a handler about the request it answers: who calls, under which number, from where, and how
// to fail.
//
// The edge finds these out and puts them into the request's context; modules only read them. There is nothing here
// about rights: vault.Do and vault.View decide those, and refuse the zero Actor everywhere.
package request

import (
	"context"
	"net/http"
	"net/netip"

	"aver/vault"
)

// Info is what the edge found out. It is shared by everything that handles one request and is not safe for use by
// several goroutines while the edge still fills it.
type Info struct {
	ID     string      // random, in the answer's X-Request-Id, in the log, and in every error
	Actor  vault.Actor // who calls; the zero Actor is nobody
	Client netip.Addr  // where the connection comes from: personal data, for the connection log and limits only
	Fail   func(http.ResponseWriter, *http.Request, error)
}

type key struct{}

// With returns a context that carries what is known.
func With(ctx context.Context, info *Info) context.Context {
	return context.WithValue(ctx, key{}, info)
}

// From returns what is known. Without an edge in front it is the empty Info, not nil.
func From(ctx context.Context) *Info {
	if info, ok := ctx.Value(key{}).(*Info); ok {
		return info
	}
	return &Info{}
}

// Actor is who calls, or the zero Actor when nobody proved who they are.
func Actor(ctx context.Context) vault.Actor { return From(ctx).Actor }

// ID is the number of the request, for logs.
func ID(ctx context.Context) string { return From(ctx).ID }

// Client is the address the request comes from. It is personal data: it goes into the connection log and into
// limits, and nowhere else.
func Client(ctx context.Context) netip.Addr { return From(ctx).Client }

// Fail answers with an error: as a page to people, as application/problem+json to programs. An error with a meaning
// (package errs) is shown with its words; any other is logged and shown as our fault, without its text.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	if fail := From(r.Context()).Fail; fail != nil {
		fail(w, r, err)
		return
	}
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// Handler is an http.Handler that may fail. An error it returns is answered by Fail.
type Handler func(http.ResponseWriter, *http.Request) error

// ServeHTTP answers the request.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		Fail(w, r, err)
	}
}
