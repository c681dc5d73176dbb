// Package tlog is the arithmetic of tamper-evident logs: leaf hashes, the right edge of a growing Merkle tree, proofs,
// signed checkpoints, and the audit bundle that an auditor verifies offline.
//
// It stores nothing and opens nothing; it works on bytes, an io.Reader or an io.Writer. Trees are those of RFC 6962 §2.1.
// Whoever wants to know whether a log is intact uses Verify, which recomputes every hash from the entries. Do not use a
// HashReader for that: proofs made from one are only as honest as the hashes it has stored.
package tlog

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"

	merkle "golang.org/x/mod/sumdb/tlog"
)

// Hash is a SHA-256 leaf, node or root hash. In text it is base64.
type Hash = merkle.Hash

// HashSize is the length of a Hash in bytes.
const HashSize = merkle.HashSize

// HashReader returns hashes of complete subtrees by their stored index: merkle.SplitStoredHashIndex of
// golang.org/x/mod/sumdb/tlog gives level and number. It returns as many hashes as it was asked for, or an error.
type HashReader = merkle.HashReader

// MaxSize is the largest log that is dealt with, in entries. It keeps sizes that a forger makes up out of the arithmetic.
const MaxSize = 1 << 48

// ErrProof says that a proof does not show what it was offered for.
var ErrProof = errors.New("proof does not hold")

// LeafHash is the hash of an entry as a leaf: SHA-256 of a zero byte and the entry (RFC 6962 §2.1).
func LeafHash(entry []byte) Hash { return merkle.RecordHash(entry) }

// EmptyRoot is the root of a log without entries.
func EmptyRoot() Hash { return sha256.Sum256(nil) }

// ProveInclusion returns the proof that entry index is in the log of the given size (RFC 6962 §2.1.1).
func ProveInclusion(r HashReader, size, index int64) ([]Hash, error) {
	if size > MaxSize {
		return nil, fmt.Errorf("prove entry %d in a log of %d: %w", index, size, ErrMalformed)
	}
	proof, err := merkle.ProveRecord(size, index, r)
	if err != nil {
		return nil, fmt.Errorf("prove entry %d in a log of %d: %w", index, size, err)
	}
	return proof, nil
}

// CheckInclusion checks that a log with this size and root has the leaf at index. It returns ErrProof if not.
func CheckInclusion(proof []Hash, size int64, root Hash, index int64, leaf Hash) error {
	if size > MaxSize || merkle.CheckRecord(proof, size, root, index, leaf) != nil {
		return ErrProof
	}
	return nil
}

// ProveConsistency returns the proof that the log of newer entries begins with the log of older ones (RFC 6962 §2.1.2).
// Every log begins with the empty one; that proof is empty.
func ProveConsistency(r HashReader, newer, older int64) ([]Hash, error) {
	if newer > MaxSize {
		return nil, fmt.Errorf("prove that a log of %d begins with %d: %w", newer, older, ErrMalformed)
	}
	if older == 0 && newer >= 0 {
		return nil, nil
	}
	proof, err := merkle.ProveTree(newer, older, r)
	if err != nil {
		return nil, fmt.Errorf("prove that a log of %d begins with %d: %w", newer, older, err)
	}
	return proof, nil
}

// CheckConsistency checks that the newer log begins with the older one. It returns ErrProof if not.
func CheckConsistency(proof []Hash, newer int64, newerRoot Hash, older int64, olderRoot Hash) error {
	if older == 0 && newer >= 0 && len(proof) == 0 && olderRoot == EmptyRoot() {
		return nil
	}
	if newer > MaxSize || merkle.CheckTree(proof, newer, newerRoot, older, olderRoot) != nil {
		return ErrProof
	}
	return nil
}

// Frontier is the right edge of a growing tree: the roots of its complete subtrees, at most 48, largest first. It is
// all that appending needs. The zero value is the empty log. A copy is independent, so a transaction that may be rolled
// back works on a copy.
type Frontier struct {
	size  int64
	edges [48]Hash // the first OnesCount64(size) are in use
}

// Size is the number of leaves.
func (f *Frontier) Size() int64 { return f.size }

// Append adds a leaf hash.
func (f *Frontier) Append(leaf Hash) {
	top := bits.OnesCount64(uint64(f.size))
	for s := f.size; s&1 == 1; s >>= 1 {
		top--
		leaf = merkle.NodeHash(f.edges[top], leaf)
	}
	f.edges[top] = leaf
	f.size++
}

// Root is the root of the tree so far.
func (f *Frontier) Root() Hash {
	top := bits.OnesCount64(uint64(f.size)) - 1
	if top < 0 {
		return EmptyRoot()
	}
	root := f.edges[top]
	for top--; top >= 0; top-- {
		root = merkle.NodeHash(f.edges[top], root)
	}
	return root
}

// Bytes is the stored form: the size as 8 bytes, then the edges of 32 bytes each.
func (f *Frontier) Bytes() []byte {
	out := appendInt(nil, f.size)
	for _, edge := range f.edges[:bits.OnesCount64(uint64(f.size))] {
		out = append(out, edge[:]...)
	}
	return out
}

// ParseFrontier reads the stored form. It checks the length only; a wrong edge shows when the log is verified.
func ParseFrontier(stored []byte) (Frontier, error) {
	r := fields{b: stored}
	f := Frontier{size: r.int()}
	for i := range bits.OnesCount64(uint64(min(f.size, MaxSize))) {
		f.edges[i] = r.hash()
	}
	if !r.done() || f.size > MaxSize {
		return Frontier{}, fmt.Errorf("read frontier: %d bytes do not fit a log of %d entries", len(stored), f.size)
	}
	return f, nil
}
