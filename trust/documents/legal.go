package documents

import (
	"context"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/mail"
	"aver/vault"
)

// Entity is who is responsible for processing: the controller that a workspace belongs to, or, as the installation's
// own row, whoever runs the installation.
type Entity struct {
	ID             int64     `vault:"id,key" json:"-"`                                                                          // 1
	Name           string    `vault:"name,tenant:tenant.settings" json:"name" maxLength:"250"`                                  // legal name
	Address        string    `vault:"address,tenant:tenant.settings" json:"address" maxLength:"250"`                            // of the registered office
	Country        string    `vault:"country,tenant:tenant.settings" json:"country" maxLength:"250"`                            // ISO 3166-1, two letters
	Email          string    `vault:"email,tenant:tenant.settings" json:"email" maxLength:"250"`                                // for questions about privacy
	Representative string    `vault:"representative,tenant:tenant.settings" json:"representative,omitempty" maxLength:"250"`    // in the Union (GDPR Art. 27), if there must be one
	Officer        string    `vault:"officer,tenant:user.name" json:"dpo_name,omitempty" maxLength:"250"`                       // data protection officer
	OfficerEmail   string    `vault:"officer_email,tenant:user.contact.email" json:"dpo_email,omitempty" maxLength:"250"`       //
	OfficerPlace   string    `vault:"officer_place,tenant:tenant.settings" json:"dpo_place,omitempty" maxLength:"250"`          //
	Authority      string    `vault:"authority,tenant:tenant.settings" json:"lead_authority,omitempty" maxLength:"250"`         // lead supervisory authority
	AuthorityURL   string    `vault:"authority_url,tenant:tenant.settings" json:"lead_authority_url,omitempty" maxLength:"250"` //
	UpdatedAt      time.Time `vault:"updated_at,state" json:"-"`
}

var entities = vault.Define[Entity]("legal_entities", vault.Purpose("saying who is responsible for people's data (GDPR Art. 13, 30)"), vault.KeepWhile("as long as the account"))

// Legal reads who is responsible; the zero Entity when nobody has written it down.
func (s *Service) Legal(ctx context.Context, actor vault.Actor) (e Entity, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		e, err = entityIn(tx)
		return err
	})
	return e, err
}

func entityIn(tx *vault.Tx) (Entity, error) {
	e, err := entities.Get(tx, int64(1))
	if errs.Is(err, errs.NotFound) {
		return Entity{}, nil
	}
	return e, err
}

func (s *Service) entity(ctx context.Context, tenant ids.Tenant) (e Entity, err error) {
	err = s.vault.View(ctx, system(tenant), actFacts, func(tx *vault.Tx) error {
		e, err = entityIn(tx)
		return err
	})
	return e, err
}

// SetLegal writes down who is responsible.
func (s *Service) SetLegal(ctx context.Context, actor vault.Actor, e Entity) error {
	e, err := e.checked()
	if err != nil {
		return err
	}
	return s.vault.Do(ctx, actor, actLegal, func(tx *vault.Tx) error {
		e.ID, e.UpdatedAt = 1, tx.Now()
		tx.Emit(vault.Event{Kind: "legal_entity.changed"}, nil)
		return entities.Put(tx, e)
	})
}

const mostWords = 250 // characters of a field

func (e Entity) checked() (Entity, error) {
	var bad []errs.Field
	refuse := func(field, code, message string) {
		bad = append(bad, errs.Field{Field: field, Code: code, Message: message})
	}
	for _, f := range []struct {
		name string
		text *string
	}{{"name", &e.Name}, {"address", &e.Address}, {"country", &e.Country}, {"email", &e.Email}, {"representative", &e.Representative}, {"dpo_name", &e.Officer},
		{"dpo_email", &e.OfficerEmail}, {"dpo_place", &e.OfficerPlace}, {"lead_authority", &e.Authority}, {"lead_authority_url", &e.AuthorityURL}} {
		*f.text = strings.Join(strings.Fields(*f.text), " ")
		if utf8.RuneCountInString(*f.text) > mostWords || !utf8.ValidString(*f.text) {
			refuse(f.name, "too-long", "Use at most 250 characters.")
		}
	}
	if e.Name == "" {
		refuse("name", "required", "Write the legal name of your business.")
	}
	if e.Address == "" {
		refuse("address", "required", "Write the postal address.")
	}
	if e.Country = strings.ToUpper(e.Country); len(e.Country) != 2 || strings.Trim(e.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		refuse("country", "malformed", "Write two letters, such as DE.")
	}
	if !mail.IsAddress(e.Email) {
		refuse("email", "malformed", "Write an e-mail address to which people can turn.")
	}
	if e.OfficerEmail != "" && !mail.IsAddress(e.OfficerEmail) {
		refuse("dpo_email", "malformed", "Write an e-mail address, or leave it empty.")
	}
	if (e.Officer == "") != (e.OfficerEmail == "") {
		refuse("dpo_name", "required", "Name the officer with an e-mail address, or leave both empty.")
	}
	if u, err := url.Parse(e.AuthorityURL); e.AuthorityURL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		refuse("lead_authority_url", "malformed", "Give an address that begins with https://, or leave it empty.")
	}
	if len(bad) > 0 {
		return e, errs.New(errs.Invalid, "Some fields are not usable. Nothing was changed.", bad...)
	}
	return e, nil
}

// named tells whether anybody has written down who is responsible.
func (e Entity) named() bool { return e.Name != "" }
