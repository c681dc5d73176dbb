// Package crash breaks what an installation stands on, under load, and looks at what is left: its process killed, its
// power cut, its disk full or failing, its database gone. What was acknowledged must be there, once, and in the log.
//
// The rigs drive the real vault and inbox (package house). A program that uses Kill calls Main first thing.
package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"aver/base/ids"
	"aver/proof/house"
	"aver/vault"
	"aver/vault/journal"
	"aver/work/inbox"
)

const (
	folderVariable = "AVER_CRASH_FOLDER"
	tenantVariable = "AVER_CRASH_TENANT"
	fromVariable   = "AVER_CRASH_FROM"
	callerVariable = "AVER_CRASH_CALLERS"
)

// Main is the victim, if this process was begun by Kill: it takes messages and says which it has acknowledged, and
// which news its follower has seen, until it is killed.
func Main() {
	folder := os.Getenv(folderVariable)
	if folder == "" {
		return
	}
	if err := victim(context.Background(), folder); err != nil {
		fmt.Fprintln(os.Stderr, "victim:", err)
	}
	os.Exit(1)
}

func victim(ctx context.Context, folder string) error {
	from, err1 := strconv.ParseInt(os.Getenv(fromVariable), 10, 64)
	callers, err2 := strconv.Atoi(os.Getenv(callerVariable))
	tenant, err3 := ids.ParseTenant(os.Getenv(tenantVariable))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	h, err := house.Open(ctx, house.Config{Folder: folder})
	if err != nil {
		return err
	}
	visitors, err := h.NewVisitors(ctx, tenant, callers)
	if err != nil {
		return err
	}
	h.Vault.Follow(follower(func(n int64) { fmt.Printf("seen %d\n", n) }), tenant)
	var next atomic.Int64
	next.Store(from)
	return house.Each(callers, func(i int) error {
		for {
			n := next.Add(1)
			if _, err := h.Inbox.Receive(ctx, visitors[i], inbox.Incoming{ClientID: house.ClientID(n), Text: house.Words(n)}); err != nil {
				return err
			}
			fmt.Printf("acknowledged %d\n", n) // one write, so that a line is whole or not there
		}
	})
}

// follower tells of each entry that it has seen, by its index.
func follower(see func(index int64)) vault.Follower {
	return vault.Follower{Name: "crash", Each: func(_ context.Context, _ ids.Tenant, entries []journal.Entry) error {
		for _, e := range entries {
			see(e.Index)
		}
		return nil
	}}
}

// Killed is what happened to a victim, over all its lives.
type Killed struct {
	Lives        int
	Acknowledged []int64
	Seen         map[int64]bool // entries that the follower was given
	Findings     house.Findings
}

// Kill lets a victim take messages from so many callers at a time, kills it (SIGKILL) at a moment that it does not
// expect, lives times, and looks at what is stored.
func Kill(ctx context.Context, folder string, lives, callers int, longest time.Duration) (k Killed, err error) {
	k.Seen = map[int64]bool{}
	h, err := house.Open(ctx, house.Config{Folder: folder})
	if err != nil {
		return k, err
	}
	tenant, err := h.NewTenant(ctx, "victim")
	if err := errors.Join(err, h.Close()); err != nil {
		return k, err
	}
	for ; k.Lives < lives; k.Lives++ {
		if err := k.live(ctx, folder, tenant, callers, rand.N(longest)); err != nil {
			return k, err
		}
	}
	if h, err = house.Open(ctx, house.Config{Folder: folder}); err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	k.Findings, err = h.Look(ctx, tenant)
	k.Findings.Acknowledged(k.Acknowledged)
	if err != nil {
		return k, err
	}
	return k, k.followed(ctx, h, tenant)
}

// live is one life of a victim, which ends some time after its first acknowledgement.
func (k *Killed) live(ctx context.Context, folder string, tenant ids.Tenant, callers int, after time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, self)
	command.Env = append(os.Environ(), folderVariable+"="+folder, tenantVariable+"="+tenant.String(),
		fmt.Sprintf("%s=%d", callerVariable, callers), fmt.Sprintf("%s=%d", fromVariable, int64(k.Lives+1)*1_000_000))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	before := len(k.Acknowledged)
	err = k.listen(out, func() { time.AfterFunc(after, func() { _ = command.Process.Kill() }) })
	_ = command.Wait() // it was killed
	if err == nil && len(k.Acknowledged) == before {
		return errors.New("the victim died before it had acknowledged anything")
	}
	return err
}

// listen reads what a victim says until it is dead. A last line that is not whole says nothing.
func (k *Killed) listen(from io.Reader, begun func()) error {
	lines, started := bufio.NewReader(from), false
	for {
		text, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		what, number, _ := strings.Cut(strings.TrimSpace(text), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return fmt.Errorf("a victim says %q", text)
		}
		if what == "seen" {
			k.Seen[n] = true
			continue
		}
		k.Acknowledged = append(k.Acknowledged, n)
		if !started {
			started = true
			begun()
		}
	}
}

// followed lets the follower read what is left to read; then it must have been given every entry.
func (k *Killed) followed(ctx context.Context, h *house.House, tenant ids.Tenant) error {
	size, _, _, err := h.Vault.Head(ctx, tenant)
	if err != nil {
		return err
	}
	news := make(chan int64, 1024)
	h.Vault.Follow(follower(func(n int64) {
		select {
		case news <- n:
		case <-ctx.Done():
		}
	}), tenant)
	for n := int64(-1); n < size-1; {
		select {
		case n = <-news:
			k.Seen[n] = true
		case <-time.After(30 * time.Second):
			k.Findings.Faults = append(k.Findings.Faults, "the follower does not catch up")
			return nil
		}
	}
	for n := range size {
		if !k.Seen[n] {
			k.Findings.Faults = append(k.Findings.Faults, fmt.Sprintf("the follower never saw entry %d", n))
			return nil
		}
	}
	return nil
}
