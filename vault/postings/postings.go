// Package postings finds documents by tokens: an inverted index in a tenant's own store.
//
// A document is filed by writing one row, so that filing costs no more than a message does. Each time some two thousand
// have come together they are merged into a block, in which a token lists its documents. So a search reads what is
// fresh, and one entry per block and token. What words the tokens stand for, and what documents are, the package does
// not know.
package postings

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aver/vault/engine"
)

// TokenSize is the length of a token in bytes.
const TokenSize = 8

// A Token stands for a word or the beginning of one.
type Token [TokenSize]byte

// Join sorts tokens and puts them one after the other, each once. It returns an empty slice for none, never nil.
func Join(tokens []Token) []byte {
	slices.SortFunc(tokens, func(a, b Token) int { return bytes.Compare(a[:], b[:]) })
	tokens = slices.Compact(tokens)
	out := make([]byte, 0, len(tokens)*TokenSize)
	for _, t := range tokens {
		out = append(out, t[:]...)
	}
	return out
}

const (
	blockSize  = 2048    // documents in a block; an ordinal in a block takes two bytes
	sourceSize = 1 << 40 // places that a source may use
	batchSize  = 32      // placeholders in a statement
)

// Doc is a document to be filed.
type Doc struct {
	Key     []byte
	Subject []byte // whom it is about; nil for nobody, and where the key begins with it (preceded by its length)
	Tokens  []byte // sorted, TokenSize bytes each, none twice
}

// source is one kind of documents. Their places are numbers that grow from base.
type source struct {
	name     string
	base     int64
	next     int64 // the first free place
	merged   int64 // places below are in blocks
	building int64 // who merges the next block, a random number
}

// lock reads a source so that nobody else changes it before the transaction ends.
func lock(c engine.Conn, name string) (s source, exists bool, err error) {
	n, err := c.Exec("UPDATE search_sources SET next = next WHERE name = ?", name)
	if err != nil || n == 0 {
		return source{}, false, err
	}
	return find(c, name)
}

func create(c engine.Conn, name string) error {
	all, err := sources(c)
	if err != nil {
		return err
	}
	base := int64(len(all)) * sourceSize
	_, err = c.Exec("INSERT INTO search_sources (name, base, next, merged, building) VALUES (?, ?, ?, ?, 0)", name, base, base, base)
	if errors.Is(err, engine.ErrUnique) { // somebody else was first
		return errors.Join(engine.ErrRetry, err)
	}
	return err
}

func sources(c engine.Conn) (all []source, err error) {
	err = c.Query("SELECT name, base, next, merged, building FROM search_sources ORDER BY base", nil, func(row []any) error {
		all = append(all, source{name: row[0].(string), base: row[1].(int64), next: row[2].(int64), merged: row[3].(int64), building: row[4].(int64)})
		return nil
	})
	return all, err
}

// Filed tells whether anything was ever filed.
func Filed(c engine.Conn) (bool, error) {
	all, err := sources(c)
	return len(all) > 0, err
}

func find(c engine.Conn, name string) (source, bool, error) {
	all, err := sources(c)
	at := slices.IndexFunc(all, func(s source) bool { return s.name == name })
	if err != nil || at < 0 {
		return source{}, false, err
	}
	return all[at], true, nil
}

// Add files documents, in place of what was filed under their keys before.
func Add(c engine.Conn, name string, docs []Doc) error {
	s, exists, err := lock(c, name)
	if err == nil && !exists {
		if err = create(c, name); err == nil {
			s, _, err = find(c, name)
		}
	}
	if err != nil {
		return fmt.Errorf("file words: %w", err)
	}
	keys := make([][]byte, len(docs))
	for i, d := range docs {
		keys[i] = d.Key
	}
	if err := s.forget(c, keys); err != nil {
		return fmt.Errorf("file words: %w", err)
	}
	for _, d := range docs {
		var subject any
		if d.Subject != nil {
			subject = d.Subject
		}
		err := errors.Join(
			put(c, "INSERT INTO search_docs (place, source, doc, subject) VALUES (?, ?, ?, ?)", s.next, name, d.Key, subject),
			put(c, "INSERT INTO search_fresh (place, tokens) VALUES (?, ?)", s.next, d.Tokens))
		if err != nil {
			return fmt.Errorf("file words: %w", err)
		}
		s.next++
	}
	return put(c, "UPDATE search_sources SET next = ? WHERE name = ?", s.next, name)
}

// put executes a statement of which nobody needs to know how many rows it changed.
func put(c engine.Conn, query string, args ...any) error {
	if q, ok := c.(engine.Queuer); ok {
		q.Queue(query, args...)
		return nil
	}
	_, err := c.Exec(query, args...)
	return err
}

var marks = "(?" + strings.Repeat(", ?", batchSize-1) + ")"

// padded fills the placeholders of a batch.
func padded[T any](part []T) []any {
	args := make([]any, batchSize)
	for i := range args {
		args[i] = part[min(i, len(part)-1)]
	}
	return args
}

// Forget removes what was filed under the keys.
func Forget(c engine.Conn, name string, keys [][]byte) error {
	s, exists, err := lock(c, name)
	if err == nil && exists {
		err = s.forget(c, keys)
	}
	if err != nil {
		return fmt.Errorf("forget words: %w", err)
	}
	return nil
}

func (s source) forget(c engine.Conn, keys [][]byte) error {
	places, err := s.places(c, keys)
	if err != nil {
		return err
	}
	return s.remove(c, places)
}

// places are where documents lie.
func (s source) places(c engine.Conn, keys [][]byte) (places []int64, err error) {
	for part := range slices.Chunk(keys, batchSize) {
		err := c.Query("SELECT place FROM search_docs WHERE source = ? AND doc IN "+marks, append([]any{s.name}, padded(part)...), func(row []any) error {
			places = append(places, row[0].(int64))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return places, nil
}

// ForgetSubject removes some of what was filed about a person, and tells how many documents that was.
func ForgetSubject(c engine.Conn, subject []byte, limit int) (int, error) {
	name, places, err := ofSubject(c, subject, limit)
	if err != nil || len(places) == 0 {
		return 0, err
	}
	s, _, err := lock(c, name)
	if err == nil {
		err = s.remove(c, places)
	}
	return len(places), err
}

// ofSubject finds some of a person's documents, all of one source and one block.
func ofSubject(c engine.Conn, subject []byte, limit int) (name string, places []int64, err error) {
	each := func(row []any) error {
		if len(places) == 0 {
			name = row[0].(string)
		}
		if row[0].(string) == name && (len(places) == 0 || row[1].(int64)/blockSize == places[0]/blockSize) {
			places = append(places, row[1].(int64))
		}
		return nil
	}
	err = c.Query("SELECT source, place FROM search_docs WHERE subject = ? ORDER BY place LIMIT ?", []any{subject, int64(limit)}, each)
	if err != nil || len(places) > 0 {
		return name, places, err
	}
	all, err := sources(c)
	if err != nil {
		return "", nil, err
	}
	from := keysOf(subject)
	for _, s := range all {
		query := "SELECT source, place FROM search_docs WHERE source = ? AND doc >= ? AND doc < ? ORDER BY doc LIMIT ?"
		if err := c.Query(query, []any{s.name, from, after(from), int64(limit)}, each); err != nil || len(places) > 0 {
			return name, places, err
		}
	}
	return "", nil, nil
}

// CountSubject tells how many documents are filed about a person.
func CountSubject(c engine.Conn, subject []byte) (n int, err error) {
	each := func(row []any) error { n += int(row[0].(int64)); return nil }
	if err := c.Query("SELECT count(*) FROM search_docs WHERE subject = ?", []any{subject}, each); err != nil {
		return 0, err
	}
	all, err := sources(c)
	from := keysOf(subject)
	for _, s := range all {
		err = errors.Join(err, c.Query("SELECT count(*) FROM search_docs WHERE source = ? AND doc >= ? AND doc < ?", []any{s.name, from, after(from)}, each))
	}
	return n, err
}

// keysOf is how keys begin that begin with whom the document is about.
func keysOf(subject []byte) []byte { return append([]byte{byte(len(subject))}, subject...) }

// after is the first text that does not begin with the prefix.
func after(prefix []byte) []byte {
	out := bytes.Clone(prefix)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]++; out[i] != 0 {
			return out[:i+1]
		}
	}
	return nil // of a prefix that begins with a length there is always one
}

// remove takes documents out of the index: their rows, and their ordinals in the lists of their blocks.
func (s source) remove(c engine.Conn, places []int64) error {
	blocks, err := s.unfile(c, places)
	for block, ordinals := range blocks {
		err = errors.Join(err, strip(c, block, ordinals))
	}
	return err
}

// unfile removes documents' rows, after which no search finds them, and tells which ordinals are left in which blocks.
func (s source) unfile(c engine.Conn, places []int64) (left map[int64][]int64, err error) {
	left = map[int64][]int64{}
	for part := range slices.Chunk(places, batchSize) {
		if err := put(c, "DELETE FROM search_docs WHERE place IN "+marks, padded(part)...); err != nil {
			return nil, err
		}
		fresh := false
		for _, p := range part {
			if p < s.merged {
				left[p/blockSize] = append(left[p/blockSize], p%blockSize)
			} else {
				fresh = true
			}
		}
		if fresh {
			if err := put(c, "DELETE FROM search_fresh WHERE place IN "+marks, padded(part)...); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}

// strip takes ordinals out of a block's lists, and the whole block if nothing else is in it.
func strip(c engine.Conn, block int64, ordinals []int64) error {
	others := false
	err := c.Query("SELECT place FROM search_docs WHERE place >= ? AND place < ? LIMIT 1", []any{block * blockSize, (block + 1) * blockSize}, func([]any) error {
		others = true
		return nil
	})
	if err != nil {
		return err
	}
	if !others {
		return put(c, "DELETE FROM search_terms WHERE block = ?", block)
	}
	type entry struct{ token, list []byte }
	var changed []entry
	err = c.Query("SELECT token, places FROM search_terms WHERE block = ?", []any{block}, func(row []any) error {
		list := row[1].([]byte)
		if left := without(list, ordinals); len(left) < len(list) {
			changed = append(changed, entry{row[0].([]byte), left})
		}
		return nil
	})
	for _, e := range changed {
		err = errors.Join(err, store(c, block, e.token, e.list))
	}
	return err
}

// store puts a token's shorter list in place of the one before; one without ordinals goes.
func store(c engine.Conn, block int64, token, list []byte) error {
	if len(list) == 0 {
		return put(c, "DELETE FROM search_terms WHERE block = ? AND token = ?", block, token)
	}
	return put(c, "UPDATE search_terms SET places = ? WHERE block = ? AND token = ?", list, block, token)
}

func without(list []byte, ordinals []int64) []byte {
	out := make([]byte, 0, len(list))
	for pair := range slices.Chunk(list, 2) {
		if !slices.Contains(ordinals, ordinal(pair)) {
			out = append(out, pair...)
		}
	}
	return out
}

func ordinal(pair []byte) int64 { return int64(pair[0])<<8 | int64(pair[1]) }

// has tells whether a sorted list of tokens contains one.
func has(tokens, token []byte) bool {
	low, high := 0, len(tokens)/TokenSize
	for low < high {
		mid := (low + high) / 2
		switch bytes.Compare(tokens[mid*TokenSize:(mid+1)*TokenSize], token) {
		case 0:
			return true
		case -1:
			low = mid + 1
		default:
			high = mid
		}
	}
	return false
}
