package app

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"aver/frame/module"
	"aver/trust/canary"
	"aver/trust/canary/attack"
)

// Modules are what this installation consists of.
func (a *App) Modules() []module.Module { return slices.Clone(a.modules) }

// CanaryWorld is what the canaries see of this installation.
func (a *App) CanaryWorld() canary.World {
	return canary.World{
		Handler: a.Edge, Host: a.host(), Scopes: a.scopes(), Bodies: canary.Bodies, Skip: canary.Skipped, Shared: canary.Shared,
		Spec: func() *huma.OpenAPI { return a.Edge.API().OpenAPI() },
		Routes: func() []string {
			var out []string
			for _, r := range a.Edge.Routes() {
				out = append(out, r.Pattern)
			}
			return out
		},
		Sockets: []attack.Socket{{Path: "/widget/v1/socket", Post: "/widget/v1/send", Stream: "/widget/v1/events", As: attack.Visitor, Hello: true, Ops: a.WebChat.Ops()}},
	}
}

// scopes are all scopes that an API key can have.
func (a *App) scopes() []string {
	var out []string
	for _, m := range a.modules {
		for _, act := range m.Actions {
			if s := act.Scope(); s != "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}
