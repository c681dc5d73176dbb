package app_test

import (
	"strings"
	"testing"
	"time"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/contacts"
)

func TestAPersonIsToldInTheirLanguageOnWhichDayTheirRestrictionEnds(t *testing.T) {
	t.Parallel()
	box, relayed := post(t)
	s := playground(t, relayed)
	ada, err := s.Contacts.Create(t.Context(), s.owner, contacts.Draft{Name: "Ada", Email: "ada@home.example", Language: "de"})
	must(t, err)
	other, err := s.Contacts.Create(t.Context(), s.owner, contacts.Draft{Name: "Ada Kowal"})
	must(t, err)
	must(t, s.Restriction.Set(t.Context(), s.owner, ada.ID, restriction.Restrict, ""))
	officer := vaulttest.User(s.owner.Tenant(), vault.Owner, vault.DPO)                 // who alone sees her now
	must(t, s.Contacts.Merge(t.Context(), officer, ada.ID, other.ID, "twice the same")) // the other was never restricted
	must(t, s.Restriction.Lift(t.Context(), s.owner, other.ID, restriction.Restrict, ""))
	letter, err := box.Wait(t.Context(), "ada@home.example")
	must(t, err)
	workspace, err := s.Vault.Tenant(t.Context(), s.owner.Tenant())
	must(t, err)
	for _, want := range []string{s.day(t, ada.ID).Format(time.DateOnly), "/my-data/" + workspace.Slug, workspace.Name + " hebt diese Einschränkung", "edpb.europa.eu"} {
		if !strings.Contains(strings.Join(strings.Fields(letter.Text), " "), want) {
			t.Errorf("the letter lacks %q: %s", want, letter.Text)
		}
	}
}

// day is when somebody's restriction ends, once that is written down.
func (s scene) day(t *testing.T, who ids.Contact) (ends time.Time) {
	t.Helper()
	must(t, eventually.Holds(t.Context(), time.Minute, "the day is written down", func() (bool, error) {
		list, err := s.Restriction.List(t.Context(), s.owner, who)
		if err == nil && len(list) == 1 {
			ends = list[0].Opens.UTC()
		}
		return !ends.IsZero(), err
	}))
	return ends
}
