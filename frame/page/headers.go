package page

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// ReportPath is where browsers report what the content security policy stopped; edge mounts Reports there.
const ReportPath = "/csp-reports"

// Headers sets the headers of every answer (OWASP ASVS 5.0 V3.4). With a nonce, scripts that carry it may run;
// without one, none may, which suits everything that is not a page.
func Headers(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", Policy(nonce))
	h.Set("Reporting-Endpoints", `csp="`+ReportPath+`"`)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", permissions)
	h.Set("Cache-Control", "no-store")
}

const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), " +
	"gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

// Policy is the content security policy of a page whose scripts carry the nonce. The one Trusted Types policy is
// htmx's, which only swaps what this server drew and only for elements that carry the nonce.
func Policy(nonce string) string {
	scripts := "'none'"
	if nonce != "" {
		scripts = "'nonce-" + nonce + "' 'strict-dynamic'"
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src " + scripts,
		"style-src 'self'",
		"img-src 'self' blob:",
		"font-src 'self'",
		"connect-src 'self'",
		"form-action 'self'",
		"base-uri 'none'",
		"object-src 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types htmx",
		"report-to csp",
	}, "; ")
}

// reportLimit is the most of a browser's report that is read, in bytes.
const reportLimit = 32 << 10

// Reports receives policy reports from browsers and logs which rule was broken on which path. Addresses and samples
// in a report may name people, so nothing else of it is kept.
func Reports(log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, reportLimit))
		if err != nil {
			http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
			return
		}
		var reports []struct {
			Type string `json:"type"`
			Body struct {
				Directive string `json:"effectiveDirective"`
			} `json:"body"`
		}
		if json.Unmarshal(body, &reports) != nil {
			http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
			return
		}
		for _, report := range reports {
			if directive, ok := known(report.Body.Directive); ok && report.Type == "csp-violation" {
				log.WarnContext(r.Context(), "a browser stopped something that the page's policy forbids", "directive", directive)
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// known lets only names of directives through, since anybody can send a report with anything in it.
func known(directive string) (string, bool) {
	for part := range strings.SplitSeq(Policy(""), "; ") {
		name, _, _ := strings.Cut(part, " ")
		if directive == name || directive == name+"-elem" || directive == name+"-attr" {
			return directive, true
		}
	}
	return "", false
}
