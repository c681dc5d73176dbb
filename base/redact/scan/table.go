package scan

// The constants of FNV-1a, 64 bits.
const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

// Hash is the hash of a word as Fold leaves it: what Token.Hash is of a token.
func Hash(folded string) uint64 {
	h := uint64(offset)
	for i := range len(folded) {
		h = (h ^ uint64(folded[i])) * prime
	}
	return h
}

// Stem is the hash of a word without its last letter, from the word's: each step of FNV-1a can be taken back.
func Stem(hash uint64, last byte) uint64 { return hash*inverse ^ uint64(last) }

// inverse times prime is 1, modulo 2^64.
const inverse = 0xce965057aff6957b

// Table finds what is known of words by their hashes. Two words with one hash of 64 bits are taken for the same: with some thousand
// words that does not happen by chance, and who brings it about gets a word redacted.
type Table[V any] struct {
	mask  uint64
	slots []slot[V]
	n     int
}

type slot[V any] struct {
	hash  uint64
	value V
	taken bool
}

// Get is what is known of a word.
func (t *Table[V]) Get(hash uint64) (value V, known bool) {
	if t.n == 0 {
		return value, false
	}
	for i := hash & t.mask; ; i = (i + 1) & t.mask {
		s := &t.slots[i]
		if !s.taken {
			return value, false
		}
		if s.hash == hash {
			return s.value, true
		}
	}
}

// Put sets what is known of a word.
func (t *Table[V]) Put(hash uint64, value V) {
	if 3*t.n >= len(t.slots) {
		t.grow()
	}
	i := hash & t.mask
	for t.slots[i].taken && t.slots[i].hash != hash {
		i = (i + 1) & t.mask
	}
	if !t.slots[i].taken {
		t.n++
	}
	t.slots[i] = slot[V]{hash, value, true}
}

// Len is how many words there are.
func (t *Table[V]) Len() int { return t.n }

// Clear forgets all words and keeps the room.
func (t *Table[V]) Clear() {
	if t.n > 0 {
		clear(t.slots)
		t.n = 0
	}
}

func (t *Table[V]) grow() {
	old := t.slots
	size := max(32, 4*len(old))
	t.slots, t.mask, t.n = make([]slot[V], size), uint64(size-1), 0
	for _, s := range old {
		if s.taken {
			t.Put(s.hash, s.value)
		}
	}
}
