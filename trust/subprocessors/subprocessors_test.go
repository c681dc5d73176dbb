package subprocessors_test

import (
	"context"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/egress"
	"aver/frame/module/moduletest"
	"aver/trust/subprocessors"
	"aver/vault"
	"aver/vault/vaulttest"
)

func each(t *testing.T, test func(*testing.T, *vaulttest.Kit, *subprocessors.Service)) {
	t.Parallel()
	vaulttest.Each(t, moduletest.Config(t, subprocessors.New(nil).Module()), func(t *testing.T, k *vaulttest.Kit) {
		test(t, k, subprocessors.New(k.Vault))
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func company(audited time.Time) subprocessors.Company {
	return subprocessors.Company{Name: "Modell GmbH", Address: "Berlin, Germany", Purposes: []string{"assistant"}, Categories: []string{"user.content"}, Region: "eu",
		Hosts: []string{"API.modell.example."}, Contract: "signed", AuditedAt: audited, Status: subprocessors.Live}
}

var operator = vaulttest.System(ids.Installation)

func TestNothingIsRegisteredAtFirst(t *testing.T) {
	each(t, func(t *testing.T, _ *vaulttest.Kit, s *subprocessors.Service) {
		if _, ok := s.Register(t.Context(), "assistant", "api.modell.example"); ok {
			t.Error("a company that nobody registered may be called")
		}
	})
}

func TestACompanyIsCalledOnlyWhileItIsLiveAndOnlyForItsPurpose(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *subprocessors.Service) {
		c := company(k.Clock.Now().AddDate(0, -1, 0))
		c.Status = subprocessors.Draft
		c, err := s.Save(t.Context(), operator, c)
		must(t, err)
		may := func(purpose, host string) bool {
			entry, ok := s.Register(t.Context(), purpose, host)
			if ok && (entry.Name != "Modell GmbH" || entry.Grade != egress.SubProcessor) {
				t.Errorf("the register says %+v", entry)
			}
			return ok
		}
		if may("assistant", "api.modell.example") {
			t.Error("a draft may be called")
		}
		c.Status = subprocessors.Live
		_, err = s.Save(t.Context(), operator, c)
		must(t, err)
		if !may("assistant", "api.modell.example") || may("voice", "api.modell.example") || may("assistant", "www.modell.example") {
			t.Error("a live company may not be called, or may for what it is not there for")
		}
		must(t, s.Remove(t.Context(), operator, c.ID))
		if may("assistant", "api.modell.example") {
			t.Error("a removed company may be called")
		}
	})
}

func TestADraftGoesLiveOnlyAuditedAndUnderContract(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *subprocessors.Service) {
		for name, change := range map[string]func(*subprocessors.Company){
			"audited_at": func(c *subprocessors.Company) { c.AuditedAt = time.Time{} },
			"contract":   func(c *subprocessors.Company) { c.Contract = "" },
			"address":    func(c *subprocessors.Company) { c.Address = "" },
			"region":     func(c *subprocessors.Company) { c.Region = "" },
			"categories": func(c *subprocessors.Company) { c.Categories = nil },
			"hosts":      func(c *subprocessors.Company) { c.Hosts = []string{"https://a.example/"} },
		} {
			c := company(k.Clock.Now())
			change(&c)
			_, err := s.Save(t.Context(), operator, c)
			if p := errs.AsProblem(err); p.Code != errs.Invalid || len(p.Errors) != 1 || p.Errors[0].Field != name {
				t.Errorf("without %s: %v %+v", name, err, p.Errors)
			}
		}
		c := company(k.Clock.Now().Add(time.Hour))
		if _, err := s.Save(t.Context(), operator, c); !errs.Is(err, errs.Invalid) {
			t.Errorf("an audit in the future: %v", err)
		}
	})
}

func TestWhoKeepsTheRegister(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *subprocessors.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		if _, err := s.Save(t.Context(), owner, company(k.Clock.Now())); !errs.Is(err, errs.Forbidden) {
			t.Errorf("one of several workspaces' owners: %v", err)
		}
		if _, err := s.Save(t.Context(), vaulttest.User(k.Tenant, vault.Operator), company(k.Clock.Now())); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
		if _, err := s.List(t.Context(), vaulttest.User(k.Tenant, vault.Auditor)); err != nil {
			t.Errorf("an auditor cannot read it: %v", err)
		}
		if _, err := s.List(t.Context(), vaulttest.Visitor(k.Tenant, ids.NewSubject(k.Clock.Now()))); !errs.Is(err, errs.Forbidden) {
			t.Errorf("a visitor: %v", err)
		}
	})
}

func TestOwnMachinesArePermittedForTheirPurpose(t *testing.T) {
	each(t, func(t *testing.T, _ *vaulttest.Kit, s *subprocessors.Service) {
		s.Allow(subprocessors.Own("mail", "mail.internal", "mail relay"))
		if entry, ok := s.Register(t.Context(), "mail", "mail.internal"); !ok || entry.Grade != egress.Own {
			t.Errorf("got %+v %v", entry, ok)
		}
		if _, ok := s.Register(t.Context(), "assistant", "mail.internal"); ok {
			t.Error("the relay may be called for something else")
		}
	})
}

func TestWhenTheRegisterCannotBeReadNothingLeaves(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *subprocessors.Service) {
		_, err := s.Save(t.Context(), operator, company(k.Clock.Now()))
		must(t, err)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		k.Clock.Advance(time.Minute)
		if _, ok := s.Register(ended, "assistant", "api.modell.example"); ok {
			t.Error("a call is let out although the register cannot be read")
		}
	})
}
