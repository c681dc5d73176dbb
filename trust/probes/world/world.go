// Package world is the installation as the probes see it, and their ways of looking: at people whom they let write, at
// raw files and rows, at the time.
//
// It judges nothing: what must be found where is said by the probes themselves.
package world

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
	"aver/trust/children"
	"aver/trust/closing"
	"aver/trust/consent"
	"aver/trust/documents"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/trust/improvement"
	"aver/trust/residency"
	"aver/trust/retention"
	"aver/trust/rights"
	"aver/trust/rights/told"
	"aver/trust/subprocessors"
	"aver/vault"
	"aver/vault/purpose"
)

// World is the installation as the probes see it.
type World struct {
	Vault     *vault.Vault
	Identity  *identity.Service
	Audit     *audit.Service
	Rights    *rights.Service
	Holds     *holds.Service
	Told      *told.Service
	Retention *retention.Service
	Children  *children.Service
	Backups   *backups.Service
	Residency *residency.Service
	Closing   *closing.Service
	Companies *subprocessors.Service
	Consent   *consent.Service
	Canaries  *canary.Service
	Documents *documents.Service
	Egress    *egress.Door

	Improvement *improvement.Service

	Scratch *Scratch // what fixtures may break

	Sweep     func(ctx context.Context, tenant ids.Tenant) error       // removes what is stored of contacts' fields that are switched off
	Relay     func(folder string) (Relay, error)                       // one before this installation, which keeps its log in the folder
	Addresses func() Addresses                                         // where it listens; the zero value while it does not
	Dial      func(ctx context.Context, addr string) (net.Conn, error) // to an address of its own
	Pages     func() []string                                          // routes that can be read without naming anything
	Folder    string                                                   // where the data lies; the embedded store's, or the files' beside PostgreSQL
}

// Addresses are host:port pairs that this installation listens at; empty where it does not.
type Addresses struct{ TLS, Plain, Admin string }

// The themes of the trust page, in its order.
const (
	Isolation    = "Isolation and least privilege"
	Encryption   = "Encryption and keys"
	Identities   = "Identity and access"
	Auditing     = "Audit"
	People       = "Rights of people"
	Keeping      = "Consent, purpose, retention, residency"
	Processors   = "Sub-processors"
	Papers       = "Organisation and papers"
	Availability = "Availability and continuity"
	Product      = "What the product itself does"
)

// The roles that answer for promises.
const (
	Security   = "Security"
	DPO        = "Data protection officer"
	Operations = "Operations"
	Building   = "Product"
)

// Evidence starts out good; each observation may spoil it.
func Evidence() claim.Evidence { return claim.Evidence{Holds: true} }

// Fixture is a world broken on purpose.
func Fixture(name string, probe func(context.Context) (claim.Evidence, error)) claim.Fixture {
	return claim.Fixture{Name: name, Probe: probe}
}

// Act is what probes do in the log.
var Act = vault.Act("claim.probe", purpose.Duty, vault.System())

// System is how probes read what no caller may: to look for what should not be there.
func System(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "probes") }

// WeakScope is all that keys may which the probes make: to read settings.
const WeakScope = "settings:read"

// How often probes run.
const (
	Often  = 15 * time.Minute
	Hourly = time.Hour
	Daily  = 24 * time.Hour
)
