package probes

import (
	"context"
	"fmt"
	"net"
	"time"

	"aver/base/errs"
	"aver/frame/claim"
	"aver/frame/egress"
	"aver/trust/probes/world"
	"aver/trust/subprocessors"
)

// door is what lets calls out.
type door interface {
	DialContext(ctx context.Context, purpose, network, addr string) (net.Conn, error)
}

// strangers are hosts that nobody registers: of the names that RFC 2606 and RFC 6761 reserve, and addresses written in
// the ways in which registers are got round.
var strangers = []string{"unregistered.invalid:443", "model.example:443", "2130706433:443", "0x7f000001:80", "169.254.169.254:80", "[::1]:443"}

// insides are addresses behind the operator's own firewall. For webhooks the register knows every host, since tenants
// choose them: there the address alone decides.
var insides = []string{"169.254.169.254:443", "127.0.0.1:443", "10.0.0.1:443", "[::ffff:10.0.0.1]:443", "[fd00::1]:443"}

// receivers is the purpose of calls to what tenants chose; see work/webhooks.
const receivers = "webhooks"

// tryStrangers asks the door for hosts that nobody registered, and for addresses that no receiver may have.
func tryStrangers(ctx context.Context, d door) (tried, out int) {
	forProbes, letOut := try(ctx, d, "probe", strangers)
	forReceivers, reached := try(ctx, d, receivers, insides)
	return forProbes + forReceivers, letOut + reached
}

func try(ctx context.Context, d door, purpose string, hosts []string) (tried, out int) {
	for _, addr := range hosts {
		tried++
		within, cancel := context.WithTimeout(ctx, 2*time.Second)
		conn, err := d.DialContext(within, purpose, "tcp", addr)
		cancel()
		if conn != nil {
			conn.Close()
		}
		if !errs.Is(err, errs.Forbidden) {
			out++
		}
	}
	return tried, out
}

// register tells whether a host may be called.
type register func(ctx context.Context, purpose, host string) (egress.Entry, bool)

// leaving is sub-1.
func leaving(w view) claim.Claim {
	refusing := func(context.Context, string, string) (egress.Entry, bool) { return egress.Entry{}, false }
	return claim.Claim{
		ID: "sub-1", Theme: world.Processors, Owner: world.DPO, Every: world.Hourly, On: []string{"subprocessor."},
		Wording:   "No company receives data but those the register names, receivers that tenants chose and the operator's own servers apart: {companies} companies in it, {refused} calls to others tried and refused, {strays} hosts outside it called",
		Predicate: "Every call to a host that is not in the register is refused before a connection is opened, and every host that was called since the start is in the register now, is the operator's own, or is a receiver that a tenant chose for its own data.",
		Method:    "The probe asks the program's one door to the outside world for hosts that nobody registered, and for addresses of the inside in the name of webhooks, whose receivers tenants choose, and compares what was let out with the register.",
		Refs:      claim.References{ISO: []string{"A.5.19", "A.5.21", "A.8.12"}, SOC2: []string{"CC9.2", "CC6.7"}, GDPR: []string{"28(2)", "44"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			live, err := w.Companies.Live(ctx)
			if err != nil {
				return claim.Evidence{}, err
			}
			return judgeLeaving(ctx, w.Egress, w.Companies.Register, w.Companies.Calls(), len(live)), nil
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a door that asks no register", func(ctx context.Context) (claim.Evidence, error) {
				open := &egress.Door{Register: func(context.Context, string, string) (egress.Entry, bool) {
					return egress.Entry{Name: "anybody", Grade: egress.Own}, true
				}, ConnectTimeout: time.Millisecond}
				return judgeLeaving(ctx, open, refusing, nil, 0), nil
			}),
			world.Fixture("a door that lets receivers lie behind the firewall", func(ctx context.Context) (claim.Evidence, error) {
				open := &egress.Door{Register: func(_ context.Context, purpose, _ string) (egress.Entry, bool) {
					return egress.Entry{Name: "a receiver", Grade: egress.Own}, purpose == receivers
				}, ConnectTimeout: time.Millisecond}
				return judgeLeaving(ctx, open, refusing, nil, 0), nil
			}),
			world.Fixture("a host that was called and is not in the register", func(ctx context.Context) (claim.Evidence, error) {
				calls := map[subprocessors.Call]subprocessors.Count{{Host: "model.example", Purpose: "assistant"}: {Allowed: 3}}
				return judgeLeaving(ctx, &egress.Door{}, refusing, calls, 0), nil
			}),
		},
	}
}

func judgeLeaving(ctx context.Context, d door, known register, calls map[subprocessors.Call]subprocessors.Count, companies int) claim.Evidence {
	e := world.Evidence()
	tried, out := tryStrangers(ctx, d)
	e.See(out == 0, "hosts that nobody registered, and addresses of the inside", "%d tried, %d let out", tried, out)
	strays, receivers, allowed := 0, 0, 0
	for call, n := range calls {
		if n.Allowed == 0 {
			continue
		}
		allowed += n.Allowed
		if n.Grade == egress.TenantEndpoint {
			receivers++
		} else if _, in := known(ctx, call.Purpose, call.Host); !in {
			strays++
			e.See(false, "a host that was called for "+call.Purpose, "is not in the register")
		}
	}
	e.See(strays == 0, "hosts that were called", "%d calls; %d receivers that tenants chose themselves, %d hosts outside the register", allowed, receivers, strays)
	e.Figure("companies", "%s", fmt.Sprint(companies))
	e.Figure("refused", "%d", tried-out)
	e.Figure("strays", "%d", strays)
	return e
}
