package webhooks

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/frame/answer"
	"aver/frame/request"
)

// endpointJSON is an endpoint in the API.
type endpointJSON struct {
	ID          ID        `json:"id"`
	URL         string    `json:"url"`
	Description string    `json:"description"`
	Events      []string  `json:"events" doc:"Empty means all"`
	State       State     `json:"state" enum:"active,disabled,gone,given-up"`
	Keys        []keyJSON `json:"keys" doc:"What signs now, newest first"`
	PausedUntil time.Time `json:"paused_until,omitzero" doc:"The receiver fails; nothing is sent before"`
	CreatedAt   time.Time `json:"created_at"`
	DisabledAt  time.Time `json:"disabled_at,omitzero"`
	Key         string    `json:"key,omitempty" doc:"Only in the answer that makes the endpoint. whpk_…: the public key. whsec_…: the shared secret, shown this once"`
}

// keyJSON is a signing key. A shared secret is never shown again.
type keyJSON struct {
	Scheme    Scheme    `json:"scheme" enum:"v1,v1a"`
	PublicKey string    `json:"public_key,omitempty" doc:"whpk_…, of an Ed25519 key"`
	CreatedAt time.Time `json:"created_at"`
	Until     time.Time `json:"until,omitzero" doc:"It was replaced and signs beside its successor until then"`
}

type messageJSON struct {
	ID          MessageID `json:"id" doc:"The webhook-id header, the same in every attempt"`
	Event       string    `json:"event"`
	State       State     `json:"state" enum:"waiting,delivered,failed"`
	Attempts    int       `json:"attempts"`
	Status      int       `json:"status,omitempty" doc:"HTTP status of the last attempt"`
	Fault       Fault     `json:"fault,omitempty" doc:"Why the last attempt got no answer"`
	NextAt      time.Time `json:"next_attempt_at,omitzero"`
	AttemptedAt time.Time `json:"attempted_at,omitzero"`
	CreatedAt   time.Time `json:"created_at"`
}

func endpointOut(e Endpoint) (endpointJSON, error) {
	out := endpointJSON{ID: e.ID, URL: e.URL, Description: e.About, Events: e.Events, State: e.State, PausedUntil: e.PausedUntil, CreatedAt: e.CreatedAt, DisabledAt: e.DisabledAt}
	if out.Events == nil {
		out.Events = []string{}
	}
	all, err := e.secrets()
	for _, k := range all {
		one := keyJSON{Scheme: k.Scheme, CreatedAt: k.Made, Until: k.Until}
		if k.Scheme == Ed25519 {
			one.PublicKey = k.shown()
		}
		out.Keys = append(out.Keys, one)
	}
	return out, err
}

func messageOut(m Message) messageJSON {
	return messageJSON{m.ID, m.Event, m.State, m.Attempts, m.Code, m.Fault, m.NextAt, m.TriedAt, m.CreatedAt}
}

type byID struct {
	ID ID `path:"id"`
}

func one(e Endpoint, err error) (*answer.Of[endpointJSON], error) {
	if err != nil {
		return nil, err
	}
	out, err := endpointOut(e)
	return &answer.Of[endpointJSON]{Body: out}, err
}

var accepted = answer.Status(http.StatusAccepted)

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/webhooks", func(ctx context.Context, _ *struct{}) (*answer.List[endpointJSON], error) {
		all, err := s.List(ctx, request.Actor(ctx))
		out := &answer.List[endpointJSON]{}
		out.Body.Data = make([]endpointJSON, 0, len(all))
		for _, e := range all {
			one, fault := endpointOut(e)
			if fault != nil {
				return nil, fault
			}
			out.Body.Data = append(out.Body.Data, one)
		}
		return out, err
	})
	huma.Post(api, "/v1/webhooks", func(ctx context.Context, in *struct {
		Body struct {
			URL         string   `json:"url" maxLength:"2000" doc:"https://…"`
			Description string   `json:"description,omitempty" maxLength:"200"`
			Events      []string `json:"events,omitempty" maxItems:"50" doc:"None means all"`
			Scheme      Scheme   `json:"scheme,omitempty" enum:"v1,v1a" doc:"v1a (Ed25519) if absent"`
		}
	}) (*answer.Of[endpointJSON], error) {
		e, key, err := s.Create(ctx, request.Actor(ctx), Draft{URL: in.Body.URL, About: in.Body.Description, Events: in.Body.Events, Scheme: in.Body.Scheme})
		if err != nil {
			return nil, err
		}
		out, err := endpointOut(e)
		out.Key = key
		return &answer.Of[endpointJSON]{Body: out}, err
	}, answer.Status(http.StatusCreated))
	s.apiOfOne(api)
	s.apiOfMessages(api)
	s.apiOfReplays(api)
}

func (s *Service) apiOfOne(api huma.API) {
	huma.Get(api, "/v1/webhooks/{id}", func(ctx context.Context, in *byID) (*answer.Of[endpointJSON], error) {
		return one(s.Get(ctx, request.Actor(ctx), in.ID))
	})
	huma.Put(api, "/v1/webhooks/{id}", func(ctx context.Context, in *struct {
		ID   ID `path:"id"`
		Body struct {
			URL         string   `json:"url" maxLength:"2000" doc:"https://…"`
			Description string   `json:"description,omitempty" maxLength:"200"`
			Events      []string `json:"events,omitempty" maxItems:"50" doc:"None means all"`
		}
	}) (*answer.Of[endpointJSON], error) {
		return one(s.Update(ctx, request.Actor(ctx), in.ID, Draft{URL: in.Body.URL, About: in.Body.Description, Events: in.Body.Events}))
	})
	huma.Delete(api, "/v1/webhooks/{id}", func(ctx context.Context, in *byID) (*struct{}, error) {
		return nil, s.Remove(ctx, request.Actor(ctx), in.ID)
	})
	huma.Post(api, "/v1/webhooks/{id}/enable", func(ctx context.Context, in *byID) (*answer.Of[endpointJSON], error) {
		return one(s.Switch(ctx, request.Actor(ctx), in.ID, true))
	})
	huma.Post(api, "/v1/webhooks/{id}/disable", func(ctx context.Context, in *byID) (*answer.Of[endpointJSON], error) {
		return one(s.Switch(ctx, request.Actor(ctx), in.ID, false))
	})
	type rotated struct {
		Body struct {
			Key string `json:"key" doc:"whpk_…, or whsec_…, shown this once"`
		}
	}
	huma.Post(api, "/v1/webhooks/{id}/rotate", func(ctx context.Context, in *struct {
		ID   ID `path:"id"`
		Body struct {
			Scheme Scheme `json:"scheme,omitempty" enum:"v1,v1a" doc:"The present one if absent"`
		}
	}) (*rotated, error) {
		key, err := s.Rotate(ctx, request.Actor(ctx), in.ID, in.Body.Scheme)
		out := &rotated{}
		out.Body.Key = key
		return out, err
	})
}

func (s *Service) apiOfMessages(api huma.API) {
	type sent struct {
		Body struct {
			Data          []messageJSON `json:"data"`
			StartingAfter Cursor        `json:"starting_after,omitzero" doc:"For the next page"`
		}
	}
	huma.Get(api, "/v1/webhooks/{id}/deliveries", func(ctx context.Context, in *struct {
		ID            ID     `path:"id"`
		State         State  `query:"state" enum:"waiting,delivered,failed"`
		PerPage       int    `query:"per_page" default:"50" minimum:"1" maximum:"200"`
		StartingAfter Cursor `query:"starting_after"`
	}) (*sent, error) {
		list, more, err := s.Sent(ctx, request.Actor(ctx), in.ID, in.State, in.StartingAfter, in.PerPage)
		out := &sent{}
		out.Body.Data, out.Body.StartingAfter = answer.Each(list, messageOut), more
		return out, err
	})
}

func (s *Service) apiOfReplays(api huma.API) {
	huma.Post(api, "/v1/webhooks/{id}/deliveries/{delivery}/replay", func(ctx context.Context, in *struct {
		ID       ID        `path:"id"`
		Delivery MessageID `path:"delivery"`
	}) (*struct{}, error) {
		return nil, s.Replay(ctx, request.Actor(ctx), in.ID, in.Delivery)
	}, accepted)
	type replayed struct {
		Body struct {
			Count int `json:"count"`
		}
	}
	huma.Post(api, "/v1/webhooks/{id}/replay", func(ctx context.Context, in *struct {
		ID   ID `path:"id"`
		Body struct {
			Since time.Time `json:"since" doc:"Messages that failed since then are sent again"`
		}
	}) (*replayed, error) {
		out, err := &replayed{}, error(nil)
		out.Body.Count, err = s.ReplayFailed(ctx, request.Actor(ctx), in.ID, in.Body.Since)
		return out, err
	}, accepted)
	type tried struct {
		Body struct {
			ID MessageID `json:"id"`
		}
	}
	huma.Post(api, "/v1/webhooks/{id}/test", func(ctx context.Context, in *byID) (*tried, error) {
		out, err := &tried{}, error(nil)
		out.Body.ID, err = s.Try(ctx, request.Actor(ctx), in.ID)
		return out, err
	}, accepted)
}
