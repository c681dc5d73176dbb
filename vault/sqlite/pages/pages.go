// Package pages encrypts the files of SQLite with AES-XTS a page at a time.
//
// The stored bytes are those of the driver's vfs/xts, which does the encryption here too. But vfs/xts reads and writes each
// sector of 512 bytes by itself, a dozen system calls for a page in the log; this package lies above and below it, so
// that a page is read or written at once, which halves the work of a commit. It encrypts and nothing else: it does not
// notice tampering, and whoever opens a file must check that the key is long enough and synchronous is FULL, as package
// sqlite does.
package pages

import (
	"errors"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/xts"
)

const name = "aver"

var registered sync.Once

// Register makes the layer over the system's files known to the driver and returns the name it has there.
func Register() string {
	registered.Do(func() { vfs.Register(name, Wrap(vfs.Find(""))) })
	return name
}

// Wrap puts the layer over another one. Rigs that break disks register theirs so.
func Wrap(base vfs.VFS) vfs.VFS { return layer{xts.Wrap(below{base}, nil)} }

// sector is the unit of encryption in bytes.
const sector = 512

// A layer lies above the encryption and sees whole pages.
type layer struct{ vfs.VFS }

func (v layer) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	if err != nil {
		return nil, flags, full(err)
	}
	encrypting, isEncrypting := file.(encrypting)
	sectors, hasSectors := vfsutil.UnwrapFile[*sectorFile](file)
	if !isEncrypting || !hasSectors {
		return file, flags, nil
	}
	return &pageFile{encrypting: encrypting, sectors: sectors, log: flags&vfs.OPEN_WAL != 0}, flags, nil
}

// An encrypting file is what SQLite asks of an encrypted file besides reading and writing.
type encrypting interface {
	vfs.FilePragma
	vfs.FileSharedMemory
	vfs.FileSizeHint
	vfs.FileHasMoved
}

// A pageFile tells the sectors below what belongs together.
type pageFile struct {
	encrypting
	sectors *sectorFile
	log     bool // a write-ahead log
	synced  bool // nothing was written since the last Sync
	held    []byte
	heldAt  int64
}

// frameHeader is the length of what SQLite writes to the log before each page, in a call of its own.
const frameHeader = 24

// Unwrap lets the log find the key of its database.
func (f *pageFile) Unwrap() vfs.File { return f.encrypting }

func (f *pageFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.encrypting.DeviceCharacteristics() &^ vfs.IOCAP_BATCH_ATOMIC
}

// WriteAt holds back the header of a frame until the page that follows it at once, so that both go out together and the
// sector they share is encrypted once. Nobody else reads a frame before the commit that ends with Sync, and anything
// but that page, coming to the file, sends the header first. What follows a Sync directly may be the last bytes of a
// commit, so it is never held.
func (f *pageFile) WriteAt(p []byte, off int64) (int, error) {
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
	return len(p), f.write(p, off)
}

func (f *pageFile) write(p []byte, off int64) error {
	f.sectors.collecting = true
	_, err := f.encrypting.WriteAt(p, off)
	f.sectors.collecting = false
	return f.sectors.flush(err)
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

func (f *pageFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.release(); err != nil {
		return 0, err
	}
	f.sectors.fetch(off&^(sector-1), (off+int64(len(p))+sector-1)&^(sector-1))
	defer f.sectors.forget()
	return f.encrypting.ReadAt(p, off)
}

func (f *pageFile) Sync(flags vfs.SyncFlag) error {
	if err := f.release(); err != nil {
		return err
	}
	f.synced = true
	return f.encrypting.Sync(flags)
}

func (f *pageFile) Truncate(size int64) error {
	if err := f.release(); err != nil {
		return err
	}
	return f.encrypting.Truncate(size)
}

func (f *pageFile) Size() (int64, error) {
	if err := f.release(); err != nil {
		return 0, err
	}
	return f.encrypting.Size()
}

// A below lies under the encryption and sees sectors.
type below struct{ vfs.VFS }

func (v below) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &sectorFile{File: file}, flags, nil
}

// A sectorFile gathers the sectors of one page. It keeps nothing from one call of SQLite's to the next, so connections
// see each other's writes exactly as they would without it.
type sectorFile struct {
	vfs.File
	fetched    []byte // read ahead, from offset start
	collected  []byte // to be written, from offset start
	start      int64
	collecting bool
	buffer     []byte
}

// fetch reads what the sector reads to come will ask for. What it could not read they ask for themselves, and meet the
// error.
func (f *sectorFile) fetch(from, to int64) {
	if size := int(to - from); size > cap(f.buffer) {
		f.buffer = make([]byte, size)
	}
	n, _ := f.File.ReadAt(f.buffer[:to-from], from)
	f.fetched, f.start = f.buffer[:n], from
}

func (f *sectorFile) forget() { f.fetched = nil }

func (f *sectorFile) ReadAt(p []byte, off int64) (int, error) {
	if at := off - f.start; at >= 0 && at+int64(len(p)) <= int64(len(f.fetched)) {
		return copy(p, f.fetched[at:]), nil
	}
	return f.File.ReadAt(p, off)
}

func (f *sectorFile) WriteAt(p []byte, off int64) (int, error) {
	if !f.collecting {
		n, err := f.File.WriteAt(p, off)
		return n, full(err)
	}
	if len(f.collected) == 0 {
		f.start = off
	}
	f.collected = append(f.collected, p...) // the encryption goes through a page in order
	return len(p), nil
}

// flush writes what was collected, unless collecting it failed.
func (f *sectorFile) flush(failed error) error {
	defer func() { f.collected = f.collected[:0] }()
	if failed != nil || len(f.collected) == 0 {
		return failed
	}
	_, err := f.File.WriteAt(f.collected, f.start)
	return full(err)
}

// full gives an error for want of room the code that says so. The system's layer of the driver looks for the bare error
// number, which os.File wraps, so that a full disk would be an I/O error like any other.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return err
}

// Unwrap lets pages find the sectors under the encryption.
func (f *sectorFile) Unwrap() vfs.File { return f.File }

// SharedMemory implements vfs.FileSharedMemory.
func (f *sectorFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

// SizeHint implements vfs.FileSizeHint.
func (f *sectorFile) SizeHint(size int64) error { return vfsutil.WrapSizeHint(f.File, size) }

// HasMoved implements vfs.FileHasMoved.
func (f *sectorFile) HasMoved() (bool, error) { return vfsutil.WrapHasMoved(f.File) }
