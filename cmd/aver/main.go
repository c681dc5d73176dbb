// Command aver is the whole product in one program: it serves an installation, and it does from a terminal what an
// operator of the machine has to do.
package main

//go:generate sh -c "go run . help --all > ../../docs/commands.md"
//go:generate sh -c "go run . help --openapi > ../../openapi.json"
//go:generate sh -c "go run . help --claims > ../../CLAIMS.md"

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // office hours need the zones, wherever the program runs

	"aver/base/errs"
	"aver/cmd/aver/app"
	"aver/frame/claim"
)

// Exit statuses. A script can tell "no" from "could not find out".
const (
	exitOK    = 0
	exitNo    = 1 // what was asked about is not so: a claim fails, a log does not verify, a setting is unsafe
	exitUsage = 2 // the command line makes no sense
	exitError = 3 // it could not be done
)

// errNo is the answer no: everything that had to be said has been printed.
var errNo = errors.New("no")

// command is one word after aver.
type command struct {
	name    string
	summary string
	usage   string // everything after the summary in its help: arguments and examples
	run     func(ctx context.Context, c *call) error
}

// call is one use of a command.
type call struct {
	flags  *flag.FlagSet
	args   []string
	out    io.Writer
	errOut io.Writer
	json   bool
}

func commands() []command {
	return []command{
		serveCommand, demoCommand, relayCommand, migrateCommand, tenantCommand, regionsCommand,
		claimsCommand, deadlinesCommand, redactCommand,
		registerCommand, papersCommand, auditCommand, receiptCommand, consentCommand, backupCommand, drillCommand, keysCommand, doctorCommand, versionCommand,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	if len(args) == 2 && args[0] == "help" && (args[1] == "--all" || args[1] == "--openapi" || args[1] == "--claims") {
		return generated(ctx, args[1], out, errOut)
	}
	if len(args) == 2 && args[0] == "help" {
		args = []string{args[1], "--help"}
	}
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		help(out)
		return exitOK
	}
	for _, cmd := range commands() {
		if cmd.name == args[0] {
			return cmd.do(ctx, args[1:], out, errOut)
		}
	}
	fmt.Fprintf(errOut, "aver: there is no command %q. See: aver help\n", args[0])
	return exitUsage
}

func (cmd command) do(ctx context.Context, args []string, out, errOut io.Writer) int {
	c := &call{flags: flag.NewFlagSet("aver "+cmd.name, flag.ContinueOnError), out: out, errOut: errOut, args: args}
	c.flags.SetOutput(errOut)
	c.flags.BoolVar(&c.json, "json", false, "print JSON for programs")
	c.flags.Usage = func() {
		fmt.Fprintf(errOut, "aver %s: %s\n\n%s\n\nOptions:\n", cmd.name, cmd.summary, strings.TrimSpace(cmd.usage))
		c.flags.PrintDefaults()
	}
	err := cmd.run(ctx, c)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errNo):
		return exitNo
	case errors.Is(err, errUsage):
		fmt.Fprintf(errOut, "aver %s: %v\n", cmd.name, err)
		return exitUsage
	}
	fmt.Fprintf(errOut, "aver %s: %s\n", cmd.name, say(err))
	return exitError
}

var errUsage = errors.New("see --help")

// parse reads the options, which may stand before or after the words, and returns the words.
func (c *call) parse() ([]string, error) {
	var words []string
	rest := c.args
	for {
		if err := c.flags.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, fmt.Errorf("%w", errUsage)
		}
		if c.flags.NArg() == 0 {
			return words, nil
		}
		words = append(words, c.flags.Arg(0))
		rest = c.flags.Args()[1:]
	}
}

// only reads the options of a command that takes no words.
func (c *call) only() error {
	words, err := c.parse()
	if err == nil && len(words) > 0 {
		err = fmt.Errorf("%q is no option: %w", words[0], errUsage)
	}
	return err
}

// say puts an error into words for whoever sits at the machine.
func say(err error) string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := e.Message
	for _, f := range e.Fields {
		text += "\n  " + f.Field + ": " + f.Message
	}
	if cause := errors.Unwrap(e); cause != nil {
		text += " (" + cause.Error() + ")"
	}
	return text
}

func help(out io.Writer) {
	fmt.Fprint(out, "aver runs a platform on which businesses talk with their customers, and proves what it promises.\n\nCommands:\n")
	for _, cmd := range commands() {
		fmt.Fprintf(out, "  %-14s %s\n", cmd.name, cmd.summary)
	}
	fmt.Fprint(out, "\nTry it:         aver demo\nServe it:       aver serve --data /var/lib/aver --host chat.example.com\nMore of each:   aver COMMAND --help\n")
	fmt.Fprint(out, "\nExit status: 0 yes, 1 no (a claim fails, a log does not verify), 2 wrong command line, 3 could not be done.\n")
}

// generated prints what is kept in the repository and written by the program.
func generated(ctx context.Context, what string, out, errOut io.Writer) int {
	switch what {
	case "--all":
		reference(ctx, out)
		return exitOK
	case "--claims":
		fmt.Fprint(out, claim.Markdown(app.Promises()))
		return exitOK
	}
	folder, err := os.MkdirTemp("", "aver-openapi-")
	if err != nil {
		fmt.Fprintln(errOut, "aver help:", err)
		return exitError
	}
	defer os.RemoveAll(folder)
	err = with(ctx, app.Config{Data: folder}, func(a *app.App) error {
		raw, err := a.OpenAPI()
		if err != nil {
			return err
		}
		_, err = out.Write(raw)
		return err
	})
	if err != nil {
		fmt.Fprintln(errOut, "aver help:", err)
		return exitError
	}
	return exitOK
}

// reference prints the help of every command as Markdown: docs/commands.md is this.
func reference(ctx context.Context, out io.Writer) {
	fmt.Fprint(out, "# Commands\n\nWritten by `aver help --all`.\n\n```\n")
	help(out)
	fmt.Fprint(out, "```\n")
	for _, cmd := range commands() {
		fmt.Fprintf(out, "\n## aver %s\n\n```\n", cmd.name)
		cmd.do(ctx, []string{"--help"}, out, out)
		fmt.Fprint(out, "```\n")
	}
}
