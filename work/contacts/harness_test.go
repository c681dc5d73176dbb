package contacts_test

import (
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/trust/consent"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/postgres/pgtest"
	"aver/vault/vaulttest"
	"aver/work/contacts"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// house is a vault with the contacts, and what they need, in it.
type house struct {
	*vaulttest.Kit
	contacts *contacts.Service
	identity *identity.Service
	consent  *consent.Service
	operator vault.Actor
	owner    vault.Actor
}

func config(t testing.TB) vaulttest.Config {
	t.Helper()
	return moduletest.Config(t, identity.New(nil).Module(), consent.New(nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module())
}

func furnish(k *vaulttest.Kit) *house {
	return &house{Kit: k, contacts: contacts.New(k.Vault), identity: identity.New(k.Vault), consent: consent.New(k.Vault),
		operator: vaulttest.User(k.Tenant, vault.Operator), owner: vaulttest.User(k.Tenant, vault.Owner)}
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

func is(t testing.TB, what string, err error, kind errs.Kind) {
	t.Helper()
	if errs.Of(err) != kind {
		t.Errorf("%s: got %v, want %s", what, err, kind)
	}
}

// make creates a contact as an operator.
func (h *house) make(t testing.TB, d contacts.Draft) ids.Contact {
	t.Helper()
	c, err := h.contacts.Create(t.Context(), h.operator, d)
	must(t, err)
	return c.ID
}

func (h *house) visitor(t testing.TB, d contacts.Draft) ids.Contact {
	t.Helper()
	c, err := h.contacts.NewVisitor(t.Context(), h.Tenant, d)
	must(t, err)
	return c.ID
}

func (h *house) get(t testing.TB, id ids.Contact) contacts.Contact {
	t.Helper()
	c, err := h.contacts.Get(t.Context(), h.operator, id)
	must(t, err)
	return c
}

func (h *house) list(t testing.TB, f contacts.Filter) []ids.Contact {
	t.Helper()
	p, err := h.contacts.List(t.Context(), h.operator, f)
	must(t, err)
	var out []ids.Contact
	for _, c := range p.Contacts {
		out = append(out, c.ID)
	}
	return out
}
