package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"aver/cmd/aver/app"
	"aver/trust/closing"
	"aver/trust/identity"
)

const endingUsage = `
aver tenant close SLUG [--grace 30d] [--yes]                closes a workspace at once; its keys and data are destroyed after the
                                                            grace period, with --grace 0 now. Asks for the name unless --yes
aver tenant reopen SLUG                                     undoes that within the grace period
aver tenant closed                                          lists what was closed, and how far its destruction is
aver tenant certificate FILE --key KEY                      verifies a certificate of destruction offline, against the key that
                                                            the trust page and aver audit key show`

// ending are the options of the end of an account.
type ending struct {
	grace string
	yes   bool
	key   string
}

func (e *ending) options(f *flag.FlagSet) {
	f.StringVar(&e.grace, "grace", "30d", "how long a closed workspace can be reopened: days (30d) or hours (36h), 90 days at most")
	f.BoolVar(&e.yes, "yes", false, "close without asking for the name")
	f.StringVar(&e.key, "key", "", "public key of the installation's log, to verify a certificate with")
}

func ends(words []string) bool {
	return len(words) > 0 && slices.Contains([]string{"close", "reopen", "closed", "certificate"}, words[0])
}

// do ends an account, or says what became of one.
func (e *ending) do(ctx context.Context, c *call, s *settings, words []string) error {
	grace, err := closing.ParseGrace(e.grace)
	switch {
	case err != nil:
		return fmt.Errorf("%s %w", say(err), errUsage)
	case len(words) == 2 && words[0] == "certificate" && e.key != "":
		return verifyCertificate(c, words[1], e.key)
	case len(words) == 1 && words[0] == "closed":
		return open(ctx, s, func(a *app.App) error { return listClosed(ctx, c, a) })
	case len(words) == 2 && words[0] == "reopen":
		return open(ctx, s, func(a *app.App) error {
			was, err := a.Closing.Reopen(ctx, words[1])
			if err != nil {
				return err
			}
			return c.say(map[string]any{"tenant": was.Workspace, "reopened": true}, "Workspace %s is open again.\n", was.Slug)
		})
	case len(words) == 2 && words[0] == "close":
		if !e.yes && !typedBack(c, words[1]) {
			return fmt.Errorf("nothing was closed: the name was not typed back: %w", errUsage)
		}
		return open(ctx, s, func(a *app.App) error { return closeTenant(ctx, c, a, words[1], grace) })
	}
	return fmt.Errorf("say close SLUG, reopen SLUG, closed, or certificate FILE --key KEY: %w", errUsage)
}

func typedBack(c *call, slug string) bool {
	fmt.Fprintf(c.errOut, "This closes the workspace %s for everybody. Type its name to go on: ", slug)
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(line) == slug
}

func closeTenant(ctx context.Context, c *call, a *app.App, slug string, grace time.Duration) error {
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

func listClosed(ctx context.Context, c *call, a *app.App) error {
	all, err := a.Closing.List(ctx)
	list := []closing.Summary{}
	for _, was := range all {
		list = append(list, was.Summary())
	}
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.out, list)
	}
	for _, was := range list {
		fmt.Fprintf(c.out, "%-20s closed %s, %s\n", was.Slug, was.ClosedAt.Format("2006-01-02 15:04"), was.State)
	}
	return nil
}

func verifyCertificate(c *call, file, key string) error {
	document, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	certificate, err := closing.Verify(document, key)
	if err != nil {
		fmt.Fprintln(c.out, say(err))
		return errNo
	}
	return c.say(certificate, "%s\n", certificate.Sentence())
}
