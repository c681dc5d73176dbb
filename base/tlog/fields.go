package tlog

import (
	"encoding/binary"
	"math"
)

func appendInt(dst []byte, n int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(n)) }

func appendBytes(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(b))), b...)
}

func appendHashes(dst []byte, hashes []Hash) []byte {
	dst = append(dst, byte(len(hashes)))
	for _, h := range hashes {
		dst = append(dst, h[:]...)
	}
	return dst
}

// fields takes values off the front of a slice and remembers the first failure.
type fields struct {
	b   []byte
	bad bool
}

// done tells whether everything was read and nothing is left over.
func (f *fields) done() bool { return !f.bad && len(f.b) == 0 }

func (f *fields) take(n int) []byte {
	if f.bad || len(f.b) < n {
		f.bad = true
		return nil
	}
	out := f.b[:n]
	f.b = f.b[n:]
	return out
}

func (f *fields) int() int64 {
	b := f.take(8)
	if f.bad {
		return 0
	}
	n := binary.BigEndian.Uint64(b)
	if n > math.MaxInt64 {
		f.bad = true
		return 0
	}
	return int64(n)
}

// bytes reads what appendBytes wrote. The result shares memory with the input.
func (f *fields) bytes() []byte {
	n := f.take(2)
	if f.bad {
		return nil
	}
	return f.take(int(binary.BigEndian.Uint16(n)))
}

func (f *fields) hash() Hash {
	var h Hash
	copy(h[:], f.take(HashSize))
	return h
}

func (f *fields) hashes() []Hash {
	n := f.take(1)
	if f.bad {
		return nil
	}
	out := make([]Hash, n[0])
	for i := range out {
		out[i] = f.hash()
	}
	return out
}
