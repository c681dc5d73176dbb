package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"aver/base/tlog"
	"aver/cmd/aver/app"
	"aver/frame/claim"
	"aver/trust/audit/verdict"
	claimstore "aver/trust/claims"
	"aver/trust/identity"
)

var auditCommand = command{name: "audit", summary: "export a workspace's log and verify one offline", run: auditLog, usage: `
aver audit export SLUG [--out FILE] [--since SIZE]   the whole log of a workspace as one file, with evidence
aver audit verify FILE [--key KEY [--older FILE]]    recomputes everything from the entries; needs nothing but the file
aver audit key                                       the key that signs this installation's checkpoints
aver audit checkpoint                                the newest signed checkpoint, to be kept somewhere else

verify names what is wrong: an altered entry, a missing tail, entries in another order, a log that was rewritten since an
older checkpoint. Without --key it trusts the key that the file names; --older needs --key. A checkpoint covers the logs of
all workspaces, and a file holds the entries of one: that it continues an older checkpoint is shown only by a file that was
exported with --since and the size in the checkpoint's second line. With another file the answer is neither yes nor no, and
the exit status 3.

Examples:
  aver audit export kowal --out kowal.averlog --since "$(sed -n 2p last-year.checkpoint)" --data /var/lib/aver
  aver audit verify kowal.averlog --key "$(aver audit key --data /var/lib/aver)" --older last-year.checkpoint`}

func auditLog(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	out := c.flags.String("out", "", "file to write; standard output if empty")
	since := c.flags.Int64("since", 0, "size of an older checkpoint that the reader holds: its second line")
	key := c.flags.String("key", "", "verifier key that is trusted")
	older := c.flags.String("older", "", "file with an older signed checkpoint; needs --key")
	words, err := c.parse()
	if err != nil {
		return err
	}
	switch {
	case len(words) == 2 && words[0] == "verify":
		return verifyLog(c, words[1], *key, *older)
	case len(words) == 2 && words[0] == "export":
		return open(ctx, &s, func(a *app.App) error { return exportLog(ctx, a, c, words[1], *out, *since) })
	case len(words) == 1 && words[0] == "key":
		return open(ctx, &s, func(a *app.App) error {
			k, err := a.Audit.VerifierKey(ctx)
			return errors.Join(err, c.say(map[string]string{"key": k}, "%s\n", k))
		})
	case len(words) == 1 && words[0] == "checkpoint":
		return open(ctx, &s, func(a *app.App) error {
			signed, err := a.Audit.Checkpoint(ctx)
			return errors.Join(err, c.say(map[string]string{"checkpoint": string(signed.Note)}, "%s", signed.Note))
		})
	}
	return fmt.Errorf("say export SLUG, verify FILE, key or checkpoint: %w", errUsage)
}

func exportLog(ctx context.Context, a *app.App, c *call, slug, path string, since int64) error {
	t, err := a.Workspace(ctx, slug)
	if err != nil {
		return err
	}
	actor := identity.System(t.ID, "command")
	if path == "" {
		return a.Audit.Export(ctx, actor, c.out, since)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	if err := errors.Join(a.Audit.Export(ctx, actor, f, since), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	fmt.Fprintln(c.errOut, "Wrote", path)
	return nil
}

func verifyLog(c *call, path, key, older string) error {
	opts := tlog.Options{Key: key}
	if older != "" {
		note, err := os.ReadFile(older)
		if err != nil {
			return fmt.Errorf("read the older checkpoint: %w", err)
		}
		if key == "" {
			return fmt.Errorf("--older needs --key: an older checkpoint is worth what its key is: %w", errUsage)
		}
		checkpoint, err := tlog.Open(note, key)
		if err != nil {
			return fmt.Errorf("open the older checkpoint: %w", err)
		}
		opts.OlderInstallation = &checkpoint
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the bundle: %w", err)
	}
	defer f.Close()
	said, err := verdict.Verify(f, opts)
	if err != nil {
		return err
	}
	return sayVerdict(c, said)
}

func sayVerdict(c *call, v verdict.Verdict) error {
	r := v.Report
	if c.json {
		out := map[string]any{"verifies": answer(v), "entries": r.Head.Size, "root": r.Head.Root.String(), "origin": r.Head.Origin, "key": r.Key,
			"key_trusted": r.KeyTrusted, "first": r.First, "last": r.Last, "findings": v.Findings, "warnings": v.Warnings, "entries_per_second": int64(r.Rate())}
		if err := printJSON(c.out, out); err != nil {
			return err
		}
	} else if v.Unshown > 0 {
		fmt.Fprintln(c.out, "All entries verify. Whether the log continues the older checkpoint is not shown.")
	} else if v.Holds {
		fmt.Fprintf(c.out, "The log verifies: %d entries from %s to %s, root %s, %.0f entries per second.\n", r.Head.Size,
			r.First.Format("2006-01-02 15:04"), r.Last.Format("2006-01-02 15:04"), r.Head.Root, r.Rate())
	} else {
		fmt.Fprintln(c.out, "The log does not verify:")
	}
	if !c.json {
		for _, f := range v.Findings {
			fmt.Fprintln(c.out, " -", f)
		}
		for _, w := range v.Warnings {
			fmt.Fprintln(c.errOut, "Note:", w)
		}
	}
	if v.Unshown > 0 {
		return fmt.Errorf("not shown: export the log again with --since %d", v.Unshown)
	}
	if !v.Holds {
		return errNo
	}
	return nil
}

// answer is yes, no, or nil where the file says neither.
func answer(v verdict.Verdict) any {
	if v.Unshown > 0 {
		return nil
	}
	return v.Holds
}

var claimsCommand = command{name: "claims", summary: "list, measure and test the promises", run: claims, usage: `
aver claims list                 how every promise stands
aver claims show ID              one promise: its predicate and what the last probe saw
aver claims verify [ID]…         measures now; exit status 1 if one does not hold
aver claims verify --mutate      points each probe at worlds in which the promise is broken; each must notice

Examples:
  aver claims verify enc-1 iso-1 --data /var/lib/aver
  aver claims verify --mutate --json --data /var/lib/aver`}

func claims(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	mutate := c.flags.Bool("mutate", false, "run the fixtures that break each promise")
	words, err := c.parse()
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return fmt.Errorf("say list, show ID or verify: %w", errUsage)
	}
	return open(ctx, &s, func(a *app.App) error {
		stop, err := a.Alive(ctx)
		if err != nil {
			return err
		}
		defer stop()
		switch {
		case words[0] == "verify" && *mutate:
			return mutateClaims(ctx, c, a, words[1:])
		case words[0] == "verify":
			return verifyClaims(ctx, c, a, words[1:])
		case words[0] == "list" && len(words) == 1:
			lines, err := a.Claims.List(ctx)
			if err != nil {
				return err
			}
			return sayClaims(c, lines)
		case words[0] == "show" && len(words) == 2:
			line, err := a.Claims.Show(ctx, words[1])
			if err != nil {
				return err
			}
			return showClaim(c, line)
		}
		return fmt.Errorf("say list, show ID or verify: %w", errUsage)
	})
}

func verifyClaims(ctx context.Context, c *call, a *app.App, ids []string) error {
	lines, err := a.Claims.Verify(ctx, ids...)
	if err != nil {
		return err
	}
	if err := sayClaims(c, lines); err != nil {
		return err
	}
	for _, l := range lines {
		if l.State != claim.Holds {
			return errNo
		}
	}
	return nil
}

func sayClaims(c *call, lines []claimstore.Line) error {
	if c.json {
		return printJSON(c.out, lines)
	}
	for _, l := range lines {
		fmt.Fprintf(c.out, "%-8s %-10s %s\n", l.State, l.ID, l.Sentence)
		for _, o := range l.Saw {
			if !o.Holds {
				fmt.Fprintf(c.out, "%20s %s: %s\n", "", o.What, o.Saw)
			}
		}
		if l.Fault != "" {
			fmt.Fprintf(c.out, "%20s %s\n", "", l.Fault)
		}
	}
	return nil
}

// showClaim prints all there is to know about a promise.
func showClaim(c *call, l claimstore.Line) error {
	if c.json {
		return printJSON(c.out, l)
	}
	fmt.Fprintf(c.out, "%-8s %-10s %s\n\n%s\n\n", l.State, l.ID, l.Sentence, l.Predicate)
	if l.MeasuredAt != nil {
		fmt.Fprintf(c.out, "Measured %s in %d ms, so since %s. Who answers for it: %s.\n", l.MeasuredAt.Format(time.DateTime), l.Took, l.Since.Format(time.DateTime), l.Owner)
	}
	for _, o := range l.Saw {
		fmt.Fprintf(c.out, "  %-4s %s: %s\n", map[bool]string{true: "yes", false: "NO"}[o.Holds], o.What, o.Saw)
	}
	if l.Fault != "" {
		fmt.Fprintf(c.out, "  %s\n", l.Fault)
	}
	return nil
}

func mutateClaims(ctx context.Context, c *call, a *app.App, ids []string) error {
	list, err := a.Claims.Mutate(ctx, ids...)
	if err != nil {
		return err
	}
	missed := 0
	for _, m := range list {
		if !m.Noticed {
			missed++
		}
	}
	if c.json {
		if err := printJSON(c.out, list); err != nil {
			return err
		}
	} else {
		for _, m := range list {
			fmt.Fprintf(c.out, "%-8s %-10s %s (%s)\n", map[bool]string{true: "noticed", false: "MISSED"}[m.Noticed], m.Claim, m.Broken, strings.TrimSpace(m.Saw))
		}
		fmt.Fprintf(c.out, "%d broken worlds, %d noticed, %d missed.\n", len(list), len(list)-missed, missed)
	}
	if missed > 0 {
		return errNo
	}
	return nil
}
