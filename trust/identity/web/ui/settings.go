package ui

import (
	"strings"
	"time"

	"aver/frame/page"
)

// Setting is a line of the list of settings.
type Setting struct{ Path, Title, About string }

// Profile is what a user may change about themselves.
type Profile struct {
	Name, Email string
	Roles       []string
	NameSheet   page.Sheet
	Password    page.Sheet
	Sessions    []Session
}

// Session is a place where somebody is signed in.
type Session struct {
	ID      string
	Device  string
	Started time.Time
	Used    time.Time
	Ends    time.Time
	This    bool
}

// Team is who works in the workspace.
type Team struct {
	Members     []Member
	Invitations []Pending
	MayChange   bool
}

// Member is one of them.
type Member struct {
	ID       string
	Name     string
	Email    string
	Roles    []string
	Since    time.Time
	Disabled bool
	Self     bool
	Locked   bool // only an owner may change this account
}

// Pending is an invitation that nobody has taken up yet.
type Pending struct {
	ID    string
	Email string
	Roles []string
	Until time.Time
}

// Invite is the form for an invitation.
type Invite struct {
	Sheet  page.Sheet
	Owners bool // owners may be made
	Mails  bool // the invitation is mailed too
}

// Invited is what is shown once an invitation exists.
type Invited struct {
	Email  string
	Link   string
	Mailed bool
	Fault  bool // it could not be mailed
}

// Change is the page about one member.
type Change struct {
	Member Member
	Sheet  page.Sheet
	Owners bool
}

// Keys are the API keys.
type Keys struct {
	List    []Key
	MayMake bool
}

// Key is one of them.
type Key struct {
	ID     string
	Name   string
	Scopes []string
	Made   time.Time
	Used   time.Time // zero: never
	Ends   time.Time // zero: never
	Ended  bool
}

// NewKey is the form for an API key.
type NewKey struct {
	Sheet  page.Sheet
	Scopes []Scope
}

// Scope is something a key may be permitted.
type Scope struct {
	Name    string
	Actions []string
}

// Rights is what every role may do.
type Rights struct{ Parts []Part }

// Part is a module's actions.
type Part struct {
	Name    string
	Actions []Right
}

// Right is an action and who may take it.
type Right struct {
	Name     string
	Roles    map[string]bool
	Scope    string
	Visitors bool
}

// Roles are all roles there are, from the one who may do all.
var Roles = []string{"owner", "administrator", "operator", "dpo", "auditor"}

// RoleNames says roles in words: Owner, Data protection officer.
func RoleNames(roles []string) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = text.T("role." + r)
	}
	return strings.Join(words, ", ")
}

func mayBeGiven(role string, owners bool) bool { return role != "owner" || owners }

func crumbs(more ...page.Link) []page.Link {
	return append([]page.Link{{Label: text.T("settings"), Href: "/settings"}}, more...)
}

func orDevice(device string) string {
	if device == "" {
		return text.T("session.unknown")
	}
	return device
}

func (m Member) disableHappens() []string {
	return []string{text.T("disable.happens.sessions"), text.T("disable.happens.kept"), text.T("disable.happens.back")}
}

func lives() []page.Option {
	return []page.Option{{Value: "30", Label: text.T("key.life.30")}, {Value: "90", Label: text.T("key.life.90")},
		{Value: "365", Label: text.T("key.life.365")}, {Value: "0", Label: text.T("key.life.0")}}
}

// note is what a phone shows too, where there is no room for tags.
func (m Member) note() string {
	if m.Disabled {
		return m.Email + " · " + text.T("member.disabled.tag")
	}
	return m.Email
}

func (m Member) tags() []page.Tag {
	var tags []page.Tag
	for _, r := range m.Roles {
		tags = append(tags, page.Tag{Text: text.T("role." + r), Hue: roleHues[r]})
	}
	return tags
}

var roleHues = map[string]int{"owner": 1, "administrator": 2, "operator": 3, "dpo": 4, "auditor": 5}

func (i Invite) lead() string {
	if i.Mails {
		return text.T("invite.lead.mail")
	}
	return text.T("invite.lead")
}

// help lists what a scope stands for.
func (s Scope) help() string { return strings.Join(s.Actions, ", ") }

func roleWords() []page.KeyValue {
	var out []page.KeyValue
	for _, r := range Roles {
		out = append(out, page.KeyValue{Key: text.T("role." + r), Value: text.T("role." + r + ".help")})
	}
	return out
}

func rightColumns() []page.Column {
	columns := []page.Column{{Label: text.T("rights.action")}}
	for _, r := range Roles {
		columns = append(columns, page.Column{Label: text.T("role." + r + ".short")})
	}
	return append(columns, page.Column{Label: text.T("rights.scope")})
}
