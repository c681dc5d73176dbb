// Package children sees to it that no data of children under 13 is kept (promise rgt-9; 15 USC 6501, COPPA).
//
// Nobody is asked for their age. But who says it, in a message or in a field that the tenant's site fills, is taken at
// their word: a review is opened for the tenant, programs keep their hands off the person meanwhile, and whoever looks
// after data protection is told. A confirmed child is erased through package rights, in strict mode at once. What people
// say of others, such as of their own children, opens nothing: package age says what is understood.
//
// It reads the journal after the commit, so that no message waits for it.
package children

import (
	"context"
	"embed"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/trust/rights"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 18

type review struct{}

func (review) Prefix() string { return "chr" }

// ID names a review.
type ID = ids.Of[review]

// State is how far a review is.
type State string

// The states.
const (
	Open      State = "open"
	Erased    State = "erased"    // a person confirmed it, or strict mode did
	Dismissed State = "dismissed" // it is no child
)

// Review is the question whether somebody is a child. It names them by identifier only and says nothing else of them, so
// that it can outlive an erasure and show that it was done.
type Review struct {
	ID        ID          `vault:"id,key"`
	Contact   ids.Contact `vault:"contact,state"`
	Place     string      `vault:"place,state"` // where it was said: cnv_….5, or fields
	Age       int         `vault:"age,state"`
	State     State       `vault:"state,state"`
	Closed    bool        `vault:"closed,state"` // programs were kept away for this review, and are let back when it is dismissed
	ToldAt    time.Time   `vault:"told_at,state"`
	OpenedAt  time.Time   `vault:"opened_at,state"`
	DecidedBy ids.User    `vault:"decided_by,state"` // zero: strict mode
	EndedAt   time.Time   `vault:"ended_at,state,keep"`
}

type settings struct {
	ID        int64     `vault:"id,key"`
	Strict    bool      `vault:"strict,state"`
	ChangedAt time.Time `vault:"changed_at,state"`
}

// The tables.
var (
	Reviews = vault.Define[Review]("child_reviews", vault.Purpose("keeping no data of children, and being able to show it"), vault.KeepFor(3*365*24*time.Hour))
	table   = vault.Define[settings]("child_settings", vault.Purpose("keeping no data of children, and being able to show it"), vault.KeepWhile("as long as the account"))
)

// What can be done. Whoever answers sees that a review is open; deciding is for those who look after people's rights.
var (
	keepers    = vault.Roles(vault.Owner, vault.Administrator, vault.DPO)
	actRead    = vault.Act("child_review.read", purpose.Duty, vault.Everyone(), vault.Scope("privacy:read"), vault.System())
	actErase   = vault.Act("child_review.confirm", purpose.Duty, keepers, vault.Scope("privacy:write"), vault.System())
	actDismiss = vault.Act("child_review.dismiss", purpose.Duty, keepers, vault.Scope("privacy:write"))
	actSet     = vault.Act("child_settings.write", purpose.Workspace, keepers)
	actLook    = vault.Act("child.look", purpose.Duty, vault.System())
	actSuspect = vault.Act("child_review.open", purpose.Duty, vault.System())
)

// Mailer sends one letter; frame/mail's Sender is one.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Config is what others know.
type Config struct {
	Rights      *rights.Service
	Restriction *restriction.Service
	Mail        Mailer // nil: nobody is mailed
	Host        func() string

	// Message is what a visitor wrote, by its conversation and number; empty when there is nothing, or it was no visitor.
	Message func(tx *vault.Tx, contact ids.Contact, conversation string, seq int64) (personal.Text, error)
	// Fields are the values that a contact's own fields have, by name.
	Fields func(tx *vault.Tx, contact ids.Contact) (map[string]any, error)
	// Flag marks a conversation for those who answer, or takes the mark off.
	Flag func(ctx context.Context, tenant ids.Tenant, contact ids.Contact, conversation string, on bool) error
}

// Service keeps the reviews.
type Service struct {
	vault  *vault.Vault
	config Config
	queue  *jobs.Jobs
}

// New makes the service.
func New(v *vault.Vault, c Config) *Service { return &Service{vault: v, config: c} }

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "children",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{Reviews, table},
		Actions:    []*vault.Action{actRead, actErase, actDismiss, actSet, actLook, actSuspect},
		API:        s.api,
		Routes:     s.routes,
		Settings:   []module.Link{{Path: "/settings/children", Title: "Children", About: "What happens when somebody under 13 writes, and who may be one.", For: actRead}},
		Jobs:       s.jobs,
	}
}

const actKind = "children.act"

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	return j.Handle(jobs.Kind{Name: actKind, Unique: true, Retry: []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour},
		Work: func(ctx context.Context, job jobs.Job) error { return s.act(ctx, job.Tenant, job.ID) }})
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "children") }
