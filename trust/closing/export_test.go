package closing

import "context"

// Due is what happens every ten minutes.
func (s *Service) Due(ctx context.Context) error { return s.due(ctx) }
