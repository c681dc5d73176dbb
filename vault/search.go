package vault

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aver/base/aead"
	"aver/base/ids"
	"aver/vault/column"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/keyring"
	"aver/vault/postings"
	"aver/vault/table"
	"aver/vault/words"
)

// Words are found without being stored: each becomes a keyed token of the tenant's, as do its first two, three and five
// letters for finding it by its beginning. Package postings files a row's tokens together with whom the row is about, so
// that they go with the person.

const wordsKind = "vault.words"

// wordsEvent tells the follower of a row that the entry does not name, because it touches so many.
func wordsEvent(t *table.Shape, key []byte) Event {
	return Event{Kind: wordsKind, Object: t.Name + ":" + hex.EncodeToString(key)}
}

// tokens are a text's, sorted, one after the other.
func (tx *Tx) tokens(text string) []byte {
	blind := aead.NewBlinder(tx.keys.Blind("words"))
	var all []postings.Token
	file := func(kind, word string) {
		all = append(all, postings.Token(blind.Index([]byte(kind+":"+word), postings.TokenSize)))
	}
	for _, w := range words.Of(text) {
		file("word", w)
		for _, b := range words.Beginnings(w) {
			file("prefix", b)
		}
	}
	return postings.Join(all)
}

// wordsBatch is how many entries the follower reads at a time, and wordsStep how many rows it files in one transaction,
// so that messages get in between.
const (
	wordsBatch = 1024
	wordsStep  = 64
)

// indexWords is the follower that keeps the words up to date.
func (v *Vault) indexWords(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	changed, seen := map[*table.Shape][][]byte{}, map[string]bool{}
	note := func(name string, key []byte) {
		t := v.tables[name]
		if t == nil || len(t.Searched) == 0 || seen[name+string(key)] {
			return
		}
		seen[name+string(key)] = true
		changed[t] = append(changed[t], key)
	}
	for _, e := range entries {
		for _, r := range e.Touched {
			if r.Op == journal.Added || r.Op == journal.Put {
				note(r.Table, r.Key)
			}
		}
		for _, ev := range e.Events {
			name, encoded, _ := strings.Cut(ev.Object, ":")
			if key, err := hex.DecodeString(encoded); ev.Kind == wordsKind && err == nil {
				note(name, key)
			}
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
		}, t.Name)
		if err != nil {
			return err
		}
	}
	return nil
}

// Refile lets the follower begin anew in a store that has no index of words, as after rows were restored (package dump).
func (v *Vault) Refile(ctx context.Context, tenant ids.Tenant) error {
	return v.maintain(ctx, tenant, func(tx *Tx) error {
		if filed, err := postings.Filed(tx.conn); filed || err != nil {
			return err
		}
		return journal.Rewind(tx.conn, "words")
	})
}

// fileRows files rows by their words. What the words are is found out beside the writer; a row that changed meanwhile is
// left to the news of that change, and one that is gone to nobody: the rows are held until their words are filed, so that
// an erasure that removes them finds the words.
func (v *Vault) fileRows(ctx context.Context, tenant ids.Tenant, t *table.Shape, keys [][]byte) error {
	var before map[string]searched
	err := v.peek(ctx, tenant, func(tx *Tx) (err error) {
		if before, err = tx.searchedRows(t, keys...); err != nil {
			return err
		}
		for key, row := range before {
			text, err := tx.textOf(t, []byte(key), row)
			if err != nil {
				return err
			}
			row.tokens = tx.tokens(text)
			before[key] = row
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.maintain(ctx, tenant, func(tx *Tx) error {
		now, err := tx.searchedRows(t, keys...)
		if err != nil {
			return err
		}
		var docs []postings.Doc
		for _, key := range keys {
			row, was := now[string(key)], before[string(key)]
			if row.found && slices.EqualFunc(row.sealed, was.sealed, bytes.Equal) {
				docs = append(docs, postings.Doc{Key: key, Subject: filedUnder(t, row.subject), Tokens: was.tokens})
			}
		}
		if len(docs) == 0 {
			return nil
		}
		return postings.Add(tx.conn, t.Name, docs)
	})
}

// filedUnder is whom a row is about, where its key does not begin with that: an index less to write.
func filedUnder(t *table.Shape, subject ids.Subject) []byte {
	if subject.IsZero() || t.Keys[0] == t.Subject {
		return nil
	}
	return subject[:]
}

// searched is what a row is found by.
type searched struct {
	found   bool
	subject ids.Subject
	sealed  [][]byte // the searched columns
	tokens  []byte
}

// searchedRows reads the searched columns of rows, by their keys; in a change it holds the rows.
func (tx *Tx) searchedRows(t *table.Shape, keys ...[]byte) (map[string]searched, error) {
	s, out := tx.sql(t), make(map[string]searched, len(keys))
	tail := "(" + t.ByKeys() + ")"
	for part := range slices.Chunk(keys, table.RowsAtOnce) {
		var args []any
		for i := range table.RowsAtOnce {
			args = append(args, column.SplitKey(t.KeyColumns(), part[min(i, len(part)-1)])...)
		}
		err := tx.conn.Query(tx.hold(table.WithTail(s.Find, tail)), tx.within(t, args), func(values []any) error {
			row := searched{found: true}
			if b, ok := values[max(t.Subject, 0)].([]byte); ok && t.Subject >= 0 {
				copy(row.subject[:], b)
			}
			for _, i := range t.Searched {
				sealed, _ := values[i].([]byte)
				row.sealed = append(row.sealed, sealed)
			}
			out[string(column.KeyBytes(t.KeyOf(values)))] = row
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// textOf opens them; an erased person's text is empty.
func (tx *Tx) textOf(t *table.Shape, key []byte, row searched) (string, error) {
	var parts []string
	for i, sealed := range row.sealed {
		if sealed == nil {
			continue
		}
		b, err := tx.open(t, &t.Columns[t.Searched[i]], row.subject, key, sealed)
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
func (tx *Tx) forgetWords(t *table.Shape, keys ...[]byte) error {
	if len(t.Searched) == 0 || len(keys) == 0 {
		return nil
	}
	return postings.Forget(tx.conn, t.Name, keys)
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
	keys, err := postings.Search(tx.conn, tb.t.Name, terms, maxHits)
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", tb.t.Name, err)
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
		rows, err := tx.searchedRows(tb.t, key)
		if err != nil {
			return nil, err
		}
		row := rows[string(key)]
		text, err := tx.textOf(tb.t, key, row)
		if err != nil {
			return nil, err
		}
		if !row.found || !words.Contain(words.Of(text), asked) {
			continue
		}
		hit, err := tb.Get(tx, column.SplitKey(tb.t.KeyColumns(), key)...)
		if err != nil {
			return nil, err
		}
		out = append(out, hit)
	}
	return out, nil
}
