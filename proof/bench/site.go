package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/proof/house"
	"aver/trust/consent"
	"aver/vault"
	"aver/work/contacts"
	"aver/work/inbox"
)

const (
	siteFolder   = "AVER_BENCH_FOLDER"
	siteVisitors = "AVER_BENCH_VISITORS"
	sayPath      = "/bench/say"
)

// visitor is somebody who has written once and can come back.
type visitor struct {
	Token        string
	Conversation ids.Conversation
	Epoch        string
	actor        vault.Actor
}

// averSite is the whole of Aver behind its own edge, with visitors whose tokens are left in the folder. Asked at
// sayPath?n=…, the first n visitors write something from nowhere.
func averSite() http.Handler {
	a, visitors, err := openSite(context.Background(), os.Getenv(siteFolder), os.Getenv(siteVisitors))
	if err != nil {
		fmt.Fprintln(os.Stderr, "open the site:", err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.Handle("/", a.Edge)
	mux.HandleFunc(sayPath, func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err == nil {
			err = house.Each(n, func(i int) error { return visitors[i].say(r.Context(), a, int64(10_000_000+i)) })
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

func openSite(ctx context.Context, folder, count string) (*app.App, []visitor, error) {
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, nil, err
	}
	a, err := app.Open(ctx, app.Config{Data: filepath.Join(folder, "data"), Log: io.Discard, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if err != nil {
		return nil, nil, err
	}
	if err := a.Start(ctx); err != nil {
		return nil, nil, err
	}
	t, err := a.CreateTenant(ctx, "shop", "Shop")
	if err != nil {
		return nil, nil, err
	}
	visitors := make([]visitor, n)
	if err := house.Each(n, func(i int) (err error) { visitors[i], err = newVisitor(ctx, a, t.ID, int64(i+1)); return err }); err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(visitors)
	if err != nil {
		return nil, nil, err
	}
	return a, visitors, os.WriteFile(filepath.Join(folder, "visitors.json"), text, 0o600)
}

func newVisitor(ctx context.Context, a *app.App, tenant ids.Tenant, n int64) (v visitor, err error) {
	notice, err := a.Consent.Current(ctx, tenant, "en")
	if err != nil {
		return v, err
	}
	person, err := a.Contacts.NewVisitor(ctx, tenant, contacts.Draft{Name: fmt.Sprintf("Visitor %d", n)})
	if err != nil {
		return v, err
	}
	v.actor = a.Identity.AsVisitor(tenant, person.ID, false)
	choice := consent.Choice{Purpose: consent.Support, Version: strconv.Itoa(notice.Version), Language: notice.Language, Granted: true}
	if err := a.Consent.Record(ctx, v.actor, person.ID, choice); err != nil {
		return v, err
	}
	if v.Token, err = a.Identity.IssueVisitor(ctx, tenant, person.ID, false); err != nil {
		return v, err
	}
	if err := v.say(ctx, a, n); err != nil {
		return v, err
	}
	mine, err := a.Inbox.Of(ctx, v.actor, person.ID)
	if err != nil || len(mine) != 1 {
		return v, fmt.Errorf("find the conversation: %d of them, %w", len(mine), err)
	}
	v.Conversation, v.Epoch = mine[0].ID, mine[0].Epoch.String()
	return v, nil
}

func (v visitor) say(ctx context.Context, a *app.App, n int64) error {
	_, err := a.Inbox.Receive(ctx, v.actor, inbox.Incoming{ClientID: house.ClientID(n), Text: house.Words(n)})
	return err
}
