package inbox

import (
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/work/inbox/hours"
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

type (
	team     struct{}
	label    struct{}
	macro    struct{}
	schedule struct{}
)

func (team) Prefix() string     { return "tea" }
func (label) Prefix() string    { return "lbl" }
func (macro) Prefix() string    { return "mac" }
func (schedule) Prefix() string { return "ohs" }

type (
	// TeamID names a team.
	TeamID = ids.Of[team]
	// LabelID names a label.
	LabelID = ids.Of[label]
	// MacroID names a canned reply.
	MacroID = ids.Of[macro]
	// ScheduleID names a schedule of office hours.
	ScheduleID = ids.Of[schedule]
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

// Label is a word that the team puts on conversations.
type Label struct {
	ID        LabelID   `vault:"id,key"`
	Name      string    `vault:"name,tenant:tenant.content,lookup"`
	Hue       int       `vault:"hue,state"` // 0 (grey) to 8
	CreatedAt time.Time `vault:"created_at,state"`
}

// ConversationLabel says that a conversation carries a label.
type ConversationLabel struct {
	Conversation ids.Conversation `vault:"conversation,key"`
	Label        LabelID          `vault:"label,key"`
	Contact      ids.Contact      `vault:"contact,subject"`
}

// Team is a group of users that conversations can be assigned to.
type Team struct {
	ID        TeamID    `vault:"id,key"`
	Name      string    `vault:"name,tenant:tenant.content,lookup"`
	CreatedAt time.Time `vault:"created_at,state"`
}

// TeamMember says that a user belongs to a team.
type TeamMember struct {
	Team TeamID   `vault:"team,key"`
	User ids.User `vault:"account,key"`
}

// Macro is a reply written once and used often.
type Macro struct {
	ID        MacroID   `vault:"id,key"`
	Shortcut  string    `vault:"shortcut,tenant:tenant.content,lookup"` // typed after a slash
	Text      string    `vault:"words,tenant:tenant.content"`
	CreatedAt time.Time `vault:"created_at,state"`
}

// HoursRow is how a schedule of office hours is stored.
type HoursRow struct {
	ID        ScheduleID  `vault:"id,key"`
	Schedule  hours.Hours `vault:"schedule,tenant:tenant.settings"`
	ChangedAt time.Time   `vault:"changed_at,state"`
}

const year = 365 * 24 * time.Hour

// The tables.
var (
	answering          = vault.Purpose("answering people who write to us")
	organising         = vault.Purpose("organising the work of those who answer")
	Conversations      = vault.Define[Conversation]("conversations", answering, vault.KeepFor(year))
	Messages           = vault.Define[Line]("messages", answering, vault.KeepFor(year))
	Uploads            = vault.Define[Upload]("uploads", answering, vault.KeepWhile("as long as its message, or a day if no message came"))
	Labels             = vault.Define[Label]("labels", organising, vault.KeepWhile("until the tenant removes it"))
	ConversationLabels = vault.Define[ConversationLabel]("conversation_labels", organising, vault.KeepWhile("as long as the conversation"))
	Teams              = vault.Define[Team]("teams", organising, vault.KeepWhile("until the tenant removes it"))
	TeamMembers        = vault.Define[TeamMember]("team_members", organising, vault.KeepWhile("as long as the team"))
	Macros             = vault.Define[Macro]("macros", organising, vault.KeepWhile("until the tenant removes it"))
	OfficeHours        = vault.Define[HoursRow]("office_hours", vault.Purpose("saying when somebody answers"), vault.KeepWhile("until the tenant removes it"))
)

const (
	scopeRead  = "conversations:read"
	scopeWrite = "conversations:write"
)

var (
	staff   = vault.Roles(vault.Owner, vault.Administrator, vault.Operator)
	readers = vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO)
	chiefs  = vault.Roles(vault.Owner, vault.Administrator)
)

// What can be done. conversation_part_deletion is the field's usual word for a message taken out.
var (
	actReceive  = vault.Act("message.receive", vault.Visitors())
	actReply    = vault.Act("message.reply", staff, vault.Scope(scopeWrite))
	actNote     = vault.Act("note.write", staff, vault.Scope(scopeWrite))
	actRedact   = vault.Act("conversation_part_deletion", vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO), vault.Scope(scopeWrite))
	actLook     = vault.Act("conversation.look", readers, vault.Scope(scopeRead), vault.Visitors(), vault.System())
	actOpen     = vault.Act("conversation.read", readers, vault.Scope(scopeRead), vault.Reads())
	actList     = vault.Act("conversation.list", readers, vault.Scope(scopeRead))
	actMark     = vault.Act("conversation.mark_read", staff, vault.Scope(scopeWrite), vault.Visitors())
	actState    = vault.Act("conversation.set_state", staff, vault.Scope(scopeWrite), vault.System())
	actSnooze   = vault.Act("conversation.snooze", staff, vault.Scope(scopeWrite))
	actAssign   = vault.Act("conversation.assign", staff, vault.Scope(scopeWrite))
	actTag      = vault.Act("conversation.label", staff, vault.Scope(scopeWrite))
	actUpload   = vault.Act("attachment.upload", staff, vault.Scope(scopeWrite), vault.Visitors())
	actDownload = vault.Act("attachment.read", readers, vault.Scope(scopeRead), vault.Reads())
	actSweep    = vault.Act("attachment.sweep", vault.System())
	actSettings = vault.Act("inbox_settings.read", vault.Everyone(), vault.Scope(scopeRead), vault.System())
	actLabel    = vault.Act("label.write", staff, vault.Scope(scopeWrite))
	actMacro    = vault.Act("macro.write", staff, vault.Scope(scopeWrite))
	actTeam     = vault.Act("team.write", chiefs, vault.Scope(scopeWrite))
	actHours    = vault.Act("office_hours.write", chiefs, vault.Scope(scopeWrite))

	actions = []*vault.Action{actReceive, actReply, actNote, actRedact, actLook, actOpen, actList, actMark, actState, actSnooze, actAssign,
		actTag, actUpload, actDownload, actSweep, actSettings, actLabel, actMacro, actTeam, actHours}
)
