package documents

import (
	"context"
	"slices"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/consent"
	"aver/trust/documents/paper"
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
var ofStaff = []string{"users", "credentials", "doors", "team_members", "legal_entities", "assessment_answers", "closings"}

type serves struct {
	purpose string
	names   []string
}

// serving says which tables serve a purpose other than answering people, by how their names begin.
var serving = []serves{
	{forAccounts, []string{"users", "doors", "team_members", "legal_entities"}},
	{forSecurity, []string{"connections", "credentials", "audit_", "backup_", "claim_", "canar", "idempotency_keys", "signing_keys", "tenants"}},
	{purpose.Enrichment, []string{"enrichment_"}},
	{purpose.Improvement, []string{"improvement_"}},
	{purpose.Sync, []string{"webhook"}},
	{forRights, []string{"standings", "purposes", "rights_", "consent", "retention_", "hold", "legal_hold", "limit_", "restriction", "erasure", "receipt", "recipient", "child", "notice_versions",
		"assessment_answers", "subprocessors", "residency", "closing", "takeout", "contact_field"}},
}

func purposeOf(table string) string {
	for _, s := range serving {
		if slices.ContainsFunc(s.names, func(begin string) bool { return strings.HasPrefix(table, begin) }) {
			return s.purpose
		}
	}
	return consent.Support
}

// readPurposes are answering people, the others that data is processed for now or that the tenant has defined, those
// that something could be kept for, and those that every installation has.
func (s *Service) readPurposes(ctx context.Context, tenant ids.Tenant, f *Facts) error {
	active, err := s.Active(ctx, tenant)
	if err != nil {
		return err
	}
	all, err := s.Consent.Purposes(ctx, system(tenant))
	if err != nil {
		return err
	}
	f.Purposes = nil
	for _, d := range all {
		p := Purpose{ID: d.ID, Basis: d.Basis, Names: d.Names, Words: map[string]string{}, Source: paper.Source{Origin: paper.Purpose, Ref: d.ID}}
		p.Idle = d.ID != consent.Support && d.Version == 0 && !slices.Contains(active, d.ID)
		if p.Idle && !slices.ContainsFunc(serving, func(s serves) bool { return s.purpose == d.ID }) {
			continue
		}
		if err := s.readWords(ctx, tenant, p); err != nil {
			return err
		}
		f.Purposes = append(f.Purposes, p)
		for _, name := range d.Recipients {
			f.Recipients = append(f.Recipients, Recipient{Kind: Named, Name: name, For: []string{d.ID}, Source: p.Source})
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
