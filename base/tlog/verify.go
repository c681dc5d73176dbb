package tlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// maxFindings ends a verification: a file with so many faults is not worth reading further.
const maxFindings = 100

// Options is what the auditor trusts besides the bundle. All of it is optional, and every part makes the answer
// stronger: without Key the bundle is only consistent with the key it names itself.
type Options struct {
	Key               string      // verifier key of the installation's log, from somewhere else than this bundle
	Older             *Checkpoint // of the tenant's log, from an earlier report
	OlderInstallation *Checkpoint // of the installation's log, from an earlier report, the web or a witness
}

// Report says what a bundle holds. It is true only if Verify returned no error.
type Report struct {
	Head         Checkpoint // of the tenant's log: origin, number of entries, recomputed root
	Installation Checkpoint // of the installation's log: the newest with a good signature
	Key          string     // the verifier key it was checked with
	KeyTrusted   bool       // the key came from Options, not from the bundle
	Heads        int        // heads in the bundle, with evidence
	First, Last  time.Time  // of the first and last entry; zero for an empty log
	Bytes        int64      // read
	Took         time.Duration
}

// Rate is the number of entries verified per second.
func (r Report) Rate() float64 { return float64(r.Head.Size) / max(r.Took, time.Microsecond).Seconds() }

// Verify reads an audit bundle and recomputes everything from its entries, in one pass, with about 1 MiB of memory. A
// bundle that does not hold gives Findings; another error means that reading failed or that Options.Key is no key.
func Verify(r io.Reader, opts Options) (Report, error) {
	if opts.Key != "" && !validKey(opts.Key) {
		return Report{}, fmt.Errorf("trusted key: %w", ErrMalformed)
	}
	began := time.Now()
	v := &verifier{opts: opts, in: newFrameReader(r), compareAt: -1, covered: -1, latest: math.MinInt64}
	err := v.run()
	v.report.Head.Size, v.report.Head.Root = v.tree.Size(), v.tree.Root()
	v.report.Bytes, v.report.Took = v.in.next, time.Since(began)
	if stop, ok := err.(Finding); ok {
		v.found(stop)
		err = nil
	}
	if len(v.findings) == 0 {
		return v.report, err
	}
	if err != nil {
		return v.report, errors.Join(v.findings, err)
	}
	return v.report, v.findings
}

func validKey(key string) bool {
	_, err := note.NewVerifier(key)
	return err == nil
}

// verifier is one pass over a bundle. Its methods return a Finding when the rest of the file makes no sense any more,
// and note other findings as they go.
type verifier struct {
	opts     Options
	in       *frameReader
	report   Report
	findings Findings

	tree      Frontier // over the leaf hashes, each compared with its entry
	compareAt int64    // size at which to compare with Options.Older, -1 for never
	shift     int64    // by how much the last entry's own index was off
	latest    int64    // time of the last entry, in microseconds

	covered   int64 // size of the last head, -1 before the first
	matched   int64 // size of the last head whose root was right
	continued bool  // the installation's log was compared with Options.OlderInstallation
}

func (v *verifier) found(f Finding) { v.findings = append(v.findings, f) }

func (v *verifier) malformed(what string) error { return Malformed{Offset: v.in.offset, What: what} }

func (v *verifier) run() error {
	if err := v.header(); err != nil {
		return err
	}
	for len(v.findings) < maxFindings {
		kind, payload, err := v.in.frame()
		if cut, ok := err.(Truncated); ok {
			cut.Entries = v.tree.Size()
			return cut
		}
		if err != nil {
			return err
		}
		switch kind {
		case blockFrame:
			err = v.block(payload)
		case headFrame:
			err = v.head(payload)
		case endFrame:
			return v.end(payload)
		default:
			err = v.malformed("a frame is of an unknown kind")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) header() error {
	if err := v.in.magic(); err != nil {
		return err
	}
	kind, payload, err := v.in.frame()
	if err != nil {
		return err
	}
	r := fields{b: payload}
	origin, key := string(r.bytes()), string(r.bytes())
	if kind != headerFrame || !r.done() || !validOrigin(origin) {
		return v.malformed("the header is not one")
	}
	v.report.Head.Origin, v.report.Key = origin, key
	if v.opts.Key != "" {
		v.report.Key, v.report.KeyTrusted = v.opts.Key, true
	}
	if key != v.report.Key {
		v.found(WrongKey{Names: key, Trusted: v.opts.Key})
	}
	if !validKey(v.report.Key) {
		return v.malformed("the header names a key that is none")
	}
	if older := v.opts.Older; older != nil {
		v.compareAt = older.Size
		if older.Origin != origin {
			v.found(WrongLog{Origin: origin, Want: older.Origin})
		}
	}
	v.compareOlder()
	return nil
}

// compareOlder compares with the auditor's older checkpoint of the tenant's log when its size is reached.
func (v *verifier) compareOlder() {
	if v.tree.Size() == v.compareAt && v.tree.Root() != v.opts.Older.Root {
		v.found(Rewritten{Origin: v.report.Head.Origin, OldSize: v.compareAt})
	}
}

// block checks up to 256 entries. The tree grows by their leaf hashes: an altered entry is named, and does not hide
// whether the rest is intact.
func (v *verifier) block(payload []byte) error {
	if len(payload) < 2 {
		return v.malformed("a block is too short")
	}
	count := int(binary.BigEndian.Uint16(payload))
	split := len(payload) - count*HashSize
	if count == 0 || count > blockEntries || split < 2 || !divides(payload[2:split], count) {
		what := fmt.Sprintf("the block that begins with entry %d does not divide into %d entries", v.tree.Size(), count)
		return v.malformed(what)
	}
	entries, leaves := payload[2:split], payload[split:]
	for len(leaves) > 0 && len(v.findings) < maxFindings {
		var entry []byte
		entry, entries, _ = nextEntry(entries)
		leaf := Hash(leaves[:HashSize])
		leaves = leaves[HashSize:]
		if LeafHash(entry) == leaf {
			v.stamp(entry)
		} else {
			v.found(Altered{Index: v.tree.Size()})
		}
		v.tree.Append(leaf)
		if v.tree.Size() == v.compareAt {
			v.compareOlder()
		}
	}
	return nil
}

// divides tells whether the bytes are exactly count entries.
func divides(entries []byte, count int) bool {
	for ; count > 0; count-- {
		var ok bool
		if _, entries, ok = nextEntry(entries); !ok {
			return false
		}
	}
	return len(entries) == 0
}

// stamp checks the index and time that an intact entry begins with.
func (v *verifier) stamp(entry []byte) {
	index, micros := stamp(entry)
	here := v.tree.Size()
	if shift := index - here; shift != v.shift {
		if shift != 0 {
			v.found(Reordered{Index: here, Says: index})
		}
		v.shift = shift
	}
	if micros < v.latest {
		v.found(TimeBackwards{Index: here})
	}
	v.latest = micros
	v.report.Last = fromMicros(micros)
	if here == 0 {
		v.report.First = v.report.Last
	}
}

func (v *verifier) head(payload []byte) error {
	e, ok := parseEvidence(payload, v.report.Head.Origin)
	if !ok {
		return v.malformed("the evidence for a head does not divide into its parts")
	}
	v.report.Heads++
	v.covered = v.tree.Size()
	switch {
	case e.Head.Size > v.covered:
		v.found(MissingTail{Have: v.covered, Want: e.Head.Size})
	case e.Head.Size < v.covered:
		v.found(Uncovered{From: e.Head.Size, To: v.covered})
	case e.Head.Root != v.tree.Root():
		v.found(RootMismatch{From: v.matched, To: e.Head.Size})
	default:
		v.matched = e.Head.Size
	}
	v.evidence(&e)
	return nil
}

// evidence checks that the installation recorded and signed the head.
func (v *verifier) evidence(e *Evidence) {
	signed, err := Open(e.Checkpoint, v.report.Key)
	if err != nil {
		v.found(BadSignature{Size: e.Head.Size})
		return
	}
	if signed.Size >= v.report.Installation.Size {
		v.report.Installation = signed
	}
	if !records(e.Entry, e.Index, e.Head) ||
		CheckInclusion(e.Inclusion, signed.Size, signed.Root, e.Index, LeafHash(e.Entry)) != nil {
		v.found(NotInInstallationLog{Size: e.Head.Size})
	}
	if older := v.opts.OlderInstallation; older != nil {
		v.continues(e, signed, *older)
	}
}

// records tells whether an entry of the installation's log, with this index, contains the head.
func records(entry []byte, index int64, head Checkpoint) bool {
	return contains(entry, index, head.Text())
}

// contains tells whether an entry with this index has a text, which is written with one byte of length before it.
func contains(entry []byte, index int64, text string) bool {
	if len(entry) < stampSize {
		return false
	}
	says, _ := stamp(entry)
	return says == index && bytes.Contains(entry[stampSize:], append([]byte{byte(len(text))}, text...))
}

// continues compares a signed checkpoint with the auditor's older one of the installation's log, if the two can be.
func (v *verifier) continues(e *Evidence, signed, older Checkpoint) {
	same := signed.Size == older.Size
	if !same && e.Since != older.Size {
		return
	}
	v.continued = true
	switch {
	case signed.Origin != older.Origin:
		v.found(WrongLog{Origin: signed.Origin, Want: older.Origin})
	case same && signed.Root != older.Root,
		!same && CheckConsistency(e.Consistency, signed.Size, signed.Root, older.Size, older.Root) != nil:
		v.found(Rewritten{Origin: older.Origin, OldSize: older.Size})
	}
}

func (v *verifier) end(payload []byte) error {
	size := v.tree.Size()
	if v.covered < 0 {
		return v.malformed("there is no head")
	}
	if v.covered < size {
		v.found(Uncovered{From: v.covered, To: size})
	}
	if v.compareAt > size {
		v.found(MissingTail{Have: size, Want: v.compareAt})
	}
	if older := v.opts.OlderInstallation; older != nil && !v.continued {
		v.found(Unproven{Origin: older.Origin, OldSize: older.Size})
	}
	if len(payload) != sha256.Size || !bytes.Equal(payload, v.in.sum.Sum(nil)) {
		return v.malformed("the checksum over header and heads is wrong")
	}
	return v.in.atEnd()
}
