package takeout

import (
	"context"

	"aver/frame/jobs"
)

// Due is what happens every hour.
func (s *Service) Due(ctx context.Context) error { return s.due(ctx) }

// AtOnce is how many rows one look reads.
const AtOnce = atOnce

// Work is what a job does.
func (s *Service) Work(ctx context.Context, j jobs.Job) error { return s.work(ctx, j) }
