package keyring

import (
	"time"

	"aver/base/ids"
)

// Outlive makes a tenant's keys in memory as old as they may get, and older.
func (k *Keyring) Outlive(tenant ids.Tenant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.tenants[tenant]; t != nil {
		t.loaded = time.Now().Add(-trust)
	}
}

// RewrapBatch is how many subject keys are rewrapped in one transaction.
const RewrapBatch = rewrapBatch
