// Package documents writes the papers of data protection from live data: the notice for people, the record of
// processing, the impact assessment, the transfer sheets, and the data catalogue with its map.
//
// One function collects the facts of a workspace; every paper is made of them alone and says of each line where it was
// taken from. Nothing is typed into a paper but what only a person can know: who is responsible (settings), and the
// judgements of an impact assessment. What is missing is said to be missing.
package documents

import (
	"context"
	"embed"
	"time"

	"aver/base/ids"
	"aver/frame/module"
	"aver/trust/claims"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/trust/retention"
	"aver/trust/subprocessors"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 20

// What can be done.
var (
	chiefs    = vault.Roles(vault.Owner, vault.Administrator, vault.DPO)
	actRead   = vault.Act("document.read", purpose.Duty, vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor), vault.Scope("privacy:read"), vault.System(), vault.Reads())
	actLegal  = vault.Act("legal_entity.write", purpose.Workspace, chiefs, vault.Scope("settings:write"), vault.System())
	actAnswer = vault.Act("assessment.answer", purpose.Workspace, vault.Roles(vault.Owner, vault.DPO))
	actFacts  = vault.Act("document.collect", purpose.Duty, vault.System())
	actNotice = vault.Act("notice.publish", purpose.Workspace, vault.System())
)

// Receiver is a program of the tenant's own choice that is told what happens.
type Receiver struct {
	Ref    string   // its identifier
	Host   string   // of its address; the rest may hold a secret
	Events []string // that it is told; all if empty
}

// Server is a machine of whoever runs the installation that receives something.
type Server struct{ Purpose, Host, Name string }

// Config is what the facts are collected from.
type Config struct {
	Vault     *vault.Vault
	Retention *retention.Service
	Consent   *consent.Service
	Companies *subprocessors.Service
	Promises  func(context.Context) (claims.Board, error)
	Active    func(context.Context, ids.Tenant) ([]string, error) // purposes beside answering people that data is processed for now
	Receivers func(context.Context, ids.Tenant) ([]Receiver, error)
	Servers   func() []Server
	Off       func(context.Context, ids.Tenant) ([]string, error) // columns whose field the tenant has switched off, as table.column
	Installed []string                                            // tables that only the installation has rows in
	Backups   time.Duration                                       // how long a backup is kept at most
	Store     string                                              // in words: where rows lie
	Program   string                                              // name and version
}

// Service writes the papers.
type Service struct {
	Config
	vault *vault.Vault
}

// New makes the service.
func New(c Config) *Service { return &Service{Config: c, vault: c.Vault} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "documents",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{entities, answers, versions},
		Actions:    []*vault.Action{actRead, actLegal, actAnswer, actFacts, actNotice},
		API:        s.api,
		Routes:     s.routes,
		Settings:   []module.Link{{Path: "/settings/legal", Title: "Who is responsible", About: "Your legal name, your data protection officer, your supervisory authority: for the notice and the papers.", For: actRead}},
		Classes:    classes,
	}
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "documents") }
