package people

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"aver/frame/claim"
	"aver/trust/holds"
	"aver/trust/probes/world"
	"aver/trust/rights/receipt"
	recipients "aver/trust/rights/told"
	"aver/vault"
)

// spared is what an erasure left of somebody under a hold, and who heard of it.
type spared struct {
	opens    bool     // what is held can be read
	classes  []string // of which something is held
	rows     int      // about the person that are left elsewhere
	released int      // items that can still be read once the hold is released
	keeper   bool     // the hold's key is still there then
	owed     int      // recipients who must hear of the erasure
	idle     int      // tellings, of all workspaces, that are due since two days and that nobody tries
	proof    []string // what is wrong with the receipt
}

// heldClass is all that the probe's hold covers.
const heldClass = "messages"

// underHold lets somebody be erased of whom one class is held, and releases the hold.
func (w view) underHold(ctx context.Context) (s spared, err error) {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return s, err
	}
	system := world.System(p.Side.Tenant)
	h, err := w.Holds.Place(ctx, system, holds.Draft{Contact: p.Actor.Subject(), Ground: holds.LegalClaims, Reason: "probe", ReviewAt: w.Vault.Now().Add(world.Daily), Classes: []string{heldClass}})
	if err != nil {
		return s, fmt.Errorf("place a hold: %w", err)
	}
	recipient, err := w.Told.Add(ctx, system, "probe", "probe@canary.invalid")
	if err != nil {
		return s, fmt.Errorf("write down a recipient: %w", err)
	}
	s, err = w.eraseHeld(ctx, p, h)
	return s, errors.Join(err, w.Told.Remove(ctx, system, recipient.ID))
}

func (w view) eraseHeld(ctx context.Context, p *world.Person, h holds.Hold) (s spared, err error) {
	system, subject := world.System(p.Side.Tenant), p.Actor.Subject()
	done, err := w.Rights.Erase(ctx, system, subject, "probe")
	if err != nil {
		return s, fmt.Errorf("erase somebody under a hold: %w", err)
	}
	if _, err := w.Vault.FinishErasures(ctx, p.Side.Tenant); err != nil {
		return s, err
	}
	file, err := w.Rights.ReceiptFile(ctx, p.Side.Tenant, done.ID)
	if err != nil {
		return s, err
	}
	key, err := w.Audit.VerifierKey(ctx)
	if err != nil {
		return s, err
	}
	s.proof = receipt.Verify(file, key).Findings
	items, err := w.Holds.Items(ctx, system, h.ID)
	if err != nil {
		return s, err
	}
	s.classes, _ = holds.Counts(items)
	s.opens = slices.ContainsFunc(items, func(i holds.Item) bool { return bytes.Contains(i.Content.Reveal(), []byte(p.Word)) })
	if s.rows, _, err = w.RowsAbout(ctx, p.Side.Tenant, subject); err != nil {
		return s, err
	}
	if err := w.whoHears(ctx, p, &s); err != nil {
		return s, err
	}
	return s, w.release(ctx, p, h, &s)
}

// untried is how long after it is due a try may be missing: between two tries lies a day at most.
const untried = 2 * world.Daily

// whoHears waits a little until it is written down who must hear of the erasure, and looks whether anybody is forgotten.
// Nobody takes the probe's own letter: its address leads nowhere.
func (w view) whoHears(ctx context.Context, p *world.Person, s *spared) error {
	for range 100 {
		all, err := w.Told.Of(ctx, world.System(p.Side.Tenant), p.Actor.Subject())
		if err != nil {
			return err
		}
		if s.owed = len(all); s.owed > 0 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	tenants, err := w.Vault.AllTenants(ctx, false)
	for _, t := range tenants {
		if err != nil {
			return err
		}
		err = w.Vault.View(ctx, world.System(t.ID), world.Act, func(tx *vault.Tx) error {
			n, err := recipients.Tellings.Count(tx, "state = ? AND next_at < ?", string(recipients.Waiting), tx.Now().Add(-untried))
			s.idle += n
			return err
		})
	}
	return err
}

func (w view) release(ctx context.Context, p *world.Person, h holds.Hold, s *spared) error {
	system := world.System(p.Side.Tenant)
	if _, err := w.Holds.Release(ctx, system, h.ID); err != nil {
		return fmt.Errorf("release a hold: %w", err)
	}
	items, err := w.Holds.Items(ctx, system, h.ID)
	if err != nil {
		return err
	}
	s.released = len(items)
	s.keeper, err = w.Vault.HasKey(ctx, system, h.Keeper)
	return err
}

// judgeSpared adds to the evidence of an erasure what became of somebody under a hold.
func judgeSpared(e *claim.Evidence, s spared) {
	e.See(s.opens, "what a hold covers, after the erasure", "%s", map[bool]string{true: "opens", false: "is lost"}[s.opens])
	e.See(slices.Equal(s.classes, []string{heldClass}), "classes that are kept", "%v of [%s]", s.classes, heldClass)
	e.See(s.rows == 0, "rows of the person under a hold that are left elsewhere", "%d", s.rows)
	e.See(s.released == 0 && !s.keeper, "what the hold kept, once it is released", "%d items, key %s", s.released, map[bool]string{true: "still there", false: "destroyed"}[s.keeper])
	e.See(s.owed > 0, "recipients written down who must hear of it", "%d", s.owed)
	e.See(s.idle == 0, "recipients who wait and whom nobody tries to tell", "%d", s.idle)
	e.See(len(s.proof) == 0, "the receipt, checked without the installation", "%d faults", len(s.proof))
}

// goodSpared is what becomes of somebody under a hold when all is as it should be.
var goodSpared = spared{opens: true, classes: []string{heldClass}, owed: 1}

// brokenHolds are worlds in which holds, recipients or receipts are not as they should be.
func brokenHolds() []claim.Fixture {
	var out []claim.Fixture
	for name, spoil := range map[string]func(*spared){
		"a hold whose content was erased":              func(s *spared) { s.opens, s.classes = false, nil },
		"a hold that keeps more than it covers":        func(s *spared) { s.classes = []string{"contacts", heldClass} },
		"rows left behind under a hold":                func(s *spared) { s.rows = 2 },
		"a released hold that still opens":             func(s *spared) { s.released = 1 },
		"a released hold whose key is there":           func(s *spared) { s.keeper = true },
		"a recipient whom nobody tries to tell":        func(s *spared) { s.idle = 1 },
		"nobody written down who must hear":            func(s *spared) { s.owed = 0 },
		"a receipt that fails when it is checked away": func(s *spared) { s.proof = []string{"the statement was altered"} },
	} {
		s := goodSpared
		spoil(&s)
		out = append(out, world.Fixture(name, func(context.Context) (claim.Evidence, error) {
			e := judgeErasure(gone{before: 4})
			judgeSpared(&e, s)
			return e, nil
		}))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
