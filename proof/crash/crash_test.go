package crash_test

import (
	"context"
	"flag"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aver/proof/crash"
	"aver/vault/postgres/pgtest"
)

var (
	cuts  = flag.Int("cuts", 0, "how many power cuts; as many as take about fifteen seconds if 0")
	lives = flag.Int("lives", 4, "how often a process is killed")
)

func TestMain(m *testing.M) {
	crash.Main()
	pgtest.Main(m)
}

func none(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
}

func TestAKilledProcessHasKeptWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	for name, callers := range map[string]int{"alone": 1, "with 64": 64} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := crash.Kill(t.Context(), t.TempDir(), *lives, callers, 300*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d lives, %d acknowledged, %d stored", got.Lives, len(got.Acknowledged), got.Findings.Messages)
			none(t, got.Findings.Faults)
		})
	}
}

// grid is in memory if it can be: the real files hold nothing but locks.
func grid(t *testing.T) *crash.Grid {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "aver-power-*")
	if err != nil {
		folder = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	g, err := crash.NewGrid(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	g := grid(t)
	var done, acknowledged atomic.Int64
	until := time.Now().Add(15 * time.Second)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for seed := w; *cuts > 0 && seed < *cuts || *cuts == 0 && time.Now().Before(until); seed += 4 {
				n, faults, err := g.Cut(context.WithoutCancel(t.Context()), uint64(seed))
				if err != nil {
					t.Error(err)
					return
				}
				none(t, faults)
				done.Add(1)
				acknowledged.Add(int64(n))
			}
		})
	}
	all.Wait()
	t.Logf("%d cuts, %d acknowledged messages", done.Load(), acknowledged.Load())
	if acknowledged.Load() < done.Load() || done.Load() < 4 {
		t.Error("too few were acknowledged before the cuts to prove anything")
	}
}

func TestTheRigSeesADiskThatLies(t *testing.T) {
	t.Parallel()
	g := grid(t)
	for seed := range uint64(20) {
		_, faults, err := g.CutLying(t.Context(), seed)
		if err != nil {
			t.Fatal(err)
		}
		if len(faults) > 0 {
			return
		}
	}
	t.Error("twenty cuts of a disk that never syncs, and nothing was missed")
}

func TestAFailedSyncIsNoAcknowledgement(t *testing.T) {
	t.Parallel()
	g := grid(t)
	for _, after := range []int64{0, 1, 20} {
		faults, err := g.FailSync(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		none(t, faults)
	}
}

func TestAFullDiskRefusesAndStillReadsAndErases(t *testing.T) {
	t.Parallel()
	faults, err := grid(t).Fill(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	none(t, faults)
}

func TestAKilledDatabaseHasKeptWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	got, err := crash.KillDatabase(t.Context(), t.TempDir(), max(2, *lives/2), 16)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills, %d acknowledged, %d refused meanwhile, %d stored", got.Kills, len(got.Acknowledged), got.Refused, got.Findings.Messages)
	if got.Refused == 0 {
		t.Error("nobody noticed that the database was away")
	}
	none(t, got.Findings.Faults)
}
