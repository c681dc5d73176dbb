// Package disktest is a disk with a size and a temper, for tests that fill it or let its fsyncs fail, and a machine whose
// power can be cut.
package disktest

import (
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"aver/vault/sqlite/pages"
)

// A Disk is the system's files with a size and a temper.
type Disk struct {
	vfs.VFS
	Root      string
	Limit     atomic.Int64 // bytes that fit below Root; 0 is no limit
	FailSyncs atomic.Int64 // so many fsyncs of a log will fail
	Syncs     atomic.Int64 // how many fsyncs of a log there were
	mu        sync.Mutex
}

var disks atomic.Int64

// Mount registers the disk under a name of its own, for sqlite.Config.VFS: under the engine's encryption or, for tests that
// look for traces, without any.
func (d *Disk) Mount(t testing.TB, encrypted bool) (name string) {
	t.Helper()
	d.VFS = vfs.Find("")
	name = "disk" + strconv.FormatInt(disks.Add(1), 10)
	layer := vfs.VFS(d)
	if encrypted {
		layer = pages.Wrap(d)
	}
	vfs.Register(name, layer)
	t.Cleanup(func() { vfs.Unregister(name) })
	return name
}

// OpenFilename makes a file if there is room for one.
func (d *Disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if exists, err := d.Access(name.String(), vfs.ACCESS_EXISTS); err == nil && !exists && !d.fits(1) {
		return nil, flags, syscall.ENOSPC
	}
	file, flags, err := vfsutil.WrapOpenFilename(d.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &diskFile{File: file, disk: d, log: strings.HasSuffix(name.String(), "-wal")}, flags, nil
}

// fits tells whether a file may grow by so much.
func (d *Disk) fits(growth int64) bool {
	limit := d.Limit.Load()
	if limit == 0 || growth <= 0 {
		return true
	}
	var used int64
	_ = filepath.WalkDir(d.Root, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && !strings.HasSuffix(entry.Name(), "-shm") {
			if info, err := entry.Info(); err == nil {
				used += info.Size()
			}
		}
		return nil
	})
	return used+growth <= limit
}

type diskFile struct {
	vfs.File
	disk *Disk
	log  bool
}

func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	size, err := f.File.Size()
	if err != nil {
		return 0, err
	}
	if !f.disk.fits(off + int64(len(p)) - size) {
		return 0, syscall.ENOSPC // as os.File has it, not as the driver would like it
	}
	return f.File.WriteAt(p, off)
}

func (f *diskFile) Sync(flags vfs.SyncFlag) error {
	if f.log {
		f.disk.Syncs.Add(1)
		if f.disk.FailSyncs.Add(-1) >= 0 {
			return syscall.EIO
		}
	}
	return f.File.Sync(flags)
}

func (f *diskFile) SizeHint(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	now, err := f.File.Size()
	if err != nil {
		return err
	}
	if !f.disk.fits(size - now) {
		return syscall.ENOSPC
	}
	return vfsutil.WrapSizeHint(f.File, size)
}

func (f *diskFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

func (f *diskFile) HasMoved() (bool, error) { return vfsutil.WrapHasMoved(f.File) }

// Pragma takes a key and does nothing with it. Under encryption it is never asked.
func (f *diskFile) Pragma(name, value string) (string, error) {
	if name == "hexkey" {
		return "ok", nil
	}
	return vfsutil.WrapPragma(f.File, name, value)
}
