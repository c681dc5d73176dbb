package edge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aver/frame/request"
	"aver/vault"
)

// APIVersion is the version of the contract under /v1.
const APIVersion = "1.0.0"

var overrideHuma = sync.OnceFunc(func() {
	huma.NewError = newProblem
	huma.DefaultArrayNullable = false
})

// NewAPI makes the API on a mux. Of huma's defaults four are replaced: errors that repeat the values they refuse;
// $schema links made from the request's Host; documentation that loads scripts from elsewhere; and its description,
// served here from one rendering. Bodies are read strictly, and query parameters nobody knows are refused.
func NewAPI(mux humago.Mux, sessionCookie string) huma.API {
	overrideHuma()
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Aver",
				Version:     APIVersion,
				Description: "Everything the console does, for programs. Errors are application/problem+json (RFC 9457). A POST with an Idempotency-Key header is carried out once.",
			},
			Components: &huma.Components{
				Schemas: newSchemas(),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "The session of somebody who is signed in to the console."},
					"key":     {Type: "http", Scheme: "bearer", BearerFormat: "avk_…", Description: "An API key with scopes, from Settings."},
				},
			},
			Security: []map[string][]string{{"session": {}}, {"key": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": strictFormat, "json": strictFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{finishProblem},
	}
	api := humago.New(mux, config)
	api.UseMiddleware(requireCaller(api))
	return api
}

// finishProblem adds to an error what only the request knows.
func finishProblem(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*Problem)
	if !ok {
		return v, nil
	}
	p.RequestID = request.ID(ctx.Context())
	visit := visitFrom(ctx.Context())
	if visit != nil {
		visit.server.direct(ctx.Context(), &p.Problem)
	}
	errorHeaders(ctx.SetHeader, p.Problem, false)
	if visit != nil {
		visit.note(ctx.Context(), p.Problem, p.cause)
	}
	return p, nil
}

// requireCaller refuses nobody's calls of operations, unless the operation lists an empty security requirement.
func requireCaller(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if request.Actor(ctx.Context()).Kind() != vault.Nobody || public(ctx.Operation()) {
			next(ctx)
			return
		}
		_ = huma.WriteErr(api, ctx, http.StatusUnauthorized, "Send an API key as Authorization: Bearer avk_…, or sign in.") // an error here means that the caller went away
	}
}

func public(op *huma.Operation) bool {
	for _, requirement := range op.Security {
		if len(requirement) == 0 {
			return true
		}
	}
	return false
}

// openapi serves the API's description, rendered once: nothing is added to it after the server was put together.
func (s *Server) openapi() http.Handler {
	render := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.api.OpenAPI()) })
	return request.Handler(func(w http.ResponseWriter, _ *http.Request) error {
		text, err := render()
		if err != nil {
			return fmt.Errorf("render the API's description: %w", err)
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, err = w.Write(text)
		return err
	})
}
