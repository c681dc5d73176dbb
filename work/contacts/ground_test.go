package contacts_test

import (
	"strconv"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
)

// grounds are a tenant's good word.
func grounds() []identity.Ground {
	return []identity.Ground{{Basis: purpose.Contract, Purpose: purpose.Support, Since: vaulttest.Start.Add(-time.Hour), Words: "terms of 2026, section 4"}}
}

// entrances are those by which the tenant brings people.
var entrances = map[consent.How]func(t *testing.T, h *house, g []identity.Ground) (ids.Contact, error){
	consent.ByProgram: func(t *testing.T, h *house, g []identity.Ground) (ids.Contact, error) {
		c, _, err := h.contacts.Upsert(t.Context(), vaulttest.Key(h.Tenant, "contacts:read", "contacts:write"), contacts.Draft{ExternalID: "u1", Grounds: g})
		return c.ID, err
	},
	consent.BySigned: func(t *testing.T, h *house, g []identity.Ground) (ids.Contact, error) {
		return h.contacts.Identify(t.Context(), h.Tenant, ids.Contact{}, identity.TokenClaims{UserID: "u1", Grounds: g, Key: "kid1"})
	},
	consent.BySite: func(t *testing.T, h *house, g []identity.Ground) (ids.Contact, error) {
		c, err := h.contacts.NewVisitor(t.Context(), h.Tenant, contacts.Draft{Email: "maria@kowal.example", Grounds: g})
		return c.ID, err
	},
	consent.ByImport: func(t *testing.T, h *house, g []identity.Ground) (id ids.Contact, err error) {
		fresh, err := h.Vault.NewSubject(t.Context(), vaulttest.System(h.Tenant))
		must(t, err)
		err = h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), bring, func(tx *vault.Tx) error {
			c, _, err := contacts.Store(tx, contacts.Draft{Name: "Maria", Basis: contacts.FromImport, Grounds: g}, fresh)
			id = c.ID
			return err
		})
		return id, err
	},
	consent.ByOperator: func(t *testing.T, h *house, g []identity.Ground) (ids.Contact, error) {
		c, err := h.contacts.Create(t.Context(), h.operator, contacts.Draft{Phone: "+4930901820", Grounds: g})
		return c.ID, err
	},
}

var bring = vault.Act("test.bring", purpose.Storage, vault.System())

func TestAnIdentityWithoutAGroundIsRefusedAtEveryEntranceOnceTheTenantDemandsOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		must(t, h.consent.Demand(t.Context(), h.owner, true))
		for how, enter := range entrances {
			_, err := enter(t, h, nil)
			if p := errs.AsProblem(err); !errs.Is(err, errs.Invalid) || len(p.Errors) != 1 || p.Errors[0].Field != "grounds" || p.Errors[0].Code != "required" {
				t.Errorf("%s, without a ground: %v", how, err)
			}
		}
		if p, err := h.contacts.List(t.Context(), h.owner, contacts.Filter{}); err != nil || len(p.Contacts) != 0 {
			t.Errorf("the refused left %d people, %v", len(p.Contacts), err)
		}
		_, err := h.contacts.NewVisitor(t.Context(), h.Tenant, contacts.Draft{})
		must(t, err) // nobody was brought: the person opened the chat
		must(t, h.consent.Demand(t.Context(), h.owner, false))
		_, err = entrances[consent.ByProgram](t, h, nil)
		must(t, err)
	})
}

func TestTheTenantsWordIsStoredWithTheIdentityAndSaysWhoGaveIt(t *testing.T) {
	for how, enter := range entrances {
		t.Run(string(how), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				must(t, h.consent.Demand(t.Context(), h.owner, true))
				id, err := enter(t, h, grounds())
				must(t, err)
				all, err := h.consent.Grounds(t.Context(), h.owner, id)
				must(t, err)
				if len(all) != 1 {
					t.Fatalf("%d grounds", len(all))
				}
				g := all[0]
				if g.How != how || g.Basis != purpose.Contract || g.Purpose != purpose.Support || g.Words.Reveal() != "terms of 2026, section 4" || !g.Since.Equal(vaulttest.Start.Add(-time.Hour)) || (g.SignedBy != "") != (how == consent.BySigned) {
					t.Errorf("stored: %s for %s by %s since %s, signed by %q", g.Basis, g.Purpose, g.How, g.Since, g.SignedBy)
				}
				entries, err := h.Vault.Entries(t.Context(), h.Tenant, 0, 100)
				must(t, err)
				spoken := 0
				for _, e := range entries {
					for _, ev := range e.Events {
						if ev.Kind == "receipt.issued" && ev.Subject == id {
							spoken++
						}
					}
				}
				if spoken != 1 {
					t.Errorf("the log speaks for %d statements", spoken)
				}
			})
		})
	}
}

func TestAGroundThatSaysNothingIsRefusedAndNothingIsStored(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, spoil := range map[string]func(*identity.Ground){
			"grounds.basis":   func(g *identity.Ground) { g.Basis = "because" },
			"grounds.purpose": func(g *identity.Ground) { g.Purpose = "anything" },
			"grounds.since":   func(g *identity.Ground) { g.Since = vaulttest.Start.Add(48 * time.Hour) },
			"grounds.words":   func(g *identity.Ground) { g.Words = " \n" },
		} {
			bad := grounds()
			spoil(&bad[0])
			_, err := entrances[consent.ByProgram](t, h, bad)
			if p := errs.AsProblem(err); !errs.Is(err, errs.Invalid) || len(p.Errors) != 1 || p.Errors[0].Field != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		if p, err := h.contacts.List(t.Context(), h.owner, contacts.Filter{}); err != nil || len(p.Contacts) != 0 {
			t.Errorf("the refused left %d people, %v", len(p.Contacts), err)
		}
	})
}

func TestATenantsWordOpensNoPurpose(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		said := grounds()
		said[0].Basis, said[0].Purpose = purpose.Consent, purpose.Outreach
		id, err := entrances[consent.BySigned](t, h, said)
		must(t, err)
		n, writing := 0, vault.Act("test.write_first", purpose.Sync, vault.System()).For(purpose.Outreach)
		must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), writing, func(tx *vault.Tx) (err error) {
			n, err = contacts.Contacts.Count(tx, "id = ?", id)
			return err
		}))
		if n != 0 {
			t.Error("the person is there for marketing")
		}
	})
}

func TestABrowserCannotStateGroundsForEver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c, err := h.contacts.NewVisitor(t.Context(), h.Tenant, contacts.Draft{Email: "maria@kowal.example"})
		must(t, err)
		visitor := vaulttest.Visitor(h.Tenant, c.ID)
		for n := 0; err == nil && n < 60; n++ {
			g := grounds()
			g[0].Words = "other words, " + strconv.Itoa(n)
			_, err = h.contacts.Claim(t.Context(), visitor, contacts.Draft{Grounds: g}, nil)
		}
		said, failed := h.consent.Grounds(t.Context(), h.owner, c.ID)
		must(t, failed)
		if p := errs.AsProblem(err); len(said) != 50 || len(p.Errors) != 1 || p.Errors[0].Code != "too-many" {
			t.Errorf("%d are kept, and then %v", len(said), err)
		}
		_, err = h.contacts.Update(t.Context(), h.operator, c.ID, contacts.Draft{Name: "Maria", Grounds: grounds()})
		must(t, err) // whoever works here still may
	})
}
