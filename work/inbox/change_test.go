package inbox_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

func TestASnoozedConversationComesBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "hello").Conversation
		state := func() inbox.State {
			c, err := h.inbox.Conversation(t.Context(), h.operator, conv)
			must(t, err)
			return c.State
		}
		soon, later := vaulttest.Start.Add(time.Hour), vaulttest.Start.Add(3*time.Hour)
		must(t, h.inbox.Snooze(t.Context(), h.operator, conv, soon, 0))
		must(t, h.inbox.Snooze(t.Context(), h.operator, conv, later, 0))
		if want := "conversation.wake " + conv.String() + " 2026-11-22T12:00:00Z"; len(h.queue.due) != 2 || h.queue.due[1] != want {
			t.Errorf("due: %q", h.queue.due)
		}
		wake := func() { must(t, inbox.Wake(h.inbox, t.Context(), jobs.Job{Tenant: h.Tenant, ID: conv.String()})) }
		h.Clock.Advance(time.Hour)
		if wake(); state() != inbox.Snoozed {
			t.Error("the first job woke it, although it was snoozed again")
		}
		if len(h.queue.due) != 3 || h.queue.due[2] != h.queue.due[1] {
			t.Errorf("the first job does not come back later: %q", h.queue.due)
		}
		h.Clock.Advance(2 * time.Hour)
		if wake(); state() != inbox.Open {
			t.Errorf("after its time it is %s", state())
		}
		must(t, h.inbox.Snooze(t.Context(), h.operator, conv, later.Add(time.Hour), 0))
		if h.receive(t, visitor, "still waiting"); state() != inbox.Open {
			t.Errorf("after a message it is %s", state())
		}
		refused(t, "a time that has passed", h.inbox.Snooze(t.Context(), h.operator, conv, soon, 0), errs.Invalid)
		refused(t, "a time too far", h.inbox.Snooze(t.Context(), h.operator, conv, soon.AddDate(2, 0, 0), 0), errs.Invalid)
		must(t, inbox.Wake(h.inbox, t.Context(), jobs.Job{Tenant: h.Tenant, ID: ids.NewConversation(soon).String()}))
	})
}

// Its words are in the news to the consoles, so it is no use of a restricted person's data that may go on by itself.
func TestASnoozedConversationOfSomebodyRestrictedComesBackWhenTheRestrictionEnds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "hello").Conversation
		must(t, h.inbox.Snooze(t.Context(), h.operator, conv, vaulttest.Start.Add(time.Hour), 0))
		say := func(change func(*vault.Tx) error) {
			must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), vault.Act("test.restrict", purpose.Storage, vault.System()), change))
		}
		opened := func() bool {
			open := false
			say(func(tx *vault.Tx) error {
				c, err := inbox.Conversations.Get(tx, conv)
				open = c.State == inbox.Open
				return err
			})
			return open
		}
		say(func(tx *vault.Tx) error {
			_, err := vault.Standings.DeleteWhere(tx, "person = ?", visitor.Subject())
			return errors.Join(err, vault.Standings.Put(tx, vault.Standing{Person: visitor.Subject(), Kind: purpose.Restrict, Purpose: purpose.All, Since: tx.Now()}))
		})
		h.Clock.Advance(2 * time.Hour)
		must(t, inbox.Wake(h.inbox, t.Context(), jobs.Job{Tenant: h.Tenant, ID: conv.String()}))
		must(t, h.inbox.WakeOverdue(t.Context()))
		if opened() {
			t.Error("it came back while its person is restricted")
		}
		say(func(tx *vault.Tx) error {
			_, err := vault.Standings.DeleteWhere(tx, "person = ? AND kind = ?", visitor.Subject(), purpose.Restrict)
			return err
		})
		if must(t, h.inbox.WakeOverdue(t.Context())); !opened() {
			t.Error("it did not come back afterwards")
		}
	})
}

func TestWhatShouldHaveComeBackComesWithoutItsJob(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		states := map[ids.Conversation]inbox.State{}
		for hours, state := range map[int]inbox.State{1: inbox.Open, 2: inbox.Open, 3: inbox.Snoozed} {
			conv := h.receive(t, h.visitor(t, h.Tenant), "hello").Conversation
			must(t, h.inbox.Snooze(t.Context(), h.operator, conv, vaulttest.Start.Add(time.Duration(hours)*time.Hour), 0))
			states[conv] = state
		}
		h.Clock.Advance(2 * time.Hour)
		must(t, h.inbox.WakeOverdue(t.Context()))
		for conv, want := range states {
			c, err := h.inbox.Conversation(t.Context(), h.operator, conv)
			must(t, err)
			if c.State != want {
				t.Errorf("snoozed until %v it is %s", c.SnoozedUntil, c.State)
			}
		}
	})
}

func TestWhatNobodySawIsNotPutAway(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "thanks, that is all").Conversation
		h.receive(t, visitor, "no, wait")
		later := vaulttest.Start.Add(time.Hour)
		refused(t, "closed", h.inbox.SetState(t.Context(), h.operator, conv, inbox.Closed, 1), errs.Conflict)
		refused(t, "snoozed", h.inbox.Snooze(t.Context(), h.operator, conv, later, 1), errs.Conflict)
		c, err := h.inbox.Conversation(t.Context(), h.operator, conv)
		must(t, err)
		if c.State != inbox.Open || c.Unread != 2 {
			t.Errorf("it is %s with %d unread", c.State, c.Unread)
		}
		must(t, h.inbox.Snooze(t.Context(), h.operator, conv, later, 2))
		must(t, h.inbox.SetState(t.Context(), h.operator, conv, inbox.Open, 1))
		must(t, h.inbox.SetState(t.Context(), h.operator, conv, inbox.Closed, 2))
	})
}

func TestAnAssignmentChangesWhatItNamesUnlessSomebodyWasQuicker(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		other, nobody := h.user(t, h.Tenant, "Ben Okafor", vault.Operator).User(), ids.User{}
		team, err := h.inbox.SaveTeam(t.Context(), vaulttest.User(h.Tenant, vault.Owner), inbox.Staffed{Team: inbox.Team{Name: "Sales"}})
		must(t, err)
		conv := h.receive(t, h.visitor(t, h.Tenant), "hello").Conversation
		self := h.operator.User()
		for _, step := range []struct {
			change   inbox.Assignment
			user     ids.User
			team     inbox.TeamID
			conflict bool
		}{
			{inbox.Assignment{User: &other, From: &nobody}, other, inbox.TeamID{}, false},
			{inbox.Assignment{User: &self, From: &nobody}, other, inbox.TeamID{}, true},
			{inbox.Assignment{Team: &team.ID}, other, team.ID, false},
			{inbox.Assignment{User: &self, From: &other}, self, team.ID, false},
			{inbox.Assignment{User: &self, From: &nobody}, self, team.ID, false}, // it is so already
			{inbox.Assignment{Team: new(inbox.TeamID{})}, self, inbox.TeamID{}, false},
			{inbox.Assignment{User: &nobody}, nobody, inbox.TeamID{}, false},
		} {
			if err := h.inbox.Assign(t.Context(), h.operator, conv, step.change); errs.Is(err, errs.Conflict) != step.conflict || err != nil && !step.conflict {
				t.Errorf("%+v: %v", step, err)
			}
			c, err := h.inbox.Conversation(t.Context(), h.operator, conv)
			must(t, err)
			if c.Assignee != step.user || c.Team != step.team {
				t.Errorf("after %+v it is %v's and of %v", step, c.Assignee, c.Team)
			}
		}
	})
}

func TestAMessageTakenOutIsGoneForEverybody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		f, err := h.inbox.Upload(t.Context(), visitor, visitor.Subject(), personal.Of("a.txt"), strings.NewReader("secret"))
		must(t, err)
		ack, err := h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: clientID(), Text: personal.Of("secret"), Attachments: []ids.Object{f.ID}})
		must(t, err)
		must(t, h.inbox.Redact(t.Context(), h.operator, ack.Conversation, 1, 0))
		must(t, h.inbox.Redact(t.Context(), h.operator, ack.Conversation, 1, 0))
		list, _, err := h.inbox.History(t.Context(), visitor, ack.Conversation, 0, 10)
		must(t, err)
		if len(list) != 1 || !list[0].Redacted || !list[0].Text.IsZero() || len(list[0].Files) != 0 {
			t.Errorf("left: %+v", list)
		}
		_, _, err = h.inbox.Attachment(t.Context(), h.operator, f.ID)
		refused(t, "its file", err, errs.NotFound)
		c, err := h.inbox.Conversation(t.Context(), h.operator, ack.Conversation)
		must(t, err)
		if !c.Preview.IsZero() {
			t.Errorf("preview %q", c.Preview.Reveal())
		}
		refused(t, "a message that is not there", h.inbox.Redact(t.Context(), h.operator, ack.Conversation, 2, 0), errs.NotFound)
	})
}

func TestAttachmentsBelongToOneMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		up := func(actor vault.Actor, name string) ids.Object {
			h.Clock.Advance(time.Second)
			f, err := h.inbox.Upload(t.Context(), actor, visitor.Subject(), personal.Of(name), strings.NewReader("words of "+name))
			must(t, err)
			return f.ID
		}
		a := up(visitor, "a.txt")
		client := clientID()
		in := inbox.Incoming{ClientID: client, Attachments: []ids.Object{a}}
		ack, err := h.inbox.Receive(t.Context(), visitor, in)
		must(t, err)
		if again, err := h.inbox.Receive(t.Context(), visitor, in); err != nil || !again.Duplicate || again.Seq != ack.Seq {
			t.Errorf("sent again: %+v, %v", again, err)
		}
		in.ClientID = clientID()
		_, err = h.inbox.Receive(t.Context(), visitor, in)
		refused(t, "used twice", err, errs.NotFound)
		b := up(visitor, "b.txt")
		_, err = h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: clientID(), Attachments: []ids.Object{b, b}})
		refused(t, "twice in one", err, errs.NotFound)
		_, err = h.inbox.Reply(t.Context(), h.operator, ack.Conversation, inbox.Outgoing{Attachments: []ids.Object{b}})
		refused(t, "the visitor's by us", err, errs.NotFound)

		ours, hidden := up(h.operator, "c.txt"), up(h.operator, "d.txt")
		_, _, err = h.inbox.Attachment(t.Context(), visitor, ours)
		refused(t, "ours before it is sent", err, errs.NotFound)
		_, err = h.inbox.Reply(t.Context(), h.operator, ack.Conversation, inbox.Outgoing{Text: personal.Of("here"), Attachments: []ids.Object{ours}})
		must(t, err)
		_, err = h.inbox.Reply(t.Context(), h.operator, ack.Conversation, inbox.Outgoing{Note: true, Attachments: []ids.Object{hidden}})
		must(t, err)
		f, content, err := h.inbox.Attachment(t.Context(), visitor, ours)
		must(t, err)
		text, err := io.ReadAll(content)
		if string(text) != "words of c.txt" || f.Name.Reveal() != "c.txt" || f.Kind != "text/plain" || err != nil {
			t.Errorf("read %q of %+v, %v", text, f, err)
		}
		_, _, err = h.inbox.Attachment(t.Context(), visitor, hidden)
		refused(t, "a note's file", err, errs.NotFound)
		if _, _, err := h.inbox.Attachment(t.Context(), h.operator, hidden); err != nil {
			t.Errorf("a note's file for us: %v", err)
		}
		h.Clock.Advance(25 * time.Hour)
		_, err = h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: clientID(), Attachments: []ids.Object{b}})
		refused(t, "a day later", err, errs.NotFound)
		must(t, h.inbox.SweepUploads(t.Context()))
		_, _, err = h.inbox.Attachment(t.Context(), visitor, b)
		refused(t, "swept", err, errs.NotFound)
		if _, _, err := h.inbox.Attachment(t.Context(), visitor, a); err != nil {
			t.Errorf("one that was sent: %v", err)
		}
		must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), actSeed, func(tx *vault.Tx) error {
			_, err := inbox.Messages.DeleteWhere(tx, "seq = 1")
			return err
		}))
		must(t, h.inbox.SweepUploads(t.Context()))
		_, _, err = h.inbox.Attachment(t.Context(), h.operator, a)
		refused(t, "of a message that is gone", err, errs.NotFound)
	})
}

func TestSettingsAreCheckedAndUnique(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, owner := t.Context(), vaulttest.User(h.Tenant, vault.Owner)
		l, err := h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: "  VIP  guest ", Hue: 3})
		must(t, err)
		_, err = h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: "vip guest"})
		refused(t, "a second of the name", err, errs.Conflict)
		_, err = h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: strings.Repeat("x", 61)})
		refused(t, "a long name", err, errs.Invalid)
		_, err = h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: "x", Hue: 9})
		refused(t, "a colour", err, errs.Invalid)
		_, err = h.inbox.SaveLabel(ctx, h.operator, inbox.Label{ID: inbox.LabelID{1}, Name: "x"})
		refused(t, "an absent one", err, errs.NotFound)
		l.Name = "Guest"
		_, err = h.inbox.SaveLabel(ctx, h.operator, l)
		must(t, err)
		labels, err := h.inbox.Labels(ctx, h.operator)
		must(t, err)
		if len(labels) != 1 || labels[0].Name != "Guest" || labels[0].Hue != 3 || !labels[0].CreatedAt.Equal(vaulttest.Start) {
			t.Errorf("labels %+v", labels)
		}
		conv := h.receive(t, h.visitor(t, h.Tenant), "hello").Conversation
		must(t, h.inbox.SetLabel(ctx, h.operator, conv, l.ID, true))
		must(t, h.inbox.DeleteLabel(ctx, h.operator, l.ID))
		row, err := h.inbox.Row(ctx, h.operator, conv)
		must(t, err)
		if len(row.Labels) != 0 {
			t.Errorf("still worn: %v", row.Labels)
		}
		refused(t, "a label that is gone", h.inbox.SetLabel(ctx, h.operator, conv, l.ID, true), errs.NotFound)

		m, err := h.inbox.SaveMacro(ctx, h.operator, inbox.Macro{Shortcut: "/Hours", Text: "We answer from 9 to 17."})
		must(t, err)
		if m.Shortcut != "hours" || m.ID.IsZero() {
			t.Errorf("macro %+v", m)
		}
		_, err = h.inbox.SaveMacro(ctx, h.operator, inbox.Macro{Shortcut: "HOURS", Text: "x"})
		refused(t, "a second of the shortcut", err, errs.Conflict)
		_, err = h.inbox.SaveMacro(ctx, h.operator, inbox.Macro{Shortcut: "two words", Text: "x"})
		refused(t, "two words", err, errs.Invalid)
		must(t, h.inbox.DeleteMacro(ctx, h.operator, m.ID))
		refused(t, "deleted twice", h.inbox.DeleteMacro(ctx, h.operator, m.ID), errs.NotFound)

		_, err = h.inbox.SaveTeam(ctx, h.operator, inbox.Staffed{Team: inbox.Team{Name: "Sales"}})
		refused(t, "a team by an operator", err, errs.Forbidden)
		_, err = h.inbox.SaveTeam(ctx, owner, inbox.Staffed{Team: inbox.Team{Name: "Sales"}, Members: []ids.User{ids.NewUser(vaulttest.Start)}})
		refused(t, "a member who is nobody", err, errs.NotFound)
		team, err := h.inbox.SaveTeam(ctx, owner, inbox.Staffed{Team: inbox.Team{Name: "Sales"}, Members: []ids.User{h.operator.User(), h.operator.User()}})
		must(t, err)
		teams, err := h.inbox.Teams(ctx, h.operator)
		must(t, err)
		if len(teams) != 1 || len(teams[0].Members) != 1 || teams[0].Name != "Sales" {
			t.Errorf("teams %+v", teams)
		}
		refused(t, "a user of no account", h.inbox.Assign(ctx, h.operator, conv, assigned(ids.NewUser(vaulttest.Start), team.ID)), errs.NotFound)
		must(t, h.inbox.Assign(ctx, h.operator, conv, assigned(ids.User{}, team.ID)))
		must(t, h.inbox.DeleteTeam(ctx, owner, team.ID))
		refused(t, "a team that is gone", h.inbox.Assign(ctx, h.operator, conv, assigned(h.operator.User(), inbox.TeamID{7})), errs.NotFound)
	})
}
