package house

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"aver/vault/postgres/pgtest"
)

// Server is a PostgreSQL of a rig's own, with PostgreSQL's durable settings.
type Server struct {
	Database pgtest.Database
	cluster  *pgtest.Cluster
	t        *outside
}

// StartServer starts a server with a database that a house fits into. It goes with Stop, or with the process.
func StartServer(ctx context.Context) (s *Server, err error) {
	schemas, err := Schemas()
	if err != nil {
		return nil, err
	}
	s = &Server{t: &outside{ctx: ctx}}
	return s, s.t.try(func() {
		s.cluster = pgtest.NewCluster(s.t)
		s.Database = s.cluster.NewDatabase(s.t, schemas)
	})
}

// Kill stops the server at once, as a crash of the machine would but for the disk's own memory.
func (s *Server) Kill() error { return s.t.try(func() { s.cluster.Stop(s.t) }) }

// Restart starts it after Kill.
func (s *Server) Restart() error { return s.t.try(func() { s.cluster.Restart(s.t) }) }

// Stop ends it for good.
func (s *Server) Stop() { s.t.end() }

// outside lets what is made for tests be used by a program.
type outside struct {
	testing.TB
	ctx    context.Context
	ending []func()
	failed error
}

func (o *outside) Helper()                  {}
func (o *outside) Context() context.Context { return o.ctx }
func (o *outside) Cleanup(end func())       { o.ending = append(o.ending, end) }
func (o *outside) Fatal(args ...any)        { o.fail(errors.New(fmt.Sprint(args...))) }
func (o *outside) Fatalf(format string, args ...any) {
	o.fail(fmt.Errorf(format, args...))
}

func (o *outside) fail(err error) {
	o.failed = err
	runtime.Goexit()
}

// try runs what may end its goroutine.
func (o *outside) try(do func()) error {
	ended := make(chan struct{})
	o.failed = nil
	go func() {
		defer close(ended)
		do()
	}()
	<-ended
	return o.failed
}

func (o *outside) end() {
	for i := len(o.ending) - 1; i >= 0; i-- {
		o.ending[i]()
	}
	o.ending = nil
}
