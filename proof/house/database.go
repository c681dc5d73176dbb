package house

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
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

// Another makes a further database of the server, without any schema.
func (s *Server) Another() (d pgtest.Database, err error) {
	err = s.t.try(func() { d = s.cluster.NewDatabase(s.t, nil) })
	return d, err
}

// Process is the server's first process, which has begun the others.
func (s *Server) Process() (int, error) {
	folder, _, _ := strings.Cut(strings.TrimPrefix(s.Database.Boss, "host="), " ")
	text, err := os.ReadFile(filepath.Join(folder, "data", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("find the server's process: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	process, err := strconv.Atoi(first)
	if err != nil {
		return 0, fmt.Errorf("find the server's process: %w", err)
	}
	return process, nil
}

// Unbind lets the server use every processor, also those that this process may not. Without taskset nobody is bound.
func (s *Server) Unbind(ctx context.Context) error {
	if _, err := exec.LookPath("taskset"); err != nil {
		return nil
	}
	process, err := s.Process()
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "taskset", "-cp", "0-1023", strconv.Itoa(process)).CombinedOutput(); err != nil {
		return fmt.Errorf("unbind the database's server: %w\n%s", err, out)
	}
	return nil
}

// Kill ends every process of the server (SIGKILL), of which none gets to say goodbye.
func (s *Server) Kill() error {
	server, err := s.Process()
	if err != nil {
		return err
	}
	var faults []error
	for _, process := range append([]int{server}, children(server)...) {
		if err := syscall.Kill(process, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			faults = append(faults, err)
		}
	}
	return errors.Join(append(faults, s.t.try(func() { s.cluster.Stop(s.t) }))...) // the watchdog learns that it is gone
}

// children lists the processes that a process has begun.
func children(parent int) (all []int) {
	found, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after)
		process, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			all = append(all, process)
		}
	}
	return all
}

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
