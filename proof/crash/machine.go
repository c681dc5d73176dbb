package crash

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"aver/vault/sqlite/pages"
)

// A machine is a computer whose disk is memory, with a plug to pull. A write is seen at once and durable after a sync;
// what was not synced when the power goes may be on the disk, or not, or in parts. Locks and shared memory are those of
// real, empty files with the same names.
type machine struct {
	vfs.VFS
	name string // under which the driver knows it, encrypted

	mu        sync.Mutex
	files     map[string]*memory // by the name of the tenant's folder and the file's
	left      int                // operations until the power goes; negative when it is gone
	room      int64              // bytes that still fit; below zero for no limit
	failSyncs int                // so many syncs of a log fail, and forget what was to be synced
	lies      bool               // says that it has synced and has not: to see that the rig sees it
}

// forever is how long power lasts that is not to be cut.
const forever = 1 << 60

// A memory is a file.
type memory struct {
	durable []byte
	pending []change // since the last sync
	seen    []byte   // what programs read
}

type change struct {
	off  int64
	data []byte // nil cuts the file at off
}

func apply(content []byte, c change) []byte {
	if c.data == nil {
		return content[:min(int64(len(content)), c.off)]
	}
	if missing := c.off + int64(len(c.data)) - int64(len(content)); missing > 0 {
		content = append(content, make([]byte, missing)...)
	}
	copy(content[c.off:], c.data)
	return content
}

var machines atomic.Int64

// boot starts a machine that finds these files on its disk.
func boot(files map[string]*memory) *machine {
	m := &machine{VFS: vfs.Find(""), name: fmt.Sprintf("machine-%d", machines.Add(1)), files: files, left: forever, room: -1}
	vfs.Register(m.name, pages.Wrap(m))
	return m
}

// scrap forgets the machine.
func (m *machine) scrap() { vfs.Unregister(m.name) }

// disk is a copy of what the machine's disk holds for sure, for another machine.
func (m *machine) disk() map[string]*memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	files := map[string]*memory{}
	for name, f := range m.files {
		files[name] = &memory{durable: bytes.Clone(f.durable), seen: bytes.Clone(f.durable)}
	}
	return files
}

// How the disk treats what was not synced when the power goes.
const (
	dropAll = iota
	keepAll
	keepBeginning // whole writes, in their order
	tear          // sectors of 512 bytes, here and there
	tearings
)

// power says how many operations the power still lasts for, and whether syncs are lies.
func (m *machine) power(lasts int, lies bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left, m.lies = lasts, lies
}

// cut pulls the plug and returns what the next machine finds.
func (m *machine) cut(random *rand.Rand) map[string]*memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = -1
	found := map[string]*memory{}
	for name, f := range m.files {
		content, how := bytes.Clone(f.durable), random.IntN(tearings)
		until := random.IntN(len(f.pending) + 1)
		for i, c := range f.pending {
			switch {
			case how == keepAll, how == keepBeginning && i < until:
				content = apply(content, c)
			case how == tear:
				content = torn(content, c, random)
			}
		}
		found[name] = &memory{durable: bytes.Clone(content), seen: content}
	}
	return found
}

func torn(content []byte, c change, random *rand.Rand) []byte {
	for start := 0; start < len(c.data); start += 512 {
		if random.IntN(2) == 0 {
			content = apply(content, change{c.off + int64(start), c.data[start:min(start+512, len(c.data))]})
		}
	}
	return content
}

// OpenFilename implements vfs.VFSFilename.
func (m *machine) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(m.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left < 0 {
		_ = file.Close()
		return nil, flags, syscall.EIO
	}
	at := place(name.String())
	if m.files[at] == nil {
		m.files[at] = &memory{}
	}
	return &machineFile{File: file, machine: m, memory: m.files[at], log: strings.HasSuffix(at, "-wal")}, flags, nil
}

// place is the part of a path that is the same on all machines.
func place(path string) string {
	return filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path))
}

// Delete implements vfs.VFS.
func (m *machine) Delete(name string, syncDir bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step(); err != nil {
		return err
	}
	delete(m.files, place(name))
	return m.VFS.Delete(name, syncDir)
}

// step counts an operation that changes something.
func (m *machine) step() error {
	if m.left--; m.left < 0 {
		return syscall.EIO
	}
	return nil
}

type machineFile struct {
	vfs.File
	machine *machine
	memory  *memory
	log     bool
}

func (f *machineFile) ReadAt(p []byte, off int64) (n int, err error) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	if f.machine.left < 0 {
		return 0, syscall.EIO
	}
	if off < int64(len(f.memory.seen)) {
		n = copy(p, f.memory.seen[off:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *machineFile) change(c change) error {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	if err := f.machine.step(); err != nil {
		return err
	}
	grown := c.off + int64(len(c.data)) - int64(len(f.memory.seen))
	if f.machine.room >= 0 && (c.data == nil || grown > 0) {
		if grown > f.machine.room {
			return vfs.SystemError(syscall.ENOSPC, sqlite3.FULL)
		}
		f.machine.room -= grown
	}
	f.memory.pending = append(f.memory.pending, c)
	f.memory.seen = apply(f.memory.seen, c)
	return nil
}

func (f *machineFile) WriteAt(p []byte, off int64) (int, error) {
	return len(p), f.change(change{off, bytes.Clone(p)})
}

func (f *machineFile) Truncate(size int64) error { return f.change(change{off: size}) }

func (f *machineFile) Sync(vfs.SyncFlag) error {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	if err := f.machine.step(); err != nil {
		return err
	}
	if f.log && f.machine.failSyncs > 0 { // as Linux does: what could not be written is forgotten, and reads show it all the same
		f.machine.failSyncs--
		f.memory.pending = nil
		return syscall.EIO
	}
	if f.machine.lies {
		return nil
	}
	for _, c := range f.memory.pending {
		f.memory.durable = apply(f.memory.durable, change{c.off, c.data})
	}
	f.memory.pending = nil
	return nil
}

func (f *machineFile) Size() (int64, error) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	return int64(len(f.memory.seen)), nil
}

func (f *machineFile) SizeHint(int64) error { return nil }

func (f *machineFile) HasMoved() (bool, error) { return false, nil }

func (f *machineFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
