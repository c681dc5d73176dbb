package vault

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"aver/base/aead"
	"aver/base/ids"
	"aver/vault/journal"
	"aver/vault/words"
)

// Words are found without being stored: each becomes a keyed token of the tenant's, as do its first two, three and five
// letters for finding it by its beginning. A row's tokens are kept together with whom the row is about, so that they go
// with the person.

const (
	tokenSize = 8
	wordsKind = "vault.words"
)

func wordsEvent(t *table, key []byte, subject ids.Subject) Event {
	return Event{Kind: wordsKind, Object: t.name + ":" + hex.EncodeToString(key), Subject: subject}
}

func (tx *Tx) token(kind, word string) string {
	return string(aead.BlindIndex(tx.keys.Blind("words"), []byte(kind+":"+word), tokenSize))
}

// tokens of a text, sorted so that neighbours in the index are written together.
func (tx *Tx) tokens(text string) []string {
	set := map[string]struct{}{}
	for _, w := range words.Of(text) {
		set[tx.token("word", w)] = struct{}{}
		for _, b := range words.Beginnings(w) {
			set[tx.token("prefix", b)] = struct{}{}
		}
	}
	out := make([]string, 0, len(set))
	for t := range set {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// indexWords is the follower that keeps the words up to date.
func (v *Vault) indexWords(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	var todo []Event
	seen := map[string]bool{}
	for _, e := range entries {
		for _, ev := range e.Events {
			if ev.Kind == wordsKind && !seen[ev.Object] {
				seen[ev.Object] = true
				todo = append(todo, ev)
			}
		}
	}
	for part := range slices.Chunk(todo, 32) { // small steps, so that messages get in between
		if err := v.maintain(ctx, tenant, func(tx *Tx) error {
			for _, ev := range part {
				if err := tx.indexRow(ev); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("index words: %w", err)
		}
	}
	return nil
}

func (tx *Tx) indexRow(ev Event) error {
	name, encoded, _ := strings.Cut(ev.Object, ":")
	t := tx.v.tables[name]
	key, err := hex.DecodeString(encoded)
	if t == nil || err != nil {
		return nil // a table that is gone: nothing to find any more
	}
	if err := tx.forgetWords(t, key); err != nil {
		return err
	}
	text, found, err := tx.searchedText(t, key)
	if err != nil || !found {
		return err
	}
	tokens := tx.tokens(text)
	for _, token := range tokens {
		if _, err := tx.conn.Exec("INSERT INTO search_terms (token, source, doc) VALUES (?, ?, ?)", []byte(token), t.name, key); err != nil {
			return err
		}
	}
	_, err = tx.conn.Exec("INSERT INTO search_docs (source, doc, subject, tokens) VALUES (?, ?, ?, ?)",
		t.name, key, plain(reflect.ValueOf(ev.Subject), formSubject), []byte(strings.Join(tokens, "")))
	return err
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

// searchedText reads and opens the searched columns of one row.
func (tx *Tx) searchedText(t *table, key []byte) (text string, found bool, err error) {
	s := tx.sql(t)
	var parts []string
	err = tx.conn.Query(s.get, s.own(tx.actor.is.Tenant, splitKey(t, key)), func(values []any) error {
		found = true
		var subject ids.Subject
		if t.subject >= 0 {
			if b, ok := values[t.subject].([]byte); ok {
				copy(subject[:], b)
			}
		}
		for _, i := range t.searched {
			sealed, _ := values[i].([]byte)
			if sealed == nil {
				continue
			}
			b, err := tx.open(t, &t.columns[i], subject, key, sealed)
			if err != nil {
				return erasedAsAbsent(err, &found)
			}
			parts = append(parts, string(b))
		}
		return nil
	})
	return strings.Join(parts, "\n"), found, err
}

// forgetWords removes a row's tokens.
func (tx *Tx) forgetWords(t *table, key []byte) error {
	if len(t.searched) == 0 {
		return nil
	}
	var tokens []byte
	err := tx.conn.Query("SELECT tokens FROM search_docs WHERE source = ? AND doc = ?", []any{t.name, key}, func(row []any) error {
		tokens = row[0].([]byte)
		return nil
	})
	if err != nil || tokens == nil {
		return err
	}
	return tx.dropTokens(t.name, key, tokens)
}

func (tx *Tx) dropTokens(source string, key, tokens []byte) error {
	for token := range slices.Chunk(tokens, tokenSize) {
		if _, err := tx.conn.Exec("DELETE FROM search_terms WHERE token = ? AND source = ? AND doc = ?", token, source, key); err != nil {
			return err
		}
	}
	_, err := tx.conn.Exec("DELETE FROM search_docs WHERE source = ? AND doc = ?", source, key)
	return err
}

// eraseWords removes the tokens of some of a person's rows and tells how many rows that was.
func (tx *Tx) eraseWords(subject ids.Subject, limit int) (int, error) {
	type doc struct {
		source      string
		key, tokens []byte
	}
	var docs []doc
	err := tx.conn.Query("SELECT source, doc, tokens FROM search_docs WHERE subject = ? LIMIT ?", []any{subject[:], int64(limit)}, func(row []any) error {
		docs = append(docs, doc{row[0].(string), row[1].([]byte), row[2].([]byte)})
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, d := range docs {
		if err := tx.dropTokens(d.source, d.key, d.tokens); err != nil {
			return 0, err
		}
	}
	return len(docs), nil
}

// maxHits bounds a search, whatever is asked for.
const maxHits = 200

// Search finds rows by their words, newest key first: all words must occur, and the last one may be a beginning.
func (tb *Table[T]) Search(tx *Tx, query string, limit int) ([]T, error) {
	asked := words.Asked(query)
	if len(asked) == 0 || len(asked) > 12 {
		return nil, nil
	}
	var terms []string
	for i, raw := range asked {
		for _, w := range words.Of(raw) {
			terms = append(terms, tx.queryToken(w, i == len(asked)-1))
		}
	}
	where := "token = ? AND source = ?"
	args := []any{[]byte(terms[0]), tb.t.name}
	for _, term := range terms[1:] {
		where += " AND EXISTS (SELECT 1 FROM search_terms other WHERE other.token = ? AND other.source = ? AND other.doc = search_terms.doc)"
		args = append(args, []byte(term), tb.t.name)
	}
	var keys [][]byte
	err := tx.conn.Query("SELECT doc FROM search_terms WHERE "+where+" ORDER BY doc DESC LIMIT ?", append(args, int64(maxHits)), func(row []any) error {
		keys = append(keys, row[0].([]byte))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", tb.t.name, err)
	}
	return tb.hits(tx, keys, asked, limit)
}

// queryToken is the longest stored token that the word allows.
func (tx *Tx) queryToken(word string, beginning bool) string {
	if !beginning {
		return tx.token("word", word)
	}
	if beginning, ok := words.Longest(word); ok {
		return tx.token("prefix", beginning)
	}
	return tx.token("word", word)
}

// hits reads the rows and keeps those that really contain what was asked: tokens of beginnings promise less than the query.
func (tb *Table[T]) hits(tx *Tx, keys [][]byte, asked []string, limit int) ([]T, error) {
	var out []T
	for _, key := range keys {
		if len(out) == limit {
			break
		}
		text, found, err := tx.searchedText(tb.t, key)
		if err != nil {
			return nil, err
		}
		if !found || !words.Contain(words.Of(text), asked) {
			continue
		}
		row, err := tb.Get(tx, splitKey(tb.t, key)...)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}
