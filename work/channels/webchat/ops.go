package webchat

import "aver/frame/live"

// Ops are the operations of the widget's socket, for whoever attacks them.
func (s *Service) Ops() map[string]live.Op { return s.handler.Ops }
