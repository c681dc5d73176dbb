// Package segments keeps a file sealed, a segment at a time, so that a file of any size takes the memory of a segment.
//
// Each segment is bound to its place in the file and to whether it is the last one: a file that was altered, cut short
// or sewn together from others does not open.
package segments

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"aver/base/aead"
	"aver/base/errs"
	"aver/vault/durable"
)

// segment is how much of a file is sealed at once: memory for reading and writing stays small.
const segment = 256 << 10

// Place is what a segment is bound to: the file it belongs to, its number, and whether it is the last one.
type Place func(n uint32, last bool) []byte

// Write seals what it reads into a new file, syncs it, gives it its name and syncs the folder. It returns the size of
// the clear content in bytes and its SHA-256. More than limit bytes are errs.TooLarge. After an error nothing is left.
func Write(path string, key *aead.Key, place Place, from io.Reader, limit int64) (size int64, sum []byte, err error) {
	f, err := os.OpenFile(path+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, nil, fmt.Errorf("store a file: %w", err)
	}
	size, sum, err = write(f, key, place, from, limit)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, nil, errors.Join(err, os.Remove(path+".part"))
	}
	return size, sum, errors.Join(os.Rename(path+".part", path), durable.Names(filepath.Dir(path)))
}

func write(f io.Writer, key *aead.Key, place Place, from io.Reader, limit int64) (size int64, hash []byte, err error) {
	sum := sha256.New()
	buf, next := make([]byte, segment), make([]byte, segment)
	n, err := io.ReadFull(from, buf)
	for i := uint32(0); ; i++ {
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return 0, nil, fmt.Errorf("store a file: %w", err)
		}
		last := err != nil
		var m int
		if !last {
			m, err = io.ReadFull(from, next)
			last = err == io.EOF
		}
		if size += int64(n); size > limit {
			return 0, nil, errs.New(errs.TooLarge, "The file is larger than allowed.")
		}
		sum.Write(buf[:n])
		if _, e := f.Write(key.Seal(nil, buf[:n], place(i, last))); e != nil {
			return 0, nil, fmt.Errorf("store a file: %w", e)
		}
		if last {
			return size, sum.Sum(nil), nil
		}
		buf, next, n = next, buf, m
	}
}

// A File reads the clear content of a sealed file, a segment at a time. The file is open only while a segment is
// read: nobody can forget to close it, and of one that is removed meanwhile (an erasure) no more is given out.
type File struct {
	Path  string
	Place Place
	Open  func(sealed, where []byte) ([]byte, error)

	sealed []byte // a segment, as in the file
	clear  []byte // what is left of the segment that was read last
	next   uint32 // segment
	ended  bool
}

func (f *File) Read(p []byte) (int, error) {
	for len(f.clear) == 0 {
		if f.ended {
			return 0, io.EOF
		}
		if err := f.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.clear)
	f.clear = f.clear[n:]
	return n, nil
}

// advance opens the next segment.
func (f *File) advance() error {
	if err := f.load(); err != nil {
		return err
	}
	clear, err := f.Open(f.sealed, f.Place(f.next, f.ended))
	if err != nil {
		return fmt.Errorf("read a file: segment %d: %w", f.next, err)
	}
	f.clear = clear
	f.next++
	return nil
}

// load reads the next sealed segment and notes whether it is the last one.
func (f *File) load() error {
	file, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.Internal, "The file is missing from the store.").Because(err)
	}
	if err != nil {
		return fmt.Errorf("read a file: %w", err)
	}
	defer file.Close()
	if f.sealed == nil {
		f.sealed = make([]byte, segment+aead.Overhead)
	}
	f.sealed = f.sealed[:cap(f.sealed)]
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read a file: %w", err)
	}
	at := int64(f.next) * int64(len(f.sealed))
	left := info.Size() - at
	f.ended = left <= int64(len(f.sealed))
	f.sealed = f.sealed[:max(0, min(left, int64(len(f.sealed))))]
	if _, err := file.ReadAt(f.sealed, at); err != nil {
		return fmt.Errorf("read a file: %w", err)
	}
	return nil
}
