package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"io"

	"golang.org/x/image/tiff/lzw"
)

const (
	mostFilters = 8        // of one stream
	firstRead   = 32 << 10 // bytes
	leastStream = 1 << 10  // bytes that a stream counts for at least: to begin with one takes time, and pages may name it again and again
)

// decode unpacks a stream (ISO 32000-1, 7.4). What was unpacked before something was wrong counts: it is what others
// show. A picture has no words; it is nothing. The memory is the caller's to release.
func (f *file) decode(d dict, raw []byte) ([]byte, error) {
	filters := f.listed(d["Filter"])
	if len(filters) > mostFilters {
		return nil, ErrTooMuch
	}
	if *f.look.Left -= max(len(raw), leastStream); *f.look.Left < 0 {
		return nil, ErrTooMuch
	}
	parms := f.listed(d["DecodeParms"])
	for i, filter := range filters {
		from := unpacker(filter, raw)
		if from == nil {
			f.release(raw, i > 0)
			return nil, nil
		}
		out, err := f.readAll(from)
		f.release(raw, i > 0)
		if err != nil {
			return nil, err
		}
		raw = out
		if i < len(parms) {
			p, _ := f.resolve(parms[i]).(dict)
			raw = predicted(p, raw)
		}
	}
	if len(filters) > 0 {
		return raw, nil
	}
	if err := f.look.Room(int64(len(raw))); err != nil {
		return nil, err
	}
	out := make([]byte, len(raw))
	copy(out, raw)
	return out, nil
}

// release gives back the memory of what was unpacked.
func (f *file) release(unpacked []byte, ours bool) {
	if ours {
		_ = f.look.Room(-int64(cap(unpacked))) // giving back needs no answer
	}
}

func unpacker(filter any, raw []byte) io.Reader {
	switch filter {
	case name("FlateDecode"), name("Fl"):
		z, err := zlib.NewReader(bytes.NewReader(raw))
		if err != nil {
			return bytes.NewReader(nil)
		}
		return z
	case name("LZWDecode"), name("LZW"):
		return lzw.NewReader(bytes.NewReader(raw), lzw.MSB, 8)
	case name("ASCII85Decode"), name("A85"):
		end := bytes.Index(raw, []byte("~>"))
		if end < 0 {
			end = len(raw)
		}
		return ascii85.NewDecoder(bytes.NewReader(bytes.TrimPrefix(bytes.TrimSpace(raw[:end]), []byte("<~"))))
	case name("ASCIIHexDecode"), name("AHx"):
		return bytes.NewReader((&lexer{src: raw}).hex())
	case name("RunLengthDecode"), name("RL"):
		return &runs{src: raw}
	}
	return nil
}

// runs unpacks run lengths (7.4.5).
type runs struct {
	src             []byte
	literal, repeat int // bytes that are still to come
	same            byte
}

func (r *runs) Read(p []byte) (n int, err error) {
	for n < len(p) {
		switch {
		case r.repeat > 0:
			p[n] = r.same
			n, r.repeat = n+1, r.repeat-1
		case r.literal > 0 && len(r.src) > 0:
			k := copy(p[n:], r.src[:min(r.literal, len(r.src))])
			n, r.literal, r.src = n+k, r.literal-k, r.src[k:]
		case len(r.src) < 2 || r.src[0] == 128:
			return n, io.EOF
		case r.src[0] < 128:
			r.literal, r.src = int(r.src[0])+1, r.src[1:]
		default:
			r.repeat, r.same, r.src = 257-int(r.src[0]), r.src[1], r.src[2:]
		}
	}
	return n, nil
}

// readAll reads what is unpacked into memory that it asks for as the bytes come.
func (f *file) readAll(from io.Reader) ([]byte, error) {
	var out []byte
	for {
		if len(out) == cap(out) {
			size := max(2*cap(out), firstRead)
			if err := f.look.Room(int64(size)); err != nil {
				f.release(out, true)
				return nil, err
			}
			grown := make([]byte, len(out), size)
			copy(grown, out)
			f.release(out, true)
			out = grown
		}
		n, err := from.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if len(out) > *f.look.Left {
			f.release(out, true)
			return nil, ErrTooMuch
		}
		if err != nil {
			*f.look.Left -= len(out)
			return out, nil
		}
	}
}

// predicted undoes PNG's prediction of bytes from those above and before them (7.4.4.4, RFC 2083 section 6).
func predicted(parms dict, raw []byte) []byte {
	if p, _ := parms["Predictor"].(float64); p < 10 {
		return raw
	}
	of := func(key name, otherwise int) int {
		if n, ok := parms[key].(float64); ok && n > 0 && n < 1<<16 {
			return int(n)
		}
		return otherwise
	}
	bits := of("Colors", 1) * of("BitsPerComponent", 8)
	back, width := (bits+7)/8, min((bits*of("Columns", 1)+7)/8, len(raw))
	out, above, row := raw[:0], make([]byte, width), make([]byte, width)
	for len(raw) > 1 {
		kind, line := raw[0], raw[1:min(len(raw), width+1)]
		raw = raw[1+len(line):]
		unpredict(kind, line, above, row, back)
		out = append(out, row[:len(line)]...) // behind what is still to be read: each line is a byte shorter
		above, row = row, above
	}
	return out
}

func unpredict(kind byte, line, above, row []byte, back int) {
	for i, c := range line {
		var before, corner byte
		if i >= back {
			before, corner = row[i-back], above[i-back]
		}
		switch kind {
		case 1:
			c += before
		case 2:
			c += above[i]
		case 3:
			c += byte((int(before) + int(above[i])) / 2)
		case 4:
			c += paeth(before, above[i], corner)
		}
		row[i] = c
	}
}

func paeth(before, above, corner byte) byte {
	guess := int(before) + int(above) - int(corner)
	off := func(c byte) int { return max(guess-int(c), int(c)-guess) }
	switch {
	case off(before) <= off(above) && off(before) <= off(corner):
		return before
	case off(above) <= off(corner):
		return above
	}
	return corner
}
