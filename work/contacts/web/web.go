// Package web shows the contacts to people in the console and to programs in the API.
//
// It decides nothing: every request ends in a call of package contacts, which asks the vault. What comes in is copied
// field by field, so that a caller sets what is written here and nothing else.
package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/request"
	"aver/vault"
	"aver/work/contacts"
	"aver/work/contacts/imports"
)

// Number is this module's number.
const Number = 42

// Panel is what another module shows beside a person: nothing when it has nothing to show, or the actor may not see it.
type Panel func(ctx context.Context, actor vault.Actor, contact ids.Contact) (templ.Component, error)

// Service answers requests.
type Service struct {
	*contacts.Service
	imports  *imports.Service
	consents Panel
	panels   []Panel
}

// New makes the service, with the history of a person's consents and what other modules show beside a person, in this order.
func New(c *contacts.Service, i *imports.Service, consents Panel, panels ...Panel) *Service {
	return &Service{c, i, consents, panels}
}

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "contacts-web", Number: Number, API: s.api, Routes: s.routes, Settings: []module.Link{
		{Path: "/settings/attributes", Title: "Contact fields", About: "Fields of your own for contacts."},
		{Path: "/settings/tags", Title: "Contact labels", About: "Words to put on people."},
		{Path: "/settings/segments", Title: "Segments", About: "Groups of people by what they have in common."},
	},
		Classes: map[string]module.Class{"/contacts/import/upload": module.Upload, "/contacts/import/errors/": module.Download}}
}

func (s *Service) routes(mux module.Mux) {
	for pattern, handler := range map[string]request.Handler{
		"GET /contacts":                              s.showList,
		"POST /contacts":                             s.create,
		"GET /contacts/find":                         s.find,
		"GET /contacts/new":                          s.showNew,
		"GET /contacts/{id}":                         s.showPerson,
		"GET /contacts/{id}/edit":                    s.showEdit,
		"POST /contacts/{id}/edit":                   s.edit,
		"GET /contacts/{id}/erase":                   s.showErase,
		"POST /contacts/{id}/notes":                  s.addNote,
		"POST /contacts/{id}/notes/{note}/remove":    s.removeNote,
		"POST /contacts/{id}/labels":                 s.addLabel,
		"POST /contacts/{id}/labels/{label}/remove":  s.removeLabel,
		"POST /contacts/{id}/block":                  s.block,
		"POST /contacts/{id}/archive":                s.archive,
		"GET /contacts/{id}/merge":                   s.showMerge,
		"POST /contacts/{id}/merge":                  s.merge,
		"POST /contacts/{id}/unmerge":                s.unmerge,
		"GET /contacts/import":                       s.showImports,
		"POST /contacts/import/upload":               s.upload,
		"GET /contacts/import/run/{import}":          s.showImport,
		"POST /contacts/import/run/{import}":         s.tryImport,
		"GET /contacts/import/run/{import}/progress": s.showProgress,
		"POST /contacts/import/run/{import}/start":   s.startImport,
		"POST /contacts/import/run/{import}/cancel":  s.cancelImport,
		"GET /contacts/import/errors/{import}":       s.report,
		"GET /settings/tags":                         s.showTags,
		"POST /settings/tags":                        s.makeTag,
		"POST /settings/tags/{label}":                s.changeTag,
		"POST /settings/tags/{label}/remove":         s.removeTag,
		"GET /settings/segments":                     s.showSegments,
		"POST /settings/segments":                    s.makeSegment,
		"POST /settings/segments/{segment}/remove":   s.removeSegment,
		"GET /settings/attributes":                   s.showAttributes,
		"POST /settings/attributes":                  s.defineAttribute,
		"POST /settings/attributes/{id}/archive":     s.archiveAttribute,
	} {
		mux.Handle(pattern, handler)
	}
}

func actor(r *http.Request) vault.Actor { return request.Actor(r.Context()) }

// person reads whom the path is about.
func person(r *http.Request) (ids.Contact, error) {
	return request.PathID[ids.Contact](r, "id", "person")
}

// asked reads what a form says about whom.
func asked(r *http.Request) (ids.Contact, url.Values, error) {
	id, err := person(r)
	if err != nil {
		return id, nil, err
	}
	form, err := request.Form(r)
	return id, form, err
}
