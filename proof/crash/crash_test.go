package crash_test

import (
	"testing"
	"time"

	"aver/proof/crash"
	"aver/vault/postgres/pgtest"
)

func TestMain(m *testing.M) {
	crash.Main()
	pgtest.Main(m)
}


func TestAKilledProcessHasKeptWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	for name, callers := range map[string]int{"alone": 1, "with 64": 64} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := crash.Kill(t.Context(), t.TempDir(), 4, callers, 300*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d lives, %d acknowledged, %d stored", got.Lives, len(got.Acknowledged), got.Findings.Messages)
			for _, fault := range got.Findings.Faults {
				t.Error(fault)
			}
		})
	}
}
