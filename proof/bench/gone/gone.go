// Package gone measures what it takes until nobody can read a person's data any more.
package gone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

// Times are the slowest of several, and of the writes beside them the median.
type Times struct {
	Request time.Duration // an erasure as people ask for it, until nothing opens
	Key     time.Duration // the ledger and the key alone
	Write   time.Duration // a page that is on the same disk for good
}

// Measure erases people as they ask for it, and destroys the keys of as many others.
func Measure(ctx context.Context, a *app.App, tenant ids.Tenant, asked, keys []ids.Contact) (Times, error) {
	var t Times
	var writes []time.Duration
	for i, who := range asked {
		begun := time.Now()
		if _, err := a.Rights.Erase(ctx, vaulttest.User(tenant, vault.DPO), who, "asked"); err != nil {
			return t, fmt.Errorf("fulfil an erasure: %w", err)
		}
		t.Request = max(t.Request, time.Since(begun))
		begun = time.Now()
		if err := a.Vault.Keys().Erase(ctx, tenant, keys[i], "asked"); err != nil {
			return t, fmt.Errorf("destroy a key: %w", err)
		}
		t.Key = max(t.Key, time.Since(begun))
		took, err := synced(a.Config.Data)
		if err != nil {
			return t, err
		}
		writes = append(writes, took)
	}
	slices.Sort(writes)
	t.Write = writes[len(writes)/2]
	return t, nil
}

func synced(folder string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(folder, "page"))
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	_, err = f.Write(make([]byte, 4096))
	err = errors.Join(err, f.Sync())
	took := time.Since(begun)
	return took, errors.Join(err, f.Close())
}

// FromACopy takes a copy of everything, the root key with it, as a thief of the disk would, and tries to read.
func FromACopy(ctx context.Context, folder string, tenant ids.Tenant, as *vault.Action, people []ids.Contact) error {
	thief := folder + "-copy"
	if out, err := exec.CommandContext(ctx, "cp", "-a", folder, thief).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the live files: %w\n%s", err, out)
	}
	defer os.RemoveAll(thief)
	a, err := app.Open(ctx, app.Config{Data: thief, Log: io.Discard})
	if err != nil {
		return fmt.Errorf("open the copy: %w", err)
	}
	defer a.Close()
	return a.Vault.View(ctx, identity.System(tenant, "bench"), as, func(tx *vault.Tx) error {
		for _, who := range people {
			lines, err := inbox.Messages.Find(tx, "contact = ? LIMIT 100", who)
			if err != nil {
				return err
			}
			for _, l := range lines {
				if !l.Body.IsZero() {
					return errors.New("an erased person's message opens from a copy of the live files")
				}
			}
		}
		return nil
	})
}
