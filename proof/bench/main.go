// Command bench prints the numbers of the README: what Aver does, each beside what the bare drivers do in the same run.
//
// On a busy machine trust the ratios. Ours and raw take turns, what is printed is the median of the turns, and the
// server's side has two processors. Each row runs in a process of its own, so that rows do not share a heap. Bench is
// no test: whether things are right is asked elsewhere, here only counts are checked and how long it took is told.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"aver/proof/crash"
	"aver/proof/sockets"
)

const rowVariable = "AVER_BENCH_ROW"

func main() {
	sockets.Main(sites())
	crash.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := scale{}
	only := flag.String("only", "", "run only the rows whose names begin with one of these, between commas")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.BoolVar(&s.Quick, "quick", false, "small loads, to see that the rig works; the times mean nothing")
	flag.StringVar(&s.Folder, "folder", "", "folder on the disk to be measured; the one for temporary files if empty")
	flag.StringVar(&s.Profiles, "profiles", "", "folder for a processor profile of each row")
	flag.Parse()
	if err := run(ctx, s, *only, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, s scale, only string, asJSON bool) error {
	raiseFiles()
	if name := os.Getenv(rowVariable); name != "" {
		return runRow(ctx, s, name)
	}
	report := report{Machine: describe(s)}
	if !asJSON {
		fmt.Printf("%s\n\n%s", report.Machine, header)
	}
	var failed []error
	for _, r := range rows() {
		if !wanted(r.name, only) {
			continue
		}
		lines, err := spawn(ctx, s, r)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.name, err))
			continue
		}
		report.Lines = append(report.Lines, lines...)
		for _, l := range lines {
			if !asJSON {
				fmt.Print(l.markdown())
			}
		}
	}
	if asJSON {
		failed = append(failed, json.NewEncoder(os.Stdout).Encode(report))
	}
	return errors.Join(failed...)
}

func wanted(name, only string) bool {
	return only == "" || slices.ContainsFunc(strings.Split(only, ","), func(begin string) bool { return strings.HasPrefix(name, begin) })
}

// spawn runs a row in a process of its own: on the server's processors, or, if the row itself starts a server, on the
// others.
func spawn(ctx context.Context, s scale, r row) ([]line, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := onProcessors(ctx, r.generates, self, os.Args[1:]...)
	command.Env = append(os.Environ(), rowVariable+"="+r.name, fmt.Sprintf("GOMAXPROCS=%d", serverProcessors))
	command.Stderr = os.Stderr
	// A row must not outlive this process, and gets a moment to end its own children.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 20 * time.Second
	out, err := command.Output()
	if err != nil {
		return nil, err
	}
	var lines []line
	return lines, json.Unmarshal(out, &lines)
}

func runRow(ctx context.Context, s scale, name string) error {
	at := slices.IndexFunc(rows(), func(r row) bool { return r.name == name })
	if at < 0 {
		return fmt.Errorf("there is no row %q", name)
	}
	folder, err := os.MkdirTemp(s.Folder, "aver-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	s.Folder = folder
	stop, err := profile(s.Profiles, name)
	if err != nil {
		return err
	}
	lines, err := rows()[at].run(ctx, s)
	stop()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(lines)
}

func profile(folder, name string) (stop func(), err error) {
	if folder == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(folder, name+".pprof"))
	if err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, pprof.StartCPUProfile(f)
}

// onProcessors pins a command to the server's processors or to the others, where that is possible.
func onProcessors(ctx context.Context, others bool, name string, args ...string) *exec.Cmd {
	set := processorSet(others)
	if set == "" {
		return exec.CommandContext(ctx, name, args...)
	}
	return exec.CommandContext(ctx, "taskset", append([]string{"-c", set, name}, args...)...)
}

// processorSet names the server's processors or the others, or nothing where they cannot be kept apart.
func processorSet(others bool) string {
	if _, err := exec.LookPath("taskset"); err != nil || processors() < 2*serverProcessors {
		return ""
	}
	if others {
		return fmt.Sprintf("%d-%d", serverProcessors, processors()-1)
	}
	return fmt.Sprintf("0-%d", serverProcessors-1)
}
