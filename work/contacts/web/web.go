// Package web shows the contacts to people in the console and to programs in the API.
//
// It decides nothing: every request ends in a call of package contacts, which asks the vault. What comes in is copied
// field by field, so that a caller sets what is written here and nothing else.
package web

import (
	"aver/frame/module"
	"aver/work/contacts"
)

// Number is this module's number.
const Number = 42

// Service answers requests.
type Service struct{ *contacts.Service }

// New makes the service.
func New(c *contacts.Service) *Service { return &Service{c} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "contacts-web", Number: Number, API: s.api}
}
