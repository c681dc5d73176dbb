// Package webhooks tells a tenant's own programs what happened, by signed HTTP requests (Standard Webhooks 1.0.0).
//
// People who have objected to that, or had their data restricted, are not told of at all, but for what recipients must
// learn by law; those who opted out of sale and sharing are told of without saying who they are.
//
// What is told is thin: identifiers and times, never words of or about a person, so that there is one copy fewer to
// erase and every fetch is in the log. A message is written beside the journal before anything is sent, keeps its
// identifier over all attempts, and is sent until the receiver says 2xx or the schedule of three days is used up: at
// least once, in no promised order. Receivers are told apart: one that hangs delays no other.
//
// Programs that can hold a connection open should rather listen to the API's events; browsers use frame/live.
package webhooks

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/egress"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/webhooks/ui"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 7

// Purpose is what egress is told these calls are for.
const Purpose = "webhooks"

type (
	webhook  struct{}
	delivery struct{}
)

func (webhook) Prefix() string  { return "whk" }
func (delivery) Prefix() string { return "msg" }

type (
	// ID names an endpoint.
	ID = ids.Of[webhook]
	// MessageID names a message to an endpoint: the webhook-id header, the same in every attempt.
	MessageID = ids.Of[delivery]
)

// State is how an endpoint or a message stands.
type State string

// The states of an endpoint.
const (
	Active   State = "active"
	Disabled State = "disabled" // by a person
	Gone     State = "gone"     // the receiver said 410
	Given    State = "given-up" // a message was refused to the end of the schedule, and none taken meanwhile
)

// The states of a message.
const (
	Waiting   State = "waiting"
	Delivered State = "delivered"
	Failed    State = "failed"
)

// Endpoint is where a tenant wants to be told.
type Endpoint struct {
	ID          ID             `vault:"id,key"`
	URL         string         `vault:"url,tenant:tenant.settings"` // may hold a secret of the receiver's
	About       string         `vault:"about,tenant:tenant.settings"`
	Events      []string       `vault:"events,tenant:tenant.settings"` // of Types; all of them if empty
	Secrets     personal.Bytes `vault:"secrets,secret"`                // JSON list of secret, newest first
	State       State          `vault:"state,state"`
	Failures    int            `vault:"failures,state"`     // attempts in a row that failed
	PausedUntil time.Time      `vault:"paused_until,state"` // nothing is sent before: the receiver fails or asked for it
	DeliveredAt time.Time      `vault:"delivered_at,state"` // the newest message that was taken
	CreatedAt   time.Time      `vault:"created_at,state"`
	DisabledAt  time.Time      `vault:"disabled_at,state"`
}

// Message is something that an endpoint is told.
type Message struct {
	ID        MessageID `vault:"id,key"`
	Endpoint  ID        `vault:"webhook,state"`
	Event     string    `vault:"event,state"`
	Body      string    `vault:"body,tenant:tenant.content"` // JSON of identifiers and times, under 20 kB
	State     State     `vault:"state,state"`
	Step      int       `vault:"step,state"`     // how far in the schedule
	Attempts  int       `vault:"attempts,state"` // in all
	Code      int       `vault:"code,state"`     // HTTP status of the last attempt; 0 if there was no answer
	Fault     Fault     `vault:"fault,state"`    // why there was none
	NextAt    time.Time `vault:"next_at,state"`
	TriedAt   time.Time `vault:"tried_at,state"`
	CreatedAt time.Time `vault:"created_at,state,keep"`
}

const keepMessages = 30 * 24 * time.Hour

// The tables.
var (
	Endpoints = vault.Define[Endpoint]("webhooks", vault.Purpose("knowing which of the tenant's programs want to be told what"), vault.KeepWhile("until the tenant removes it"))
	Messages  = vault.Define[Message]("webhook_deliveries", vault.Purpose("telling the tenant's programs what happened"), vault.KeepFor(keepMessages))
)

var (
	actRead    = vault.Act("webhook.read", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.Auditor), vault.Scope("webhooks:read"), vault.System())
	actWrite   = vault.Act("webhook.write", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator), vault.Scope("webhooks:write"))
	actRotate  = vault.Act("webhook.rotate", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator), vault.Scope("webhooks:write"))
	actReplay  = vault.Act("webhook.replay", purpose.Sync, vault.Roles(vault.Owner, vault.Administrator), vault.Scope("webhooks:write"))
	actQueue   = vault.Act("webhook.queue", purpose.Sync, vault.System())
	actAttempt = vault.Act("webhook.attempt", purpose.Sync, vault.System())
)

// Service tells endpoints what happened.
type Service struct {
	vault  *vault.Vault
	jobs   *jobs.Jobs
	client *http.Client
	plain  map[string]bool // host:port of receivers that may be called without TLS: tests and the demo
	log    *slog.Logger
	wait   time.Duration // for an answer

	mu      sync.Mutex
	busy    map[ID]bool        // an endpoint is told one thing at a time
	tenants map[ids.Tenant]int // and a tenant's endpoints use a part of the workers
}

// New makes the service. Calls go out through the door, whose register must ask Allowed.
func New(v *vault.Vault, queue *jobs.Jobs, door *egress.Door, log *slog.Logger) *Service {
	s := &Service{vault: v, jobs: queue, log: log, wait: callTimeout, busy: map[ID]bool{}, tenants: map[ids.Tenant]int{}}
	if door != nil {
		s.client, s.plain = door.Client(Purpose), door.Loopback
	}
	return s
}

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name: "webhooks", Number: Number, Migrations: migrations,
		Tables:   []vault.AnyTable{Endpoints, Messages},
		Actions:  []*vault.Action{actRead, actWrite, actRotate, actReplay, actQueue, actAttempt, actTell},
		API:      s.api,
		Routes:   s.routes,
		Settings: []module.Link{{Path: "/settings/webhooks", Title: ui.T("title"), About: ui.T("about"), For: actRead}},
		Jobs:     s.declare,
	}
}

const (
	jobSend  = "webhook.send"
	jobSweep = "webhook.sweep"
)

// declare says what is due: sending, endpoint by endpoint, and a look for what a crash left behind.
func (s *Service) declare(queue *jobs.Jobs) error {
	err := queue.Handle(jobs.Kind{Name: jobSend, Work: s.send, Unique: true, Outward: true, Timeout: runFor + callTimeout + 10*time.Second,
		Retry: []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}})
	if err != nil {
		return err
	}
	return queue.Every(jobSweep, 10*time.Minute, s.sweep)
}

// sweep wakes the endpoints that have messages which should have gone out: their job was lost.
func (s *Service) sweep(ctx context.Context) error {
	tenants, err := s.vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if err := s.wakeOverdue(ctx, t.ID); err != nil {
			return err
		}
	}
	return nil
}
