package sqlite

import (
	"context"

	"aver/base/ids"
)

// CloseIdle does what the sweeper does on its tick.
func (e *Engine) CloseIdle() { e.closeIdle() }

// Reclaim does so, too.
func (e *Engine) Reclaim() { e.reclaim() }

// OpenStores counts the stores that have connections.
func (e *Engine) OpenStores() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, s := range e.stores {
		if s.ready.Load() {
			n++
		}
	}
	return n
}

// RestingReaders counts the connections at rest of all stores.
func (e *Engine) RestingReaders() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, s := range e.stores {
		s.mu.Lock()
		n += len(s.rest)
		s.mu.Unlock()
	}
	return n
}

// ShortenLogs lowers the limits of the logs, in pages. Call it before the first store is opened.
func (e *Engine) ShortenLogs(enough, much int) { e.logSize = logSize{enough: enough, much: much} }

// Unsafe reads back the settings of a tenant's writer, a reader and the keeper of its log.
func (e *Engine) Unsafe(ctx context.Context, tenant ids.Tenant) ([]error, error) {
	s, err := e.enter(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer e.leave(s)
	if err := s.log.open(s); err != nil {
		return nil, err
	}
	r, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer s.letRest(r)
	keeper := append([]pragma{{"busy_timeout", "", "20"}}, safety[1:]...)
	findings := append(unsafe(s.writer.db, append(safety, writing)), unsafe(r.db, append(safety, reading))...)
	return append(findings, unsafe(s.log.keeper.db, keeper)...), nil
}

// Loosen makes a tenant's writer unsafe, as a bug or a debugger could.
func (e *Engine) Loosen(ctx context.Context, tenant ids.Tenant, name, value string) error {
	s, err := e.enter(ctx, tenant)
	if err != nil {
		return err
	}
	defer e.leave(s)
	_, err = ask(s.writer.db, name, "="+value)
	return err
}
