package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/canary/inside"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
)

// Sees counts the rows about a person that an action for the purpose gets to see.
func (w *World) Sees(ctx context.Context, p *Person, purpose string) (rows int, err error) {
	return w.SeenBy(ctx, p, System(p.Side.Tenant), Act.For(purpose))
}

// SeenBy counts the rows about a person that somebody gets to see with an action.
func (w *World) SeenBy(ctx context.Context, p *Person, actor vault.Actor, action *vault.Action) (rows int, err error) {
	err = w.Vault.View(ctx, actor, action, func(tx *vault.Tx) error {
		totals, err := w.Vault.Totals(tx, p.Actor.Subject())
		delete(totals, vault.Standings.Name()) // which decides, and is never hidden
		rows = 0
		for _, n := range totals {
			rows += n
		}
		return err
	})
	return rows, err
}

// Stand has the vault believe of a person what they never said.
func Stand(kind purpose.Kind, about string) Meddle {
	return func(ctx context.Context, w *World, p *Person) error {
		return w.Vault.Do(ctx, System(p.Side.Tenant), Act, func(tx *vault.Tx) error {
			return vault.Standings.Put(tx, vault.Standing{Person: p.Actor.Subject(), Kind: kind, Purpose: about, Since: tx.Now()})
		})
	}
}

var errDropped = errors.New("the row was only tried")

// Writes tells whether an action for the purpose could write about a person. Nothing is kept of the attempt.
func (w *World) Writes(ctx context.Context, p *Person, purpose string) (bool, error) {
	err := w.Vault.Do(ctx, System(p.Side.Tenant), Act.For(purpose), func(tx *vault.Tx) error {
		err := vault.Blobs.Add(tx, vault.Blob{ID: ids.NewObject(tx.Now()), Subject: p.Actor.Subject(), CreatedAt: tx.Now()})
		return errors.Join(err, errDropped)
	})
	if errs.Is(err, errs.Restricted) || errs.Is(err, errs.ConsentRequired) {
		return false, nil
	}
	if errors.Is(err, errDropped) {
		return true, nil
	}
	return false, err
}

// Refusals counts the refusals about a person that stand in the newest entries of the log.
func (w *World) Refusals(ctx context.Context, p *Person) (n int, err error) {
	size, _, _, err := w.Vault.Head(ctx, p.Side.Tenant)
	if err != nil {
		return 0, err
	}
	entries, err := w.Vault.Entries(ctx, p.Side.Tenant, max(0, size-500), 500)
	for _, e := range entries {
		if e.Outcome == journal.Denied && e.Subject == p.Actor.Subject() {
			n++
		}
	}
	return n, err
}

// Ask makes a request of the API as the canary's program, where the path names the person by {contact}, and reads the
// answer into out unless that is nil.
func (w *World) Ask(ctx context.Context, p *Person, method, path, body string, out any) error {
	path = strings.ReplaceAll(path, "{contact}", p.Actor.Subject().String())
	a, err := w.Canaries.Door().Do(ctx, inside.Request{Method: method, Path: path, Header: WithJSON(inside.Bearer(p.Side.Key)), Body: []byte(body)})
	if err != nil {
		return err
	}
	if a.Status >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: status %d", method, path, a.Status)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.Body, out)
}
