package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/purpose"
)

// Tenant is a business that uses the installation: a line of the installation's directory.
type Tenant struct {
	ID        ids.Tenant `vault:"id,key"`
	Slug      string     `vault:"slug,tenant:tenant.settings,lookup"` // in addresses: lower case letters, digits and dashes
	Name      string     `vault:"name,tenant:tenant.settings"`
	Region    string     `vault:"region,state"` // home region, such as eu
	Canary    bool       `vault:"canary,state"` // one of the two that attack each other
	CreatedAt time.Time  `vault:"created_at,state"`
	ClosedAt  time.Time  `vault:"closed_at,state"`
}

// Tenants is the directory; its rows belong to ids.Installation.
var Tenants = Define[Tenant]("tenants", Purpose("knowing which businesses use this installation"), KeepWhile("as long as the account, then closed"))

var (
	actCreateTenant = Act("tenant.create", purpose.Workspace, System())
	actReadTenants  = Act("tenant.read", purpose.Workspace, System())
	slugForm        = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$`)
)

// CreateTenant makes a tenant: keys first, then its store, then its line in the directory. A crash in between leaves an
// empty store that nothing refers to. Its home is where the vault stands, for good; another is refused.
func (v *Vault) CreateTenant(ctx context.Context, t Tenant) (Tenant, error) {
	if !slugForm.MatchString(t.Slug) {
		return t, errs.New(errs.Invalid, "The workspace name is not usable.", errs.Field{Field: "slug", Code: "malformed",
			Message: "Use 1 to 40 lower-case letters, digits and dashes."})
	}
	t.Region = cmp.Or(t.Region, v.Region())
	if !v.here(t) {
		v.denied(ctx, system(ids.Installation, "directory"), actCreateTenant, ids.Subject{})
		return t, misdirected(t)
	}
	t.CreatedAt = v.clock.Now()
	t.ID = ids.NewTenant(t.CreatedAt)
	if err := v.free(ctx, t.Slug); err != nil {
		return t, err
	}
	if err := v.prepare(ctx, t.ID); err != nil {
		return t, fmt.Errorf("create tenant: %w", err)
	}
	return t, v.Do(ctx, system(ids.Installation, "directory"), actCreateTenant, func(tx *Tx) error {
		return Tenants.Add(tx, t)
	})
}

// free refuses a name that a tenant has: here, elsewhere, or closed and not destroyed yet.
func (v *Vault) free(ctx context.Context, slug string) error {
	return v.View(ctx, system(ids.Installation, "directory"), actReadTenants, func(tx *Tx) error {
		found, err := Tenants.Lookup(tx, "slug", slug)
		if err == nil && len(found) > 0 {
			err = errs.New(errs.Conflict, "A workspace with this name exists already.")
		}
		return err
	})
}

// TenantBySlug finds an open tenant by its name in addresses; errs.NotFound if there is none, errs.Misdirected if its home
// is elsewhere.
func (v *Vault) TenantBySlug(ctx context.Context, slug string) (Tenant, error) {
	return v.oneTenant(ctx, func(tx *Tx) ([]Tenant, error) { return Tenants.Lookup(tx, "slug", slug) })
}

// Tenant finds an open tenant; errs.NotFound if there is none, errs.Misdirected if its home is elsewhere.
func (v *Vault) Tenant(ctx context.Context, id ids.Tenant) (Tenant, error) {
	return v.oneTenant(ctx, func(tx *Tx) ([]Tenant, error) { return Tenants.Find(tx, "id = ?", id) })
}

func (v *Vault) oneTenant(ctx context.Context, find func(*Tx) ([]Tenant, error)) (Tenant, error) {
	var found []Tenant
	err := v.View(ctx, system(ids.Installation, "directory"), actReadTenants, func(tx *Tx) (err error) {
		found, err = find(tx)
		return err
	})
	if err != nil {
		return Tenant{}, err
	}
	if len(found) != 1 || !found[0].ClosedAt.IsZero() {
		return Tenant{}, notFound
	}
	if !v.here(found[0]) {
		return Tenant{}, misdirected(found[0])
	}
	return found[0], nil
}

// AllTenants lists the open tenants that are at home here, oldest first. With canaries they are included.
func (v *Vault) AllTenants(ctx context.Context, canaries bool) ([]Tenant, error) {
	var all, out []Tenant
	err := v.View(ctx, system(ids.Installation, "directory"), actReadTenants, func(tx *Tx) (err error) {
		all, err = Tenants.Find(tx, "closed_at IS NULL ORDER BY id")
		return err
	})
	for _, t := range all {
		if v.here(t) && (canaries || !t.Canary) {
			out = append(out, t)
		}
	}
	return out, err
}

// EachTenant runs fn for what AllTenants lists. One workspace's trouble does not hold back the others.
func (v *Vault) EachTenant(ctx context.Context, canaries bool, fn func(Tenant) error) error {
	all, err := v.AllTenants(ctx, canaries)
	for _, t := range all {
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		err = errors.Join(err, fn(t))
	}
	return err
}

// TenantIDs are the installation, which comes first, and all open tenants, canaries too: everybody whose data there is.
func (v *Vault) TenantIDs(ctx context.Context) ([]ids.Tenant, error) {
	all, err := v.AllTenants(ctx, true)
	if err != nil {
		return nil, err
	}
	out := []ids.Tenant{ids.Installation}
	for _, t := range all {
		out = append(out, t.ID)
	}
	return out, nil
}
