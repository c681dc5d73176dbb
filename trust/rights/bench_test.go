package rights_test

import (
	"io"
	"testing"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/vaulttest"
)

// BenchmarkCopyOfTenThousandRows is one person's among ten times as many.
func BenchmarkCopyOfTenThousandRows(b *testing.B) {
	w := embedded(b)
	ada := w.many(b, 10_000)
	for range 9 {
		w.many(b, 10_000)
	}
	for b.Loop() {
		must(b, w.rights.Export(b.Context(), w.owner, ada, io.Discard))
	}
}

// BenchmarkErasure is of a person with a thousand rows each time.
func BenchmarkErasure(b *testing.B) {
	w := embedded(b)
	var all []ids.Contact
	for range 50 {
		all = append(all, w.many(b, 1000))
	}
	var worst, sum time.Duration
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		_, err := w.rights.Erase(b.Context(), w.owner, all[i], "bench")
		must(b, err)
		sum += time.Since(began)
		worst = max(worst, time.Since(began))
	}
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
}

func (w *world) many(b *testing.B, n int) ids.Contact {
	b.Helper()
	sys := vaulttest.System(w.Tenant)
	who, err := w.Vault.NewSubject(b.Context(), sys)
	must(b, err)
	for range n / 500 {
		must(b, w.Vault.Do(b.Context(), sys, act, func(tx *vault.Tx) error {
			for range 500 {
				l := letter{ID: ids.NewObject(tx.Now()), Who: who, Body: personal.Of("some words that somebody wrote, as long as a message usually is, or a bit longer"), At: tx.Now()}
				if err := letters.Add(tx, l); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	must(b, w.Vault.Do(b.Context(), sys, act, func(tx *vault.Tx) error { return persons.Add(tx, person{ID: who}) }))
	return who
}
