package world

import (
	"context"
	"fmt"
	"net/http"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/vault"
)

// Person is somebody who does not exist, who wrote to a canary tenant.
type Person struct {
	Side         *canary.Side
	Token        string
	Actor        vault.Actor
	Conversation string
	Word         string // in everything about this person, and nowhere else
}

// NewPerson lets somebody write to a canary, through the widget.
func (w *World) NewPerson(ctx context.Context, texts ...string) (*Person, error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return nil, err
	}
	p := &Person{Side: side, Word: attack.UniqueWord(side.Root)}
	if p.Token, err = w.Canaries.NewVisitor(ctx, side, p.Word); err != nil {
		return nil, err
	}
	if p.Actor, err = w.Identity.Visitor(ctx, p.Token); err != nil {
		return nil, fmt.Errorf("know the visitor: %w", err)
	}
	for _, text := range append([]string{"My name is " + p.Word}, texts...) {
		if p.Conversation, _, err = w.Canaries.Say(ctx, p.Token, p.Conversation, text); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Forget erases a person whom a probe made, so that probes leave nothing behind. It may be done twice.
func (w *World) Forget(ctx context.Context, p *Person) error {
	if _, err := w.Rights.Erase(ctx, p.Actor, p.Actor.Subject(), "probe"); err != nil && !errs.Is(err, errs.NotFound) {
		return fmt.Errorf("erase the probe's person: %w", err)
	}
	_, err := w.Vault.FinishErasures(ctx, p.Side.Tenant)
	return err
}

// ComesBack lets somebody write from another browser under the same address: one person, two contacts.
func (w *World) ComesBack(ctx context.Context, p *Person) (*Person, error) {
	again := &Person{Side: p.Side, Word: attack.UniqueWord(p.Side.Root)}
	var err error
	if again.Token, err = w.Canaries.NewVisitor(ctx, p.Side, p.Word); err != nil {
		return nil, err
	}
	if again.Actor, err = w.Identity.Visitor(ctx, again.Token); err != nil {
		return nil, fmt.Errorf("know the visitor: %w", err)
	}
	again.Conversation, _, err = w.Canaries.Say(ctx, again.Token, "", "I wrote before; now it is about "+again.Word)
	return again, err
}

// WithJSON adds the type of a JSON body.
func WithJSON(h http.Header) http.Header {
	h.Set("Content-Type", "application/json")
	return h
}

// RowsAbout counts the rows that are about a person, those of the index of words too.
func (w *World) RowsAbout(ctx context.Context, tenant ids.Tenant, subject ids.Subject) (n int, tables map[string]int, err error) {
	err = w.Vault.View(ctx, System(tenant), Act, func(tx *vault.Tx) (err error) {
		if tables, err = w.Vault.Totals(tx, subject); err != nil {
			return err
		}
		tables["search_docs"], err = w.Vault.Filed(tx, subject)
		return err
	})
	for name, rows := range tables {
		n += rows
		if rows == 0 {
			delete(tables, name)
		}
	}
	return n, tables, err
}
