package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"aver/vault"
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

// OpenAPI is the description of the API, as it is served and as openapi.json keeps it.
func (a *App) OpenAPI() ([]byte, error) {
	raw, err := json.MarshalIndent(a.Edge.API().OpenAPI(), "", " ")
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	return append(raw, '\n'), nil
}
