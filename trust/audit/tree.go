package audit

import (
	"context"
	"fmt"

	merkle "golang.org/x/mod/sumdb/tlog"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/trust/identity"
	"aver/vault"
)

const (
	blockBits = 12
	blockSize = 1 << blockBits // entries that are indexed together
)

// tree gives the hashes of a log: the roots of full blocks come from the index, what is below from the entries.
type tree struct {
	ctx    context.Context
	vault  *vault.Vault
	tenant ids.Tenant
	size   int64
	roots  []tlog.Hash
	leaves map[int64][]tlog.Hash
}

func (s *Service) tree(ctx context.Context, tenant ids.Tenant, size int64) (*tree, error) {
	t := &tree{ctx: ctx, vault: s.vault, tenant: tenant, size: size, leaves: map[int64][]tlog.Hash{}}
	err := s.vault.View(ctx, identity.System(tenant, "audit"), actRead, func(tx *vault.Tx) error {
		blocks, err := Blocks.Find(tx, "number < ? ORDER BY number", size>>blockBits)
		if err != nil {
			return err
		}
		for i, b := range blocks {
			root, err := merkle.ParseHash(b.Root)
			if err != nil || b.Number != int64(i) {
				return fmt.Errorf("read the index of the log: block %d is damaged", i)
			}
			t.roots = append(t.roots, root)
		}
		return nil
	})
	return t, err
}

// ReadHashes makes it a tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
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

func (t *tree) subtree(level int, n int64) (tlog.Hash, error) {
	var edge tlog.Frontier
	if level < blockBits {
		leaves, err := t.block(n << level >> blockBits)
		if err != nil {
			return tlog.Hash{}, err
		}
		first := n << level & (blockSize - 1)
		for _, leaf := range leaves[first : first+1<<level] {
			edge.Append(leaf)
		}
		return edge.Root(), nil
	}
	first := n << (level - blockBits)
	for b := first; b < first+1<<(level-blockBits); b++ {
		root, err := t.root(b)
		if err != nil {
			return tlog.Hash{}, err
		}
		edge.Append(root)
	}
	return edge.Root(), nil
}

func (t *tree) root(block int64) (tlog.Hash, error) {
	if block < int64(len(t.roots)) {
		return t.roots[block], nil
	}
	leaves, err := t.block(block)
	if err != nil {
		return tlog.Hash{}, err
	}
	return fold(leaves), nil
}

func fold(hashes []tlog.Hash) tlog.Hash {
	var edge tlog.Frontier
	for _, hash := range hashes {
		edge.Append(hash)
	}
	return edge.Root()
}

// block is the leaf hashes of a block, as far as it lies within the log.
func (t *tree) block(n int64) ([]tlog.Hash, error) {
	if known := t.leaves[n]; known != nil {
		return known, nil
	}
	want := min(blockSize, t.size-n<<blockBits)
	leaves := make([]tlog.Hash, 0, want)
	_, err := t.vault.Journal(t.ctx, t.tenant, n<<blockBits, want, func(entry []byte) error {
		leaves = append(leaves, tlog.LeafHash(entry))
		return nil
	})
	if err == nil && int64(len(leaves)) != want {
		err = fmt.Errorf("read the log: %d entries are missing from block %d", want-int64(len(leaves)), n)
	}
	t.leaves[n] = leaves
	return leaves, err
}
