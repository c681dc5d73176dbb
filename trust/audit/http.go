package audit

import (
	"net/http"

	"aver/frame/module"
	"github.com/danielgtaylor/huma/v2"
)

func (s *Service) api(huma.API)      {}
func (s *Service) routes(module.Mux) { _ = http.MethodGet }
