package vault_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/vaulttest"
)

// BenchmarkChanges measures changes that 256 callers make at the same time: permitted, sealed, journalled, durable.
func BenchmarkChanges(b *testing.B) {
	k := vaulttest.Embedded(b, config)
	op := vaulttest.User(k.Tenant, vault.Operator)
	who, err := k.Vault.NewSubject(b.Context(), vaulttest.System(k.Tenant))
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	body := personal.Of(string(make([]byte, 200)))
	b.ResetTimer()
	var all sync.WaitGroup
	for range 256 {
		all.Go(func() {
			thread := ids.NewObject(vaulttest.Start)
			for seq := next.Add(1); seq <= int64(b.N); seq = next.Add(1) {
				if err := k.Vault.Do(context.Background(), op, write, func(tx *vault.Tx) error {
					return plainNotes.Add(tx, plainNote{Person: who, Thread: thread, Seq: seq, Text: body, At: tx.Now()})
				}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}
