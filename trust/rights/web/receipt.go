package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/rights/portal"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
)

// Receipts shows people what proves their consents, and hands it out. Package trust/consent/receipts makes one.
type Receipts interface {
	MineOf(ctx context.Context, tenant ids.Tenant, lang, base string, people []ids.Contact) (templ.Component, error)
	FileOf(ctx context.Context, tenant ids.Tenant, name string, people []ids.Contact) ([]byte, error)
}

// handsOut tells whether the browser that holds a request may have what proves the people's consents: while it may have
// the copy of their data.
func (s *Service) handsOut(held record.Request) bool {
	return s.receipts != nil && held.Kind.Deed() == state.Copy && held.State == state.Fulfilled && !held.File.IsZero()
}

// consents are what the page of a request offers of them.
func (s *Service) consents(ctx context.Context, tenant vault.Tenant, held record.Request, lang string) (templ.Component, error) {
	if !s.handsOut(held) {
		return templ.NopComponent, nil
	}
	return s.receipts.MineOf(ctx, tenant.ID, lang, "/my-data/receipts/"+tenant.Slug+"/"+held.ID.String()+"/", held.People)
}

func (s *Service) portalConsent(w http.ResponseWriter, r *http.Request) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	held, err := s.Held(r.Context(), tenant.ID, t)
	if err == nil && !s.handsOut(held) {
		err = errs.New(errs.NotFound, "There is no such receipt.")
	}
	if err != nil {
		return err
	}
	file, err := s.receipts.FileOf(r.Context(), tenant.ID, r.PathValue("receipt"), held.People)
	return sendReceipt(w, file, r.PathValue("receipt"), err)
}

// receiptRoutes are those of receipts. A receipt has no secrets before whoever holds the request's identifier, which
// nobody can guess; after an erasure there is no session left that could ask for it.
func (s *Service) receiptRoutes(mux module.Mux) {
	mux.Handle("GET "+portal.CheckPath, request.Handler(s.receiptHelp))
	mux.Handle("GET /my-data/receipts/{workspace}/{id}", request.Handler(s.portalReceipt))
	mux.Handle("GET /my-data/receipts/{workspace}/{id}/{receipt}", request.Handler(s.portalConsent))
	mux.Handle("GET /privacy/receipts/{id}", request.Handler(s.consoleReceipt))
}

func (s *Service) receiptHelp(w http.ResponseWriter, r *http.Request) error {
	lang := portal.Language(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	return page.Render(w, r.WithContext(page.Speak(r.Context(), lang)), http.StatusOK, portal.Check(portal.Form{Base: portal.CheckPath, Lang: lang}))
}

func (s *Service) portalReceipt(w http.ResponseWriter, r *http.Request) error {
	tenant, err := s.workspace(r)
	if err != nil {
		return err
	}
	return s.sendReceipt(w, r, tenant.ID)
}

func (s *Service) consoleReceipt(w http.ResponseWriter, r *http.Request) error {
	id, err := pathRequest(r)
	if err != nil {
		return err
	}
	actor := request.Actor(r.Context())
	if _, err := s.Read(r.Context(), actor, id); err != nil {
		return err
	}
	return s.sendReceipt(w, r, actor.Tenant())
}

func (s *Service) sendReceipt(w http.ResponseWriter, r *http.Request, tenant ids.Tenant) error {
	id, err := pathRequest(r)
	if err != nil {
		return err
	}
	file, err := s.ReceiptFile(r.Context(), tenant, id)
	return sendReceipt(w, file, id.String(), err)
}

func sendReceipt(w http.ResponseWriter, file []byte, name string, err error) error {
	if err != nil {
		return err
	}
	return answer.File(w, "application/json", "receipt-"+name+".json", file)
}
