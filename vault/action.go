package vault

import (
	"slices"

	"aver/vault/purpose"
)

// Action is something that can be done. Its name is both the permission and the word in the log.
type Action struct {
	name     string
	roles    []Role
	scope    string
	visitors bool
	system   bool
	audited  bool
	finds    bool
	patient  bool
	bound    bool
	purpose  string
}

// Rule says who may take an action.
type Rule func(*Action)

// Act declares an action, named thing.verb, and for which of the purposes that package purpose knows it touches people.
// The vault shows it no row about anybody who has closed that purpose, or not opened it where it rests on consent, and
// refuses to write about them. Without rules nobody may take it.
func Act(name, what string, rules ...Rule) *Action {
	if !purpose.Brought(what) {
		panic("vault: " + name + " is for " + what + ", which is no purpose") // part of the program's text
	}
	a := &Action{name: name, purpose: what}
	for _, rule := range rules {
		rule(a)
	}
	return a
}

// Roles permits users who hold one of the roles.
func Roles(roles ...Role) Rule { return func(a *Action) { a.roles = roles } }

// Everyone permits every user of the tenant, whatever the role.
func Everyone() Rule { return Roles(Owner, Administrator, Operator, DPO, Auditor) }

// Scope permits API keys that carry the scope.
func Scope(scope string) Rule { return func(a *Action) { a.scope = scope } }

// Visitors permits visitors; the module still checks that they touch only what is theirs.
func Visitors() Rule { return func(a *Action) { a.visitors = true } }

// System permits jobs and commands of Aver itself.
func System() Rule { return func(a *Action) { a.system = true } }

// Reads makes View write an entry too: for reads of personal data that the log must show.
func Reads() Rule { return func(a *Action) { a.audited = true } }

// Finds lets an action of a program's see whom it may not touch, because it must know who is there already. What it writes
// is guarded all the same.
func Finds() Rule { return func(a *Action) { a.finds = true } }

// Patient lets whoever else writes go first: for work in many small parts, such as a sweep.
func Patient() Rule { return func(a *Action) { a.patient = true } }

// Bound binds Aver's own parts by what binds people in an action of theirs: whom nobody at the desk may touch, they leave
// alone too.
func Bound() Rule { return func(a *Action) { a.bound = true } }

// For is the same action for a purpose of the tenant's own.
func (a *Action) For(name string) *Action {
	out := *a
	out.purpose = name
	return &out
}

// Purpose is what the action is for.
func (a *Action) Purpose() string { return a.purpose }

// guard is the condition under which the actor may touch people with this action.
func (a *Action) guard(who Actor) purpose.Guard {
	g := purpose.Guard{Name: a.purpose, Mode: purpose.Automated}
	switch terms := purpose.Of(a.purpose); {
	case a.purpose == purpose.Workspace:
		g.Mode = purpose.Nobody
	case terms.Owed != "":
		g.Mode = purpose.Free
	case terms.Human:
		return a.byPeople(who, terms.Silent)
	case a.finds:
		g.Mode = purpose.Finder
	}
	return g
}

// byPeople is the guard of what people do. What a person does concerns nobody else; a program of the tenant's is
// automated, also where people would do the same one by one; of Aver's own parts only those are that say so, and those
// are bound that are declared so.
func (a *Action) byPeople(who Actor, silent bool) purpose.Guard {
	g := purpose.Guard{Name: a.purpose, Mode: purpose.Staff}
	if silent {
		g = purpose.Guard{Name: purpose.Support, Mode: purpose.Clerk} // whom we may answer, we may keep in order
	}
	switch kind := who.is.Kind; {
	case kind == AsSystem && !a.bound, silent && kind == AsPerson, silent && who.Has(DPO):
		g.Mode = purpose.Free
	case kind == AsKey:
		g = purpose.Guard{Name: purpose.Sync, Mode: purpose.Automated}
	case kind == AsPerson:
		g.Mode = purpose.Self
	case who.Has(DPO):
		g.Mode = purpose.Trustee
	}
	return g
}

// Name is the word in the log.
func (a *Action) Name() string { return a.name }

// Scope is what an API key needs, or empty when keys may not.
func (a *Action) Scope() string { return a.scope }

// Roles lists which roles may.
func (a *Action) Roles() []Role { return slices.Clone(a.roles) }

// Visitors tells whether visitors may.
func (a *Action) Visitors() bool { return a.visitors }

func (a *Action) permits(who Actor) bool {
	if a == nil || who.is.Tenant.IsZero() {
		return false
	}
	switch who.is.Kind {
	case AsUser:
		return slices.ContainsFunc(who.is.Roles, func(r Role) bool { return slices.Contains(a.roles, r) })
	case AsKey:
		return a.scope != "" && slices.Contains(who.is.Scopes, a.scope)
	case AsPerson:
		return a.visitors
	case AsSystem:
		return a.system
	default:
		return false
	}
}
