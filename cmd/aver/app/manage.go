package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/edge"
	"aver/vault"
)

// Installed tells whether the data folder holds an installation: every one, on PostgreSQL too, keeps the seed of its
// signatures there.
func (c Config) Installed() error {
	if _, err := os.Stat(filepath.Join(c.Data, "keys", seedName, ids.Installation.String())); err == nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Data, "stores")); err == nil {
		return fmt.Errorf("there is no installation in %s: it has stores and no keys; put the folder keys of the installation back", c.Data)
	}
	return fmt.Errorf("there is no installation in %s: name its folder with --data, or make one with aver serve or aver tenant create", c.Data)
}

// Workspace finds a workspace that is open and at home here by its name, for whoever types it.
func (a *App) Workspace(ctx context.Context, slug string) (vault.Tenant, error) {
	t, err := a.Vault.TenantBySlug(ctx, slug)
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "There is no workspace "+strconv.Quote(slug)+" here: aver tenant list names those there are.")
	}
	return t, err
}

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
	return append(out, a.Config.exposed()...)
}

// exposed lists what the settings open to people who should not have it.
func (c Config) exposed() (out []string) {
	if c.Admin != "" && !loopback(c.Admin) {
		out = append(out, "administration: "+c.Admin+" can be reached from other machines, and shows metrics and profiles to whoever asks; give --admin an address of this machine, such as "+edge.DefaultAdmin)
	}
	for _, p := range c.Proxies {
		if p.Bits() == 0 {
			out = append(out, "proxies: "+p.String()+" is everybody, so anybody could choose the address they seem to come from; name the proxy's own network")
		}
	}
	return out
}

// loopback tells whether only this machine reaches an address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "localhost" {
		return err == nil
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
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
