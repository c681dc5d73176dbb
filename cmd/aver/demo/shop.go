package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"mime"
	"net/http"
	"path"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/request"
	"aver/work/channels/webchat"
)

//go:embed site
var files embed.FS

// shopPolicy is the policy of a site that means to be safe and shows the widget: what the widget asks of it, and no more.
const shopPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; script-src 'self' 'sha256-"

// shops serves the sample sites of the demo's businesses.
func shops(tenants map[string]ids.Tenant) module.Module {
	return module.Module{
		Name:   "demo",
		Number: 900,
		Routes: func(mux module.Mux) {
			mux.Handle("GET /shop/{name}", request.Handler(func(w http.ResponseWriter, r *http.Request) error { return shop(w, r, tenants) }))
		},
		Classes: map[string]module.Class{"/shop/": module.Asset},
	}
}

func shop(w http.ResponseWriter, r *http.Request, tenants map[string]ids.Tenant) error {
	name := r.PathValue("name")
	for _, t := range trades {
		if t.slug == name {
			return t.draw(w, webchat.Website(tenants[t.slug]))
		}
	}
	body, err := files.ReadFile("site/" + name)
	if err != nil {
		return errs.New(errs.NotFound, "There is no such page.")
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	_, _ = w.Write(body) // a visitor who went away is nobody's mistake
	return nil
}

func (t trade) draw(w http.ResponseWriter, website string) error {
	script := `window.$aver=[["config","color:accent",["` + t.accent + `"]]];window.AVER_WEBSITE_ID="` + website + `";`
	var out bytes.Buffer
	if err := site(t, script).Render(context.Background(), &out); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(script))
	w.Header().Set("Content-Security-Policy", shopPolicy+base64.StdEncoding.EncodeToString(sum[:])+"'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes())
	return nil
}
