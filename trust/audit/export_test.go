package audit

import "context"

// RotateDue is what happens every few hours.
func (s *Service) RotateDue(ctx context.Context) error { return s.rotateDue(ctx) }
