package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/trust/backups"
	"aver/trust/identity"
)

var backupCommand = command{name: "backup", summary: "make, list, restore and drill backups", run: backup, usage: `
aver backup now                             makes a backup of the embedded stores, encrypted with age
aver backup list                            what there is, newest first
aver backup drill [--identity FILE]         restores the newest into a scratch folder, checks it and removes it again
aver backup restore FILE --to FOLDER        writes a backup's stores into an empty folder, shut until it is released
aver backup release --data FOLDER           erases again whoever was erased since the backup, and opens the folder

People's keys are never in a backup of the data; a copy of them alone (aver-keys-….age) lies beside it. To use a restored
folder, put root.key and the folder keys of the living installation beside it, then release it. Without the age identity that the backup was made for (data/backup.key unless recipients were
named) no backup opens.

Example:
  aver backup restore backups/aver-data-20261120T020000.000.age --to /srv/restored --data /var/lib/aver`}

func backup(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	to := c.flags.String("to", "", "empty folder to restore into")
	key := c.flags.String("identity", "", "file with the age identity; the one in the data folder if empty")
	words, err := c.parse()
	if err != nil {
		return err
	}
	who, closeKey, err := identityFile(*key)
	if err != nil {
		return err
	}
	defer closeKey()
	actor := identity.System(ids.Installation, "command")
	s.config.Restoring = len(words) == 1 && words[0] == "release"
	return open(ctx, &s, func(a *app.App) error {
		switch {
		case len(words) == 1 && words[0] == "now":
			m, err := a.Backups.Now(ctx, actor)
			if err != nil {
				return err
			}
			return c.say(m, "Made %s: %d bytes, %d stores.\n", m.Name, m.Size, len(m.Tenants))
		case len(words) == 1 && words[0] == "list":
			return listBackups(ctx, c, a)
		case len(words) == 1 && words[0] == "drill":
			return drillBackup(ctx, c, a, who)
		case len(words) == 2 && words[0] == "restore" && *to != "":
			m, err := a.Backups.Restore(ctx, words[1], who, *to)
			if err != nil {
				return err
			}
			return c.say(m, "Restored %s into %s. It stays shut until aver backup release.\n", m.Name, *to)
		case s.config.Restoring:
			if err := backups.Release(ctx, a.Vault, a.Config.Data); err != nil {
				return err
			}
			return c.say(map[string]bool{"released": true}, "Whoever was erased since the backup is erased again. The folder may be served.\n")
		}
		return fmt.Errorf("say now, list, drill, restore FILE --to FOLDER or release: %w", errUsage)
	})
}

// say prints a value for programs or a sentence for people.
func (c *call) say(v any, format string, args ...any) error {
	if c.json {
		return printJSON(c.out, v)
	}
	_, err := fmt.Fprintf(c.out, format, args...)
	return err
}

// identityFile opens the age identity, or nothing when the installation's own is meant.
func identityFile(path string) (io.Reader, func(), error) {
	if path == "" {
		return nil, func() {}, nil
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, nil, fmt.Errorf("open the identity: %w", err)
	}
	return f, func() { _ = f.Close() }, nil
}

func listBackups(ctx context.Context, c *call, a *app.App) error {
	list, err := a.Backups.List(ctx, identity.System(ids.Installation, "command"))
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.out, list)
	}
	for _, b := range list {
		state := "signed by this installation"
		if !b.Signed {
			state = "NOT signed by this installation"
		}
		fmt.Fprintf(c.out, "%s  %12d bytes  %s  %s\n", b.Made.Format("2006-01-02 15:04"), b.Size, b.Name, state)
	}
	if len(list) == 0 {
		fmt.Fprintln(c.out, "There is no backup yet. Make one: aver backup now")
	}
	return nil
}

func drillBackup(ctx context.Context, c *call, a *app.App, who io.Reader) error {
	d, err := a.Backups.Drill(ctx, identity.System(ids.Installation, "command"), who)
	if err != nil {
		return err
	}
	if err := c.say(d, "Restored %s in %s: %d stores, %d log entries recomputed, %d sealed values opened, erased person stayed erased: %v. %s\n",
		d.Backup, d.Took.Round(1e6), d.Tenants, d.Entries, d.Samples, d.Erased, d.Fault); err != nil {
		return err
	}
	if !d.Holds {
		return errNo
	}
	return nil
}
