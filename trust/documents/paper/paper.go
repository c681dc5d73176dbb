// Package paper is a document that a program made of live data: sections of lines, each of which says where it comes
// from, and the forms in which it is handed out.
//
// It knows nothing about what a document says. A line without a source is a defect that Unsourced names: whoever reads
// a document must be able to look up every sentence of it where it was taken from.
package paper

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Version is the version of the forms, for programs that read them.
const Version = "aver-paper/1"

// Origin is the sort of thing that a line was taken from.
type Origin string

// The origins.
const (
	Table    Origin = "table"    // a table of the data catalogue
	Schedule Origin = "schedule" // a limit of the retention schedule
	Setting  Origin = "setting"  // what the workspace wrote on a page of settings
	Register Origin = "register" // an entry of the register of sub-processors
	Claim    Origin = "claim"    // a measured promise
	Purpose  Origin = "purpose"  // a purpose of the consent notice
	Receiver Origin = "receiver" // a webhook of the workspace's
	Program  Origin = "program"  // a fact of the running program and its configuration
	Law      Origin = "law"      // the text of the law
)

// Source is where a line was taken from.
type Source struct {
	Origin Origin `json:"origin"`
	Ref    string `json:"ref"` // which one: a table's name, an identifier, a page, an article
}

// String is the source in one word.
func (s Source) String() string { return string(s.Origin) + " " + s.Ref }

// Line is one statement.
type Line struct {
	Name   string   `json:"name"`
	Text   string   `json:"text,omitempty"`
	Items  []string `json:"items,omitempty"`
	Href   string   `json:"href,omitempty"`
	State  string   `json:"state,omitempty"` // of a claim: holds, failing, stale, unknown
	Gap    bool     `json:"missing,omitempty"`
	Source Source   `json:"source"`
}

// Section is a part of a document. Law is the rule that asks for it; None is said when there are no lines.
type Section struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Lead  string `json:"lead,omitempty"`
	Law   string `json:"law,omitempty"`
	None  string `json:"none,omitempty"`
	Lines []Line `json:"lines"`
}

// Paper is a document. Hash covers what it says and not when it was made, so the same facts have the same hash.
type Paper struct {
	Format    string    `json:"format"`
	Kind      string    `json:"kind"`
	Title     string    `json:"title"`
	Lead      string    `json:"lead,omitempty"`
	Language  string    `json:"language"`
	Workspace string    `json:"workspace"`
	At        time.Time `json:"generated_at"`
	Program   string    `json:"program"`
	Hash      string    `json:"content_sha256"`
	Sections  []Section `json:"sections"`
}

// Finish stamps a paper with the program that made it, the time, and the hash of what it says.
func (p Paper) Finish(program string, at time.Time) (Paper, error) {
	p.Format, p.Program, p.At, p.Hash = Version, "", time.Time{}, ""
	for i := range p.Sections {
		if p.Sections[i].Lines == nil {
			p.Sections[i].Lines = []Line{} // a list in JSON, not null
		}
	}
	said, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("hash a paper: %w", err)
	}
	sum := sha256.Sum256(said)
	p.Program, p.At, p.Hash = program, at.UTC(), hex.EncodeToString(sum[:])
	return p, nil
}

// Unsourced names the lines that do not say where they come from.
func (p Paper) Unsourced() (names []string) {
	for _, s := range p.Sections {
		for _, l := range s.Lines {
			if l.Source.Origin == "" || l.Source.Ref == "" {
				names = append(names, s.ID+": "+l.Name)
			}
		}
	}
	return names
}

// Gaps counts what somebody still has to fill in.
func (p Paper) Gaps() (n int) {
	for _, s := range p.Sections {
		for _, l := range s.Lines {
			if l.Gap {
				n++
			}
		}
	}
	return n
}

// Lines counts the statements.
func (p Paper) Lines() (n int) {
	for _, s := range p.Sections {
		n += len(s.Lines)
	}
	return n
}
