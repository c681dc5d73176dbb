package app_test

import (
	"errors"
	"testing"

	"aver/base/ids"
	"aver/base/personal"
	"aver/cmd/aver/app"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/inbox"
)

func TestThatTheStoreDoesNotAnswerIsNotThatNobodyHandedAFileIn(t *testing.T) {
	t.Parallel()
	a := opened(t)
	tenant, err := a.CreateTenant(t.Context(), "shop", "Kowal Bikes")
	if err != nil {
		t.Fatal(err)
	}
	file, ctx := ids.NewObject(a.Vault.Now()), t.Context()
	look := func() (known bool, err error) {
		ended := a.Vault.View(ctx, identity.System(tenant.ID, "test"), actLook, func(tx *vault.Tx) error {
			known, err = app.Handed(tx, file)
			return nil
		})
		return known, errors.Join(err, ended)
	}
	if by, err := look(); by || err != nil {
		t.Errorf("of a file that nobody knows it says %v, %v", by, err)
	}
	person, err := a.Vault.NewSubject(ctx, identity.System(tenant.ID, "test"))
	must(t, err)
	must(t, a.Vault.Do(ctx, identity.System(tenant.ID, "test"), actLook, func(tx *vault.Tx) error {
		return inbox.Uploads.Add(tx, inbox.Upload{ID: file, Contact: person, ByPerson: true, Name: personal.Of("letter.txt"), At: tx.Now()})
	}))
	if by, err := look(); !by || err != nil {
		t.Errorf("of a file that the person sent it says %v, %v", by, err)
	}
	must(t, a.Spoil(ctx, tenant.ID, "UPDATE uploads SET name = ?", []byte("no name")))
	if by, err := look(); err == nil {
		t.Errorf("of a row that cannot be read it says %v", by)
	}
}
