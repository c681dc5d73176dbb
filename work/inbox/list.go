package inbox

import (
	"context"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/request"
	"aver/trust/consent"
	"aver/trust/restriction"
	"aver/vault"
	"aver/work/contacts"
	"aver/work/inbox/desk"
	"aver/work/inbox/wording"
)

// Cursor is a place in a list of conversations.
type Cursor = request.Cursor[ids.Conversation]

// Filter says which conversations are wanted. The zero Filter is all open ones.
type Filter struct {
	State      State // empty: Open
	Assignee   ids.User
	Unassigned bool
	Team       TeamID
	Label      LabelID
	After      Cursor
	Limit      int // 50 if 0; 50 at most
}

// Row is a conversation in a list.
type Row struct {
	Conversation
	Person   contacts.Brief
	Assigned personal.Text // the assignee's name
	Labels   []Label
}

// pageSize is how many rows a list has at most. Batches of placeholders in tails are as long.
const pageSize = 50

// batch is that many placeholders.
var batch = "(?" + strings.Repeat(", ?", pageSize-1) + ")"

// List reads conversations, those with the latest message first, and where the list goes on (zero: nowhere).
func (s *Service) List(ctx context.Context, actor vault.Actor, f Filter) (rows []Row, next Cursor, err error) {
	tail, args := f.tail()
	limit := pageSize
	if f.Limit > 0 && f.Limit < pageSize {
		limit = f.Limit
	}
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		found, err := Conversations.Find(tx, tail, append(args, limit+1)...)
		if err != nil {
			return err
		}
		found, next = request.Cut(found, limit, func(c Conversation) Cursor { return Cursor{At: c.LastAt, ID: c.ID} })
		rows, err = s.rows(tx, found)
		return err
	})
	return rows, next, err
}

// tail is the filter as SQL, put together of constant parts.
func (f Filter) tail() (string, []any) {
	if f.State == "" {
		f.State = Open
	}
	where, args := "state = ?", []any{f.State}
	after, order := " AND active_on <= ? AND (last_at, id) < (?, ?)", " ORDER BY last_at DESC, id DESC LIMIT ?"
	if f.Unassigned || !f.Assignee.IsZero() || !f.Team.IsZero() {
		// The same order, as these indexes have it; the sum keeps the database from preferring the index over all states.
		after, order = " AND active_on <= ? AND (last_at + 0, id) < (?, ?)", " ORDER BY active_on DESC, last_at DESC, id DESC LIMIT ?"
	}
	if f.Unassigned {
		where += " AND assignee IS NULL"
		order = " ORDER BY assignee DESC, active_on DESC, last_at DESC, id DESC LIMIT ?" // PostgreSQL wants to be told
	} else if !f.Assignee.IsZero() {
		where += " AND assignee = ?"
		args = append(args, f.Assignee)
	}
	if !f.Team.IsZero() {
		where += " AND team = ?"
		args = append(args, f.Team)
	}
	if !f.Label.IsZero() {
		where += " AND id IN (SELECT conversation FROM conversation_labels WHERE label = ?)"
		args = append(args, f.Label)
	}
	if !f.After.IsZero() {
		where += after
		args = append(args, f.After.At, f.After.At, f.After.ID)
	}
	return where + order, args
}

// Known tells whether a state is one.
func (s State) Known() bool { return s == Open || s == Snoozed || s == Closed }

// rows adds to conversations what lists show beside them.
func (s *Service) rows(tx *vault.Tx, found []Conversation) ([]Row, error) {
	people := make([]ids.Contact, 0, len(found))
	for _, c := range found {
		people = append(people, c.Contact)
	}
	briefs, err := s.people.Briefs(tx, people)
	if err != nil {
		return nil, err
	}
	labels, err := labelsOf(tx, found)
	if err != nil {
		return nil, err
	}
	names := map[ids.User]personal.Text{}
	rows := make([]Row, 0, len(found))
	for _, c := range found {
		name, known := names[c.Assignee]
		if !known {
			if name, err = nameOf(tx, c.Assignee); err != nil {
				return nil, err
			}
			names[c.Assignee] = name
		}
		rows = append(rows, Row{Conversation: c, Person: briefs[c.Contact], Assigned: name, Labels: labels[c.ID]})
	}
	return rows, nil
}

// labelsOf reads the labels of at most a page of conversations.
func labelsOf(tx *vault.Tx, found []Conversation) (map[ids.Conversation][]Label, error) {
	if len(found) == 0 {
		return nil, nil
	}
	args := make([]any, pageSize)
	for i := range args {
		args[i] = found[min(i, len(found)-1)].ID
	}
	worn, err := desk.ConversationLabels.Find(tx, "conversation IN "+batch+" ORDER BY conversation, label LIMIT 1000", args...)
	if err != nil || len(worn) == 0 {
		return nil, err
	}
	all, err := desk.Labels.Find(tx, "ORDER BY id LIMIT 500")
	if err != nil {
		return nil, err
	}
	byID := map[LabelID]Label{}
	for _, l := range all {
		byID[l.ID] = l
	}
	out := map[ids.Conversation][]Label{}
	for _, w := range worn {
		if l, known := byID[w.Label]; known {
			out[w.Conversation] = append(out[w.Conversation], l)
		}
	}
	return out, nil
}

// Row reads one conversation as lists show it.
func (s *Service) Row(ctx context.Context, actor vault.Actor, id ids.Conversation) (row Row, err error) {
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		c, err := mine(tx, id)
		if err != nil {
			return err
		}
		rows, err := s.rows(tx, []Conversation{c})
		row = first(rows)
		return err
	})
	return row, err
}

// Search finds conversations by the words of their messages and notes, at most a page of them: those with the newest
// hit first. All words must occur in one message, and the last may be a beginning. The journal says that somebody searched.
func (s *Service) Search(ctx context.Context, actor vault.Actor, words string) (rows []Row, err error) {
	if len(words) > 500 {
		return nil, errs.New(errs.Invalid, "Search for fewer words.", errs.Field{Field: "q", Code: "too-long", Message: "Search for fewer words."})
	}
	err = s.vault.View(ctx, actor, actSearch, func(tx *vault.Tx) error {
		hits, err := Messages.Search(tx, words, 200)
		if err != nil {
			return err
		}
		var found []Conversation
		seen := map[ids.Conversation]bool{}
		for _, hit := range hits {
			if seen[hit.Conversation] || len(found) == pageSize {
				continue
			}
			seen[hit.Conversation] = true
			c, err := mine(tx, hit.Conversation)
			if err != nil {
				return err
			}
			c.Preview = wording.Preview(hit.Body) // what was looked for
			found = append(found, c)
		}
		rows, err = s.rows(tx, found)
		return err
	})
	return rows, err
}

// Counts tells how many open conversations have something unread, by view.
type Counts struct {
	All, Mine, Unassigned int
}

// Counts counts what waits for the actor.
func (s *Service) Counts(ctx context.Context, actor vault.Actor) (n Counts, err error) {
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		if n.All, err = Conversations.Count(tx, "waiting = ?", true); err != nil {
			return err
		}
		if n.Mine, err = Conversations.Count(tx, "waiting = ? AND assignee = ?", true, actor.User()); err != nil {
			return err
		}
		n.Unassigned, err = Conversations.Count(tx, "waiting = ? AND assignee IS NULL", true)
		return err
	})
	return n, err
}

// Thread is all that is shown about an open conversation.
type Thread struct {
	Row
	Messages []Message
	More     bool // there are earlier messages
	Others   []Conversation
	Consents []consent.State
	Limits   []restriction.Limit // what the person has closed
}

// Open reads a conversation for somebody who answers; the journal says who looked at whose.
func (s *Service) Open(ctx context.Context, actor vault.Actor, id ids.Conversation, before int64) (t Thread, err error) {
	err = s.vault.View(ctx, actor, actOpen, func(tx *vault.Tx) error {
		c, err := mine(tx, id)
		if err != nil {
			return err
		}
		tx.About(c.Contact)
		rows, err := s.rows(tx, []Conversation{c})
		if err != nil {
			return err
		}
		t = Thread{Row: first(rows)}
		if t.Messages, t.More, err = history(tx, c, before, pageSize); err != nil {
			return err
		}
		if t.Others, err = conversationsOf(tx, c.Contact); err != nil {
			return err
		}
		if t.Limits, err = restriction.Of(tx, c.Contact); err == nil {
			t.Consents, err = consent.Of(tx, c.Contact)
		}
		return err
	})
	return t, err
}
