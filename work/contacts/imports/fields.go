package imports

import (
	"slices"
	"strings"
	"unicode"

	"aver/base/cards"
	"aver/base/errs"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/fields"
)

// Own begins the name of a field of the tenant's own.
const Own = "custom_attributes."

// Fields are what a column may fill beside the tenant's own fields.
var Fields = []string{"external_id", "email", "phone", "name", "first_name", "last_name", "company", "language"}

// headers are what columns are called, folded: without case, spaces and signs.
var headers = map[string][]string{
	"external_id": {"externalid", "userid", "customerid", "contactid", "id", "customernumber", "kundennummer", "patientid", "memberid"},
	"email":       {"email", "emailaddress", "mail", "mailaddress", "epost", "correo", "courriel"},
	"phone":       {"phone", "phonenumber", "telephone", "mobile", "mobilephone", "cell", "tel", "telefon", "telefonnummer", "handy", "telefono", "téléphone"},
	"name":        {"name", "fullname", "contact", "displayname", "nombre", "nom"},
	"first_name":  {"firstname", "givenname", "forename", "vorname", "prénom"},
	"last_name":   {"lastname", "surname", "familyname", "nachname"},
	"company":     {"company", "companyname", "organisation", "organization", "firma", "employer"},
	"language":    {"language", "lang", "locale", "sprache"},
}

func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// guess says which field each column probably fills. No field is filled twice, and none that is switched off.
func guess(columns []Column, own []attributes.Attribute, off fields.Set) {
	taken := map[string]bool{}
	for n := range columns {
		field := fieldOf(fold(columns[n].Header), own)
		if field != "" && !taken[field] && !off[filled(field)] {
			taken[field], columns[n].Field = true, field
		}
	}
}

func fieldOf(folded string, own []attributes.Attribute) string {
	for _, a := range own {
		if folded == fold(a.Name) || folded == fold(a.Label) {
			return Own + a.Name
		}
	}
	for _, field := range Fields {
		if slices.Contains(headers[field], folded) {
			return field
		}
	}
	return ""
}

// plan puts what the importer says into an import, or says what is missing.
func (i *Import) plan(tx *vault.Tx, p Plan) error {
	own, err := attributes.List(tx)
	if err != nil {
		return err
	}
	off, err := fields.Off(tx)
	if err != nil {
		return err
	}
	var bad []errs.Field
	taken := map[string]bool{}
	for n := range i.Columns {
		field := ""
		if n < len(p.Fields) {
			field = p.Fields[n]
		}
		known := field == "" || slices.Contains(Fields, field) || slices.ContainsFunc(own, func(a attributes.Attribute) bool { return field == Own+a.Name })
		if !known || field != "" && taken[field] {
			bad = append(bad, errs.Field{Field: "columns", Code: "repeated", Message: "Let each field be filled by one column."})
			break
		}
		if err := off.Refuse(filled(field)); err != nil {
			bad = append(bad, errs.Field{Field: "columns", Code: "not-processed", Message: errs.AsProblem(err).Errors[0].Message + " Leave out the column “" + i.Columns[n].Header + "”."})
		}
		taken[field], i.Columns[n].Field = true, field
	}
	if !taken["external_id"] && !taken["email"] && !taken["phone"] && !taken["name"] && !taken["last_name"] {
		bad = append(bad, errs.Field{Field: "columns", Code: "required", Message: "Choose a column for the name, an address, a number or your identifier."})
	}
	i.Ground = p.Ground
	if err := consent.CheckGround(tx, i.Ground); errs.Is(err, errs.Invalid) {
		bad = append(bad, errs.AsProblem(err).Errors...)
	} else if err != nil {
		return err
	}
	i.Ground.Words, _ = cards.Mask(i.Ground.Words)
	if i.Country = strings.ToUpper(strings.TrimSpace(p.Country)); i.Country != "" && (len(i.Country) != 2 || fold(i.Country) != strings.ToLower(i.Country)) {
		bad = append(bad, errs.Field{Field: "country", Code: "malformed", Message: "Write two letters, like DE."})
	}
	if i.Label = p.Label; !i.Label.IsZero() {
		if _, err := contacts.Tags.Get(tx, i.Label); err != nil {
			bad = append(bad, errs.Field{Field: "label", Code: "unknown", Message: "Choose a label."})
		}
	}
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "Something is missing.", bad...)
	}
	return nil
}

// filled is the field of a contact that a column fills.
func filled(column string) fields.Field {
	switch {
	case strings.HasPrefix(column, Own):
		return fields.Attributes
	case column == "first_name" || column == "last_name":
		return fields.Name
	}
	return fields.Field(column)
}

// draft reads a row as a person. An empty cell says nothing.
func (i Import) draft(cells []string) (contacts.Draft, error) {
	d := contacts.Draft{Basis: contacts.FromImport, Grounds: []identity.Ground{i.Ground}, Country: i.Country, Attributes: attributes.Values{}}
	given, family, some := "", "", false
	if len(cells) != len(i.Columns) {
		return d, faulty("", "The row has another number of cells than the first line.")
	}
	for n, c := range i.Columns {
		cell := strings.TrimSpace(cells[n])
		if c.Field == "" || cell == "" {
			continue
		}
		if len(cell) > maxCell {
			return d, faulty(c.Field, "The text is too long.")
		}
		some = true
		if name, own := strings.CutPrefix(c.Field, Own); own {
			d.Attributes[name] = cell
			continue
		}
		*map[string]*string{"external_id": &d.ExternalID, "email": &d.Email, "phone": &d.Phone, "name": &d.Name, "first_name": &given, "last_name": &family,
			"company": &d.Company, "language": &d.Language}[c.Field] = cell
	}
	if d.Name == "" {
		d.Name = strings.TrimSpace(given + " " + family)
	}
	if !some {
		return d, faulty("", "The row is empty.")
	}
	return contacts.Check(d)
}

func faulty(field, message string) error {
	return errs.New(errs.Invalid, message, errs.Field{Field: field, Code: "unusable", Message: message})
}
