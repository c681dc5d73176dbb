// Package web is identity as people and programs meet it: the doors in and out, the settings about oneself, the team and
// its keys, and the operations of the API.
//
// It decides nothing: rules and permissions are in package identity, which everything else should use.
package web

import (
	"context"
	"time"

	"aver/frame/mail"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/trust/identity/web/ui"
)

// Number is this module's number. It brings no migrations.
const Number = 22

// Mailer mails, as the operator's relay in package mail does.
type Mailer interface {
	Send(context.Context, mail.Message) error
}

// Service draws the pages and answers the operations.
type Service struct {
	identity *identity.Service
	now      func() time.Time
	mailer   Mailer
}

// New makes the service. Without a mailer (nil) links of invitations are only shown.
func New(i *identity.Service, mailer Mailer, now func() time.Time) *Service {
	return &Service{identity: i, mailer: mailer, now: now}
}

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:    "identity-web",
		Number:  Number,
		API:     s.api,
		Routes:  s.routes,
		Classes: map[string]module.Class{"/login": module.SignIn, "/setup/": module.SignIn, "/invite/": module.SignIn},
		Settings: []module.Link{
			{Path: "/settings/profile", Title: ui.T("profile"), About: ui.T("profile.about")},
			{Path: "/settings/team", Title: ui.T("team"), About: ui.T("team.about")},
			{Path: "/settings/roles", Title: ui.T("rights"), About: ui.T("rights.about")},
			{Path: "/settings/keys", Title: ui.T("keys"), About: ui.T("keys.about"), For: identity.ActListKeys},
		},
	}
}
