package consent

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/vault/purpose"
)

// noticeJSON is a notice in the API.
type noticeJSON struct {
	Purpose  string `json:"purpose"`
	Language string `json:"language" enum:"en,de,fr,es,it,pt,nl,pl,ar,hi"`
	Version  int    `json:"version" doc:"Counts up with every change of the words"`
	Text     string `json:"text"`
	URL      string `json:"url,omitempty" doc:"The full privacy notice"`
	Own      bool   `json:"own" doc:"Your words, not those that Aver brings"`
}

// subscriptionJSON is a person's choice about a purpose in the API.
type subscriptionJSON struct {
	Purpose  string    `json:"purpose"`
	Granted  bool      `json:"granted"`
	Version  int       `json:"version" doc:"Of the notice that was agreed to"`
	Language string    `json:"language"`
	How      How       `json:"how" enum:"person,page,operator,program"`
	At       time.Time `json:"at"`
}

func noticeOut(n Notice) noticeJSON {
	return noticeJSON{Purpose: n.Purpose, Language: n.Language, Version: n.Version, Text: n.Text, URL: n.URL, Own: n.Own}
}

// purposeName is what programs call a purpose: Aver's own names, and those that tenants make up.
type purposeName string

// Reference names what it refers to, for the API's description.
func (purposeName) Reference() string { return "purpose" }

// purposeJSON is what data is used for, in the API.
type purposeJSON struct {
	ID         purposeName       `json:"id"`
	Version    int               `json:"version" doc:"Counts up with every change; 0: as Aver brings it"`
	Basis      purpose.Basis     `json:"basis" enum:"consent,contract,legal_obligation,vital_interest,public_task,legitimate_interest" doc:"GDPR Art. 6(1)"`
	Shares     bool              `json:"shares" doc:"Hands data to others for their own ends; an opt-out of sale and sharing stops it"`
	Automated  bool              `json:"automated" doc:"Done by programs"`
	Names      map[string]string `json:"names,omitempty" doc:"In words, by language"`
	Recipients []string          `json:"recipients,omitempty"`
	Keep       string            `json:"keep,omitempty" doc:"How long, in words"`
}

func purposeOut(d Definition) purposeJSON {
	return purposeJSON{purposeName(d.ID), d.Version, d.Basis, d.Shares, d.Automated, d.Names, d.Recipients, d.Keep}
}

func recordOut(r Record) subscriptionJSON {
	return subscriptionJSON{r.Purpose, r.Granted, r.Version, r.Language, r.How, r.At}
}

// groundJSON is the tenant's word for why it keeps a person's data, in the API.
type groundJSON struct {
	identity.Ground
	ID       AssertionID `json:"id"`
	How      How         `json:"how" enum:"signed,page,program,import,operator"`
	SignedBy string      `json:"signed_by,omitempty" doc:"The kid of your key that signed it, together with who the person is"`
	At       time.Time   `json:"at"`
}

func groundOut(a Assertion) groundJSON {
	return groundJSON{identity.Ground{Basis: a.Basis, Purpose: a.Purpose, Since: a.Since, Words: a.Words.Reveal()}, a.ID, a.How, a.SignedBy, a.At}
}

// settingsJSON is what the tenant insists on, in the API.
type settingsJSON struct {
	Grounds bool `json:"grounds_required" doc:"People's data is refused that comes without a ground"`
}

func (s *Service) settingsAPI(api huma.API) {
	type out = answer.Of[settingsJSON]
	huma.Get(api, "/v1/consent_settings", func(ctx context.Context, _ *struct{}) (*out, error) {
		on, err := s.Demanded(ctx, request.Actor(ctx))
		return &out{Body: settingsJSON{on}}, err
	})
	huma.Put(api, "/v1/consent_settings", func(ctx context.Context, in *struct{ Body settingsJSON }) (*out, error) {
		return &out{Body: in.Body}, s.Demand(ctx, request.Actor(ctx), in.Body.Grounds)
	})
}

func (s *Service) api(api huma.API) {
	s.purposesAPI(api)
	s.settingsAPI(api)
	huma.Get(api, "/v1/consent_notices", func(ctx context.Context, in *struct {
		Purpose string `query:"purpose" default:"support" maxLength:"31"`
	}) (*answer.List[noticeJSON], error) {
		all, err := s.All(ctx, request.Actor(ctx), in.Purpose)
		return answer.All(all, err, noticeOut)
	})
	huma.Put(api, "/v1/consent_notices/{language}", func(ctx context.Context, in *struct {
		Language string `path:"language" enum:"en,de,fr,es,it,pt,nl,pl,ar,hi"`
		Body     struct {
			Purpose string `json:"purpose,omitempty" default:"support" maxLength:"31"`
			Text    string `json:"text" maxLength:"4000"`
			URL     string `json:"url,omitempty" maxLength:"500"`
		}
	}) (*answer.Of[noticeJSON], error) {
		n, err := s.SetNotice(ctx, request.Actor(ctx), Notice{Purpose: in.Body.Purpose, Language: in.Language, Text: in.Body.Text, URL: in.Body.URL})
		return answer.One(n, err, noticeOut)
	})
	huma.Get(api, "/v1/consent_notices/{language}/{version}", func(ctx context.Context, in *struct {
		Language string `path:"language" enum:"en,de,fr,es,it,pt,nl,pl,ar,hi"`
		Version  int    `path:"version" minimum:"1"`
		Purpose  string `query:"purpose" default:"support" maxLength:"31"`
	}) (*answer.Of[noticeJSON], error) {
		n, err := s.Version(ctx, request.Actor(ctx), in.Purpose, in.Language, in.Version)
		return answer.One(n, err, noticeOut)
	})
	type ofContact struct {
		ID ids.Contact `path:"id"`
	}
	huma.Get(api, "/v1/contacts/{id}/subscriptions", func(ctx context.Context, in *ofContact) (*answer.List[subscriptionJSON], error) {
		all, err := s.History(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, recordOut)
	})
	huma.Get(api, "/v1/contacts/{id}/grounds", func(ctx context.Context, in *ofContact) (*answer.List[groundJSON], error) {
		all, err := s.Grounds(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, groundOut)
	})
	huma.Get(api, "/v1/contacts/{id}/consent_records", func(ctx context.Context, in *ofContact) (*answer.List[Document], error) {
		all, err := s.Documents(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, func(d Document) Document { return d })
	})
	huma.Post(api, "/v1/contacts/{id}/subscriptions", func(ctx context.Context, in *struct {
		ID   ids.Contact `path:"id"`
		Body struct {
			Purpose  string `json:"purpose" maxLength:"31"`
			Granted  bool   `json:"granted"`
			Version  string `json:"version,omitempty" maxLength:"9" doc:"Of the notice that the person was shown; not needed to withdraw"`
			Language string `json:"language,omitempty" maxLength:"12"`
		}
	}) (*struct{}, error) {
		return nil, s.Record(ctx, request.Actor(ctx), in.ID, Choice{Purpose: in.Body.Purpose, Version: in.Body.Version, Language: in.Body.Language, Granted: in.Body.Granted})
	})
}

func (s *Service) purposesAPI(api huma.API) {
	huma.Get(api, "/v1/purposes", func(ctx context.Context, _ *struct{}) (*answer.List[purposeJSON], error) {
		all, err := s.Purposes(ctx, request.Actor(ctx))
		return answer.All(all, err, purposeOut)
	})
	huma.Get(api, "/v1/purposes/{purpose}", func(ctx context.Context, in *struct {
		Purpose purposeName `path:"purpose"`
	}) (*answer.List[purposeJSON], error) {
		all, err := s.PurposeVersions(ctx, request.Actor(ctx), string(in.Purpose))
		return answer.All(all, err, purposeOut)
	})
	huma.Put(api, "/v1/purposes/{purpose}", func(ctx context.Context, in *struct {
		Purpose purposeName `path:"purpose"`
		Body    struct {
			Basis      purpose.Basis     `json:"basis" enum:"consent,contract,legal_obligation,vital_interest,public_task,legitimate_interest"`
			Shares     bool              `json:"shares,omitempty"`
			Automated  bool              `json:"automated,omitempty"`
			Names      map[string]string `json:"names,omitempty"`
			Recipients []string          `json:"recipients,omitempty" maxItems:"20"`
			Keep       string            `json:"keep,omitempty" maxLength:"200"`
		}
	}) (*answer.Of[purposeJSON], error) {
		b := in.Body
		d, err := s.SetPurpose(ctx, request.Actor(ctx), Definition{ID: string(in.Purpose), Basis: b.Basis, Shares: b.Shares, Automated: b.Automated, Names: b.Names, Recipients: b.Recipients, Keep: b.Keep})
		return answer.One(d, err, purposeOut)
	})
}
