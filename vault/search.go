package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aver/base/aead"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/keyring"
	"aver/vault/postings"
	"aver/vault/words"
)

// Words are found without being stored: each becomes a keyed token of the tenant's, as do its first two, three and five
// letters for finding it by its beginning. Package postings files a row's tokens together with whom the row is about, so
// that they go with the person.

const wordsKind = "vault.words"

func wordsEvent(t *table, key []byte, subject ids.Subject) Event {
	return Event{Kind: wordsKind, Object: t.name + ":" + hex.EncodeToString(key), Subject: subject}
}

// tokens are a text's, sorted, one after the other.
func (tx *Tx) tokens(text string) []byte {
	blind := aead.NewBlinder(tx.keys.Blind("words"))
	set := map[string]struct{}{}
	file := func(kind, word string) {
		set[string(blind.Index([]byte(kind+":"+word), postings.TokenSize))] = struct{}{}
	}
	for _, w := range words.Of(text) {
		file("word", w)
		for _, b := range words.Beginnings(w) {
			file("prefix", b)
		}
	}
	return []byte(strings.Join(slices.Sorted(maps.Keys(set)), ""))
}

// wordsBatch is how many entries the follower reads at a time, and wordsStep how many rows it files in one transaction,
// so that messages get in between.
const (
	wordsBatch = 1024
	wordsStep  = 64
)

// indexWords is the follower that keeps the words up to date.
func (v *Vault) indexWords(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	changed := map[*table][][]byte{}
	seen := map[string]bool{}
	for _, e := range entries {
		for _, ev := range e.Events {
			name, encoded, _ := strings.Cut(ev.Object, ":")
			if ev.Kind != wordsKind || seen[ev.Object] || v.tables[name] == nil {
				continue
			}
			key, err := hex.DecodeString(encoded)
			if err != nil {
				return fmt.Errorf("index words: %w", err)
			}
			seen[ev.Object] = true
			changed[v.tables[name]] = append(changed[v.tables[name]], key)
		}
	}
	for t, keys := range changed {
		for part := range slices.Chunk(keys, wordsStep) {
			if err := v.fileRows(ctx, tenant, t, part); err != nil {
				return fmt.Errorf("index words: %w", err)
			}
		}
		err := postings.Merge(postings.Store{
			Read: func(fn func(engine.Conn) error) error {
				return v.peek(ctx, tenant, func(tx *Tx) error { return fn(tx.conn) })
			},
			Write: func(fn func(engine.Conn) error) error {
				return v.maintain(ctx, tenant, func(tx *Tx) error { return fn(tx.conn) })
			},
		}, t.name)
		if err != nil {
			return err
		}
	}
	return nil
}

// fileRows files rows by their words. What the words are is found out beside the writer; a row that changed meanwhile is
// left to the news of that change.
func (v *Vault) fileRows(ctx context.Context, tenant ids.Tenant, t *table, keys [][]byte) error {
	before := make([]searched, len(keys))
	err := v.peek(ctx, tenant, func(tx *Tx) error {
		for i, key := range keys {
			var err error
			if before[i], err = tx.searchedRow(t, key); err != nil {
				return err
			}
			text, err := tx.textOf(t, key, before[i])
			if err != nil {
				return err
			}
			before[i].tokens = tx.tokens(text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.maintain(ctx, tenant, func(tx *Tx) error {
		var docs []postings.Doc
		for i, key := range keys {
			now, err := tx.searchedRow(t, key)
			if err != nil {
				return err
			}
			if now.found && slices.EqualFunc(now.sealed, before[i].sealed, bytes.Equal) {
				docs = append(docs, postings.Doc{Key: key, Subject: t.filedUnder(now.subject), Tokens: before[i].tokens})
			}
		}
		if len(docs) == 0 {
			return nil
		}
		return postings.Add(tx.conn, t.name, docs)
	})
}

// filedUnder is whom a row is about, where its key does not begin with that: an index less to write.
func (t *table) filedUnder(subject ids.Subject) []byte {
	if subject.IsZero() || t.keys[0] == t.subject {
		return nil
	}
	return subject[:]
}

// splitKey undoes keyBytes for the columns of a table's key.
func splitKey(t *table, key []byte) []any {
	var out []any
	for _, k := range t.keys {
		n := int(key[0])
		part := key[1 : 1+n]
		key = key[1+n:]
		switch t.columns[k].form {
		case formInt:
			out = append(out, int64(binary.BigEndian.Uint64(part)))
		case formString:
			out = append(out, string(part))
		default:
			out = append(out, part)
		}
	}
	return out
}

// searched is what a row is found by.
type searched struct {
	found   bool
	subject ids.Subject
	sealed  [][]byte // the searched columns
	tokens  []byte
}

// searchedRow reads the searched columns of one row.
func (tx *Tx) searchedRow(t *table, key []byte) (searched, error) {
	s := tx.sql(t)
	var out searched
	err := tx.conn.Query(s.get, s.own(tx.actor.is.Tenant, splitKey(t, key)), func(values []any) error {
		out.found = true
		if t.subject >= 0 {
			if b, ok := values[t.subject].([]byte); ok {
				copy(out.subject[:], b)
			}
		}
		for _, i := range t.searched {
			sealed, _ := values[i].([]byte)
			out.sealed = append(out.sealed, sealed)
		}
		return nil
	})
	return out, err
}

// textOf opens them; an erased person's text is empty.
func (tx *Tx) textOf(t *table, key []byte, row searched) (string, error) {
	var parts []string
	for i, sealed := range row.sealed {
		if sealed == nil {
			continue
		}
		b, err := tx.open(t, &t.columns[t.searched[i]], row.subject, key, sealed)
		if errors.Is(err, keyring.ErrErased) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		parts = append(parts, string(b))
	}
	return strings.Join(parts, "\n"), nil
}

// forgetWords removes rows' tokens.
func (tx *Tx) forgetWords(t *table, keys ...[]byte) error {
	if len(t.searched) == 0 || len(keys) == 0 {
		return nil
	}
	return postings.Forget(tx.conn, t.name, keys)
}

// maxHits bounds a search, whatever is asked for.
const maxHits = 200

// Search finds rows by their words, the last changed first: all words must occur, and the last one may be a beginning.
func (tb *Table[T]) Search(tx *Tx, query string, limit int) ([]T, error) {
	asked := words.Asked(query)
	if len(asked) == 0 || len(asked) > 12 {
		return nil, nil
	}
	var terms [][]byte
	for i, raw := range asked {
		for _, w := range words.Of(raw) {
			terms = append(terms, tx.queryToken(w, i == len(asked)-1))
		}
	}
	keys, err := postings.Search(tx.conn, tb.t.name, terms, maxHits)
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", tb.t.name, err)
	}
	return tb.hits(tx, keys, asked, limit)
}

// queryToken is the longest stored token that the word allows.
func (tx *Tx) queryToken(word string, beginning bool) []byte {
	name := "word:" + word
	if longest, ok := words.Longest(word); beginning && ok {
		name = "prefix:" + longest
	}
	return aead.BlindIndex(tx.keys.Blind("words"), []byte(name), postings.TokenSize)
}

// hits reads the rows and keeps those that really contain what was asked: tokens of beginnings promise less than the query.
func (tb *Table[T]) hits(tx *Tx, keys [][]byte, asked []string, limit int) ([]T, error) {
	var out []T
	for _, key := range keys {
		if len(out) == limit {
			break
		}
		row, err := tx.searchedRow(tb.t, key)
		if err != nil {
			return nil, err
		}
		text, err := tx.textOf(tb.t, key, row)
		if err != nil {
			return nil, err
		}
		if !row.found || !words.Contain(words.Of(text), asked) {
			continue
		}
		hit, err := tb.Get(tx, splitKey(tb.t, key)...)
		if err != nil {
			return nil, err
		}
		out = append(out, hit)
	}
	return out, nil
}
