package edge

import (
	"net/http"
	"time"

	"aver/edge/limit"
	"aver/frame/module"
	"aver/frame/page"
)

// profile is what a class of routes gets.
type profile struct {
	body       int64         // largest request body, bytes
	read       time.Duration // for reading the request, when it may take longer than the server's limit
	write      time.Duration // for writing the answer, when it may take longer than the server's limit
	signsIn    bool          // the caller may be known by a session or an API key
	strict     bool          // a credential that is not valid is refused here; elsewhere its bearer is nobody
	document   bool          // people see it: errors are pages, and the context carries a page.View
	closed     bool          // rates are per address, and when in doubt the answer is no
	fromOthers bool          // a page of another site may send it
	needOrigin bool          // the Origin header must be there and be our own
	quota      Quota
	headers    func(http.Header)
}

// Quota says how many requests a known caller and an unknown address may make.
type Quota struct{ Actor, Address limit.Rate }

func perMinute(actor, address int) Quota {
	return Quota{limit.Rate{Quota: actor, Window: time.Minute}, limit.Rate{Quota: address, Window: time.Minute}}
}

// Unlimited lets everybody ask as often as the machine can answer: for rigs, which ask faster than people.
func Unlimited() map[module.Class]Quota {
	all := map[module.Class]Quota{}
	for class := range profiles {
		all[class] = perMinute(1_000_000, 1_000_000)
	}
	return all
}

const kib = 1 << 10

// profiles is the whole table; there is no route outside it.
var profiles = map[module.Class]profile{
	module.Page:     {body: 256 * kib, signsIn: true, document: true, quota: perMinute(600, 300), headers: closedHeaders},
	module.SignIn:   {body: 16 * kib, signsIn: true, document: true, closed: true, quota: perMinute(30, 30), headers: closedHeaders},
	module.Handover: {body: 16 * kib, document: true, closed: true, fromOthers: true, quota: perMinute(30, 30), headers: closedHeaders},
	module.API:      {body: 1024 * kib, signsIn: true, strict: true, quota: perMinute(600, 60), headers: closedHeaders},
	module.Upload:   {body: 32 * 1024 * kib, read: 5 * time.Minute, write: 6 * time.Minute, signsIn: true, quota: perMinute(60, 30), headers: closedHeaders},
	module.Download: {body: kib, write: 10 * time.Minute, signsIn: true, document: true, quota: perMinute(600, 120), headers: sandboxHeaders},
	module.Live:     {body: kib, signsIn: true, needOrigin: true, quota: perMinute(60, 30), headers: closedHeaders},
	module.Asset:    {body: kib, quota: perMinute(3000, 3000), headers: closedHeaders},
	module.Embed:    {body: kib, quota: perMinute(3000, 3000), headers: embedHeaders},
	module.Frame:    {body: kib, quota: perMinute(1200, 1200), headers: frameHeaders},
	module.Widget:   {body: 128 * kib, quota: perMinute(3000, 3000), headers: closedHeaders},
	module.Start:    {body: 64 * kib, quota: perMinute(60, 60), headers: closedHeaders},
}

// closedHeaders is the strictest set: no scripts, no frames, no other site, no cache. Pages that page.Render draws
// replace the policy by one with a nonce.
func closedHeaders(h http.Header) { page.Headers(h, "") }

// sandboxHeaders is for files that strangers made: saved, never shown as a document of ours (OWASP ASVS 5.0 V3.2.1).
func sandboxHeaders(h http.Header) {
	page.Headers(h, "")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Content-Disposition", "attachment")
}

// embedHeaders lets pages of other sites load a script of ours.
func embedHeaders(h http.Header) {
	page.Headers(h, "")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// frameHeaders lets pages of other sites frame the widget's document, and lets that document load our own files only.
func frameHeaders(h http.Header) {
	page.Headers(h, "")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "+
		"connect-src 'self'; form-action 'none'; base-uri 'none'; object-src 'none'; frame-ancestors *; "+
		"require-trusted-types-for 'script'; trusted-types aver; report-to csp")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Del("Cross-Origin-Opener-Policy") // of no effect in a frame
}
