package app

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aver/edge/relay"
	"aver/frame/claim"
	"aver/frame/egress"
	"aver/frame/module"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/probes"
	"aver/trust/probes/world"
	inboxweb "aver/work/inbox/web"
)

// Modules are what this installation consists of.
func (a *App) Modules() []module.Module { return slices.Clone(a.modules) }

// CanaryWorld is what the canaries see of this installation.
func (a *App) CanaryWorld() canary.World {
	return canary.World{
		Handler: a.Edge, Host: a.host(), Scopes: a.scopes(), Bodies: canary.Bodies, Skip: canary.Skipped, Chosen: canary.Chosen, Shared: canary.Shared,
		Spec:   func() *huma.OpenAPI { return a.Edge.API().OpenAPI() },
		Routes: a.patterns,
		Sockets: []attack.Socket{
			{Path: "/widget/v1/socket", Post: "/widget/v1/send", Stream: "/widget/v1/events", As: attack.Visitor, Hello: true, Ops: a.WebChat.Ops()},
			{Path: "/live", As: attack.Owner, Ops: inboxweb.New(a.Inbox, a.Hub, a.Identity).Handler().Ops},
		},
	}
}

func (a *App) patterns() []string {
	var out []string
	for _, r := range a.Edge.Routes() {
		out = append(out, r.Pattern)
	}
	return out
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

// keepCanaries lets the canaries in and attack each other until the installation closes. Requests are answered
// meanwhile: the first start takes a second or two to make them.
func (a *App) keepCanaries() {
	if err := a.Canaries.Open(a.ctx, a.CanaryWorld()); err != nil {
		if a.ctx.Err() == nil {
			a.Log.Error("the canary tenants cannot be opened: isolation is not measured", "error", err)
		}
		return
	}
	a.Canaries.Run(a.ctx)
}

const selfPurpose = "looking at itself"

// ownAddress lets probes reach this process's own listeners, and nothing else.
func (a *App) ownAddress(_ context.Context, purpose, host string) (egress.Entry, bool) {
	at := a.addresses()
	for _, addr := range []string{at.TLS, at.Plain, at.Admin} {
		if own, _, err := net.SplitHostPort(addr); err == nil && own == host && purpose == selfPurpose {
			return egress.Entry{Name: "this installation", Grade: egress.Own}, true
		}
	}
	return egress.Entry{}, false
}

// claims are the promises that are measured here: those with probes of their own, and those that modules bring.
func (a *App) claims() []claim.Claim {
	a.Subprocessors.Allow(a.ownAddress)
	w := a.world()
	a.scratch.Make = makeScratch
	w.Scratch = &a.scratch
	return promises(a.modules, w)
}

// world is what probes see of this installation.
func (a *App) world() *world.World {
	return &world.World{
		Vault: a.Vault, Identity: a.Identity, Audit: a.Audit, Rights: a.Rights, Retention: a.Retention, Children: a.Children, Backups: a.Backups, Closing: a.Closing,
		Companies: a.Subprocessors, Consent: a.Consent, Canaries: a.Canaries, Improvement: a.Improvement, Documents: a.Documents, Sweep: a.Minimum.Sweep, Egress: a.Door, Folder: a.Config.Data,
		Residency: a.Residency, Relay: a.relayBefore, Holds: a.Holds, Told: a.Told,
		Addresses: a.addresses, Pages: a.readable,
		Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			return a.Door.DialContext(ctx, selfPurpose, "tcp", addr)
		},
	}
}

func promises(modules []module.Module, w *world.World) []claim.Claim {
	list := probes.Claims(w)
	for _, m := range modules {
		list = append(list, m.Claims...)
	}
	return claim.Complete(list)
}

// Promises are all claims that an installation may have, for the list of them. Their probes have nothing to look at.
func Promises() []claim.Claim {
	return promises(schema(Config{}), &world.World{Scratch: &world.Scratch{}})
}

// relayBefore is a relay in this process before this installation, for the probes.
func (a *App) relayBefore(folder string) (world.Relay, error) {
	door := a.Canaries.Door()
	return relay.New(relay.Config{Regions: []relay.Region{{Name: a.Config.Region, URL: &url.URL{Scheme: "https", Host: door.Host}}},
		Carrier: door.Carrier(), Folder: folder, Clock: a.Config.Clock, Log: a.Log})
}

// addresses are where this process listens, as it reaches itself.
func (a *App) addresses() world.Addresses {
	https, admin, plain := a.Edge.Addresses()
	return world.Addresses{TLS: reach(https), Plain: reach(plain), Admin: reach(admin)}
}

// reach is an address of this machine: where a listener takes every address, the loopback.
func reach(at net.Addr) string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		return ""
	}
	if tcp.IP.IsUnspecified() {
		return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}).String()
	}
	return tcp.String()
}

// readable are the routes that can be read without naming anything.
func (a *App) readable() []string {
	var out []string
	for _, pattern := range a.patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		stream := path == "/live" || strings.HasPrefix(path, "/widget/") || strings.HasPrefix(path, "/assets/")
		if method == "GET" && !strings.Contains(path, "{") && !stream {
			out = append(out, path)
		}
	}
	return out
}
