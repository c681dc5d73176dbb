package moduletest

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aver/base/errs"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/vault"
	"aver/vault/postgres/pgtest"
)

// Main runs a package's tests, with errors of the API as the edge answers them: func TestMain(m *testing.M) { moduletest.Main(m) }.
func Main(m *testing.M) {
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, causes ...error) huma.StatusError {
		p := problem{Problem: errs.Problem{Status: status, Detail: message}}
		for _, cause := range causes {
			if kind := errs.Of(cause); kind != errs.Internal {
				p.Problem = errs.AsProblem(cause)
			} else {
				p.Detail += ": " + cause.Error()
			}
		}
		return p
	}
	huma.NewError = func(status int, message string, causes ...error) huma.StatusError {
		return huma.NewErrorWithContext(nil, status, message, causes...)
	}
	pgtest.Main(m)
}

type problem struct{ errs.Problem }

func (p problem) Error() string  { return p.Detail }
func (p problem) GetStatus() int { return p.Status }

// MainTLS is Main on a machine that trusts the certificate of httptest's servers, which the real client then checks.
func MainTLS(m *testing.M) {
	server := httptest.NewTLSServer(nil)
	server.Close()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	file := filepath.Join(os.TempDir(), "aver-roots-"+strconv.Itoa(os.Getpid())+".pem")
	err := errors.Join(os.WriteFile(file, text, 0o600), os.Setenv("SSL_CERT_FILE", file))
	_, loaded := x509.SystemCertPool() // once for the whole process: the file is not needed again
	if err := errors.Join(err, loaded, os.Remove(file), os.Unsetenv("SSL_CERT_FILE")); err != nil {
		panic(err)
	}
	Main(m)
}

// Mux is the pages, the API and the assets of these modules.
func Mux(modules ...module.Module) *http.ServeMux {
	mux := http.NewServeMux()
	settings := huma.DefaultConfig("test", "1")
	settings.RejectUnknownQueryParameters = true
	api := humago.New(mux, settings)
	for _, m := range modules {
		if m.Routes != nil {
			m.Routes(mux)
		}
		if m.API != nil {
			m.API(api)
		}
	}
	mux.Handle("GET "+page.AssetsPath(), page.Assets())
	return mux
}

// Edge does for a handler what the edge does: it says who calls, and what every page shows.
func Edge(next http.Handler, actor vault.Actor, view page.View) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := view
		seen.Path, seen.Flash = r.URL.Path, page.TakeFlash(w, r)
		ctx := request.With(r.Context(), &request.Info{ID: "req_test", Actor: actor, Fail: Fail})
		next.ServeHTTP(w, r.WithContext(page.With(ctx, seen)))
	})
}

// Fail answers an error as a page, or as JSON if that was asked for. Of an internal error it tells what the edge would only
// log, so that a test says why it fails.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	p := errs.AsProblem(err)
	if p.Code == errs.Internal {
		p.Detail = err.Error()
	}
	if !strings.Contains(r.Header.Get("Accept"), "json") {
		_ = page.Render(w, r, p.Status, page.ErrorPage(p))
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
