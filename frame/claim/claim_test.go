package claim_test

import (
	"testing"

	"aver/frame/claim"
)

func TestASentenceShowsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	c := claim.Claim{Wording: "{tables} tables, {bytes} read"}
	e := claim.Evidence{Holds: true}
	e.Figure("tables", "%d", 31)
	if got := c.Sentence(e); got != "31 tables, – read" {
		t.Errorf("got %q", got)
	}
}

func TestEvidenceHoldsWhileAllThatWasSeenDoes(t *testing.T) {
	t.Parallel()
	e := claim.Evidence{Holds: true}
	e.See(true, "one", "fine")
	if !e.Holds {
		t.Error("a good observation broke it")
	}
	e.See(false, "two", "bad")
	e.See(true, "three", "fine")
	if e.Holds || len(e.Observations) != 3 {
		t.Errorf("got %+v", e)
	}
}
