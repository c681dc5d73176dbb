package page

import (
	"context"
	"io"
	"time"

	"github.com/a-h/templ"
)

// Columns is the inbox's frame: what there is, the one that is open, whom it is about. A phone shows one at a time.
type Columns struct {
	First, Second, Third templ.Component
	Names                [3]string // spoken names of the columns
	Open                 int       // which one a phone shows: 0, 1 or 2
}

// ConversationRow is one line of the list of conversations, to stand in a List.
type ConversationRow struct {
	Href     string
	Name     string // of the person
	Preview  string // the last message's beginning
	At       time.Time
	Unread   int
	Channel  string // icon of where it came from: message-square, mail, …
	Assignee string
	Tags     []Tag
	Current  bool
	Attrs    templ.Attributes
}

// Voice is who speaks in a Bubble.
type Voice string

// The voices.
const (
	Theirs Voice = "theirs" // the person who writes to us
	Ours   Voice = "ours"   // an operator
	Note   Voice = "note"   // seen by the team alone
	Event  Voice = "event"  // what happened, between messages
)

// Mark is how far a message has got.
type Mark string

// The marks.
const (
	Sending   Mark = "sending"
	Sent      Mark = "sent"
	Delivered Mark = "delivered"
	Seen      Mark = "read"
	Unsent    Mark = "failed"
)

// Bubble is a message in a thread. Text is shown as it was written; nothing in it becomes HTML.
type Bubble struct {
	ID    string // of the element
	Voice Voice
	Name  string // who wrote it
	At    time.Time
	Text  string
	Mark  Mark            // under our own messages
	Files []File          //
	Group bool            // follows one of the same voice: no name again
	More  templ.Component // under the text
}

// File is an attachment.
type File struct {
	Name string
	Href string
	Size string // in words: 240 kB
	Icon string // file-text when empty
}

// Composer is where a reply is written. Scripts let Ctrl+Enter send it.
type Composer struct {
	Action string
	ID     string
	Note   bool            // starts as a private note
	Draft  string          // what was written so far
	Tools  templ.Component // more buttons at the left: canned replies, files
	Attrs  templ.Attributes
}

// Render draws the part.
func (c Columns) Render(ctx context.Context, w io.Writer) error { return columns(c).Render(ctx, w) }

// Render draws the part.
func (c ConversationRow) Render(ctx context.Context, w io.Writer) error {
	return conversationRow(c).Render(ctx, w)
}

// Render draws the part.
func (b Bubble) Render(ctx context.Context, w io.Writer) error { return bubble(b).Render(ctx, w) }

// Render draws the part.
func (c Composer) Render(ctx context.Context, w io.Writer) error { return composer(c).Render(ctx, w) }

// opened names the column that a phone shows.
func (c Columns) opened() string {
	return [...]string{"first", "second", "third"}[max(0, min(2, c.Open))]
}

func (m Mark) icon() string {
	switch m {
	case Sending:
		return "clock"
	case Unsent:
		return "circle-alert"
	}
	return "check"
}
