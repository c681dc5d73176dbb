package rights

import (
	"context"

	"aver/base/ids"
	"aver/trust/rights/record"
)

// Due does what is due, now.
func (s *Service) Due(ctx context.Context) error { return s.due(ctx) }

// Work puts a copy together, as the job does.
func (s *Service) Work(ctx context.Context, tenant ids.Tenant, id RequestID) error {
	return s.work(ctx, tenant, id)
}

// GiveUp gives a letter up, as the queue does after the last try.
func (s *Service) GiveUp(ctx context.Context, tenant ids.Tenant, id RequestID, letter record.Letters) error {
	return s.returned(ctx, tenant, id, letter)
}
