package attack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"aver/trust/canary/inside"
)

// Route is one route of the edge, as in http.ServeMux.
type Route struct{ Method, Path string }

// ParseRoute reads a pattern with its method.
func ParseRoute(pattern string) Route {
	method, path, _ := strings.Cut(pattern, " ")
	return Route{method, strings.TrimSuffix(path, "{$}")}
}

func (r Route) String() string { return r.Method + " " + r.Path }

var param = regexp.MustCompile(`\{[a-z_]+(\.\.\.)?\}`)

// PlanRoutes lists the attempts on what the API's description does not describe: pages, files, the widget's calls. Each
// part of a path that varies is filled with every kind of identifier of the victim's; pages without such a part are
// only read.
func (r *Rig) PlanRoutes(routes []Route) []Attempt {
	var out []Attempt
	for _, route := range routes {
		if r.Skip[route.String()] != "" || strings.HasPrefix(route.Path, "/v1/") || strings.HasPrefix(route.Path, "/assets/") {
			continue
		}
		caller, ok := r.Attacker.caller(Owner)
		if strings.HasPrefix(route.Path, "/widget/") {
			caller, ok = r.Attacker.caller(Visitor)
		}
		if !ok {
			continue
		}
		if param.MatchString(route.Path) {
			out = append(out, r.fillRoute(route, caller)...)
		} else if route.Method == http.MethodGet {
			out = append(out, r.readRoute(route, caller)...)
		}
	}
	return out
}

func (r *Rig) fillRoute(route Route, c Caller) (out []Attempt) {
	for _, kind := range slices.Sorted(maps.Keys(r.Victim.Pool)) {
		if r.Shared[kind] != "" {
			continue
		}
		victim := r.Victim.Pool[kind][0]
		out = append(out, Attempt{What: route.String(), As: c.Name, Slots: "path (" + kind + ")", root: r.Attacker.Root, make: func(a *Attempt) error {
			a.sent = []pair{{victim, Ghost(victim)}}
			a.strange, a.ghost = fillPath(route, c, a.sent[0].victim), fillPath(route, c, a.sent[0].ghost)
			return nil
		}})
	}
	return out
}

func fillPath(route Route, c Caller, id string) inside.Request {
	q := inside.Request{Method: route.Method, Path: param.ReplaceAllString(route.Path, url.PathEscape(id)), Header: with(nil, c.Header)}
	if route.Method != http.MethodGet {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return q
}

// readRoute reads a page as it is, and with the victim's words in its search box.
func (r *Rig) readRoute(route Route, c Caller) []Attempt {
	read := func(query string) inside.Request {
		return inside.Request{Method: route.Method, Path: route.Path + query, Header: c.Header}
	}
	return []Attempt{
		{What: route.String(), As: c.Name, Slots: joined(nil), root: r.Attacker.Root, make: func(a *Attempt) error {
			a.strange, a.ghost = read(""), read("")
			return nil
		}},
		{What: route.String(), As: c.Name, Slots: "the victim's words", root: r.Attacker.Root, make: func(a *Attempt) error {
			a.sent = []pair{{r.Victim.Root, Ghost(r.Victim.Root)}}
			a.strange, a.ghost = read("?q="+a.sent[0].victim), read("?q="+a.sent[0].ghost)
			return nil
		}},
	}
}

// streams are routes that answer for as long as the caller listens.
const streamWait = 300 * time.Millisecond

// TryStream asks for the victim's event stream. A stream that opens is a way across.
func (r *Rig) TryStream(ctx context.Context, path, parameter, kind string) (*Finding, error) {
	c, ok := r.Attacker.caller(Visitor)
	victim, known := r.Victim.Pool.first(kind)
	if !ok || !known {
		return nil, nil
	}
	a := Attempt{What: "GET " + path, As: Visitor, Slots: "query " + parameter + " (" + kind + ")", sent: []pair{{victim, Ghost(victim)}}, said: victim}
	ask := func(id string) (inside.Answer, error) {
		ctx, cancel := context.WithTimeout(ctx, streamWait)
		defer cancel()
		return r.Door.Get(ctx, path+"?"+url.Values{parameter: {id}, "epoch": {""}, "offset": {"0"}}.Encode(), c.Header)
	}
	strange, err := ask(victim)
	if err != nil {
		if ctx.Err() == nil {
			return &Finding{a.What, a.As, a.Slots, "the stream opens"}, nil
		}
		return nil, err
	}
	ghost, err := ask(a.sent[0].ghost)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("a stream of something that does not exist opens"), err)
	}
	why, _ := r.judge(a, strange, ghost)
	return finding(a, why, ghost)
}
