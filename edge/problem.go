package edge

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"aver/base/errs"
	"aver/edge/reference"
	"aver/frame/module"
	"aver/frame/request"
)

// Meanings that only the door knows. Those of package errs are for everybody.
const (
	Malformed        errs.Kind = "malformed"          // the request cannot be read at all
	MethodNotAllowed errs.Kind = "method-not-allowed" // the path is right, the method is not
	NotAcceptable    errs.Kind = "not-acceptable"
	Unsupported      errs.Kind = "unsupported" // a content type we do not read
	TooSlow          errs.Kind = "too-slow"
)

// RegionHeader says in an answer 421 which region serves what was asked for.
const RegionHeader = "Aver-Region"

type meaning struct {
	status int
	title  string
}

var meanings = map[errs.Kind]meaning{
	Malformed:        {http.StatusBadRequest, "The request cannot be read"},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "This cannot be done here"},
	NotAcceptable:    {http.StatusNotAcceptable, "There is no such form of this"},
	Unsupported:      {http.StatusUnsupportedMediaType, "This kind of content is not read"},
	TooSlow:          {http.StatusRequestTimeout, "The request took too long to arrive"},
}

// kinds lists every meaning that a caller may get, for the documentation.
func kinds() []reference.Meaning {
	all := []errs.Kind{errs.Invalid, Malformed, errs.Unauthenticated, errs.Forbidden, errs.ConsentRequired, errs.Restricted, errs.NotFound, MethodNotAllowed, NotAcceptable, TooSlow,
		errs.Conflict, errs.Gone, errs.TooLarge, Unsupported, errs.Misdirected, errs.TooMany, errs.Internal, errs.Away, errs.Unavailable, errs.NoSpace}
	list := make([]reference.Meaning, len(all))
	for i, kind := range all {
		p := problemOf(errs.New(kind, ""))
		list[i] = reference.Meaning{Code: kind, Status: p.Status, Title: p.Title}
	}
	return list
}

// problemOf is the one table of statuses: what a caller may know of an error.
func problemOf(err error) errs.Problem {
	var broken *unreadable
	if errors.As(err, &broken) {
		err = broken.meaning()
	}
	p := errs.AsProblem(err)
	if m, ours := meanings[p.Code]; ours {
		p.Status, p.Title = m.status, m.title
	}
	if p.Code == errs.Internal && p.Detail == "" {
		p.Detail = "It is noted under the number of this request. Nothing of it was kept."
	}
	return p
}

// body is a request's body whose errors say that they are the caller's: a handler that passes them on has not failed.
type body struct{ io.ReadCloser }

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &unreadable{err}
	}
	return n, err
}

type unreadable struct{ cause error }

func (u *unreadable) Error() string { return "read the request: " + u.cause.Error() }
func (u *unreadable) Unwrap() error { return u.cause }

func (u *unreadable) meaning() error {
	var oversize *http.MaxBytesError
	switch {
	case errors.As(u.cause, &oversize):
		return errs.New(errs.TooLarge, "The request is larger than "+strconv.FormatInt(oversize.Limit, 10)+" bytes, which is the most this place takes. Nothing was changed.")
	case errors.Is(u.cause, os.ErrDeadlineExceeded):
		return errs.New(TooSlow, "The request did not arrive in time. Nothing was changed.")
	}
	return errs.New(Malformed, "The request broke off. Nothing was changed.")
}

// fail answers with an error: the one place where errors turn into HTML or JSON. It fits request.Info.Fail.
func (v *visit) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	p.RequestID = v.ID
	v.server.direct(r.Context(), &p)
	v.note(r.Context(), p, err)
	if v.written() {
		panic(http.ErrAbortHandler) // half an answer is out; a broken connection says so, more bytes would not
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Disposition", "ETag", "Last-Modified", "Set-Cookie", "Location"} {
		h.Del(name)
	}
	closedHeaders(h)
	errorHeaders(h.Set, p, v.document)
	if v.document && strings.Contains(r.Header.Get("Accept"), "text/html") {
		if err := v.server.config.ErrorPage(w, r, p); err != nil {
			v.server.log.WarnContext(r.Context(), "an error page was not sent", "request_id", v.ID, "error", err)
		}
		return
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // an error here means that the caller went away
	}
}

// direct tells who came to the wrong region where the right one is, if that can be looked up. The header is for relays.
func (s *Server) direct(ctx context.Context, p *errs.Problem) {
	if p.Region == "" || s.config.Elsewhere == nil {
		return
	}
	var err error
	if p.Location, err = s.config.Elsewhere(ctx, p.Region); err != nil {
		s.log.WarnContext(ctx, "somebody in the wrong region was not told the right address", "region", p.Region, "error", err)
	}
}

// errorHeaders sets what belongs to the status. A browser that sees a document must not be asked for a Bearer token.
func errorHeaders(set func(name, value string), p errs.Problem, document bool) {
	if p.RetryAfter > 0 {
		set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.Region != "" {
		set(RegionHeader, p.Region)
	}
	if p.Status == http.StatusUnauthorized && !document {
		set("WWW-Authenticate", `Bearer realm="aver"`)
	}
}

// note logs what is our fault. Other errors are the caller's to read.
func (v *visit) note(ctx context.Context, p errs.Problem, err error) {
	if p.Status < http.StatusInternalServerError || ctx.Err() != nil { // a caller who left ends the work with errors of its own
		return
	}
	v.server.log.ErrorContext(ctx, "a request failed", "request_id", v.ID, "route", v.route, "code", p.Code, "error", err)
}

type visitKey struct{}

// visit is what the edge keeps about one request besides what modules may know.
type visit struct {
	request.Info
	server   *Server
	answer   *answer
	route    string // pattern, never a path
	class    module.Class
	document bool
}

func (v *visit) written() bool { return v.answer != nil && (v.answer.status != 0 || v.answer.hijacked) }

func visitFrom(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}
