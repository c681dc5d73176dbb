package restriction

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/restriction/ui"
	"aver/vault"
	"aver/vault/purpose"
)

// limitJSON is something that a person has closed, in the API.
type limitJSON struct {
	Kind    Kind      `json:"kind" enum:"restrict,object,no_automated_decision,opt_out_sale,limit_sensitive,excepted"`
	Purpose string    `json:"purpose" doc:"Which purpose, or * for all"`
	Since   time.Time `json:"since"`

	Announced time.Time `json:"lift_announced_at,omitzero" doc:"Of a restriction: when it was announced that it ends"`
	Opens     time.Time `json:"lifts_at,omitzero" doc:"When it ends: seven days after the letter to the person, absent until that has gone"`
	Untold    bool      `json:"lift_untold,omitzero" doc:"No letter reaches the person: tell them another way, and then lift it with told"`
}

// recordJSON is an act of closing or opening, in the API.
type recordJSON struct {
	Kind    Kind      `json:"kind"`
	Purpose string    `json:"purpose"`
	Placed  bool      `json:"placed" doc:"false: it was lifted"`
	How     How       `json:"how" enum:"person,browser,operator,program,request"`
	Why     string    `json:"why,omitempty" doc:"Of an exception from a restriction"`
	At      time.Time `json:"at"`
}

func limitOut(l Limit) limitJSON { return limitJSON(l) }

func recordOut(r Record) recordJSON {
	return recordJSON{r.Kind, r.Purpose, r.Placed, r.How, r.Why.Reveal(), r.At}
}

func (s *Service) api(api huma.API) {
	type ofContact struct {
		ID ids.Contact `path:"id"`
	}
	huma.Get(api, "/v1/contacts/{id}/restrictions", func(ctx context.Context, in *ofContact) (*answer.List[limitJSON], error) {
		all, err := s.List(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, limitOut)
	})
	huma.Get(api, "/v1/contacts/{id}/restrictions/history", func(ctx context.Context, in *ofContact) (*answer.List[recordJSON], error) {
		all, err := s.History(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, recordOut)
	})
	huma.Post(api, "/v1/contacts/{id}/restrictions", func(ctx context.Context, in *struct {
		ID   ids.Contact `path:"id"`
		Body struct {
			Kind    Kind   `json:"kind" enum:"restrict,object,no_automated_decision,opt_out_sale,limit_sensitive"`
			Purpose string `json:"purpose,omitempty" maxLength:"31" doc:"Of an objection: which purpose, or all. Of a restriction: what goes on all the same (legal_claims, protection, public_interest)"`
			Why     string `json:"why,omitempty" maxLength:"500" doc:"Of an exception from a restriction that stands already: why. The person reads it"`
		}
	}) (*struct{}, error) {
		if in.Body.Kind == Restrict && in.Body.Why != "" {
			return nil, s.Except(ctx, request.Actor(ctx), in.ID, in.Body.Purpose, in.Body.Why)
		}
		return nil, s.Set(ctx, request.Actor(ctx), in.ID, in.Body.Kind, in.Body.Purpose)
	})
	huma.Delete(api, "/v1/contacts/{id}/restrictions/{kind}", func(ctx context.Context, in *struct {
		ID      ids.Contact `path:"id"`
		Kind    Kind        `path:"kind" enum:"restrict,object,no_automated_decision,opt_out_sale,limit_sensitive"`
		Purpose string      `query:"purpose" maxLength:"31" doc:"Of an objection: which one"`
		Told    bool        `query:"told" doc:"Of a restriction: the person asked for its end or was told of it already. It ends at once; without this they are told first, by a letter, and it ends seven days after that (GDPR Art. 18(3))"`
	}) (*struct{}, error) {
		if in.Told && in.Kind == Restrict {
			return nil, s.LiftTold(ctx, request.Actor(ctx), in.ID)
		}
		return nil, s.Lift(ctx, request.Actor(ctx), in.ID, in.Kind, in.Purpose)
	})
}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("POST /contacts/{id}/restrictions", request.Handler(s.change))
	mux.Handle("GET /.well-known/gpc.json", request.Handler(gpc))
}

// change places or lifts what the form on the person's page says.
func (s *Service) change(w http.ResponseWriter, r *http.Request) error {
	id, err := ids.ParseSubject(r.PathValue("id"))
	if err != nil {
		return errUnknown
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	kind, name, _ := strings.Cut(form.Get("what"), " ")
	does, said := s.Set, ui.Placed
	switch {
	case form.Get("lift") == "told":
		does, said = func(ctx context.Context, actor vault.Actor, contact ids.Contact, _ Kind, _ string) error {
			return s.LiftTold(ctx, actor, contact)
		}, ui.Lifted
	case form.Get("lift") == "yes" && Kind(kind) == Restrict:
		does, said = s.Lift, ui.Announced
	case form.Get("lift") == "yes":
		does, said = s.Lift, ui.Lifted
	case form.Has("why"):
		does, said = func(ctx context.Context, actor vault.Actor, contact ids.Contact, _ Kind, name string) error {
			return s.Except(ctx, actor, contact, name, form.Get("why"))
		}, ui.Excepted
	}
	err = does(r.Context(), request.Actor(r.Context()), id, Kind(kind), name)
	return page.Done(w, r, err, "/contacts/"+id.String(), said())
}

// Panel shows beside a person what they have closed, and lets those who may change it.
func (s *Service) Panel(ctx context.Context, actor vault.Actor, contact ids.Contact) (templ.Component, error) {
	if !actor.Can(actRead) {
		return nil, nil
	}
	list, err := s.List(ctx, actor, contact)
	if err != nil {
		return nil, err
	}
	return ui.Panel(ui.Closed{Contact: contact, Limits: Shown(list), MaySet: actor.Can(actSet), MayLift: actor.Can(actLift)}), nil
}

// Shown are limits as pages show them: what a restriction excepts stands in its line.
func Shown(list []Limit) []ui.Limit {
	var out []ui.Limit
	for _, l := range list {
		if l.Kind != purpose.Excepted {
			out = append(out, ui.Limit{Kind: string(l.Kind), Purpose: l.Purpose, Since: l.Since, Announced: l.Announced, Opens: l.Opens, Untold: l.Untold})
		}
	}
	for _, l := range list {
		for i := range out {
			if l.Kind == purpose.Excepted && out[i].Kind == string(Restrict) {
				out[i].Except = append(out[i].Except, l.Purpose)
			}
		}
	}
	return out
}
