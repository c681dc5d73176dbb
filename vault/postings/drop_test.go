package postings_test

import (
	"testing"

	"aver/vault/engine"
	"aver/vault/postings"
)

// dropped removes documents as a sweep does.
func dropped(t *testing.T, s postings.Store, source string, from, to int) {
	t.Helper()
	var keys [][]byte
	for ; from < to; from++ {
		keys = append(keys, document(from).Key)
	}
	write(t, s, func(c engine.Conn) error { return postings.Drop(c, source, keys) })
}

// tidied takes what is left out of the lists, in steps of so many, and tells how many steps that took.
func tidied(t *testing.T, s postings.Store, tokens int) (steps int) {
	t.Helper()
	for ; ; steps++ {
		stale := false
		if err := s.Read(func(c engine.Conn) (err error) { stale, err = postings.Stale(c); return err }); err != nil {
			t.Fatal(err)
		}
		if !stale {
			return steps
		}
		write(t, s, func(c engine.Conn) error { return postings.Tidy(c, tokens) })
	}
}

// lists are all tokens that blocks still have, with how many ordinals.
func lists(t *testing.T, s postings.Store) map[string]int {
	t.Helper()
	out := map[string]int{}
	err := s.Read(func(c engine.Conn) error {
		return c.Query("SELECT token, places FROM search_terms", nil, func(row []any) error {
			out[string(row[0].([]byte))] += len(row[1].([]byte)) / 2
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatIsDroppedIsFoundNoMoreAndThenGoneFromTheLists(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s postings.Store) {
		const block = 2048
		add(t, s, "notes", 0, 2*block+100)
		merge(t, s, "notes")
		dropped(t, s, "notes", 0, block+block/2)             // a block and half of the next
		dropped(t, s, "notes", 2*block, 2*block+50)          // some in no block yet
		for _, n := range []int{7, block + 3, 2*block + 7} { // each was dropped
			if found := search(t, s, "notes", 10, 1000+n); len(found) != 0 {
				t.Errorf("document %d is found after it was dropped", n)
			}
		}
		for _, n := range []int{block + block/2, 2*block - 1, 2*block + 60} {
			if found := search(t, s, "notes", 10, 1000+n); len(found) != 1 || found[0] != string(document(n).Key) {
				t.Errorf("document %d, which stays, is found as %q", n, found)
			}
		}
		if steps := tidied(t, s, 300); steps < block/300 {
			t.Errorf("tidied in %d steps: more than 300 lists at once", steps)
		}
		left := lists(t, s)
		if left[string(number(0))] != block/2 {
			t.Errorf("%d ordinals are left under what all documents have, want %d", left[string(number(0))], block/2)
		}
		if _, there := left[string(number(1000+7))]; there {
			t.Error("a dropped document's own token is still there")
		}
		if _, there := left[string(number(1000+block+block/2))]; !there {
			t.Error("the token of a document that stays is gone")
		}
	})
}

func TestWhatIsDroppedWhileListsAreTidiedGoesToo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s postings.Store) {
		const block = 2048
		add(t, s, "notes", 0, block)
		merge(t, s, "notes")
		dropped(t, s, "notes", 0, 10)
		write(t, s, func(c engine.Conn) error { return postings.Tidy(c, block) }) // not the whole block
		dropped(t, s, "notes", 10, 20)
		tidied(t, s, block)
		left := lists(t, s)
		for n := range 20 {
			if _, there := left[string(number(1000+n))]; there {
				t.Errorf("the token of document %d is still there", n)
			}
		}
		if left[string(number(0))] != block-20 {
			t.Errorf("%d ordinals are left, want %d", left[string(number(0))], block-20)
		}
	})
}
