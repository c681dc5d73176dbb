package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/postgres/pgtest"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/imports"
	"aver/work/contacts/web"
)

func TestMain(m *testing.M) {
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

// problem answers an error as the edge does, which is on a floor above.
type problem struct{ errs.Problem }

func (p problem) Error() string  { return p.Detail }
func (p problem) GetStatus() int { return p.Status }

// house is the contacts with their pages and their API, for callers whom the test names.
type house struct {
	*vaulttest.Kit
	contacts *contacts.Service
	imports  *imports.Service
	jobs     imports.Queue // nil: work is done at once
	handler  http.Handler
	owner    vault.Actor
	operator vault.Actor
	program  vault.Actor
}

func config(t testing.TB) vaulttest.Config {
	t.Helper()
	modules := []module.Module{identity.New(nil).Module(), consent.New(nil).Module(), contacts.New(nil).Module(), imports.New(nil, nil).Module()}
	migrations, err := module.Migrations(modules)
	must(t, err)
	c := vaulttest.Config{Migrations: migrations}
	for _, m := range modules {
		c.Tables = append(c.Tables, m.Tables...)
	}
	return c
}

func furnish(k *vaulttest.Kit) *house {
	h := &house{Kit: k, contacts: contacts.New(k.Vault), owner: vaulttest.User(k.Tenant, vault.Owner), operator: vaulttest.User(k.Tenant, vault.Operator),
		program: vaulttest.Key(k.Tenant, "contacts:read", "contacts:write")}
	h.imports = imports.New(k.Vault, h)
	mux := http.NewServeMux()
	m := web.New(h.contacts, h.imports).Module()
	m.Routes(mux)
	settings := huma.DefaultConfig("test", "1")
	settings.RejectUnknownQueryParameters = true
	m.API(humago.New(mux, settings))
	mux.Handle("GET "+page.AssetsPath(), page.Assets())
	h.handler = mux
	return h
}

// Enqueue does the work at once, or hands it to the queue that the test brought.
func (h *house) Enqueue(ctx context.Context, kind string, tenant ids.Tenant, id string, at time.Time) error {
	if h.jobs != nil {
		return h.jobs.Enqueue(ctx, kind, tenant, id, at)
	}
	return h.imports.Work(ctx, jobs.Job{Tenant: tenant, ID: id, Attempt: 1})
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, furnish(k)) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	p := errs.AsProblem(err)
	if p.Code == errs.Internal {
		p.Detail = err.Error() // so that a test says why it fails
	}
	_ = page.Render(w, r, p.Status, page.ErrorPage(p))
}

// as does for the handlers what the edge does: it says who calls.
func (h *house) as(who vault.Actor) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := request.With(r.Context(), &request.Info{ID: "req_test", Actor: who, Fail: fail})
		view := page.View{Path: r.URL.Path, Tenant: "Praxis am Park", Region: "eu", User: "Ines Moreau", Role: "operator", Flash: page.TakeFlash(w, r)}
		h.handler.ServeHTTP(w, r.WithContext(page.With(ctx, view)))
	})
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (h *house) do(t testing.TB, who vault.Actor, method, path, kind, body string) answer {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.as(who).ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func (h *house) get(t testing.TB, path string) answer {
	t.Helper()
	return h.do(t, h.operator, "GET", path, "", "")
}

func (h *house) post(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return h.do(t, h.operator, "POST", path, "application/x-www-form-urlencoded", form.Encode())
}

// call calls the API and reads the answer into out unless that is nil.
func (h *house) call(t testing.TB, who vault.Actor, method, path string, in, out any) answer {
	t.Helper()
	var body bytes.Buffer
	if in != nil {
		must(t, json.NewEncoder(&body).Encode(in))
	}
	a := h.do(t, who, method, path, "application/json", body.String())
	if out != nil && a.status < 300 {
		if err := json.NewDecoder(strings.NewReader(a.body)).Decode(out); err != nil && err != io.EOF {
			t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
	return a
}

func (h *house) make(t testing.TB, d contacts.Draft) ids.Contact {
	t.Helper()
	c, err := h.contacts.Create(context.Background(), h.operator, d)
	must(t, err)
	return c.ID
}
