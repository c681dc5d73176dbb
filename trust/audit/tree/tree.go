// Package tree computes the inner hashes of a long log from the roots of its full blocks, which are kept, and from the
// entries of the others.
package tree

import (
	"fmt"

	merkle "golang.org/x/mod/sumdb/tlog"

	"aver/base/tlog"
)

const (
	BlockBits = 12
	BlockSize = 1 << BlockBits // entries whose root is kept together
)

// Read calls each with up to most entries of the log from the given one, and returns how many there were.
type Read func(from, most int64, each func(entry []byte) error) (int64, error)

// Tree gives the hashes of a log: the roots of full blocks are known, what is below comes from the entries.
type Tree struct {
	size   int64
	roots  []tlog.Hash
	read   Read
	leaves map[int64][]tlog.Hash
}

// New is the tree of a log's first size entries, of whose blocks the first have these roots.
func New(size int64, roots []tlog.Hash, read Read) *Tree {
	return &Tree{size: size, roots: roots, read: read, leaves: map[int64][]tlog.Hash{}}
}

// ReadHashes makes it a tlog.HashReader.
func (t *Tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := merkle.SplitStoredHashIndex(index)
		if (n+1)<<level > t.size {
			return nil, fmt.Errorf("read hash %d of a log of %d entries: outside", index, t.size)
		}
		hash, err := t.subtree(level, n)
		if err != nil {
			return nil, err
		}
		out[i] = hash
	}
	return out, nil
}

func (t *Tree) subtree(level int, n int64) (tlog.Hash, error) {
	var edge tlog.Frontier
	if level < BlockBits {
		leaves, err := t.block(n << level >> BlockBits)
		if err != nil {
			return tlog.Hash{}, err
		}
		first := n << level & (BlockSize - 1)
		for _, leaf := range leaves[first : first+1<<level] {
			edge.Append(leaf)
		}
		return edge.Root(), nil
	}
	first := n << (level - BlockBits)
	for b := first; b < first+1<<(level-BlockBits); b++ {
		root, err := t.root(b)
		if err != nil {
			return tlog.Hash{}, err
		}
		edge.Append(root)
	}
	return edge.Root(), nil
}

func (t *Tree) root(block int64) (tlog.Hash, error) {
	if block < int64(len(t.roots)) {
		return t.roots[block], nil
	}
	leaves, err := t.block(block)
	if err != nil {
		return tlog.Hash{}, err
	}
	return Fold(leaves), nil
}

// Fold is the root over hashes, the first of which begins a subtree.
func Fold(hashes []tlog.Hash) tlog.Hash {
	var edge tlog.Frontier
	for _, hash := range hashes {
		edge.Append(hash)
	}
	return edge.Root()
}

// block is the leaf hashes of a block, as far as it lies within the log.
func (t *Tree) block(n int64) ([]tlog.Hash, error) {
	if known := t.leaves[n]; known != nil {
		return known, nil
	}
	want := min(BlockSize, t.size-n<<BlockBits)
	leaves := make([]tlog.Hash, 0, want)
	_, err := t.read(n<<BlockBits, want, func(entry []byte) error {
		leaves = append(leaves, tlog.LeafHash(entry))
		return nil
	})
	if err == nil && int64(len(leaves)) != want {
		err = fmt.Errorf("read the log: %d entries are missing from block %d", want-int64(len(leaves)), n)
	}
	t.leaves[n] = leaves
	return leaves, err
}
