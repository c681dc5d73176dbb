package tlog_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	merkle "golang.org/x/mod/sumdb/tlog"

	"aver/base/tlog"
)

const (
	tenantOrigin       = "log.example/tenant/ten_1"
	installationOrigin = "log.example"
)

// newSigner makes the installation's signer; a different letter gives a different key.
func newSigner(t testing.TB, letter byte) *tlog.Signer {
	t.Helper()
	s, err := tlog.NewSigner(installationOrigin, bytes.Repeat([]byte{letter}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func entry(index, micros int64, body string) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(index))
	return append(binary.BigEndian.AppendUint64(b, uint64(micros)), body...)
}

// history makes n entries, a millisecond apart.
func history(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = entry(int64(i), 1_700_000_000_000_000+int64(i)*1000, fmt.Sprintf("conversation.reply #%d", i))
	}
	return out
}

// tree is a HashReader over all leaf hashes of a log.
type tree []tlog.Hash

// ReadHashes computes the hashes of the subtrees asked for.
func (l tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= merkle.StoredHashCount(int64(len(l))) {
			return nil, fmt.Errorf("read hash %d of a log of %d entries: outside", index, len(l))
		}
		level, n := merkle.SplitStoredHashIndex(index)
		out[i] = subtree(l[n<<level : (n+1)<<level])
	}
	return out, nil
}

// subtree is the root over a number of leaves that is a power of two.
func subtree(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	half := len(leaves) / 2
	return merkle.NodeHash(subtree(leaves[:half]), subtree(leaves[half:]))
}

func leavesOf(entries [][]byte) tree {
	var out tree
	for _, e := range entries {
		out = append(out, tlog.LeafHash(e))
	}
	return out
}

func rootOf(entries [][]byte) tlog.Hash {
	var f tlog.Frontier
	for _, e := range entries {
		f.Append(tlog.LeafHash(e))
	}
	return f.Root()
}

func headOf(entries [][]byte) tlog.Checkpoint {
	return tlog.Checkpoint{Origin: tenantOrigin, Size: int64(len(entries)), Root: rootOf(entries)}
}

// installation is an installation's log and the key that signs it.
type installation struct {
	t       testing.TB
	signer  *tlog.Signer
	entries [][]byte
}

func newInstallation(t testing.TB, letter byte) *installation {
	return &installation{t: t, signer: newSigner(t, letter)}
}

// note adds an entry that has nothing to do with the tenant.
func (in *installation) note(body string) {
	n := int64(len(in.entries))
	in.entries = append(in.entries, entry(n, 1_800_000_000_000_000+n, body))
}

func (in *installation) checkpoint() tlog.Checkpoint {
	return tlog.Checkpoint{Origin: installationOrigin, Size: int64(len(in.entries)), Root: rootOf(in.entries)}
}

// record writes the head into the installation's log and returns the evidence for it.
func (in *installation) record(head tlog.Checkpoint) tlog.Evidence {
	in.t.Helper()
	text := head.Text()
	in.note("another tenant's head")
	index := int64(len(in.entries))
	in.note("log.head" + string([]byte{byte(len(text))}) + text + "trailer")
	in.note("something after it")
	return in.prove(head, index)
}

func (in *installation) prove(head tlog.Checkpoint, index int64) tlog.Evidence {
	in.t.Helper()
	proof, err := tlog.ProveInclusion(leavesOf(in.entries), int64(len(in.entries)), index)
	if err != nil {
		in.t.Fatal(err)
	}
	signed, err := in.signer.Sign(in.checkpoint())
	if err != nil {
		in.t.Fatal(err)
	}
	return tlog.Evidence{Head: head, Entry: in.entries[index], Index: index, Inclusion: proof, Checkpoint: signed}
}

// since adds the proof for an auditor who holds a checkpoint of the given size.
func (in *installation) since(e tlog.Evidence, size int64) tlog.Evidence {
	in.t.Helper()
	proof, err := tlog.ProveConsistency(leavesOf(in.entries), int64(len(in.entries)), size)
	if err != nil {
		in.t.Fatal(err)
	}
	e.Since, e.Consistency = size, proof
	return e
}

// bundle writes a bundle of the entries with a head's evidence wherever one belongs; the last is the newest.
func bundle(t testing.TB, key string, entries [][]byte, heads ...tlog.Evidence) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := tlog.NewBundleWriter(&out, tlog.Header{Origin: tenantOrigin, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	newest := len(heads) - 1
	older := heads[:newest]
	for from := 0; len(older) > 0 || from < len(entries); {
		to := len(entries)
		if len(older) > 0 {
			to = int(older[0].Head.Size)
		}
		if err := w.Chunk(chunk(entries[from:to]...)); err != nil {
			t.Fatal(err)
		}
		from = to
		if len(older) > 0 {
			if err := w.Head(older[0]); err != nil {
				t.Fatal(err)
			}
			older = older[1:]
		}
	}
	if err := w.Close(heads[newest]); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func chunk(entries ...[]byte) []byte {
	var out []byte
	for _, e := range entries {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(e))), e...)
	}
	return out
}
