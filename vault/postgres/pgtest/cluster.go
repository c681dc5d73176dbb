// Package pgtest gives tests a PostgreSQL server of their own: private, on a Unix socket in a temporary folder, gone
// when the test process is gone, however it ends.
//
// Only tests may use it. The shared server does not fsync, so nothing about durability can be shown on it; a test that
// stops servers or wants a durable one starts its own with NewCluster.
package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// The roles of every cluster. Boss is a superuser, Owner owns the databases, App serves.
const (
	Boss  = "boss"
	Owner = "aver_owner"
	App   = "aver_app"
)

// install is what to do on a machine without PostgreSQL.
const install = "PostgreSQL is needed and not installed: apt-get install postgresql (Debian, Ubuntu), dnf install postgresql-server (Fedora), " +
	"brew install postgresql (macOS); make test installs it"

// A Cluster is a running server.
type Cluster struct {
	dir     string
	process *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader

	templates sync.Map // fingerprint of schemas → func() (database, error)
}

var shared = struct {
	mu      sync.Mutex
	cluster *Cluster
	err     error
}{}

// Start returns the test process's cluster. A missing PostgreSQL fails the test and never skips it.
func Start(t testing.TB) *Cluster {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = launch("-c fsync=off -c full_page_writes=off -c synchronous_commit=off")
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// Main runs a package's tests and then stops the shared cluster: func TestMain(m *testing.M) { pgtest.Main(m) }. It is
// tidy rather than needed: the cluster goes with the process in any case.
func Main(m *testing.M) {
	code := m.Run()
	shared.mu.Lock()
	if shared.cluster != nil {
		shared.cluster.end()
	}
	os.Exit(code)
}

// NewCluster starts a cluster with PostgreSQL's own, durable settings for one test, which may stop it and start it again.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	c, err := launch("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.end)
	return c
}

// watchdog makes a cluster and then obeys. When the pipe it reads from closes, because the test process ended in
// whatever way, it stops the server and removes the folder. $1 is the programs' folder, $2 the cluster's, $3 settings.
const watchdog = `
"$1/initdb" -D "$2/data" -U boss -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$2/initdb.log" 2>&1 || { echo failed; read -r _; rm -rf "$2"; exit 1; }
start() { "$1/pg_ctl" -D "$2/data" -w -t 60 -l "$2/server.log" -o "-k $2 -c listen_addresses='' -c max_connections=300 $3" start >/dev/null 2>&1 && echo started || echo failed; }
stop() { "$1/pg_ctl" -D "$2/data" -w -m immediate stop >/dev/null 2>&1; echo stopped; }
start "$@"
while read -r order; do
	case "$order" in
		start) start "$@" ;;
		stop) stop "$@" ;;
	esac
done
stop "$@" >/dev/null
cd / && rm -rf "$2"
`

func launch(settings string) (*Cluster, error) {
	programs, err := locate()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "averpg")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c := &Cluster{dir: dir}
	args := []string{"/bin/sh", "-c", watchdog, "sh", programs, dir, settings}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		if err := os.Chown(dir, 65534, 65534); err != nil {
			return nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
		args = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=" + dir}, args...)
	}
	c.process = exec.Command(args[0], args[1:]...)
	c.process.Dir = dir
	c.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that an interrupt from the keyboard ends the test first
	if c.orders, err = c.process.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	answers, err := c.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.answers = bufio.NewReader(answers)
	if err := c.process.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := c.await("started"); err != nil {
		c.end()
		return nil, err
	}
	if err := c.addRoles(); err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// locate finds the folder of PostgreSQL's programs: the newest that is installed, or the one on the path.
func locate() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	newest, version := "", 0
	for _, path := range found {
		var v int
		if _, err := fmt.Sscanf(path, "/usr/lib/postgresql/%d/", &v); err == nil && v > version {
			newest, version = filepath.Dir(path), v
		}
	}
	if newest != "" {
		return newest, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New(install)
	}
	return filepath.Dir(path), nil
}

// await reads the watchdog's answer to an order.
func (c *Cluster) await(want string) error {
	answer, err := c.answers.ReadString('\n')
	if err == nil && strings.TrimSpace(answer) == want {
		return nil
	}
	setup, _ := os.ReadFile(filepath.Join(c.dir, "initdb.log"))
	server, _ := os.ReadFile(filepath.Join(c.dir, "server.log"))
	return fmt.Errorf("PostgreSQL has not %s (%v):\n%s%s", want, err, setup, server)
}

func (c *Cluster) order(t testing.TB, order, want string) {
	t.Helper()
	if _, err := io.WriteString(c.orders, order+"\n"); err != nil {
		t.Fatalf("%s PostgreSQL: %v", order, err)
	}
	if err := c.await(want); err != nil {
		t.Fatal(err)
	}
}

// Stop stops the server at once, as a crash would. Never stop the shared cluster.
func (c *Cluster) Stop(t testing.TB) { t.Helper(); c.order(t, "stop", "stopped") }

// Restart starts the server after Stop; it recovers from its log.
func (c *Cluster) Restart(t testing.TB) { t.Helper(); c.order(t, "start", "started") }

func (c *Cluster) end() {
	_ = c.orders.Close()
	_ = c.process.Wait()
}
