package inbox

import (
	"context"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
)

// Outgoing is what one of us writes.
type Outgoing struct {
	ClientID    string // as in Incoming; may be empty where nothing is sent twice
	Text        personal.Text
	Attachments []ids.Object
	Note        bool // for the team alone
}

// Reply answers in a conversation, or leaves a note in it. A reply opens the conversation and assigns it, if nobody has
// it, to who replies. A person who has withdrawn consent cannot be written to; notes are still possible.
func (s *Service) Reply(ctx context.Context, user vault.Actor, conv ids.Conversation, out Outgoing) (Ack, error) {
	d := draft{from: Operator, attachments: out.Attachments}
	action := actReply
	if out.Note {
		d.from, action = Note, actNote
	}
	var err error
	if out.ClientID != "" {
		if d.client, err = parseClientID(out.ClientID); err != nil {
			return Ack{}, err
		}
	}
	if d.text, err = cleanMessage(out.Text, out.Attachments); err != nil {
		return Ack{}, err
	}
	return s.append(ctx, user, action, d, func(tx *vault.Tx) (Conversation, error) {
		c, err := mine(tx, conv)
		if err != nil || out.Note {
			return c, err
		}
		return c, tx.May(c.Contact)
	})
}

// redacted counts a message that was taken out, so that a visitor who was away learns of it. Notes are none of theirs.
func (c *Conversation) redacted(tx *vault.Tx, l Line) error {
	if l.Note > 0 {
		return nil
	}
	was := *c
	c.Redactions++
	if l.Seq == c.LastSeq {
		c.Preview = personal.Text{}
	}
	return c.change(tx, was)
}

// Redact takes the words and the files out of a message, for good and for everybody. That it was there stays visible.
func (s *Service) Redact(ctx context.Context, actor vault.Actor, conv ids.Conversation, seq, note int64) error {
	return s.vault.Do(ctx, actor, actRedact, func(tx *vault.Tx) error {
		c, err := mine(tx, conv)
		if err != nil {
			return err
		}
		l, err := Messages.Get(tx, c.Contact, conv, seq, note)
		if errs.Is(err, errs.NotFound) {
			return errs.New(errs.NotFound, "There is no such message.")
		}
		if err != nil || !l.RedactedAt.IsZero() {
			return err
		}
		if err := dropFiles(tx, l); err != nil {
			return err
		}
		l.Body, l.Files, l.RedactedAt = personal.Text{}, personal.Bytes{}, tx.Now()
		if err := Messages.Put(tx, l); err != nil {
			return err
		}
		if err := c.redacted(tx, l); err != nil {
			return err
		}
		m, err := messageOf(l, personal.Text{})
		c.Preview = personal.Text{} // each console asks for the row: whoever may redact need not see the person
		tx.Emit(vault.Event{Kind: "message.redacted", Object: conv.String(), Subject: c.Contact, N: seq}, redactedNews{c, m, false})
		return err
	})
}
