package takeout

import "context"

// Due is what happens every hour.
func (s *Service) Due(ctx context.Context) error { return s.due(ctx) }

// AtOnce is how many rows one look reads.
const AtOnce = atOnce
