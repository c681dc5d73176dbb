package pages

import (
	"bytes"
	"crypto/aes"
	"errors"
	"io"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"pgregory.net/rapid"

	"aver/base/xts"
)

// plainFile is a file in memory.
type plainFile struct {
	vfs.File // nothing else is asked of it
	bytes    []byte
}

func (f *plainFile) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, f.bytes[min(off, int64(len(f.bytes))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *plainFile) WriteAt(p []byte, off int64) (int, error) {
	if missing := int(off) + len(p) - len(f.bytes); missing > 0 {
		f.bytes = append(f.bytes, make([]byte, missing)...)
	}
	return copy(f.bytes[off:], p), nil
}

func (f *plainFile) Sync(vfs.SyncFlag) error { return nil }

// Whatever is written in whatever pieces, read back it is what a plain file would hold, and two who have the file open see
// the same once the one who wrote has synced.
func TestAFileReadsBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cipher, err := xts.New(bytes.Repeat([]byte("64 bytes"), 8))
		if err != nil {
			t.Fatal(err)
		}
		disk, model := &plainFile{}, &plainFile{}
		writer, reader := &pageFile{File: disk, cipher: cipher, log: rapid.Bool().Draw(t, "log")}, &pageFile{File: disk, cipher: cipher}
		size := rapid.SampledFrom([]int{1, frameHeader, 100, sector, 4096})
		end := 0 // no holes, as SQLite makes none
		for range rapid.IntRange(1, 12).Draw(t, "writes") {
			at := rapid.OneOf(rapid.IntRange(0, end), rapid.Just(end)).Draw(t, "at")
			p := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, size.Draw(t, "size"))
			for _, f := range []vfs.File{writer, model} {
				if n, err := f.WriteAt(p, int64(at)); n != len(p) || err != nil {
					t.Fatalf("write %d at %d: %d, %v", len(p), at, n, err)
				}
			}
			end = max(end, at+len(p))
			if rapid.Bool().Draw(t, "sync") {
				same(t, reader, model, rapid.IntRange(0, end).Draw(t, "from"), size.Draw(t, "read"), writer.Sync(0))
			}
			same(t, writer, model, rapid.IntRange(0, end).Draw(t, "from"), size.Draw(t, "read"), nil)
		}
		for at := 0; at+aes.BlockSize <= len(disk.bytes); at++ {
			if part := disk.bytes[at : at+aes.BlockSize]; bytes.Count(part, part[:1]) == len(part) {
				t.Fatalf("a row of equal bytes at %d: it lies there in the clear", at)
			}
		}
	})
}

func same(t *rapid.T, encrypted, plain vfs.File, from, size int, err error) {
	if err != nil {
		t.Fatal(err)
	}
	want, got := make([]byte, size), make([]byte, size)
	n, _ := plain.ReadAt(want, int64(from))
	m, err := encrypted.ReadAt(got, int64(from))
	if m < n || !bytes.Equal(got[:n], want[:n]) { // an encrypted file ends with zeros up to a whole sector
		t.Fatalf("%d bytes at %d: %d, %v, and not those written", size, from, m, err)
	}
	if m < size && !errors.Is(err, io.EOF) {
		t.Fatalf("%d of %d bytes without a reason: %v", m, size, err)
	}
}
