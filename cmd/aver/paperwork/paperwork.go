// Package paperwork is the command that writes the papers of data protection. It stands apart from the other commands
// because it is the longest of them.
package paperwork

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/trust/documents"
	"aver/trust/documents/paper"
	"aver/trust/identity"
)

// Summary and Usage are the command's help.
const (
	Summary = "write the papers of data protection from what is live"
	Usage   = `
aver papers build SLUG --out DIR       every paper of a workspace in each of its forms: notice, record (GDPR Art. 30(1)),
                                       processing (30(2)), assessment (35(7)), transfers (EU 2021/914), catalogue
aver papers show SLUG KIND [--format html|csv|json|jsonld]
                                       one paper; jsonld is the Data Privacy Vocabulary, for the records
aver papers check SLUG                 what somebody still has to write down; exit status 1 if there is anything
aver papers installation [--format html|csv|json]
                                       the record of whoever runs this installation, over all workspaces (Art. 30(2))
aver papers operator [FILE]            who runs this installation; FILE changes it and has the members of the API's
                                       legal_entity: name, address, country, email, dpo_name, dpo_email, …

Examples:
  aver papers build kowal --out papers --data /var/lib/aver
  aver papers show kowal record --format jsonld --data /var/lib/aver > record.jsonld`
)

// Command is one use of the command.
type Command struct {
	Flags    *flag.FlagSet
	Out      io.Writer
	JSON     *bool // asked for by an option that is read later
	WrongUse error // what a command line that makes no sense ends with
	No       error // what the answer no ends with
	folder   *string
	form     *string
}

// Options declares the command's own options, before the command line is read.
func (c Command) Options() Command {
	c.folder = c.Flags.String("out", "", "folder to write the files into; made if it is not there")
	c.form = c.Flags.String("format", "html", "html, csv, json or jsonld")
	return c
}

// Run does what the words say.
func (c Command) Run(ctx context.Context, a *app.App, words []string) error {
	switch {
	case len(words) == 2 && words[0] == "build" && *c.folder != "":
		return c.build(ctx, a, words[1], *c.folder)
	case len(words) == 3 && words[0] == "show" && !slices.Contains(documents.Kinds, words[2]):
		return fmt.Errorf("there is no paper %q, only %s: %w", words[2], strings.Join(documents.Kinds, ", "), c.WrongUse)
	case len(words) == 3 && words[0] == "show" && !slices.Contains(documents.Forms(words[2]), paper.Form(*c.form)):
		return fmt.Errorf("the paper %s has no form %q: %w", words[2], *c.form, c.WrongUse)
	case len(words) == 3 && words[0] == "show":
		return c.show(ctx, a, words[1], words[2], paper.Form(*c.form))
	case len(words) == 2 && words[0] == "check":
		return c.check(ctx, a, words[1])
	case len(words) == 1 && words[0] == "installation" && !slices.Contains([]paper.Form{paper.HTML, paper.CSV, paper.JSON}, paper.Form(*c.form)):
		return fmt.Errorf("the record of the installation has no form %q: %w", *c.form, c.WrongUse)
	case len(words) == 1 && words[0] == "installation":
		return c.installation(ctx, a, paper.Form(*c.form))
	case (len(words) == 1 || len(words) == 2) && words[0] == "operator":
		return c.operator(ctx, a, words[1:])
	}
	return fmt.Errorf("say build SLUG --out DIR, show SLUG KIND, check SLUG, installation or operator [FILE]: %w", c.WrongUse)
}

func (c Command) print(v any) error {
	e := json.NewEncoder(c.Out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (c Command) installation(ctx context.Context, a *app.App, form paper.Form) error {
	p, err := a.Documents.ForInstallation(ctx)
	if err != nil {
		return err
	}
	text, err := p.As(ctx, form)
	if err != nil {
		return err
	}
	_, err = c.Out.Write(text)
	return err
}

// written is a file that was made.
type written struct {
	File    string `json:"file"`
	Kind    string `json:"kind"`
	Hash    string `json:"content_sha256"`
	Missing int    `json:"missing"`
}

func (c Command) build(ctx context.Context, a *app.App, slug, folder string) error {
	t, err := a.Workspace(ctx, slug)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	var all []written
	for _, kind := range documents.Kinds {
		p, err := a.Documents.Paper(ctx, identity.System(t.ID, "command"), kind)
		if err != nil {
			return err
		}
		for _, form := range documents.Forms(kind) {
			text, name, err := a.Documents.File(ctx, identity.System(t.ID, "command"), kind, form)
			if err != nil {
				return err
			}
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				return fmt.Errorf("write a paper: %w", err)
			}
			all = append(all, written{path, kind, p.Hash, p.Gaps()})
		}
	}
	if *c.JSON {
		return c.print(all)
	}
	for _, one := range all {
		fmt.Fprintf(c.Out, "%s  %s\n", one.Hash[:16], one.File)
	}
	return nil
}

func (c Command) show(ctx context.Context, a *app.App, slug, kind string, form paper.Form) error {
	t, err := a.Workspace(ctx, slug)
	if err != nil {
		return err
	}
	text, _, err := a.Documents.File(ctx, identity.System(t.ID, "command"), kind, form)
	if err != nil {
		return err
	}
	_, err = c.Out.Write(text)
	return err
}

// gap is a line that somebody has to fill in.
type gap struct {
	Paper string `json:"paper"`
	Line  string `json:"line"`
	Where string `json:"where"`
}

func (c Command) check(ctx context.Context, a *app.App, slug string) error {
	t, err := a.Workspace(ctx, slug)
	if err != nil {
		return err
	}
	all := []gap{}
	for _, kind := range documents.Kinds {
		p, err := a.Documents.Paper(ctx, identity.System(t.ID, "command"), kind)
		if err != nil {
			return err
		}
		for _, section := range p.Sections {
			for _, l := range section.Lines {
				if l.Gap {
					all = append(all, gap{kind, l.Name, l.Source.Ref})
				}
			}
		}
	}
	if *c.JSON {
		if err := c.print(all); err != nil {
			return err
		}
	} else if len(all) == 0 {
		fmt.Fprintln(c.Out, "Nothing is missing.")
	}
	for _, g := range all {
		if !*c.JSON {
			fmt.Fprintf(c.Out, "%-12s %s: %s\n", g.Paper, g.Line, g.Where)
		}
	}
	if len(all) > 0 {
		return c.No
	}
	return nil
}

func (c Command) operator(ctx context.Context, a *app.App, file []string) error {
	actor := identity.System(ids.Installation, "command")
	if len(file) == 1 {
		text, err := os.ReadFile(file[0])
		if err != nil {
			return err
		}
		var e documents.Entity
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("read %s: %w", file[0], err)
		}
		if err := a.Documents.SetLegal(ctx, actor, e); err != nil {
			return err
		}
	}
	e, err := a.Documents.Legal(ctx, actor)
	if err != nil {
		return err
	}
	return c.print(e)
}
