package ui

import (
	"strconv"
	"strings"

	"aver/frame/page"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
)

// Tags is the settings page of labels.
type Tags struct {
	All      []contacts.Tag
	Sheet    page.Sheet
	Open     contacts.TagID // the one whose form was refused
	MayWrite bool
}

func (t Tags) newSheet() page.Sheet {
	s := page.Sheet{}
	if t.Open.IsZero() {
		s = t.Sheet
	}
	s.Action, s.ID = "/settings/tags", "new"
	return s
}

func (t Tags) sheet(one contacts.Tag) page.Sheet {
	s := page.Sheet{}
	if t.Open == one.ID {
		s = t.Sheet
	}
	s.Action, s.ID = "/settings/tags/"+one.ID.String(), one.ID.String()
	return s
}

func hues() []page.Option {
	out := []page.Option{{Value: "0", Label: text.T("hue.0")}}
	for n := 1; n <= 8; n++ {
		out = append(out, page.Option{Value: strconv.Itoa(n), Label: text.T("hue.n", n)})
	}
	return out
}

// Segments is the settings page of segments.
type Segments struct {
	All      []contacts.Segment
	Tags     []contacts.Tag
	Sheet    page.Sheet
	MayWrite bool
}

func (s Segments) sheet() page.Sheet {
	sheet := s.Sheet
	sheet.Action = "/settings/segments"
	return sheet
}

func (s Segments) labels() []page.Option {
	out := []page.Option{{Label: text.T("segments.any")}}
	for _, t := range s.Tags {
		out = append(out, page.Option{Value: t.ID.String(), Label: t.Name})
	}
	return out
}

func roles() []page.Option {
	return append([]page.Option{{Label: text.T("segments.any")}}, roleOptions()...)
}

func knowns() []page.Option {
	return []page.Option{{Label: text.T("segments.any")}, {Value: "verified", Label: text.T("segments.known.verified")}, {Value: "unverified", Label: text.T("segments.known.unverified")}}
}

// words says who is in a segment.
func (s Segments) words(r contacts.Rule) string {
	var out []string
	add := func(yes bool, words string) {
		if yes {
			out = append(out, words)
		}
	}
	add(r.Role != "", strings.ToLower(text.T("role."+string(r.Role))))
	for _, t := range s.Tags {
		add(t.ID == r.Label, text.T("segments.rule.label", t.Name))
	}
	add(r.Known == contacts.OnlyVerified, text.T("segments.rule.verified"))
	add(r.Known == contacts.OnlyUnverified, text.T("segments.rule.unverified"))
	add(r.Seen > 0, text.T("segments.rule.seen", text.T("days", r.Seen)))
	add(r.Unseen > 0, text.T("segments.rule.unseen", text.T("days", r.Unseen)))
	add(r.Created > 0, text.T("segments.rule.created", text.T("days", r.Created)))
	add(r.Blocked, text.T("segments.rule.blocked"))
	return strings.Join(out, ", ")
}

// Attributes is the settings page of the tenant's own fields.
type Attributes struct {
	All      []attributes.Attribute
	Sheet    page.Sheet
	MayWrite bool
}

func (a Attributes) sheet() page.Sheet {
	s := a.Sheet
	s.Action = "/settings/attributes"
	return s
}

func kinds() []page.Option {
	var out []page.Option
	for _, k := range attributes.Kinds {
		out = append(out, page.Option{Value: string(k), Label: text.T("attributes.kind." + string(k))})
	}
	return out
}

func settings() []page.Link { return []page.Link{{Label: text.T("settings"), Href: "/settings"}} }
