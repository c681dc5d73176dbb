package rights

import (
	"github.com/danielgtaylor/huma/v2"

	"aver/frame/module"
)

func (s *Service) api(huma.API)      {}
func (s *Service) routes(module.Mux) {}
