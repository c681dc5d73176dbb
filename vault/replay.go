package vault

import (
	"context"
	"fmt"

	"aver/base/ids"
)

// ReplayErasures removes from a tenant's store whatever is left of everybody in the erasure ledger, finished or not: for
// a store that comes from a backup older than the ledger. It returns how many people the ledger lists.
func (v *Vault) ReplayErasures(ctx context.Context, tenant ids.Tenant) (int, error) {
	all, err := v.keys.Erasures(ctx, tenant, false)
	if err != nil {
		return 0, fmt.Errorf("read the erasure ledger: %w", err)
	}
	for i, e := range all {
		if err := v.finishErasure(ctx, tenant, e.Subject); err != nil {
			return i, fmt.Errorf("replay an erasure: %w", err)
		}
	}
	return len(all), v.engine.Scrub(ctx, tenant)
}
