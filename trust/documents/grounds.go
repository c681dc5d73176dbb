package documents

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/consent"
	"aver/trust/documents/paper"
	"aver/vault"
	"aver/vault/purpose"
)

// The purposes that every installation has, whatever a tenant asks consent for.
const (
	forRights   = "rights"
	forSecurity = "security"
	forAccounts = "accounts"
)

// standing are those purposes with the ground that each rests on.
var standing = []Purpose{
	{ID: forRights, Basis: purpose.LegalObligation, Source: paper.Source{Origin: paper.Law, Ref: "GDPR Art. 5(2), 7(1), 12"}},
	{ID: forSecurity, Basis: purpose.LegitimateInterest, Source: paper.Source{Origin: paper.Law, Ref: "GDPR Art. 32, recital 49"}},
	{ID: forAccounts, Basis: purpose.Contract, Source: paper.Source{Origin: paper.Program, Ref: "trust/identity"}},
}

// ofStaff are the tables about people who answer.
var ofStaff = []string{"users", "credentials", "doors", "team_members", "legal_entities", "assessment_answers"}

// serving says which tables serve a purpose other than answering people, by how their names begin.
var serving = []struct {
	purpose string
	names   []string
}{
	{forAccounts, []string{"users", "doors", "team_members", "legal_entities"}},
	{forSecurity, []string{"connections", "credentials", "audit_", "backup_", "claim_", "canar", "idempotency_keys", "signing_keys", "tenants"}},
	{purpose.Enrichment, []string{"enrichment_"}},
	{purpose.Improvement, []string{"improvement_"}},
	{purpose.Sync, []string{"webhook"}},
	{forRights, []string{"standings", "purposes", "rights_", "consent", "retention_", "hold", "legal_hold", "person_limits", "restriction", "erasure", "receipt", "recipient", "child", "notice_versions",
		"assessment_answers", "subprocessors", "residency", "closing", "contact_field"}},
}

func purposeOf(table string) string {
	for _, s := range serving {
		if slices.ContainsFunc(s.names, func(begin string) bool { return strings.HasPrefix(table, begin) }) {
			return s.purpose
		}
	}
	return consent.Support
}

// readPurposes are answering people, the others that data is processed for now, those whose ground the tenant has
// chosen, and those that every installation has.
func (s *Service) readPurposes(ctx context.Context, tenant ids.Tenant, f *Facts) error {
	names, err := s.Active(ctx, tenant)
	if err != nil {
		return err
	}
	chosen := map[string]purpose.Basis{}
	err = s.vault.View(ctx, system(tenant), actFacts, func(tx *vault.Tx) error {
		rows, err := vault.Purposes.Find(tx, "ORDER BY id LIMIT 200")
		for _, row := range rows {
			chosen[row.ID] = row.Basis
			names = append(names, row.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	f.Purposes = nil
	for _, name := range append([]string{consent.Support}, names...) {
		if slices.ContainsFunc(f.Purposes, func(p Purpose) bool { return p.ID == name }) {
			continue
		}
		p := Purpose{ID: name, Basis: cmp.Or(chosen[name], purpose.Of(name).Basis), Words: map[string]string{}, Source: paper.Source{Origin: paper.Purpose, Ref: name}}
		if err := s.readWords(ctx, tenant, p); err != nil {
			return err
		}
		f.Purposes = append(f.Purposes, p)
	}
	for _, s := range serving {
		if known := slices.ContainsFunc(append(f.Purposes, standing...), func(p Purpose) bool { return p.ID == s.purpose }); !known {
			f.Purposes = append(f.Purposes, Purpose{ID: s.purpose, Basis: purpose.Of(s.purpose).Basis, Idle: true, Source: paper.Source{Origin: paper.Purpose, Ref: s.purpose}})
		}
	}
	f.Purposes = append(f.Purposes, standing...)
	return nil
}

// readWords are those that people are shown for a purpose, in the languages that the notice speaks.
func (s *Service) readWords(ctx context.Context, tenant ids.Tenant, p Purpose) error {
	all, err := s.Consent.All(ctx, system(tenant), p.ID)
	if errs.Is(err, errs.NotFound) {
		return nil // nobody is asked for it
	}
	for _, n := range all {
		p.Words[n.Language] = n.Text
	}
	return err
}
