// Package widget holds the visitor's side of web chat as it is served: the loader, the frame and its strings.
//
// It has no server code: work/channels/webchat serves these files and speaks PROTOCOL.md with them. The sources are in src
// and strings; dist is built from them by the command in build and committed.
package widget

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"path"
	"sync"

	"aver/frame/page"
)

//go:generate go run ./build .

//go:embed dist
var dist embed.FS

// FramePolicy is the Content-Security-Policy of the frame, without frame-ancestors, which depends on the website. The frame
// runs under exactly this policy in the tests.
const FramePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; " +
	"form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// A File is one that a browser asks for.
type File struct {
	Body   []byte
	Zipped []byte // the same through gzip; nil where that would not pay
	Type   string // for Content-Type
	ETag   string // of the content, however it is sent: weak, with its quotes
}

// types are not looked up in the machine's own table, which differs between machines.
var types = map[string]string{
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",
	".json": "application/json",
}

var version = sync.OnceValue(func() string {
	body, _ := dist.ReadFile("dist/version.txt") // embedded: it cannot be missing while the freshness test passes
	return string(body)
})

var files = sync.OnceValue(func() map[string]File {
	out := map[string]File{"/l.js": load("l.js"), "/widget/frame": load("frame.html")}
	for _, name := range []string{"app.js", "app.css", "icons-license.txt"} {
		out["/widget/"+name] = load(name)
	}
	for _, language := range Languages() {
		out["/widget/strings/"+language+".json"] = load("strings/" + language + ".json")
	}
	return out
})

// Version names the content of the app, its style and strings. Those are asked for with ?v= and this version, and may then be
// kept by a browser for ever; with another version, or none, they must be asked for again each time.
func Version() string { return version() }

// At returns the file for a request path, as PROTOCOL.md §1 lists them: /l.js, /widget/frame, /widget/app.js and so on.
func At(requestPath string) (File, bool) {
	file, found := files()[requestPath]
	return file, found
}

// Languages lists the languages of the interface.
func Languages() []string {
	return []string{"en", "de", "fr", "es", "it", "pt", "nl", "pl", "ar", "hi"}
}

func load(name string) File {
	body, _ := dist.ReadFile(path.Join("dist", name))
	sum := sha256.Sum256(body)
	return File{Body: body, Zipped: page.Zip(body), Type: types[path.Ext(name)], ETag: `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}
