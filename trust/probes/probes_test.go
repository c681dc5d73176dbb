package probes_test

import (
	"os"
	"testing"

	"aver/frame/claim"
	"aver/trust/claims"
	"aver/trust/probes"
	"aver/trust/probes/world"
)

func TestThePromisesAreStatedSoThatTheyCanBeChecked(t *testing.T) {
	t.Parallel()
	for _, defect := range claim.Lint(probes.Claims(&world.World{Embedded: true})) {
		t.Error(defect)
	}
}

// Each probe is pointed at worlds that were broken on purpose. One that does not notice promises nothing.
func TestEveryProbeNoticesABrokenWorld(t *testing.T) {
	t.Parallel()
	for _, c := range probes.Claims(&world.World{Embedded: true}) {
		for _, f := range c.Fixtures {
			t.Run(c.ID+" with "+f.Name, func(t *testing.T) {
				t.Parallel()
				broken := c
				broken.Probe = f.Probe
				if r := claims.Measure(t.Context(), broken); r.State != claim.Failing {
					t.Errorf("it says %s: %s %+v", r.State, r.Fault, r.Evidence.Observations)
				}
			})
		}
	}
}

func TestTheListOfPromisesIsCurrent(t *testing.T) {
	t.Parallel()
	want := claim.Markdown(probes.Claims(&world.World{Embedded: true}))
	got, err := os.ReadFile("../../CLAIMS.md")
	if err != nil || string(got) != want {
		t.Errorf("CLAIMS.md is out of date (%v): run go generate ./trust/probes", err)
	}
}
