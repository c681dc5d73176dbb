package webchat

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/work/channels/webchat/ui"
	"aver/work/channels/webchat/widget"
)

func (s *Service) pages(mux module.Mux) {
	mux.Handle("GET /settings/chat", handle(func(w http.ResponseWriter, r *http.Request) error { return s.show(w, r, ui.Chat{}) }))
	mux.Handle("POST /settings/chat", handle(s.save))
	mux.Handle("POST /settings/chat/keys", handle(s.addKey))
	mux.Handle("POST /settings/chat/keys/remove", handle(s.removeKey))
}

// show draws the page; what is set in c is kept.
func (s *Service) show(w http.ResponseWriter, r *http.Request, c ui.Chat) error {
	actor := request.Actor(r.Context())
	set, err := s.Settings(r.Context(), actor)
	if err != nil {
		return err
	}
	keys, err := s.identity.SigningKeyList(r.Context(), actor)
	if err != nil && !errs.Is(err, errs.Forbidden) {
		return err
	}
	c.Embed = []string{`<script>window.$aver=[];window.AVER_WEBSITE_ID="` + Website(actor.Tenant()) + `";</script>`, `<script async src="https://` + r.Host + `/l.js"></script>`}
	c.Name, c.Accent, c.Scheme, c.Language, c.ReplyTime, c.Offline = set.Name, set.Accent, set.ColorScheme, set.Language, set.ReplyTime, set.Offline
	c.Hosts, c.Enforced, c.NoFiles = strings.Join(set.AllowedHosts, "\n"), set.Enforced, set.NoFiles
	for _, l := range widget.Languages() {
		c.Languages = append(c.Languages, page.Option{Value: l, Label: languages[l]})
	}
	for _, k := range keys {
		c.Keys = append(c.Keys, ui.Key{ID: k.ID, Algorithm: k.Algorithm, Made: k.CreatedAt.Format("2 January 2006")})
	}
	c.Sheet.Action, c.KeySheet.Action, c.KeySheet.ID = "/settings/chat", "/settings/chat/keys", "public"
	return page.Render(w, r, max(c.Sheet.Status(), c.KeySheet.Status()), ui.Settings(c))
}

func (s *Service) save(w http.ResponseWriter, r *http.Request) error {
	f, err := request.Form(r)
	if err != nil {
		return err
	}
	set := Settings{Name: f.Get("name"), Accent: f.Get("accent"), ColorScheme: f.Get("color_scheme"), Language: f.Get("language"), ReplyTime: f.Get("reply_time"),
		Offline: f.Get("offline"), Enforced: f.Get("enforced") != "", NoFiles: f.Get("no_files") != "", AllowedHosts: strings.Fields(f.Get("allowed_hosts"))}
	err = s.SetSettings(r.Context(), request.Actor(r.Context()), set)
	if sheet, again := page.Refused(err, f); again {
		return s.show(w, r, ui.Chat{Sheet: sheet})
	}
	return page.Done(w, r, err, "/settings/chat", "Saved")
}

func (s *Service) addKey(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	actor := request.Actor(r.Context())
	if key := form.Get("public_key"); key != "" {
		_, err := s.identity.AddPublicKey(r.Context(), actor, key)
		if sheet, again := page.Refused(err, form); again {
			return s.show(w, r, ui.Chat{KeySheet: sheet})
		}
		return page.Done(w, r, err, "/settings/chat", "Your site's key is trusted")
	}
	kid, secret, err := s.identity.AddSecret(r.Context(), actor)
	if err != nil {
		return err
	}
	return s.show(w, r, ui.Chat{Secret: secret, SecretID: kid})
}

func (s *Service) removeKey(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	err = s.identity.RemoveSigningKey(r.Context(), request.Actor(r.Context()), form.Get("kid"))
	return page.Done(w, r, err, "/settings/chat", "The key is not trusted any more")
}

// WebchatSettings is the widget's settings in the API.
type WebchatSettings struct {
	Body Settings
}

func (s *Service) api(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "get-webchat-settings", Method: http.MethodGet, Path: "/v1/webchat/settings", Summary: "How the chat widget looks", Tags: []string{"Web chat"}},
		func(ctx context.Context, _ *struct{}) (*WebchatSettings, error) {
			set, err := s.Settings(ctx, request.Actor(ctx))
			return &WebchatSettings{set}, err
		})
	huma.Register(api, huma.Operation{OperationID: "put-webchat-settings", Method: http.MethodPut, Path: "/v1/webchat/settings", Summary: "Change how the chat widget looks", Tags: []string{"Web chat"}},
		func(ctx context.Context, in *WebchatSettings) (*WebchatSettings, error) {
			return in, s.SetSettings(ctx, request.Actor(ctx), in.Body)
		})
}

// languages are the names of the widget's languages, each in its own words.
var languages = map[string]string{"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "it": "Italiano", "pt": "Português",
	"nl": "Nederlands", "pl": "Polski", "ar": "العربية", "hi": "हिन्दी"}
