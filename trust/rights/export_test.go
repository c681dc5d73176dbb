package rights

import (
	"context"
	"time"

	"aver/base/ids"
)

// NewRequestID names a request that a test stores by itself.
func NewRequestID(now time.Time) RequestID { return ids.New[dsr](now) }

// Due does what is due, now.
func (s *Service) Due(ctx context.Context) error { return s.due(ctx) }
