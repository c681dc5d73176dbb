package improvement

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/improvement/crowd"
	"aver/trust/improvement/ui"
	"aver/vault"
)

const (
	home      = "/settings/improvement"
	downloads = home + "/download/"
)

// setJSON is a set in the API.
type setJSON struct {
	ID          SetID      `json:"id"`
	State       State      `json:"state" enum:"waiting,working,done,failed"`
	Label       Label      `json:"label,omitempty" enum:"anonymised,pseudonymised" doc:"What the set may be called by what was measured; only when it is done"`
	MadeAt      time.Time  `json:"made_at"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	Looked      int        `json:"looked" doc:"Conversations of people who agreed"`
	People      int        `json:"people"`
	Transcripts int        `json:"transcripts"`
	Messages    int        `json:"messages"`
	Rare        int        `json:"rare_words" doc:"Taken out because too few people used them"`
	Alike       int        `json:"smallest_group" doc:"The fewest people who look alike by language, time, channel and company"`
	Shared      int        `json:"fewest_sharing_a_word" doc:"The fewest people who share a word"`
	Recall      float64    `json:"recall" doc:"The share of what identifies somebody that was found in Aver's corpus, names and addresses too"`
	Structured  float64    `json:"recall_by_form" doc:"The same of what can be told by its form"`
}

func setOut(s Set) setJSON {
	out := setJSON{ID: s.ID, State: s.State, MadeAt: s.MadeAt, Looked: s.Looked, People: s.People, Transcripts: s.Transcripts, Messages: s.Messages, Rare: s.Rare,
		Alike: s.Alike, Shared: s.Shared, Recall: float64(s.Recall) / parts, Structured: float64(s.Structured) / parts}
	if s.State == Done {
		out.Label = s.Label()
	}
	if !s.EndedAt.IsZero() {
		out.EndedAt = &s.EndedAt
	}
	return out
}

type switchJSON struct {
	Enabled bool `json:"enabled"`
}

type onSet struct {
	ID SetID `path:"id"`
}

func (s *Service) api(api huma.API) {
	turned := func(on bool) switchJSON { return switchJSON{on} }
	huma.Get(api, "/v1/improvement", func(ctx context.Context, _ *struct{}) (*answer.Of[switchJSON], error) {
		on, err := s.Enabled(ctx, request.Actor(ctx))
		return answer.One(on, err, turned)
	})
	huma.Put(api, "/v1/improvement", func(ctx context.Context, in *struct{ Body switchJSON }) (*answer.Of[switchJSON], error) {
		return answer.One(in.Body.Enabled, s.Switch(ctx, request.Actor(ctx), in.Body.Enabled), turned)
	})
	huma.Get(api, "/v1/improvement/sets", func(ctx context.Context, _ *struct{}) (*answer.List[setJSON], error) {
		all, err := s.List(ctx, request.Actor(ctx))
		return answer.All(all, err, setOut)
	})
	huma.Post(api, "/v1/improvement/sets", func(ctx context.Context, _ *struct{}) (*answer.Of[setJSON], error) {
		one, err := s.Make(ctx, request.Actor(ctx))
		return answer.One(one, err, setOut)
	})
	huma.Get(api, "/v1/improvement/sets/{id}", func(ctx context.Context, in *onSet) (*answer.Of[setJSON], error) {
		one, err := s.Get(ctx, request.Actor(ctx), in.ID)
		return answer.One(one, err, setOut)
	})
	huma.Delete(api, "/v1/improvement/sets/{id}", func(ctx context.Context, in *onSet) (*struct{}, error) {
		return nil, s.Remove(ctx, request.Actor(ctx), in.ID)
	})
	huma.Get(api, "/v1/improvement/sets/{id}/transcripts", func(ctx context.Context, in *onSet) (*struct {
		ContentType string `header:"Content-Type"`
		Body        []byte
	}, error) {
		lines, err := s.Take(ctx, request.Actor(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return &struct {
			ContentType string `header:"Content-Type"`
			Body        []byte
		}{jsonLines, lines}, nil
	}, func(o *huma.Operation) {
		o.Responses = map[string]*huma.Response{"200": {Description: "JSON Lines: a transcript each", Content: map[string]*huma.MediaType{jsonLines: {Schema: &huma.Schema{Type: "string"}}}}}
	})
}

const jsonLines = "application/jsonl"

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET "+home, request.Handler(s.listPage))
	mux.Handle("GET "+home+"/making", request.Handler(s.makingPart))
	mux.Handle("POST "+home, request.Handler(s.switchPage))
	mux.Handle("POST "+home+"/sets", request.Handler(s.makePage))
	mux.Handle("GET "+home+"/sets/{id}", request.Handler(s.setPage))
	mux.Handle("POST "+home+"/sets/{id}/remove", request.Handler(s.removePage))
	mux.Handle("GET "+downloads+"{id}", request.Handler(s.download))
}

func (s *Service) listPage(w http.ResponseWriter, r *http.Request) error {
	view, err := s.view(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Page(view))
}

// makingPart is the part of the page that shows how far a set is.
func (s *Service) makingPart(w http.ResponseWriter, r *http.Request) error {
	view, err := s.view(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Making(view))
}

func (s *Service) view(r *http.Request) (ui.View, error) {
	actor := request.Actor(r.Context())
	on, err := s.Enabled(r.Context(), actor)
	if err != nil {
		return ui.View{}, err
	}
	all, err := s.List(r.Context(), actor)
	return ui.View{On: on, MayDecide: actor.Can(actSwitch), K: crowd.K, Sets: answer.Each(all, shown)}, err
}

// shown is a set as pages show it.
func shown(s Set) ui.Set {
	return ui.Set{ID: s.ID.String(), State: string(s.State), Label: string(s.Label()), MadeAt: s.MadeAt, GoneAt: s.MadeAt.Add(keepSets), Looked: s.Looked, People: s.People,
		Transcripts: s.Transcripts, Messages: s.Messages, Rare: s.Rare, Alike: s.Alike, Shared: s.Shared, K: crowd.K,
		Recall: float64(s.Recall) / parts, RecallGoal: RecallGoal, Structured: float64(s.Structured) / parts, StructuredGoal: StructuredGoal}
}

func (s *Service) switchPage(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	on := form.Get("enabled") == "yes"
	return page.Done(w, r, s.Switch(r.Context(), request.Actor(r.Context()), on), home, ui.Switched(on))
}

func (s *Service) makePage(w http.ResponseWriter, r *http.Request) error {
	_, err := s.Make(r.Context(), request.Actor(r.Context()))
	return page.Done(w, r, err, home, ui.Asked())
}

func (s *Service) setPage(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[SetID](r, "id", "set")
	if err != nil {
		return err
	}
	actor := request.Actor(r.Context())
	one, err := s.Get(r.Context(), actor, id)
	if err != nil {
		return err
	}
	view := ui.SetView{Set: shown(one), MayDecide: actor.Can(actRemove)}
	if one.State == Done && actor.Can(actTake) && r.URL.Query().Has("sample") {
		if view.Sample, err = s.sample(r.Context(), request.Actor(r.Context()), id); err != nil {
			return err
		}
	}
	return page.Render(w, r, http.StatusOK, ui.SetPage(view))
}

// samples is how many transcripts a page shows.
const samples = 3

// sample reads a few transcripts of a set.
func (s *Service) sample(ctx context.Context, actor vault.Actor, id SetID) (out []ui.Transcript, err error) {
	lines, err := s.some(ctx, actor, id, samples)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		var t lineJSON
		if err := json.Unmarshal(line, &t); err != nil {
			return nil, fmt.Errorf("read a transcript: %w", err)
		}
		shown := ui.Transcript{Language: t.Language, Period: t.Period, Channel: t.Channel, Company: t.Company}
		for _, m := range t.Messages {
			shown.Lines = append(shown.Lines, ui.Line{From: m.From, Text: m.Text})
		}
		out = append(out, shown)
	}
	return out, nil
}

func (s *Service) removePage(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[SetID](r, "id", "set")
	if err != nil {
		return err
	}
	return page.Done(w, r, s.Remove(r.Context(), request.Actor(r.Context()), id), home, ui.Removed())
}

func (s *Service) download(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[SetID](r, "id", "set")
	if err != nil {
		return err
	}
	one, err := s.Get(r.Context(), request.Actor(r.Context()), id)
	if err != nil {
		return err
	}
	lines, err := s.Take(r.Context(), request.Actor(r.Context()), id)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonLines)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="improvement-%s-%s.jsonl"`, one.MadeAt.UTC().Format(time.DateOnly), one.Label()))
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(lines)
	return err
}
