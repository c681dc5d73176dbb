package webchat

import (
	"net/http"
	"regexp"

	"aver/frame/module"
	"aver/vault"
)

var (
	accentForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	originForm = regexp.MustCompile(`^https?://[a-z0-9.-]+(:[0-9]{1,5})?$`)
)

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "webchat",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{table, pageEvents},
		Actions:    []*vault.Action{actReadSettings, actWriteSettings, actSay},
		API:        s.api,
		Routes:     s.routes,
		Settings:   []module.Link{{Path: "/settings/chat", Title: "Chat widget", About: "How the chat looks on your site, and who signs your visitors.", For: actReadSettings}},
		Classes: map[string]module.Class{
			"/l.js":                    module.Embed,
			"/widget/frame":            module.Frame,
			"/widget/":                 module.Asset,
			"/widget/v1/":              module.Widget,
			"/widget/v1/sessions":      module.Start,
			"/widget/v1/uploads":       module.Upload,
			"/widget/v1/attachments":   module.Download,
			"/widget/v1/privacy/files": module.Download,
		},
	}
}

func (s *Service) routes(mux module.Mux) {
	for _, path := range []string{"/l.js", "/widget/app.js", "/widget/app.css", "/widget/strings/{name}", "/widget/icons-license.txt"} {
		mux.Handle("GET "+path, http.HandlerFunc(file))
	}
	mux.Handle("GET /widget/frame", handle(s.frame))
	mux.Handle("GET /widget/v1/config", handle(s.config))
	mux.Handle("POST /widget/v1/sessions", handle(s.session))
	mux.Handle("POST /widget/v1/consent", s.visitor(s.agree))
	mux.Handle("POST /widget/v1/uploads", s.visitor(s.upload))
	mux.Handle("GET /widget/v1/attachments/{id}", s.visitor(s.attachment))
	mux.Handle("POST /widget/v1/privacy/export", s.visitor(s.copy))
	mux.Handle("GET /widget/v1/privacy/tasks/{task}", s.visitor(s.progress))
	mux.Handle("GET /widget/v1/privacy/files/{task}", s.visitor(s.archive))
	mux.Handle("POST /widget/v1/privacy/erase", s.visitor(s.erase))
	mux.Handle("GET /widget/v1/privacy/receipts", s.visitor(s.proofs))
	mux.Handle("GET "+ownReceipts+"{receipt}", s.visitor(s.proof))
	mux.Handle("GET /widget/v1/privacy/rights", s.visitor(s.offer))
	mux.Handle("POST /widget/v1/privacy/requests", s.visitor(s.request))
	mux.Handle("GET /widget/v1/socket", s.hub.WebSocket(s.handler))
	mux.Handle("GET /widget/v1/events", s.hub.Events(s.handler))
	mux.Handle("POST /widget/v1/send", s.hub.Send(s.handler))
	s.pages(mux)
}
