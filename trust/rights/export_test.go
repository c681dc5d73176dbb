package rights

import "context"

// Due does what is due, now.
func (s *Service) Due(ctx context.Context) error { return s.due(ctx) }
