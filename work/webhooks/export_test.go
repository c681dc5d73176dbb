package webhooks

import (
	"context"
	"time"

	"aver/base/ids"
	"aver/vault/journal"
)

// Schedule is the schedule, for tests that walk through it.
var Schedule = schedule

// SetWait makes the service less patient with receivers.
func (s *Service) SetWait(d time.Duration) { s.wait = d }

// Run sends what an endpoint is due, as its job does.
func (s *Service) Run(ctx context.Context, tenant ids.Tenant, id ID) (time.Time, error) {
	return s.run(ctx, tenant, id)
}

// Queue reads journal entries, as the follower does.
func (s *Service) Queue(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	return s.queue(ctx, tenant, entries)
}
