// Package probes finds out whether the promises hold of the running installation.
//
// Each promise has a probe, a function over its target, and broken targets at which the same function must say no. The
// probes look from outside wherever that is possible: they call the edge as the canary tenants do, shake hands with the
// listener, read the raw bytes of the data folder. What a claim is, is said in frame/claim; when probes run and what
// becomes of their results, in trust/claims.
package probes

import (
	"aver/frame/claim"
	"aver/trust/probes/consents"
	"aver/trust/probes/keeping"
	"aver/trust/probes/people"
	"aver/trust/probes/transport"
	"aver/trust/probes/world"
)

// view is the world with the ways of looking at it that are used here alone.
type view struct{ *world.World }

// Claims lists the promises that are measured in this installation.
func Claims(at *world.World) []claim.Claim {
	w := view{at}
	list := []claim.Claim{crossing(w), pooling(w), sealing(w)}
	list = append(list, transport.Claims(at)...)
	list = append(list, rotating(w), passwords(w), credentials(w), sessions(w), administration(w), automation(w), tampering(w))
	list = append(list, people.Claims(at)...)
	list = append(list, consents.Claims(at)...)
	list = append(list, keeping.Claims(at)...)
	return append(list, leaving(w), acknowledged(w), chatting(w), programming(w), relaying(w))
}
