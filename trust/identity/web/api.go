package web

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/vault"
)

// adminJSON is a user in the API.
type adminJSON struct {
	ID        ids.User  `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Roles     []string  `json:"roles"`
	Active    bool      `json:"active" doc:"Not disabled"`
	CreatedAt time.Time `json:"created_at"`
}

func adminOut(u identity.User) adminJSON {
	return adminJSON{u.ID, u.Name.Reveal(), u.Email.Reveal(), roleWords(u.Roles), u.DisabledAt.IsZero(), u.CreatedAt}
}

// meJSON says who calls.
type meJSON struct {
	Kind      string         `json:"kind" enum:"user,key"`
	Workspace workspaceJSON  `json:"workspace"`
	User      *adminJSON     `json:"user,omitempty" doc:"Who is signed in"`
	Key       ids.Credential `json:"key,omitzero" doc:"The API key that was sent"`
	Scopes    []string       `json:"scopes,omitempty" doc:"What the API key may do"`
}

type workspaceJSON struct {
	ID     ids.Tenant `json:"id"`
	Slug   string     `json:"slug"`
	Name   string     `json:"name"`
	Region string     `json:"region"`
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/me", func(ctx context.Context, _ *struct{}) (*answer.Of[meJSON], error) {
		me, err := s.whoCalls(ctx, request.Actor(ctx))
		return &answer.Of[meJSON]{Body: me}, err
	})
	huma.Get(api, "/v1/admins", func(ctx context.Context, _ *struct{}) (*answer.List[adminJSON], error) {
		all, err := s.identity.List(ctx, request.Actor(ctx))
		return answer.All(all, err, adminOut)
	})
	huma.Get(api, "/v1/admins/{id}", func(ctx context.Context, in *struct {
		ID ids.User `path:"id"`
	}) (*answer.Of[adminJSON], error) {
		u, err := s.identity.User(ctx, request.Actor(ctx), in.ID)
		return answer.One(u, err, adminOut)
	})
}

func (s *Service) whoCalls(ctx context.Context, actor vault.Actor) (meJSON, error) {
	t, err := s.identity.Workspace(ctx, actor)
	if err != nil {
		return meJSON{}, err
	}
	me := meJSON{Kind: "key", Workspace: workspaceJSON{t.ID, t.Slug, t.Name, t.Region}}
	if actor.Kind() == vault.AsKey {
		me.Key, me.Scopes = actor.Credential(), actor.Scopes()
		return me, nil
	}
	u, err := s.identity.Me(ctx, actor)
	if err != nil {
		return meJSON{}, err
	}
	user := adminOut(u)
	me.Kind, me.User = "user", &user
	return me, nil
}
