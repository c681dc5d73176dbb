package scan

// Type is what was found, as placeholders name it.
type Type string

// The types.
const (
	Name      Type = "NAME"
	Address   Type = "ADDRESS"
	Company   Type = "COMPANY"
	Email     Type = "EMAIL"
	Phone     Type = "PHONE"
	Card      Type = "CARD"
	Account   Type = "IBAN"
	Wallet    Type = "CRYPTO"
	National  Type = "NATIONAL_ID" // a number that a state gave to the person
	Passport  Type = "PASSPORT"
	Internet  Type = "IP"
	Hardware  Type = "MAC"
	Link      Type = "URL"
	Birth     Type = "BIRTH_DATE"
	Reference Type = "ID" // what the tenant calls the person
)

// Types lists them: those with a form of their own first.
var Types = []Type{Email, Phone, Card, Account, Wallet, National, Passport, Internet, Hardware, Link, Birth, Reference, Name, Address, Company}

// Structured tells whether what is of the type can be told by its form.
func (t Type) Structured() bool {
	return t != Name && t != Address && t != Company && t != Reference
}

// Span is something found in a text.
type Span struct {
	From, To int // bytes
	Type     Type
	Person   int // of those that are known, counted from 1; 0 for somebody else
}
