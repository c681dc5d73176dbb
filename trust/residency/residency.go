// Package residency keeps where the installation stands, and with that where its workspaces are at home.
//
// A workspace gets its home when it is made and keeps it: no setting changes it. The vault refuses to work on the data of
// one that is at home elsewhere; this package keeps what is needed to send people there: the addresses of the other
// regions, and which workspaces they have, by identifier and name in addresses alone. To move a workspace one would have
// to export it and import it elsewhere, which Aver does not do yet.
//
// That the machine really stands where its operator says is what nobody here can measure.
package residency

import (
	"context"
	"embed"
	"fmt"
	"regexp"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
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
	actRead = vault.Act("region.read", purpose.Workspace, vault.System())
	actSet  = vault.Act("region.set", purpose.Workspace, vault.System())
)

// Service knows the other regions.
type Service struct{ vault *vault.Vault }

// New makes the service. Without a vault it can only be asked what it brings.
func New(v *vault.Vault) *Service { return &Service{v} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "residency", Number: Number, Migrations: migrations, Tables: []vault.AnyTable{homes, addresses},
		Actions: []*vault.Action{actRead, actSet, actAdd, actRemove, actRefer, actUnrefer}, Routes: s.routes,
		Classes: map[string]module.Class{WellKnown: module.Asset}}
}

func system() vault.Actor { return identity.System(ids.Installation, "region") }

// Region is the installation's, as it was last set.
func Region(ctx context.Context, v *vault.Vault) (region string, err error) {
	err = v.View(ctx, system(), actRead, func(tx *vault.Tx) error {
		h, err := homes.Get(tx, int64(1))
		region = h.Region
		if errs.Is(err, errs.NotFound) {
			region, err = Local, nil
		}
		return err
	})
	return region, err
}

var regionForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)

func wellFormed(region string) error {
	if !regionForm.MatchString(region) {
		return errs.New(errs.Invalid, "A region is a short code of small letters, such as eu, in or us-east.")
	}
	return nil
}

// Settle tells the vault where it stands: in the region wanted, or where the installation was last, if none is. A region
// can be named as long as no workspace has its home in another; those of an installation whose region was never named
// are at home where it is.
func Settle(ctx context.Context, v *vault.Vault, wanted string) (region string, err error) {
	before, err := Region(ctx, v)
	if err != nil {
		return "", err
	}
	if wanted == "" || wanted == before {
		v.Settle(before)
		return before, nil
	}
	if err := wellFormed(wanted); err != nil {
		return "", err
	}
	moved, err := movable(ctx, v, before, wanted)
	if err != nil {
		return "", err
	}
	err = v.Do(ctx, system(), actSet, func(tx *vault.Tx) error {
		for _, t := range moved {
			t.Region = wanted
			if err := vault.Tenants.Put(tx, t); err != nil {
				return err
			}
		}
		return homes.Put(tx, home{ID: 1, Region: wanted, Since: tx.Now()})
	})
	v.Settle(wanted)
	return wanted, err
}

// movable lists the tenants that take over a new name of the region: canaries always, workspaces if there was no name.
func movable(ctx context.Context, v *vault.Vault, before, wanted string) (moved []vault.Tenant, err error) {
	var all []vault.Tenant
	err = v.View(ctx, system(), actRead, func(tx *vault.Tx) (err error) {
		all, err = vault.Tenants.Find(tx, "closed_at IS NULL ORDER BY id")
		return err
	})
	for _, t := range all {
		switch {
		case t.Region == wanted:
			return nil, errs.New(errs.Conflict, fmt.Sprintf("The workspace %s is listed as one of another installation in %s. Remove that first: aver tenant unrefer.", t.Slug, wanted))
		case t.Region == before && !t.Canary && before != Local:
			return nil, errs.New(errs.Conflict, fmt.Sprintf("This installation stands in %s and keeps workspaces that are at home there. A home cannot be changed by a setting: install in %s and begin there.", before, wanted))
		case t.Region == before:
			moved = append(moved, t)
		}
	}
	return moved, err
}
