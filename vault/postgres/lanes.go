package postgres

import (
	"context"
	"sync"

	"aver/base/ids"
)

// lanes lets a bounded number of writers of each tenant through.
type lanes struct {
	wide int
	mu   sync.Mutex
	open map[ids.Tenant]*lane
}

type lane struct {
	slots chan struct{}
	users int // who is inside or waits; nobody means that the lane can be forgotten
}

func newLanes(wide int) lanes { return lanes{wide: wide, open: map[ids.Tenant]*lane{}} }

// enter waits for a slot. Whoever got one calls leave.
func (l *lanes) enter(ctx context.Context, tenant ids.Tenant) (leave func(), err error) {
	l.mu.Lock()
	one := l.open[tenant]
	if one == nil {
		one = &lane{slots: make(chan struct{}, l.wide)}
		l.open[tenant] = one
	}
	one.users++
	l.mu.Unlock()
	select {
	case one.slots <- struct{}{}:
		return func() { <-one.slots; l.forget(tenant, one) }, nil
	case <-ctx.Done():
		l.forget(tenant, one)
		return nil, ctx.Err()
	}
}

func (l *lanes) forget(tenant ids.Tenant, one *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(l.open, tenant)
	}
}
