package vault

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/column"
	"aver/vault/engine"
	"aver/vault/purpose"
	"aver/vault/table"
)

// Standing is how a person stands to a purpose: a consent, an objection, a restriction. The vault reads it before an
// action for a purpose touches the person; trust/consent and trust/restriction write it.
type Standing struct {
	Person  ids.Subject  `vault:"person,key,subject"`
	Kind    purpose.Kind `vault:"kind,key"`
	Purpose string       `vault:"purpose,key"` // purpose.All for every one
	Since   time.Time    `vault:"since,state"`
}

// PurposeTerms are on what ground a purpose rests, where the tenant has chosen.
type PurposeTerms struct {
	ID     string        `vault:"id,key"`
	Basis  purpose.Basis `vault:"basis,state"`
	Shares bool          `vault:"shares,state"` // it hands data to others for their own ends
}

// standings is the table that decides and is itself never hidden; grounds decides with it.
const (
	standings = "standings"
	grounds   = "purposes"
)

// The tables of the door itself.
var (
	Standings = Define[Standing](standings, Purpose("doing nothing with people's data that they have not agreed to or have objected to"), KeepWhile("as long as the person's data"))
	Purposes  = Define[PurposeTerms](grounds, Purpose("knowing on what ground each purpose rests"), KeepWhile("until the tenant changes it"))
)

// reads tells whether the transaction may see only some rows of the table.
func (tx *Tx) reads(t *table.Shape) bool {
	return t.Subject >= 0 && tx.guard.Mode.Reads() && t.Name != standings
}

// minds tells whether the transaction may change only some rows of the table that are there already.
func (tx *Tx) minds(t *table.Shape) bool {
	return tx.reads(t) || t.Subject >= 0 && tx.guard.Mode == purpose.Finder && t.Name != standings
}

// tenantID is the tenant where the engine's rows carry it, and nil otherwise.
func (tx *Tx) tenantID() []byte {
	if tx.v.engine.TenantColumn() {
		return tx.actor.is.Tenant[:]
	}
	return nil
}

// within puts in front of a tail's values what the head of a find, count or keys statement needs.
func (tx *Tx) within(t *table.Shape, args []any) []any {
	if tx.reads(t) {
		args = append(tx.guard.ReadingArgs(tx.tenantID()), args...)
	}
	return tx.sql(t).Own(tx.actor.is.Tenant, args)
}

// byKey are the values of a statement that names a row by its key and may concern only what the action sees.
func (tx *Tx) byKey(t *table.Shape, key []any) []any {
	args := tx.sql(t).Own(tx.actor.is.Tenant, key)
	if tx.reads(t) {
		args = append(args, tx.guard.ReadingArgs(tx.tenantID())...)
	}
	return args
}

// mind refuses to write about a person whom the action's purpose may not touch. It asks once per transaction and person.
func (tx *Tx) mind(t *table.Shape, subject ids.Subject) error {
	switch t.Name {
	case standings:
		tx.order(subject, false)
		return nil
	case grounds:
		tx.order(everybody, false)
		return nil
	}
	return tx.May(subject)
}

// everybody are those about whom a ground is chosen.
var everybody ids.Subject

// order has what is written about a person for a purpose, and what is said about purposes for the same person, come one
// after the other where transactions run side by side: whoever comes second sees what the first has done. So do what is
// written on the ground of a purpose, and the choice of another ground. The lock is taken before the question, which hence
// sees what was committed meanwhile, and is held until the commit.
func (tx *Tx) order(subject ids.Subject, share bool) {
	if o, ok := tx.conn.(engine.Orderer); ok && !tx.readonly {
		tenant := tx.actor.is.Tenant
		o.Order(int64(binary.BigEndian.Uint64(tenant[8:])^binary.BigEndian.Uint64(subject[8:])), share)
	}
}

// gone runs a statement that removes or empties rows, and tells how many. About whom they were is known only then: if one
// of these people has closed the purpose meanwhile, it is refused, and with that undone.
func (tx *Tx) gone(t *table.Shape, query string, args []any, returning string, each func(values []any)) error {
	minds := tx.minds(t) || t.Name == standings
	if minds {
		returning = strings.TrimPrefix(returning+", "+t.Columns[t.Subject].Name, ", ")
	}
	var people []ids.Subject
	err := tx.conn.Query(query+" RETURNING "+returning, args, func(values []any) error {
		if last := len(values) - 1; minds {
			if who, is := values[last].([]byte); is && !slices.Contains(people, ids.Subject(who)) {
				people = append(people, ids.Subject(who))
			}
			values = values[:last]
		}
		each(values)
		return nil
	})
	for _, who := range people {
		err = cmp.Or(err, tx.mind(t, who))
	}
	return err
}

// May refuses a person about whom the action's purpose allows nothing to be written: for whoever wants to know before the
// work. Every write asks by itself.
func (tx *Tx) May(subject ids.Subject) error {
	if tx.guard.Mode == purpose.Free || subject.IsZero() {
		return nil
	}
	if tx.minded[subject] == nil {
		tx.ahead(subject)
	}
	allowed, err := tx.minded[subject]()
	if err == nil && !allowed {
		err = tx.refuse(subject)
	}
	return err
}

// ahead asks whether the purpose may touch a person, before it must be known: where questions travel, this one goes with
// the next.
func (tx *Tx) ahead(subject ids.Subject) {
	allowed := false
	tenant := tx.tenantID()
	query := tx.guard.Mode.Asking(tenant != nil)
	switch tx.guard.Mode {
	case purpose.Self:
		query = tx.hold(query) // a withdrawal that comes meanwhile waits
	case purpose.Nobody:
	case purpose.Automated, purpose.Finder: // who alone ask for the ground
		if tx.minded == nil {
			tx.order(everybody, true)
		}
		fallthrough
	default:
		tx.order(subject, true)
	}
	answer := tx.ask(query, tx.guard.WritingArgs(subject[:], tenant), func([]any) error {
		allowed = true
		return nil
	})
	if tx.minded == nil {
		tx.minded = map[ids.Subject]func() (bool, error){}
	}
	tx.minded[subject] = func() (bool, error) { err := answer(); return allowed, err }
}

// mindRow refuses to put something in the place of a row that the action may not see.
func (tx *Tx) mindRow(t *table.Shape, key []any) error {
	if !tx.minds(t) || t.Columns[t.Subject].Class == column.Key {
		return nil
	}
	var whose ids.Subject
	_, err := tx.visible(t, key, func(values []any) error {
		if b, is := values[t.Subject].([]byte); is {
			whose = ids.Subject(b)
		}
		return nil
	})
	return cmp.Or(err, tx.May(whose))
}

// visible reads the row with this key, if there is one, and refuses it when the action may not see it.
func (tx *Tx) visible(t *table.Shape, key []any, each func(values []any) error) (found bool, err error) {
	s, hidden := tx.sql(t), ids.Subject{}
	args := s.Own(tx.actor.is.Tenant, key)
	if tx.reads(t) {
		args = append(tx.guard.ReadingArgs(tx.tenantID()), args...) // they stand before WHERE
	}
	err = tx.conn.Query(tx.hold(s.Get), args, func(values []any) error {
		found = true
		if tx.reads(t) && !truth(values[len(values)-1]) {
			hidden = ids.Subject(values[t.Subject].([]byte))
			return nil
		}
		return each(values)
	})
	if err != nil {
		return found, fmt.Errorf("get %s: %w", t.Name, err)
	}
	if !hidden.IsZero() {
		return found, tx.refuse(hidden)
	}
	return found, nil
}

func truth(stored any) bool {
	yes, _ := stored.(bool)
	return yes || stored == int64(1)
}

// refuse says why the person is not touched, and has the log say so.
func (tx *Tx) refuse(subject ids.Subject) error {
	if !slices.Contains(tx.refused, subject) {
		tx.refused = append(tx.refused, subject)
	}
	said, err := tx.standings(subject)
	if err != nil {
		return err
	}
	terms, err := Purposes.Get(tx, tx.guard.Name)
	if errs.Is(err, errs.NotFound) {
		terms.Basis, err = purpose.Of(tx.guard.Name).Basis, nil
	}
	if err != nil {
		return err
	}
	return tx.guard.Reason(said, terms.Basis)
}

func (tx *Tx) standings(subject ids.Subject) (all []purpose.Said, err error) {
	rows, err := Standings.Find(tx, "person = ?", subject)
	for _, r := range rows {
		all = append(all, purpose.Said{Kind: r.Kind, Purpose: r.Purpose})
	}
	return all, err
}
