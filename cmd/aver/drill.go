package main

import (
	"context"
	"fmt"
	"io"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/trust/backups"
	"aver/trust/identity"
)

var drillCommand = command{name: "drill", summary: "try what must work on a bad day", run: drill, usage: `
aver drill restore-erasure [--identity FILE]

Makes somebody who does not exist, with rows, a file and searchable words; makes a backup; erases the person; restores the
backup into a scratch folder and releases it. Prints how much there was of the person at each step, and how often the words
and the person's key were found in the raw bytes of the data folder (write-ahead logs, files and backups among them), in the
rows as they are stored, in the decrypted backup and copy of the keys, in what was restored, and in the files of PostgreSQL
where they lie on this machine and can be read (run it as the server's user; else it says that nobody looked there).
PostgreSQL keeps a destroyed key, still sealed, until the room of the row and of the write-ahead log is used again: it is
counted there and breaks nothing. Exit status 1 if anything came back or was left. The backup stays.

Example:
  aver drill restore-erasure --data /var/lib/aver --json`}

func drill(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	s.backups(c.flags)
	key := c.flags.String("identity", "", "file with the age identity; the one in the data folder if empty")
	words, err := c.parse()
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "restore-erasure" {
		return fmt.Errorf("say restore-erasure: %w", errUsage)
	}
	who, closeKey, err := identityFile(*key)
	if err != nil {
		return err
	}
	defer closeKey()
	return open(ctx, &s, func(a *app.App) error {
		r, err := a.Backups.Rehearse(ctx, identity.System(ids.Installation, "command"), who)
		if err != nil {
			return err
		}
		return sayRehearsal(c, r)
	})
}

func sayRehearsal(c *call, r backups.Rehearsal) error {
	if c.json {
		if err := printJSON(c.out, r); err != nil {
			return err
		}
	} else {
		printRehearsal(c.out, r)
	}
	if !r.Holds {
		return errNo
	}
	return nil
}

func printRehearsal(out io.Writer, r backups.Rehearsal) {
	steps := []string{"before the erasure", "after the erasure", "in the backup, as restored", "in the backup, released"}
	for i, left := range []backups.Left{r.Before, r.After, r.Inside, r.Released} {
		fmt.Fprintf(out, "%-34s rows %d, files %d, texts to search %d, key %s\n", steps[i], left.Rows, left.Files, left.Words, map[bool]string{true: "there", false: "destroyed"}[left.Key])
	}
	for _, s := range r.Scans {
		if s.Unread != "" {
			fmt.Fprintf(out, "%-34s not looked through: %s\n", s.Place, s.Unread)
			continue
		}
		fmt.Fprintf(out, "%-34s %d bytes read; found: the words %d, the sealed key %d\n", s.Place, s.Bytes, s.Found, s.Keys)
	}
	said := map[bool]string{true: "Nobody came back, and nothing was left.", false: "The erasure does NOT hold."}[r.Holds]
	fmt.Fprintf(out, "%s Backup %s; it took %s.\n", said, r.Backup, r.Took.Round(1e6))
}
