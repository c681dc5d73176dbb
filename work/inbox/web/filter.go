package web

import (
	"net/http"
	"net/url"
	"slices"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/work/inbox"
	"aver/work/inbox/desk"
)

// view is what of the list is shown, as it stands in the address.
type view struct {
	state inbox.State
	who   string // "", mine or unassigned
	team  inbox.TeamID
	label inbox.LabelID
	words string
	after inbox.Cursor
}

// viewOf reads it from the address. What makes no sense there is as if it were absent.
func viewOf(r *http.Request) view {
	q := r.URL.Query()
	v := view{state: inbox.State(q.Get("state")), who: q.Get("who"), words: q.Get("q")}
	if !v.state.Known() {
		v.state = inbox.Open
	}
	if v.who != "mine" && v.who != "unassigned" {
		v.who = ""
	}
	_ = v.team.UnmarshalText([]byte(q.Get("team")))   // a malformed one stays zero
	_ = v.label.UnmarshalText([]byte(q.Get("label"))) //
	_ = v.after.UnmarshalText([]byte(q.Get("after"))) //
	return v
}

// address is a path with the view behind it.
func (v view) address(path string) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	if v.state != inbox.Open {
		set("state", string(v.state))
	}
	set("who", v.who)
	set("team", v.team.String())
	set("label", v.label.String())
	set("q", v.words)
	set("after", v.after.String())
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// with is the view with something changed, from its beginning.
func (v view) with(change func(*view)) string {
	v.after, v.words = inbox.Cursor{}, ""
	change(&v)
	return v.address("/inbox")
}

func (v view) filter(a vault.Actor) inbox.Filter {
	f := inbox.Filter{State: v.state, Team: v.team, Label: v.label, After: v.after, Unassigned: v.who == "unassigned"}
	if v.who == "mine" {
		f.Assignee = a.User()
	}
	return f
}

// shows tells whether the view's list has a conversation, as far as its row says.
func (v view) shows(a vault.Actor, row inbox.Row) bool {
	if v.words != "" || row.State != v.state || !v.team.IsZero() && row.Team != v.team {
		return false
	}
	if v.who == "mine" && row.Assignee != a.User() || v.who == "unassigned" && !row.Assignee.IsZero() {
		return false
	}
	return v.label.IsZero() || slices.ContainsFunc(row.Labels, func(l inbox.Label) bool { return l.ID == v.label })
}

// back is where a form leads after it was carried out.
func back(r *http.Request, path string) string { return viewOf(r).address(path) }

// userOf reads a user from a form; the empty text is nobody.
func userOf(text string) (ids.User, error) {
	var id ids.User
	if err := id.UnmarshalText([]byte(text)); err != nil {
		return id, errs.New(errs.NotFound, "There is no such user.")
	}
	return id, nil
}

// teamOf reads a team from a form; the empty text is none.
func teamOf(text string) (desk.TeamID, error) {
	var id desk.TeamID
	if err := id.UnmarshalText([]byte(text)); err != nil {
		return id, errs.New(errs.NotFound, "There is no such team.")
	}
	return id, nil
}
