package contacts

import (
	"context"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/identity"
	"aver/vault"
)

const (
	scopeRead  = "contacts:read"
	scopeWrite = "contacts:write"
	maxField   = 250 // characters of a name, company or address
)

var (
	staff     = vault.Roles(vault.Owner, vault.Administrator, vault.Operator)
	lookers   = vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO)
	actRead   = vault.Act("contact.read", lookers, vault.Scope(scopeRead), vault.System())
	actView   = vault.Act("contact.view", lookers, vault.Scope(scopeRead), vault.Reads())
	actCreate = vault.Act("contact.create", staff, vault.Scope(scopeWrite), vault.System())
	actUpdate = vault.Act("contact.update", staff, vault.Scope(scopeWrite), vault.System())
	actClaim  = vault.Act("contact.claim", vault.Visitors())
	actVerify = vault.Act("contact.verify", vault.System())
)

// Draft is what is said about a contact. An empty field says nothing.
type Draft struct {
	ExternalID, Email, Phone, Name, Company, Language string
	Role                                              Role
	Basis                                             string
}

// clean checks a draft and brings its fields into one form: addresses trimmed, numbers in E.164, card numbers masked.
func clean(d Draft) (Draft, error) {
	var bad []errs.Field
	refuse := func(field, code, message string) {
		bad = append(bad, errs.Field{Field: field, Code: code, Message: message})
	}
	for name, text := range map[string]*string{"external_id": &d.ExternalID, "email": &d.Email, "name": &d.Name, "company": &d.Company} {
		*text = strings.TrimSpace(*text)
		if utf8.RuneCountInString(*text) > maxField {
			refuse(name, "too-long", "Use at most 250 characters.")
		}
		if !utf8.ValidString(*text) || strings.ContainsFunc(*text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			refuse(name, "malformed", "Leave out line breaks and control characters.")
		}
	}
	if d.Email != "" {
		if a, err := mail.ParseAddress(d.Email); err != nil || a.Address != d.Email {
			refuse("email", "malformed", "Write an e-mail address like name@company.example.")
		}
	}
	if d.Phone != "" {
		number, err := phonenumbers.Parse(d.Phone, "ZZ")
		if err != nil || !phonenumbers.IsPossibleNumber(number) {
			refuse("phone", "malformed", "Write the number with its country code, like +49 30 901820.")
		} else {
			d.Phone = phonenumbers.Format(number, phonenumbers.E164)
		}
	}
	if len(d.Language) > 35 || strings.ContainsFunc(d.Language, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		refuse("language", "malformed", "Use a language tag like en or pt-BR.")
	}
	if len(bad) > 0 {
		return d, errs.New(errs.Invalid, "Some fields are not usable. Nothing was changed.", bad...)
	}
	d.Name, _ = cards.Mask(d.Name)
	d.Company, _ = cards.Mask(d.Company)
	d.ExternalID, _ = cards.Mask(d.ExternalID)
	return d, nil
}

// apply puts a draft's words into a contact and notes each field that changed.
func apply(tx *vault.Tx, c *Contact, d Draft) error {
	for _, f := range []struct {
		name string
		held *personal.Text
		said string
	}{{"external_id", &c.ExternalID, d.ExternalID}, {"email", &c.Email, d.Email}, {"phone", &c.Phone, d.Phone}, {"name", &c.Name, d.Name}, {"company", &c.Company, d.Company}} {
		if f.said == "" || f.said == f.held.Reveal() {
			continue
		}
		if !f.held.IsZero() {
			change := Change{Contact: c.ID, ID: ids.NewObject(tx.Now()), Field: f.name, Old: *f.held, New: personal.Of(f.said), Author: tx.Actor().User(), At: tx.Now()}
			if err := Changes.Add(tx, change); err != nil {
				return err
			}
		}
		*f.held = personal.Of(f.said)
	}
	if d.Language != "" {
		c.Language = d.Language
	}
	if c.Role == Visitor && !c.Email.IsZero() {
		c.Role = Lead
	}
	if !c.ExternalID.IsZero() {
		c.Role = User
	}
	c.UpdatedAt = tx.Now()
	return nil
}

func (s *Service) create(ctx context.Context, actor vault.Actor, d Draft, verified bool) (Contact, error) {
	d, err := clean(d)
	if err != nil {
		return Contact{}, err
	}
	id, err := s.vault.NewSubject(ctx, actor)
	if err != nil {
		return Contact{}, err
	}
	c := Contact{ID: id, Role: Visitor, Basis: d.Basis, Verified: verified}
	err = s.vault.Do(ctx, actor, actCreate, func(tx *vault.Tx) error {
		c.CreatedAt, c.SeenAt = tx.Now(), tx.Now()
		if err := apply(tx, &c, d); err != nil {
			return err
		}
		tx.Emit(vault.Event{Kind: "contact.created", Object: id.String(), Subject: id}, nil)
		return Contacts.Add(tx, c)
	})
	return c, err
}

// Create makes a contact. Two contacts may have the same address, but not the same external_id.
func (s *Service) Create(ctx context.Context, actor vault.Actor, d Draft) (Contact, error) {
	return s.create(ctx, actor, d, false)
}

// NewVisitor makes the contact of somebody who opened the chat. What they say about themselves is a claim.
func (s *Service) NewVisitor(ctx context.Context, tenant ids.Tenant, d Draft) (Contact, error) {
	d.ExternalID, d.Basis = "", "widget"
	return s.create(ctx, identity.System(tenant, "webchat"), d, false)
}

// Get reads a contact; the journal says who looked.
func (s *Service) Get(ctx context.Context, actor vault.Actor, id ids.Contact) (Contact, error) {
	var c Contact
	err := s.vault.View(ctx, actor, actView, func(tx *vault.Tx) (err error) {
		tx.About(id)
		c, err = Contacts.Get(tx, id)
		return err
	})
	return c, err
}

// Update changes what the draft names.
func (s *Service) Update(ctx context.Context, actor vault.Actor, id ids.Contact, d Draft) (Contact, error) {
	d, err := clean(d)
	if err != nil {
		return Contact{}, err
	}
	var c Contact
	err = s.vault.Do(ctx, actor, actUpdate, func(tx *vault.Tx) (err error) {
		if c, err = Contacts.Get(tx, id); err != nil {
			return err
		}
		if err := apply(tx, &c, d); err != nil {
			return err
		}
		tx.Emit(vault.Event{Kind: "contact.updated", Object: id.String(), Subject: id}, nil)
		return Contacts.Put(tx, c)
	})
	return c, err
}

// Claim stores what a visitor says about themselves. It changes nothing about a verified contact and finds nobody else.
func (s *Service) Claim(ctx context.Context, visitor vault.Actor, d Draft) error {
	d.ExternalID = ""
	d, err := clean(d)
	if err != nil {
		return err
	}
	return s.vault.Do(ctx, visitor, actClaim, func(tx *vault.Tx) error {
		c, err := Contacts.Get(tx, visitor.Subject())
		if err != nil || c.Verified {
			return err
		}
		if err := apply(tx, &c, d); err != nil {
			return err
		}
		return Contacts.Put(tx, c)
	})
}

// Identify tells which contact a signed identity is, for a session that so far is the visitor's. The first time, the
// visitor becomes that person; afterwards the session goes on as the verified contact and the visitor keeps what it
// had. Nothing unverified is ever merged into a verified contact.
func (s *Service) Identify(ctx context.Context, tenant ids.Tenant, visitor ids.Contact, claims identity.TokenClaims) (ids.Contact, error) {
	d, err := clean(Draft{ExternalID: claims.UserID, Email: claims.Email, Name: claims.Name, Phone: claims.Phone})
	if err != nil {
		return ids.Contact{}, err
	}
	known, err := s.verified(ctx, tenant, d)
	if err != nil || !known.IsZero() {
		return known, err
	}
	actor := identity.System(tenant, "webchat")
	adopted := false
	err = s.vault.Do(ctx, actor, actVerify, func(tx *vault.Tx) error {
		adopted = false
		c, err := Contacts.Get(tx, visitor)
		if err != nil {
			return err
		}
		if c.Verified || !c.ExternalID.IsZero() {
			return nil
		}
		if err := apply(tx, &c, d); err != nil {
			return err
		}
		c.Verified, adopted = true, true
		tx.Emit(vault.Event{Kind: "contact.verified", Object: c.ID.String(), Subject: c.ID}, nil)
		return Contacts.Put(tx, c)
	})
	if errs.Is(err, errs.Conflict) { // another session of the same person was a moment earlier
		return s.verified(ctx, tenant, d)
	}
	if err != nil || adopted {
		return visitor, err
	}
	d.Basis = "widget"
	c, err := s.create(ctx, actor, d, true)
	if errs.Is(err, errs.Conflict) {
		return s.verified(ctx, tenant, d)
	}
	return c.ID, err
}

// verified finds the contact of an external_id and brings it up to date with what the site signed; zero if there is none.
func (s *Service) verified(ctx context.Context, tenant ids.Tenant, d Draft) (ids.Contact, error) {
	actor := identity.System(tenant, "webchat")
	var found ids.Contact
	err := s.vault.Do(ctx, actor, actVerify, func(tx *vault.Tx) error {
		found = ids.Contact{}
		list, err := Contacts.Lookup(tx, "external_id", d.ExternalID)
		if err != nil || len(list) == 0 {
			return err
		}
		c := list[0]
		if err := apply(tx, &c, d); err != nil {
			return err
		}
		found, c.Verified, c.SeenAt = c.ID, true, tx.Now()
		return Contacts.Put(tx, c)
	})
	return found, err
}

// Known finds or makes the contact of a signed identity, for a session that begins with it.
func (s *Service) Known(ctx context.Context, tenant ids.Tenant, claims identity.TokenClaims) (ids.Contact, error) {
	d, err := clean(Draft{ExternalID: claims.UserID, Email: claims.Email, Name: claims.Name, Phone: claims.Phone, Basis: "widget"})
	if err != nil {
		return ids.Contact{}, err
	}
	if known, err := s.verified(ctx, tenant, d); err != nil || !known.IsZero() {
		return known, err
	}
	c, err := s.create(ctx, identity.System(tenant, "webchat"), d, true)
	if errs.Is(err, errs.Conflict) { // another session of the same person was a moment earlier
		return s.verified(ctx, tenant, d)
	}
	return c.ID, err
}
