// Package fields knows which fields of a contact a tenant lets be processed at all (GDPR Art. 5(1)(c)), and how a
// language is written.
//
// Every field is processed until the tenant switches it off. Whatever stores something about a contact asks Off in its
// transaction: a person who works for the tenant, or a program of it, is refused what is switched off; what a visitor's
// browser says is dropped, since it is no visitor's business what the tenant keeps. What was stored before is swept by
// package minimum.
package fields

import (
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
)

// Field is one that can be switched off. The identifier cannot: it is how the tenant's own site names the person.
type Field string

// The fields.
const (
	Name       Field = "name"
	Email      Field = "email" // and where a person away from the chat wants an answer
	Phone      Field = "phone"
	Company    Field = "company"
	Language   Field = "language"
	Attributes Field = "custom_attributes"
	Seen       Field = "last_seen"
	Visits     Field = "site_events" // what somebody did on the tenant's site before they wrote
)

// All lists them in the order of the page.
var All = []Field{Name, Email, Phone, Company, Language, Attributes, Seen, Visits}

// words are what a field is called in a sentence.
var words = map[Field]string{Name: "names", Email: "e-mail addresses", Phone: "telephone numbers", Company: "companies", Language: "languages",
	Attributes: "fields of its own", Seen: "when people were last seen", Visits: "what people do on the site"}

// Row is a field that is switched off, and how far the sweep of what was stored before is.
type Row struct {
	Field   Field         `vault:"field,key"`
	OffAt   time.Time     `vault:"off_at,state"`
	Author  ids.User      `vault:"author,state"`
	Pass    int           `vault:"pass,state"`                  // how many times the sweep has gone through all
	At      ids.Contact   `vault:"at,state"`                    // the last contact that it has dealt with in this pass
	Looked  int           `vault:"looked,state"`                // contacts of this pass
	Removed int           `vault:"removed,state"`               // values, in all passes
	DoneAt  time.Time     `vault:"done_at,state"`               // when the last pass ended; zero while it sweeps
	Held    []ids.Contact `vault:"held,tenant:tenant.settings"` // left as they are: a legal hold covers them
}

// Table holds the fields that are switched off.
var Table = vault.Define[Row]("contact_fields", vault.Purpose("keeping no more about people than the tenant decided"), vault.KeepWhile("as long as the field is switched off"))

// Set are fields that are switched off.
type Set map[Field]bool

// Off reads which fields are switched off.
func Off(tx *vault.Tx) (Set, error) {
	n, err := Table.Count(tx, "") // locks nothing, and as a rule there is nothing to lock
	if err != nil || n == 0 {
		return nil, err
	}
	rows, err := Table.Find(tx, "ORDER BY field")
	off := make(Set, len(rows))
	for _, r := range rows {
		off[r.Field] = true
	}
	return off, err
}

// Refuse is nil unless one of the fields is switched off.
func (s Set) Refuse(said ...Field) error {
	var bad []errs.Field
	for _, f := range said {
		if s[f] {
			bad = append(bad, errs.Field{Field: string(f), Code: "not-processed", Message: "This workspace does not process " + words[f] + "."})
		}
	}
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "This workspace has switched off some of these fields. Nothing was changed.", bad...)
	}
	return nil
}

// Keep puts what was said into its place, unless nothing was said or the field is switched off.
func Keep(tx *vault.Tx, f Field, to *personal.Text, said personal.Text) error {
	if said.IsZero() {
		return nil
	}
	off, err := Off(tx)
	if err == nil && !off[f] {
		*to = said
	}
	return err
}

// Known tells whether there is such a field.
func Known(f Field) bool { return slices.Contains(All, f) }

// IsLanguage tells whether text has the form of a BCP 47 tag.
func IsLanguage(text string) bool {
	return len(text) <= 35 && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
