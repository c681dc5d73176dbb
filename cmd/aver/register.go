package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/cmd/aver/paperwork"
	"aver/trust/identity"
	"aver/trust/subprocessors"
)

var registerCommand = command{name: "subprocessors", summary: "keep the register of companies that may be called", run: register, usage: `
aver subprocessors list             the register, drafts too
aver subprocessors set FILE         adds the entry in a JSON file, or changes the one with its id
aver subprocessors remove ID        from then on its hosts cannot be called

The file has the members that the API has; an entry goes live with an audit and a contract only:
  {"name": "Modell GmbH", "address": "Berlin, Germany", "purposes": ["assistant"], "data_categories": ["user.content"],
   "region": "eu", "hosts": ["api.modell.example"], "audited_at": "2026-11-01T00:00:00Z", "contract": "shelf 7", "status": "live"}

Example:
  aver subprocessors set modell.json --data /var/lib/aver`}

func register(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	words, err := c.parse()
	if err != nil {
		return err
	}
	return open(ctx, &s, func(a *app.App) error {
		actor := identity.System(ids.Installation, "command")
		switch {
		case len(words) == 1 && words[0] == "list":
			list, err := a.Subprocessors.List(ctx, actor)
			if err != nil {
				return err
			}
			return sayRegister(c, list)
		case len(words) == 2 && words[0] == "set":
			entry, err := readEntry(words[1])
			if err != nil {
				return err
			}
			kept, err := a.Subprocessors.Save(ctx, actor, entry)
			if err != nil {
				return err
			}
			return sayRegister(c, []subprocessors.Company{kept})
		case len(words) == 2 && words[0] == "remove":
			id, err := subprocessors.ParseID(words[1])
			if err != nil {
				return fmt.Errorf("%s is not the identifier of an entry, as aver subprocessors list prints it: %w", words[1], errUsage)
			}
			return a.Subprocessors.Remove(ctx, actor, id)
		}
		return fmt.Errorf("say list, set FILE or remove ID: %w", errUsage)
	})
}

func readEntry(file string) (subprocessors.Company, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return subprocessors.Company{}, err
	}
	var e subprocessors.Entry
	if err := json.Unmarshal(text, &e); err != nil {
		return subprocessors.Company{}, fmt.Errorf("read %s: %w", file, err)
	}
	return e.Company(), nil
}

func sayRegister(c *call, list []subprocessors.Company) error {
	if c.json {
		entries := make([]subprocessors.Entry, 0, len(list))
		for _, one := range list {
			entries = append(entries, subprocessors.EntryOf(one))
		}
		return printJSON(c.out, entries)
	}
	if len(list) == 0 {
		fmt.Fprintln(c.out, "No company is registered: none receives data. Receivers that workspaces chose and the operator's own servers are not in this register.")
	}
	for _, one := range list {
		fmt.Fprintf(c.out, "%-6s %s  %s (%s): %s, for %s\n", one.Status, one.ID, one.Name, one.Region, strings.Join(one.Hosts, ", "), strings.Join(one.Purposes, ", "))
	}
	return nil
}

var papersCommand = command{name: "papers", summary: paperwork.Summary, usage: paperwork.Usage, run: papers}

func papers(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	command := paperwork.Command{Flags: c.flags, Out: c.out, JSON: &c.json, WrongUse: errUsage, No: errNo}.Options()
	words, err := c.parse()
	if err != nil {
		return err
	}
	return open(ctx, &s, func(a *app.App) error { return command.Run(ctx, a, words) })
}
