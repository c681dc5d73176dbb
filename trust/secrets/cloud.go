//go:build gocloud

package secrets

import (
	"context"
	"errors"
	"fmt"

	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/awskms"        // awskms://
	_ "gocloud.dev/secrets/azurekeyvault" // azurekeyvault://
	_ "gocloud.dev/secrets/gcpkms"        // gcpkms://
	_ "gocloud.dev/secrets/localsecrets"  // base64key://, for tests

	"aver/base/aead"
	"aver/vault/keyring"
)

// Clouds tells whether this program was built with the clouds' drivers.
const Clouds = true

// keeper is a cloud's key. The drivers take no additional data, so the place travels inside what they seal.
type keeper struct{ of *secrets.Keeper }

func openCloud(ctx context.Context, _, address string) (keyring.Root, error) {
	of, err := secrets.OpenKeeper(ctx, address)
	if err != nil {
		return nil, errors.New("open the root key: no driver takes this address")
	}
	return keeper{of}, nil
}

// Wrap has a key sealed together with its place.
func (k keeper) Wrap(ctx context.Context, key, place []byte) ([]byte, error) {
	sealed, err := k.of.Encrypt(ctx, aead.Place(place, key))
	if err != nil {
		return nil, fmt.Errorf("wrap a key: %w", classified(err))
	}
	return sealed, nil
}

// Unwrap has a key opened and compares its place.
func (k keeper) Unwrap(ctx context.Context, wrapped, place []byte) ([]byte, error) {
	plain, err := k.of.Decrypt(ctx, wrapped)
	if err != nil {
		return nil, fmt.Errorf("unwrap a key: %w", classified(err))
	}
	head := aead.Place(place, nil) // ends with the length of the key, which is 4 bytes
	at := len(head)
	if len(plain) < at || string(plain[:at-4]) != string(head[:at-4]) {
		return nil, aead.ErrOpen
	}
	return plain[at:], nil
}

// classified tells apart what may succeed later. The drivers' errors name keys, hosts and permissions.
func classified(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound, gcerrors.InvalidArgument, gcerrors.PermissionDenied, gcerrors.FailedPrecondition, gcerrors.Unimplemented:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return away(err)
}
