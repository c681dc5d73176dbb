package main

import (
	"context"
	"fmt"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/trust/identity"
	"aver/trust/residency"
)

var regionsCommand = command{name: "regions", summary: "list the other regions and their addresses", run: regions, usage: `
aver regions list                  this installation's region, and the others it knows
aver regions add REGION ADDRESS    people who look for a workspace of that region are sent there
aver regions remove REGION

An installation serves the workspaces of its own region, which aver serve --region names, and answers for others with 421
and the right place. Which workspaces the others have, aver tenant refer notes.

Example:
  aver regions add in https://in.chat.example --data /var/lib/aver`}

func regions(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	words, err := c.parse()
	if err != nil {
		return err
	}
	var act func(a *app.App) error
	actor := identity.System(ids.Installation, "command")
	switch {
	case len(words) == 1 && words[0] == "list":
		act = func(a *app.App) error { return sayRegions(ctx, c, a) }
	case len(words) == 3 && words[0] == "add":
		act = func(a *app.App) error { return a.Residency.Add(ctx, actor, words[1], words[2]) }
	case len(words) == 2 && words[0] == "remove":
		act = func(a *app.App) error { return a.Residency.Remove(ctx, actor, words[1]) }
	default:
		return fmt.Errorf("say list, add REGION ADDRESS or remove REGION: %w", errUsage)
	}
	return open(ctx, &s, act)
}

func sayRegions(ctx context.Context, c *call, a *app.App) error {
	others, err := a.Residency.List(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.out, map[string]any{"region": a.Config.Region, "others": append([]residency.Address{}, others...)})
	}
	fmt.Fprintf(c.out, "%-20s this installation\n", a.Config.Region)
	for _, other := range others {
		fmt.Fprintf(c.out, "%-20s %s\n", other.Region, other.URL)
	}
	return nil
}

// refer notes a workspace of another region, or forgets it.
func refer(s *settings, words []string) (func(context.Context, *app.App) error, error) {
	actor, region := identity.System(ids.Installation, "command"), s.config.Region
	s.config.Region = "" // the other installation's, not this one's
	switch {
	case len(words) == 3 && words[0] == "refer" && region != "":
		id, err := ids.ParseTenant(words[2])
		if err != nil {
			return nil, fmt.Errorf("%s is not the identifier of a workspace (ten_…), as aver tenant list prints it: %w", words[2], errUsage)
		}
		return func(ctx context.Context, a *app.App) error {
			return a.Residency.Refer(ctx, actor, id, words[1], region)
		}, nil
	case len(words) == 2 && words[0] == "unrefer":
		return func(ctx context.Context, a *app.App) error { return a.Residency.Unrefer(ctx, actor, words[1]) }, nil
	}
	return nil, fmt.Errorf("say refer SLUG ID --region REGION, or unrefer SLUG: %w", errUsage)
}
