// Package leaving is the commands with which an account ends. They are words of aver tenant and stand apart from it because
// they say what becomes of a workspace, and not what there is.
package leaving

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"aver/cmd/aver/app"
	"aver/trust/closing"
	"aver/trust/identity"
)

// Usage is the commands' help.
const Usage = `
aver tenant export SLUG --to DIR                            writes everything a workspace has into an empty folder: JSON Lines for
                                                            each table, and its files, opened. Secrets are left out
aver tenant close SLUG [--grace 30d] [--yes]                closes a workspace at once; its keys and data are destroyed after the
                                                            grace period, with --grace 0 now. Asks for the name unless --yes
aver tenant reopen SLUG                                     undoes that within the grace period
aver tenant closed                                          lists what was closed, and how far its destruction is
aver tenant certificate FILE --key KEY                      verifies a certificate of destruction offline, against the key that
                                                            the trust page and aver audit key show`

// Command is one use of a command.
type Command struct {
	Out, ErrOut io.Writer
	JSON        *bool                                             // asked for by an option that is read later
	WrongUse    error                                             // what a command line that makes no sense ends with
	No          error                                             // what the answer no ends with
	Words       func(error) string                                // says an error to people
	Open        func(context.Context, func(*app.App) error) error // opens the installation for as long as a function runs
	grace, key  *string
	to          *string
	yes         *bool
}

// Options declares the commands' own options, before the command line is read.
func (c Command) Options(f *flag.FlagSet) Command {
	c.grace = f.String("grace", "30d", "how long a closed workspace can be reopened: days (30d) or hours (36h), 90 days at most")
	c.yes = f.Bool("yes", false, "close without asking for the name")
	c.to = f.String("to", "", "empty folder to export into; made if it is not there")
	c.key = f.String("key", "", "public key of the installation's log, to verify a certificate with")
	return c
}

// Means tells whether the words are one of these commands.
func Means(words []string) bool {
	return len(words) > 0 && slices.Contains([]string{"export", "close", "reopen", "closed", "certificate"}, words[0])
}

// Run does what the words say.
func (c Command) Run(ctx context.Context, words []string) error {
	grace, err := closing.ParseGrace(*c.grace)
	switch {
	case err != nil:
		return fmt.Errorf("%s %w", c.Words(err), c.WrongUse)
	case len(words) == 2 && words[0] == "certificate" && *c.key != "":
		return c.verify(words[1])
	case len(words) == 2 && words[0] == "export" && *c.to != "":
		return c.Open(ctx, func(a *app.App) error { return c.export(ctx, a, words[1], *c.to) })
	case len(words) == 1 && words[0] == "closed":
		return c.Open(ctx, func(a *app.App) error { return c.list(ctx, a) })
	case len(words) == 2 && words[0] == "reopen":
		return c.Open(ctx, func(a *app.App) error {
			was, err := a.Closing.Reopen(ctx, words[1])
			if err != nil {
				return err
			}
			return c.say(map[string]any{"tenant": was.Workspace, "reopened": true}, "Workspace %s is open again.\n", was.Slug)
		})
	case len(words) == 2 && words[0] == "close":
		if !*c.yes && !c.typedBack(words[1]) {
			return fmt.Errorf("nothing was closed: the name was not typed back: %w", c.WrongUse)
		}
		return c.Open(ctx, func(a *app.App) error { return c.close(ctx, a, words[1], grace) })
	}
	return fmt.Errorf("say export SLUG --to DIR, close SLUG, reopen SLUG, closed, or certificate FILE --key KEY: %w", c.WrongUse)
}

// say prints a value for programs or a sentence for people.
func (c Command) say(v any, format string, args ...any) error {
	if *c.JSON {
		return printed(c.Out, v)
	}
	_, err := fmt.Fprintf(c.Out, format, args...)
	return err
}

func printed(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (c Command) export(ctx context.Context, a *app.App, slug, folder string) error {
	t, err := a.Workspace(ctx, slug)
	if err != nil {
		return err
	}
	done, err := a.Takeout.Export(ctx, t.ID, folder)
	if err != nil {
		return err
	}
	return c.say(done, "Wrote %d rows and %d files of %s into %s in %s.\n", done.Rows, done.Files, slug, folder, done.Took.Round(time.Millisecond))
}

// typedBack asks for the name.
func (c Command) typedBack(slug string) bool {
	fmt.Fprintf(c.ErrOut, "This closes the workspace %s for everybody. Type its name to go on: ", slug)
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(line) == slug
}

func (c Command) close(ctx context.Context, a *app.App, slug string, grace time.Duration) error {
	t, err := a.Workspace(ctx, slug)
	if err != nil {
		return err
	}
	was, secret, err := a.Closing.Close(ctx, identity.System(t.ID, "command"), grace, "")
	if err != nil {
		return err
	}
	if grace == 0 {
		if was, err = a.Closing.Destroy(ctx, t.ID); err != nil {
			return err
		}
	}
	told := was.Summary()
	told.Link = a.Closing.Link(secret)
	return c.say(told, "Workspace %s: %s.\nFor its former owner, the only way to the certificate:\n%s\n", slug, told.State, told.Link)
}

func (c Command) list(ctx context.Context, a *app.App) error {
	all, err := a.Closing.List(ctx)
	list := []closing.Summary{}
	for _, was := range all {
		list = append(list, was.Summary())
	}
	if err != nil {
		return err
	}
	if *c.JSON {
		return printed(c.Out, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(c.Out, "No workspace is closed.")
	}
	for _, was := range list {
		fmt.Fprintf(c.Out, "%-20s closed %s, %s\n", was.Slug, was.ClosedAt.Format("2006-01-02 15:04"), was.State)
	}
	return nil
}

func (c Command) verify(file string) error {
	document, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	certificate, err := closing.Verify(document, *c.key)
	if err != nil {
		fmt.Fprintln(c.Out, c.Words(err))
		return c.No
	}
	return c.say(certificate, "%s\n", certificate.Sentence())
}
