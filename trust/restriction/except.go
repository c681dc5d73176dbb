package restriction

import (
	"context"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/purpose"
)

// A restriction that stands is opened by an exception, for a ground of Art. 18(2). So only those may make one who may lift
// the restriction; they say why, the log names the act by a word of its own, and the person finds it on the page of their
// request and in the copy of their data.
var actExcept = vault.Act("restriction.except", purpose.Own, keepers, vault.Scope("contacts:write"))

const longestWhy = 500 // bytes

// Exception is what goes on in spite of a person's restriction.
type Exception struct {
	Ground string // of Art. 18(2), as a purpose
	Why    string // empty when it was named together with the restriction
	Since  time.Time
}

var errStands = errs.New(errs.Conflict, "A restriction stands already. An exception from it is made by whoever may lift it, and with a reason.",
	errs.Field{Field: "why", Code: "required", Message: "Say why, for the person to read."})

// Except lets one purpose of Art. 18(2) go on in spite of a restriction that stands, for the person and for whoever is shown
// as one with them. It is errs.Conflict where none stands. What is excepted already changes nothing.
func (s *Service) Except(ctx context.Context, actor vault.Actor, contact ids.Contact, name, why string) error {
	name, err := s.check(ctx, actor, contact, Restrict, name)
	if err != nil {
		return err
	}
	if why = strings.TrimSpace(why); why == "" || len(why) > longestWhy || name == purpose.All {
		return errs.New(errs.Invalid, "Nothing was excepted.", errs.Field{Field: "why", Code: "required", Message: "Say what goes on and why, in at most 500 bytes."})
	}
	return s.vault.Do(ctx, actor, actExcept, func(tx *vault.Tx) error {
		stood := false
		err := s.each(tx, contact, func(person ids.Contact) error {
			if _, err := vault.Standings.Get(tx, person, Restrict, purpose.All); err != nil {
				return ignoreAbsent(err)
			}
			stood = true
			return except(tx, Record{Contact: person, Kind: purpose.Excepted, Purpose: name, Placed: true, How: howOf(actor), Why: personal.Of(why)})
		})
		if err == nil && !stood {
			err = errs.New(errs.Conflict, "No restriction stands from which something could be excepted.")
		}
		return err
	})
}

// except writes an exception that does not stand yet.
func except(tx *vault.Tx, r Record) error {
	_, err := vault.Standings.Get(tx, r.Contact, purpose.Excepted, r.Purpose)
	if !errs.Is(err, errs.NotFound) {
		return err
	}
	r.ID, r.At = ids.NewObject(tx.Now()), tx.Now()
	if err := vault.Standings.Put(tx, vault.Standing{Person: r.Contact, Kind: purpose.Excepted, Purpose: r.Purpose, Since: tx.Now()}); err != nil {
		return err
	}
	return Records.Add(tx, r)
}

// Exceptions lists what goes on in spite of a person's restriction, and why.
func (s *Service) Exceptions(ctx context.Context, actor vault.Actor, contact ids.Contact) (all []Exception, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		all = nil
		rows, err := vault.Standings.Find(tx, "person = ? AND kind = ? ORDER BY since, purpose LIMIT 10", contact, string(purpose.Excepted))
		if err != nil {
			return err
		}
		for _, row := range rows {
			e := Exception{Ground: row.Purpose, Since: row.Since}
			made, err := Records.Find(tx, "contact = ? AND kind = ? AND purpose = ? ORDER BY id DESC LIMIT 1", contact, string(purpose.Excepted), row.Purpose)
			if err != nil {
				return err
			}
			if len(made) > 0 && made[0].At.Equal(row.Since) {
				e.Why = made[0].Why.Reveal()
			}
			all = append(all, e)
		}
		return nil
	})
	return all, err
}

func ignoreAbsent(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
