package attack_test

import (
	"net/http"
	"testing"

	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
)

func TestAnEdgeThatAnswersEverythingWithAFaultRepelsNothing(t *testing.T) {
	t.Parallel()
	door := inside.Open(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) }), "test")
	defer door.Close()
	rig := &attack.Rig{Door: door, Attacker: &attack.Side{Callers: []attack.Caller{{Name: attack.Owner}}, Pool: attack.Pool{}, Root: "qxattackerattacker"},
		Victim: &attack.Side{Pool: attack.Pool{"contact": {"con_06h023z1hxy8vcecxmtp173nhg"}}, Root: "qxvictimvictim"}}
	plan := rig.PlanRoutes([]attack.Route{{Method: http.MethodGet, Path: "/contacts/{id}"}})
	if len(plan) == 0 {
		t.Fatal("nothing is tried")
	}
	for _, a := range plan {
		if found, err := rig.Try(t.Context(), a); err == nil {
			t.Errorf("%s counts as tried: %v", a.What, found)
		}
	}
}
