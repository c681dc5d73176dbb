package disktest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"aver/vault/sqlite/pages"
)

// Files are what a disk holds: contents by the names of a tenant's folder and the file.
type Files map[string][]byte

// A Machine is a computer whose disk is memory, with a plug to pull. A write is seen at once and durable after a sync;
// what was not synced when the power goes may be on the disk, or not, or in parts. Locks and shared memory are those of
// real, empty files with the same names.
type Machine struct {
	vfs.VFS
	Name string // for sqlite.Config.VFS; encrypted

	mu        sync.Mutex
	files     map[string]*memory // as in Files
	left      int                // operations until the power goes; negative when it is gone
	room      int64              // bytes that still fit; below zero for no limit
	failSyncs int                // so many syncs of a log fail, and forget what was to be synced
	lies      bool               // says that it has synced and has not
}

// Forever is how long power lasts that is not to be cut, and syncs fail that are not to be mended.
const Forever = 1 << 60

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

// Boot starts a machine that finds these files on its disk.
func Boot(found Files) *Machine {
	m := &Machine{VFS: vfs.Find(""), Name: fmt.Sprintf("machine-%d", machines.Add(1)), files: map[string]*memory{}, left: Forever, room: -1}
	for name, content := range found {
		m.files[name] = &memory{durable: bytes.Clone(content), seen: bytes.Clone(content)}
	}
	vfs.Register(m.Name, pages.Wrap(m))
	return m
}

// Scrap forgets the machine.
func (m *Machine) Scrap() { vfs.Unregister(m.Name) }

// Power says how many operations that change something the power still lasts for.
func (m *Machine) Power(lasts int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = lasts
}

// Lie lets the disk say that it has synced when it has not: to see that a rig sees it.
func (m *Machine) Lie() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lies = true
}

// FailSyncs says how many syncs of a log fail from now on.
func (m *Machine) FailSyncs(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failSyncs = n
}

// Room sets how many bytes fit; below zero there is no limit.
func (m *Machine) Room(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.room = bytes
}

// Names are those of the machine's files, in order.
func (m *Machine) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files))
}

// Disk is what the machine's disk holds for sure.
func (m *Machine) Disk() Files {
	m.mu.Lock()
	defer m.mu.Unlock()
	files := Files{}
	for name, f := range m.files {
		files[name] = bytes.Clone(f.durable)
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

// Cut pulls the plug and returns what the next machine finds.
func (m *Machine) Cut(random *rand.Rand) Files {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = -1
	found := Files{}
	for _, name := range slices.Sorted(maps.Keys(m.files)) { // in order, so that a seed gives the same again
		f := m.files[name]
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
		found[name] = content
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
func (m *Machine) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
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
func (m *Machine) Delete(name string, syncDir bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step(); err != nil {
		return err
	}
	delete(m.files, place(name))
	return m.VFS.Delete(name, syncDir)
}

// step counts an operation that changes something.
func (m *Machine) step() error {
	if m.left--; m.left < 0 {
		return syscall.EIO
	}
	return nil
}

type machineFile struct {
	vfs.File
	machine *Machine
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
