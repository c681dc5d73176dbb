package rights_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"aver/base/deadline"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/frame/page/pagetest"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/audit"
	"aver/trust/backups"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/trust/retention"
	"aver/trust/rights"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/trust/rights/web"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// office is the trust modules' pages behind a server, with somebody signed in.
type office struct {
	*world
	server    *httptest.Server
	actor     vault.Actor
	backups   *backups.Service
	retention *retention.Service
	limits    *restriction.Service
}

func openOffice(t *testing.T) *office {
	t.Helper()
	k := vaulttest.Embedded(t, config(t, restriction.New(nil, nil).Module(), retention.New(nil, retention.Config{}).Module(), backups.New(nil, backups.Config{}).Module()))
	o := &office{world: &world{Kit: k, post: newPost(), owner: vaulttest.User(k.Tenant, vault.Owner)}}
	o.actor = o.owner
	o.audit = audit.New(k.Vault)
	o.holds = holds.New(k.Vault, linked)
	o.rights = rights.New(k.Vault, people, identity.New(k.Vault), o.audit, o.holds, o.post)
	o.limits = restriction.New(k.Vault, linked)
	o.retention = retention.New(k.Vault, retention.Config{Files: "letters", Inner: []string{"audit_checkpoints", "backup_drills", "backup_canaries"}})
	o.backups = backups.New(k.Vault, backups.Config{Folder: t.TempDir(), Data: k.Folder, Seed: bytes.Repeat([]byte{1}, 32)})
	mine := []module.Module{o.audit.Module(), o.limits.Module(), o.rights.Module(), o.holds.Module(), web.New(o.rights, "", nil, o.limits).Module(), o.retention.Module(), o.backups.Module()}
	mux := moduletest.Mux(mine...)
	startJobs(t, mine[:len(mine)-1]...) // backups are made when the test says so
	o.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		moduletest.Edge(mux, o.actor, page.View{Tenant: "Acme", Region: "eu", User: "Ada Kowal", Role: "Owner"}).ServeHTTP(w, r)
	}))
	t.Cleanup(o.server.Close)
	return o
}

// furnish gives every page something to show.
func (o *office) furnish(t *testing.T) (contact ids.Contact, pages []string) {
	t.Helper()
	ada := o.add(t, o.Tenant, person{Email: personal.Of("ada@example.org"), Name: personal.Of("Ada Kowal")}, "hello", "again")
	bob := o.add(t, o.Tenant, person{Name: personal.Of("Bob")}, "words")
	wide, narrow := o.hold(t, holds.Draft{Contact: bob, Ground: holds.LegalObligation}), o.hold(t, holds.Draft{Contact: ada, Classes: []string{"letters"}})
	receipt, err := o.rights.Erase(t.Context(), o.owner, bob, "order of the controller")
	must(t, err)
	id, err := o.rights.StartCopy(t.Context(), o.owner, ada)
	must(t, err)
	eventually.Must(t, "the copy", func() bool {
		task, err := o.rights.Task(t.Context(), o.owner, id)
		must(t, err)
		return task.State == "done"
	})
	correction, err := o.rights.Start(t.Context(), o.owner, rights.Wish{Kind: state.Correct, Regime: deadline.CCPA, Text: "My name is spelt Kowall"}, ada)
	must(t, err)
	o.ask(t, rights.Wish{Kind: state.Erasure, Email: "unknown@example.net", Text: "I bought a bicycle in your shop"})
	passed := o.passed(t)
	must(t, o.audit.Rotate(t.Context(), o.owner))
	byLetter, err := o.rights.Enter(t.Context(), o.owner, rights.Wish{Kind: state.Access, Via: record.Letter, Proof: state.Link}, ada)
	must(t, err)

	_, err = o.backups.Now(t.Context(), vaulttest.System(ids.Installation))
	must(t, err)
	_, err = o.backups.Drill(t.Context(), vaulttest.System(ids.Installation), nil)
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { o.retention.Run(ctx); close(done) }()
	o.retention.Record(retention.Seen{Tenant: o.Tenant, Client: netip.MustParseAddr("2001:db8::7"), Agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0 Safari/537.36", Class: "page", Who: vault.AsUser})
	stop()
	<-done
	_ = o.Vault.Do(t.Context(), vaulttest.User(o.Tenant, vault.Operator), vault.Act("settings.change", purpose.Storage), func(*vault.Tx) error { return nil })
	o.Clock.Advance(3 * time.Hour)
	return ada, []string{"/security", "/security/log", "/security/log?outcome=denied", "/security/log?action=nothing", fmt.Sprintf("/security/log/%d", receipt.Index), "/security/connections",
		"/privacy", "/privacy/requests/" + receipt.ID.String(), "/privacy/requests/" + id.String(), "/privacy/people/" + ada.String() + "/erase",
		"/settings/retention", "/settings/retention?class=connections", "/settings/backups",
		"/privacy/holds", "/privacy/people/" + ada.String() + "/hold", "/privacy/holds/" + wide.ID.String(), "/privacy/holds/" + narrow.ID.String(), "/privacy/requests/" + correction.String(), "/privacy/requests/" + passed.ID.String(), "/settings/privacy",
		"/privacy/requests/new", "/privacy/requests/" + byLetter.String(), "/my-data/proof/acme/" + byLetter.String(), "/my-data/receipts", "/my-data", "/my-data/acme?lang=de", "/my-data/acme?lang=ar", "/my-data/acme"}
}

func TestThePagesAreLegibleToEverybody(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	_, paths := o.furnish(t)
	tab := browser.New(t)
	for _, path := range paths {
		tab.Goto(o.server.URL + path)
		axe.Look(t, tab, path)
	}
}

func TestThePagesKeepTheRulesOfPages(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	_, paths := o.furnish(t)
	for _, path := range paths {
		status, body := o.get(t, path)
		if status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
		pagetest.Check(t, body)
	}
	o.actor = vaulttest.User(o.Tenant, vault.Operator)
	for _, path := range paths[:len(paths)-6] {
		if status, _ := o.get(t, path); status != http.StatusForbidden {
			t.Errorf("%s answers an operator with %d", path, status)
		}
	}
	o.actor = vaulttest.User(o.Other, vault.Owner)
	for _, path := range []string{paths[7], paths[8], paths[9]} {
		if status, _ := o.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s answers another workspace with %d", path, status)
		}
	}
}

func (o *office) get(t *testing.T, path string) (int, string) {
	t.Helper()
	res, err := o.server.Client().Get(o.server.URL + path)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(body)
}

func TestAPersonErasesThemselvesOnThePublicPage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.actor = vault.Actor{}
	ada := o.add(t, o.Tenant, person{Email: personal.Of("ada@example.org")}, "hello")
	tab := browser.New(t)
	tab.SetViewport(390, 844, false)
	tab.Goto(o.server.URL + "/my-data/acme")
	tab.Click(`input[value="erasure"]`)
	tab.Type(`input[name="email"]`, "ada@example.org")
	tab.Click(`form.form button`)
	tab.WaitVisible(`input[name="code"]`)
	tab.Picture("portal-code")
	tab.Type(`input[name="code"]`, o.post.code(t))
	tab.Click(`form.form button`)
	tab.WaitVisible(`input[name="confirm"]`)
	tab.Picture("portal-confirm")
	tab.Type(`input[name="confirm"]`, "erase")
	tab.Click(`form.form button`)
	tab.WaitText("body", "Your data was erased")
	tab.Picture("portal-erased")
	if has, err := o.Vault.HasKey(t.Context(), o.owner, ada); err != nil || has {
		t.Errorf("the key is still there: %v, %v", has, err)
	}
}

func TestAnOperatorTypesTheNameBack(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ada := o.add(t, o.Tenant, person{Name: personal.Of("Ada Kowal")}, "hello")
	client := o.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for typed, want := range map[string]int{"Ada": http.StatusUnprocessableEntity, " Ada Kowal ": http.StatusSeeOther} {
		res, err := client.PostForm(o.server.URL+"/privacy/people/"+ada.String()+"/erase", map[string][]string{"confirm": {typed}})
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != want && res.StatusCode != http.StatusNotFound {
			t.Errorf("%q: %d, want %d", typed, res.StatusCode, want)
		}
	}
	if has, _ := o.Vault.HasKey(t.Context(), o.owner, ada); has {
		t.Error("the key is still there")
	}
}
