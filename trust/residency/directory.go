package residency

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/request"
	"aver/vault"
	"aver/vault/purpose"
)

// Address is where another region is reached.
type Address struct {
	Region string `vault:"region,key" json:"region"`
	URL    string `vault:"url,tenant:tenant.settings" json:"url"` // https://host[:port]
}

var addresses = vault.Define[Address]("regions", vault.Purpose("sending people to the region that keeps their workspace"), vault.KeepWhile("as long as the region is listed"))

var (
	actAdd     = vault.Act("region.add", purpose.Workspace, vault.System())
	actRemove  = vault.Act("region.remove", purpose.Workspace, vault.System())
	actRefer   = vault.Act("tenant.refer", purpose.Workspace, vault.System())
	actUnrefer = vault.Act("tenant.unrefer", purpose.Workspace, vault.System())
)

// ParseURL reads the public address of a region: https, a host, and nothing after it.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errs.New(errs.Invalid, "A region's address is https:// and a host, such as https://in.chat.example.")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// Add lists another region, or gives a listed one another address.
func (s *Service) Add(ctx context.Context, actor vault.Actor, region, address string) error {
	if err := wellFormed(region); err != nil {
		return err
	}
	u, err := ParseURL(address)
	if err != nil {
		return err
	}
	if region == s.vault.Region() {
		return errs.New(errs.Conflict, "That is this installation's own region.")
	}
	return s.vault.Do(ctx, actor, actAdd, func(tx *vault.Tx) error { return addresses.Put(tx, Address{region, u.String()}) })
}

// Remove takes a region off the list; errs.NotFound if it is not on it.
func (s *Service) Remove(ctx context.Context, actor vault.Actor, region string) error {
	err := s.vault.Do(ctx, actor, actRemove, func(tx *vault.Tx) error { return addresses.Delete(tx, region) })
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "No address of a region of this name is known here.")
	}
	return err
}

// List is the other regions, by code.
func (s *Service) List(ctx context.Context) (list []Address, err error) {
	err = s.vault.View(ctx, system(), actRead, func(tx *vault.Tx) (err error) {
		list, err = addresses.Find(tx, "ORDER BY region")
		return err
	})
	return list, err
}

// Locate is the address of a region; empty and no error if none is known.
func (s *Service) Locate(ctx context.Context, region string) (string, error) {
	var found Address
	err := s.vault.View(ctx, system(), actRead, func(tx *vault.Tx) (err error) {
		found, err = addresses.Get(tx, region)
		return err
	})
	if err != nil && !errs.Is(err, errs.NotFound) {
		return "", fmt.Errorf("look up the address of a region: %w", err)
	}
	return found.URL, nil
}

// Refer notes that a workspace is at home in another region: its identifier and its name in addresses, and nothing else.
func (s *Service) Refer(ctx context.Context, actor vault.Actor, id ids.Tenant, slug, region string) error {
	if err := wellFormed(region); err != nil {
		return err
	}
	if region == s.vault.Region() {
		return errs.New(errs.Conflict, "That is this installation's own region: its workspaces are made here, not referred to.")
	}
	return s.vault.Do(ctx, actor, actRefer, func(tx *vault.Tx) error {
		same, err := vault.Tenants.Lookup(tx, "slug", slug)
		if err != nil {
			return err
		}
		if len(same) > 0 {
			return errs.New(errs.Conflict, "There is a workspace with this name already.")
		}
		return vault.Tenants.Add(tx, vault.Tenant{ID: id, Slug: slug, Region: region, CreatedAt: tx.Now()})
	})
}

// Unrefer forgets where a workspace of another region is; errs.NotFound if it was not referred to.
func (s *Service) Unrefer(ctx context.Context, actor vault.Actor, slug string) error {
	return s.vault.Do(ctx, actor, actUnrefer, func(tx *vault.Tx) error {
		same, err := vault.Tenants.Lookup(tx, "slug", slug)
		if err != nil {
			return err
		}
		if len(same) != 1 || same[0].Region == s.vault.Region() {
			return errs.New(errs.NotFound, "No workspace of another region has this name.")
		}
		return vault.Tenants.Delete(tx, same[0].ID)
	})
}

// Elsewhere lists the workspaces of other regions that this installation knows of.
func (s *Service) Elsewhere(ctx context.Context) (list []vault.Tenant, err error) {
	err = s.vault.View(ctx, system(), actRead, func(tx *vault.Tx) (err error) {
		list, err = vault.Tenants.Find(tx, "region <> ? ORDER BY id", s.vault.Region())
		return err
	})
	return list, err
}

// WellKnown answers which region a workspace is at home in: 200 in this one, 421 in another, 404 if nobody knows. Relays
// ask here before they send anything of a visitor anywhere.
const WellKnown = "/.well-known/aver-region"

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET "+WellKnown, request.Handler(s.tell))
}

// tell answers for the query parameter w, the public name of a website (ws_…) or a workspace's name in addresses.
func (s *Service) tell(w http.ResponseWriter, r *http.Request) error {
	t, err := s.find(r.Context(), r.URL.Query().Get("w"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]string{"region": t.Region})
}

func (s *Service) find(ctx context.Context, name string) (vault.Tenant, error) {
	letters, isWebsite := strings.CutPrefix(name, "ws_")
	if !isWebsite {
		return s.vault.TenantBySlug(ctx, name)
	}
	id, err := ids.ParseTenant("ten_" + letters)
	if err != nil {
		return vault.Tenant{}, errs.New(errs.NotFound, "There is no such website here.")
	}
	return s.vault.Tenant(ctx, id)
}
