package probes

import (
	"testing"

	"aver/trust/audit/verdict"
)

// What the fixtures of aud-4 break is good before they break it.
func TestTheFixturesLogIsHonestUntilItIsAltered(t *testing.T) {
	t.Parallel()
	bundle, key, err := exported("the first entry", "the second entry")
	if err != nil {
		t.Fatal(err)
	}
	e, err := judgeBundle(bundle, key, verdict.Verify)
	if err != nil || !e.Holds {
		t.Errorf("%v: %+v", err, e.Observations)
	}
}
