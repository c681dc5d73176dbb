package takeout

import (
	"context"

	"aver/base/ids"
	"aver/frame/jobs"
	"aver/vault"
)

// Keep stores what is put together.
func (s *Service) Keep(ctx context.Context, tenant ids.Tenant, made Takeout, blob vault.Blob) error {
	return s.keep(ctx, tenant, made, blob)
}

// Due is what happens every hour.
func (s *Service) Due(ctx context.Context) error { return s.due(ctx) }

// AtOnce is how many rows one look reads.
const AtOnce = atOnce

// Work is what a job does.
func (s *Service) Work(ctx context.Context, j jobs.Job) error { return s.work(ctx, j) }
