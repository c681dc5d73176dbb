package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"aver/base/eventually"
	"aver/vault/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestAClusterAnswersItsServingRole(t *testing.T) {
	db := pgtest.Start(t).NewDatabase(t, nil)
	conn, err := pgx.Connect(t.Context(), db.App)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var role string
	if err := conn.QueryRow(t.Context(), "SELECT current_user").Scan(&role); err != nil || role != pgtest.App {
		t.Errorf("role %q, %v", role, err)
	}
	if os.Getenv("PGTEST_VICTIM") == "" {
		return
	}
	fmt.Printf("\nready %s\n", conn.Config().Host) // for the test below, which runs this one in a process of its own
	_, _ = io.Copy(io.Discard, os.Stdin)           // and kills it here
}

func TestAKilledTestLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	victim := exec.Command(os.Args[0], "-test.run", "^TestAClusterAnswersItsServingRole$")
	victim.Env = append(os.Environ(), "PGTEST_VICTIM=1")
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := victim.StdinPipe(); err != nil { // it waits for more until it is killed
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var dir string
	for lines := bufio.NewScanner(output); dir == "" && lines.Scan(); {
		dir, _ = strings.CutPrefix(lines.Text(), "ready ")
		if dir == lines.Text() {
			dir = ""
		}
	}
	if dir == "" {
		t.Fatal("the victim has not started a cluster")
	}
	server, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	process := filepath.Join("/proc", strings.Split(string(server), "\n")[0])
	eventually.Must(t, "folder and server are gone", func() bool { return !exists(dir) && !exists(process) })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	one, other := c.NewDatabase(t, nil), c.NewDatabase(t, nil)
	pgtest.Exec(t, one.Owner, "CREATE TABLE only_here (a int)")
	conn, err := pgx.Connect(t.Context(), other.Owner)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "SELECT * FROM only_here"); err == nil {
		t.Error("two tests share a database")
	}
}
