// Package inbox keeps the conversations between the people who write to a tenant and those who answer.
//
// A conversation belongs to one person. Its messages are numbered from 1 without a gap, and a message that was
// acknowledged is durable, sealed under the person's key and in the log. Notes of the team hang on the message after
// which they were written and have a numbering of their own, so that a visitor cannot even count them. Channels (such
// as the chat widget) bring messages in through Receive and read them back through History and Since; they keep
// nothing themselves. Pages and the API are in the packages below this one.
package inbox

import (
	"context"
	"embed"
	"time"

	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/live"
	"aver/frame/module"
	"aver/vault"
	"aver/work/contacts"
	"aver/work/inbox/desk"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 5

// People tells who somebody is, for lists and threads, and who may write. The contacts are one.
type People interface {
	Welcome(tx *vault.Tx, contact ids.Contact) error
	WelcomeLater(tx *vault.Tx, contact ids.Contact) (welcome func() error)
	Briefs(tx *vault.Tx, wanted []ids.Contact) (map[ids.Contact]contacts.Brief, error)
}

// Queue takes work that is due later. The queue of frame/jobs is one.
type Queue interface {
	Enqueue(ctx context.Context, kind string, tenant ids.Tenant, id string, at time.Time) error
}

// Service keeps the conversations.
type Service struct {
	*desk.Desk
	vault  *vault.Vault
	hub    *live.Hub
	queue  Queue
	people People
}

// New makes the service and lets it tell the hub what every commit brings.
func New(v *vault.Vault, hub *live.Hub, queue Queue, people People) *Service {
	s := &Service{Desk: desk.New(v), vault: v, hub: hub, queue: queue, people: people}
	if v != nil { // without one only Module can be asked
		v.OnCommit(s.tell)
	}
	return s
}

// Module is what the service brings, without pages and API: package web adds those.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "inbox",
		Number:     Number,
		Migrations: migrations,
		Tables:     append([]vault.AnyTable{Conversations, Messages, Uploads}, desk.Tables...),
		Actions:    append(actions, desk.Actions...),
		Jobs:       s.jobs,
	}
}

// The kinds of background work.
const (
	wakeKind    = "conversation.wake"
	overdueKind = "conversations.wake_overdue"
	sweepKind   = "uploads.sweep"
)

func (s *Service) jobs(j *jobs.Jobs) error {
	retry := []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}
	if err := j.Handle(jobs.Kind{Name: wakeKind, Work: s.wake, Retry: retry}); err != nil {
		return err
	}
	if err := j.Every(overdueKind, time.Hour, s.WakeOverdue); err != nil {
		return err
	}
	return j.Every(sweepKind, 24*time.Hour, s.SweepUploads)
}

// MayRead tells whether somebody may read conversations, and MayWrite whether they may answer: for pages that hide what
// would be refused.
func (s *Service) MayRead(actor vault.Actor) bool  { return actor.Can(actOpen) }
func (s *Service) MayWrite(actor vault.Actor) bool { return actor.Can(actReply) }

// Now is the time that the inbox goes by.
func (s *Service) Now() time.Time { return s.vault.Now() }
