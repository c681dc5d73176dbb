package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/trust/backups"
	"aver/trust/backups/quarantine"
	"aver/trust/backups/shelf"
	"aver/trust/identity"
)

var backupCommand = command{name: "backup", summary: "make, list, restore and drill backups", run: backup, usage: `
aver backup now                             makes a backup, encrypted with age
aver backup list                            what there is, newest first
aver backup drill [--identity FILE]         restores the newest into a scratch folder, checks it and removes it again
aver backup restore NAME --to FOLDER        writes a backup's stores into an empty folder, shut until it is released; NAME is as
                                            listed, or a file; of an installation on PostgreSQL the rows go into stores of files,
                                            or with --to-database into an empty database that aver migrate has made
aver backup release --data FOLDER           erases again whoever was erased since the backup, and opens the folder
aver backup keys FILE --identity ID --data FOLDER
                                            checks the copy of the keys (aver-keys-….age) with root.key, which must be in the folder
                                            already, and unpacks it, for a machine that takes a lost one's place

People's keys are never in a backup of the data; a copy of them alone lies in DATA/backups, or where --keys-to says. To use a restored folder, put
root.key and the folder keys of the living installation beside it, then release it. Without the age identity that the backup
was made for (DATA/backup.key unless recipients were named) no backup opens.

Examples:
  aver backup now --backup-to "s3://s3.eu-central-1.amazonaws.com/my-backups/aver?region=eu-central-1"
  aver backup restore aver-data-20261120T020000.000.age --to /srv/restored --data /var/lib/aver`}

func backup(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	s.backups(c.flags)
	to := c.flags.String("to", "", "empty folder to restore into")
	database := c.flags.String("to-database", "", "address of an empty, migrated PostgreSQL to restore rows into, as the role that owns it")
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
	verb := append(words, "")[0]
	s.config.Restoring = verb == "release"
	if verb == "drill" {
		s.config.Log = c.errOut // it says why a drill ended early
	}
	if verb == "keys" && len(words) == 2 && who != nil {
		return restoreKeys(ctx, c, &s, words[1], who)
	}
	return open(ctx, &s, func(a *app.App) error {
		switch {
		case len(words) == 1 && verb == "now":
			m, err := a.Backups.Now(ctx, identity.System(ids.Installation, "command"))
			if err != nil {
				return err
			}
			return c.say(m, "Made %s: %d bytes, %d stores.\n", m.Name, m.Size, len(m.Tenants))
		case len(words) == 1 && verb == "list":
			return listBackups(ctx, c, a)
		case len(words) == 1 && verb == "drill":
			return drillBackup(ctx, c, a, who)
		case len(words) == 2 && verb == "restore" && *to != "":
			return restoreBackup(ctx, c, a, backups.Order{Name: words[1], Identity: who, To: *to}, *database)
		case len(words) == 1 && verb == "release":
			if err := quarantine.Release(ctx, a.Vault, a.Config.Data); err != nil {
				return err
			}
			return c.say(map[string]bool{"released": true}, "Whoever was erased since the backup is erased again. The folder may be served.\n")
		}
		return fmt.Errorf("say now, list, drill, restore NAME --to FOLDER, release, or keys FILE --identity FILE: %w", errUsage)
	})
}

// restoreBackup restores a backup by its name, or from a file that lies elsewhere.
func restoreBackup(ctx context.Context, c *call, a *app.App, o backups.Order, database string) (err error) {
	if _, missing := os.Stat(o.Name); missing == nil || filepath.Base(o.Name) != o.Name {
		o.From, o.Name = shelf.Folder(filepath.Dir(o.Name)), filepath.Base(o.Name)
	}
	if database != "" {
		rows, err := a.EmptyDatabase(ctx, database)
		if err != nil {
			return err
		}
		o.Rows = rows
		defer func() { err = errors.Join(err, rows.Close()) }()
	}
	m, err := a.Backups.Restore(ctx, identity.System(ids.Installation, "command"), o)
	if err != nil {
		return err
	}
	return c.say(m, "Restored %s into %s. It stays shut until aver backup release.\n", m.Name, o.To)
}

func restoreKeys(ctx context.Context, c *call, s *settings, file string, who io.Reader) error {
	config, err := s.done()
	if err != nil {
		return err
	}
	if err := app.RestoreKeys(ctx, config, file, who); err != nil {
		return err
	}
	return c.say(map[string]bool{"restored": true}, "The keys are those that the installation signed, and are in %s beside the root key.\n", config.Data)
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
	if err := c.say(map[string]any{"backup": d.Backup, "began": d.Began, "took_ms": d.Took.Milliseconds(), "holds": d.Holds, "stores": d.Tenants,
		"log_entries": d.Entries, "samples": d.Samples, "erased_stayed_erased": d.Erased, "fault": d.Fault}, "Restored %s in %s: %d stores, %d log entries recomputed, %d sealed values opened, erased person stayed erased: %v. %s\n",
		d.Backup, d.Took.Round(1e6), d.Tenants, d.Entries, d.Samples, d.Erased, d.Fault); err != nil {
		return err
	}
	if !d.Holds {
		return errNo
	}
	return nil
}
