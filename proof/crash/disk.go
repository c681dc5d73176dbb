package crash

import (
	"context"
	"errors"
	"fmt"

	"aver/base/errs"
	"aver/base/ids"
	"aver/proof/house"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/sqlite/disktest"
	"aver/work/inbox"
)

// FailSync lets syncs fail and forget what they should have written for as long as a message waits for one, and returns
// what is wrong afterwards: that message must not be acknowledged, and neither may anything be lost nor the next message
// be refused.
func (g *Grid) FailSync(ctx context.Context, after int64) ([]string, error) {
	m := disktest.Boot(g.disk)
	defer m.Scrap()
	h, err := g.house(ctx, m)
	if err != nil {
		return nil, err
	}
	told := g.told
	for n := int64(1000); n < 1000+after; n++ {
		if _, err := g.say(ctx, h, n); err != nil {
			return nil, err
		}
		told = append(told, n)
	}
	var faults []string
	m.FailSyncs(disktest.Forever) // others sync too, so that one failure might be theirs
	if _, err := g.say(ctx, h, 2000); err == nil {
		faults = append(faults, "a message was acknowledged although its sync failed")
	}
	m.FailSyncs(0)
	if _, err := g.say(ctx, h, 2001); err != nil {
		faults = append(faults, "the next message was refused: "+err.Error())
	}
	found := m.Disk() // the power goes now
	_ = h.Close()
	return append(faults, g.morning(ctx, found, 0, append(told, 2001))...), nil
}

var erase = vault.Act("proof.erase", purpose.Own, vault.System())

// Fill writes until the disk is full and returns what is wrong: a full disk must be told as such, what was acknowledged
// must be readable, an erasure must work, and after somebody has made room, so must everything.
func (g *Grid) Fill(ctx context.Context) (faults []string, err error) {
	m := disktest.Boot(g.disk)
	defer m.Scrap()
	h, err := g.house(ctx, m)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	m.Room(400_000)
	told := g.told
	n, failed := int64(1000), error(nil)
	for ; failed == nil && n < 100_000; n++ {
		if _, failed = g.say(ctx, h, n); failed == nil {
			told = append(told, n)
		}
	}
	if !errs.Is(failed, errs.NoSpace) {
		fault("a full disk is told as %v", failed)
	}
	findings, err := h.Look(ctx, g.tenant)
	if err != nil {
		return faults, err
	}
	findings.Acknowledged(told)
	faults = append(faults, findings.Faults...)
	gone := g.visitors[0].Subject()
	if err := h.Vault.EraseSubject(ctx, identity.System(g.tenant, "proof"), erase, gone, "asked"); err != nil && !errs.Is(err, errs.NoSpace) {
		fault("an erasure on a full disk: %v", err)
	}
	if has, err := h.Vault.HasKey(ctx, identity.System(g.tenant, "proof"), gone); has || err != nil {
		fault("an erased person still has a key (%v)", err)
	}
	faults = append(faults, g.unreadable(ctx, h, gone)...)
	m.Room(-1)
	if _, err := g.say(ctx, h, n+1-n%people); err != nil { // of somebody who was not erased
		fault("with room again: %v", err)
	}
	return faults, nil
}

// unreadable wants nothing of a person to open any more.
func (g *Grid) unreadable(ctx context.Context, h *house.House, who ids.Contact) (faults []string) {
	err := h.Vault.View(ctx, identity.System(g.tenant, "proof"), erase, func(tx *vault.Tx) error {
		lines, err := inbox.Messages.Find(tx, "contact = ? LIMIT 1000", who)
		for _, l := range lines {
			if !l.Body.IsZero() {
				faults = append(faults, "a message of an erased person opens")
				break
			}
		}
		return err
	})
	if err != nil {
		faults = append(faults, "after an erasure: "+err.Error())
	}
	return faults
}
