package edge

import (
	"fmt"
	"net/http"
	"strings"

	"aver/frame/module"
)

// Route is one registered route, for tests that walk over all of them and for the record.
type Route struct {
	Module  string
	Pattern string // as in http.ServeMux, with the method
	Class   module.Class
}

// router registers one module's routes, each behind the guard of its class.
type router struct {
	server  *Server
	module  string
	classes map[string]module.Class
}

// Handle registers a handler. Like http.ServeMux it panics on a mistake of the program: a pattern without a method,
// or one that conflicts with another.
func (rt *router) Handle(pattern string, handler http.Handler) {
	method, rest, found := strings.Cut(pattern, " ")
	slash := strings.IndexByte(rest, '/')
	if !found || slash != 0 || method == "" {
		panic(fmt.Sprintf("module %s: the pattern %q must name a method and a path, such as GET /contacts", rt.module, pattern))
	}
	route := Route{Module: rt.module, Pattern: pattern, Class: rt.class(rest)}
	if _, known := profiles[route.Class]; !known {
		panic(fmt.Sprintf("module %s: the pattern %q has the unknown class %q", rt.module, pattern, route.Class))
	}
	rt.server.routes = append(rt.server.routes, route)
	rt.server.mux.Handle(pattern, rt.server.guard(route, handler))
}

// HandleFunc registers a handler function.
func (rt *router) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	rt.Handle(pattern, http.HandlerFunc(handler))
}

// ServeHTTP is what huma's adapter asks for and never uses.
func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) { rt.server.mux.ServeHTTP(w, r) }

// class is the class of the longest prefix that the module named; without one /v1 is API and the rest are pages.
func (rt *router) class(path string) module.Class { return classOf(path, rt.classes) }

func classOf(path string, named map[string]module.Class) module.Class {
	longest, class := "", module.Page
	if path == "/v1" || strings.HasPrefix(path, "/v1/") {
		class = module.API
	}
	for prefix, c := range named {
		if strings.HasPrefix(path, prefix) && len(prefix) > len(longest) {
			longest, class = prefix, c
		}
	}
	return class
}

// Routes lists every route.
func (s *Server) Routes() []Route { return append([]Route(nil), s.routes...) }
