package state

import (
	"slices"

	"aver/base/deadline"
)

// Kind is what is asked for.
type Kind string

// The kinds that the GDPR knows, and those of California and the other states of the US.
const (
	Access        Kind = "access"                // Art. 15
	Portability   Kind = "portability"           // Art. 20
	Rectification Kind = "rectification"         // Art. 16
	Erasure       Kind = "erasure"               // Art. 17
	Restriction   Kind = "restriction"           // Art. 18
	Objection     Kind = "objection"             // Art. 21
	NoAutomation  Kind = "no_automated_decision" // Art. 22

	Know    Kind = "know"    // Cal. Civ. Code § 1798.110
	Delete  Kind = "delete"  // § 1798.105
	Correct Kind = "correct" // § 1798.106
	OptOut  Kind = "opt_out" // § 1798.120, of sale and sharing
	Limit   Kind = "limit"   // § 1798.121, the use of sensitive data
)

// Deed is what has to be done for a request.
type Deed string

// The deeds.
const (
	Copy  Deed = "copy"  // put together what is kept
	Erase Deed = "erase" // make it unreadable
	Amend Deed = "amend" // put something right: somebody must look
	Hold  Deed = "hold"  // stop doing something with it
)

type trait struct {
	deed   Deed
	regime string
	twin   Kind   // what the other regime calls it; itself where both know it
	limit  string // of Hold: what is set
}

var traits = map[Kind]trait{
	Access:        {Copy, deadline.GDPR, Know, ""},
	Portability:   {Copy, deadline.GDPR, Know, ""},
	Rectification: {Amend, deadline.GDPR, Correct, ""},
	Erasure:       {Erase, deadline.GDPR, Delete, ""},
	Restriction:   {Hold, deadline.GDPR, Limit, "restrict"},
	Objection:     {Hold, deadline.GDPR, OptOut, "object"},
	NoAutomation:  {Hold, deadline.GDPR, NoAutomation, "no_automated_decision"},
	Know:          {Copy, deadline.CCPA, Access, ""},
	Delete:        {Erase, deadline.CCPA, Erasure, ""},
	Correct:       {Amend, deadline.CCPA, Rectification, ""},
	OptOut:        {Hold, deadline.CCPA, Objection, "opt_out_sale"},
	Limit:         {Hold, deadline.CCPA, Restriction, "limit_sensitive"},
}

// Kinds lists them, the GDPR's first.
var Kinds = []Kind{Access, Portability, Rectification, Erasure, Restriction, Objection, NoAutomation, Know, Delete, Correct, OptOut, Limit}

// Known tells whether there is such a kind.
func (k Kind) Known() bool { return slices.Contains(Kinds, k) }

// Deed is what has to be done for it.
func (k Kind) Deed() Deed { return traits[k].deed }

// Limit is what is set on a person for it; empty where nothing is.
func (k Kind) Limit() string { return traits[k].limit }

// Regimes lists what people live under.
var Regimes = []string{deadline.GDPR, deadline.CCPA}

// Under is what a wish is called where this regime holds, so that nobody is sent away for having used another law's word.
func (k Kind) Under(regime string) Kind {
	if t := traits[k]; t.regime != regime && t.twin != "" {
		return t.twin
	}
	return k
}

// Unproved tells whether the law forbids asking for proof: of opting out and limiting (11 CCR § 7060(b)).
func (k Kind) Unproved() bool { return k == OptOut || k == Limit }

// Clock names the regime by which a request's time is counted.
func (k Kind) Clock(regime string) string {
	if regime == deadline.CCPA && k.Deed() == Hold {
		return deadline.CCPAOptOut
	}
	return regime
}
