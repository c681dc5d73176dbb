package sqlite_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/sqlite"
	"aver/vault/sqlite/pages"
)

// A machine keeps files in memory and forgets what was not synced when its power is cut. Locks and shared memory are
// those of real, empty files of the same names.
type machine struct {
	vfs.VFS
	mu     sync.Mutex
	files  map[string]*memory // by base name
	left   int                // operations until the power is cut
	random *rand.Rand
}

// A memory is one file: what is on the disk, what programs see, and the writes in between.
type memory struct {
	durable, seen []byte
	pending       []change
}

type change struct {
	off  int64
	data []byte // nil cuts the file at off
}

func (m *memory) apply(content []byte, c change) []byte {
	if c.data == nil {
		return slices.Grow(content[:min(int64(len(content)), c.off)], 0)
	}
	if missing := c.off + int64(len(c.data)) - int64(len(content)); missing > 0 {
		content = append(content, make([]byte, missing)...)
	}
	copy(content[c.off:], c.data)
	return content
}

func (m *machine) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(m.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	base := filepath.Base(name.String())
	if m.files[base] == nil {
		m.files[base] = &memory{}
	}
	return &machineFile{File: file, machine: m, memory: m.files[base]}, flags, nil
}

func (m *machine) Delete(name string, syncDir bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left <= 0 {
		return syscall.EIO
	}
	delete(m.files, filepath.Base(name))
	return m.VFS.Delete(name, syncDir)
}

// step counts one operation that changes something.
func (m *machine) step() error {
	if m.left--; m.left < 0 {
		return syscall.EIO
	}
	return nil
}

// cut returns what a machine that starts again finds: all that was synced, and of the rest what the disk happened to
// write: nothing, everything, a beginning, or sectors of 512 bytes here and there.
func (m *machine) cut() map[string]*memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]*memory{}
	for name, file := range m.files {
		content := bytes.Clone(file.durable)
		mode, until := m.random.IntN(4), 0
		if len(file.pending) > 0 {
			until = m.random.IntN(len(file.pending))
		}
		for i, c := range file.pending {
			switch {
			case mode == 1, mode == 2 && i < until:
				content = file.apply(content, c)
			case mode == 3:
				content = file.torn(content, c, m.random)
			}
		}
		found[name] = &memory{durable: bytes.Clone(content), seen: content}
	}
	return found
}

func (m *memory) torn(content []byte, c change, random *rand.Rand) []byte {
	for start := 0; start < len(c.data); start += 512 {
		if random.IntN(2) == 0 {
			content = m.apply(content, change{c.off + int64(start), c.data[start:min(start+512, len(c.data))]})
		}
	}
	return content
}

type machineFile struct {
	vfs.File
	machine *machine
	memory  *memory
}

func (f *machineFile) ReadAt(p []byte, off int64) (n int, err error) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
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
	f.memory.pending = append(f.memory.pending, c)
	f.memory.seen = f.memory.apply(f.memory.seen, c)
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
	f.memory.durable, f.memory.pending = bytes.Clone(f.memory.seen), nil
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

func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	acknowledged := 0
	for seed := range uint64(40) {
		acknowledged += powerCut(t, seed)
	}
	if acknowledged < 300 {
		t.Errorf("only %d writes came before the cuts: they prove little", acknowledged)
	}
}

// powerCut writes until the power goes and looks at what is there afterwards. It returns how many writes were
// acknowledged.
func powerCut(t *testing.T, seed uint64) int {
	random := rand.New(rand.NewPCG(seed, 1))
	m := &machine{VFS: vfs.Find(""), files: map[string]*memory{}, left: 1 << 30, random: random}
	e := start(t, m, seed)
	m.mu.Lock()
	m.left = random.IntN(1500)
	m.mu.Unlock()
	var acknowledged int64
	for {
		err := e.Write(context.Background(), ids.Installation, func(c engine.Conn) error {
			for range 3 { // rows of one transaction stay together
				size := random.IntN(6000)
				if _, err := c.Exec("INSERT INTO notes (id, body) VALUES ((SELECT COUNT(*) FROM notes), ?)", bytes.Repeat([]byte{byte(size)}, size)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			break
		}
		acknowledged++
	}
	found := m.cut()
	_ = e.Close() // has no power either
	after := start(t, &machine{VFS: vfs.Find(""), files: found, left: 1 << 30, random: random}, seed)
	defer after.Close()
	rows := count(t, after, ids.Installation)
	if rows < 3*acknowledged || rows > 3*acknowledged+3 || rows%3 != 0 {
		t.Errorf("seed %d: %d rows after %d acknowledged writes of three", seed, rows, acknowledged)
	}
	whole(t, after, seed)
	return int(acknowledged)
}

// start opens an engine on the machine in a new folder.
func start(t *testing.T, m *machine, seed uint64) *sqlite.Engine {
	t.Helper()
	name := "machine" + strconv.FormatUint(seed, 10) + "-" + strconv.FormatInt(layers.Add(1), 10)
	vfs.Register(name, pages.Wrap(m))
	t.Cleanup(func() { vfs.Unregister(name) })
	e, err := sqlite.Open(sqlite.Config{Root: t.TempDir(), PageKey: pageKey, Migrations: notes, VFS: name})
	if err != nil {
		t.Fatal(err)
	}
	e.ShortenLogs(20, 100)
	if err := e.Create(t.Context(), ids.Installation); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return e
}

// whole wants every row to read as it was written.
func whole(t *testing.T, e *sqlite.Engine, seed uint64) {
	t.Helper()
	err := e.Read(t.Context(), ids.Installation, func(c engine.Conn) error {
		return c.Query("SELECT id, body FROM notes", nil, func(row []any) error {
			body := row[1].([]byte)
			if len(body) != bytes.Count(body, []byte{byte(len(body))}) {
				t.Errorf("seed %d: row %v is damaged", seed, row[0])
			}
			return nil
		})
	})
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
}
