package tlog

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
)

// An audit bundle is one file that holds a tenant's whole log and what the installation signed about it:
//
//	bundle  = magic, frames
//	frame   = kind (1 byte), length of the payload (4), payload
//	header  = origin of the tenant's log, verifier key of the installation's log    first frame
//	block   = count (2), entries as in a chunk, a leaf hash for each entry          at most 256 entries, or 1 MiB of them
//	head    = an Evidence, placed after exactly the entries it covers               as many as wanted, at least at the end
//	end     = checksum                                                              last frame
//
// Numbers are big-endian; origin, key, entry and note have two bytes of length before them, proofs one byte of count.
// The checksum is SHA-256 over the magic and all frames before the end, except for the entries and leaf hashes of
// blocks, which prove themselves. It catches accidents where a value has two spellings; only signatures stop a forger.
const bundleMagic = "aver audit bundle 1\n"

const (
	headerFrame byte = 'A'
	blockFrame  byte = 'B'
	headFrame   byte = 'H'
	endFrame    byte = 'Z'
)

const (
	frameHead    = 1 + 4
	blockEntries = 256
	blockBytes   = 1 << 20
	maxFrame     = 2 + blockBytes + blockEntries*HashSize
)

// Header opens a bundle.
type Header struct {
	Origin string // the tenant's log
	Key    string // verifier key of the installation's log
}

// Evidence shows that the installation knew a head of the tenant's log: an entry of the installation's log records it,
// and a signed checkpoint of that log covers the entry.
type Evidence struct {
	Head Checkpoint // of the tenant's log; its origin is the bundle's

	// Entry is the installation's entry. It contains the head's text (Checkpoint.Text) with one byte of length before
	// it, as the object of a journal event is written.
	Entry      []byte
	Index      int64  // of Entry
	Inclusion  []Hash // that Entry is in the log of Checkpoint; see ProveInclusion
	Checkpoint []byte // signed note

	// Since and Consistency are for an auditor who holds an older checkpoint of the installation's log, of size Since:
	// the proof that the log of Checkpoint begins with it. Zero and empty if nobody asked.
	Since       int64
	Consistency []Hash
}

func (e *Evidence) append(dst []byte) []byte {
	dst = append(appendInt(dst, e.Head.Size), e.Head.Root[:]...)
	dst = appendBytes(appendInt(dst, e.Index), e.Entry)
	dst = appendHashes(dst, e.Inclusion)
	dst = appendBytes(dst, e.Checkpoint)
	return appendHashes(appendInt(dst, e.Since), e.Consistency)
}

func parseEvidence(payload []byte, origin string) (Evidence, bool) {
	r := fields{b: payload}
	e := Evidence{Head: Checkpoint{Origin: origin, Size: r.int(), Root: r.hash()}}
	e.Index, e.Entry, e.Inclusion = r.int(), r.bytes(), r.hashes()
	e.Checkpoint, e.Since, e.Consistency = r.bytes(), r.int(), r.hashes()
	return e, r.done()
}

// BundleWriter writes an audit bundle as a stream. It does not judge: what the database holds goes into the bundle,
// and Verify says what is wrong with it.
type BundleWriter struct {
	w       *bufio.Writer
	sum     hash.Hash
	origin  string
	size    int64  // entries so far
	headAt  int64  // size of the last head, -1 before the first
	block   []byte // count and entries not yet written
	leaves  []byte // their leaf hashes
	scratch []byte
}

// NewBundleWriter begins a bundle.
func NewBundleWriter(w io.Writer, h Header) (*BundleWriter, error) {
	if !validOrigin(h.Origin) || len(h.Key) > MaxEntry {
		return nil, fmt.Errorf("begin bundle: header %w", ErrMalformed)
	}
	b := &BundleWriter{w: bufio.NewWriterSize(w, 64<<10), sum: sha256.New(), origin: h.Origin, headAt: -1}
	b.block = make([]byte, 2, blockBytes)
	b.sum.Write([]byte(bundleMagic))
	if _, err := b.w.WriteString(bundleMagic); err != nil {
		return nil, fmt.Errorf("begin bundle: %w", err)
	}
	return b, b.frame(headerFrame, appendBytes(appendBytes(nil, []byte(h.Origin)), []byte(h.Key)))
}

// Size is the number of entries written so far.
func (b *BundleWriter) Size() int64 { return b.size }

// Chunk adds the entries of a chunk, as stored. A chunk that does not divide into entries is ErrMalformed.
func (b *BundleWriter) Chunk(chunk []byte) error {
	for len(chunk) > 0 {
		entry, rest, ok := nextEntry(chunk)
		if !ok {
			return fmt.Errorf("add entry %d to bundle: %w", b.size, ErrMalformed)
		}
		if len(b.leaves) == blockEntries*HashSize || len(b.block)+2+len(entry) > blockBytes {
			if err := b.flush(); err != nil {
				return err
			}
		}
		leaf := LeafHash(entry)
		b.block = appendBytes(b.block, entry)
		b.leaves = append(b.leaves, leaf[:]...)
		b.size++
		chunk = rest
	}
	return nil
}

// Head adds the evidence for an older head, when exactly the entries it covers have been added.
func (b *BundleWriter) Head(e Evidence) error {
	if e.Head.Origin != b.origin || e.Head.Size != b.size {
		return fmt.Errorf("add head of %d entries to bundle at entry %d: not the head of these entries", e.Head.Size, b.size)
	}
	if len(e.Entry) > MaxEntry || len(e.Checkpoint) > MaxEntry || len(e.Inclusion) > 255 || len(e.Consistency) > 255 {
		return fmt.Errorf("add head of %d entries to bundle: %w", e.Head.Size, ErrMalformed)
	}
	if err := b.flush(); err != nil {
		return err
	}
	b.scratch = e.append(b.scratch[:0])
	b.headAt = b.size
	return b.frame(headFrame, b.scratch)
}

// Close adds the evidence for the newest head, which covers all entries, and ends the bundle. It does not close the
// underlying writer.
func (b *BundleWriter) Close(e Evidence) error {
	if err := b.Head(e); err != nil {
		return err
	}
	if err := b.frame(endFrame, b.sum.Sum(nil)); err != nil {
		return err
	}
	if err := b.w.Flush(); err != nil {
		return fmt.Errorf("end bundle: %w", err)
	}
	return nil
}

// flush writes the pending block.
func (b *BundleWriter) flush() error {
	if len(b.leaves) == 0 {
		return nil
	}
	binary.BigEndian.PutUint16(b.block, uint16(len(b.leaves)/HashSize))
	err := b.frame(blockFrame, b.block, b.leaves)
	b.block, b.leaves = b.block[:2], b.leaves[:0]
	return err
}

func (b *BundleWriter) frame(kind byte, parts ...[]byte) error {
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(length))
	b.sum.Write(head)
	b.sum.Write(summed(kind, parts[0]))
	b.w.Write(head) // a bufio.Writer keeps its first error
	for _, p := range parts {
		if _, err := b.w.Write(p); err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
	}
	return nil
}

// summed is the part of a payload that the checksum covers.
func summed(kind byte, payload []byte) []byte {
	if kind == blockFrame {
		return payload[:min(len(payload), 2)]
	}
	return payload
}

// frameReader reads frames into one buffer. Its errors are findings (Truncated, Malformed) or those of the reader.
type frameReader struct {
	r      *bufio.Reader
	sum    hash.Hash
	buf    []byte
	offset int64 // of the current frame
	next   int64 // of the frame after it
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
}

func (f *frameReader) magic() error {
	b, err := f.read(len(bundleMagic))
	if err != nil {
		return err
	}
	if string(b) != bundleMagic {
		return Malformed{What: "this is not an audit bundle of version 1"}
	}
	f.sum.Write(b)
	return nil
}

// frame returns the next frame. The payload is valid until the next call.
func (f *frameReader) frame() (kind byte, payload []byte, err error) {
	f.offset = f.next
	head, err := f.read(frameHead)
	if err != nil {
		return 0, nil, err
	}
	kind = head[0]
	length := binary.BigEndian.Uint32(head[1:])
	if length > maxFrame {
		return 0, nil, Malformed{Offset: f.offset, What: "a frame is longer than any may be"}
	}
	if kind != endFrame {
		f.sum.Write(head)
	}
	payload, err = f.read(int(length))
	if err != nil {
		return 0, nil, err
	}
	if kind != endFrame {
		f.sum.Write(summed(kind, payload))
	}
	return kind, payload, nil
}

func (f *frameReader) read(n int) ([]byte, error) {
	if n > len(f.buf) {
		f.buf = make([]byte, n)
	}
	got, err := io.ReadFull(f.r, f.buf[:n])
	f.next += int64(got)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, Truncated{Offset: f.next}
	}
	if err != nil {
		return nil, fmt.Errorf("read bundle at byte %d: %w", f.next, err)
	}
	return f.buf[:n], nil
}

// atEnd checks that nothing follows.
func (f *frameReader) atEnd() error {
	_, err := f.r.ReadByte()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read bundle at byte %d: %w", f.next, err)
	}
	return Malformed{Offset: f.next, What: "there are bytes after the end"}
}
