// Package web shows the inbox to those who answer: pages, the socket that keeps them up to date, files, and the API.
//
// It decides nothing: every request ends in a call of package inbox, which asks the vault. What comes in is copied field
// by field, so that a caller sets what is written here and nothing else.
package web

import (
	"net/http"

	"aver/base/ids"
	"aver/frame/live"
	"aver/frame/module"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/inbox"
	"aver/work/inbox/desk"
	"aver/work/inbox/ui"
)

// Number is this module's number.
const Number = 52

// Service answers requests.
type Service struct {
	*inbox.Service
	hub   *live.Hub
	users *identity.Service
}

// New makes the service.
func New(s *inbox.Service, hub *live.Hub, users *identity.Service) *Service {
	return &Service{s, hub, users}
}

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:   "inbox-web",
		Number: Number,
		API:    s.api,
		Routes: s.routes,
		Classes: map[string]module.Class{
			"/live": module.Live, "/uploads/": module.Upload, "/attachments/": module.Download, ui.Assets.Path(): module.Asset,
		},
		Settings: []module.Link{
			{Path: "/settings/replies", Title: ui.Title("replies"), About: ui.About("replies"), For: desk.WriteMacro},
			{Path: "/settings/labels", Title: ui.Title("labels"), About: ui.About("labels"), For: desk.WriteLabel},
			{Path: "/settings/teams", Title: ui.Title("teams"), About: ui.About("teams"), For: desk.WriteTeam},
			{Path: "/settings/hours", Title: ui.Title("hours"), About: ui.About("hours"), For: desk.WriteHours},
		},
	}
}

func (s *Service) routes(mux module.Mux) {
	for pattern, handler := range map[string]request.Handler{
		"GET /inbox":                         s.showInbox,
		"GET /inbox/find":                    s.find,
		"GET /inbox/{conversation}":          s.showThread,
		"GET /inbox/{conversation}/person":   s.showPerson,
		"GET /inbox/{conversation}/earlier":  s.showEarlier,
		"GET /inbox/{conversation}/row":      s.showRow,
		"POST /inbox/{conversation}/reply":   s.postReply,
		"POST /inbox/{conversation}/state":   s.postState,
		"POST /inbox/{conversation}/snooze":  s.postSnooze,
		"POST /inbox/{conversation}/assign":  s.postAssign,
		"POST /inbox/{conversation}/label":   s.postLabel,
		"GET /inbox/{conversation}/redact":   s.showRedact,
		"POST /inbox/{conversation}/redact":  s.postRedact,
		"POST /uploads/{conversation}":       s.upload,
		"GET /attachments/{id}":              s.download,
		"GET /settings/replies":              s.showReplies,
		"POST /settings/replies":             s.saveReply,
		"POST /settings/replies/{id}/remove": s.removeReply,
		"GET /settings/labels":               s.showLabels,
		"POST /settings/labels":              s.saveLabel,
		"POST /settings/labels/{id}/remove":  s.removeLabel,
		"GET /settings/teams":                s.showTeams,
		"POST /settings/teams":               s.saveTeam,
		"POST /settings/teams/{id}/remove":   s.removeTeam,
		"GET /settings/hours":                s.showHours,
		"POST /settings/hours":               s.saveHours,
	} {
		mux.Handle(pattern, handler)
	}
	mux.Handle("GET /live", s.hub.WebSocket(s.Handler()))
	mux.Handle("GET "+ui.Assets.Path(), ui.Assets)
}

func actor(r *http.Request) vault.Actor { return request.Actor(r.Context()) }

// conversation reads which one the path is about.
func conversation(r *http.Request) (ids.Conversation, error) {
	return request.PathID[ids.Conversation](r, "conversation", "conversation")
}
