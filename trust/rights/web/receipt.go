package web

import (
	"bytes"
	"io"
	"net/http"

	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/rights/receipt/ui"
)

// receiptRoutes are those of receipts. A receipt has no secrets before whoever holds the request's identifier, which
// nobody can guess; after an erasure there is no session left that could ask for it.
func (s *Service) receiptRoutes(mux module.Mux) {
	mux.Handle("GET /my-data/receipts", request.Handler(s.receiptHelp))
	mux.Handle("GET /my-data/receipts/{workspace}/{id}", request.Handler(s.portalReceipt))
	mux.Handle("GET /privacy/receipts/{id}", request.Handler(s.consoleReceipt))
}

func (s *Service) receiptHelp(w http.ResponseWriter, r *http.Request) error {
	return page.Render(w, r, http.StatusOK, ui.Help())
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
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="receipt-`+id.String()+`.json"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err = io.Copy(w, bytes.NewReader(file))
	return err
}
