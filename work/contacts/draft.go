package contacts

import (
	"slices"
	"strings"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/base/phone"
	"aver/frame/mail"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/contacts/attributes"
	"aver/work/contacts/fields"
)

const maxField = 250 // characters of a name or company

// Draft is what is said about a contact. An empty field says nothing.
type Draft struct {
	ExternalID, Email, Phone, Name, Company, Language string
	Role                                              Role
	Basis                                             Basis             // of a new contact
	Grounds                                           []identity.Ground // on which the tenant keeps the person
	SignedBy                                          string            // names the key of the tenant's site, if it signed all of this
	Country                                           string            // two letters: where numbers without a country code belong
	Attributes                                        attributes.Values
	Browser                                           bool     // a visitor's browser says so: what is not processed here is left out rather than refused
	Clear                                             []string // names of fields to empty: email, phone, name, company, external_id, language
	Request                                           string   // the privacy request (req_…) that asks for the change, if one does
}

// clean checks a draft and brings its fields into one form: addresses trimmed, numbers in E.164, card numbers masked.
func clean(d Draft) (Draft, error) {
	var bad []errs.Field
	refuse := func(field, code, message string) {
		bad = append(bad, errs.Field{Field: field, Code: code, Message: message})
	}
	for _, f := range []struct {
		name string
		text *string
	}{{"external_id", &d.ExternalID}, {"name", &d.Name}, {"company", &d.Company}} {
		*f.text = strings.TrimSpace(*f.text)
		if utf8.RuneCountInString(*f.text) > maxField {
			refuse(f.name, "too-long", "Use at most 250 characters.")
		}
		if !utf8.ValidString(*f.text) || strings.ContainsFunc(*f.text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			refuse(f.name, "malformed", "Leave out line breaks and control characters.")
		}
	}
	// An identifier or address with its digits masked would be another one, perhaps somebody else's: it is refused.
	if _, found := cards.Mask(d.ExternalID); found > 0 {
		refuse("external_id", "card-number", "This looks like a card number. Use another identifier.")
	}
	d.Email = strings.TrimSpace(d.Email)
	if d.Email != "" && !mail.IsAddress(d.Email) {
		refuse("email", "malformed", "Write an e-mail address like name@company.example.")
	}
	if d.Phone = strings.TrimSpace(d.Phone); d.Phone != "" {
		number, ok := phone.Parse(d.Phone, d.Country)
		if !ok {
			refuse("phone", "malformed", "Write the number with its country code, like +49 30 901820.")
		}
		d.Phone = number
	}
	if !fields.IsLanguage(d.Language) {
		refuse("language", "malformed", "Use a language tag like en or pt-BR.")
	}
	if len(bad) > 0 {
		return d, errs.New(errs.Invalid, "Some fields are not usable. Nothing was changed.", bad...)
	}
	d.Name, _ = cards.Mask(d.Name)
	d.Company, _ = cards.Mask(d.Company)
	return d, nil
}

// PhoneShown is the number as people read it, with its country code.
func (c Contact) PhoneShown() string { return phone.Shown(c.Phone.Reveal()) }

// said names the fields that a draft says something of.
func (d Draft) said() (out []fields.Field) {
	for field, given := range map[fields.Field]bool{fields.Name: d.Name != "", fields.Email: d.Email != "", fields.Phone: d.Phone != "", fields.Company: d.Company != "",
		fields.Language: d.Language != "", fields.Attributes: d.Attributes.Some()} {
		if given {
			out = append(out, field)
		}
	}
	return out
}

// without leaves out the fields that are switched off.
func (d Draft) without(off fields.Set) Draft {
	for field, text := range map[fields.Field]*string{fields.Name: &d.Name, fields.Email: &d.Email, fields.Phone: &d.Phone, fields.Company: &d.Company, fields.Language: &d.Language} {
		if off[field] {
			*text = ""
		}
	}
	if off[fields.Attributes] {
		d.Attributes = nil
	}
	if d.Role == Lead && d.Email == "" && d.Phone == "" {
		d.Role = Visitor // the address that made a lead of them is not kept
	}
	return d
}

var errSigned = errs.New(errs.Conflict, "Your site signed who this is. Its identifier cannot be changed here.", errs.Field{Field: "external_id", Code: "verified", Message: "This identity is verified."})

// apply puts a draft's words into a contact and notes each field that changed. A contact that your site has just come
// to know is cut loose from whoever was merged with it as a mere claim, and from the sessions it had as one.
func apply(tx *vault.Tx, c *Contact, d Draft) error {
	off, err := fields.Off(tx)
	if err != nil {
		return err
	}
	if d.Browser {
		d = d.without(off)
	} else if err := off.Refuse(d.said()...); err != nil {
		return err
	}
	if off[fields.Seen] {
		c.SeenAt = c.CreatedAt
	}
	unknown, language := !c.known(), personal.Of(c.Language)
	if c.Verified && (d.ExternalID != "" && d.ExternalID != c.ExternalID.Reveal() || slices.Contains(d.Clear, "external_id")) {
		return errSigned
	}
	brought := d.brought(tx.Actor(), *c)
	if err := brought.Check(tx, c.ID); err != nil {
		return err
	}
	if err := applyValues(tx, c, d); err != nil { // the last that may refuse the draft, so nothing is half done
		return err
	}
	if err := brought.Keep(tx, c.ID); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		held *personal.Text
		said string
	}{{"external_id", &c.ExternalID, d.ExternalID}, {"email", &c.Email, d.Email}, {"phone", &c.Phone, d.Phone}, {"name", &c.Name, d.Name}, {"company", &c.Company, d.Company}, {"language", &language, d.Language}} {
		if f.said == "" && !slices.Contains(d.Clear, f.name) {
			continue
		}
		if err := change(tx, c, d.Request, f.name, f.held.Reveal(), f.said); err != nil {
			return err
		}
		*f.held = personal.Of(f.said)
	}
	c.Language = language.Reveal()
	c.Role = roleOf(*c, d.Role)
	fresh := c.UpdatedAt.IsZero()
	c.UpdatedAt = tx.Now()
	n, err := Changes.Count(tx, "contact = ? AND at = ? AND old IS NOT NULL", c.ID, tx.Now())
	if n > 0 { // whoever got what was said before must hear of it (GDPR Art. 19)
		tx.Emit(vault.Event{Kind: "contact.rectified", Object: c.ID.String(), Subject: c.ID}, nil)
	}
	if err != nil || fresh || !unknown || !c.known() {
		return err
	}
	return becomeKnown(tx, c)
}

// brought is what the tenant says, with the draft, about why it keeps the contact. Whoever works here is asked when a
// person is new; correcting somebody takes no ground.
func (d Draft) brought(actor vault.Actor, c Contact) consent.Brought {
	b := consent.Brought{Grounds: d.Grounds, Key: d.SignedBy, Identity: d.ExternalID+d.Email+d.Phone+d.Name != ""}
	switch {
	case d.SignedBy != "":
		b.How = consent.BySigned
	case d.Basis == FromImport:
		b.How = consent.ByImport
	case actor.Kind() == vault.AsKey:
		b.How = consent.ByProgram
	case actor.Kind() == vault.AsUser && (c.UpdatedAt.IsZero() || len(d.Grounds) > 0):
		b.How = consent.ByOperator
	case d.Browser:
		b.How = consent.BySite
	}
	return b
}

// known tells whether the tenant itself said who this is; otherwise all there is are claims.
func (c Contact) known() bool { return c.Verified || !c.ExternalID.IsZero() }

// roleOf is the wanted role, unless what is known says more.
func roleOf(c Contact, wanted Role) Role {
	switch {
	case c.known():
		return User
	case wanted == Lead || wanted == User || wanted == Visitor:
		return wanted
	case c.Role == Visitor && (!c.Email.IsZero() || !c.Phone.IsZero()), c.Role == "":
		return Lead
	}
	return c.Role
}

// change writes a field's change down. Making a contact is no change of it.
func change(tx *vault.Tx, c *Contact, request, field, before, after string) error {
	if before == after || c.UpdatedAt.IsZero() {
		return nil
	}
	return Changes.Add(tx, Change{Contact: c.ID, ID: ids.NewObject(tx.Now()), Field: field, Old: personal.Of(before), New: personal.Of(after), Author: tx.Actor().User(), Request: request, At: tx.Now()})
}
