package inbox

import (
	"context"
	"errors"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/inbox/desk"
)

// change does something to a conversation and emits the news; do returns the event's kind, or "" if nothing changed.
func (s *Service) change(ctx context.Context, actor vault.Actor, action *vault.Action, id ids.Conversation, do func(*vault.Tx, *Conversation) (string, error)) error {
	return s.vault.Do(ctx, actor, action, func(tx *vault.Tx) error {
		c, err := mine(tx, id)
		if err != nil {
			return err
		}
		was := c
		kind, err := do(tx, &c)
		if err != nil || kind == "" {
			return err
		}
		tx.Emit(vault.Event{Kind: kind, Object: id.String(), Subject: c.Contact}, stateNews{c.told(tx, &err)})
		return errors.Join(err, c.change(tx, was))
	})
}

var errUnseen = errs.New(errs.Conflict, "Another message has come in that was not looked at yet. The conversation was left as it is.")

// unseen refuses to put away what nobody has seen. seen is the last message that was looked at, or 0 from callers that do not say.
func (c Conversation) unseen(seen int64) error {
	if seen > 0 && c.LastSeq > seen {
		return errUnseen
	}
	return nil
}

// SetState opens or closes a conversation. Who closes one has seen all of it: a message after the one seen is a conflict,
// unless seen is 0. To snooze, use Snooze.
func (s *Service) SetState(ctx context.Context, actor vault.Actor, id ids.Conversation, state State, seen int64) error {
	if state != Open && state != Closed {
		return errs.New(errs.Invalid, "A conversation can be opened or closed.", errs.Field{Field: "state", Code: "unknown", Message: "Choose open or closed."})
	}
	return s.change(ctx, actor, actState, id, func(_ *vault.Tx, c *Conversation) (string, error) {
		if c.State == state {
			return "", nil
		}
		if state == Open {
			c.State, c.SnoozedUntil = Open, time.Time{}
			return "conversation.updated", nil
		}
		if err := c.unseen(seen); err != nil {
			return "", err
		}
		c.State, c.SnoozedUntil = Closed, time.Time{}
		c.ReadSeq, c.Unread = c.LastSeq, 0
		return "conversation.closed", nil
	})
}

// longestSnooze keeps people from putting a conversation where nobody will find it.
const longestSnooze = year

// Snooze puts a conversation away until a time, or until the person writes. seen is as for SetState.
func (s *Service) Snooze(ctx context.Context, actor vault.Actor, id ids.Conversation, until time.Time, seen int64) error {
	until = until.UTC().Truncate(time.Second)
	if now := s.vault.Now(); !until.After(now) || until.Sub(now) > longestSnooze {
		return errs.New(errs.Invalid, "Choose a time in the coming year.", errs.Field{Field: "until", Code: "range", Message: "Choose a time in the coming year."})
	}
	if _, err := s.Conversation(ctx, actor, id); err != nil {
		return err
	}
	// The job comes first: one without a snooze does no harm, a snooze without a job would last.
	if err := s.queue.Enqueue(ctx, wakeKind, actor.Tenant(), id.String(), until); err != nil {
		return err
	}
	return s.change(ctx, actor, actSnooze, id, func(_ *vault.Tx, c *Conversation) (string, error) {
		if err := c.unseen(seen); err != nil {
			return "", err
		}
		c.State, c.SnoozedUntil = Snoozed, until
		return "conversation.updated", nil
	})
}

// wake opens a conversation whose time has come, or returns then. It tells consoles words of the person: not of the restricted.
func (s *Service) wake(ctx context.Context, j jobs.Job) error {
	id, err := ids.ParseConversation(j.ID)
	if err != nil {
		return err
	}
	var later time.Time
	err = s.change(ctx, identity.System(j.Tenant, "inbox"), actWake, id, func(tx *vault.Tx, c *Conversation) (string, error) {
		later = time.Time{}
		if c.State != Snoozed {
			return "", nil
		}
		if c.SnoozedUntil.After(tx.Now()) {
			later = c.SnoozedUntil
			return "", nil
		}
		c.State, c.SnoozedUntil = Open, time.Time{}
		return "conversation.updated", nil
	})
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Restricted) {
		return nil // erased meanwhile, or WakeOverdue finds it later
	}
	if err != nil || later.IsZero() {
		return err
	}
	return s.queue.Enqueue(ctx, wakeKind, j.Tenant, j.ID, later)
}

// overdueBatch is how many overdue conversations are read at once.
const overdueBatch = 200

// WakeOverdue opens, in every tenant, what should have come back and did not, because its job was lost: the jobs of the
// time after a backup are not in it, one that failed too often is given up, and one about somebody restricted opens nothing.
func (s *Service) WakeOverdue(ctx context.Context) error {
	tenants, err := s.vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		for more := true; more && err == nil; {
			more, err = s.wakeSome(ctx, t.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wakeSome opens the longest overdue of a tenant and tells whether there may be more.
func (s *Service) wakeSome(ctx context.Context, tenant ids.Tenant) (more bool, err error) {
	var overdue []Conversation
	err = s.vault.View(ctx, identity.System(tenant, "inbox"), actWake, func(tx *vault.Tx) (err error) {
		overdue, err = Conversations.Find(tx, "state = ? AND snoozed_until <= ? ORDER BY snoozed_until LIMIT ?", Snoozed, tx.Now(), overdueBatch)
		return err
	})
	for _, c := range overdue {
		err = errors.Join(err, s.wake(ctx, jobs.Job{Tenant: tenant, ID: c.ID.String()}))
	}
	return len(overdue) == overdueBatch, err
}

// Assignment is whose a conversation is to be. What is nil stays as it is; zero is nobody, or no team.
type Assignment struct {
	User *ids.User
	Team *TeamID
	From *ids.User // whose it was when this was decided: somebody else's by now is a conflict
}

// Assign gives a conversation to a user or a team, or to both.
func (s *Service) Assign(ctx context.Context, actor vault.Actor, id ids.Conversation, to Assignment) error {
	return s.change(ctx, actor, actAssign, id, func(tx *vault.Tx, c *Conversation) (string, error) {
		user, team := c.Assignee, c.Team
		if to.User != nil {
			user = *to.User
		}
		if to.Team != nil {
			team = *to.Team
		}
		if user == c.Assignee && team == c.Team {
			return "", nil
		}
		if to.From != nil && *to.From != c.Assignee {
			return "", errs.New(errs.Conflict, "Somebody else was assigned meanwhile. Nothing was changed.")
		}
		if err := assignable(tx, *c, user, team); err != nil {
			return "", err
		}
		c.Assignee, c.Team = user, team
		return "conversation.assigned", nil
	})
}

// assignable refuses users and teams that are not there, but for those the conversation has already.
func assignable(tx *vault.Tx, c Conversation, user ids.User, team TeamID) error {
	if !user.IsZero() && user != c.Assignee {
		u, err := identity.Users.Get(tx, user)
		if errs.Is(err, errs.NotFound) || err == nil && !u.DisabledAt.IsZero() {
			return errs.New(errs.NotFound, "There is no such user.")
		}
		if err != nil {
			return err
		}
	}
	if team.IsZero() || team == c.Team {
		return nil
	}
	_, err := desk.Teams.Get(tx, team)
	return desk.Absent(err, "There is no such team.")
}

// SetLabel puts a label on a conversation or takes it off.
func (s *Service) SetLabel(ctx context.Context, actor vault.Actor, id ids.Conversation, label LabelID, on bool) error {
	return s.change(ctx, actor, actTag, id, func(tx *vault.Tx, c *Conversation) (string, error) {
		if _, err := desk.Labels.Get(tx, label); err != nil {
			return "", desk.Absent(err, "There is no such label.")
		}
		_, err := desk.ConversationLabels.Get(tx, id, label)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return "", err
		}
		if worn := err == nil; worn == on {
			return "", nil
		}
		if !on {
			return "conversation.updated", desk.ConversationLabels.Delete(tx, id, label)
		}
		return "conversation.updated", desk.ConversationLabels.Add(tx, desk.ConversationLabel{Conversation: id, Label: label, Contact: c.Contact})
	})
}
