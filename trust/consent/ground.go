package consent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/audit"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
)

type assertion struct{}

func (assertion) Prefix() string { return "gnd" }

// AssertionID names one assertion of a ground.
type AssertionID = ids.Of[assertion]

// Assertion is the tenant's word that it may keep somebody's data for a purpose (promise con-3; GDPR Art. 6(1), 7(1)).
// It opens no purpose: what rests on consent is open to those who agreed, see Record. Assertions are only ever added.
type Assertion struct {
	ID       AssertionID   `vault:"id,key"`
	Contact  ids.Contact   `vault:"contact,subject"`
	Purpose  string        `vault:"purpose,state"`
	Basis    purpose.Basis `vault:"basis,state"`
	Since    time.Time     `vault:"since,state"`
	Words    personal.Text `vault:"words,personal:user"`
	How      How           `vault:"how,state"`
	SignedBy string        `vault:"signed_by,state"` // names the key of the tenant's site, if it signed this with the identity
	At       time.Time     `vault:"made_at,state"`
	Receipt  personal.Text `vault:"receipt,personal:user"` // the statement that the log speaks for
}

// demand is something that the tenant insists on.
type demand struct {
	What  string    `vault:"what,key"`
	Since time.Time `vault:"since,state"`
}

const groundsDemanded = "grounds"

// The tables.
var (
	Assertions = vault.Define[Assertion]("consent_assertions", vault.Purpose("proving on what ground a person's data is kept"), vault.KeepWhile("as long as the person's data: the proof that it may be kept (GDPR Art. 5(2))"))
	demands    = vault.Define[demand]("consent_demands", vault.Purpose("refusing people's data that come without a ground"), vault.KeepWhile("as long as the account"))
)

var actDemand = vault.Act("consent_settings.write", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO), vault.Scope("settings:write"))

// Brought is what the tenant says of a person's identity while bringing it.
type Brought struct {
	Grounds  []identity.Ground
	How      How    // empty: nobody of the tenant's says it, and no ground can be asked for
	Key      string // names the key of the tenant's site that all of it is signed with
	Identity bool   // there is something in it by which the person is known
}

const (
	mostGrounds    = 10
	mostGroundText = 1000 // characters
	mostBySite     = 50   // assertions about one person that nobody signed: a browser could go on for ever
)

var errNoGround = errs.New(errs.Invalid, "This workspace keeps nobody without a ground for it.",
	errs.Field{Field: "grounds", Code: "required", Message: "Say on what ground of GDPR Art. 6(1) you keep this person's data: basis, purpose, since, words."})

// Check refuses grounds that say nothing, and an identity without any where the tenant demands one.
func (b Brought) Check(tx *vault.Tx, contact ids.Contact) error {
	for _, g := range b.Grounds {
		if err := CheckGround(tx, g); err != nil {
			return err
		}
	}
	if len(b.Grounds) > mostGrounds {
		return errs.New(errs.Invalid, "These are too many grounds.", errs.Field{Field: "grounds", Code: "too-many", Message: "Name at most 10."})
	}
	if len(b.Grounds) > 0 || !b.Identity || b.How == "" {
		return nil
	}
	demanded, err := demands.Count(tx, "what = ?", groundsDemanded)
	if err != nil || demanded == 0 {
		return err
	}
	said, err := Assertions.Count(tx, "contact = ?", contact)
	if err == nil && said == 0 {
		err = errNoGround
	}
	return err
}

// CheckGround refuses a ground that says nothing.
func CheckGround(tx *vault.Tx, g identity.Ground) error {
	var bad []errs.Field
	refuse := func(field, code, message string) {
		bad = append(bad, errs.Field{Field: "grounds." + field, Code: code, Message: message})
	}
	if !slices.Contains(purpose.Bases, g.Basis) {
		refuse("basis", "unknown", "Choose one of the grounds of GDPR Art. 6(1): "+list(purpose.Bases)+".")
	}
	known := g.Purpose == Support || slices.Contains(purpose.Known, g.Purpose)
	if !known && purpose.Valid(g.Purpose) {
		n, err := Definitions.Count(tx, "id = ?", g.Purpose)
		if err != nil {
			return err
		}
		known = n > 0
	}
	if !known {
		refuse("purpose", "unknown", "Name one of your purposes, such as support.")
	}
	if g.Since.IsZero() || g.Since.After(tx.Now().Add(time.Hour)) { // clocks differ
		refuse("since", "malformed", "Say since when the ground holds: a time that has passed.")
	}
	words := strings.TrimSpace(g.Words)
	if words == "" || utf8.RuneCountInString(words) > mostGroundText || !utf8.ValidString(words) {
		refuse("words", "required", "Say in up to 1,000 characters in which words, or where they can be read.")
	}
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "The ground is not usable. Nothing was changed.", bad...)
	}
	return nil
}

func list(all []purpose.Basis) string {
	var words []string
	for _, b := range all {
		words = append(words, string(b))
	}
	return strings.Join(words, ", ")
}

// Keep stores what was checked. What was said before in the same way changes nothing.
func (b Brought) Keep(tx *vault.Tx, contact ids.Contact) error {
	for _, g := range b.Grounds {
		words, _ := cards.Mask(strings.TrimSpace(g.Words))
		a := Assertion{ID: ids.New[assertion](tx.Now()), Contact: contact, Purpose: g.Purpose, Basis: g.Basis, Since: g.Since.UTC().Truncate(time.Microsecond),
			Words: personal.Of(words), How: b.How, SignedBy: b.Key, At: tx.Now()}
		latest, err := Assertions.Find(tx, "contact = ? AND purpose = ? ORDER BY made_at DESC, id DESC LIMIT 1", contact, g.Purpose)
		if err != nil {
			return err
		}
		if len(latest) > 0 && latest[0].says(a) {
			continue
		}
		if err := b.room(tx, contact); err != nil {
			return err
		}
		if err := a.issue(tx); err != nil {
			return err
		}
		if err := Assertions.Add(tx, a); err != nil {
			return err
		}
	}
	return nil
}

// room refuses one more assertion that nobody signed where there are so many.
func (b Brought) room(tx *vault.Tx, contact ids.Contact) error {
	if b.How != BySite {
		return nil
	}
	n, err := Assertions.Count(tx, "contact = ? AND how = ?", contact, string(BySite))
	if err == nil && n >= mostBySite {
		err = errs.New(errs.Invalid, "Too many grounds were stated for this person.", errs.Field{Field: "grounds", Code: "too-many", Message: "At most 50 are kept that nobody signed."})
	}
	return err
}

// says tells whether two assertions say the same. That it was signed with another key of the site's makes another one.
func (a Assertion) says(b Assertion) bool {
	return a.Basis == b.Basis && a.Since.Equal(b.Since) && a.Words.Reveal() == b.Words.Reveal() && a.How == b.How && a.SignedBy == b.SignedBy
}

// groundDPV is the statement of an assertion's receipt. Its identifier is drawn at random and goes with the row, so what
// the log keeps of it, its hash, can be matched with guessed words by nobody.
type groundDPV struct {
	Context   map[string]string `json:"@context"`
	Type      string            `json:"@type"`
	ID        string            `json:"dct:identifier"`
	Created   time.Time         `json:"dct:created"`
	Publisher ids.Tenant        `json:"dct:publisher"`
	Person    ids.Contact       `json:"dpv:hasDataSubject"`
	Purpose   string            `json:"dpv:hasPurpose"`
	Basis     string            `json:"dpv:hasLegalBasis"`
	Since     time.Time         `json:"dct:valid"`
	Words     string            `json:"dct:description"`
	Method    How               `json:"dpv:hasIndicationMethod"`
	SignedBy  string            `json:"dpv:hasActiveEntity,omitempty"`
}

func (a *Assertion) issue(tx *vault.Tx) (err error) {
	a.Receipt, err = statement(groundDPV{context27560, "dpv:DataProcessingRecord", iri(uuid.UUID(a.ID)), a.At.UTC(), tx.Actor().Tenant(), a.Contact, a.Purpose,
		article(a.Basis), a.Since, a.Words.Reveal(), a.How, a.SignedBy})
	if err == nil {
		audit.Issue(tx, []byte(a.Receipt.Reveal()), a.Contact)
	}
	return err
}

// article is the paragraph of GDPR Art. 6(1), whose letters follow the order of purpose.Bases.
func article(b purpose.Basis) string {
	return fmt.Sprintf("eu-gdpr:A6-1-%c", 'a'+slices.Index(purpose.Bases, b))
}

// Asserted lists what the tenant said of a person, newest first.
func Asserted(tx *vault.Tx, contact ids.Contact) ([]Assertion, error) {
	return Assertions.Find(tx, "contact = ? ORDER BY made_at DESC, id DESC LIMIT 100", contact)
}

// Grounds lists on what grounds the tenant says it keeps a person's data, newest first.
func (s *Service) Grounds(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]Assertion, error) {
	if err := own(actor, contact); err != nil {
		return nil, err
	}
	var all []Assertion
	err := s.vault.View(ctx, actor, actHistory, func(tx *vault.Tx) (err error) {
		all, err = Asserted(tx, contact)
		return err
	})
	return all, err
}

// Demanded tells whether the tenant refuses people's data that come without a ground.
func (s *Service) Demanded(ctx context.Context, actor vault.Actor) (bool, error) {
	n := 0
	err := s.vault.View(ctx, actor, actReadPurposes, func(tx *vault.Tx) (err error) {
		n, err = demands.Count(tx, "what = ?", groundsDemanded)
		return err
	})
	return n > 0, err
}

// Demand has people's data refused that come without a ground, from now on, or lets them in. It changes nothing about
// those who are here.
func (s *Service) Demand(ctx context.Context, actor vault.Actor, on bool) error {
	return s.vault.Do(ctx, actor, actDemand, func(tx *vault.Tx) error {
		_, err := demands.DeleteWhere(tx, "what = ?", groundsDemanded)
		if err != nil || !on {
			return err
		}
		return demands.Put(tx, demand{groundsDemanded, tx.Now()})
	})
}
