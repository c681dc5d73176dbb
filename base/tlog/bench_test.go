package tlog_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"aver/base/tlog"
)

const benchEntries = 200_000

// benchLog makes entries of 200 bytes and their bundle.
func benchLog(b *testing.B) (entries [][]byte, file []byte, in *installation) {
	b.Helper()
	body := make([]byte, 200-16)
	entries = make([][]byte, benchEntries)
	for i := range entries {
		rand.Read(body)
		entries[i] = entry(int64(i), int64(i), string(body))
	}
	in = newInstallation(b, 'a')
	return entries, bundle(b, in.signer.VerifierKey(), entries, in.record(headOf(entries))), in
}

func BenchmarkVerify(b *testing.B) {
	_, file, in := benchLog(b)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tlog.Verify(bytes.NewReader(file), key(in)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(benchEntries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkRawLimit is the hashing alone: leaves and tree over entries in memory.
func BenchmarkRawLimit(b *testing.B) {
	entries, _, _ := benchLog(b)
	for b.Loop() {
		var f tlog.Frontier
		for _, e := range entries {
			f.Append(tlog.LeafHash(e))
		}
		f.Root()
	}
	b.ReportMetric(float64(benchEntries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkWriteBundle(b *testing.B) {
	entries, _, in := benchLog(b)
	evidence := in.record(headOf(entries))
	for b.Loop() {
		bundle(b, in.signer.VerifierKey(), entries, evidence)
	}
	b.ReportMetric(float64(benchEntries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkProveAndCheckInclusion(b *testing.B) {
	entries := history(4096)
	leaves, root := leavesOf(entries), rootOf(entries)
	for b.Loop() {
		proof, err := tlog.ProveInclusion(leaves, 4096, 1234)
		if err != nil || tlog.CheckInclusion(proof, 4096, root, 1234, leaves[1234]) != nil {
			b.Fatal(err)
		}
	}
}
