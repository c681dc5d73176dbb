package documents_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/module/moduletest"
	"aver/trust/claims"
	"aver/trust/consent"
	"aver/trust/documents"
	"aver/trust/documents/paper"
	"aver/trust/retention"
	"aver/trust/subprocessors"
	"aver/vault"
	"aver/vault/vaulttest"
)

func TestMain(m *testing.M) { moduletest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const day = 24 * time.Hour

// world is the papers over real services and a real store.
type world struct {
	*vaulttest.Kit
	*documents.Service
	retention *retention.Service
	companies *subprocessors.Service
	claims    *claims.Service
	receivers []documents.Receiver
	off       []string
	active    []string
}

func each(t *testing.T, test func(*testing.T, *world)) {
	t.Parallel()
	c := moduletest.Config(t, retention.New(nil, retention.Config{}).Module(), consent.New(nil).Module(), subprocessors.New(nil).Module(), claims.New(nil, 0, nil).Module(), documents.New(documents.Config{}).Module())
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) {
		w := &world{Kit: k, retention: retention.New(k.Vault, retention.Config{}), companies: subprocessors.New(k.Vault), claims: claims.New(k.Vault, 0, slog.Default())}
		w.claims.Add(claim.Claim{ID: "enc-1", Theme: "Encryption", Wording: "Everything is sealed with AES-256", Kind: claim.Measured, Every: time.Hour, FreshFor: 2 * time.Hour,
			Probe: func(context.Context) (claim.Evidence, error) { return claim.Evidence{Holds: true}, nil }})
		_, err := w.claims.Run(t.Context(), "enc-1")
		must(t, err)
		w.Service = documents.New(documents.Config{Vault: k.Vault, Retention: w.retention, Consent: consent.New(k.Vault), Companies: w.companies, Promises: w.claims.Board,
			Receivers: func(context.Context, ids.Tenant) ([]documents.Receiver, error) { return w.receivers, nil },
			Active:    func(context.Context, ids.Tenant) ([]string, error) { return w.active, nil },
			Servers: func() []documents.Server {
				return []documents.Server{{Purpose: "mail", Host: "mail.example", Name: "mail relay"}}
			},
			Off:       func(context.Context, ids.Tenant) ([]string, error) { return w.off, nil },
			Installed: []string{"tenants", "subprocessors", "claim_runs"}, Backups: 7 * day, Store: "a store of the test", Program: "aver test"})
		test(t, w)
	})
}

// company is a live entry of the register.
func (w *world) company(t *testing.T, name, region string) subprocessors.Company {
	t.Helper()
	c, err := w.companies.Save(t.Context(), vaulttest.System(ids.Installation), subprocessors.Company{Name: name, Address: "Main Street 1, Springfield", Purposes: []string{"assistant"},
		Categories: []string{"user.content"}, Region: region, Hosts: []string{"api.example"}, AuditedAt: w.Clock.Now().Add(-day), Contract: "shelf 7", Status: subprocessors.Live})
	must(t, err)
	return c
}

func (w *world) owner() vault.Actor { return vaulttest.User(w.Tenant, vault.Owner) }

func entity(name string) documents.Entity {
	return documents.Entity{Name: name, Address: "Hafenstraße 1, Hamburg", Country: "DE", Email: "privacy@kowal.example", Officer: "Dana Weiß", OfficerEmail: "dpo@kowal.example", OfficerPlace: "Hamburg", Authority: "HmbBfDI"}
}

func (w *world) paper(t *testing.T, kind string) paper.Paper {
	t.Helper()
	p, err := w.Paper(t.Context(), w.owner(), kind)
	must(t, err)
	return p
}

// find is the first line of a paper with this name.
func find(p paper.Paper, name string) (paper.Line, bool) {
	for _, s := range p.Sections {
		for _, l := range s.Lines {
			if l.Name == name {
				return l, true
			}
		}
	}
	return paper.Line{}, false
}

// from is the first line of a section that was taken from this source.
func from(p paper.Paper, section string, source paper.Source) (paper.Line, bool) {
	for _, s := range p.Sections {
		for _, l := range s.Lines {
			if s.ID == section && l.Source == source {
				return l, true
			}
		}
	}
	return paper.Line{}, false
}
