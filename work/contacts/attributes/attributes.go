// Package attributes keeps which fields of their own tenants give to contacts, and understands values as what such a
// field holds. The values themselves are the contacts' and lie with them.
package attributes

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts/fields"
)

type attribute struct{}

func (attribute) Prefix() string { return "att" }

// ID names an attribute.
type ID = ids.Of[attribute]

// Attribute is a field of the tenant's own that contacts have.
type Attribute struct {
	ID         ID        `vault:"id,key"`
	Name       string    `vault:"name,tenant:tenant.settings,lookup"` // lower case with underscores; never changed
	Label      string    `vault:"label,tenant:tenant.settings"`
	Kind       Kind      `vault:"kind,state"`
	Options    []string  `vault:"options,tenant:tenant.settings"` // of a list
	CreatedAt  time.Time `vault:"created_at,state"`
	ArchivedAt time.Time `vault:"archived_at,state"`
}

// Table holds the attributes.
var Table = vault.Define[Attribute]("data_attributes", vault.Purpose("knowing who writes to us and answering them"), vault.KeepWhile("as long as contacts have it"))

// Kind is what an attribute holds.
type Kind string

// The kinds.
const (
	Text    Kind = "text"
	Numeric Kind = "number"
	Boolean Kind = "bool"
	Date    Kind = "date" // 2006-01-02
	Choice  Kind = "list" // one of Options
)

// Kinds lists them.
var Kinds = []Kind{Text, Numeric, Boolean, Date, Choice}

// Values are a contact's own fields by name: string, float64 or bool. In a draft nil empties a field, and text is
// understood as the attribute's kind.
type Values map[string]any

const (
	maxAttributes = 100
	maxValue      = 1000 // characters
	maxOptions    = 100
)

var (
	attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	chiefs        = vault.Roles(vault.Owner, vault.Administrator)
	lookers       = vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO)
	actList       = vault.Act("data_attribute.read", purpose.Workspace, lookers, vault.Scope("contacts:read"), vault.System())
	actDefine     = vault.Act("data_attribute.write", purpose.Workspace, chiefs, vault.Scope("contacts:write"))
)

// Service keeps the attributes.
type Service struct{ vault *vault.Vault }

// New makes the service.
func New(v *vault.Vault) *Service { return &Service{v} }

// MayDefine tells whether the actor may change which attributes there are: for pages that hide what would be refused.
func MayDefine(actor vault.Actor) bool { return actor.Can(actDefine) }

// Actions are what can be done with attributes.
var Actions = []*vault.Action{actList, actDefine}

// List reads the attributes there are, oldest first, without archived ones.
func List(tx *vault.Tx) ([]Attribute, error) {
	return Table.Find(tx, "archived_at IS NULL ORDER BY created_at, id LIMIT 100")
}

// All lists the attributes that contacts can have.
func (s *Service) All(ctx context.Context, actor vault.Actor) ([]Attribute, error) {
	var all []Attribute
	err := s.vault.View(ctx, actor, actList, func(tx *vault.Tx) (err error) {
		all, err = List(tx)
		return err
	})
	return all, err
}

// Off are the fields of contacts that are switched off: for pages that hide what would be refused.
func (s *Service) Off(ctx context.Context, actor vault.Actor) (off fields.Set, err error) {
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		off, err = fields.Off(tx)
		return err
	})
	return off, err
}

// Define adds an attribute. The name of an archived one brings that one back, with the kind that it had.
func (s *Service) Define(ctx context.Context, actor vault.Actor, a Attribute) (Attribute, error) {
	a, err := clean(a)
	if err != nil {
		return a, err
	}
	err = s.vault.Do(ctx, actor, actDefine, func(tx *vault.Tx) error {
		old, err := Table.Lookup(tx, "name", a.Name)
		if err != nil {
			return err
		}
		if len(old) > 0 {
			if old[0].ArchivedAt.IsZero() {
				return errs.New(errs.Conflict, "There is an attribute of this name.", errs.Field{Field: "name", Code: "taken", Message: "Choose another name."})
			}
			if old[0].Kind != a.Kind {
				return errs.New(errs.Conflict, "An archived attribute of this name holds something else.", errs.Field{Field: "name", Code: "taken", Message: "Choose another name, or the kind it had."})
			}
			a.ID, a.CreatedAt = old[0].ID, old[0].CreatedAt
			return Table.Put(tx, a)
		}
		n, err := Table.Count(tx, "archived_at IS NULL")
		if err != nil {
			return err
		}
		if n >= maxAttributes {
			return errs.New(errs.TooLarge, "There can be 100 attributes.")
		}
		a.ID, a.CreatedAt = ids.New[attribute](tx.Now()), tx.Now()
		return Table.Add(tx, a)
	})
	return a, err
}

// Archive hides an attribute. What contacts hold in it stays, and goes with them.
func (s *Service) Archive(ctx context.Context, actor vault.Actor, id ID) error {
	return s.vault.Do(ctx, actor, actDefine, func(tx *vault.Tx) error {
		a, err := Table.Get(tx, id)
		if err != nil {
			return err
		}
		a.ArchivedAt = tx.Now()
		return Table.Put(tx, a)
	})
}

func clean(a Attribute) (Attribute, error) {
	var bad []errs.Field
	if a.Name = strings.TrimSpace(a.Name); !attributeName.MatchString(a.Name) {
		bad = append(bad, errs.Field{Field: "name", Code: "malformed", Message: "Use up to 40 small letters, digits and underscores, a letter first."})
	}
	if a.Label = strings.TrimSpace(a.Label); a.Label == "" {
		a.Label = a.Name
	}
	a.Label, _ = cards.Mask(a.Label)
	if utf8.RuneCountInString(a.Label) > 80 || !utf8.ValidString(a.Label) {
		bad = append(bad, errs.Field{Field: "label", Code: "too-long", Message: "Use at most 80 characters."})
	}
	if !slices.Contains(Kinds, a.Kind) {
		bad = append(bad, errs.Field{Field: "kind", Code: "unknown", Message: "Choose what it holds."})
	}
	var options []string
	for _, o := range a.Options {
		o, _ = cards.Mask(o)
		if o = strings.TrimSpace(o); o != "" && !slices.Contains(options, o) {
			options = append(options, o)
		}
		if utf8.RuneCountInString(o) > 80 || !utf8.ValidString(o) {
			bad = append(bad, errs.Field{Field: "options", Code: "too-long", Message: "Use at most 80 characters for each answer."})
		}
	}
	if a.Options = options; a.Kind != Choice {
		a.Options = nil
	} else if len(options) == 0 || len(options) > maxOptions {
		bad = append(bad, errs.Field{Field: "options", Code: "required", Message: "Write 1 to 100 answers, one on each line."})
	}
	if len(bad) > 0 {
		return a, errs.New(errs.Invalid, "The attribute is not usable as it is.", bad...)
	}
	return a, nil
}

// Note is how a value stands in the history of changes.
func (a Attribute) Note(value any) string {
	if value == nil {
		return ""
	}
	return a.Label + ": " + a.Show(value)
}

// Show writes a value for people and for forms.
func (a Attribute) Show(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	}
	return fmt.Sprint(value)
}

var truths = map[string]bool{"yes": true, "true": true, "1": true, "y": true, "no": false, "false": false, "0": false, "n": false}

// Read understands a value as the attribute's kind; a message says why it cannot be. nil and empty text are nothing.
func (a Attribute) Read(value any) (any, string) {
	text, isText := value.(string)
	if text = strings.TrimSpace(text); value == nil || isText && text == "" {
		return nil, ""
	}
	switch a.Kind {
	case Numeric:
		n, ok := value.(float64)
		if !ok {
			var err error
			if n, err = strconv.ParseFloat(text, 64); !isText || err != nil || n != n || n > 1e15 || n < -1e15 {
				return nil, "write a number."
			}
		}
		if _, found := cards.Mask(strconv.FormatFloat(n, 'f', -1, 64)); found > 0 { // masked it would be no number
			return nil, "this is a card's number, which is not kept."
		}
		return n, ""
	case Boolean:
		if b, ok := value.(bool); ok {
			return b, ""
		}
		b, known := truths[strings.ToLower(text)]
		if !isText || !known {
			return nil, "write yes or no."
		}
		return b, ""
	case Date:
		if _, err := time.Parse(time.DateOnly, text); !isText || err != nil {
			return nil, "write a date like 2026-11-22."
		}
		return text, ""
	case Choice:
		if !isText || !slices.Contains(a.Options, text) {
			return nil, "choose one of the answers."
		}
		return text, ""
	}
	if !isText || utf8.RuneCountInString(text) > maxValue || !utf8.ValidString(text) {
		return nil, "write at most 1,000 characters."
	}
	text, _ = cards.Mask(text)
	return text, ""
}
