package inbox

import (
	"cmp"
	"context"
	"slices"

	"aver/base/ids"
	"aver/vault"
)

// visitors see what both sides see; others see the notes, too.
func seesNotes(actor vault.Actor) bool { return actor.Kind() != vault.AsPerson }

// reading is the action by which messages are read: by anybody but the person, the journal says who looked at whose.
func reading(actor vault.Actor) *vault.Action {
	if actor.Kind() == vault.AsPerson {
		return actLook
	}
	return actOpen
}

// History reads back from a message: those before seq (0: from the last one on), at most limit of them and fewer if they
// are long, in rising order; more tells whether there are earlier ones. Notes come with the message they hang on.
func (s *Service) History(ctx context.Context, actor vault.Actor, conv ids.Conversation, before int64, limit int) (list []Message, more bool, err error) {
	err = s.vault.View(ctx, actor, reading(actor), func(tx *vault.Tx) error {
		c, err := mine(tx, conv)
		if err != nil {
			return err
		}
		tx.About(c.Contact)
		list, more, err = history(tx, c, before, limit)
		return err
	})
	return list, more, err
}

// mostLines bounds a read whatever is asked for.
const mostLines = 1000

func history(tx *vault.Tx, c Conversation, before int64, limit int) ([]Message, bool, error) {
	if before <= 0 || before > c.LastSeq {
		before = c.LastSeq + 1
	}
	from := before - int64(max(1, min(limit, 200))) // numbers have no gaps
	tail := "contact = ? AND conversation = ? AND seq >= ? AND seq < ? AND note = 0 ORDER BY seq LIMIT ?"
	if seesNotes(tx.Actor()) {
		tail = "contact = ? AND conversation = ? AND seq >= ? AND seq < ? ORDER BY seq, note LIMIT ?"
	}
	if from <= 1 {
		from = 0 // notes may be older than the first message
	}
	lines, err := Messages.Find(tx, tail, c.Contact, c.ID, from, before, mostLines)
	if err != nil {
		return nil, false, err
	}
	list, err := messagesOf(tx, lines)
	if err != nil {
		return nil, false, err
	}
	if cut := fitting(list); cut > 0 {
		return list[cut:], true, nil
	}
	older, err := Messages.Find(tx, "contact = ? AND conversation = ? AND seq < ? ORDER BY seq DESC LIMIT 1", c.Contact, c.ID, from)
	return list, len(older) > 0, err
}

// fitting tells where the messages begin that fit into a frame together, a message never parted from its notes.
func fitting(list []Message) int {
	size, cut := 0, len(list)
	for i, m := range slices.Backward(list) {
		size += m.size()
		if size > mostBytes && cut < len(list) {
			return cut
		}
		if i == 0 || list[i-1].Seq != m.Seq {
			cut = i
		}
	}
	return 0
}

// mostMissed is how many messages a client that was away is told at once. One that missed more reads the history.
const mostMissed = 200

// Since reads every message after an offset. Never a part of them: recovered is false, and there are none, when the
// epoch is another or more was missed than fits, and the client reads History instead. Whoever asks goes on listening, so
// the journal has an entry even if nothing was missed.
func (s *Service) Since(ctx context.Context, actor vault.Actor, conv ids.Conversation, epoch string, offset int64) (missed []Message, recovered bool, err error) {
	err = s.vault.View(ctx, actor, reading(actor), func(tx *vault.Tx) error {
		missed, recovered = nil, false
		c, err := mine(tx, conv)
		tx.About(c.Contact)
		if err != nil || epoch != c.Epoch.String() || offset < 0 || offset > c.LastSeq || c.LastSeq-offset > mostMissed {
			return err
		}
		lines, err := Messages.Find(tx, "contact = ? AND conversation = ? AND seq > ? AND note = 0 ORDER BY seq LIMIT ?", c.Contact, conv, offset, mostMissed+1)
		if err != nil || int64(len(lines)) != c.LastSeq-offset {
			return err
		}
		list, err := messagesOf(tx, lines)
		if err == nil && fitting(list) == 0 {
			missed, recovered = list, true
		}
		return err
	})
	return missed, recovered, err
}

// Conversation reads how a conversation stands.
func (s *Service) Conversation(ctx context.Context, actor vault.Actor, conv ids.Conversation) (c Conversation, err error) {
	err = s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		c, err = mine(tx, conv)
		return err
	})
	return c, err
}

// Of lists a person's conversations, newest first. A visitor is given their own whoever they ask for.
func (s *Service) Of(ctx context.Context, actor vault.Actor, contact ids.Contact) (list []Conversation, err error) {
	if actor.Kind() == vault.AsPerson {
		contact = actor.Subject()
	}
	err = s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		list, err = conversationsOf(tx, contact)
		return err
	})
	return list, err
}

func conversationsOf(tx *vault.Tx, contact ids.Contact) ([]Conversation, error) {
	return Conversations.Find(tx, "contact = ? ORDER BY ordinal DESC LIMIT 20", contact)
}

// MarkRead notes that everything up to a message was seen, by the visitor or by one of us. It never goes back.
func (s *Service) MarkRead(ctx context.Context, actor vault.Actor, conv ids.Conversation, seq int64) error {
	fresh := false // reading the same again leaves no trace
	err := s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		c, err := mine(tx, conv)
		fresh = err == nil && c.marks(actor, seq)
		return err
	})
	if err != nil || !fresh {
		return err
	}
	return s.vault.Do(ctx, actor, actMark, func(tx *vault.Tx) error {
		c, err := mine(tx, conv)
		if err != nil || !c.marks(actor, seq) {
			return err
		}
		was, seq := c, min(seq, c.LastSeq)
		by, left, mark := Visitor, &c.Unread, &c.ReadSeq
		if actor.Kind() == vault.AsPerson {
			by, left, mark = Operator, &c.ContactUnread, &c.ContactReadSeq
		}
		*mark = seq
		if *left, err = unreadAfter(tx, c, seq, by); err != nil {
			return err
		}
		tx.Emit(vault.Event{Kind: "conversation.read", Object: conv.String(), Subject: c.Contact, N: seq}, readNews{c.told(tx, &err), actor.Kind() == vault.AsPerson, seq})
		return cmp.Or(err, c.change(tx, was))
	})
}

// marks tells whether the mark would move.
func (c Conversation) marks(actor vault.Actor, seq int64) bool {
	if actor.Kind() == vault.AsPerson {
		return min(seq, c.LastSeq) > c.ContactReadSeq
	}
	return min(seq, c.LastSeq) > c.ReadSeq
}

// unreadAfter counts the messages of one side after a number.
func unreadAfter(tx *vault.Tx, c Conversation, seq int64, by Kind) (int, error) {
	if seq == c.LastSeq {
		return 0, nil
	}
	return Messages.Count(tx, "contact = ? AND conversation = ? AND seq > ? AND note = 0 AND sender = ?", c.Contact, c.ID, seq, by)
}
