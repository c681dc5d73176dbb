package tlog_test

import (
	"bytes"
	"errors"
	"testing"

	merkle "golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"aver/base/tlog"
)

// oracle keeps every stored hash the way golang.org/x/mod does.
type oracle []tlog.Hash

func (o oracle) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = o[x]
	}
	return out, nil
}

func (o *oracle) add(t fataler, n int, leaf tlog.Hash) {
	hashes, err := merkle.StoredHashesForRecordHash(int64(n), leaf, *o)
	if err != nil {
		t.Fatal(err)
	}
	*o = append(*o, hashes...)
}

type fataler interface{ Fatal(...any) }

func leafHashes(t *rapid.T, least int) tree {
	n := rapid.IntRange(least, 600).Draw(t, "leaves")
	salt := rapid.Byte().Draw(t, "salt")
	out := make(tree, n)
	for i := range out {
		out[i] = tlog.LeafHash([]byte{salt, byte(i), byte(i >> 8)})
	}
	return out
}

func TestLeafHashIsTheRecordHashOfRFC6962(t *testing.T) {
	t.Parallel()
	for n := range 1200 {
		e := bytes.Repeat([]byte{byte(n)}, n)
		if tlog.LeafHash(e) != merkle.RecordHash(e) {
			t.Fatalf("leaf hash of %d bytes differs", n)
		}
	}
	if max := make([]byte, tlog.MaxEntry); tlog.LeafHash(max) != merkle.RecordHash(max) {
		t.Fatal("leaf hash of the longest entry differs")
	}
}

func TestFrontierHasTheRootOfTheWholeTree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		leaves := leafHashes(t, 0)
		stop := rapid.IntRange(0, len(leaves)).Draw(t, "stored and read again at")
		var f tlog.Frontier
		var stored oracle
		for i, leaf := range leaves {
			if i == stop {
				again, err := tlog.ParseFrontier(f.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				f = again
			}
			f.Append(leaf)
			stored.add(t, i, leaf)
		}
		want, err := merkle.TreeHash(int64(len(leaves)), stored)
		if err != nil {
			t.Fatal(err)
		}
		if f.Root() != want || f.Size() != int64(len(leaves)) {
			t.Fatalf("root of %d leaves differs", len(leaves))
		}
		direct, err := merkle.TreeHash(int64(len(leaves)), leaves)
		if err != nil || direct != want {
			t.Fatalf("the whole tree gives another root, %v", err)
		}
	})
}

func TestCopyOfAFrontierIsIndependent(t *testing.T) {
	t.Parallel()
	var f tlog.Frontier
	for i := range 11 {
		f.Append(tlog.LeafHash([]byte{byte(i)}))
	}
	before := f.Root()
	tried := f
	for range 20 {
		tried.Append(tlog.Hash{1})
	}
	if f.Root() != before || f.Size() != 11 {
		t.Fatal("appending to a copy changed the original")
	}
}

func TestFrontierOfAnotherLengthIsRefused(t *testing.T) {
	t.Parallel()
	var f tlog.Frontier
	for range 5 {
		f.Append(tlog.Hash{})
	}
	stored := f.Bytes()
	for n := range len(stored) {
		if _, err := tlog.ParseFrontier(stored[:n]); err == nil {
			t.Fatalf("%d of %d bytes were accepted", n, len(stored))
		}
	}
	for _, bad := range [][]byte{append(stored, 0), bytes.Repeat([]byte{0xff}, 8+63*32), {0x40, 0, 0, 0, 0, 0, 0, 0}} {
		if _, err := tlog.ParseFrontier(bad); err == nil {
			t.Fatalf("% x was accepted", bad[:8])
		}
	}
}

func TestInclusionProofHoldsForItsEntryOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		leaves := leafHashes(t, 1)
		size := int64(len(leaves))
		index := rapid.Int64Range(0, size-1).Draw(t, "index")
		root, _ := merkle.TreeHash(size, leaves)
		proof, err := tlog.ProveInclusion(leaves, size, index)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckInclusion(proof, size, root, index, leaves[index]); err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckInclusion(proof, size, root, index, tlog.Hash{}); !errors.Is(err, tlog.ErrProof) {
			t.Fatalf("another leaf: %v", err)
		}
		for i := range proof {
			proof[i][0] ^= 1
			if err := tlog.CheckInclusion(proof, size, root, index, leaves[index]); !errors.Is(err, tlog.ErrProof) {
				t.Fatalf("altered proof: %v", err)
			}
			proof[i][0] ^= 1
		}
	})
}

func TestConsistencyProofHoldsForThatPastOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		leaves := leafHashes(t, 1)
		newer := int64(len(leaves))
		older := rapid.Int64Range(0, newer).Draw(t, "older")
		newRoot, _ := merkle.TreeHash(newer, leaves)
		oldRoot, _ := merkle.TreeHash(older, leaves)
		proof, err := tlog.ProveConsistency(leaves, newer, older)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckConsistency(proof, newer, newRoot, older, oldRoot); err != nil {
			t.Fatal(err)
		}
		oldRoot[0] ^= 1
		if err := tlog.CheckConsistency(proof, newer, newRoot, older, oldRoot); !errors.Is(err, tlog.ErrProof) {
			t.Fatalf("another past: %v", err)
		}
	})
}

func TestImpossibleSizesAreRefused(t *testing.T) {
	t.Parallel()
	leaves := tree{{1}, {2}, {3}}
	for _, size := range []int64{-1, 4, tlog.MaxSize, tlog.MaxSize + 1, 1<<63 - 1} {
		if _, err := tlog.ProveInclusion(leaves, size, 0); err == nil {
			t.Errorf("inclusion in %d entries was proved from 3", size)
		}
		if _, err := tlog.ProveConsistency(leaves, size, 2); err == nil {
			t.Errorf("consistency of %d entries was proved from 3", size)
		}
		if err := tlog.CheckInclusion(nil, size, tlog.Hash{}, 0, tlog.Hash{}); err == nil {
			t.Errorf("inclusion in %d entries was believed", size)
		}
		if err := tlog.CheckConsistency(nil, size, tlog.Hash{}, 1, tlog.Hash{}); err == nil {
			t.Errorf("consistency of %d entries was believed", size)
		}
	}
}
