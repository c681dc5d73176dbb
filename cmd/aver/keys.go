package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/vault"
	"aver/vault/keyring"
)

var keysCommand = command{name: "keys", summary: "show and rotate keys", run: keys, usage: `
aver keys list [SLUG]         versions and ages of the keys of workspaces and of the installation
aver keys rotate SLUG|--all   new sealing and wrapping keys; old data stays readable
aver keys rotate-root         wraps every tenant key again under a new version of the root key

A running server takes the new keys without a restart. Sealing and wrapping keys rotate by themselves every 90 days; the
root key by this command alone, because whoever keeps a copy of it must keep a new one then. If the root key is a file, rotate-root puts a new version in front,
keeps the one before it, and drops older ones: keep a copy of the new file away from the data. If it is kept by a key
manager or in the environment, make the new version there first. An interrupted command may be repeated.`}

func keys(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	all := c.flags.Bool("all", false, "all workspaces and the installation itself")
	words, err := c.parse()
	if err != nil {
		return err
	}
	var do func(*app.App) error
	switch {
	case len(words) == 1 && words[0] == "list" || len(words) == 2 && words[0] == "list" && !*all:
		do = func(a *app.App) error { return listKeys(ctx, c, a, words[1:]) }
	case len(words) == 2 && words[0] == "rotate" && !*all || len(words) == 1 && words[0] == "rotate" && *all:
		do = func(a *app.App) error { return rotateKeys(ctx, c, a, words[1:]) }
	case len(words) == 1 && words[0] == "rotate-root":
		do = func(a *app.App) error { return rotateRoot(ctx, c, a) }
	default:
		return fmt.Errorf("say list [SLUG], rotate SLUG, rotate --all or rotate-root: %w", errUsage)
	}
	return open(ctx, &s, do)
}

// chosen are the workspace of that name, or all and the installation.
func chosen(ctx context.Context, a *app.App, slugs []string) ([]vault.Tenant, error) {
	if len(slugs) > 0 {
		t, err := a.Workspace(ctx, slugs[0])
		return []vault.Tenant{t}, err
	}
	tenants, err := a.Vault.AllTenants(ctx, true)
	return append(tenants, vault.Tenant{ID: ids.Installation, Slug: "(installation)"}), err
}

// keyring of one workspace, for programs.
type keyLine struct {
	Workspace string            `json:"workspace"`
	ID        ids.Tenant        `json:"id"`
	Versions  []keyring.Version `json:"versions"`
	Root      map[uint32]int    `json:"root"` // how many of them each version of the root key wraps; under 0 if it does not tell
}

func readKeys(ctx context.Context, a *app.App, t vault.Tenant) (keyLine, error) {
	k, err := a.Vault.Keys().Tenant(ctx, t.ID)
	if err != nil {
		return keyLine{}, fmt.Errorf("read the keys of %s: %w", t.Slug, err)
	}
	root, err := a.Vault.Keys().RootVersions(ctx, t.ID)
	return keyLine{Workspace: t.Slug, ID: t.ID, Versions: k.Versions, Root: root}, err
}

func listKeys(ctx context.Context, c *call, a *app.App, slugs []string) error {
	tenants, err := chosen(ctx, a, slugs)
	if err != nil {
		return err
	}
	lines := []keyLine{}
	for _, t := range tenants {
		line, err := readKeys(ctx, a, t)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	if c.json {
		return printJSON(c.out, lines)
	}
	for _, l := range lines {
		for _, v := range l.Versions {
			fmt.Fprintf(c.out, "%-22s %-6s version %-3d made %s\n", l.Workspace, v.Purpose, v.Version, v.Made.Format("2006-01-02 15:04"))
		}
		for _, version := range slices.Sorted(maps.Keys(l.Root)) {
			fmt.Fprintf(c.out, "%-22s %d keys wrapped by %s\n", l.Workspace, l.Root[version], rootVersion(version))
		}
	}
	return nil
}

func rootVersion(n uint32) string {
	if n == 0 {
		return "the key manager, which does not tell its version"
	}
	return fmt.Sprintf("version %d of the root key", n)
}

func rotateKeys(ctx context.Context, c *call, a *app.App, slugs []string) error {
	tenants, err := chosen(ctx, a, slugs)
	if err != nil {
		return err
	}
	lines := []keyLine{}
	for _, t := range tenants {
		if err := a.Vault.Keys().Rotate(ctx, t.ID); err != nil {
			return fmt.Errorf("rotate the keys of %s: %w", t.Slug, err)
		}
		line, err := readKeys(ctx, a, t)
		if err != nil {
			return err
		}
		lines = append(lines, line)
		if !c.json {
			fmt.Fprintf(c.out, "%s seals with version %d now and wraps people's keys with version %d; what was sealed before stays readable.\n",
				t.Slug, newest(line, "seal"), newest(line, "kek"))
		}
	}
	if c.json {
		return printJSON(c.out, lines)
	}
	return nil
}

// newest is the version of a key that is in use.
func newest(l keyLine, purpose string) (version uint32) {
	for _, v := range l.Versions {
		if v.Purpose == purpose {
			version = max(version, v.Version)
		}
	}
	return version
}

func rotateRoot(ctx context.Context, c *call, a *app.App) error {
	done, err := a.RotateRoot(ctx)
	if err != nil {
		return fmt.Errorf("rotate the root key: %w; nothing is lost, run it again", err)
	}
	if c.json {
		return printJSON(c.out, done)
	}
	fmt.Fprintf(c.out, "The keys of %d workspaces, the installation among them, and %d secrets in files are wrapped by %s, kept in %s.\n",
		done.Workspaces, done.Secrets, rootVersion(done.Version), done.Kept)
	if done.File {
		fmt.Fprintln(c.out, "Keep a copy of that file away from the data. The version before stays in it until the next rotation.")
	}
	return nil
}
