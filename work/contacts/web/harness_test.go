package web_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/audit"
	"aver/trust/consent"
	"aver/trust/consent/receipts"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/imports"
	"aver/work/contacts/web"
)

func TestMain(m *testing.M) { moduletest.Main(m) }

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
	return moduletest.Config(t, identity.New(nil).Module(), consent.New(nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module(), imports.New(nil, nil).Module())
}

func furnish(k *vaulttest.Kit) *house {
	h := &house{Kit: k, contacts: contacts.New(k.Vault), owner: vaulttest.User(k.Tenant, vault.Owner), operator: vaulttest.User(k.Tenant, vault.Operator),
		program: vaulttest.Key(k.Tenant, "contacts:read", "contacts:write")}
	h.imports = imports.New(k.Vault, h)
	h.handler = moduletest.Mux(web.New(h.contacts, h.imports, receipts.New(consent.New(k.Vault), audit.New(k.Vault)).Page).Module())
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

// as is the house for one caller.
func (h *house) as(who vault.Actor) http.Handler {
	return moduletest.Edge(h.handler, who, page.View{Tenant: "Praxis am Park", Region: "eu", User: "Ines Moreau", Role: "operator"})
}

func (h *house) get(path string) moduletest.Answer {
	return moduletest.Get(h.as(h.operator), path)
}

func (h *house) post(path string, pairs ...string) moduletest.Answer {
	return moduletest.Post(h.as(h.operator), path, pairs...)
}

func (h *house) call(t testing.TB, who vault.Actor, method, path string, in, out any) moduletest.Answer {
	t.Helper()
	return moduletest.Call(t, h.as(who), method, path, in, out)
}

func (h *house) make(t testing.TB, d contacts.Draft) ids.Contact {
	t.Helper()
	c, err := h.contacts.Create(context.Background(), h.operator, d)
	must(t, err)
	return c.ID
}
