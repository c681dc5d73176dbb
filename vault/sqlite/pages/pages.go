// Package pages encrypts the files of SQLite with AES-XTS a page at a time.
//
// The stored bytes are those of the driver's own vfs/xts, and each reads what the other wrote. But vfs/xts reads, encrypts
// and writes each sector of 512 bytes by itself; here a page goes through at once, which takes a third of the time. It
// encrypts and nothing else: it does not notice tampering, and whoever opens a file must check that synchronous is FULL,
// as package sqlite does.
package pages

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"aver/base/xts"
)

const sector = xts.Sector

const name = "aver"

var registered sync.Once

// Register makes the layer over the system's files known to the driver and returns the name it has there.
func Register() string {
	registered.Do(func() { vfs.Register(name, Wrap(vfs.Find(""))) })
	return name
}

// Wrap puts the layer over another one. Rigs that break disks register theirs so.
func Wrap(base vfs.VFS) vfs.VFS { return layer{base} }

type layer struct{ vfs.VFS }

func (v layer) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name != "" {
		return nil, flags, sqlite3.CANTOPEN // the driver calls OpenFilename
	}
	return v.OpenFilename(nil, flags)
}

// OpenFilename opens a file. A database has its key from the pragma hexkey, its log and journal from the database, and a
// temporary file one that nobody else knows. What lies in memory and the list of journals, which has nothing but names,
// stay as they are.
func (v layer) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	if err != nil || flags&(vfs.OPEN_SUPER_JOURNAL|vfs.OPEN_MEMORY) != 0 {
		return file, flags, full(err)
	}
	f := &pageFile{File: file, log: flags&vfs.OPEN_WAL != 0}
	switch {
	case name == nil:
		f.cipher, err = xts.New(random())
	case flags&vfs.OPEN_MAIN_DB == 0:
		of, found := vfsutil.UnwrapFile[*pageFile](name.DatabaseFile())
		if !found || of.cipher == nil {
			return nil, flags, errors.Join(sqlite3.IOERR_BADKEY, file.Close())
		}
		f.cipher = of.cipher
	}
	return f, flags, err
}

func random() []byte {
	key := make([]byte, xts.KeySize)
	_, _ = rand.Read(key)
	return key
}

// A pageFile is one encrypted file as one connection sees it. It keeps nothing from one call of SQLite's to the next but
// the header of a frame, so connections see each other's writes exactly as they would without it.
type pageFile struct {
	vfs.File
	cipher *xts.Cipher // nil before a database has its key
	log    bool        // a write-ahead log
	synced bool        // nothing was written since the last Sync
	held   []byte
	heldAt int64
}

// Pragma takes the key.
func (f *pageFile) Pragma(name, value string) (_ string, err error) {
	if name != "hexkey" {
		return vfsutil.WrapPragma(f.File, name, value)
	}
	key, err := hex.DecodeString(value)
	if err == nil {
		f.cipher, err = xts.New(key)
	}
	if err != nil {
		return "", sqlite3.IOERR_BADKEY
	}
	return "ok", nil
}

// scratch is room for the sectors of one call and for their tweaks.
type scratch struct{ sectors, tweaks []byte }

var scratches = sync.Pool{New: func() any { return &scratch{} }}

// room is a scratch for so many bytes.
func room(size int) *scratch {
	s := scratches.Get().(*scratch)
	if size > cap(s.sectors) {
		s.sectors, s.tweaks = make([]byte, size), make([]byte, size)
	}
	s.sectors, s.tweaks = s.sectors[:size], s.tweaks[:size]
	return s
}

// around are the whole sectors in which size bytes at this offset lie.
func around(off int64, size int) (from, to int64) {
	return off &^ (sector - 1), roundUp(off + int64(size))
}

func roundUp(size int64) int64 { return (size + sector - 1) &^ (sector - 1) }

func (f *pageFile) ReadAt(p []byte, off int64) (int, error) {
	if f.cipher == nil {
		if off == 0 && len(p) == 100 {
			return 0, io.EOF // SQLite looks for the header of a database before the key can be told: as if there were none
		}
		return 0, sqlite3.CANTOPEN
	}
	if err := f.release(); err != nil {
		return 0, err
	}
	from, to := around(off, len(p))
	s := room(int(to - from))
	defer scratches.Put(s)
	n, err := f.load(s.sectors, s.tweaks, from)
	read := copy(p, s.sectors[min(int(off-from), n):n])
	if read == len(p) {
		return read, nil
	}
	return read, err
}

// load reads sectors and returns how many bytes of whole ones there were, and why not all.
func (f *pageFile) load(sectors, tweaks []byte, from int64) (int, error) {
	n, err := f.File.ReadAt(sectors, from)
	n &^= sector - 1
	f.cipher.Decrypt(sectors[:n], from/sector, tweaks[:n])
	if n < len(sectors) && err == nil {
		err = io.EOF
	}
	return n, err
}

// frameHeader is the length of what SQLite writes to the log before each page, in a call of its own.
const frameHeader = 24

// WriteAt holds back the header of a frame until the page that follows it at once, so that both go out together and the
// sector they share is encrypted once. Nobody else reads a frame before the commit that ends with Sync, and anything
// but that page, coming to the file, sends the header first. What follows a Sync directly may be the last bytes of a
// commit, so it is never held.
func (f *pageFile) WriteAt(p []byte, off int64) (int, error) {
	if f.cipher == nil {
		return 0, sqlite3.READONLY
	}
	if len(f.held) > 0 && off == f.heldAt+frameHeader {
		frame := append(f.held, p...)
		f.held = frame[:0]
		return len(p), f.write(frame, f.heldAt)
	}
	if err := f.release(); err != nil {
		return 0, err
	}
	if f.log && len(p) == frameHeader && !f.synced {
		f.held, f.heldAt = append(f.held, p...), off
		return len(p), nil
	}
	f.synced = false
	if !f.log {
		runtime.Gosched() // the log is being moved, a thousand pages: whoever has work goes first
	}
	return len(p), f.write(p, off)
}

// write stores bytes in their sectors. Of the first and the last the rest stays what it is; behind the file's end it
// is zero.
func (f *pageFile) write(p []byte, off int64) error {
	from, to := around(off, len(p))
	s := room(int(to - from))
	defer scratches.Put(s)
	end := off + int64(len(p))
	if from < off {
		if err := f.keep(s.sectors[:sector], s.tweaks, from); err != nil {
			return err
		}
	}
	if last := to - sector; end < to && (last > from || from == off) {
		if err := f.keep(s.sectors[last-from:], s.tweaks, last); err != nil {
			return err
		}
	}
	copy(s.sectors[off-from:], p)
	f.cipher.Encrypt(s.sectors, from/sector, s.tweaks)
	_, err := f.File.WriteAt(s.sectors, from)
	return full(err)
}

// keep reads a sector of which a part will be written over. One that is not there whole is zeros.
func (f *pageFile) keep(one, tweaks []byte, from int64) error {
	n, err := f.load(one, tweaks[:sector], from)
	if n == sector {
		return nil
	}
	clear(one)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// release writes a header that was held back.
func (f *pageFile) release() error {
	if len(f.held) == 0 {
		return nil
	}
	held := f.held
	f.held = f.held[:0]
	return f.write(held, f.heldAt)
}

func (f *pageFile) Sync(flags vfs.SyncFlag) error {
	if err := f.release(); err != nil {
		return err
	}
	f.synced = true
	return f.File.Sync(flags)
}

func (f *pageFile) Truncate(size int64) error {
	if err := f.release(); err != nil {
		return err
	}
	return f.File.Truncate(roundUp(size))
}

func (f *pageFile) Size() (int64, error) {
	if err := f.release(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// SizeHint implements vfs.FileSizeHint.
func (f *pageFile) SizeHint(size int64) error { return vfsutil.WrapSizeHint(f.File, roundUp(size)) }

// DeviceCharacteristics keeps what holds for sectors too. A group of writes that the system would make atomic is none,
// because one that is held back may be missing.
func (f *pageFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.File.DeviceCharacteristics() & (vfs.IOCAP_ATOMIC512 | vfs.IOCAP_IMMUTABLE | vfs.IOCAP_SEQUENTIAL |
		vfs.IOCAP_SUBPAGE_READ | vfs.IOCAP_UNDELETABLE_WHEN_OPEN)
}

// SectorSize implements vfs.File. Sizes are powers of two.
func (f *pageFile) SectorSize() int { return max(sector, f.File.SectorSize()) }

// SharedMemory implements vfs.FileSharedMemory.
func (f *pageFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

// HasMoved implements vfs.FileHasMoved.
func (f *pageFile) HasMoved() (bool, error) { return vfsutil.WrapHasMoved(f.File) }

// Unwrap lets the log find the key of its database through what rigs put above.
func (f *pageFile) Unwrap() vfs.File { return f.File }

// full gives an error for want of room the code that says so. The system's layer of the driver looks for the bare error
// number, which os.File wraps, so that a full disk would be an I/O error like any other.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return err
}
