package main

import (
	"aver/base/eventually"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// settled is how long after its start a process is idle.
const settled = 30 * time.Second

// program: the binary as it is shipped: how large it is, how soon it answers, what it takes when nobody calls.
func program(ctx context.Context, s scale) ([]line, error) {
	binary := filepath.Join(s.Folder, "aver")
	if out, err := exec.CommandContext(ctx, "make", "build", "TO="+binary).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.Folder, "data")
	if out, err := exec.CommandContext(ctx, binary, "tenant", "create", "shop", "--name", "Shop", "--data", data).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make a workspace: %w\n%s", err, out)
	}
	var starts []time.Duration
	var resident []float64
	for range s.of(7, 2) {
		took, _, err := start(ctx, binary, data, 0)
		if err != nil {
			return nil, err
		}
		starts = append(starts, took)
	}
	for range s.of(3, 1) {
		_, bytes, err := start(ctx, binary, data, s.lasting(settled))
		if err != nil {
			return nil, err
		}
		resident = append(resident, bytes)
	}
	size, took := float64(info.Size()), median(starts)
	return []line{
		{What: "resident memory when idle for half a minute, all modules, two canary tenants, one attacking the other", Must: "≤ 60 MB", Aim: "≤ 30 MB", Ours: megabytes(median(resident)), Verdict: atMost(median(resident), 60e6, 30e6)},
		{What: "cold start to first answered request over TLS", Must: "≤ 300 ms", Aim: "≤ 60 ms", Ours: millis(took), Verdict: atMost(float64(took), float64(300*time.Millisecond), float64(60*time.Millisecond))},
		{What: "binary, stripped", Must: "≤ 40 MB", Aim: "≤ 30 MB", Ours: megabytes(size), Verdict: atMost(size, 40e6, 30e6)},
	}, nil
}

// start serves an existing folder and returns how long the first answer took, and what is resident after a while.
func start(ctx context.Context, binary, data string, rest time.Duration) (took time.Duration, resident float64, err error) {
	https, err1 := freePort()
	admin, err2 := freePort()
	if err := errors.Join(err1, err2); err != nil {
		return 0, 0, err
	}
	command := onProcessors(ctx, false, binary, "serve", "--data", data, "--listen", https, "--admin", admin)
	command.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", serverProcessors))
	begun := time.Now()
	if err := command.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		err = errors.Join(err, command.Process.Signal(os.Interrupt), command.Wait())
	}()
	if err := firstAnswer(ctx, https); err != nil {
		return 0, 0, err
	}
	took = time.Since(begun)
	select {
	case <-time.After(rest):
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", command.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	return took, pages * float64(os.Getpagesize()), err
}

// firstAnswer asks until it is answered.
func firstAnswer(ctx context.Context, address string) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // its own certificate, on this machine
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/healthz", nil)
	if err != nil {
		return err
	}
	return eventually.Holds(ctx, eventually.Patience, "it answers", func() (bool, error) {
		answer, err := client.Do(request)
		if err != nil {
			return false, nil // it does not listen yet
		}
		if answer.StatusCode != http.StatusOK {
			err = errors.New(answer.Status)
		}
		return true, errors.Join(err, answer.Body.Close())
	})
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
