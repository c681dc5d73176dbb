package vault

import (
	"context"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/column"
	"aver/vault/journal"
)

// settled is where a vault stands.
type settled struct{ region string }

// Settle tells the vault in which region it stands. From then on it serves the tenants that are at home there and nobody
// else: a line of the directory with another region only says where that tenant is. A vault that was never told serves
// all whom it keeps, which is for tests and rigs.
func (v *Vault) Settle(region string) {
	v.region.Store(&settled{region})
	v.homes.Clear()
}

// Region is where the vault stands; empty if it was never told.
func (v *Vault) Region() string {
	if at := v.region.Load(); at != nil {
		return at.region
	}
	return ""
}

// here tells whether a tenant is at home where the vault stands.
func (v *Vault) here(t Tenant) bool { return v.Region() == "" || t.Region == v.Region() }

// misdirected says where a tenant of another region is.
func misdirected(t Tenant) error {
	err := errs.New(errs.Misdirected, "This workspace is kept in another region. Nothing was changed.")
	err.Region = t.Region
	return err
}

// again is how long a tenant counts as at home here after it was found: another process may have closed it.
const again = 2 * time.Second

// atHome refuses work on the data of a tenant that is closed, or whose home is elsewhere.
func (v *Vault) atHome(ctx context.Context, tenant ids.Tenant) error {
	if v.Region() == "" || tenant == ids.Installation {
		return nil
	}
	if found, known := v.homes.Load(tenant); known && time.Since(found.(time.Time)) < again { // the machine's clock: it measures what is remembered
		return nil
	}
	as, begun := v.region.Load(), time.Now()
	_, err := v.Tenant(ctx, tenant)
	switch {
	case err == nil:
		if v.region.Load() == as { // otherwise somebody was closed while it was read
			v.homes.Store(tenant, begun)
		}
	case errs.Is(err, errs.NotFound), errs.Is(err, errs.Misdirected):
		v.homes.Delete(tenant)
	default:
		err = fmt.Errorf("find a tenant's home: %w", err)
	}
	return err
}

// elsewhere writes into the installation's log that somebody wanted to work on the data of a tenant of another region:
// the tenant itself has no log here. Of who it was only the kind is kept, which names nobody.
func (v *Vault) elsewhere(ctx context.Context, actor Actor, action *Action) {
	where := Actor{Identity{Tenant: ids.Installation, Kind: actor.is.Kind, Name: actor.is.Name}}
	v.denied(ctx, where, action, ids.Subject{}, journal.Ref{Table: Tenants.Name(), Key: column.KeyBytes(column.Arguments([]any{actor.is.Tenant})), Op: journal.Read})
}
