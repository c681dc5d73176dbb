package residency_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/residency"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

var (
	root     = vaulttest.System(ids.Installation)
	actWrite = vault.Act("test.write", purpose.Storage, vault.System())
)

func TestMain(m *testing.M) { moduletest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// each runs a test on both engines, in a vault with two workspaces that are at home in eu.
func each(t *testing.T, test func(*testing.T, *vaulttest.Kit, *residency.Service)) {
	t.Parallel()
	vaulttest.Each(t, moduletest.Config(t, residency.New(nil).Module()), func(t *testing.T, k *vaulttest.Kit) {
		_, err := residency.Settle(t.Context(), k.Vault, "")
		must(t, err) // local: both are elsewhere
		test(t, k, residency.New(k.Vault))
	})
}

// write tries to write something of a tenant's.
func write(t *testing.T, k *vaulttest.Kit, tenant ids.Tenant) error {
	t.Helper()
	return k.Vault.Do(t.Context(), vaulttest.System(tenant), actWrite, func(*vault.Tx) error { return nil })
}

// settled is an installation that stands in eu, where the two workspaces of the kit are at home.
func settled(t *testing.T, k *vaulttest.Kit) {
	t.Helper()
	k.Vault.Settle("eu")
}

func TestAWorkspaceElsewhereIsNeitherReadNorWrittenAndTheLogSaysWhoTried(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, _ *residency.Service) {
		settled(t, k)
		must(t, write(t, k, k.Tenant))
		k.Vault.Settle("in")
		before, _, _, err := k.Vault.Head(t.Context(), k.Tenant)
		must(t, err)
		err = write(t, k, k.Tenant)
		if !errs.Is(err, errs.Misdirected) || errs.AsProblem(err).Region != "eu" || errs.AsProblem(err).Status != http.StatusMisdirectedRequest {
			t.Fatalf("a write was answered with %v", err)
		}
		if _, err := k.Vault.NewSubject(t.Context(), vaulttest.System(k.Tenant)); !errs.Is(err, errs.Misdirected) {
			t.Errorf("a person was made: %v", err)
		}
		if _, err := k.Vault.PutBlob(t.Context(), vaulttest.System(k.Tenant), ids.Subject{}, "text/plain", strings.NewReader("x"), 10); !errs.Is(err, errs.Misdirected) {
			t.Errorf("a file was taken: %v", err)
		}
		if err := k.Vault.View(t.Context(), vaulttest.System(k.Tenant), actWrite, func(*vault.Tx) error { return nil }); !errs.Is(err, errs.Misdirected) {
			t.Errorf("a read was answered with %v", err)
		}
		if after, _, _, err := k.Vault.Head(t.Context(), k.Tenant); err != nil || after != before {
			t.Errorf("the tenant's log grew from %d to %d: %v", before, after, err)
		}
		if !slices.ContainsFunc(entries(t, k), func(e journal.Entry) bool {
			return e.Outcome == journal.Denied && e.Action == "test.write" && e.ActorName == "test" && len(e.Touched) == 1 && strings.HasSuffix(string(e.Touched[0].Key), string(k.Tenant.Bytes()))
		}) {
			t.Error("the installation's log has no refusal")
		}
		if all, err := k.Vault.AllTenants(t.Context(), true); err != nil || len(all) != 0 {
			t.Errorf("tenants of another region are worked on: %v, %v", all, err)
		}
		k.Vault.Settle("eu")
		must(t, write(t, k, k.Tenant))
	})
}

func entries(t *testing.T, k *vaulttest.Kit) []journal.Entry {
	t.Helper()
	list, err := k.Vault.Entries(t.Context(), ids.Installation, 0, 1000)
	must(t, err)
	return list
}

func TestAHomeIsGivenAtTheBeginningAndChangedByNoSetting(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, _ *residency.Service) {
		if region, err := residency.Settle(t.Context(), k.Vault, ""); err != nil || region != residency.Local {
			t.Fatalf("an installation that was never named stands in %s: %v", region, err)
		}
		named, err := k.Vault.CreateTenant(t.Context(), vault.Tenant{Slug: "first", Name: "First"})
		must(t, err)
		canary, err := k.Vault.CreateTenant(t.Context(), vault.Tenant{Slug: "bird", Name: "Bird", Canary: true})
		must(t, err)
		if _, err := residency.Settle(t.Context(), k.Vault, "Not a region"); !errs.Is(err, errs.Invalid) {
			t.Errorf("a region without form: %v", err)
		}
		if _, err := residency.Settle(t.Context(), k.Vault, "in"); err != nil { // named for the first time
			t.Fatal(err)
		}
		for _, id := range []ids.Tenant{named.ID, canary.ID} {
			if got, err := k.Vault.Tenant(t.Context(), id); err != nil || got.Region != "in" {
				t.Errorf("after the region was named: %s, %v", got.Region, err)
			}
		}
		if _, err := residency.Settle(t.Context(), k.Vault, "us"); !errs.Is(err, errs.Conflict) {
			t.Errorf("a second name: %v", err)
		}
		if _, err := k.Vault.CreateTenant(t.Context(), vault.Tenant{Slug: "far", Name: "Far", Region: "us"}); !errs.Is(err, errs.Misdirected) {
			t.Errorf("a workspace of another region was made: %v", err)
		}
		if region, err := residency.Settle(t.Context(), k.Vault, ""); err != nil || region != "in" {
			t.Errorf("afterwards it stands in %s: %v", region, err)
		}
	})
}

func TestARegionWithCanariesAloneMayMove(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *residency.Service) {
		_, err := residency.Settle(t.Context(), k.Vault, "in")
		must(t, err)
		canary, err := k.Vault.CreateTenant(t.Context(), vault.Tenant{Slug: "bird", Name: "Bird", Canary: true})
		must(t, err)
		must(t, s.Refer(t.Context(), root, ids.NewTenant(vaulttest.Start), "far", "us"))
		if _, err := residency.Settle(t.Context(), k.Vault, "us"); !errs.Is(err, errs.Conflict) {
			t.Errorf("a workspace elsewhere would have become one of ours without its data: %v", err)
		}
		must(t, s.Unrefer(t.Context(), root, "far"))
		_, err = residency.Settle(t.Context(), k.Vault, "us")
		must(t, err)
		if got, err := k.Vault.Tenant(t.Context(), canary.ID); err != nil || got.Region != "us" {
			t.Errorf("the canary is at home in %s: %v", got.Region, err)
		}
	})
}

func TestWhoLooksForAWorkspaceIsToldItsRegion(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *residency.Service) {
		settled(t, k)
		far := ids.NewTenant(vaulttest.Start)
		must(t, s.Refer(t.Context(), root, far, "far", "in"))
		h := moduletest.Edge(moduletest.Mux(s.Module()), vault.Actor{}, page.View{})
		ask := func(name string) *httptest.ResponseRecorder {
			r, w := httptest.NewRequest(http.MethodGet, residency.WellKnown+"?w="+name, nil), httptest.NewRecorder()
			r.Header.Set("Accept", "application/json")
			h.ServeHTTP(w, r)
			return w
		}
		for name, want := range map[string]int{
			"acme": 200, "ws_" + letters(k.Tenant): 200, "far": 421, "ws_" + letters(far): 421,
			"nobody": 404, "ws_" + letters(ids.NewTenant(vaulttest.Start)): 404, "ws_x": 404, "": 404, "ten_" + letters(k.Tenant): 404,
		} {
			a := ask(name)
			if a.Code != want {
				t.Errorf("%s: %d %s", name, a.Code, a.Body)
			}
			if want == 200 && strings.TrimSpace(a.Body.String()) != `{"region":"eu"}` {
				t.Errorf("%s: %s", name, a.Body)
			}
			if want == 421 && !strings.Contains(a.Body.String(), `"region":"in"`) {
				t.Errorf("%s: %s", name, a.Body)
			}
		}
		list, err := s.Elsewhere(t.Context())
		if err != nil || len(list) != 1 || list[0].Slug != "far" || list[0].Name != "" {
			t.Errorf("elsewhere: %+v, %v", list, err)
		}
		if _, err := k.Vault.CreateTenant(t.Context(), vault.Tenant{Slug: "far", Name: "Far"}); !errs.Is(err, errs.Conflict) {
			t.Errorf("a workspace with the name of one elsewhere: %v", err)
		}
	})
}

func letters(tenant ids.Tenant) string { return strings.TrimPrefix(tenant.String(), "ten_") }

func TestOtherRegionsAreListedWithAddressesThatBrowsersTrust(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *residency.Service) {
		settled(t, k)
		ctx := t.Context()
		must(t, s.Add(ctx, root, "in", "https://in.chat.example:8443/"))
		must(t, s.Add(ctx, root, "in", "https://in.chat.example"))
		must(t, s.Add(ctx, root, "us", "https://us.chat.example"))
		for _, wrong := range []string{"", "in.chat.example", "http://in.chat.example", "https://", "https://a@b.example", "https://a.example/path", "https://a.example?x", "https://a.example#x"} {
			if err := s.Add(ctx, root, "ch", wrong); !errs.Is(err, errs.Invalid) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		if err := s.Add(ctx, root, "eu", "https://eu.chat.example"); !errs.Is(err, errs.Conflict) {
			t.Errorf("its own region: %v", err)
		}
		if err := s.Add(ctx, vaulttest.User(ids.Installation, vault.Owner), "ch", "https://ch.chat.example"); !errs.Is(err, errs.Forbidden) {
			t.Errorf("somebody with a browser: %v", err)
		}
		list, err := s.List(ctx)
		if err != nil || !slices.Equal(list, []residency.Address{{Region: "in", URL: "https://in.chat.example"}, {Region: "us", URL: "https://us.chat.example"}}) {
			t.Errorf("listed %v, %v", list, err)
		}
		if got, err := s.Locate(ctx, "in"); got != "https://in.chat.example" || err != nil {
			t.Errorf("in is at %q, %v", got, err)
		}
		must(t, s.Remove(ctx, root, "in"))
		if got, err := s.Locate(ctx, "in"); got != "" || err != nil {
			t.Errorf("after its removal in is at %q, %v", got, err)
		}
		gone, stop := context.WithCancel(ctx)
		stop()
		if _, err := s.Locate(gone, "us"); !errors.Is(err, context.Canceled) {
			t.Errorf("what kept it from looking is not told: %v", err)
		}
	})
}
