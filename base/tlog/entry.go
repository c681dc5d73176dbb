package tlog

import (
	"encoding/binary"
	"fmt"
	"time"
)

const (
	// MaxEntry is the longest entry in bytes: its length is written in two.
	MaxEntry = 1<<16 - 1
	// stampSize is what every entry begins with: its index and its time in microseconds since 1970, 8 bytes each.
	stampSize = 16
)

// Stamp reads the index and the time that every entry begins with.
func Stamp(entry []byte) (index int64, at time.Time, err error) {
	if len(entry) < stampSize {
		return 0, time.Time{}, fmt.Errorf("read stamp of an entry of %d bytes: %w", len(entry), ErrMalformed)
	}
	index, micros := stamp(entry)
	return index, fromMicros(micros), nil
}

func stamp(entry []byte) (index, micros int64) {
	return int64(binary.BigEndian.Uint64(entry)), int64(binary.BigEndian.Uint64(entry[8:]))
}

func fromMicros(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// nextEntry takes the first entry off a chunk: two bytes of length, then the entry (the entry bundles of C2SP
// tlog-tiles). ok is false when the bytes end too early or the entry is too short for a stamp.
func nextEntry(chunk []byte) (entry, rest []byte, ok bool) {
	if len(chunk) < 2 {
		return nil, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(chunk))
	if end < 2+stampSize || end > len(chunk) {
		return nil, nil, false
	}
	return chunk[2:end], chunk[end:], true
}
