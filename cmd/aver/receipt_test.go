package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aver/cmd/aver/app"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/work/contacts"
)

// erased makes an installation, erases somebody there, and keeps the receipt and the key.
func erased(t *testing.T) (receipt []byte, key string) {
	t.Helper()
	config := app.Config{Data: filepath.Join(t.TempDir(), "data"), Calm: true}
	err := with(t.Context(), config, func(a *app.App) error {
		stop, err := a.Alive(t.Context())
		if err != nil {
			return err
		}
		defer stop()
		return eraseSomebody(t.Context(), a, &receipt, &key)
	})
	if err != nil {
		t.Fatal(err)
	}
	return receipt, key
}

func eraseSomebody(ctx context.Context, a *app.App, receipt *[]byte, key *string) error {
	tenant, err := a.CreateTenant(ctx, "kowal", "Kowal Bikes")
	if err != nil {
		return err
	}
	who, err := a.Contacts.NewVisitor(ctx, tenant.ID, contacts.Draft{Name: "Ada Kowal"})
	if err != nil {
		return err
	}
	done, err := a.Rights.Erase(ctx, identity.System(tenant.ID, "test"), who.ID, "test")
	if err != nil {
		return err
	}
	if *receipt, err = a.Rights.ReceiptFile(ctx, tenant.ID, done.ID); err != nil {
		return err
	}
	*key, err = a.Audit.VerifierKey(ctx)
	return err
}

func TestTheReceiptOfAConsentIsVerifiedWithoutTheInstallation(t *testing.T) {
	t.Parallel()
	var receipt []byte
	var key string
	must(t, with(t.Context(), app.Config{Data: filepath.Join(t.TempDir(), "data"), Calm: true}, func(a *app.App) error {
		stop, err := a.Alive(t.Context())
		must(t, err)
		defer stop()
		tenant, err := a.CreateTenant(t.Context(), "kowal", "Kowal Bikes")
		must(t, err)
		who, err := a.Contacts.NewVisitor(t.Context(), tenant.ID, contacts.Draft{Name: "Ada Kowal"})
		must(t, err)
		visitor := a.Identity.AsVisitor(tenant.ID, who.ID, false)
		must(t, a.Consent.Record(t.Context(), visitor, who.ID, consent.Choice{Purpose: consent.Support, Version: "1", Language: "pl", Granted: true}))
		history, err := a.Consent.History(t.Context(), visitor, who.ID)
		must(t, err)
		receipt, err = a.Receipts.File(t.Context(), visitor, history[0].ID.String(), who.ID)
		must(t, err)
		key, err = a.Audit.VerifierKey(t.Context())
		return err
	}))
	file := filepath.Join(t.TempDir(), "receipt.json")
	must(t, os.WriteFile(file, receipt, 0o600))
	for _, command := range []string{"consent", "receipt"} {
		if out, _ := says(t, exitOK, command, "verify", file, "--key", key); !strings.Contains(out, "The receipt verifies") || !strings.Contains(out, "agreed to the purpose support of Kowal Bikes") || !strings.Contains(out, "Jeśli się zgodzisz") {
			t.Errorf("%s said %q", command, out)
		}
	}
	must(t, os.WriteFile(file, bytes.Replace(receipt, []byte("ConsentGiven"), []byte("ConsentTaken"), 1), 0o600))
	says(t, exitNo, "consent", "verify", file, "--key", key)
	says(t, exitUsage, "consent", "verify")
	says(t, exitError, "consent", "verify", file+".none", "--key", key)
}

func TestAReceiptIsVerifiedWithoutTheInstallation(t *testing.T) {
	t.Parallel()
	receipt, key := erased(t)
	file := filepath.Join(t.TempDir(), "receipt.json")
	keep := func(b []byte) {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keep(receipt)
	if out, _ := says(t, exitOK, "receipt", "verify", file, "--key", key); !strings.Contains(out, "The receipt verifies") || !strings.Contains(out, "was made unreadable") {
		t.Errorf("said %q", out)
	}
	if out, _ := says(t, exitOK, "receipt", "verify", file, "--key", key, "--json"); !strings.Contains(out, `"verifies": true`) {
		t.Errorf("said %q", out)
	}
	says(t, exitUsage, "receipt", "verify", file)
	says(t, exitError, "receipt", "verify", file+".none", "--key", key)
	altered := bytes.Replace(receipt, []byte("con_"), []byte("con_7"), 1)
	keep(altered)
	if out, _ := says(t, exitNo, "receipt", "verify", file, "--key", key); !strings.Contains(out, "the statement was altered") {
		t.Errorf("of an altered one: %q", out)
	}
}
