// Package residency keeps where the operator says that the installation's data lies. Nobody measures it: it is what the
// trust page says it states, and what new workspaces take over.
package residency

import (
	"context"
	"embed"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 16

// Local is the region of an installation whose operator never named one.
const Local = "local"

// home is the installation's one row.
type home struct {
	ID     int64     `vault:"id,key"` // 1
	Region string    `vault:"region,state"`
	Since  time.Time `vault:"since,state"`
}

var homes = vault.Define[home]("residency", vault.Purpose("telling where data is kept"), vault.KeepWhile("as long as the installation"))

var (
	actRead = vault.Act("region.read", vault.System())
	actSet  = vault.Act("region.set", vault.System())
)

// Module brings the table.
func Module() module.Module {
	return module.Module{Name: "residency", Number: Number, Migrations: migrations, Tables: []vault.AnyTable{homes}, Actions: []*vault.Action{actRead, actSet}}
}

// Region is the installation's, as it was last set.
func Region(ctx context.Context, v *vault.Vault) (region string, err error) {
	err = v.View(ctx, identity.System(ids.Installation, "region"), actRead, func(tx *vault.Tx) error {
		region, err = stored(tx)
		return err
	})
	return region, err
}

// Set makes a region the installation's. A region that it has already is not written to the log again.
func Set(ctx context.Context, v *vault.Vault, region string) error {
	if before, err := Region(ctx, v); err != nil || before == region {
		return err
	}
	return v.Do(ctx, identity.System(ids.Installation, "region"), actSet, func(tx *vault.Tx) error {
		return homes.Put(tx, home{ID: 1, Region: region, Since: tx.Now()})
	})
}

func stored(tx *vault.Tx) (string, error) {
	h, err := homes.Get(tx, int64(1))
	if errs.Is(err, errs.NotFound) {
		return Local, nil
	}
	return h.Region, err
}
