package app_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"aver/cmd/aver/app"
	"aver/frame/claim"
	"aver/frame/claim/lint"
	"aver/trust/claims"
	"aver/trust/probes"
	"aver/trust/probes/world"
)

func TestThePromisesAreStatedSoThatTheyCanBeChecked(t *testing.T) {
	t.Parallel()
	for _, defect := range lint.Claims(app.Promises()) {
		t.Error(defect)
	}
}

// Each probe is pointed at worlds that were broken on purpose, many of them a scratch installation in which something is
// broken while the whole probe runs. One that does not notice promises nothing.
func TestEveryProbeNoticesABrokenWorld(t *testing.T) {
	t.Parallel()
	for _, c := range opened(t).Claims.All() {
		for _, f := range c.Fixtures {
			t.Run(c.ID+" with "+f.Name, func(t *testing.T) {
				t.Parallel()
				broken := c
				broken.Probe = f.Probe
				broken.Within = time.Minute // they wait for one another
				if r := claims.Measure(t.Context(), broken); r.State != claim.Failing {
					t.Errorf("it says %s: %s %+v", r.State, r.Fault, r.Evidence.Observations)
				}
			})
		}
	}
}

func TestWhatFixturesBreakKeepsItsPromisesUntilThen(t *testing.T) {
	t.Parallel()
	w, discard, err := app.MakeScratch(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, discard()) })
	w.Scratch = &world.Scratch{}
	for _, c := range probes.Claims(w) {
		r := claims.Measure(t.Context(), c)
		if strings.Contains(r.Fault, "does not listen") { // how it is reached is looked at where it is
			continue
		}
		if r.State != claim.Holds {
			t.Errorf("%s says %s: %s %+v", c.ID, r.State, r.Fault, r.Evidence.Observations)
		}
	}
}

func TestTheListOfPromisesIsCurrent(t *testing.T) {
	t.Parallel()
	want := claim.Markdown(app.Promises())
	got, err := os.ReadFile("../../../CLAIMS.md")
	if err != nil || string(got) != want {
		t.Errorf("CLAIMS.md is out of date (%v): run make generate", err)
	}
}
