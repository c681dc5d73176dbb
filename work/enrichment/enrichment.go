// Package enrichment looks people up in public sources, where a tenant switched that on (promise enr-1).
//
// Nothing is looked up unless an owner named the source, the register of sub-processors lists its host, and letters can
// be sent: whoever is looked up is told within a month what was found and where (GDPR Art. 14(3)(a)). Everything here
// happens for the purpose of enrichment, so the vault shows nobody who is restricted or has objected. What is found is
// kept beside what the person said and never over it, with its source and time.
//
// Two kinds of source are known: pictures after the Libravatar scheme, by a hash of the address; and profiles of any
// service that answers a GET with JSON. Servers that an address's own domain names (Libravatar's federation) are not
// asked: nobody could have put them into the register.
package enrichment

import (
	"context"
	"embed"
	"net/http"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/claim"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/enrichment/ui"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 43

// Purpose is what egress is told these calls are for, and what the register must list.
const Purpose = "enrichment"

// Kind is a sort of source.
type Kind string

// The kinds.
const (
	Picture Kind = "picture" // after the Libravatar scheme
	Profile Kind = "profile" // any service that answers with JSON
)

// Kinds are all kinds.
var Kinds = []Kind{Picture, Profile}

// Source is where a tenant wants people looked up. Without a row, or with one that is off, nothing is.
type Source struct {
	Kind      Kind              `vault:"kind,key"`
	On        bool              `vault:"is_on,state"`
	URL       string            `vault:"url,tenant:tenant.settings"`    // https, with {sha256} or {email} where the person goes
	Fields    map[string]string `vault:"fields,tenant:tenant.settings"` // of a profile: what it is called here → JSON pointer (RFC 6901)
	Token     personal.Text     `vault:"token,secret"`                  // sent as bearer token; may be empty
	ChangedAt time.Time         `vault:"changed_at,state"`
}

// Value is something that a source said about a person.
type Value struct {
	Contact ids.Contact    `vault:"contact,key,subject"`
	Kind    Kind           `vault:"kind,key"`
	Field   string         `vault:"field,key"` // of the tenant's own words; picture of a picture
	Words   personal.Text  `vault:"words,personal:user"`
	Image   personal.Bytes `vault:"image,personal:user"`
	Media   string         `vault:"media,state"` // of the image: image/png and the like
	Source  string         `vault:"source,tenant:tenant.settings"`
	FoundAt time.Time      `vault:"found_at,state,keep"`
}

// look is one question about a person: it is not asked again soon.
type look struct {
	Contact ids.Contact    `vault:"contact,key,subject"`
	Kind    Kind           `vault:"kind,key"`
	Address personal.Bytes `vault:"address,personal:user.unique_id"` // SHA-256 of the address that was asked about
	At      time.Time      `vault:"asked_at,state,keep"`
}

// Notice is the letter that a person is owed who was found.
type Notice struct {
	Contact ids.Contact `vault:"contact,key,subject"`
	FoundAt time.Time   `vault:"found_at,state"`
	DueAt   time.Time   `vault:"due_at,state"`
	SentAt  time.Time   `vault:"sent_at,state,keep"`
}

const (
	keepValues   = 365 * 24 * time.Hour
	askAgain     = 90 * 24 * time.Hour
	noticeWithin = 28 * 24 * time.Hour // shorter than any month
)

// The tables.
var (
	knowing = vault.Purpose("completing what is known of people from public sources")
	sources = vault.Define[Source]("enrichment_sources", vault.Purpose("knowing where the tenant wants people looked up"), vault.KeepWhile("until the tenant switches it off"))
	values  = vault.Define[Value]("enrichment_values", knowing, vault.KeepFor(keepValues))
	looks   = vault.Define[look]("enrichment_looks", vault.Purpose("not asking about a person again and again"), vault.KeepFor(askAgain))
	notices = vault.Define[Notice]("enrichment_notices", vault.Purpose("telling people what was found about them, and showing that they were told"), vault.KeepFor(3*365*24*time.Hour))
)

var (
	lookers   = vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO)
	actRead   = vault.Act("enrichment.read", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor), vault.Scope("settings:read"), vault.System())
	actSet    = vault.Act("enrichment.set", purpose.Workspace, vault.Roles(vault.Owner, vault.DPO), vault.Scope("settings:write"))
	actView   = vault.Act("enrichment.view", purpose.Support, lookers, vault.Scope("contacts:read"), vault.Reads())
	actAsk    = vault.Act("enrichment.ask", purpose.Enrichment, vault.Roles(vault.Owner, vault.Administrator, vault.Operator), vault.Scope("contacts:write"))
	actForget = vault.Act("enrichment.forget", purpose.Storage, lookers, vault.Scope("contacts:write"), vault.System())
	actNotify = vault.Act("enrichment.notify", purpose.Own, vault.System())
	actSweep  = vault.Act("enrichment.sweep", purpose.Storage, vault.System())

	// What touches people for the sake of enrichment: the vault keeps from it whoever objects.
	actLook = vault.Act("enrichment.look", purpose.Enrichment, vault.System())
	actKeep = vault.Act("enrichment.keep", purpose.Enrichment, vault.System())
)

// Mailer sends one letter.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Config is what the service is made of.
type Config struct {
	Vault      *vault.Vault
	Queue      *jobs.Jobs
	Client     *http.Client                                                            // through the door, for Purpose
	Registered func(ctx context.Context, host string) bool                             // the register lists the host for Purpose
	Mail       Mailer                                                                  // nil: nobody can be told, so nobody is looked up
	Host       func() string                                                           // where people reach the page about their rights
	Object     func(ctx context.Context, actor vault.Actor, contact ids.Contact) error // for the probe, which objects for somebody who does not exist
	Scratch    *world.Scratch                                                          // what the probe's fixtures may break
}

// Service looks people up.
type Service struct {
	Config
}

// New makes the service.
func New(c Config) *Service { return &Service{c} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name: "enrichment", Number: Number, Migrations: migrations,
		Tables:   []vault.AnyTable{sources, values, looks, notices},
		Actions:  []*vault.Action{actRead, actSet, actView, actAsk, actForget, actNotify, actSweep, actLook, actKeep},
		API:      s.api,
		Routes:   s.routes,
		Settings: []module.Link{{Path: "/settings/enrichment", Title: ui.T("title"), About: ui.T("about"), For: actRead}},
		Jobs:     s.jobs,
		Claims:   []claim.Claim{s.promise()},
	}
}
