package retention

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/purpose"
)

type exception struct{}

func (exception) Prefix() string { return "rex" }

// ExceptionID names an exception.
type ExceptionID = ids.Of[exception]

// ExceptionState is how far an exception is.
type ExceptionState string

// The states. An approved one whose time is over counts no more, whatever it says here.
const (
	Asked    ExceptionState = "asked"
	Approved ExceptionState = "approved"
	Refused  ExceptionState = "refused"
	Ended    ExceptionState = "ended" // before its time
)

// Exception keeps a class longer than its limit, for a reason and until a day: one person asks for it, another approves.
type Exception struct {
	ID        ExceptionID    `vault:"id,key"`
	Class     string         `vault:"class,state"`
	Days      int            `vault:"days,state"`
	Until     time.Time      `vault:"until_at,state"` // then the limit applies again
	State     ExceptionState `vault:"state,state"`
	Reason    string         `vault:"reason,tenant:tenant.content"`
	AskedBy   ids.User       `vault:"asked_by,state"`
	AskedAt   time.Time      `vault:"asked_at,state"`
	DecidedBy ids.User       `vault:"decided_by,state"`
	DecidedAt time.Time      `vault:"decided_at,state"`
}

// Exceptions lists them.
var Exceptions = vault.Define[Exception]("retention_exceptions", vault.Purpose("showing who let something be kept longer, and why"),
	vault.KeepWhile("as long as the account: they show why something was kept longer than promised"))

func (e Exception) limit() time.Duration { return time.Duration(e.Days) * day }

// Active tells whether it makes something last longer now.
func (e Exception) Active(now time.Time) bool { return e.State == Approved && now.Before(e.Until) }

// longestException is how far away the end of an exception may be: longer takes somebody who asks again.
const longestException = 2 * 365 * day

const mostReason = 1000 // characters

var (
	// Two different people must stand for an exception, and the second answers for data protection or for everything.
	actExcept = vault.Act("retention_exception.ask", purpose.Duty, vault.Roles(vault.Owner, vault.Administrator, vault.DPO))
	actDecide = vault.Act("retention_exception.decide", purpose.Duty, vault.Roles(vault.Owner, vault.DPO))
	actEnd    = vault.Act("retention_exception.end", purpose.Duty, vault.Roles(vault.Owner, vault.Administrator, vault.DPO))
)

// AskException asks for a class to be kept so many days until a time. It changes nothing before somebody else approves.
func (s *Service) AskException(ctx context.Context, actor vault.Actor, e Exception) (Exception, error) {
	c, _, err := s.settable(e.Class)
	if err != nil {
		return e, err
	}
	e.Reason, _ = cards.Mask(strings.TrimSpace(e.Reason))
	if err := s.askable(c, e); err != nil {
		return e, err
	}
	err = s.vault.Do(ctx, actor, actExcept, func(tx *vault.Tx) error {
		if err := onlyOne(tx, e.Class); err != nil {
			return err
		}
		now, err := s.scheduled(tx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(now, func(c Class) bool { return c.Name == e.Class })
		if limit := now[at].Limit; limit == 0 || e.limit() <= limit {
			return refusedField("days", "range", fmt.Sprintf("It is kept for %d days without an exception. Give more.", int(limit/day)))
		}
		e.ID, e.State, e.AskedBy, e.AskedAt = ids.New[exception](tx.Now()), Asked, actor.User(), tx.Now()
		tx.Emit(vault.Event{Kind: "retention.exception_asked", Object: e.Class, N: int64(e.Days)}, nil)
		return Exceptions.Add(tx, e)
	})
	return e, err
}

func refusedField(field, code, message string) error {
	return errs.New(errs.Invalid, "This exception is not possible.", errs.Field{Field: field, Code: code, Message: message})
}

// askable tells what is wrong with what was asked for.
func (s *Service) askable(c Class, e Exception) error {
	now := s.vault.Now()
	switch n := utf8.RuneCountInString(e.Reason); {
	case c.Strict:
		return refusedField("class", "strict", "No exception is possible for this class: it is kept for a year at most.")
	case e.Days < 1 || e.Days > longest:
		return refusedField("days", "range", fmt.Sprintf("Give up to %d days.", longest))
	case n == 0 || n > mostReason || !utf8.ValidString(e.Reason):
		return refusedField("reason", "length", "Write why it must be kept longer, in up to 1,000 characters.")
	case !e.Until.After(now) || e.Until.Sub(now) > longestException:
		return refusedField("until", "range", "Choose a day within the next two years.")
	}
	return nil
}

// onlyOne refuses a second exception for a class before the first has ended.
func onlyOne(tx *vault.Tx, class string) error {
	n, err := Exceptions.Count(tx, "class = ? AND until_at > ? AND state IN (?, ?)", class, tx.Now(), string(Asked), string(Approved))
	if err == nil && n > 0 {
		err = errs.New(errs.Conflict, "There is an exception for this class already. End it first.")
	}
	return err
}

var errSelf = errs.New(errs.Forbidden, "You asked for this exception yourself. Somebody else must decide it.")

// Decide approves or refuses what somebody else asked for. Whoever tries to decide their own is refused, and the log says so.
func (s *Service) Decide(ctx context.Context, actor vault.Actor, id ExceptionID, approve bool) error {
	own := false
	err := s.vault.Do(ctx, actor, actDecide, func(tx *vault.Tx) error {
		e, err := Exceptions.Get(tx, id)
		if err != nil {
			return err
		}
		if own = e.AskedBy == actor.User(); own {
			tx.Emit(vault.Event{Kind: "retention.exception_denied", Object: e.Class, N: int64(e.Days)}, nil)
			return nil
		}
		if e.State != Asked || !e.Until.After(tx.Now()) {
			return errs.New(errs.Conflict, "This was decided already, or its time is over.")
		}
		e.DecidedBy, e.DecidedAt, e.State = actor.User(), tx.Now(), Refused
		kind := "retention.exception_refused"
		if approve {
			e.State, kind = Approved, "retention.exception_approved"
		}
		tx.Emit(vault.Event{Kind: kind, Object: e.Class, N: int64(e.Days)}, nil)
		return Exceptions.Put(tx, e)
	})
	if err == nil && own {
		return errSelf
	}
	return err
}

// EndException ends one before its time, or takes back what was asked for. The limit applies again with the next sweep.
func (s *Service) EndException(ctx context.Context, actor vault.Actor, id ExceptionID) error {
	return s.vault.Do(ctx, actor, actEnd, func(tx *vault.Tx) error {
		e, err := Exceptions.Get(tx, id)
		if err != nil {
			return err
		}
		if e.State != Asked && e.State != Approved {
			return errs.New(errs.Conflict, "This exception has ended already.")
		}
		e.State, e.Until = Ended, tx.Now()
		tx.Emit(vault.Event{Kind: "retention.exception_ended", Object: e.Class, N: int64(e.Days)}, nil)
		return Exceptions.Put(tx, e)
	})
}
