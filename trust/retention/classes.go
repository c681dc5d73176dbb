package retention

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
)

// Class is one class of data: a table whose rows have an age, or a sort of files.
type Class struct {
	Name       string
	Purpose    string
	Categories []string      // fideslang
	Limit      time.Duration // how long it is kept now; zero: no limit
	Default    time.Duration // what the declaration says
	Own        bool          // the tenant set a time
	Cap        time.Duration // more takes an exception; zero: ten years
	Strict     bool          // nothing, not even an exception, goes beyond Cap
	Follows    string        // the class whose limit this one has
	Exception  Exception     // that makes the limit longer now; zero when there is none
	Oldest     time.Time     // the oldest that no hold keeps; zero when there is none

	stored kind
}

// Over is by how much the oldest is older than the limit: the figure behind ret-5. A sweep's interval is no breach.
func (c Class) Over(now time.Time) time.Duration {
	if c.Limit == 0 || c.Oldest.IsZero() {
		return 0
	}
	return max(0, now.Sub(c.Oldest)-c.Limit)
}

// kind is how a class lies in the vault. What is about the held is neither seen nor swept.
type kind interface {
	oldest(tx *vault.Tx, held []ids.Subject) (time.Time, error)
	sweep(tx *vault.Tx, before time.Time, limit int, held []ids.Subject) (swept, error)
}

// swept is what a part of a sweep removed.
type swept struct {
	rows  int
	files []vault.Blob // whose bytes go once their lines are gone for good
}

// Recordings is the class of what was recorded: every file of sound or moving pictures, whoever stored it. Calls declare
// nothing: they seal a recording with vault.PutBlob under its media type, such as audio/webm, and it is kept like this.
const Recordings = "recordings"

// Files is the class of all other files, which are kept as long as the messages they came with.
const Files = "files"

const (
	recordingsFor = 90 * day  // promise ret-1
	connectionCap = 365 * day // promise ret-3
	longest       = 3650      // days
)

// declared lists the classes of a tenant's data as they are declared.
func (s *Service) declared(tenant ids.Tenant) []Class {
	var out []Class
	for _, t := range s.vault.Tables() {
		aged, categories := keepColumn(t)
		if !aged || s.inner(t.Name()) && tenant != ids.Installation {
			continue
		}
		c := Class{Name: t.Name(), Purpose: t.Terms().Purpose, Categories: categories, Default: t.Terms().KeepFor, stored: rows{s.vault, t}}
		if t.Name() == Connections.Name() {
			c.Cap, c.Strict = connectionCap, true
		}
		out = append(out, c)
	}
	return append(out,
		Class{Name: Recordings, Purpose: "hearing again what was said", Categories: []string{"user.content", "user.biometric"}, Default: recordingsFor, Cap: recordingsFor, stored: files{recorded: true}},
		Class{Name: Files, Purpose: vault.Blobs.Terms().Purpose, Categories: []string{"user.content"}, Follows: s.config.Files, stored: files{}})
}

func (s *Service) inner(table string) bool { return slices.Contains(s.config.Inner, table) }

func keepColumn(t vault.AnyTable) (aged bool, categories []string) {
	for _, c := range t.Columns() {
		aged = aged || c.Keep
		if c.Category != "" && !slices.Contains(categories, c.Category) {
			categories = append(categories, c.Category)
		}
	}
	return aged, categories
}

// Oldest tells the limit and the oldest of each class of a tenant's data.
func (s *Service) Oldest(ctx context.Context, tenant ids.Tenant) ([]Class, error) {
	return s.Schedule(ctx, identity.System(tenant, "retention"))
}

// Schedule is the same for the actor's tenant.
func (s *Service) Schedule(ctx context.Context, actor vault.Actor) (out []Class, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		if out, err = s.scheduled(tx); err != nil {
			return err
		}
		held, err := s.spared(tx)
		if err != nil {
			return err
		}
		for i := range out {
			if out[i].Oldest, err = out[i].stored.oldest(tx, held); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// scheduled puts the tenant's own times and exceptions into what is declared.
func (s *Service) scheduled(tx *vault.Tx) ([]Class, error) {
	own, err := limits.Find(tx, "ORDER BY class")
	if err != nil {
		return nil, err
	}
	excepted, err := Exceptions.Find(tx, "state = ? AND until_at > ? ORDER BY asked_at", string(Approved), tx.Now())
	if err != nil {
		return nil, err
	}
	out := s.declared(tx.Actor().Tenant())
	for i := range out {
		c := &out[i]
		c.Limit = c.Default
		for _, l := range own {
			if l.Class == c.Name {
				c.Limit, c.Own = time.Duration(l.Days)*day, true
			}
		}
		for _, e := range excepted {
			if e.Class == c.Name && c.Limit > 0 && e.limit() > c.Limit {
				c.Limit, c.Exception = e.limit(), e
			}
		}
	}
	for i := range out {
		if at := slices.IndexFunc(out, func(c Class) bool { return c.Name == out[i].Follows }); at >= 0 {
			out[i].Limit, out[i].Default = out[at].Limit, out[at].Default
		}
	}
	return out, nil
}

// Unlimited is a table whose rows have no age of their own, with the reason.
type Unlimited struct{ Name, Purpose, Reason string }

// Unlimited lists them: what goes with something else, and what stays as long as the account.
func (s *Service) Unlimited(tenant ids.Tenant) (out []Unlimited) {
	for _, t := range s.vault.Tables() {
		if aged, _ := keepColumn(t); !aged && (!s.inner(t.Name()) || tenant == ids.Installation) {
			out = append(out, Unlimited{t.Name(), t.Terms().Purpose, t.Terms().KeepWhile})
		}
	}
	return out
}

// mostHeld is how many people a sweep can leave out: each is a value of its statement.
const mostHeld = 30_000

// held are the people whose data a legal hold keeps.
func (s *Service) held(tx *vault.Tx) ([]ids.Subject, error) {
	if s.config.Held == nil {
		return nil, nil
	}
	return s.config.Held(tx)
}

// spared are those about whom nothing is swept: the held, and who keeps what is left of them.
func (s *Service) spared(tx *vault.Tx) ([]ids.Subject, error) {
	people, err := s.held(tx)
	if err == nil && s.config.Keepers != nil {
		var keepers []ids.Subject
		keepers, err = s.config.Keepers(tx)
		people = append(people, keepers...)
	}
	if err == nil && len(people) > mostHeld {
		err = errs.New(errs.TooLarge, fmt.Sprintf("Holds keep the data of more than %d people. Nothing is swept until some of them end.", mostHeld))
	}
	return people, err
}

// rows are the rows of a table.
type rows struct {
	vault *vault.Vault
	table vault.AnyTable
}

func (r rows) oldest(tx *vault.Tx, held []ids.Subject) (time.Time, error) {
	return r.vault.Oldest(tx, r.table, held...)
}

func (r rows) sweep(tx *vault.Tx, before time.Time, limit int, held []ids.Subject) (swept, error) {
	n, err := r.vault.Sweep(tx, r.table, before, limit, held...)
	return swept{rows: n}, err
}

// files are sealed files: recordings, or all others.
type files struct{ recorded bool }

func (f files) where(held []ids.Subject) (where string, values []any) {
	where = "(kind LIKE ? OR kind LIKE ?)"
	if !f.recorded {
		where = "NOT " + where
	}
	others, spared := vault.Spare("subject", held)
	return where + others, append([]any{"audio/%", "video/%"}, spared...)
}

func (f files) oldest(tx *vault.Tx, held []ids.Subject) (time.Time, error) {
	where, values := f.where(held)
	found, err := vault.Blobs.Find(tx, where+" ORDER BY created_at LIMIT 1", values...)
	if err != nil || len(found) == 0 {
		return time.Time{}, err
	}
	return found[0].CreatedAt, nil
}

func (f files) sweep(tx *vault.Tx, before time.Time, limit int, held []ids.Subject) (swept, error) {
	where, values := f.where(held)
	old, err := vault.Blobs.Find(tx, where+" AND created_at < ? LIMIT ?", append(values, before, limit)...)
	if err != nil {
		return swept{}, err
	}
	for _, b := range old {
		if err := vault.Blobs.Delete(tx, b.ID); err != nil {
			return swept{}, err
		}
	}
	return swept{rows: len(old), files: old}, nil
}
