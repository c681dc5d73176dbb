package retention

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/request"
)

// classJSON is a class of data in the API.
type classJSON struct {
	Class     string         `json:"class"`
	Purpose   string         `json:"purpose"`
	Days      int            `json:"days,omitzero" doc:"How long it is kept; absent: without a limit"`
	Default   int            `json:"default,omitzero" doc:"How long it is kept when you set nothing"`
	Own       bool           `json:"own" doc:"You set the time"`
	Most      int            `json:"most,omitzero" doc:"More days take an exception that two people stand for; absent: ten years"`
	Follows   string         `json:"follows,omitzero" doc:"The class whose time this one has"`
	Oldest    time.Time      `json:"oldest,omitzero" doc:"The oldest there is, but for what a legal hold keeps"`
	Over      bool           `json:"over" doc:"Something is more than a day older than the limit"`
	Exception *exceptionJSON `json:"exception,omitempty" doc:"Why it is kept longer now"`
}

type exceptionJSON struct {
	ID         ExceptionID `json:"id"`
	Days       int         `json:"days"`
	Until      time.Time   `json:"until"`
	Reason     string      `json:"reason"`
	AskedBy    ids.User    `json:"asked_by"`
	ApprovedBy ids.User    `json:"approved_by"`
}

func (s *Service) classOut(c Class) classJSON {
	out := classJSON{Class: c.Name, Purpose: c.Purpose, Days: int(c.Limit / day), Default: int(c.Default / day), Own: c.Own, Most: int(c.Cap / day), Follows: c.Follows,
		Oldest: c.Oldest, Over: c.Over(s.vault.Now()) > day}
	if e := c.Exception; !e.ID.IsZero() {
		out.Exception = &exceptionJSON{e.ID, e.Days, e.Until, e.Reason, e.AskedBy, e.DecidedBy}
	}
	return out
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/retention", func(ctx context.Context, _ *struct{}) (*answer.List[classJSON], error) {
		all, err := s.Schedule(ctx, request.Actor(ctx))
		return answer.All(all, err, s.classOut)
	})
	huma.Put(api, "/v1/retention", func(ctx context.Context, in *struct {
		Body struct {
			Days map[string]int `json:"days" doc:"How many days each class is kept. Classes that are not named go back to their defaults"`
		}
	}) (*struct{}, error) {
		return nil, s.SetSchedule(ctx, request.Actor(ctx), in.Body.Days)
	})
}
