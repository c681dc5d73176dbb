package app

import (
	"context"
	"net/http"

	"aver/base/ids"
	"aver/edge/idempotency"
	"aver/frame/live"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/contacts"
)

// Services are the modules' services, for whoever starts an App to use.
type Services struct {
	Identity *identity.Service
	Consent  *consent.Service
	Contacts *contacts.Service
}

func (a *App) makeServices(context.Context) error {
	a.Identity = identity.New(a.Vault)
	a.Consent = consent.New(a.Vault)
	a.Contacts = contacts.New(a.Vault)
	return nil
}

// listModules is the list of what Aver consists of.
func (a *App) listModules() []module.Module {
	return []module.Module{
		{Name: "vault", Number: vault.Number, Migrations: vault.Migrations()},
		a.Identity.Module(), a.Consent.Module(), a.Contacts.Module(),
	}
}

// schema is the same list before anything is opened: for migrations and tables only.
func schema() []module.Module {
	empty := &App{}
	_ = empty.makeServices(context.Background())
	return empty.listModules()
}

func allTables() []vault.AnyTable {
	var out []vault.AnyTable
	for _, m := range schema() {
		out = append(out, m.Tables...)
	}
	return out
}

func (a *App) startServices(context.Context) error {
	a.Identity.OnRevoked(a.cut)
	return nil
}

func (a *App) idempotency() idempotency.Store { return nil }

// view tells pages who looks at them.
func (a *App) view(r *http.Request) page.View {
	actor := request.Actor(r.Context())
	if actor.Kind() != vault.AsUser {
		return page.View{Region: a.Config.Region}
	}
	v := page.View{Region: a.Config.Region}
	if t, err := a.Vault.Tenant(r.Context(), actor.Tenant()); err == nil {
		v.Tenant, v.Region = t.Name, t.Region
	}
	if u, err := a.Identity.Me(r.Context(), actor); err == nil {
		v.User, v.Role = u.Name.Reveal(), u.Roles
	}
	return v
}

var _ live.Who = vault.Actor{}

// cut closes the sockets that were opened with what no longer counts.
func (a *App) cut(tenant ids.Tenant, credential ids.Credential, person ids.Subject) {
	a.Hub.Kick(func(who live.Who) bool {
		actor, ok := who.(vault.Actor)
		if !ok || actor.Tenant() != tenant {
			return false
		}
		return !credential.IsZero() && actor.Credential() == credential || !person.IsZero() && actor.Subject() == person
	}, live.CloseRevoked)
}
