package tlog_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"aver/base/tlog"
)

func verify(t testing.TB, file []byte, opts tlog.Options) (tlog.Report, tlog.Findings) {
	t.Helper()
	report, err := tlog.Verify(bytes.NewReader(file), opts)
	var found tlog.Findings
	if err != nil && !errors.As(err, &found) {
		t.Fatalf("not a finding: %v", err)
	}
	return report, found
}

// expect compares the findings, in order.
func expect(t testing.TB, got tlog.Findings, want ...tlog.Finding) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("found %v\nwant  %v", []tlog.Finding(got), want)
	}
}

func key(in *installation) tlog.Options { return tlog.Options{Key: in.signer.VerifierKey()} }

func TestIntactBundleVerifies(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 255, 256, 257, 1000} {
		entries := history(n)
		in := newInstallation(t, 'a')
		older := in.record(headOf(entries[:n/2]))
		file := bundle(t, in.signer.VerifierKey(), entries, older, in.record(headOf(entries)))
		report, found := verify(t, file, key(in))
		expect(t, found)
		if report.Head != headOf(entries) || report.Installation != in.checkpoint() || report.Heads != 2 ||
			!report.KeyTrusted || report.Bytes != int64(len(file)) || n > 0 && report.Rate() <= 0 {
			t.Errorf("%d entries: report %+v", n, report)
		}
		if n > 0 {
			_, first, _ := tlog.Stamp(entries[0])
			_, last, _ := tlog.Stamp(entries[n-1])
			if report.First != first || report.Last != last {
				t.Errorf("%d entries: from %v to %v", n, report.First, report.Last)
			}
		}
	}
}

func TestEveryIntactLogVerifiesHoweverItIsCutIntoChunks(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 400).Draw(rt, "sizes")
		var entries [][]byte
		for i, size := range sizes {
			entries = append(entries, entry(int64(i), int64(i/3), string(make([]byte, size))))
		}
		var out bytes.Buffer
		w, err := tlog.NewBundleWriter(&out, tlog.Header{Origin: tenantOrigin, Key: in.signer.VerifierKey()})
		if err != nil {
			rt.Fatal(err)
		}
		for from := 0; from < len(entries); {
			to := rapid.IntRange(from+1, len(entries)).Draw(rt, "to")
			if err := w.Chunk(chunk(entries[from:to]...)); err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "head") {
				if err := w.Head(in.record(headOf(entries[:to]))); err != nil {
					rt.Fatal(err)
				}
			}
			from = to
		}
		if err := w.Close(in.record(headOf(entries))); err != nil {
			rt.Fatal(err)
		}
		report, err := tlog.Verify(&out, key(in))
		if err != nil || report.Head != headOf(entries) {
			rt.Fatalf("%+v, %v", report, err)
		}
		in.entries = nil
	})
}

func TestLongestEntriesFitABundle(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	var entries [][]byte
	for i := range 40 {
		entries = append(entries, entry(int64(i), 1, string(make([]byte, tlog.MaxEntry-16))))
	}
	file := bundle(t, in.signer.VerifierKey(), entries, in.record(headOf(entries)))
	_, found := verify(t, file, key(in))
	expect(t, found)
}

func TestEveryFlippedBitIsFoundAndAnEntryIsNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(9)
	older := in.record(headOf(entries[:4]))
	held := in.checkpoint()
	newest := in.since(in.record(headOf(entries)), held.Size)
	file := bundle(t, in.signer.VerifierKey(), entries, older, newest)
	within := make([]int64, len(file)) // which entry a byte belongs to
	for i := range within {
		within[i] = -1
	}
	for n, e := range entries {
		start := bytes.Index(file, e)
		for i := range e {
			within[start+i] = int64(n)
		}
	}
	for _, opts := range []tlog.Options{{}, {Key: in.signer.VerifierKey(), OlderInstallation: &held}} {
		for i := range file {
			for bit := range 8 {
				file[i] ^= 1 << bit
				_, found := verify(t, file, opts)
				if len(found) == 0 {
					t.Errorf("byte %d, bit %d: nothing was found", i, bit)
				}
				if n := within[i]; n >= 0 {
					expect(t, found, tlog.Altered{Index: n})
				}
				file[i] ^= 1 << bit
			}
		}
	}
}

func TestEveryAlteredEntryIsNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(700)
	file := bundle(t, in.signer.VerifierKey(), entries, in.record(headOf(entries)))
	for _, n := range []int{0, 255, 256, 699} {
		file[bytes.Index(file, entries[n])+20] ^= 0x10
	}
	_, found := verify(t, file, key(in))
	expect(t, found, tlog.Altered{Index: 0}, tlog.Altered{Index: 255}, tlog.Altered{Index: 256}, tlog.Altered{Index: 699})
	var first tlog.Altered
	if !errors.As(found, &first) || first.Index != 0 {
		t.Error("errors.As does not find the first one")
	}
}

func TestAlteredLeafHashShowsInTheRootToo(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(20)
	file := bundle(t, in.signer.VerifierKey(), entries, in.record(headOf(entries)))
	leaf := tlog.LeafHash(entries[7])
	file[bytes.Index(file, leaf[:])] ^= 1
	_, found := verify(t, file, key(in))
	expect(t, found, tlog.Altered{Index: 7}, tlog.RootMismatch{From: 0, To: 20})
}

func TestVerificationEndsAfterAHundredFindings(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(1000)
	file := bundle(t, in.signer.VerifierKey(), entries, in.record(headOf(entries)))
	for n := range 500 {
		file[bytes.Index(file, entries[n])+16] ^= 1
	}
	_, found := verify(t, file, key(in))
	if len(found) != 100 || found[99] != (tlog.Altered{Index: 99}) {
		t.Errorf("%d findings, last %v", len(found), found[len(found)-1])
	}
}

func TestCutFileIsFoundAtEveryLength(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(6)
	file := bundle(t, in.signer.VerifierKey(), entries, in.record(headOf(entries)))
	for n := range file {
		_, found := verify(t, file[:n], key(in))
		var cut tlog.Truncated
		if !errors.As(found, &cut) || cut.Offset != int64(n) {
			t.Fatalf("cut at byte %d: %v", n, found)
		}
	}
	_, found := verify(t, append(bytes.Clone(file), 0), key(in))
	expect(t, found, tlog.Malformed{Offset: int64(len(file)), What: "there are bytes after the end"})
}

func TestReaderThatFailsIsNotAFinding(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	file := bundle(t, in.signer.VerifierKey(), history(5), in.record(headOf(history(5))))
	broken := errors.New("the disk is gone")
	for _, n := range []int{0, 10, 100, len(file)} {
		_, err := tlog.Verify(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(broken)), key(in))
		var found tlog.Findings
		if !errors.Is(err, broken) || errors.As(err, &found) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	if _, err := tlog.Verify(iotest.OneByteReader(bytes.NewReader(file)), key(in)); err != nil {
		t.Errorf("byte by byte: %v", err)
	}
}

func TestSwappedEntriesAreNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(30)
	evidence := in.record(headOf(entries))
	entries[10], entries[11] = entries[11], entries[10]
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), entries, evidence), key(in))
	expect(t, found, tlog.Reordered{Index: 10, Says: 11}, tlog.Reordered{Index: 11, Says: 10},
		tlog.TimeBackwards{Index: 11}, tlog.RootMismatch{From: 0, To: 30})
}

func TestTimeThatRunsBackwardsIsNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(30)
	_, at, _ := tlog.Stamp(entries[12])
	entries[12] = entry(12, at.Add(-time.Hour).UnixMicro(), "set back")
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), entries, in.record(headOf(entries))), key(in))
	expect(t, found, tlog.TimeBackwards{Index: 12})
}

// reframe writes other entries under evidence that belongs to more or fewer of them, as a forger's program would.
func reframe(t *testing.T, in *installation, entries [][]byte, claim tlog.Evidence) []byte {
	t.Helper()
	honest := claim
	honest.Head.Size = int64(len(entries))
	file := bundle(t, in.signer.VerifierKey(), entries, honest)
	var payload []byte
	for _, size := range []int64{honest.Head.Size, claim.Head.Size} {
		payload = append(binary.BigEndian.AppendUint64(payload, uint64(size)), claim.Head.Root[:]...)
	}
	at := bytes.Index(file, payload[:40])
	copy(file[at:], payload[40:])
	return resealed(file)
}

func TestMissingTailIsNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(30)
	_, found := verify(t, reframe(t, in, entries[:27], in.record(headOf(entries))), key(in))
	expect(t, found, tlog.MissingTail{Have: 27, Want: 30})
}

func TestEntriesThatNoHeadCoversAreNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(30)
	_, found := verify(t, reframe(t, in, entries, in.record(headOf(entries[:28]))), key(in))
	expect(t, found, tlog.Uncovered{From: 28, To: 30})
}

func TestRemovedEntryIsNamedOnce(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(600)
	rest := slices.Delete(slices.Clone(entries), 300, 301)
	_, found := verify(t, reframe(t, in, rest, in.record(headOf(entries))), key(in))
	expect(t, found, tlog.Reordered{Index: 300, Says: 301}, tlog.MissingTail{Have: 599, Want: 600})
}

func TestRolledBackLogIsNamedAgainstTheOlderCheckpoint(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(30)
	evidence := in.record(headOf(entries[:20]))
	older := headOf(entries)
	opts := key(in)
	opts.Older = &older
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), entries[:20], evidence), opts)
	expect(t, found, tlog.MissingTail{Have: 20, Want: 30})
}

func TestOlderCheckpointsOfAnHonestLogHold(t *testing.T) {
	t.Parallel()
	entries := history(600)
	for _, n := range []int{0, 1, 255, 256, 300, 600} {
		in := newInstallation(t, 'a')
		in.record(headOf(entries[:n]))
		older, olderInstallation := headOf(entries[:n]), in.checkpoint()
		file := bundle(t, in.signer.VerifierKey(), entries, in.since(in.record(headOf(entries)), olderInstallation.Size))
		opts := tlog.Options{Key: in.signer.VerifierKey(), Older: &older, OlderInstallation: &olderInstallation}
		_, found := verify(t, file, opts)
		expect(t, found)
	}
}

func TestBundleOfAnotherLogIsNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(5)
	older := headOf(entries[:3])
	older.Origin = "log.example/tenant/ten_2"
	opts := key(in)
	opts.Older = &older
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), entries, in.record(headOf(entries))), opts)
	expect(t, found, tlog.WrongLog{Origin: tenantOrigin, Want: older.Origin})
}

func TestBundleSignedWithAnotherKeyIsNamed(t *testing.T) {
	t.Parallel()
	in, other := newInstallation(t, 'a'), newInstallation(t, 'b')
	entries := history(5)
	_, found := verify(t, bundle(t, other.signer.VerifierKey(), entries, other.record(headOf(entries))), key(in))
	expect(t, found, tlog.WrongKey{Names: other.signer.VerifierKey(), Trusted: in.signer.VerifierKey()},
		tlog.BadSignature{Size: 5})
	_, found = verify(t, bundle(t, in.signer.VerifierKey(), entries, other.record(headOf(entries))), key(in))
	expect(t, found, tlog.BadSignature{Size: 5})
}

func TestTrustedKeyThatIsNoneIsTheCallersError(t *testing.T) {
	t.Parallel()
	if _, err := tlog.Verify(bytes.NewReader(nil), tlog.Options{Key: "nonsense"}); !errors.Is(err, tlog.ErrMalformed) {
		t.Error(err)
	}
}

func TestWriterRefusesWhatIsNotALog(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	if _, err := tlog.NewBundleWriter(io.Discard, tlog.Header{Origin: "two\nlines"}); err == nil {
		t.Error("an origin of two lines was accepted")
	}
	w, err := tlog.NewBundleWriter(io.Discard, tlog.Header{Origin: tenantOrigin, Key: in.signer.VerifierKey()})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{{0}, {0, 20, 1}, chunk([]byte("fifteen bytes..")), append(chunk(entry(0, 0, "")), 0)} {
		if err := w.Chunk(bad); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("chunk % x: %v", bad, err)
		}
	}
	if err := w.Head(in.record(headOf(history(7)))); err == nil {
		t.Error("a head of other entries was accepted")
	}
}

// Bundles lie in auditors' archives. Another format needs another magic, and a verifier that reads both.
func TestFormatOfVersionOneStaysAsItIs(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(300)
	older := in.record(headOf(entries[:100]))
	file := bundle(t, in.signer.VerifierKey(), entries, older, in.since(in.record(headOf(entries)), 3))
	sum := sha256.Sum256(file)
	if got := hex.EncodeToString(sum[:]); got != "185a9a7fc4e1795a05f04894921c5f60b017a241ffa2b43c86c5c446ca727f9d" {
		t.Errorf("the bytes of a bundle changed: %s", got)
	}
}
