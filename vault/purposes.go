package vault

import (
	"fmt"
	"time"

	"aver/base/ids"
	"aver/vault/column"
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

// standings is the table that decides and is itself never hidden.
const standings = "standings"

// The tables of the door itself.
var (
	Standings = Define[Standing](standings, Purpose("doing nothing with people's data that they have not agreed to or have objected to"), KeepWhile("as long as the person's data"))
	Purposes  = Define[PurposeTerms]("purposes", Purpose("knowing on what ground each purpose rests"), KeepWhile("until the tenant changes it"))
)

// reads tells whether the transaction may see only some rows of the table.
func (tx *Tx) reads(t *table.Shape) bool {
	return t.Subject >= 0 && tx.guard.Mode.Reads() && t.Name != standings
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
	if t.Name == standings {
		return nil
	}
	return tx.May(subject)
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
	if tx.guard.Mode == purpose.Self {
		query = tx.hold(query) // a withdrawal that comes meanwhile waits
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
	if !tx.reads(t) || t.Columns[t.Subject].Class == column.Key {
		return nil
	}
	_, err := tx.visible(t, key, func([]any) error { return nil })
	return err
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
	tx.refused = subject
	said, err := tx.standings(subject)
	if err != nil {
		return err
	}
	return tx.guard.Reason(said)
}

func (tx *Tx) standings(subject ids.Subject) (all []purpose.Said, err error) {
	rows, err := Standings.Find(tx, "person = ?", subject)
	for _, r := range rows {
		all = append(all, purpose.Said{Kind: r.Kind, Purpose: r.Purpose})
	}
	return all, err
}
