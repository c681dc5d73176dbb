package tlog_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"aver/base/tlog"
)

// resealed recomputes a bundle's checksum, which is no secret: a forger does the same.
func resealed(file []byte) []byte {
	file = bytes.Clone(file)
	sum := sha256.New()
	at := bytes.IndexByte(file, '\n') + 1
	sum.Write(file[:at])
	for file[at] != 'Z' {
		length := int(binary.BigEndian.Uint32(file[at+1:]))
		end := at + 5 + length
		covered := end
		if file[at] == 'B' {
			covered = at + 5 + 2
		}
		sum.Write(file[at:covered])
		at = end
	}
	copy(file[at+5:], sum.Sum(nil))
	return file
}

// The attacker owns the database and every program that reads it, rewrites entry 500 of 1,000 and recomputes every
// leaf, node and head after it. What they cannot change are checkpoints that were signed and left the building.
func rewritten() (before, after [][]byte) {
	before = history(1000)
	after = history(1000)
	copy(after[500][16:], "CONVERSATION")
	return before, after
}

func TestRewriterWithoutTheKeyWhoKeepsTheSignedHeadsIsFoundBetweenTwoOfThem(t *testing.T) {
	t.Parallel()
	before, after := rewritten()
	in := newInstallation(t, 'a')
	heads := []tlog.Evidence{
		in.record(headOf(before[:400])), in.record(headOf(before[:480])), in.record(headOf(before[:520])), in.record(headOf(before)),
	}
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), after, heads...), key(in))
	expect(t, found, tlog.RootMismatch{From: 480, To: 520}, tlog.RootMismatch{From: 480, To: 1000})
}

func TestRewriterWithoutTheKeyWhoMakesAFreshHeadHasNoEvidenceForIt(t *testing.T) {
	t.Parallel()
	before, after := rewritten()
	in := newInstallation(t, 'a')
	honest := in.record(headOf(before))

	swapped := honest
	swapped.Head = headOf(after)
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), after, swapped), key(in))
	expect(t, found, tlog.NotInInstallationLog{Size: 1000})

	forged := newInstallation(t, 'a') // the same log, rewritten too, but the old signature
	recomputed := forged.record(headOf(after))
	recomputed.Checkpoint = honest.Checkpoint
	_, found = verify(t, bundle(t, in.signer.VerifierKey(), after, recomputed), key(in))
	expect(t, found, tlog.NotInInstallationLog{Size: 1000})

	text := bytes.Replace(honest.Checkpoint, []byte(in.checkpoint().Root.String()), []byte(forged.checkpoint().Root.String()), 1)
	recomputed.Checkpoint = text // the new root over the old signature
	_, found = verify(t, bundle(t, in.signer.VerifierKey(), after, recomputed), key(in))
	expect(t, found, tlog.BadSignature{Size: 1000})
}

func TestRewriterWithTheKeyIsFoundByAnOlderCheckpoint(t *testing.T) {
	t.Parallel()
	before, after := rewritten()
	in := newInstallation(t, 'a')
	in.record(headOf(before[:800]))
	older, olderInstallation := headOf(before[:800]), in.checkpoint()

	forged := newInstallation(t, 'a')
	forged.record(headOf(after[:800]))
	fresh := forged.since(forged.record(headOf(after)), olderInstallation.Size)
	file := bundle(t, in.signer.VerifierKey(), after, fresh)
	_, found := verify(t, file, key(in))
	expect(t, found) // nothing in the bundle itself can tell

	opts := key(in)
	opts.Older = &older
	_, found = verify(t, file, opts)
	expect(t, found, tlog.Rewritten{Origin: tenantOrigin, OldSize: 800})

	opts = key(in)
	opts.OlderInstallation = &olderInstallation
	_, found = verify(t, file, opts)
	expect(t, found, tlog.Rewritten{Origin: installationOrigin, OldSize: olderInstallation.Size})
}

func TestInstallationCheckpointOfTheSameSizeMustBeTheSame(t *testing.T) {
	t.Parallel()
	before, after := rewritten()
	in, forged := newInstallation(t, 'a'), newInstallation(t, 'a')
	in.record(headOf(before))
	fresh := forged.record(headOf(after))
	older := in.checkpoint()
	opts := key(in)
	opts.OlderInstallation = &older
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), after, fresh), opts)
	expect(t, found, tlog.Rewritten{Origin: installationOrigin, OldSize: older.Size})
}

func TestInstallationLogWithoutAProofOfItsPastIsNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	in.record(headOf(history(3)))
	older := in.checkpoint()
	file := bundle(t, in.signer.VerifierKey(), history(9), in.record(headOf(history(9))))
	opts := key(in)
	opts.OlderInstallation = &older
	_, found := verify(t, file, opts)
	expect(t, found, tlog.Unproven{Origin: installationOrigin, OldSize: older.Size})

	in.record(headOf(history(12))) // the auditor has seen more than the bundle knows
	later := in.checkpoint()
	opts.OlderInstallation = &later
	_, found = verify(t, file, opts)
	expect(t, found, tlog.Unproven{Origin: installationOrigin, OldSize: later.Size})
}

func TestHeadOfAnotherTenantIsNoEvidence(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(10)
	foreign := headOf(entries)
	foreign.Origin = "log.example/tenant/ten_2"
	evidence := in.record(foreign)
	evidence.Head.Origin = tenantOrigin
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), entries, evidence), key(in))
	expect(t, found, tlog.NotInInstallationLog{Size: 10})
}

func TestInstallationEntryThatSaysAnotherIndexIsNoEvidence(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(10)
	text := headOf(entries).Text()
	in.entries = append(in.entries, entry(5, 0, string([]byte{byte(len(text))})+text))
	_, found := verify(t, bundle(t, in.signer.VerifierKey(), entries, in.prove(headOf(entries), 0)), key(in))
	expect(t, found, tlog.NotInInstallationLog{Size: 10})
}

// A bundle without heads, or with blocks after the last head, cannot be written with BundleWriter.
func TestBundleWithoutAHeadIsMalformed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	entries := history(3)
	file := bundle(t, in.signer.VerifierKey(), entries, in.record(headOf(entries)))
	header := bytes.IndexByte(file, '\n') + 1
	block := header + 5 + int(binary.BigEndian.Uint32(file[header+1:]))
	head := block + 5 + int(binary.BigEndian.Uint32(file[block+1:]))
	end := len(file) - 5 - sha256.Size

	headless := resealed(append(bytes.Clone(file[:head]), file[end:]...))
	_, found := verify(t, headless, key(in))
	expect(t, found, tlog.Malformed{Offset: int64(head), What: "there is no head"})

	more := append(bytes.Clone(file[:end]), file[block:head]...)
	_, found = verify(t, resealed(append(more, file[end:]...)), key(in))
	expect(t, found, tlog.Reordered{Index: 3, Says: 0}, tlog.TimeBackwards{Index: 3}, tlog.Uncovered{From: 3, To: 6})
}

// FuzzVerify: whatever the bytes, Verify ends, and never believes a log that was not signed.
func FuzzVerify(f *testing.F) {
	in := newInstallation(f, 'a')
	entries := history(6)
	older := in.record(headOf(entries[:2]))
	file := bundle(f, in.signer.VerifierKey(), entries, older, in.since(in.record(headOf(entries)), 3))
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add(bundle(f, in.signer.VerifierKey(), nil, in.record(headOf(nil))))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, candidate := range [][]byte{file, resealIfWhole(file)} {
			report, err := tlog.Verify(bytes.NewReader(candidate), tlog.Options{Key: in.signer.VerifierKey()})
			if err == nil && report.Head != headOf(entries) && report.Head != headOf(entries[:2]) && report.Head != headOf(nil) {
				t.Fatalf("believed %+v", report)
			}
		}
	})
}

// resealIfWhole lets the fuzzer past the checksum when the frames still divide the file.
func resealIfWhole(file []byte) (out []byte) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	return resealed(file)
}
