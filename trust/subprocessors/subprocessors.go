// Package subprocessors is the register of the companies that work for this installation: name, address, what for,
// which data, where, and which of their hosts may be called.
//
// The register is what frame/egress asks before anything leaves, so it is current by construction: a company that is
// not in it cannot be called. Recipients that a tenant chose for itself (its webhooks) and the operator's own machines
// (its mail relay) are no sub-processors; they are given to Register beside the rows.
package subprocessors

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/egress"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 13

type subprocessor struct{}

func (subprocessor) Prefix() string { return "sbp" }

// ID names an entry of the register.
type ID = ids.Of[subprocessor]

// ParseID reads an entry's identifier.
func ParseID(s string) (ID, error) { return ids.Parse[subprocessor](s) }

// Status says whether an entry counts.
type Status string

// A draft lets nothing out. A live entry does.
const (
	Draft Status = "draft"
	Live  Status = "live"
)

// Company is an entry of the register. Rows belong to ids.Installation.
type Company struct {
	ID         ID        `vault:"id,key"`
	Name       string    `vault:"name,tenant:tenant.settings"`       // legal name
	Address    string    `vault:"address,tenant:tenant.settings"`    // with the country
	Purposes   []string  `vault:"purposes,tenant:tenant.settings"`   // for what, as given to egress
	Categories []string  `vault:"categories,tenant:tenant.settings"` // of data it receives, fideslang
	Region     string    `vault:"region,tenant:tenant.settings"`     // where it processes
	Hosts      []string  `vault:"hosts,tenant:tenant.settings"`      // lower case
	Safeguard  string    `vault:"safeguard,tenant:tenant.settings"`  // for transfers: EU 2021/914, adequacy decision, none needed
	Contract   string    `vault:"contract,tenant:tenant.settings"`   // where the data processing agreement is kept
	AuditedAt  time.Time `vault:"audited_at,state"`
	Status     Status    `vault:"status,state"`
	CreatedAt  time.Time `vault:"created_at,state"`
	LiveAt     time.Time `vault:"live_at,state"`
}

// Companies is the register's table.
var Companies = vault.Define[Company]("subprocessors", vault.Purpose("knowing which companies work for this installation"),
	vault.KeepWhile("as long as the company works for us, and for the record of processing (GDPR Art. 30)"))

var (
	actRead  = vault.Act("subprocessor.read", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor), vault.System(), vault.Scope("settings:read"))
	actWrite = vault.Act("subprocessor.write", purpose.Workspace, vault.Roles(vault.Owner, vault.DPO), vault.System(), vault.Scope("settings:write"))
)

// Allowed is a recipient that is no sub-processor: the operator's own machine, or one that a tenant chose.
type Allowed func(ctx context.Context, purpose, host string) (egress.Entry, bool)

// Service keeps the register.
type Service struct {
	vault *vault.Vault

	mu    sync.Mutex
	also  []Allowed
	kept  []Company
	read  time.Time
	calls map[Call]Count
}

// Call is what left, or wanted to.
type Call struct{ Host, Purpose string }

// Count says how often since this process started, and whose host it was.
type Count struct {
	Allowed, Refused int
	Grade            egress.Grade // zero if it was never let out
}

// New makes the service.
func New(v *vault.Vault) *Service { return &Service{vault: v, calls: map[Call]Count{}} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name: "subprocessors", Number: Number, Migrations: migrations,
		Tables:   []vault.AnyTable{Companies},
		Actions:  []*vault.Action{actRead, actWrite},
		API:      s.api,
		Routes:   s.routes,
		Settings: []module.Link{{Path: "/settings/subprocessors", Title: "Sub-processors", About: "Which companies may receive data, and what for.", For: actRead}},
	}
}

// Allow adds recipients that are no sub-processors. Call it before the first call goes out.
func (s *Service) Allow(a Allowed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.also = append(s.also, a)
}

// Own is the operator's own machine, for one purpose.
func Own(purpose, host, name string) Allowed {
	return func(_ context.Context, p, h string) (egress.Entry, bool) {
		return egress.Entry{Name: name, Grade: egress.Own}, p == purpose && h == host
	}
}

// Register is what frame/egress asks: may this host be called for this purpose? When the register cannot be read,
// nothing may.
func (s *Service) Register(ctx context.Context, purpose, host string) (egress.Entry, bool) {
	s.mu.Lock()
	also := slices.Clone(s.also)
	s.mu.Unlock()
	for _, allowed := range also {
		if entry, ok := allowed(ctx, purpose, host); ok {
			s.note(Call{host, purpose}, func(n *Count) { n.Grade = entry.Grade })
			return entry, true
		}
	}
	live, err := s.Live(ctx)
	if err != nil {
		return egress.Entry{}, false
	}
	for _, c := range live {
		if slices.Contains(c.Hosts, host) && slices.Contains(c.Purposes, purpose) {
			s.note(Call{host, purpose}, func(n *Count) { n.Grade = egress.SubProcessor })
			return egress.Entry{Name: c.Name, Grade: egress.SubProcessor}, true
		}
	}
	return egress.Entry{}, false
}

// current is how old the register may be that a decision rests on.
const current = 2 * time.Second

// Live lists the entries that count, by name.
func (s *Service) Live(ctx context.Context) ([]Company, error) {
	all, err := s.all(ctx)
	return slices.DeleteFunc(slices.Clone(all), func(c Company) bool { return c.Status != Live }), err
}

func (s *Service) all(ctx context.Context) ([]Company, error) {
	now := s.vault.Now()
	s.mu.Lock()
	kept, read := s.kept, s.read
	s.mu.Unlock()
	if !read.IsZero() && now.Sub(read) < current {
		return kept, nil
	}
	var all []Company
	err := s.vault.View(ctx, system(), actRead, func(tx *vault.Tx) (err error) {
		all, err = Companies.Find(tx, "ORDER BY id LIMIT 1000")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the register of sub-processors: %w", err)
	}
	sort.Slice(all, func(i, j int) bool { return strings.ToLower(all[i].Name) < strings.ToLower(all[j].Name) })
	s.mu.Lock()
	s.kept, s.read = all, now
	s.mu.Unlock()
	return all, nil
}

func system() vault.Actor { return identity.System(ids.Installation, "subprocessors") }

// Observe counts what left, for frame/egress's Observed.
func (s *Service) Observe(host, purpose string, allowed bool) {
	s.note(Call{host, purpose}, func(n *Count) {
		if allowed {
			n.Allowed++
		} else {
			n.Refused++
		}
	})
}

const mostCalls = 1000 // somebody may make names up

func (s *Service) note(call Call, change func(*Count)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, known := s.calls[call]
	if !known && len(s.calls) >= mostCalls {
		return
	}
	change(&n)
	s.calls[call] = n
}

// Calls tells what was called, and what was refused, since this process started.
func (s *Service) Calls() map[Call]Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[Call]Count, len(s.calls))
	for call, n := range s.calls {
		out[call] = n
	}
	return out
}

// List reads the whole register, drafts too.
func (s *Service) List(ctx context.Context, actor vault.Actor) ([]Company, error) {
	if err := s.vault.Permit(ctx, actor, actRead); err != nil {
		return nil, err
	}
	return s.all(ctx)
}

// Operates tells whether the actor speaks for whoever runs the installation: a command on the machine, or the owner or
// data protection officer of the only workspace. With several workspaces none of them decides where all data may go.
func (s *Service) Operates(ctx context.Context, actor vault.Actor) bool {
	if !actor.Can(actWrite) {
		return false
	}
	if actor.Kind() == vault.AsSystem && actor.Tenant() == ids.Installation {
		return true
	}
	tenants, err := s.vault.AllTenants(ctx, false)
	return err == nil && len(tenants) == 1 && tenants[0].ID == actor.Tenant()
}

// Save adds an entry, or changes the one with the same ID. Live needs an audit and a contract.
func (s *Service) Save(ctx context.Context, actor vault.Actor, c Company) (Company, error) {
	if err := s.permit(ctx, actor); err != nil {
		return c, err
	}
	if err := check(&c, s.vault.Now()); err != nil {
		return c, err
	}
	err := s.vault.Do(ctx, system(), actWrite, func(tx *vault.Tx) error {
		kind := "subprocessor.changed"
		if c.ID.IsZero() {
			c.ID, c.CreatedAt, kind = ids.New[subprocessor](tx.Now()), tx.Now(), "subprocessor.added"
		} else {
			before, err := Companies.Get(tx, c.ID)
			if err != nil {
				return err
			}
			c.CreatedAt, c.LiveAt = before.CreatedAt, before.LiveAt
		}
		if c.Status == Live && c.LiveAt.IsZero() {
			c.LiveAt = tx.Now()
		}
		tx.Emit(vault.Event{Kind: kind, Object: c.ID.String()}, nil)
		return Companies.Put(tx, c)
	})
	s.forget()
	return c, err
}

// Remove takes an entry out: from then on its hosts cannot be called.
func (s *Service) Remove(ctx context.Context, actor vault.Actor, id ID) error {
	if err := s.permit(ctx, actor); err != nil {
		return err
	}
	err := s.vault.Do(ctx, system(), actWrite, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "subprocessor.removed", Object: id.String()}, nil)
		return Companies.Delete(tx, id)
	})
	s.forget()
	return err
}

// permit also writes into the actor's own log that the register was changed by it, or refused to it.
func (s *Service) permit(ctx context.Context, actor vault.Actor) error {
	if err := s.vault.Do(ctx, actor, actWrite, func(*vault.Tx) error { return nil }); err != nil {
		return err
	}
	if !s.Operates(ctx, actor) {
		return errs.New(errs.Forbidden, "This installation serves several workspaces; whoever runs it keeps the register, with the command aver subprocessors.")
	}
	return nil
}

func (s *Service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = time.Time{}
}

// check refuses what is not complete, and brings hosts into the spelling that egress knows.
func check(c *Company, now time.Time) error {
	var fields []errs.Field
	missing := func(name, message string) {
		fields = append(fields, errs.Field{Field: name, Code: "required", Message: message})
	}
	for i, h := range c.Hosts {
		c.Hosts[i] = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(h), "."))
		if strings.ContainsAny(c.Hosts[i], "/:* ") {
			fields = append(fields, errs.Field{Field: "hosts", Code: "malformed", Message: "Write names of hosts, one per line, without https:// and without a port."})
		}
	}
	for _, need := range []struct {
		name, message string
		given         bool
	}{
		{"name", "Write the company's legal name.", c.Name != ""},
		{"address", "Write the registered address with the country.", c.Address != ""},
		{"purposes", "Say what the company does for you.", len(c.Purposes) > 0},
		{"categories", "Say which data it receives.", len(c.Categories) > 0},
		{"region", "Say where it processes.", c.Region != ""},
		{"hosts", "Name the hosts that are called.", len(c.Hosts) > 0},
	} {
		if !need.given {
			missing(need.name, need.message)
		}
	}
	switch c.Status {
	case "", Draft:
		c.Status = Draft
	case Live:
		if c.AuditedAt.IsZero() || c.AuditedAt.After(now) {
			missing("audited_at", "A company goes live after it was audited: write the day of the audit.")
		}
		if c.Contract == "" {
			missing("contract", "A company goes live under a contract (GDPR Art. 28): say where it is kept.")
		}
	default:
		fields = append(fields, errs.Field{Field: "status", Code: "choice", Message: "Choose draft or live."})
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "The entry is not complete.", fields...)
	}
	return nil
}
