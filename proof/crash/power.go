package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"aver/base/ids"
	"aver/proof/house"
	"aver/vault"
	"aver/vault/sqlite/disktest"
	"aver/work/inbox"
)

// Grid is where the power of machines is cut. All its machines start from the same disk: a house in which a few
// visitors have written.
type Grid struct {
	folder   string
	keys     *house.House // keeps the keys, on the real disk
	tenant   ids.Tenant
	visitors []vault.Actor
	disk     disktest.Files
	told     []int64 // messages that are on that disk

	mu     sync.Mutex
	houses int
}

// people is how many write at the same time.
const people = 4

// NewGrid sets up the disk that all machines start from.
func NewGrid(ctx context.Context, folder string) (*Grid, error) {
	g := &Grid{folder: folder}
	m := disktest.Boot(nil)
	defer m.Scrap()
	var err error
	if g.keys, err = house.Open(ctx, house.Config{Folder: filepath.Join(folder, "keys")}); err != nil {
		return nil, err
	}
	h, err := g.house(ctx, m)
	if err != nil {
		return nil, err
	}
	if g.tenant, err = h.NewTenant(ctx, "shop"); err == nil {
		g.visitors, err = h.NewVisitors(ctx, g.tenant, people)
	}
	for n := int64(1); n <= 20 && err == nil; n++ {
		_, err = g.say(ctx, h, n)
		g.told = append(g.told, n)
	}
	if err := errors.Join(err, h.Close()); err != nil {
		return nil, err
	}
	g.disk = m.Disk()
	return g, nil
}

// Close closes what the machines shared.
func (g *Grid) Close() error { return g.keys.Close() }

// house opens a house on a machine, in a new folder with empty files of the machine's names.
func (g *Grid) house(ctx context.Context, m *disktest.Machine) (*house.House, error) {
	g.mu.Lock()
	g.houses++
	folder := filepath.Join(g.folder, fmt.Sprint(g.houses))
	g.mu.Unlock()
	if err := errors.Join(os.MkdirAll(folder, 0o700), g.reserve(folder)); err != nil {
		return nil, err
	}
	for _, name := range m.Names() {
		path := filepath.Join(folder, "stores", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			return nil, err
		}
	}
	return house.Open(ctx, house.Config{Folder: folder, VFS: m.Name, KeysOf: g.keys})
}

// reserve lends a folder the room that the first one keeps back: writing two megabytes for each machine would take
// longer than all else.
func (g *Grid) reserve(folder string) error {
	err := os.Link(filepath.Join(g.folder, "1", "reserve"), filepath.Join(folder, "reserve"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (g *Grid) say(ctx context.Context, h *house.House, n int64) (inbox.Ack, error) {
	return h.Inbox.Receive(ctx, g.visitors[n%people], inbox.Incoming{ClientID: house.ClientID(n), Text: house.Words(n)})
}

// Cut lets people write on a machine, pulls its plug at a moment that the seed decides, lets the disk keep what it
// likes of what was not synced, and looks at what a new machine finds. Some cuts come when much is in the log, some
// again while the new machine starts. It returns how many messages were acknowledged, and what is wrong.
func (g *Grid) Cut(ctx context.Context, seed uint64) (int, []string, error) {
	return g.cut(ctx, seed, false)
}

// CutLying is Cut with a disk that says it has synced and has not. It must find something wrong.
func (g *Grid) CutLying(ctx context.Context, seed uint64) (int, []string, error) {
	return g.cut(ctx, seed, true)
}

func (g *Grid) cut(ctx context.Context, seed uint64, lies bool) (int, []string, error) {
	random := rand.New(rand.NewPCG(seed, 1))
	m := disktest.Boot(g.disk)
	defer m.Scrap()
	h, err := g.house(ctx, m)
	if err != nil {
		return 0, nil, fmt.Errorf("start: %w", err)
	}
	lasts := random.IntN(400)
	if seed%16 == 0 {
		lasts = random.IntN(6000)
	}
	m.Power(lasts)
	if lies {
		m.Lie()
	}
	acknowledged := g.untilDark(ctx, h)
	found := m.Cut(random)
	_ = h.Close() // it has no power either
	if seed%4 == 1 {
		found = g.cutAgain(ctx, found, random)
	}
	return len(acknowledged), g.morning(ctx, found, seed, acknowledged), nil
}

// cutAgain pulls the plug of the new machine, too, soon after it has started.
func (g *Grid) cutAgain(ctx context.Context, found disktest.Files, random *rand.Rand) disktest.Files {
	m := disktest.Boot(found)
	defer m.Scrap()
	m.Power(random.IntN(60))
	if h, err := g.house(ctx, m); err == nil {
		_, _ = g.say(ctx, h, 888_888) // perhaps; nobody was told
		defer h.Close()
	}
	return m.Cut(random)
}

// morning looks at what there is when the power is back.
func (g *Grid) morning(ctx context.Context, found disktest.Files, seed uint64, acknowledged []int64) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Sprintf("seed %d: ", seed)+fmt.Sprintf(format, args...))
	}
	m := disktest.Boot(found)
	defer m.Scrap()
	h, err := g.house(ctx, m)
	if err != nil {
		fault("it does not open: %v", err)
		return faults
	}
	findings, err := h.Look(ctx, g.tenant)
	if err != nil {
		fault("it cannot be read: %v", err)
	}
	findings.Acknowledged(append(acknowledged, g.told...))
	for _, f := range findings.Faults {
		fault("%s", f)
	}
	if _, err := g.say(ctx, h, 999_999); err != nil {
		fault("nothing can be written: %v", err)
	}
	if err := h.Close(); err != nil {
		fault("close: %v", err)
	}
	return faults
}

// untilDark lets people write until nobody is answered any more.
func (g *Grid) untilDark(ctx context.Context, h *house.House) []int64 {
	var mu sync.Mutex
	var acknowledged []int64
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			for n := int64(1000 + i); ; n += people {
				if _, err := g.say(ctx, h, n); err != nil {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, n)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return acknowledged
}
