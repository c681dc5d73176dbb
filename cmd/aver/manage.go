package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"runtime/debug"
	"strings"

	"aver/cmd/aver/app"
	"aver/cmd/aver/leaving"
	"aver/trust/identity"
	"aver/vault"
)

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// open opens the installation that the options name, runs fn and closes it. It never makes one: whoever forgot --data
// would be told about an empty installation.
func open(ctx context.Context, s *settings, fn func(*app.App) error) error {
	if err := s.config.Installed(); err != nil {
		return err
	}
	return openOrMake(ctx, s, fn)
}

// openOrMake is open for what may be the first thing that is done with an installation.
func openOrMake(ctx context.Context, s *settings, fn func(*app.App) error) error {
	config, err := s.done()
	if err != nil {
		return err
	}
	return with(ctx, config, fn)
}

// with opens an installation, runs fn and closes it.
func with(ctx context.Context, config app.Config, fn func(*app.App) error) error {
	a, err := app.Open(ctx, quiet(config))
	if err != nil {
		return err
	}
	return errors.Join(fn(a), a.Close())
}

// quiet is a configuration for a command: without an address that others reach, and without a word of the log unless the
// command shows it.
func quiet(config app.Config) app.Config {
	config.Listen, config.Admin = "127.0.0.1:0", "127.0.0.1:0"
	if config.Log == nil {
		config.Log = io.Discard
	}
	slog.SetDefault(app.NewLog(config.Log))
	return config
}

var migrateCommand = command{name: "migrate", summary: "bring a PostgreSQL database up to date", run: migrate, usage: `
aver migrate --owner URL [--role NAME]

Connects as the role that owns the tables, makes what is missing and grants the serving role what it needs. The serving
role must exist and own nothing:
  CREATE ROLE aver_app LOGIN;

Example:
  aver migrate --owner "postgres://aver_owner@db/aver" --role aver_app`}

func migrate(ctx context.Context, c *call) error {
	owner := c.flags.String("owner", "", "address of PostgreSQL as the owner of the tables; AVER_DATABASE_OWNER if empty")
	keyOwner := c.flags.String("key-owner", "", "the same for the keys, if they are kept elsewhere; AVER_KEY_DATABASE_OWNER if empty")
	role := c.flags.String("role", "aver_app", "the serving role")
	if err := c.only(); err != nil {
		return err
	}
	tables, keys := cmp.Or(*owner, os.Getenv("AVER_DATABASE_OWNER")), cmp.Or(*keyOwner, os.Getenv("AVER_KEY_DATABASE_OWNER"))
	if tables == "" {
		return fmt.Errorf("--owner is missing: %w", errUsage)
	}
	if err := app.Migrate(ctx, tables, keys, *role); err != nil {
		return err
	}
	return c.say(map[string]bool{"migrated": true}, "The database is up to date.\n")
}

var tenantCommand = command{name: "tenant", summary: "make, list, close and destroy workspaces", run: tenant, usage: `
aver tenant create SLUG [--name NAME] [--owner ADDRESS] [--region REGION]
                                                            makes a workspace and prints its one-time set-up link
aver tenant list
aver tenant setup SLUG [--owner ADDRESS]                    prints a new set-up link for another owner
aver tenant refer SLUG ID --region REGION                   notes that a workspace is at home in another region: whoever
                                                            looks for it here is sent there
aver tenant unrefer SLUG                                    forgets that again` + leaving.Usage + `

A workspace is at home where it was made. No setting changes that: it would have to be exported and imported elsewhere,
which Aver does not do yet.

Example:
  aver tenant create kowal --name "Kowal Bikes" --owner ada@kowal.example --data /var/lib/aver`}

func tenant(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	name := c.flags.String("name", "", "the workspace's name; the slug if empty")
	owner := c.flags.String("owner", "", "e-mail address of the owner; asked for by the set-up page if empty")
	c.flags.StringVar(&s.config.Region, "region", "", "where the workspace is at home: the region that the installation is served with, which this names if none was named yet")
	address := c.flags.String("address", "https://localhost:8443", "where people reach this installation, for links and certificates")
	end := leaving.Command{Out: c.out, ErrOut: c.errOut, JSON: &c.json, WrongUse: errUsage, No: errNo, Words: say,
		Open: func(ctx context.Context, fn func(*app.App) error) error { return open(ctx, &s, fn) }}.Options(c.flags)
	words, err := c.parse()
	if err != nil {
		return err
	}
	at, err := url.Parse(*address)
	if err != nil || at.Host == "" {
		return fmt.Errorf("--address %s is no address such as https://chat.example.com: %w", *address, errUsage)
	}
	s.config.Named = at.Host
	if leaving.Means(words) {
		return end.Run(ctx, words)
	}
	var find func(*app.App) (vault.Tenant, error)
	opened := open
	switch {
	case len(words) == 1 && words[0] == "list":
		return open(ctx, &s, func(a *app.App) error { return listTenants(ctx, c, a) })
	case len(words) == 2 && words[0] == "create":
		opened = openOrMake
		find = func(a *app.App) (vault.Tenant, error) { return a.CreateTenant(ctx, words[1], cmp.Or(*name, words[1])) }
	case len(words) == 2 && words[0] == "setup":
		find = func(a *app.App) (vault.Tenant, error) { return a.Workspace(ctx, words[1]) }
	case len(words) > 0 && (words[0] == "refer" || words[0] == "unrefer"):
		act, err := refer(&s, words)
		if err != nil {
			return err
		}
		return open(ctx, &s, func(a *app.App) error { return act(ctx, a) })
	default: // before a folder is made
		return fmt.Errorf("say create SLUG, list, setup SLUG, refer SLUG ID, unrefer SLUG, export SLUG --to DIR, close SLUG, reopen SLUG, closed or certificate FILE: %w", errUsage)
	}
	return opened(ctx, &s, func(a *app.App) error {
		t, err := find(a)
		if err != nil {
			return err
		}
		return printSetup(ctx, c, a, t, *owner, *address)
	})
}

func listTenants(ctx context.Context, c *call, a *app.App) error {
	all, err := a.Vault.AllTenants(ctx, false)
	if err != nil {
		return err
	}
	elsewhere, err := a.Residency.Elsewhere(ctx)
	if err != nil {
		return err
	}
	list := []map[string]any{}
	for _, t := range append(all, elsewhere...) {
		list = append(list, map[string]any{"id": t.ID, "slug": t.Slug, "name": t.Name, "region": t.Region})
		if !c.json {
			fmt.Fprintf(c.out, "%-20s %-30s %-6s %s\n", t.Slug, t.Name, t.Region, t.ID)
		}
	}
	if c.json {
		return printJSON(c.out, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(c.out, "There is no workspace yet. Make one: aver tenant create SLUG")
	}
	return nil
}

func printSetup(ctx context.Context, c *call, a *app.App, t vault.Tenant, owner, address string) error {
	token, err := a.Identity.Invite(ctx, identity.System(t.ID, "command"), owner, vault.Owner)
	if err != nil {
		return err
	}
	link := strings.TrimSuffix(address, "/") + "/setup/" + token
	if c.json {
		return printJSON(c.out, map[string]any{"tenant": t.ID, "slug": t.Slug, "setup": link})
	}
	fmt.Fprintf(c.out, "Workspace %s (%s). Its owner sets a password here within 72 hours, once:\n%s\n", t.Name, t.Slug, link)
	return nil
}

var doctorCommand = command{name: "doctor", summary: "say whether an installation is well", run: doctor, usage: `
aver doctor [--data FOLDER]

Opens every store and every key, reads all pages of the files, recomputes each log and compares it with what was signed,
looks for the files of attachments, and says what is wrong and what to do. It changes no data. Exit status 1 if anything
is wrong. It takes about as long as reading the data folder.`}

func doctor(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	if err := c.only(); err != nil {
		return err
	}
	if err := s.config.Installed(); err != nil {
		return err
	}
	config, err := s.done()
	if err != nil {
		return err
	}
	return sayHealth(c, app.Examine(ctx, quiet(config)))
}

func sayHealth(c *call, h app.Health) error {
	if c.json {
		if err := printJSON(c.out, h); err != nil {
			return err
		}
	} else if h.Well {
		fmt.Fprintf(c.out, "Nothing wrong was found: %d stores read through, %d log entries recomputed.\n", h.Stores, h.Entries)
	} else {
		fmt.Fprintln(c.out, "This is wrong:")
		for _, finding := range h.Findings {
			fmt.Fprintln(c.out, " -", finding)
		}
	}
	if !h.Well {
		return errNo
	}
	return nil
}

var versionCommand = command{name: "version", summary: "print the version", run: version, usage: "aver version [--json]"}

func version(_ context.Context, c *call) error {
	if err := c.only(); err != nil {
		return err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("the program does not know its version")
	}
	if c.json {
		return printJSON(c.out, map[string]any{"version": info.Main.Version, "go": info.GoVersion})
	}
	fmt.Fprintln(c.out, "aver", info.Main.Version, info.GoVersion)
	return nil
}
