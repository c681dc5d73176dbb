//go:build !gocloud

package secrets

import (
	"context"
	"fmt"

	"aver/vault/keyring"
)

// Clouds tells whether this program was built with the clouds' drivers.
const Clouds = false

func openCloud(_ context.Context, scheme, _ string) (keyring.Root, error) {
	return nil, fmt.Errorf("open the root key: this program does not know %s://; for a cloud's key manager build it with -tags gocloud", scheme)
}
