package documents

import (
	"context"
	"slices"
	"strings"

	"aver/base/ids"
	"aver/trust/consent"
	"aver/trust/documents/paper"
)

// The purposes that every installation has, whatever a tenant asks consent for.
const (
	forRights   = "rights"
	forSecurity = "security"
	forAccounts = "accounts"
)

// standing are those purposes with the ground that each rests on.
var standing = []Purpose{
	{ID: forRights, Basis: LegalObligation, Source: paper.Source{Origin: paper.Law, Ref: "GDPR Art. 5(2), 7(1), 12"}},
	{ID: forSecurity, Basis: LegitimateInterest, Source: paper.Source{Origin: paper.Law, Ref: "GDPR Art. 32, recital 49"}},
	{ID: forAccounts, Basis: Contract, Source: paper.Source{Origin: paper.Program, Ref: "trust/identity"}},
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
	{forRights, []string{"rights_", "consent", "retention_", "hold", "legal_hold", "person_limits", "restriction", "erasure", "receipt", "recipient", "child", "notice_versions",
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

// readPurposes are those that the tenant asks consent for, and those that every installation has.
func (s *Service) readPurposes(ctx context.Context, tenant ids.Tenant, f *Facts) error {
	support := Purpose{ID: consent.Support, Basis: Consent, Words: map[string]string{}, Source: paper.Source{Origin: paper.Purpose, Ref: consent.Support}}
	for _, lang := range Languages {
		n, err := s.Consent.Current(ctx, tenant, lang)
		if err != nil {
			return err
		}
		support.Words[lang] = n.Text
	}
	f.Purposes = append([]Purpose{support}, standing...)
	return nil
}
