package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	merkle "golang.org/x/mod/sumdb/tlog"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/tlog"
	"aver/trust/audit/tree"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
)

// perChange is how many lines of the index are written at once, so that nobody waits for the index.
const perChange = 400

// Index takes the tenant's full blocks that are not in the index yet into it. What it does not know is searched
// entry by entry, so the index may lag and is never wrong.
func (s *Service) Index(ctx context.Context, tenant ids.Tenant) error {
	next, err := s.indexed(ctx, tenant)
	if err != nil {
		return err
	}
	size, _, _, err := s.vault.Head(ctx, tenant)
	if err != nil {
		return err
	}
	for ; (next+1)<<tree.BlockBits <= size; next++ {
		if err := s.indexBlock(ctx, tenant, next); err != nil {
			return fmt.Errorf("index block %d of a log: %w", next, err)
		}
	}
	return nil
}

// indexed is how many blocks the index knows.
func (s *Service) indexed(ctx context.Context, tenant ids.Tenant) (n int64, err error) {
	err = s.vault.View(ctx, identity.System(tenant, "audit"), actRead, func(tx *vault.Tx) error {
		last, err := Blocks.Find(tx, "ORDER BY number DESC LIMIT 1")
		if err == nil && len(last) == 1 {
			n = last[0].Number + 1
		}
		return err
	})
	return n, err
}

func (s *Service) indexBlock(ctx context.Context, tenant ids.Tenant, n int64) error {
	words := map[int64]struct{}{}
	var edge tlog.Frontier
	var ended time.Time
	_, err := s.vault.Journal(ctx, tenant, n<<tree.BlockBits, tree.BlockSize, func(raw []byte) error {
		e, err := journal.Parse(raw)
		if err != nil {
			return err
		}
		edge.Append(tlog.LeafHash(raw))
		ended = e.At
		for _, word := range wordsOf(e) {
			words[word] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return err
	}
	all := make([]int64, 0, len(words))
	for word := range words {
		all = append(all, word)
	}
	actor := identity.System(tenant, "audit")
	for some := range slices.Chunk(all, perChange) {
		err := s.vault.Do(ctx, actor, actIndex, func(tx *vault.Tx) error {
			for _, word := range some {
				if err := Terms.Put(tx, Term{Term: word, Block: n, At: ended}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.vault.Do(ctx, actor, actIndex, func(tx *vault.Tx) error {
		return Blocks.Put(tx, Block{Number: n, Root: edge.Root().String(), Ended: ended})
	})
}

// word is what is searched for, hashed: half of a SHA-256 is enough to find a block, and a wrong block costs only time.
func word(kind byte, value []byte) int64 {
	sum := sha256.Sum256(append([]byte{kind}, value...))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

const (
	wordActor  = 'a'
	wordAction = 'v'
	wordPerson = 'p'
	wordTable  = 't'
	wordObject = 'o'
)

func wordsOf(e journal.Entry) []int64 {
	out := []int64{word(wordAction, []byte(e.Action)), word(wordActor, actorBytes(e))}
	if !e.Subject.IsZero() {
		out = append(out, word(wordPerson, e.Subject[:]))
	}
	for _, t := range e.Touched {
		out = append(out, word(wordTable, []byte(t.Table)))
		for _, part := range keyParts(t.Key) {
			if len(part) == 16 {
				out = append(out, word(wordObject, part))
			}
		}
	}
	for _, ev := range e.Events {
		if id, ok := anyID(ev.Object); ok {
			out = append(out, word(wordObject, id[:]))
		}
		if !ev.Subject.IsZero() {
			out = append(out, word(wordPerson, ev.Subject[:]))
		}
	}
	return out
}

// actorBytes names who acted: a kind and an identifier, or which part of the system.
func actorBytes(e journal.Entry) []byte {
	if vault.ActorKind(e.ActorKind) == vault.AsSystem {
		return append([]byte{e.ActorKind}, e.ActorName...)
	}
	return append([]byte{e.ActorKind}, e.Actor[:]...)
}

// keyParts takes a primary key apart again; see journal.Ref.
func keyParts(key []byte) [][]byte {
	var out [][]byte
	for len(key) > 0 && int(key[0]) < len(key) {
		n := int(key[0])
		out = append(out, key[1:1+n])
		key = key[1+n:]
	}
	return out
}

// anyID reads an identifier of whatever kind.
func anyID(text string) (id [16]byte, ok bool) {
	for i := range text {
		if text[i] == '_' {
			parsed, err := ids.ParseObject("obj" + text[i:])
			return parsed, err == nil
		}
	}
	return id, false
}

var errNoEntry = errs.New(errs.NotFound, "There is no such entry in this log.")

// tree is the tree of a log's first size entries.
func (s *Service) tree(ctx context.Context, tenant ids.Tenant, size int64) (*tree.Tree, error) {
	var roots []tlog.Hash
	err := s.vault.View(ctx, identity.System(tenant, "audit"), actRead, func(tx *vault.Tx) error {
		blocks, err := Blocks.Find(tx, "number < ? ORDER BY number", size>>tree.BlockBits)
		if err != nil {
			return err
		}
		for i, b := range blocks {
			root, err := merkle.ParseHash(b.Root)
			if err != nil || b.Number != int64(i) {
				return fmt.Errorf("read the index of the log: block %d is damaged", i)
			}
			roots = append(roots, root)
		}
		return nil
	})
	return tree.New(size, roots, func(from, most int64, each func([]byte) error) (int64, error) {
		return s.vault.Journal(ctx, tenant, from, most, each)
	}), err
}
