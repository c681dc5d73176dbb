package web

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/request"
	"aver/trust/rights"
	"aver/trust/rights/record"
	"aver/trust/rights/settings"
	"aver/trust/rights/state"
	"aver/vault"
)

// privacyRequestJSON is a request in the API, in the words of the Data Rights Protocol where it has them.
type privacyRequestJSON struct {
	ID         rights.RequestID `json:"id"`
	Kind       state.Kind       `json:"kind"`
	Regime     string           `json:"regime" enum:"gdpr,ccpa" doc:"The law under which it is answered"`
	Status     string           `json:"status" enum:"open,in_progress,fulfilled,revoked,expired,denied"`
	Reason     string           `json:"reason,omitempty" doc:"Of a request in progress, what it waits for; of a denied one, why"`
	Contact    ids.Contact      `json:"contact,omitzero"`
	Passed     bool             `json:"passed,omitempty" doc:"Nobody who is known here: yours to answer"`
	Via        record.Via       `json:"via" enum:"portal,widget,console,letter,mail,phone,person"`
	Proof      state.Proof      `json:"proof,omitempty" enum:"code,link,signed,visit,seen" doc:"How who asked proves who they are, or has"`
	ProvedAt   *time.Time       `json:"proved_at,omitempty"`
	ProveUntil *time.Time       `json:"prove_until,omitempty" doc:"When a request ends by itself that nobody has proved"`
	Stopped    bool             `json:"clock_stopped,omitempty" doc:"The law's clock stands still until it is proved who asked: due_at and legal_due_at move on with each day of it"`
	CreatedAt  time.Time        `json:"created_at" doc:"When it was received: the time for the answer counts from then"`
	DueAt      time.Time        `json:"due_at" doc:"The answer, as promised or as extended"`
	LegalDueAt time.Time        `json:"legal_due_at" doc:"The answer, as the law has it"`
	ConfirmBy  *time.Time       `json:"confirm_by,omitempty" doc:"By when the law wants receipt confirmed"`
	Confirmed  *time.Time       `json:"confirmed_at,omitempty"`
	ExtendedAt *time.Time       `json:"extended_at,omitempty" doc:"When the person was told that it takes longer"`
	Delay      state.Delay      `json:"delay,omitempty" doc:"Why it takes longer"`
	EndedAt    *time.Time       `json:"ended_at,omitempty"`
	DecidedBy  ids.User         `json:"decided_by,omitzero" doc:"The person who decided it"`
	Policy     state.Policy     `json:"policy,omitempty" doc:"What was decided beforehand for cases like it, where no person decided"`
	Entry      int64            `json:"entry,omitempty" doc:"Of an erasure: its entry in the audit log"`
	Returned   []string         `json:"returned_letters,omitempty" enum:"confirmed,extended,denied,done,waiting,alarm,returned,code" doc:"What was to be told by mail and could not be delivered: it is not tried again"`
}

func jsonOf(r rights.Request) privacyRequestJSON {
	out := privacyRequestJSON{ID: r.ID, Kind: r.Kind, Regime: r.Regime, Contact: r.Contact, Passed: r.Passed, Via: r.Via, Proof: r.Proof, ProvedAt: known(r.ProvedAt), ProveUntil: known(r.ProveUntil), Stopped: r.Stopped(), CreatedAt: r.AskedAt, DueAt: r.DueAt, LegalDueAt: r.LegalAt,
		ConfirmBy: known(r.ConfirmBy), Confirmed: known(r.ConfirmedAt), ExtendedAt: known(r.ExtendedAt), Delay: r.Delay, EndedAt: known(r.EndedAt), DecidedBy: r.DecidedBy, Policy: r.Policy, Entry: r.Entry, Returned: r.Returned.Names()}
	out.Status, out.Reason = r.State.Protocol()
	if r.Reason != "" {
		out.Reason = string(r.Reason)
	}
	return out
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type privacyRequestPage struct {
	Body struct {
		Data []privacyRequestJSON             `json:"privacy_requests"`
		Next request.Cursor[rights.RequestID] `json:"next,omitzero"`
	}
}

// decisionIn is what a program or a person says about a request.
type decisionIn struct {
	ID   rights.RequestID `path:"id"`
	Body struct {
		Reason state.Reason `json:"reason,omitempty" enum:"suspected_fraud,insuf_verification,no_match,claim_not_covered,outside_jurisdiction,too_many_requests,other,manifestly_unfounded,excessive,exempt_17_3" doc:"Of a denial"`
		Delay  state.Delay  `json:"delay,omitempty" enum:"complex,many" doc:"Of an extension"`
		Words  string       `json:"words,omitempty" maxLength:"4000" doc:"For the person: part of the letter"`
	}
}

type decide func(ctx context.Context, actor vault.Actor, id rights.RequestID, d rights.Decision) (rights.Request, error)

// by makes an operation of a decision.
func by(do decide) func(context.Context, *decisionIn) (*answer.Of[privacyRequestJSON], error) {
	return func(ctx context.Context, in *decisionIn) (*answer.Of[privacyRequestJSON], error) {
		r, err := do(ctx, request.Actor(ctx), in.ID, rights.Decision{Reason: in.Body.Reason, Delay: in.Body.Delay, Words: in.Body.Words})
		return answer.One(r, err, jsonOf)
	}
}

func (s *Service) api(api huma.API) {
	huma.Post(api, "/v1/privacy_requests", func(ctx context.Context, in *struct {
		Body struct {
			Contact  ids.Contact `json:"contact,omitempty" doc:"Who asked"`
			Address  string      `json:"address,omitempty" maxLength:"254" doc:"Or the mail address of who asked. If nobody here has it, the request is yours to answer"`
			Kind     state.Kind  `json:"kind" enum:"access,portability,rectification,erasure,restriction,objection,no_automated_decision,know,delete,correct,opt_out,limit"`
			Regime   string      `json:"regime,omitempty" enum:"gdpr,ccpa" doc:"The workspace's own if it is not given"`
			Words    string      `json:"words,omitempty" maxLength:"4000" doc:"What the person wrote"`
			Via      record.Via  `json:"via,omitempty" enum:"letter,mail,phone,person" doc:"How it reached you"`
			Received string      `json:"received,omitempty" format:"date" doc:"The day on which it did, in the last year; today if it is not given"`
			Proof    state.Proof `json:"proof,omitempty" enum:"seen,link" doc:"seen (if not given): you know who asked, and what was asked for is carried out at once. link: it waits until they have opened a link that is mailed to the address on file"`
			Language string      `json:"language,omitempty" maxLength:"35" doc:"Of the letters to the person"`
		}
	}) (*answer.Of[privacyRequestJSON], error) {
		actor := request.Actor(ctx)
		b := in.Body
		id, err := s.Enter(ctx, actor, rights.Wish{Kind: b.Kind, Regime: b.Regime, Text: b.Words, Email: b.Address, Via: b.Via, Received: b.Received, Proof: b.Proof, Language: b.Language}, b.Contact)
		if err != nil {
			return nil, err
		}
		return s.one(ctx, actor, id)
	})
	huma.Get(api, "/v1/privacy_requests/{id}", func(ctx context.Context, in *struct {
		ID rights.RequestID `path:"id"`
	}) (*answer.Of[privacyRequestJSON], error) {
		return s.one(ctx, request.Actor(ctx), in.ID)
	})
	huma.Post(api, "/v1/privacy_requests/{id}/fulfil", by(s.Fulfil))
	huma.Post(api, "/v1/privacy_requests/{id}/deny", by(s.Deny))
	huma.Post(api, "/v1/privacy_requests/{id}/extend", by(s.Extend))
	huma.Get(api, "/v1/privacy_requests", func(ctx context.Context, in *struct {
		Cursor  request.Cursor[rights.RequestID] `query:"starting_after"`
		PerPage int                              `query:"per_page" minimum:"1" maximum:"150" default:"50"`
	}) (*privacyRequestPage, error) {
		list, next, err := s.List(ctx, request.Actor(ctx), in.Cursor, in.PerPage)
		if err != nil {
			return nil, err
		}
		out := &privacyRequestPage{}
		out.Body.Data, out.Body.Next = answer.Each(list, jsonOf), next
		return out, nil
	})
	s.settingsAPI(api)
}

type privacySettings struct{ Body settings.Privacy }

func (s *Service) settingsAPI(api huma.API) {
	huma.Get(api, "/v1/privacy_settings", func(ctx context.Context, _ *struct{}) (*privacySettings, error) {
		set, err := s.Settings(ctx, request.Actor(ctx))
		return &privacySettings{set}, err
	})
	huma.Put(api, "/v1/privacy_settings", func(ctx context.Context, in *privacySettings) (*privacySettings, error) {
		return in, s.SetSettings(ctx, request.Actor(ctx), in.Body)
	})
}

func (s *Service) one(ctx context.Context, actor vault.Actor, id rights.RequestID) (*answer.Of[privacyRequestJSON], error) {
	r, err := s.Read(ctx, actor, id)
	return answer.One(r, err, jsonOf)
}
