package audit

import (
	"context"
	"slices"
	"sort"
	"time"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/trust/audit/tree"
	"aver/vault"
	"aver/vault/journal"
)

// Filter selects entries. Zero fields select all.
type Filter struct {
	Kind     vault.ActorKind // with Actor, or alone
	Actor    [16]byte        // user, key or person
	Part     string          // of the system, such as "retention"
	Action   string
	Person   ids.Subject
	Table    string
	Object   [16]byte // whatever was touched or told about
	Denied   bool     // refusals only
	From, To time.Time
	Before   int64 // entries below this index; zero starts at the newest
}

// Found is a page of entries, newest first.
type Found struct {
	Entries []journal.Entry
	Next    int64     // Before of the next page; zero at the end
	Back    time.Time // how far back this page looked, when it gave up before the end
}

// blocksPerPage bounds the work of one page: 48 blocks are about 200,000 entries.
const blocksPerPage = 48

// Search reads the entries of the actor's tenant that match, newest first.
func (s *Service) Search(ctx context.Context, actor vault.Actor, f Filter, limit int) (Found, error) {
	if err := s.vault.Permit(ctx, actor, actRead); err != nil { // before anything is read: nobody has no store
		return Found{}, err
	}
	size, _, _, err := s.vault.Head(ctx, actor.Tenant())
	if err != nil {
		return Found{}, err
	}
	top, bottom := size, int64(0)
	if f.Before > 0 {
		top = min(top, f.Before)
	}
	if !f.To.IsZero() {
		to, err := s.indexAt(ctx, actor.Tenant(), size, f.To)
		if err != nil {
			return Found{}, err
		}
		top = min(top, to)
	}
	if !f.From.IsZero() {
		if bottom, err = s.indexAt(ctx, actor.Tenant(), size, f.From); err != nil {
			return Found{}, err
		}
	}
	blocks, err := s.candidates(ctx, actor, f, top, bottom)
	if err != nil {
		return Found{}, err
	}
	return s.scan(ctx, actor.Tenant(), f, blocks, top, bottom, limit)
}

// indexAt is the first entry at or after a time.
func (s *Service) indexAt(ctx context.Context, tenant ids.Tenant, size int64, at time.Time) (int64, error) {
	var failed error
	n := sort.Search(int(size), func(i int) bool {
		_, err := s.vault.Journal(ctx, tenant, int64(i), 1, func(raw []byte) error {
			_, then, err := tlog.Stamp(raw)
			if err == nil && then.Before(at) {
				return errFound
			}
			return err
		})
		if err != nil && !isFound(err) {
			failed = err
		}
		return !isFound(err)
	})
	return int64(n), failed
}

// candidates lists the blocks that may hold what is looked for, newest first, at most one more than a page looks at.
func (s *Service) candidates(ctx context.Context, actor vault.Actor, f Filter, top, bottom int64) (blocks []int64, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		blocks = blocks[:0]
		known, err := Blocks.Find(tx, "ORDER BY number DESC LIMIT 1")
		if err != nil {
			return err
		}
		edge := int64(0)
		if len(known) == 1 {
			edge = known[0].Number + 1
		}
		word, some := f.word()
		for b := (top - 1) >> tree.BlockBits; top > 0 && b >= bottom>>tree.BlockBits && len(blocks) <= blocksPerPage && (b >= edge || !some); b-- {
			blocks = append(blocks, b)
		}
		if !some || len(blocks) > blocksPerPage {
			return nil
		}
		terms, err := Terms.Find(tx, "term = ? AND block < ? AND block >= ? ORDER BY block DESC LIMIT ?",
			word, min(edge, (top+tree.BlockSize-1)>>tree.BlockBits), bottom>>tree.BlockBits, blocksPerPage+1-len(blocks))
		for _, t := range terms {
			blocks = append(blocks, t.Block)
		}
		return err
	})
	return blocks, err
}

// word is the rarest word of the filter.
func (f Filter) word() (int64, bool) {
	switch {
	case f.Object != [16]byte{}:
		return word(wordObject, f.Object[:]), true
	case !f.Person.IsZero():
		return word(wordPerson, f.Person[:]), true
	case f.Part != "":
		return word(wordActor, append([]byte{byte(vault.AsSystem)}, f.Part...)), true
	case f.Actor != [16]byte{}:
		return word(wordActor, append([]byte{byte(f.Kind)}, f.Actor[:]...)), true
	case f.Action != "":
		return word(wordAction, []byte(f.Action)), true
	case f.Table != "":
		return word(wordTable, []byte(f.Table)), true
	}
	return 0, false
}

func (s *Service) scan(ctx context.Context, tenant ids.Tenant, f Filter, blocks []int64, top, bottom int64, limit int) (Found, error) {
	var out Found
	for i, b := range blocks {
		if i == blocksPerPage {
			out.Next = (b + 1) << tree.BlockBits
			return out, nil
		}
		from := max(b<<tree.BlockBits, bottom)
		entries, err := s.vault.Entries(ctx, tenant, from, min((b+1)<<tree.BlockBits, top)-from)
		if err != nil {
			return Found{}, err
		}
		for _, e := range slices.Backward(entries) {
			out.Back = e.At
			if !f.matches(e) {
				continue
			}
			if len(out.Entries) == limit {
				out.Next = out.Entries[limit-1].Index
				return out, nil
			}
			out.Entries = append(out.Entries, e)
		}
	}
	out.Back = time.Time{}
	return out, nil
}

func (f Filter) matches(e journal.Entry) bool {
	switch {
	case f.Kind != vault.Nobody && vault.ActorKind(e.ActorKind) != f.Kind,
		f.Actor != [16]byte{} && e.Actor != f.Actor,
		f.Part != "" && (vault.ActorKind(e.ActorKind) != vault.AsSystem || e.ActorName != f.Part),
		f.Action != "" && e.Action != f.Action,
		f.Denied && e.Outcome != journal.Denied:
		return false
	}
	return f.about(e)
}

// about compares what the entry concerns.
func (f Filter) about(e journal.Entry) bool {
	person, table, object := f.Person.IsZero() || e.Subject == f.Person, f.Table == "", f.Object == [16]byte{}
	for _, t := range e.Touched {
		table = table || t.Table == f.Table
		for _, part := range keyParts(t.Key) {
			object = object || len(part) == 16 && [16]byte(part) == f.Object
		}
	}
	for _, ev := range e.Events {
		person = person || ev.Subject == f.Person
		id, ok := anyID(ev.Object)
		object = object || ok && id == f.Object
	}
	return person && table && object
}
