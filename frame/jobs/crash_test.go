package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/frame/jobs"
	"aver/vault/postgres/pgtest"
)

// A child process takes a job and never ends it, until it is killed. These say which database it works on.
const (
	childDialect = "AVER_JOBS_TEST_DIALECT"
	childAddress = "AVER_JOBS_TEST_ADDRESS"
)

func TestMain(m *testing.M) {
	if dialect, err := strconv.Atoi(os.Getenv(childDialect)); err == nil {
		takeAJobAndHang(jobs.Dialect(dialect), os.Getenv(childAddress))
	}
	pgtest.Main(m)
}

func takeAJobAndHang(dialect jobs.Dialect, address string) {
	db, err := openDB(dialect, address)
	if err == nil {
		var j *jobs.Jobs
		if j, err = jobs.Open(context.Background(), db, dialect); err == nil {
			err = errors.Join(
				j.Handle(jobs.Kind{Name: "test.killed", Work: func(_ context.Context, job jobs.Job) error {
					fmt.Println("began", job.Attempt)
					select {}
				}}),
				j.Start(context.Background()))
		}
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	select {}
}

func TestAJobCutOffByAKilledProcessRunsAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		ran := make(chan jobs.Job, 1)
		kind := jobs.Kind{
			Name: "test.killed", Retry: []time.Duration{time.Millisecond},
			Work: func(_ context.Context, job jobs.Job) error { ran <- job; return nil },
		}
		id := newID()
		first := opened(t, s)
		handle(t, first, kind)
		enqueue(t, first, "test.killed", id)

		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childDialect+"="+strconv.Itoa(int(s.dialect)), childAddress+"="+s.address)
		said := &untilLine{came: make(chan string, 1)}
		child.Stdout, child.Stderr = said, os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		line := next(t, said.came)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		child.Wait()
		if line != "began 1" {
			t.Fatalf("the child said %q", line)
		}
		if s.dialect == jobs.PostgreSQL { // other processes may live: they wait until the run and the leadership have timed out
			db := s.open(t)
			for _, later := range []string{
				"UPDATE aver_jobs.river_job SET attempted_at = attempted_at - interval '1 hour'",
				"UPDATE aver_jobs.river_leader SET elected_at = elected_at - interval '1 hour', expires_at = expires_at - interval '1 hour'",
			} {
				if _, err := db.ExecContext(t.Context(), later); err != nil {
					t.Fatal(err)
				}
			}
		}

		second := opened(t, s)
		handle(t, second, kind)
		start(t, second)
		if job := next(t, ran); job.ID != id || job.Attempt != 2 {
			t.Errorf("ran %+v", job)
		}
	})
}

// untilLine hands over the first line written to it.
type untilLine struct {
	mu   sync.Mutex
	text string
	came chan string
}

func (u *untilLine) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.text += string(p)
	if line, _, found := strings.Cut(u.text, "\n"); found {
		select {
		case u.came <- line:
		default:
		}
	}
	return len(p), nil
}
