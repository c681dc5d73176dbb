package consent

import (
	"context"
	"errors"
	"strconv"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/purpose"
)

// Choice is what a person says about a purpose, and which notice it is said to.
type Choice struct {
	Purpose  string
	Version  string // of the notice that was shown, as Current gave it; not needed to withdraw
	Language string // of the notice that was shown
	Granted  bool
	How      How // empty: derived from who acts
}

// Record keeps a choice. Agreeing to anything but the notice now in force is errs.ConsentRequired, so that whoever was
// shown older words is shown the present ones; withdrawing needs no version and is never refused. Saying the same
// again changes nothing.
func (s *Service) Record(ctx context.Context, actor vault.Actor, contact ids.Contact, c Choice) error {
	if err := own(actor, contact); err != nil {
		return err
	}
	if c.How == "" {
		c.How = actOf(actor)
	}
	if err := s.exists(ctx, actor, contact); err != nil {
		return err
	}
	tenant, err := s.vault.Tenant(ctx, actor.Tenant())
	if err != nil {
		return err
	}
	to := keeper{s.vault, tenant}
	if !c.Granted {
		return s.vault.Do(ctx, actor, actWithdraw, func(tx *vault.Tx) error { return to.withdraw(tx, contact, c) })
	}
	return s.vault.Do(ctx, actor, actRecord, func(tx *vault.Tx) error { return to.grant(tx, contact, c) })
}

// Withdraw takes a consent back, at once: the next act that needs it is refused.
func (s *Service) Withdraw(ctx context.Context, actor vault.Actor, contact ids.Contact, purpose string) error {
	return s.Record(ctx, actor, contact, Choice{Purpose: purpose})
}

// exists refuses choices of people who are erased or never were.
func (s *Service) exists(ctx context.Context, actor vault.Actor, contact ids.Contact) error {
	has, err := s.vault.HasKey(ctx, actor, contact)
	if err != nil || has {
		return err
	}
	if actor.Kind() == vault.AsPerson {
		return errs.New(errs.Gone, "This person was erased and cannot be written about any more.")
	}
	return errs.New(errs.NotFound, "There is no such person.")
}

// keeper keeps the choices of a tenant's people, each with the statement of its receipt.
type keeper struct {
	vault  *vault.Vault
	tenant vault.Tenant
}

func actOf(actor vault.Actor) How {
	switch actor.Kind() {
	case vault.AsUser:
		return ByOperator
	case vault.AsKey:
		return ByProgram
	default:
		return ByPerson
	}
}

func (k keeper) grant(tx *vault.Tx, contact ids.Contact, c Choice) error {
	n, err := current(tx, c.Purpose, c.Language)
	if err != nil {
		return err
	}
	if c.Version != strconv.Itoa(n.Version) {
		return errs.New(errs.ConsentRequired, "The notice has changed since it was shown. Please read the present one.")
	}
	if err := keep(tx, n); err != nil {
		return err
	}
	before, err := States.Get(tx, contact, c.Purpose)
	if err == nil && before.Granted && before.Version == n.Version && before.Language == n.Language {
		return nil
	}
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return k.store(tx, State{Contact: contact, Purpose: c.Purpose, Granted: true, Version: n.Version, Language: n.Language, How: c.How})
}

// withdraw keeps which notice had been agreed to, none if the person says no without ever having agreed: what may happen
// without consent must end then too.
func (k keeper) withdraw(tx *vault.Tx, contact ids.Contact, c Choice) error {
	state, err := States.Get(tx, contact, c.Purpose)
	if errs.Is(err, errs.NotFound) {
		return k.refuse(tx, contact, c)
	}
	if err != nil || !state.Granted {
		return err
	}
	state.Granted, state.How = false, c.How
	return k.store(tx, state)
}

// refuse keeps a no. To a purpose that nobody is asked about there is nothing to refuse.
func (k keeper) refuse(tx *vault.Tx, contact ids.Contact, c Choice) error {
	known := len(shipped[c.Purpose])
	if known == 0 {
		var err error
		if known, err = Notices.Count(tx, "purpose = ?", c.Purpose); err != nil || known == 0 {
			return err
		}
	}
	return k.store(tx, State{Contact: contact, Purpose: c.Purpose, How: c.How})
}

func (k keeper) store(tx *vault.Tx, state State) error {
	state.Since = tx.Now()
	if err := errors.Join(States.Put(tx, state), stand(tx, state)); err != nil {
		return err
	}
	tx.Emit(vault.Event{Kind: "contact.consent.changed", Object: state.Contact.String(), Subject: state.Contact, N: int64(state.Version)}, state)
	r := Record{ID: ids.New[record](tx.Now()), Contact: state.Contact, Purpose: state.Purpose, Granted: state.Granted,
		Version: state.Version, Language: state.Language, How: state.How, At: state.Since}
	if err := k.issue(tx, &r); err != nil {
		return err
	}
	return Records.Add(tx, r)
}

// stand tells the vault how the person stands to the purpose from now on.
func stand(tx *vault.Tx, state State) error {
	now, before := purpose.Granted, purpose.Refused
	if !state.Granted {
		now, before = before, now
	}
	_, err := vault.Standings.DeleteWhere(tx, "person = ? AND kind = ? AND purpose = ?", state.Contact, string(before), state.Purpose)
	if err != nil {
		return err
	}
	return vault.Standings.Put(tx, vault.Standing{Person: state.Contact, Kind: now, Purpose: state.Purpose, Since: state.Since})
}
