// Package settings is how a tenant answers people: where it is, under which law, and who is told.
package settings

import (
	"slices"
	"strings"
	"time"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/trust/identity"
	"aver/trust/rights/state"
	"aver/vault"
)

// Privacy is what a tenant decides.
type Privacy struct {
	Place  string `json:"place" doc:"Whose holidays count, and when a day ends: a country, or eu"`
	Regime string `json:"regime" doc:"The law for people of whom nobody knows where they live: gdpr or ccpa"`
	Mail   string `json:"mail" doc:"Who is told of requests. When empty, everybody with the role of a data protection officer, or the owners"`
}

type row struct {
	ID        int64     `vault:"id,key"`
	Settings  Privacy   `vault:"settings,tenant:tenant.settings"`
	UpdatedAt time.Time `vault:"updated_at,state"`
}

// Table keeps them.
var Table = vault.Define[row]("privacy_settings", vault.Purpose("answering people's requests as the tenant must"), vault.KeepWhile("as long as the account"))

// In reads them. Until somebody says otherwise people have the rights of Europe.
func In(tx *vault.Tx) (Privacy, error) {
	r, err := Table.Get(tx, int64(1))
	if errs.Is(err, errs.NotFound) {
		return Privacy{Place: deadline.PlaceOf("").ID, Regime: deadline.GDPR}, nil
	}
	return r.Settings, err
}

// Save stores them.
func Save(tx *vault.Tx, set Privacy) error {
	set.Mail = strings.TrimSpace(set.Mail)
	if err := set.check(); err != nil {
		return err
	}
	return Table.Put(tx, row{ID: 1, Settings: set, UpdatedAt: tx.Now()})
}

func (set Privacy) check() error {
	var bad []errs.Field
	if deadline.PlaceOf(set.Place).ID != set.Place {
		bad = append(bad, errs.Field{Field: "place", Code: "unknown", Message: "Choose a place from the list."})
	}
	if !slices.Contains(state.Regimes, set.Regime) {
		bad = append(bad, errs.Field{Field: "regime", Code: "unknown", Message: "Choose a law from the list."})
	}
	if set.Mail != "" && !mail.IsAddress(set.Mail) {
		bad = append(bad, errs.Field{Field: "mail", Code: "malformed", Message: "Write one address, such as privacy@example.org."})
	}
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "The settings were not saved.", bad...)
	}
	return nil
}

// Officers are the addresses of those who are told of requests.
func (set Privacy) Officers(users []identity.User) []personal.Text {
	if set.Mail != "" {
		return []personal.Text{personal.Of(set.Mail)}
	}
	for _, role := range []vault.Role{vault.DPO, vault.Owner} {
		var out []personal.Text
		for _, u := range users {
			if u.HasRole(role) && u.DisabledAt.IsZero() && !u.Email.IsZero() {
				out = append(out, u.Email)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}
