package documents

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/trust/documents/paper"
	"aver/trust/residency"
	"aver/trust/retention"
	"aver/vault"
	"aver/vault/purpose"
)

// Facts is everything that the papers of one workspace say, as it is now.
type Facts struct {
	At         time.Time
	Workspace  vault.Tenant
	Controller Entity // the workspace's
	Operator   Entity // whoever runs the installation
	Alone      bool   // the installation serves this workspace only: its operator is the controller
	Purposes   []Purpose
	Classes    []Class
	Recipients []Recipient
	Measures   []Measure
	Answers    map[string]answer // to what only a person can judge
	Backups    time.Duration
	Store      string // where rows lie, in words
}

// letters are the points of Art. 6(1) in the order of the law.
var letters = map[purpose.Basis]string{purpose.Consent: "a", purpose.Contract: "b", purpose.LegalObligation: "c", purpose.VitalInterest: "d", purpose.PublicTask: "e", purpose.LegitimateInterest: "f"}

// Purpose is what data is processed for.
type Purpose struct {
	ID     string
	Names  map[string]string // by language: what the tenant calls it
	Words  map[string]string // by language: the tenant's own; empty for those that every installation has
	Basis  purpose.Basis
	Idle   bool // nothing is processed for it now: it is switched off, or nobody uses it
	Source paper.Source
}

// article cites the ground.
func (p Purpose) article() string { return "GDPR Art. 6(1)(" + letters[p.Basis] + ")" }

// Group says whose data a class holds.
type Group string

// The groups.
const (
	Visitors Group = "visitors" // people who write to the tenant
	Staff    Group = "staff"    // people who answer them
	Nobody   Group = "nobody"
)

// Class is a table of the data catalogue under this workspace's terms.
type Class struct {
	Name       string
	For        string   // what its rows are for
	Purpose    string   // a Purpose's ID
	Group      Group    //
	Categories []string // fideslang
	Columns    []vault.Column
	Limit      time.Duration // zero: no limit of age
	While      string        // why there is none
	Installed  bool          // rows belong to the installation, not to the workspace
	Empty      bool          // there is a limit of age, and no row
	Off        []string      // columns that the tenant does not let be processed
}

// Kind is what a recipient is.
type Kind string

// The kinds.
const (
	Company Kind = "company" // a sub-processor
	Program Kind = "program" // a receiver of the tenant's choice
	Machine Kind = "machine" // the operator's own
	Named   Kind = "named"   // whom the tenant wrote down with a purpose
)

// Recipient is somebody whom data is sent to.
type Recipient struct {
	Kind       Kind
	Name       string
	Address    string
	Hosts      []string
	For        []string
	Categories []string
	Region     string // empty: only the tenant knows
	Safeguard  string
	Outside    bool // beyond the workspace's region: a transfer
	Source     paper.Source
}

// Measure is a promise and how it stands.
type Measure struct {
	ID, Theme, Sentence string
	State               claim.State
	Articles            []string
}

// Collect reads the facts of a workspace.
func (s *Service) Collect(ctx context.Context, tenant ids.Tenant) (f Facts, err error) {
	f = Facts{At: s.vault.Now(), Backups: s.Backups, Store: s.Store}
	for _, part := range []struct {
		what string
		read func(context.Context, ids.Tenant, *Facts) error
	}{{"the workspace", s.readWorkspace}, {"purposes", s.readPurposes}, {"classes", s.readClasses}, {"recipients", s.readRecipients}, {"measures", s.readMeasures}, {"answers", s.readAnswers}} {
		if err := part.read(ctx, tenant, &f); err != nil {
			return f, fmt.Errorf("collect %s for the papers: %w", part.what, err)
		}
	}
	return f, nil
}

func (s *Service) readWorkspace(ctx context.Context, tenant ids.Tenant, f *Facts) (err error) {
	if f.Workspace, err = s.vault.Tenant(ctx, tenant); err != nil {
		return err
	}
	if f.Controller, err = s.entity(ctx, tenant); err != nil {
		return err
	}
	if f.Operator, err = s.entity(ctx, ids.Installation); err != nil {
		return err
	}
	all, err := s.vault.AllTenants(ctx, false)
	f.Alone = len(all) == 1 && !f.Operator.named()
	return err
}

func (s *Service) readClasses(ctx context.Context, tenant ids.Tenant, f *Facts) error {
	schedule, err := s.Retention.Oldest(ctx, tenant)
	if err != nil {
		return err
	}
	scheduled := map[string]retention.Class{}
	for _, c := range schedule {
		scheduled[c.Name] = c
	}
	off, err := s.Off(ctx, tenant)
	if err != nil {
		return err
	}
	for _, t := range s.vault.Tables() {
		c := classOf(t, off)
		if c.Installed = slices.Contains(s.Installed, c.Name); c.Installed {
			c.Group = Nobody // the installation's rows are about businesses, or about people whom a probe made up
		}
		if term, is := scheduled[c.Name]; is {
			c.Limit, c.Empty = term.Limit, term.Oldest.IsZero()
			delete(scheduled, c.Name)
		}
		f.Classes = append(f.Classes, c)
	}
	for _, c := range scheduled { // what is no table of its own, such as files
		f.Classes = append(f.Classes, Class{Name: c.Name, For: c.Purpose, Purpose: purposeOf(c.Name), Group: Visitors, Categories: c.Categories, Limit: c.Limit, Empty: c.Oldest.IsZero()})
	}
	sort.Slice(f.Classes, func(i, j int) bool { return f.Classes[i].Name < f.Classes[j].Name })
	return nil
}

func classOf(t vault.AnyTable, off []string) Class {
	terms := t.Terms()
	c := Class{Name: t.Name(), For: terms.Purpose, Columns: t.Columns(), Limit: terms.KeepFor, While: terms.KeepWhile, Purpose: purposeOf(t.Name()), Group: Nobody}
	person := false
	for i := range c.Columns {
		col := &c.Columns[i]
		if slices.Contains(off, c.Name+"."+col.Name) {
			c.Off = append(c.Off, col.Name)
			continue
		}
		person = person || col.Class == "subject" || col.About || strings.HasPrefix(col.Category, "user")
		if col.Category != "" && !slices.Contains(c.Categories, col.Category) {
			c.Categories = append(c.Categories, col.Category)
		}
	}
	slices.Sort(c.Categories)
	switch {
	case slices.Contains(ofStaff, c.Name):
		c.Group = Staff
	case person:
		c.Group = Visitors
	}
	return c
}

// About lists the classes about people of a group.
func (f Facts) About(g Group) []Class {
	return slices.DeleteFunc(slices.Clone(f.Classes), func(c Class) bool { return c.Group != g })
}

// Of lists the classes of a purpose that hold data about people.
func (f Facts) Of(purpose string) []Class {
	return slices.DeleteFunc(slices.Clone(f.Classes), func(c Class) bool { return c.Purpose != purpose || c.Group == Nobody })
}

// Transfers lists the recipients beyond the workspace's region.
func (f Facts) Transfers() []Recipient {
	return slices.DeleteFunc(slices.Clone(f.Recipients), func(r Recipient) bool { return !r.Outside })
}

func (s *Service) readRecipients(ctx context.Context, tenant ids.Tenant, f *Facts) error {
	companies, err := s.Companies.Live(ctx)
	if err != nil {
		return err
	}
	for _, c := range companies {
		f.Recipients = append(f.Recipients, Recipient{Kind: Company, Name: c.Name, Address: c.Address, Hosts: c.Hosts, For: c.Purposes, Categories: c.Categories, Region: c.Region,
			Safeguard: c.Safeguard, Outside: residency.Outside(f.Workspace.Region, c.Region), Source: paper.Source{Origin: paper.Register, Ref: c.ID.String()}})
	}
	receivers, err := s.Receivers(ctx, tenant)
	if err != nil {
		return err
	}
	for _, r := range receivers {
		f.Recipients = append(f.Recipients, Recipient{Kind: Program, Name: r.Host, Hosts: []string{r.Host}, For: r.Events, Categories: []string{"user.unique_id"},
			Source: paper.Source{Origin: paper.Receiver, Ref: r.Ref}})
	}
	for _, m := range s.Servers() {
		f.Recipients = append(f.Recipients, Recipient{Kind: Machine, Name: m.Name, Hosts: []string{m.Host}, For: []string{m.Purpose}, Region: f.Workspace.Region,
			Source: paper.Source{Origin: paper.Program, Ref: "server " + m.Host}})
	}
	return nil
}

func (s *Service) readMeasures(ctx context.Context, _ ids.Tenant, f *Facts) error {
	board, err := s.Promises(ctx)
	for _, st := range board.Standings {
		f.Measures = append(f.Measures, Measure{ID: st.Claim.ID, Theme: st.Claim.Theme, Sentence: st.Claim.Sentence(st.Last.Evidence), State: st.State, Articles: st.Claim.Refs.GDPR})
	}
	return err
}
