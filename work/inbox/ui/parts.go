package ui

import (
	"time"

	"github.com/a-h/templ"

	"aver/frame/page"
)

func (v Inbox) title() string {
	if v.Thread != nil {
		return v.Thread.Name
	}
	return text.T("inbox")
}

func (v Inbox) third() templ.Component {
	if v.Thread == nil {
		return nil
	}
	return personColumn(v.Thread)
}

func columnNames() [3]string {
	return [3]string{text.T("columns.list"), text.T("columns.thread"), text.T("columns.person")}
}

func onOff(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

// turned is what a switch sends.
func turned(on bool) string {
	if on {
		return "no"
	}
	return "yes"
}

// someTime stands in templates whose time a script sets.
func someTime() time.Time { return time.Unix(0, 0) }

func marks() []page.Mark { return []page.Mark{page.Sending, page.Sent, page.Seen, page.Unsent} }

// drawn is the line's bubble with what stands under its text.
func (l Line) drawn() page.Bubble {
	b := l.Bubble
	if len(l.Pictures) > 0 || l.Remove != "" || l.Removed {
		b.More = lineMore(l)
	}
	return b
}

// ViewOf is the chip of a state or of whose conversations are shown, with how many of them wait.
func ViewOf(name, href string, on bool, waiting int) View {
	return View{name, page.Chip{Label: text.T("view." + name), Href: href, On: on, Count: waiting}}
}

// EmptyList says what will be in a list that has nothing in it, and what to do first.
func EmptyList(why, first string) page.Empty {
	e := page.Empty{Icon: map[string]string{"search": "search", "snoozed": "alarm-clock", "closed": "check"}[why], Small: true,
		Title: text.T("empty." + why + ".title"), Text: text.T("empty." + why + ".text")}
	if e.Icon == "" {
		e.Icon = "inbox"
	}
	if first != "" {
		e.First = page.Link{Label: text.T("empty." + why + ".first"), Href: first}
	}
	return e
}

// Day is what a day is called in a thread.
func Day(at, now time.Time) string {
	switch at.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return text.T("thread.today")
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return text.T("thread.yesterday")
	}
	if at.Year() == now.Year() {
		return at.Format("Monday, 2 January")
	}
	return at.Format("2 January 2006")
}

// Somebody is what a person without a name is called.
func Somebody() string { return text.T("person.unknown") }

// Team is what colleagues without a name are called.
func Team() string { return text.T("thread.team") }

// Nobody is the choice of assigning to no user.
func Nobody() string { return text.T("act.nobody") }

// Teamless is the choice of assigning to no team.
func Teamless() string { return text.T("act.teamless") }

// SnoozeLabel is what a time to snooze until is called.
func SnoozeLabel(key string) string { return text.T("snooze." + key) }
