package postings

import (
	"fmt"
	"slices"

	"aver/vault/engine"
)

// Search returns the keys of documents that have all the tokens, the last filed first, at most limit of them.
func Search(c engine.Conn, name string, tokens [][]byte, limit int) ([][]byte, error) {
	s, exists, err := find(c, name)
	if err != nil || !exists || len(tokens) == 0 {
		return nil, err
	}
	places, err := s.fresh(c, tokens, limit)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	first, last := s.base/blockSize, s.merged/blockSize-1
	for high := last; high >= first && len(places) < limit; high -= batchSize {
		found, err := inBlocks(c, max(first, high-batchSize+1), high, tokens)
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		places = append(places, found...)
	}
	return documents(c, places[:min(len(places), limit)])
}

// fresh looks through what is in no block yet.
func (s source) fresh(c engine.Conn, tokens [][]byte, limit int) (places []int64, err error) {
	query := "SELECT place, tokens FROM search_fresh WHERE place >= ? AND place < ? ORDER BY place DESC"
	err = c.Query(query, []any{s.merged, s.next}, func(row []any) error {
		list := row[1].([]byte)
		if len(places) < limit && !slices.ContainsFunc(tokens, func(t []byte) bool { return !has(list, t) }) {
			places = append(places, row[0].(int64))
		}
		return nil
	})
	return places, err
}

// inBlocks looks through at most batchSize blocks, the last one first.
func inBlocks(c engine.Conn, low, high int64, tokens [][]byte) ([]int64, error) {
	var blocks []int64
	for b := high; b >= low; b-- {
		blocks = append(blocks, b)
	}
	var common map[int64]bool
	for _, token := range tokens {
		these := map[int64]bool{}
		query := "SELECT block, places FROM search_terms WHERE token = ? AND block IN " + marks
		err := c.Query(query, append([]any{token}, padded(blocks)...), func(row []any) error {
			for pair := range slices.Chunk(row[1].([]byte), 2) {
				place := row[0].(int64)*blockSize + ordinal(pair)
				if common == nil || common[place] {
					these[place] = true
				}
			}
			return nil
		})
		if err != nil || len(these) == 0 {
			return nil, err
		}
		common = these
	}
	places := make([]int64, 0, len(common))
	for p := range common {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b int64) int { return int(b - a) })
	return places, nil
}

// documents returns the keys of the documents at these places, in their order.
func documents(c engine.Conn, places []int64) ([][]byte, error) {
	keys := map[int64][]byte{}
	for part := range slices.Chunk(places, batchSize) {
		err := c.Query("SELECT place, doc FROM search_docs WHERE place IN "+marks, padded(part), func(row []any) error {
			keys[row[0].(int64)] = row[1].([]byte)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
	}
	out := make([][]byte, 0, len(places))
	for _, p := range places {
		if key := keys[p]; key != nil {
			out = append(out, key)
		}
	}
	return out, nil
}
