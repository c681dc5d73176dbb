// Package receipts hands out what proves a consent: the record of each act as a signed file that anybody checks offline,
// to the person in the chat and on the public page, to the tenant on the person's page.
//
// The statement was written when somebody acted, and the log of that moment speaks for it; here it is only put together
// with the proof (base/tlog). A tenant's word for why it keeps somebody has a receipt of the same kind.
package receipts

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/request"
	"aver/trust/audit"
	"aver/trust/consent"
	shown "aver/trust/consent/receipts/ui"
	"aver/trust/identity"
	"aver/vault"
)

// Number is this module's number.
const Number = 84

// Service hands out receipts.
type Service struct {
	consent *consent.Service
	log     *audit.Service
}

// New makes the service.
func New(c *consent.Service, log *audit.Service) *Service { return &Service{c, log} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "consent-receipts", Number: Number, Routes: func(mux module.Mux) {
		mux.Handle("GET /privacy/people/{contact}/receipts/{receipt}", request.Handler(s.send))
	}}
}

// File is a receipt about one of these people, by the name of the act (cns_…) or assertion (gnd_…).
func (s *Service) File(ctx context.Context, actor vault.Actor, name string, people ...ids.Contact) ([]byte, error) {
	statement, at, err := s.consent.Said(ctx, actor, name, people...)
	if err != nil {
		return nil, err
	}
	proof, err := s.log.ReceiptSince(ctx, actor.Tenant(), statement, at)
	if err != nil {
		return nil, err
	}
	return proof.Bytes()
}

func (s *Service) send(w http.ResponseWriter, r *http.Request) error {
	contact, err := request.PathID[ids.Contact](r, "contact", "person")
	if err != nil {
		return err
	}
	file, err := s.File(r.Context(), request.Actor(r.Context()), r.PathValue("receipt"), contact)
	return Send(w, file, r.PathValue("receipt"), err)
}

// Send answers with a receipt as a file, if there is one.
func Send(w http.ResponseWriter, file []byte, name string, err error) error {
	if err != nil {
		return err
	}
	return answer.File(w, "application/json", "receipt-"+name+".json", file)
}

// Page shows beside a person how their consents stood over time, with a receipt of each act.
func (s *Service) Page(ctx context.Context, actor vault.Actor, contact ids.Contact) (templ.Component, error) {
	story, err := s.consent.Story(ctx, actor, contact)
	if err != nil {
		return nil, err
	}
	return drawn(story, "/privacy/people/"+contact.String()+"/receipts/"), nil
}

// Mine is what people are told about their own receipts, newest first, in their language. The files are at base, and the
// name of the act after it.
func (s *Service) Mine(ctx context.Context, actor vault.Actor, lang, base string, people ...ids.Contact) (shown.Mine, error) {
	story, err := s.consent.Story(ctx, actor, people...)
	return mine(story, lang, base), err
}

// MineOf is Mine for people who have proved to the public page who they are.
func (s *Service) MineOf(ctx context.Context, tenant ids.Tenant, lang, base string, people []ids.Contact) (templ.Component, error) {
	list, err := s.Mine(ctx, identity.System(tenant, "receipts"), lang, base, people...)
	return shown.Page(list), err
}

// FileOf is File for people who have proved to the public page who they are.
func (s *Service) FileOf(ctx context.Context, tenant ids.Tenant, name string, people []ids.Contact) ([]byte, error) {
	return s.File(ctx, identity.System(tenant, "receipts"), name, people...)
}
