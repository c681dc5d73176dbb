package identity_test

import (
	"testing"

	"aver/frame/module/moduletest"
	"aver/trust/identity"
	"aver/vault/vaulttest"
)

// house is a vault with the identity service in it. Pages and operations are tested in package web.
type house struct {
	*vaulttest.Kit
	t        *testing.T
	identity *identity.Service
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, moduletest.Config(t, identity.New(nil).Module()), func(t *testing.T, k *vaulttest.Kit) {
		test(t, &house{Kit: k, t: t, identity: identity.New(k.Vault)})
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
