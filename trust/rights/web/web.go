// Package web shows people's requests to themselves, to those who answer them and to programs.
//
// It decides nothing: every request ends in a call of package rights, which asks the vault.
package web

import (
	"context"
	"errors"
	"io"
	"net/http"

	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/request"
	"aver/trust/restriction"
	"aver/trust/rights"
	"aver/trust/rights/ui"
)

// Number is this module's number.
const Number = 82

// Service answers requests.
type Service struct {
	*rights.Service
	contact  string
	receipts Receipts
	limits   *restriction.Service
}

// New makes the service. Contact is a mail address for whoever does not know which business keeps their data; it may be
// empty. Receipts of consents are offered beside a copy; without them, nothing is.
func New(s *rights.Service, contact string, receipts Receipts, limits *restriction.Service) *Service {
	return &Service{s, contact, receipts, limits}
}

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "rights-web", Number: Number, API: s.api, Routes: s.routes,
		Settings: []module.Link{{Path: "/settings/privacy", Title: ui.SettingsTitle(), About: ui.SettingsAbout()}},
		Classes:  map[string]module.Class{"/my-data": module.SignIn, "/my-data/signed/": module.Handover, "/my-data/files/": module.Download, "/my-data/receipts/": module.Download, "/privacy/receipts/": module.Download, "/privacy/files/": module.Download}}
}

func (s *Service) routes(mux module.Mux) {
	for pattern, handler := range map[string]request.Handler{
		"GET /privacy":                          s.listPage,
		"GET /privacy/requests/new":             s.newPage,
		"POST /privacy/requests":                s.enterRequest,
		"GET /privacy/requests/{id}":            s.requestPage,
		"GET /privacy/requests/{id}/progress":   s.requestPart,
		"POST /privacy/requests/{id}/fulfil":    s.fulfilRequest,
		"POST /privacy/requests/{id}/deny":      s.denyRequest,
		"POST /privacy/requests/{id}/extend":    s.extendRequest,
		"POST /privacy/requests/{id}/confirm":   s.confirmRequest,
		"POST /privacy/requests/{id}/retry":     s.retryRequest,
		"GET /privacy/files/{id}":               s.sendFile,
		"POST /privacy/people/{contact}/export": s.exportPerson,
		"GET /privacy/people/{contact}/erase":   s.erasePage,
		"POST /privacy/people/{contact}/erase":  s.erasePerson,
		"GET /settings/privacy":                 s.settingsPage,
		"POST /settings/privacy":                s.saveSettings,
		"GET /my-data":                          s.anyPortal,
		"GET /my-data/{workspace}":              s.portalPage,
		"POST /my-data/{workspace}":             s.portalAsk,
		"GET /my-data/{workspace}/{id}":         s.portalRequest,
		"POST /my-data/{workspace}/{id}/code":   s.portalCode,
		"POST /my-data/{workspace}/{id}/again":  s.portalAgain,
		"POST /my-data/signed/{workspace}":      s.portalSigned,
		"GET /my-data/proof/{workspace}/{id}":   s.portalLink,
		"POST /my-data/{workspace}/{id}/proof":  s.portalProof,
		"POST /my-data/{workspace}/{id}/erase":  s.portalErase,
		"POST /my-data/{workspace}/{id}/revoke": s.portalRevoke,
		"GET /my-data/files/{workspace}/{id}":   s.portalFile,
	} {
		mux.Handle(pattern, handler)
	}
	s.receiptRoutes(mux)
}

func pathRequest(r *http.Request) (rights.RequestID, error) {
	return request.PathID[rights.RequestID](r, "id", "request")
}

func pathContact(r *http.Request) (ids.Contact, error) {
	return request.PathID[ids.Contact](r, "contact", "person")
}

// download sends an archive as a file.
func download(w http.ResponseWriter, content io.Reader, name string) error {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err := io.Copy(w, content)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
