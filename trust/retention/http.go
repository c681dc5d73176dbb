package retention

import "aver/frame/module"

func (s *Service) routes(module.Mux) {}
