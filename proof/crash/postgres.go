package crash

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/proof/house"
	"aver/vault"
	"aver/work/inbox"
)

// Outage is what callers met while their database was killed and came back.
type Outage struct {
	Kills        int
	Acknowledged []int64
	Refused      int64 // answers that the database is away
	Findings     house.Findings
}

// KillDatabase lets callers write to PostgreSQL, kills all of the server a few times, starts it again, and looks at
// what is stored. Whoever is told that the database is away sends the same message again, as clients do.
func KillDatabase(ctx context.Context, folder string, kills, callers int) (o Outage, err error) {
	server, err := house.StartServer(ctx)
	if err != nil {
		return o, err
	}
	defer server.Stop()
	h, err := house.Open(ctx, house.Config{Folder: filepath.Join(folder, "house"), Database: server.Database.App})
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	tenant, err := h.NewTenant(ctx, "victim")
	if err != nil {
		return o, err
	}
	visitors, err := h.NewVisitors(ctx, tenant, callers)
	if err != nil {
		return o, err
	}
	talk := startTalk(ctx, h, visitors)
	for ; o.Kills < kills && err == nil; o.Kills++ {
		if err = talk.more(ctx, 200); err == nil {
			err = errors.Join(server.Kill(), server.Restart())
		}
	}
	err = errors.Join(err, talk.more(ctx, 200), talk.end())
	o.Acknowledged, o.Refused = talk.acknowledged, talk.refused.Load()
	if err != nil {
		return o, err
	}
	o.Findings, err = look(ctx, h, tenant)
	o.Findings.Acknowledged(o.Acknowledged)
	return o, err
}

// look tries again while the pool still finds connections of the server that is gone.
func look(ctx context.Context, h *house.House, tenant ids.Tenant) (f house.Findings, err error) {
	for range 20 {
		if f, err = h.Look(ctx, tenant); !errs.Is(err, errs.Unavailable) {
			return f, err
		}
	}
	return f, err
}

// talk is visitors who write until they are told to stop.
type talk struct {
	mu           sync.Mutex
	acknowledged []int64
	refused      atomic.Int64
	stop         context.CancelFunc
	all          sync.WaitGroup
	problem      error
}

func startTalk(ctx context.Context, h *house.House, visitors []vault.Actor) *talk {
	t := &talk{}
	ctx, t.stop = context.WithCancel(ctx)
	for i, v := range visitors {
		t.all.Go(func() {
			for n := int64(1000 + i); ctx.Err() == nil; n += int64(len(visitors)) {
				if err := t.insist(ctx, h, v, n); err != nil {
					t.fail(err)
					return
				}
			}
		})
	}
	return t
}

// insist sends a message until it is acknowledged. Once it has begun it ends, so that no answer is missed.
func (t *talk) insist(ctx context.Context, h *house.House, v vault.Actor, n int64) error {
	in := inbox.Incoming{ClientID: house.ClientID(n), Text: house.Words(n)}
	for {
		_, err := h.Inbox.Receive(context.WithoutCancel(ctx), v, in)
		if err == nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.acknowledged = append(t.acknowledged, n)
			return nil
		}
		if !errs.Is(err, errs.Unavailable) || ctx.Err() != nil {
			return err
		}
		t.refused.Add(1)
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
}

func (t *talk) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.problem = errors.Join(t.problem, err)
}

// more waits until so many more messages are acknowledged.
func (t *talk) more(ctx context.Context, n int) error {
	const patience = 60 * time.Second
	goal := t.count() + n
	return eventually.Holds(ctx, patience, fmt.Sprintf("%d messages more are acknowledged", n), func() (bool, error) {
		return t.count() >= goal, t.trouble()
	})
}

func (t *talk) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.acknowledged)
}

func (t *talk) trouble() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.problem
}

func (t *talk) end() error {
	t.stop()
	t.all.Wait()
	return t.problem
}
