package inbox_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/group"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

const callers = 256

// parallel lets callers do something b.N times in all and reports how often a second.
func parallel(b *testing.B, do func(caller int) error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	busy := processorTime(b)
	b.ResetTimer()
	for caller := range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(caller); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric((processorTime(b)-busy).Seconds()*1e6/float64(b.N), "cpu-µs/message")
}

// processorTime is what the process has used so far. On a busy machine it says more than the clock.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

var words = strings.Repeat("Is the lamp in the window back in stock, and what would it cost to send it? ", 2)

// BenchmarkReceive measures messages of 256 visitors at the same time, each in a conversation of its own: consent
// checked, sealed, journalled, with their words indexed behind, durable before the answer.
func BenchmarkReceive(b *testing.B) {
	for name, kit := range map[string]func(testing.TB) *vaulttest.Kit{
		"sqlite":   func(tb testing.TB) *vaulttest.Kit { return vaulttest.Embedded(tb, config(tb)) },
		"postgres": func(tb testing.TB) *vaulttest.Kit { return vaulttest.Postgres(tb, config(tb)) },
	} {
		b.Run(name, func(b *testing.B) {
			h := furnish(b, kit(b))
			visitors := make([]vault.Actor, callers)
			conversations := make([]ids.Conversation, callers)
			for i := range visitors {
				visitors[i] = h.visitor(b, h.Tenant)
				conversations[i] = h.receive(b, visitors[i], "hello").Conversation
			}
			parallel(b, func(caller int) error {
				_, err := h.inbox.Receive(context.Background(), visitors[caller], inbox.Incoming{Conversation: conversations[caller], ClientID: clientID(), Text: personal.Of(words)})
				return err
			})
		})
	}
}

// BenchmarkRaw is what the database can do: a single row per caller, grouped into commits like ours, in a table with
// the messages' key and nothing else.
func BenchmarkRaw(b *testing.B) {
	c := config(b)
	c.Migrations = append(c.Migrations, engine.Migration{Version: 999001, Name: "bench/0001_raw.sql", SQL: `
CREATE TABLE raw (
    conversation ID NOT NULL,
    seq INT NOT NULL,
    contact ID NOT NULL,
    body SEALED,
    sent_at TIME NOT NULL,
    PRIMARY KEY (conversation, seq)
);
`})
	k := vaulttest.Embedded(b, c)
	commit := &group.Committer{Engine: k.Engine}
	body := []byte(words)
	seqs := make([]int64, callers)
	keys := make([]ids.Conversation, callers)
	for i := range keys {
		keys[i] = ids.NewConversation(vaulttest.Start)
	}
	parallel(b, func(caller int) error {
		seqs[caller]++
		return commit.Do(context.Background(), k.Tenant, &group.Task{Run: func(conn engine.Conn) error {
			_, err := conn.Exec("INSERT INTO raw (conversation, seq, contact, body, sent_at) VALUES (?, ?, ?, ?, ?)", keys[caller][:], seqs[caller], keys[caller][:], body, int64(1))
			return err
		}})
	})
}
