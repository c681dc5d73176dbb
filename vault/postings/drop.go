package postings

import (
	"errors"
	"fmt"

	"aver/vault/engine"
)

// Drop removes many documents at once. No search finds them any more, but the lists of their blocks still have their
// ordinals, which stand for nothing then: Tidy takes them out. For a sweep, which empties block after block, that is much
// less work than stripping every list once for each part of a block.
func Drop(c engine.Conn, name string, keys [][]byte) error {
	s, exists, err := lock(c, name)
	if err != nil || !exists {
		return err
	}
	places, err := s.places(c, keys)
	if err != nil {
		return fmt.Errorf("drop words: %w", err)
	}
	left, err := s.unfile(c, places)
	for block := range left {
		err = errors.Join(err, put(c, "DELETE FROM search_stale WHERE block = ?", block), // Tidy may be on its way through the lists: it begins anew
			put(c, "INSERT INTO search_stale (block, token) VALUES (?, ?)", block, []byte{}))
	}
	if err != nil {
		return fmt.Errorf("drop words: %w", err)
	}
	return nil
}

// Stale tells whether Drop has left something for Tidy.
func Stale(c engine.Conn) (stale bool, err error) {
	err = c.Query("SELECT block FROM search_stale ORDER BY block LIMIT 1", nil, func([]any) error { stale = true; return nil })
	return stale, err
}

// Tidy does a part of what Drop has left, up to so many tokens of one block. It is called until Stale says no.
func Tidy(c engine.Conn, tokens int) error {
	var block int64
	var after []byte
	stale := false
	err := c.Query("SELECT block, token FROM search_stale ORDER BY block LIMIT 1", nil, func(row []any) error {
		stale = true
		block, after = row[0].(int64), row[1].([]byte)
		return nil
	})
	if err != nil || !stale {
		return err
	}
	live, err := ordinals(c, block)
	if err != nil {
		return fmt.Errorf("tidy words: %w", err)
	}
	var more bool
	if len(live) == 0 {
		more, err = clear(c, block, tokens)
	} else {
		more, err = sift(c, block, after, live, tokens)
	}
	if err == nil && !more {
		err = put(c, "DELETE FROM search_stale WHERE block = ?", block)
	}
	if err != nil {
		return fmt.Errorf("tidy words: %w", err)
	}
	return nil
}

// ordinals are those of the documents that a block still has, after its source was locked.
func ordinals(c engine.Conn, block int64) (map[int64]bool, error) {
	all, err := sources(c)
	for _, s := range all {
		if first := block * blockSize; first >= s.base && first < s.base+sourceSize && err == nil {
			_, _, err = lock(c, s.name)
		}
	}
	if err != nil {
		return nil, err
	}
	live := map[int64]bool{}
	err = c.Query("SELECT place FROM search_docs WHERE place >= ? AND place < ?", []any{block * blockSize, (block + 1) * blockSize}, func(row []any) error {
		live[row[0].(int64)%blockSize] = true
		return nil
	})
	return live, err
}

// clear removes the next lists of a block that has no documents.
func clear(c engine.Conn, block int64, tokens int) (more bool, err error) {
	var end []byte
	err = c.Query("SELECT token FROM search_terms WHERE block = ? ORDER BY token LIMIT 1 OFFSET ?", []any{block, int64(tokens)}, func(row []any) error {
		end = row[0].([]byte)
		return nil
	})
	if err != nil {
		return false, err
	}
	if end == nil {
		return false, put(c, "DELETE FROM search_terms WHERE block = ?", block)
	}
	return true, put(c, "DELETE FROM search_terms WHERE block = ? AND token < ?", block, end)
}

// sift takes ordinals without a document out of a block's next lists.
func sift(c engine.Conn, block int64, after []byte, live map[int64]bool, tokens int) (more bool, err error) {
	type entry struct{ token, list []byte }
	var lists []entry
	err = c.Query("SELECT token, places FROM search_terms WHERE block = ? AND token > ? ORDER BY token LIMIT ?", []any{block, after, int64(tokens)}, func(row []any) error {
		lists = append(lists, entry{row[0].([]byte), row[1].([]byte)})
		return nil
	})
	for _, e := range lists {
		left := make([]byte, 0, len(e.list))
		for i := 0; i+1 < len(e.list); i += 2 {
			if live[ordinal(e.list[i:i+2])] {
				left = append(left, e.list[i:i+2]...)
			}
		}
		if err == nil && len(left) < len(e.list) {
			err = store(c, block, e.token, left)
		}
	}
	if err != nil || len(lists) < tokens {
		return false, err
	}
	return true, put(c, "UPDATE search_stale SET token = ? WHERE block = ?", lists[len(lists)-1].token, block)
}
