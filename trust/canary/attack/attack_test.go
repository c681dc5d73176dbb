package attack_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
)

func TestAnEdgeThatAnswersEverythingWithAFaultRepelsNothing(t *testing.T) {
	t.Parallel()
	rig, a := oneAttempt(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) })
	if found, err := rig.Try(t.Context(), a); err == nil {
		t.Errorf("%s counts as tried: %v", a.What, found)
	}
}

// One change is between the first two answers; the other may come at any time.
func TestWhatChangesOnTheAttackersOwnSideIsNoFinding(t *testing.T) {
	t.Parallel()
	for change := 2; change <= 10; change++ {
		asked := 0
		rig, a := oneAttempt(t, func(rw http.ResponseWriter, _ *http.Request) {
			asked++
			fmt.Fprint(rw, asked > 1, asked > change)
		})
		if found, err := rig.Try(t.Context(), a); err != nil || found != nil {
			t.Errorf("a second change after request %d: %v, %v", change, found, err)
		}
	}
}

func TestWhatDiffersForTheVictimAloneIsAFinding(t *testing.T) {
	t.Parallel()
	rig, a := oneAttempt(t, func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, victims) {
			rw.WriteHeader(http.StatusForbidden)
		}
	})
	if found, err := rig.Try(t.Context(), a); err != nil || found == nil {
		t.Errorf("%s found %v, %v", a.What, found, err)
	}
}

func TestWhatIsTheInstallationsIsNoneOfTheVictimsBytes(t *testing.T) {
	t.Parallel()
	const company = "sbp_06h023z1hxy8vcecxmtp173nhg"
	for name, c := range map[string]struct {
		shared map[string]string
		found  bool
	}{"shared": {map[string]string{"subprocessor": "the register is the installation's"}, false}, "the victim's own": {nil, true}} {
		rig, a := oneAttempt(t, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, company) })
		rig.Shared, rig.Victim.Pool["subprocessor"] = c.shared, []string{company}
		if found, err := rig.Try(t.Context(), a); err != nil || (found != nil) != c.found {
			t.Errorf("%s: found %v, %v", name, found, err)
		}
	}
}

const victims = "con_06h023z1hxy8vcecxmtp173nhg"

// oneAttempt is an attempt to read a contact of the victim's at an edge that answers so.
func oneAttempt(t *testing.T, edge http.HandlerFunc) (*attack.Rig, attack.Attempt) {
	t.Helper()
	door := inside.Open(edge, "test")
	t.Cleanup(func() { _ = door.Close() })
	rig := &attack.Rig{Door: door, Attacker: &attack.Side{Callers: []attack.Caller{{Name: attack.Owner}}, Pool: attack.Pool{}, Root: "qxattackerattacker"},
		Victim: &attack.Side{Pool: attack.Pool{"contact": {victims}}, Root: "qxvictimvictim"}}
	plan := rig.PlanRoutes([]attack.Route{{Method: http.MethodGet, Path: "/contacts/{id}"}})
	if len(plan) == 0 {
		t.Fatal("nothing is tried")
	}
	return rig, plan[0]
}
