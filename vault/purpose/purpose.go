// Package purpose decides what may be done with people's data, and for what.
//
// Every action of the vault says what it is for. Of most purposes the person's own word counts: a consent given or taken
// back, an objection, a restriction, an opt-out. The decision is a condition in SQL that the vault adds to every statement
// of such an action, so that whoever writes a feature cannot forget it. A few purposes nobody can close, each with the
// reason why: what is owed to the person, storing, what a law demands, what keeps the service safe. And what is for the
// workspace alone gets nobody to see.
package purpose

import (
	"regexp"
	"slices"
)

// The purposes that Aver knows by itself. Tenants define others.
const (
	Support = "support" // answering people who write to us: what people do, see Human
	Desk    = "desk"    // keeping conversations and profiles in order, without a word to the person: what people do, too

	Assistant   = "assistant"   // answering by a program
	Decision    = "decision"    // deciding about a person by a program alone (GDPR Art. 22)
	Outreach    = "outreach"    // writing to people first: direct marketing
	Enrichment  = "enrichment"  // adding what others know about a person
	Analytics   = "analytics"   // counting and comparing what people do
	Sync        = "sync"        // handing people's data to programs: webhooks, exports, API keys
	Improvement = "improvement" // making the product better with what people wrote
	Sale        = "sale"        // selling to or sharing with others for their own ends (Cal. Civ. Code § 1798.140(ad), (ah))

	LegalClaims    = "legal_claims"    // what may go on in spite of a restriction: GDPR Art. 18(2)
	Protection     = "protection"      // of the rights of another person
	PublicInterest = "public_interest" // an important one, of the Union or of a Member State
)

// The purposes that nobody can close.
const (
	Own       = "own"       // what people do themselves, and what they ask about their data
	Storage   = "storage"   // keeping what is there, once and not twice, and deleting it
	Duty      = "duty"      // what the law demands of whoever keeps data: registers, proofs, holds, protection of children
	Security  = "security"  // accounts, access, and the safety of people and of the service
	Workspace = "workspace" // running the workspace itself: nobody's data is touched, see Nobody
)

// All stands in a Standing for every purpose.
const All = "*"

// Basis is the ground on which a purpose rests: GDPR Art. 6(1) (a) to (f).
type Basis string

// The grounds, in the order of the law.
const (
	Consent            Basis = "consent"
	Contract           Basis = "contract"
	LegalObligation    Basis = "legal_obligation"
	VitalInterest      Basis = "vital_interest"
	PublicTask         Basis = "public_task"
	LegitimateInterest Basis = "legitimate_interest"
)

// Bases are all grounds.
var Bases = []Basis{Consent, Contract, LegalObligation, VitalInterest, PublicTask, LegitimateInterest}

// Terms are what a purpose is allowed by.
type Terms struct {
	Basis  Basis
	Shares bool   // it hands data to others for their own ends: an opt-out of sale stops it
	Human  bool   // people do it, one person at a time
	Silent bool   // it says no word to the person: who said no to answers is kept in order all the same
	Owed   string // why nobody can close it; empty of what people may close
	stop   Kind   // a limit that closes it besides those that close every automated purpose
}

// known are the terms of Aver's own purposes; what tenants define rests on consent until they say otherwise. Support,
// the desk, and what Art. 18(2) excepts, are done by people: everything else that people may close is taken for automated.
var known = map[string]Terms{
	Own:       {Basis: LegalObligation, Owed: "it is theirs: GDPR Art. 7(3), 12 to 22"},
	Storage:   {Basis: LegitimateInterest, Owed: "storing is what a restriction leaves: GDPR Art. 18(2); what is deleted is used no more"},
	Duty:      {Basis: LegalObligation, Owed: "GDPR Art. 5(2), 6(1)(c), 8, 17(3), 30"},
	Security:  {Basis: LegitimateInterest, Owed: "GDPR Art. 32, recital 49; the rights of others: Art. 18(2)"},
	Workspace: {Basis: Contract, Owed: "it is about nobody"},

	Support:        {Basis: Consent, Human: true},
	Desk:           {Basis: LegitimateInterest, Human: true, Silent: true},
	LegalClaims:    {Basis: LegitimateInterest, Human: true},
	Protection:     {Basis: LegitimateInterest, Human: true},
	PublicInterest: {Basis: PublicTask, Human: true},
	Assistant:      {Basis: LegitimateInterest},
	Decision:       {Basis: Contract, stop: NoAutomatedDecision},
	Outreach:       {Basis: Consent},
	Enrichment:     {Basis: LegitimateInterest, stop: LimitSensitive},
	Analytics:      {Basis: LegitimateInterest},
	Sync:           {Basis: LegitimateInterest},
	Improvement:    {Basis: Consent, stop: LimitSensitive},
	Sale:           {Basis: Consent, Shares: true, stop: LimitSensitive},
}

// Known are Aver's own purposes whose ground a tenant may choose, in the order in which they are shown.
var Known = []string{Assistant, Outreach, Enrichment, Analytics, Sync, Improvement, Sale}

// Of are the terms of a purpose as Aver brings it.
func Of(name string) Terms {
	if t, ok := known[name]; ok {
		return t
	}
	return Terms{Basis: Consent}
}

// Brought tells whether Aver brings the purpose, and so no tenant may define it.
func Brought(name string) bool { _, is := known[name]; return is }

// Fixed tells whether the ground of a purpose is not the tenant's to choose.
func Fixed(name string) bool { return Brought(name) && !slices.Contains(Known, name) }

// Exception tells whether a purpose may go on in spite of a restriction because the tenant says so (GDPR Art. 18(2)).
func Exception(name string) bool {
	return name == LegalClaims || name == Protection || name == PublicInterest
}

var form = regexp.MustCompile(`^[a-z][a-z_]{1,30}$`)

// Valid tells whether a text can be a purpose's name.
func Valid(name string) bool { return form.MatchString(name) }

// Kind is what a person's word about a purpose is.
type Kind string

// The kinds. Granted and Excepted open, all others close.
const (
	Granted  Kind = "granted"  // the person said yes
	Excepted Kind = "excepted" // the tenant recorded a ground of Art. 18(2) when it restricted
	Refused  Kind = "refused"  // the person said no, or took a yes back

	Restrict            Kind = "restrict"              // GDPR Art. 18
	Object              Kind = "object"                // GDPR Art. 21: to one purpose, or to all that is automated
	NoAutomatedDecision Kind = "no_automated_decision" // GDPR Art. 22
	OptOutSale          Kind = "opt_out_sale"          // Cal. Civ. Code § 1798.120, and Global Privacy Control
	LimitSensitive      Kind = "limit_sensitive"       // Cal. Civ. Code § 1798.121
)

// Limits are the kinds that a person may ask for, in the order in which they are shown.
var Limits = []Kind{Restrict, Object, NoAutomatedDecision, OptOutSale, LimitSensitive}
