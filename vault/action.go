package vault

import "slices"

// Action is something that can be done. Its name is both the permission and the word in the log.
type Action struct {
	name     string
	roles    []Role
	scope    string
	visitors bool
	system   bool
	audited  bool
}

// Rule says who may take an action.
type Rule func(*Action)

// Act declares an action, named thing.verb. Without rules nobody may take it.
func Act(name string, rules ...Rule) *Action {
	a := &Action{name: name}
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
