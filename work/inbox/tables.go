package inbox

import (
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/inbox/desk"
)

// State says whether a conversation wants attention.
type State string

// The states.
const (
	Open    State = "open"
	Snoozed State = "snoozed" // until a time, or until the person writes again
	Closed  State = "closed"  // until the person writes again
)

// Kind is who speaks in a message.
type Kind string

// The kinds. A note is an operator's, for the team alone.
const (
	Visitor  Kind = "visitor"
	Operator Kind = "operator"
	System   Kind = "system"
	Note     Kind = "note"
)

// Channel is where a conversation takes place.
type Channel string

// WebChat is the widget on the tenant's site.
const WebChat Channel = "webchat"

// What is set up at the desk.
type (
	TeamID  = desk.TeamID
	LabelID = desk.LabelID
	MacroID = desk.MacroID
	Label   = desk.Label
	Macro   = desk.Macro
	Team    = desk.Team
	Staffed = desk.Staffed
)

// Conversation is an exchange with one person.
type Conversation struct {
	ID             ids.Conversation `vault:"id,key"`
	Contact        ids.Contact      `vault:"contact,subject"`
	Ordinal        int64            `vault:"ordinal,state"` // the person's how-manyth, from 1
	Channel        Channel          `vault:"channel,state"`
	State          State            `vault:"state,state"`
	Assignee       ids.User         `vault:"assignee,state"`
	Team           TeamID           `vault:"team,state"`
	Epoch          ids.Object       `vault:"epoch,state"`    // offsets of different epochs cannot be compared
	LastSeq        int64            `vault:"last_seq,state"` // of the last message, 0 if there is none
	LastNote       int64            `vault:"last_note,state"`
	LastFrom       Kind             `vault:"last_from,state"`
	LastAt         time.Time        `vault:"last_at,state"`
	ActiveOn       time.Time        `vault:"active_on,state,keep"`   // the day of LastAt, which needs no new place in indexes with every message
	Waiting        bool             `vault:"waiting,state"`          // open, with something unread
	Unread         int              `vault:"unread,state"`           // messages of the person that nobody has looked at
	ContactUnread  int              `vault:"contact_unread,state"`   // messages of ours that the person has not seen
	ReadSeq        int64            `vault:"read_seq,state"`         // how far we have read
	ContactReadSeq int64            `vault:"contact_read_seq,state"` // how far the person has read
	SnoozedUntil   time.Time        `vault:"snoozed_until,state"`
	Redactions     int64            `vault:"redactions,state"`                     // how many messages that both sides see were taken out
	Preview        personal.Text    `vault:"preview,personal:user.content"`        // how the last message begins
	ReplyTo        personal.Text    `vault:"reply_to,personal:user.contact.email"` // where the person wants an answer when away
	CreatedAt      time.Time        `vault:"created_at,state"`
}

// Line is a message as it is stored.
type Line struct {
	Contact      ids.Contact      `vault:"contact,key,subject"` // first, so that a person's messages lie together
	Conversation ids.Conversation `vault:"conversation,key"`
	Seq          int64            `vault:"seq,key"`
	Note         int64            `vault:"note,key"` // 0 for what both sides see; notes count from 1 and hang on Seq
	From         Kind             `vault:"sender,state"`
	Author       ids.User         `vault:"author,state"`
	ClientID     clientID         `vault:"client_id,state"` // zero for what no client sent
	Body         personal.Text    `vault:"body,personal:user.content,search"`
	Files        personal.Bytes   `vault:"files,personal:user.content"` // JSON, see file
	SentAt       time.Time        `vault:"sent_at,state,keep"`
	RedactedAt   time.Time        `vault:"redacted_at,state"` // its words were taken out
}

// Upload is a file that was handed in for a message.
type Upload struct {
	ID           ids.Object       `vault:"id,key"` // of the blob
	Contact      ids.Contact      `vault:"contact,subject"`
	ByPerson     bool             `vault:"by_person,state"` // handed in by the person, not by us
	Kind         string           `vault:"kind,state"`      // media type, as found out
	Picture      bool             `vault:"picture,state"`   // drawn anew by us: safe to show in a page
	Name         personal.Text    `vault:"name,personal:user.content"`
	Size         int64            `vault:"size,state"`
	Conversation ids.Conversation `vault:"conversation,state"` // zero until a message claims it
	Seq          int64            `vault:"seq,state"`
	Note         int64            `vault:"note,state"`
	At           time.Time        `vault:"uploaded_at,state"`
}

const year = 365 * 24 * time.Hour

// The tables. Those of the desk are in package desk.
var (
	answering     = vault.Purpose("answering people who write to us")
	Conversations = vault.Define[Conversation]("conversations", answering, vault.KeepFor(year))
	Messages      = vault.Define[Line]("messages", answering, vault.KeepFor(year))
	Uploads       = vault.Define[Upload]("uploads", answering, vault.KeepWhile("as long as its message, or a day if no message came"))
)

const (
	scopeRead  = "conversations:read"
	scopeWrite = "conversations:write"
)

var (
	staff   = vault.Roles(vault.Owner, vault.Administrator, vault.Operator)
	readers = vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO)
)

// What can be done. conversation_part_deletion is the field's usual word for a message taken out.
var (
	actReceive  = vault.Act("message.receive", purpose.Support, vault.Visitors())
	actReply    = vault.Act("message.reply", purpose.Support, staff, vault.Scope(scopeWrite))
	actNote     = vault.Act("note.write", purpose.Desk, staff, vault.Scope(scopeWrite))
	actRedact   = vault.Act("conversation_part_deletion", purpose.Storage, vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO), vault.Scope(scopeWrite))
	actLook     = vault.Act("conversation.look", purpose.Desk, readers, vault.Scope(scopeRead), vault.Visitors(), vault.System())
	actOpen     = vault.Act("conversation.read", purpose.Support, readers, vault.Scope(scopeRead), vault.Reads())
	actList     = vault.Act("conversation.list", purpose.Support, readers, vault.Scope(scopeRead))
	actSearch   = vault.Act("conversation.search", purpose.Support, readers, vault.Scope(scopeRead), vault.Reads()) // about many people, and it shows what they wrote
	actMark     = vault.Act("conversation.mark_read", purpose.Desk, staff, vault.Scope(scopeWrite), vault.Visitors())
	actState    = vault.Act("conversation.set_state", purpose.Desk, staff, vault.Scope(scopeWrite))
	actWake     = vault.Act("conversation.wake", purpose.Desk, vault.System(), vault.Bound())
	actSnooze   = vault.Act("conversation.snooze", purpose.Desk, staff, vault.Scope(scopeWrite))
	actAssign   = vault.Act("conversation.assign", purpose.Desk, staff, vault.Scope(scopeWrite))
	actTag      = vault.Act("conversation.label", purpose.Desk, staff, vault.Scope(scopeWrite))
	actUpload   = vault.Act("attachment.upload", purpose.Support, staff, vault.Scope(scopeWrite), vault.Visitors())
	actDownload = vault.Act("attachment.read", purpose.Support, readers, vault.Scope(scopeRead), vault.Reads())
	actSweep    = vault.Act("attachment.sweep", purpose.Storage, vault.System())

	actions = []*vault.Action{actReceive, actReply, actNote, actRedact, actLook, actOpen, actList, actSearch, actMark, actState, actWake, actSnooze, actAssign,
		actTag, actUpload, actDownload, actSweep}
)
