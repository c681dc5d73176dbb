// Package probes finds out whether the promises hold of the running installation.
//
// Each promise has a probe, a function over its target, and broken targets at which the same function must say no. The
// probes look from outside wherever that is possible: they call the edge as the canary tenants do, shake hands with the
// listener, read the raw bytes of the data folder. What a claim is, is said in frame/claim; when probes run and what
// becomes of their results, in trust/claims.
package probes

//go:generate sh -c "go run ./list > ../../CLAIMS.md"

import (
	"context"
	"net"
	"time"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/egress"
	"aver/trust/audit"
	"aver/trust/backups"
	"aver/trust/canary"
	"aver/trust/identity"
	"aver/trust/retention"
	"aver/trust/rights"
	"aver/trust/subprocessors"
	"aver/vault"
)

// World is the installation as the probes see it.
type World struct {
	Vault     *vault.Vault
	Identity  *identity.Service
	Audit     *audit.Service
	Rights    *rights.Service
	Retention *retention.Service
	Backups   *backups.Service
	Companies *subprocessors.Service
	Canaries  *canary.Service
	Egress    *egress.Door

	Addresses func() Addresses                                         // where it listens; the zero value while it does not
	Dial      func(ctx context.Context, addr string) (net.Conn, error) // to an address of its own
	Pages     func() []string                                          // routes that can be read without naming anything
	Folder    string                                                   // where the data lies; the embedded store's, or the files' beside PostgreSQL
	Embedded  bool                                                     // the store is the embedded one, which makes its own backups
}

// Addresses are host:port pairs that this installation listens at; empty where it does not.
type Addresses struct{ TLS, Plain, Admin string }

// The themes of the trust page, in its order.
const (
	isolation    = "Isolation and least privilege"
	encryption   = "Encryption and keys"
	identities   = "Identity and access"
	auditing     = "Audit"
	people       = "Rights of people"
	keeping      = "Consent, purpose, retention, residency"
	processors   = "Sub-processors"
	availability = "Availability and continuity"
	product      = "What the product itself does"
)

// The roles that answer for promises.
const (
	security   = "Security"
	dpo        = "Data protection officer"
	operations = "Operations"
	building   = "Product"
)

// Claims lists the promises that are measured in this installation.
func Claims(w *World) []claim.Claim {
	list := []claim.Claim{
		crossing(w), pooling(w),
		sealing(w), tlsVersions(w), forwardSecrecy(w), redirecting(w), rotating(w), passwords(w), credentials(w),
		sessions(w),
		administration(w), automation(w), tampering(w),
		access(w), portability(w), erasure(w), cardsClaim(w),
		connections(w), schedule(w),
		leaving(w),
	}
	if w.Embedded {
		list = append(list, restoring(w))
	}
	list = append(list, acknowledged(w), chatting(w), programming(w))
	for i := range list {
		list[i].Kind, list[i].Check = claim.Measured, "aver claims verify "+list[i].ID
		if list[i].FreshFor == 0 {
			list[i].FreshFor = 3 * list[i].Every
		}
	}
	return list
}

// evidence starts out good; each observation may spoil it.
func evidence() claim.Evidence { return claim.Evidence{Holds: true} }

// fixture is a world broken on purpose.
func fixture(name string, probe func(context.Context) (claim.Evidence, error)) claim.Fixture {
	return claim.Fixture{Name: name, Probe: probe}
}

var actProbe = vault.Act("claim.probe", vault.System())

// system is how probes read what no caller may: to look for what should not be there.
func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "probes") }

// weakScope is all that keys may which the probes make: to read settings.
const weakScope = "settings:read"

const (
	often  = 15 * time.Minute
	hourly = time.Hour
	daily  = 24 * time.Hour
)
