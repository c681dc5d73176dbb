package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aver/base/ids"
	"aver/vault"
	"aver/vault/engine"
)

// Health is what an examination of an installation looked at, and what it found.
type Health struct {
	Well     bool     `json:"well"`
	Stores   int      `json:"stores"`  // opened and read through, the installation's own among them
	Entries  int64    `json:"entries"` // of their logs, recomputed
	Findings []string `json:"findings"`
}

// Advice for what an examination finds. Who puts a store back does not bring back anybody who was erased.
const (
	putBackStore = "put it back from the newest backup: aver backup restore, aver backup release"
	putBackKeys  = "put it back from the newest copy of the keys, aver-keys-….age beside the backups, opened with age"
	putBackRoot  = "put your copy of it back; without it nothing can be read"
)

// Examine opens the installation that the configuration names, reads everything that it keeps, closes it and says what is
// wrong and what to do. It changes no data.
func Examine(ctx context.Context, c Config) Health {
	h := Health{Findings: c.missing()}
	if len(h.Findings) > 0 { // opening would make the missing parts anew, empty
		return h
	}
	a, err := Open(ctx, c)
	if err != nil {
		h.found("the installation does not open: %v; if its file is damaged, %s", err, putBackStore)
		return h
	}
	h.Findings = append(h.Findings, a.Unsafe(ctx)...)
	a.examine(ctx, &h)
	if err := a.Close(); err != nil {
		h.found("the installation does not close: %v", err)
	}
	h.Well = len(h.Findings) == 0
	return h
}

func (h *Health) found(format string, args ...any) {
	h.Findings = append(h.Findings, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", ", "))
}

// missing lists what every installation on files has and this one has not.
func (c Config) missing() []string {
	out := []string{}
	own := ids.Installation.String()
	need := [][2]string{
		{filepath.Join(c.Data, "stores", own, "data.db"), putBackStore},
		{filepath.Join(c.Data, "keys", "stores", own, "data.db"), putBackKeys},
		{filepath.Join(c.Data, "keys", "pages", own), putBackKeys},
	}
	if c.Database != "" {
		need = nil
	}
	if c.keptInFile() {
		need = append(need, [2]string{c.rootFile(), putBackRoot})
	}
	for _, n := range need {
		if _, err := os.Stat(n[0]); errors.Is(err, fs.ErrNotExist) {
			out = append(out, n[0]+" is missing: "+n[1])
		}
	}
	return out
}

func (a *App) examine(ctx context.Context, h *Health) {
	tenants, err := a.Vault.AllTenants(ctx, true)
	if err != nil {
		h.found("the directory of workspaces cannot be read: %v; %s", err, putBackStore)
	}
	for _, t := range append(tenants, vault.Tenant{ID: ids.Installation, Slug: "the installation"}) {
		a.examineTenant(ctx, h, t)
	}
}

// examineTenant goes from the keys outwards: what cannot be opened need not be read.
func (a *App) examineTenant(ctx context.Context, h *Health, t vault.Tenant) {
	_, err := a.Vault.Keys().Tenant(ctx, t.ID)
	if err == nil {
		err = readThrough(ctx, a.stores.keyStore, t.ID)
	}
	if err != nil {
		h.found("%s: its keys cannot be read: %v; %s", t.Slug, err, putBackKeys)
		return
	}
	if err := readThrough(ctx, a.stores.data, t.ID); err != nil {
		h.found("%s: its store %s cannot be read: %v; %s", t.Slug, a.storeOf(t.ID), err, putBackStore)
		return
	}
	h.Stores++
	entries, wrong, err := a.Audit.Examine(ctx, t.ID)
	h.Entries += entries
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	for _, w := range wrong {
		h.found("%s: its log: %s; keep this store as evidence, and %s", t.Slug, w, putBackStore)
	}
	lost, err := a.Vault.LostBlobs(ctx, t.ID)
	if err != nil {
		h.found("%s: its list of files cannot be read: %v; %s", t.Slug, err, putBackStore)
	}
	for _, path := range lost {
		h.found("%s: the file %s is missing; %s", t.Slug, path, putBackStore)
	}
}

// readThrough looks at every page of a store if it is a file; a server does that for its own.
func readThrough(ctx context.Context, e engine.Engine, tenant ids.Tenant) error {
	if x, ok := e.(engine.Examiner); ok {
		return x.Examine(ctx, tenant)
	}
	return e.Read(ctx, tenant, func(engine.Conn) error { return nil })
}

// storeOf names a tenant's store to whoever has to look for it.
func (a *App) storeOf(tenant ids.Tenant) string {
	if a.stores.embedded == nil {
		return "in the database"
	}
	return filepath.Join(a.Config.Data, "stores", tenant.String(), "data.db")
}
