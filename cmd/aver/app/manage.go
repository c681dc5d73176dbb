package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"aver/base/ids"
	"aver/vault"
	"aver/vault/keyring"
)

// Unsafe lists what is unsafe about the installation as it is set up, in words; nothing if it may serve.
func (a *App) Unsafe(ctx context.Context) []string {
	var out []string
	for name, check := range map[string]func(context.Context) error{"stores": a.stores.data.Check, "key store": a.stores.keyStore.Check} {
		if err := check(ctx); err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				out = append(out, name+": "+line)
			}
		}
	}
	if a.Config.Mail != nil {
		if err := a.Config.Mail.Check(); err != nil {
			out = append(out, "mail: "+err.Error())
		}
	}
	return out
}

// CreateTenant makes a workspace in this installation's region.
func (a *App) CreateTenant(ctx context.Context, slug, name string) (vault.Tenant, error) {
	return a.Vault.CreateTenant(ctx, vault.Tenant{Slug: slug, Name: name, Region: a.Config.Region})
}

// RotateRoot puts a new version into the root key file, wraps every key again under it, and drops the old version once
// nothing needs it. It may be repeated after a crash.
func (a *App) RotateRoot(ctx context.Context) error {
	if _, ok := a.root.(*keyring.LocalRoot); !ok || os.Getenv("AVER_ROOT_KEY") != "" {
		return errors.New("the root key is not kept in a file: rotate it where it is kept, then run this again")
	}
	root, err := keyring.AddRootVersion(a.Config.rootFile())
	if err != nil {
		return err
	}
	keys := keyring.Open(a.stores.keyStore, root, a.Config.Clock)
	tenants, err := a.Vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range append(tenants, vault.Tenant{ID: ids.Installation}) {
		if err := keys.RewrapRoot(ctx, t.ID); err != nil {
			return fmt.Errorf("wrap the keys of %s again: %w", t.Slug, err)
		}
		if a.stores.pages == nil {
			continue
		}
		if err := (keyring.Pages{Dir: a.stores.pages.Dir, Root: root}).Rewrap(ctx, t.ID); err != nil {
			return fmt.Errorf("wrap the page key of %s again: %w", t.Slug, err)
		}
	}
	for _, dir := range a.secretFolders() {
		if err := (keyring.Pages{Dir: dir, Root: root}).Rewrap(ctx, ids.Installation); err != nil {
			return fmt.Errorf("wrap a secret again: %w", err)
		}
	}
	return keyring.DropOldRoots(a.Config.rootFile())
}

// OpenAPI is the description of the API, as it is served and as openapi.json keeps it.
func (a *App) OpenAPI() ([]byte, error) {
	raw, err := json.MarshalIndent(a.Edge.API().OpenAPI(), "", " ")
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	return append(raw, '\n'), nil
}
