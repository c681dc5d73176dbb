package app_test

import (
	"testing"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/trust/identity"
	"aver/vault"
)

func TestThatTheStoreDoesNotAnswerIsNotThatNobodyHandedAFileIn(t *testing.T) {
	t.Parallel()
	a := opened(t)
	tenant, err := a.CreateTenant(t.Context(), "shop", "Kowal Bikes")
	if err != nil {
		t.Fatal(err)
	}
	file := ids.NewObject(a.Vault.Now())
	look := func() (known bool, err error) {
		failed := a.Vault.View(t.Context(), identity.System(tenant.ID, "test"), actLook, func(tx *vault.Tx) error {
			known, err = app.Handed(tx, file)
			return nil
		})
		if failed != nil {
			t.Log(failed)
		}
		return known, err
	}
	if by, err := look(); by || err != nil {
		t.Errorf("of a file that nobody knows it says %v, %v", by, err)
	}
	if err := a.Spoil(t.Context(), tenant.ID, "ALTER TABLE uploads RENAME TO elsewhere"); err != nil {
		t.Fatal(err)
	}
	if by, err := look(); by || err == nil {
		t.Errorf("of a store without the table it says %v, %v", by, err)
	}
}
