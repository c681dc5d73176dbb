package inbox

import (
	"cmp"
	"context"
	"errors"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/work/contacts/fields"
	"aver/work/inbox/wording"
)

// Incoming is what a visitor writes.
type Incoming struct {
	Conversation ids.Conversation // zero: the latest of the person's, or a new one
	ClientID     string           // a UUID of the client's making, best of version 7: sending again with the same one changes nothing
	Text         personal.Text
	Attachments  []ids.Object  // from Upload, each for one message
	ReplyTo      personal.Text // where the person wants an answer when away; empty says nothing
}

// Ack says that a message is durable.
type Ack struct {
	Conversation ids.Conversation
	Seq          int64
	Note         int64 // of a note
	At           time.Time
	Duplicate    bool // it was stored before, and only once
}

var (
	errNoConversation = errs.New(errs.NotFound, "There is no such conversation.")
	errGone           = errs.New(errs.Gone, "This person was erased and cannot be written about any more.")
	errTaken          = errors.New("the number or the client's identifier is taken")
)

// Receive takes a visitor's message. When it returns, the message is durable, in the log and on its way to those who
// look. It needs consent to the purpose support, and is refused to the blocked; a snoozed or closed conversation opens.
func (s *Service) Receive(ctx context.Context, visitor vault.Actor, in Incoming) (Ack, error) {
	client, err := parseClientID(in.ClientID)
	if err != nil {
		return Ack{}, err
	}
	text, err := cleanMessage(in.Text, in.Attachments)
	if err != nil {
		return Ack{}, err
	}
	d := draft{from: Visitor, client: client, text: text, attachments: in.Attachments, replyTo: in.ReplyTo}
	ack, err := s.append(ctx, visitor, actReceive, d, func(tx *vault.Tx) (Conversation, error) {
		allowed := s.mayWrite(tx, visitor.Subject())
		c, err := latest(tx, visitor.Subject(), in.Conversation)
		if err != nil {
			return c, err
		}
		return c, allowed()
	})
	if errs.Is(err, errs.ConsentRequired) || errs.Is(err, errs.NotFound) {
		return ack, s.ifErased(ctx, visitor, err)
	}
	return ack, err
}

// mayWrite refuses people who have not agreed to support, and those who are blocked, when it is asked for its answer.
func (s *Service) mayWrite(tx *vault.Tx, person ids.Contact) (allowed func() error) {
	welcome := s.people.WelcomeLater(tx, person)
	return func() error { return cmp.Or(tx.May(person), welcome()) }
}

func cleanMessage(t personal.Text, attachments []ids.Object) (personal.Text, error) {
	text, err := wording.Clean(t)
	switch {
	case err != nil:
		return text, err
	case len(attachments) > mostFiles:
		return text, errFiles
	case text.IsZero() && len(attachments) == 0:
		return text, errEmpty
	}
	return text, nil
}

// ifErased turns a refusal into errs.Gone for somebody whose rows are gone because the person was erased.
func (s *Service) ifErased(ctx context.Context, visitor vault.Actor, refusal error) error {
	has, err := s.vault.HasKey(ctx, visitor, visitor.Subject())
	if err == nil && !has {
		return errGone
	}
	return refusal
}

// latest is the conversation that the visitor names, or the newest, or one that is yet to be stored (its epoch is zero).
func latest(tx *vault.Tx, contact ids.Contact, named ids.Conversation) (Conversation, error) {
	if !named.IsZero() {
		return mine(tx, named)
	}
	found, err := Conversations.Find(tx, "contact = ? ORDER BY ordinal DESC LIMIT 1", contact)
	if err != nil || len(found) == 1 {
		return first(found), err
	}
	return Conversation{ID: ids.NewConversation(tx.Now()), Contact: contact, Ordinal: 1, Channel: WebChat, State: Open, CreatedAt: tx.Now()}, nil
}

func first[T any](all []T) T {
	if len(all) == 0 {
		return *new(T)
	}
	return all[0]
}

// mine reads a conversation that the actor may know of. Visitors are told of anybody else's what they are told of one
// that does not exist.
func mine(tx *vault.Tx, id ids.Conversation) (Conversation, error) {
	if id.IsZero() {
		return Conversation{}, errNoConversation
	}
	c, err := Conversations.Get(tx, id)
	if errs.Is(err, errs.NotFound) || err == nil && tx.Actor().Kind() == vault.AsPerson && tx.Actor().Subject() != c.Contact {
		return Conversation{}, errNoConversation
	}
	return c, err
}

// draft is a message on its way into a conversation.
type draft struct {
	from        Kind
	client      clientID
	text        personal.Text
	attachments []ids.Object
	replyTo     personal.Text
}

// tries is how often a message looks for a free number. Only writers of other processes can take it meanwhile.
const tries = 8

// append adds a message to the conversation that find returns.
func (s *Service) append(ctx context.Context, actor vault.Actor, action *vault.Action, d draft, find func(*vault.Tx) (Conversation, error)) (Ack, error) {
	for range tries {
		var l Line
		err := s.vault.Do(ctx, actor, action, func(tx *vault.Tx) error {
			c, err := find(tx)
			if err != nil {
				return err
			}
			l, err = s.add(tx, c, d)
			return err
		})
		if !errors.Is(err, errTaken) && !errs.Is(err, errs.Conflict) {
			return Ack{Conversation: l.Conversation, Seq: l.Seq, Note: l.Note, At: l.SentAt}, err
		}
		ack, err := s.stored(ctx, actor, l.Contact, d.client)
		if err != nil || ack.Duplicate {
			return ack, err
		}
	}
	return Ack{}, errs.New(errs.Unavailable, "This conversation is very busy. Nothing was sent; try again.")
}

var errUsed = errs.New(errs.Conflict, "This client_id was used for another message.", errs.Field{Field: "client_id", Code: "taken", Message: "Use a new UUID for every message."})

// stored looks for the message that the client has sent before.
func (s *Service) stored(ctx context.Context, actor vault.Actor, contact ids.Contact, client clientID) (Ack, error) {
	var found []Line
	err := s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) (err error) {
		found, err = Messages.Find(tx, "client_id = ?", client)
		return err
	})
	if err != nil || len(found) == 0 {
		return Ack{}, err
	}
	l := found[0]
	if l.Contact != contact {
		return Ack{}, errUsed
	}
	return Ack{Conversation: l.Conversation, Seq: l.Seq, Note: l.Note, At: l.SentAt, Duplicate: true}, nil
}

// add stores the message and what it changes about its conversation, and emits the news.
func (s *Service) add(tx *vault.Tx, c Conversation, d draft) (Line, error) {
	fresh, was := c.Epoch.IsZero(), c
	l := Line{Conversation: c.ID, Contact: c.Contact, From: d.from, Author: tx.Actor().User(), ClientID: d.client, Body: d.text, SentAt: tx.Now()}
	c.count(&l, tx.Actor())
	uploads, err := handedIn(tx, c.Contact, d.attachments)
	if err != nil {
		return l, err
	}
	if l.Files, err = packFiles(uploads); err != nil {
		return l, err
	}
	store := Messages.Append
	if len(uploads) > 0 {
		store = Messages.Add // whether they may be claimed is asked only of a message that is new
	}
	if err := store(tx, l); err != nil {
		return l, taken(err)
	}
	if err := claim(tx, l, uploads); err != nil {
		return l, err
	}
	if err := fields.Keep(tx, fields.Email, &c.ReplyTo, d.replyTo); err != nil {
		return l, err
	}
	if fresh {
		c.Epoch = ids.NewObject(tx.Now())
		tx.Emit(vault.Event{Kind: "conversation.created", Object: c.ID.String(), Subject: c.Contact}, nil)
		err = Conversations.Add(tx, c.settled())
	} else {
		err = c.change(tx, was)
	}
	if err != nil {
		return l, taken(err)
	}
	name, err := nameOf(tx, l.Author)
	if err != nil {
		return l, err
	}
	m, err := messageOf(l, name)
	if err != nil {
		return l, err
	}
	if was.State != c.State {
		tx.Emit(vault.Event{Kind: "conversation.updated", Object: c.ID.String(), Subject: c.Contact}, stateNews{c.told(tx, &err)})
	}
	kind := "message.created"
	if l.Note > 0 {
		kind = "note.created"
	}
	tx.Emit(vault.Event{Kind: kind, Object: c.ID.String(), Subject: c.Contact, N: l.Seq}, messageNews{c.told(tx, &err), m, l.From == Visitor && was.ContactUnread > 0 || l.From == Operator && was.Unread > 0})
	return l, taken(err)
}

func taken(err error) error {
	if errs.Is(err, errs.Conflict) {
		return errTaken
	}
	return err
}

// count gives the message its place in the conversation and notes what follows from it.
func (c *Conversation) count(l *Line, actor vault.Actor) {
	if l.From == Note {
		c.LastNote++
		l.Seq, l.Note = c.LastSeq, c.LastNote
		return
	}
	c.LastSeq++
	l.Seq = c.LastSeq
	c.LastAt, c.LastFrom, c.Preview = l.SentAt, l.From, wording.Preview(l.Body)
	c.State, c.SnoozedUntil = Open, time.Time{}
	if l.From == Visitor {
		c.Unread++
		c.ContactReadSeq, c.ContactUnread = l.Seq, 0 // who answers has read
		return
	}
	c.ContactUnread++
	c.ReadSeq, c.Unread = l.Seq, 0
	if c.Assignee.IsZero() {
		c.Assignee = actor.User()
	}
}

// settled brings the columns that follow from others up to date.
func (c Conversation) settled() Conversation {
	c.ActiveOn = c.LastAt.UTC().Truncate(24 * time.Hour)
	c.Waiting = c.State == Open && c.Unread > 0
	return c
}

// change stores the conversation, which was read in this transaction as it was.
func (c Conversation) change(tx *vault.Tx, was Conversation) error {
	return Conversations.Change(tx, was, c.settled())
}
