package page

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/a-h/templ"
)

// State is how a promise stands. It is always shown as a word, a shape and a colour together.
type State string

// The states. Holds and Failing were measured; Stale was measured too long ago, or is due soon; Attested is a person's
// word; Unknown has not been measured yet.
const (
	Holds    State = "holds"
	Failing  State = "failing"
	Stale    State = "stale"
	Attested State = "attested"
	Unknown  State = "unknown"
)

// Word is the state in words.
func (s State) Word() string { return text.T("state." + string(s.known())) }

// known takes anything that is not a state for Unknown, so that a mistake is never drawn as good news.
func (s State) known() State {
	switch s {
	case Holds, Failing, Stale, Attested:
		return s
	}
	return Unknown
}

// Look is how much a button asks for attention. A page has at most one Primary.
type Look string

// The looks.
const (
	Plain   Look = ""
	Primary Look = "primary"
	Quiet   Look = "quiet"
	Danger  Look = "danger"
)

// Button acts. For going somewhere use Link.
type Button struct {
	Label    string
	Icon     string
	IconOnly bool   // the label is then only spoken and shown as a hint
	Look     Look   //
	Type     string // submit or button; "" is submit, unless Opens is set
	Name     string // with Value, what a form with several buttons sends
	Value    string
	Opens    string // the id of a dialog
	Key      string // one letter that presses it
	Attrs    templ.Attributes
}

// Link goes somewhere. As a part it looks like a button; in text write <a>.
type Link struct {
	Label    string
	Href     string
	Icon     string
	IconOnly bool
	Look     Look
	Key      string
	Attrs    templ.Attributes
}

// Tag is a label on a thing. Hue is 0 (grey) to 8.
type Tag struct {
	Text string
	Hue  int
	Icon string
}

// Badge shows a state. Word replaces the state's own word where a page has a better one.
type Badge struct {
	State State
	Word  string
}

// Avatar is a circle with initials. It says nothing to a screen reader: the name stands beside it.
type Avatar struct {
	Name string
	Big  bool
}

// Chip is a filter that lives in the address: Href is the page with the filter turned over.
type Chip struct {
	Label string
	Href  string
	On    bool
	Icon  string
	Count int // shown when above zero
}

// Tab is one of several views of the same thing, each with an address.
type Tab struct {
	Label string
	Href  string
	On    bool
	Count int // shown when above zero
}

// Empty says what will be here and offers the first step.
type Empty struct {
	Icon  string
	Title string
	Text  string
	First templ.Component // the first step; may be nil
	Small bool            // inside a panel or a column
}

// Toast is one sentence about something that was just done. Scripts make the same with aver.toast.
type Toast struct{ Text string }

// Notice is a sentence or two that must be read before the rest.
type Notice struct {
	State State // Failing for what is wrong, Stale for what is due, Holds for good news, Unknown for plain information
	Title string
	Text  string
}

// KeyValue is a name and what it stands for: plain text, or a part.
type KeyValue struct {
	Key   string
	Value string
	Part  templ.Component
	Help  string
}

// Code is an id, hash or command to be copied. Short, when above zero, shows only that many signs of each end.
type Code struct {
	Value string
	Label string // what is copied, for the button
	Short int
}

// Stat is a number that answers a question, with what it counts under it.
type Stat struct {
	Value string
	Label string
	Note  string
	State State // empty: no mark
	Href  string
}

// Older leads through a list by cursor; there are no page numbers, since lists move while one reads.
type Older struct {
	Older string // address of what comes after; "" at the end
	Newer string // address of the start; "" at the start
	Attrs templ.Attributes
}

// Skeleton stands for rows that are on their way.
type Skeleton struct{ Rows int }

// Render draws the part.
func (b Button) Render(ctx context.Context, w io.Writer) error { return button(b).Render(ctx, w) }

// Render draws the part.
func (l Link) Render(ctx context.Context, w io.Writer) error { return link(l).Render(ctx, w) }

// Render draws the part.
func (t Tag) Render(ctx context.Context, w io.Writer) error { return tag(t).Render(ctx, w) }

// Render draws the part.
func (b Badge) Render(ctx context.Context, w io.Writer) error { return badge(b).Render(ctx, w) }

// Render draws the part.
func (a Avatar) Render(ctx context.Context, w io.Writer) error { return avatar(a).Render(ctx, w) }

// Render draws the part.
func (c Chip) Render(ctx context.Context, w io.Writer) error { return chip(c).Render(ctx, w) }

// Render draws the part.
func (e Empty) Render(ctx context.Context, w io.Writer) error { return empty(e).Render(ctx, w) }

// Render draws the part.
func (t Toast) Render(ctx context.Context, w io.Writer) error { return toast(t).Render(ctx, w) }

// Render draws the part.
func (n Notice) Render(ctx context.Context, w io.Writer) error { return notice(n).Render(ctx, w) }

// Render draws the part.
func (c Code) Render(ctx context.Context, w io.Writer) error { return code(c).Render(ctx, w) }

// Render draws the part.
func (s Stat) Render(ctx context.Context, w io.Writer) error { return stat(s).Render(ctx, w) }

// Render draws the part.
func (o Older) Render(ctx context.Context, w io.Writer) error { return older(o).Render(ctx, w) }

// Render draws the part.
func (s Skeleton) Render(ctx context.Context, w io.Writer) error { return skeleton(s).Render(ctx, w) }

func (b Button) kind() string {
	if b.Type != "" {
		return b.Type
	}
	if b.Opens != "" {
		return "button"
	}
	return "submit"
}

// attrs adds what the script reads to the author's own attributes; empty ones are left out.
func attrs(own templ.Attributes, pairs ...string) templ.Attributes {
	out := templ.Attributes{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = pairs[i+1]
		}
	}
	for name, value := range own {
		out[name] = value
	}
	return out
}

func when(yes bool, value string) string {
	if yes {
		return value
	}
	return ""
}

func yesNo(yes bool) string {
	if yes {
		return "true"
	}
	return "false"
}

func upper(s string) string { return strings.ToUpper(s) }

// hues is how many colours tags and avatars have beside grey.
const hues = 8

func hueClass(n int) string {
	if n < 1 || n > hues {
		return "hue-0"
	}
	return fmt.Sprintf("hue-%d", n)
}

// hueOf gives the same name the same colour everywhere.
func hueOf(name string) int {
	h := fnv.New32a()
	io.WriteString(h, name)
	return 1 + int(h.Sum32()%hues)
}

// initials are the first letters of the first and the last word.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	switch len(words) {
	case 0:
		return "?"
	case 1:
		return strings.ToUpper(firstLetter(words[0]))
	}
	return strings.ToUpper(firstLetter(words[0]) + firstLetter(words[len(words)-1]))
}

func firstLetter(word string) string {
	for _, r := range word {
		return string(r)
	}
	return ""
}

// shown is what of a long code is visible.
func (c Code) shown() string {
	if c.Short <= 0 || len(c.Value) <= 2*c.Short+1 {
		return c.Value
	}
	return c.Value[:c.Short] + "…" + c.Value[len(c.Value)-c.Short:]
}

func claimsLink(c Claims) string {
	if c.Failing > 0 {
		return "/trust?state=failing"
	}
	return "/trust"
}

// stamp is the machine's form of a time.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// exact is a time as it stands in the page before the script makes it relative.
func exact(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }
