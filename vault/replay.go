package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aver/base/ids"
	"aver/vault/table"
)

// ReplayErasures removes from a tenant's store whatever is left of the people whose erasure is not finished or was
// finished after since: for a store that was copied about then. The ledger stays as it is; it speaks of the live store.
// It returns how many people there were.
func (v *Vault) ReplayErasures(ctx context.Context, tenant ids.Tenant, since time.Time) (int, error) {
	late, err := v.keys.Erasures(ctx, tenant, since)
	if err != nil {
		return 0, fmt.Errorf("read the erasure ledger: %w", err)
	}
	var failed error
	for some := range slices.Chunk(late, table.ValuesAtOnce) {
		_, err := v.removePeople(ctx, tenant, subjects(some))
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return 0, fmt.Errorf("replay erasures: %w", failed)
	}
	return len(late), v.engine.Scrub(ctx, tenant)
}
