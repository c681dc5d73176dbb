package postings

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"aver/vault/engine"
)

// stepSize is how many tokens are written in one transaction of a merge, so that others are not held up.
const stepSize = 400

// Store runs transactions on a tenant's store.
type Store struct {
	Read  func(func(engine.Conn) error) error
	Write func(func(engine.Conn) error) error
}

// errElsewhere ends a merge that somebody else has finished or taken over.
var errElsewhere = errors.New("merged elsewhere")

// Merge makes blocks of what is fresh, for as long as there is a whole block of it. It takes many small transactions;
// what is interrupted begins anew the next time, and until a block is complete nobody looks into it.
func Merge(on Store, name string) error {
	for {
		m := &merge{mine: rand.Int64()}
		err := on.Read(func(c engine.Conn) error { return m.gather(c, name) })
		if err == nil && m.source.name == "" { // not a whole block
			return nil
		}
		if err == nil {
			err = m.write(on)
		}
		if errors.Is(err, errElsewhere) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("merge words: %w", err)
		}
	}
}

// merge is one block in the making.
type merge struct {
	source source
	mine   int64
	places []int64 // of the documents in it
	tokens map[string][]byte
}

func (m *merge) gather(c engine.Conn, name string) error {
	m.places, m.tokens = nil, map[string][]byte{}
	s, exists, err := find(c, name)
	if err != nil || !exists || s.next-s.merged < blockSize {
		return err
	}
	m.source = s
	return c.Query("SELECT place, tokens FROM search_fresh WHERE place >= ? AND place < ? ORDER BY place", []any{s.merged, s.merged + blockSize}, func(row []any) error {
		place := row[0].(int64)
		m.places = append(m.places, place)
		for token := range slices.Chunk(row[1].([]byte), TokenSize) {
			m.tokens[string(token)] = append(m.tokens[string(token)], byte(place%blockSize>>8), byte(place%blockSize))
		}
		return nil
	})
}

func (m *merge) write(on Store) error {
	block := m.source.merged / blockSize
	err := on.Write(func(c engine.Conn) error { // what an interrupted merge left
		s, _, err := lock(c, m.source.name)
		if err != nil {
			return err
		}
		if s.merged != m.source.merged {
			return errElsewhere
		}
		return errors.Join(put(c, "DELETE FROM search_terms WHERE block = ?", block),
			put(c, "UPDATE search_sources SET building = ? WHERE name = ?", m.mine, s.name))
	})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(m.tokens)), stepSize) {
		err := on.Write(func(c engine.Conn) error {
			if err := m.own(c); err != nil {
				return err
			}
			for _, token := range part {
				if err := put(c, "INSERT INTO search_terms (block, token, places) VALUES (?, ?, ?)", block, []byte(token), m.tokens[token]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return on.Write(m.finish)
}

// own fails if somebody else merges this block.
func (m *merge) own(c engine.Conn) error {
	s, _, err := lock(c, m.source.name)
	if err == nil && (s.building != m.mine || s.merged != m.source.merged) {
		return errElsewhere
	}
	return err
}

// finish opens the block to searches, unless a document was forgotten since the merge began: then it begins anew.
func (m *merge) finish(c engine.Conn) error {
	if err := m.own(c); err != nil {
		return err
	}
	from, to := m.source.merged, m.source.merged+blockSize
	var places []int64
	err := c.Query("SELECT place FROM search_fresh WHERE place >= ? AND place < ? ORDER BY place", []any{from, to}, func(row []any) error {
		places = append(places, row[0].(int64))
		return nil
	})
	if err != nil {
		return err
	}
	if !slices.Equal(places, m.places) {
		return put(c, "DELETE FROM search_terms WHERE block = ?", from/blockSize)
	}
	return errors.Join(put(c, "DELETE FROM search_fresh WHERE place >= ? AND place < ?", from, to),
		put(c, "UPDATE search_sources SET merged = ? WHERE name = ?", to, m.source.name))
}
