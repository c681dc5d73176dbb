package improvement

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/redact"
	"aver/frame/jobs"
	"aver/trust/identity"
	"aver/trust/improvement/crowd"
	"aver/vault"
)

const (
	most      = 5_000    // transcripts of a set: it is made in memory
	mostBytes = 64 << 20 // of text of a set, the same
	step      = 50       // conversations read together
	batch     = 200      // transcripts written together
)

// errChanged says that somebody in the set closed the purpose while it was made. The job makes it again.
var errChanged = errors.New("somebody closed the purpose meanwhile")

func (s *Service) work(ctx context.Context, job jobs.Job) error {
	id, err := ids.Parse[set](job.ID)
	if err != nil {
		return fmt.Errorf("make a set: %w", err)
	}
	err = s.Build(ctx, job.Tenant, id)
	if errs.Is(err, errs.NotFound) {
		return nil // it was removed
	}
	return err
}

// dead marks a set that could not be made, and removes what there is of it.
func (s *Service) dead(ctx context.Context, job jobs.Job) error {
	id, err := ids.Parse[set](job.ID)
	if err != nil {
		return err
	}
	err = s.change(ctx, job.Tenant, id, func(one *Set, tx *vault.Tx) { one.State, one.EndedAt = Failed, tx.Now() })
	if errs.Is(err, errs.NotFound) {
		err = nil
	}
	return errors.Join(err, s.clear(ctx, job.Tenant, id))
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "improvement") }

func (s *Service) change(ctx context.Context, tenant ids.Tenant, id SetID, how func(*Set, *vault.Tx)) error {
	return s.vault.Do(ctx, system(tenant), actBuild, func(tx *vault.Tx) error {
		one, err := get(tx, id)
		if err != nil {
			return err
		}
		how(&one, tx)
		return sets.Put(tx, one)
	})
}

// Build makes a set that was asked for: reads, redacts, hides in the crowd, writes. A set begun before is made anew.
func (s *Service) Build(ctx context.Context, tenant ids.Tenant, id SetID) error {
	looked := func(n int) error {
		return s.change(ctx, tenant, id, func(one *Set, _ *vault.Tx) { one.State, one.Looked = Working, n })
	}
	if err := looked(0); err != nil {
		return err // it was removed
	}
	made, kept, err := s.make(ctx, tenant, looked)
	if err != nil {
		return err
	}
	if err := s.write(ctx, tenant, id, kept); err != nil {
		return err
	}
	return s.change(ctx, tenant, id, func(one *Set, tx *vault.Tx) {
		made.ID, made.Author, made.MadeAt, made.State, made.EndedAt = one.ID, one.Author, one.MadeAt, Done, tx.Now()
		*one = made
		tx.Emit(vault.Event{Kind: "improvement.made", Object: id.String(), N: int64(len(kept))}, nil)
	})
}

// Rehearse makes a set as Build does and writes nothing: for whoever checks what would be in it.
func (s *Service) Rehearse(ctx context.Context, tenant ids.Tenant) (Set, []crowd.Transcript, error) {
	return s.make(ctx, tenant, func(int) error { return nil })
}

func (s *Service) make(ctx context.Context, tenant ids.Tenant, looked func(int) error) (one Set, kept []crowd.Transcript, err error) {
	read, err := s.read(ctx, tenant, looked)
	if err != nil {
		return one, nil, err
	}
	one.Looked = len(read)
	kept, one.Rare = crowd.Hide(read, crowd.K)
	people := map[any]bool{}
	for _, t := range kept {
		people[t.Person] = true
		one.Messages += len(t.Lines)
	}
	recall, structured, _ := Measured()
	one.People, one.Transcripts, one.Alike, one.Shared = len(people), len(kept), crowd.Smallest(kept), crowd.Fewest(kept)
	one.Recall, one.Structured = int(recall*parts), int(structured*parts)
	return one, kept, nil
}

// read reads and redacts the newest conversations of people who agreed.
func (s *Service) read(ctx context.Context, tenant ids.Tenant, looked func(int) error) (out []crowd.Transcript, err error) {
	colleagues, err := s.colleagues(ctx, tenant)
	if err != nil {
		return nil, err
	}
	redactor, size := redact.New(), 0
	for before := (ids.Conversation{}); len(out) < most && size < mostBytes; {
		var some []Conversation
		err := s.vault.View(ctx, system(tenant), actBuild, func(tx *vault.Tx) error {
			some, err = s.source(tx, before, min(step, most-len(out)))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read conversations: %w", err)
		}
		if len(some) == 0 {
			break
		}
		before = some[len(some)-1].ID
		for _, c := range some {
			t := redacted(redactor, c, colleagues)
			for _, l := range t.Lines {
				size += len(l.Text)
			}
			if len(t.Lines) > 0 {
				out = append(out, t)
			}
		}
		if err := looked(len(out)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// colleagues are those who work for the tenant: their names stand in what they write and in what is written to them.
func (s *Service) colleagues(ctx context.Context, tenant ids.Tenant) (out []redact.Person, err error) {
	users, err := s.staff.List(ctx, system(tenant))
	for _, u := range users {
		out = append(out, redact.Person{Names: []string{u.Name.Reveal()}, Emails: []string{u.Email.Reveal()}})
	}
	return out, err
}

func redacted(r *redact.Redactor, c Conversation, colleagues []redact.Person) crowd.Transcript {
	r.Next(append([]redact.Person{c.About}, colleagues...)...)
	out := crowd.Transcript{Person: c.Person, At: c.At, Language: c.Language, Channel: c.Channel, Company: c.Company.Reveal()}
	var texts []string
	for _, l := range c.Lines {
		texts = append(texts, l.Text.Reveal())
	}
	for i, text := range r.Transcript(texts) {
		out.Lines = append(out.Lines, crowd.Line{From: c.Lines[i].From, Text: text})
	}
	return out
}

// lineJSON is a transcript as it is written.
type lineJSON struct {
	ID       ids.Object   `json:"id"`
	Language string       `json:"language"`
	Period   string       `json:"period"`
	Channel  string       `json:"channel"`
	Company  string       `json:"company,omitempty"`
	Messages []crowd.Line `json:"messages"`
}

// write stores the transcripts under identifiers drawn by chance, if nobody in them has closed the purpose since they were read.
func (s *Service) write(ctx context.Context, tenant ids.Tenant, id SetID, all []crowd.Transcript) error {
	if err := s.clear(ctx, tenant, id); err != nil {
		return err
	}
	for from := 0; from < len(all); from += batch {
		err := s.vault.Do(ctx, system(tenant), actBuild, func(tx *vault.Tx) error {
			if _, err := get(tx, id); err != nil {
				return err // it was removed: what is written now would belong to no set
			}
			for _, t := range all[from:min(from+batch, len(all))] {
				if err := tx.May(t.Person.(ids.Contact)); err != nil {
					return errChanged
				}
				if err := add(tx, id, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("write a set: %w", err)
		}
	}
	return nil
}

func add(tx *vault.Tx, id SetID, t crowd.Transcript) error {
	at := tx.Now()
	line := lineJSON{ID: ids.NewObject(at), Language: t.Language, Period: t.Period, Channel: t.Channel, Company: t.Company, Messages: t.Lines}
	content, err := json.Marshal(line)
	if err != nil {
		return err
	}
	return transcripts.Add(tx, transcript{ID: line.ID, Set: id, Content: content, At: at})
}

// clear removes what an earlier try left.
func (s *Service) clear(ctx context.Context, tenant ids.Tenant, id SetID) error {
	for n := batch; n == batch; {
		err := s.vault.Do(ctx, system(tenant), actBuild, func(tx *vault.Tx) (err error) {
			n, err = transcripts.DeleteWhere(tx, "part_of = ? LIMIT ?", id, batch)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
