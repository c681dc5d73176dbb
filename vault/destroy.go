package vault

import (
	"context"
	"fmt"
	"path/filepath"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/durable"
)

// DestroyKeys destroys every key of a closed tenant: what was sealed for it is unreadable for good, wherever it lies (NIST
// SP 800-88, cryptographic erase). It may be repeated. An open tenant's are not touched.
func (v *Vault) DestroyKeys(ctx context.Context, tenant ids.Tenant) error {
	if err := v.gone(ctx, tenant); err != nil {
		return err
	}
	return engineError(v.keys.Destroy(ctx, tenant))
}

// Destroy removes what is stored of a closed tenant, rows and files, overwriting files first. It may be repeated. Destroy
// the keys before.
func (v *Vault) Destroy(ctx context.Context, tenant ids.Tenant) error {
	if err := v.gone(ctx, tenant); err != nil {
		return err
	}
	if err := v.engine.Remove(ctx, tenant); err != nil {
		return engineError(fmt.Errorf("destroy a tenant's rows: %w", err))
	}
	return durable.Destroy(filepath.Join(v.blobs, tenant.String()))
}

// gone refuses whoever is not closed.
func (v *Vault) gone(ctx context.Context, tenant ids.Tenant) error {
	if _, err := v.Tenant(ctx, tenant); !errs.Is(err, errs.NotFound) || tenant == ids.Installation || tenant.IsZero() {
		return errs.New(errs.Conflict, "Only a closed workspace is destroyed.").Because(err)
	}
	return nil
}
