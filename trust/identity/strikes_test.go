package identity_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"aver/base/errs"
	"aver/trust/identity"
	"aver/vault"
)

const right = "three old bicycles in rain"

func TestGuessingFromElsewhereKeepsNobodyOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		link, err := h.identity.Invite(t.Context(), identity.System(h.Tenant, "test"), "ada@kowal.example", vault.Owner)
		must(t, err)
		_, err = h.identity.Accept(t.Context(), link, "", "Ada Kowal", right)
		must(t, err)
		try := func(from, password string) error {
			_, err := h.identity.SignInAs(t.Context(), identity.Attempt{Email: "ada@kowal.example", Password: password, From: netip.MustParseAddr(from)})
			return err
		}
		for n := range 6 {
			if err := try(fmt.Sprintf("192.0.2.%d", n), "a guess of somebody's"); !errs.Is(err, errs.Unauthenticated) {
				t.Fatalf("a wrong password: %v", err)
			}
		}
		for from, in := range map[string]bool{"192.0.2.77": false, "::ffff:192.0.2.77": false, "198.51.100.7": true, "2001:db8::7": true} {
			if err := try(from, right); (err == nil) != in || err != nil && !errs.Is(err, errs.Unauthenticated) {
				t.Errorf("the right password from %s: %v", from, err)
			}
		}
		if err := try("192.0.2.77", right); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("that the user came in elsewhere forgives those who guess: %v", err)
		}
		h.Clock.Advance(16 * time.Minute)
		must(t, try("192.0.2.77", right))
	})
}

func TestGuessingFromVeryManyNetworksMakesEverybodyWaitAWhile(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var u identity.User
	for n := range 1001 {
		u.Missed(fmt.Sprint("network ", n), now)
		if waits := u.Waits("at home", now); waits != (n == 1000) {
			t.Fatalf("after %d wrong passwords: waiting is %v", n+1, waits)
		}
	}
	if u.Waits("at home", now.Add(15*time.Minute)) {
		t.Error("one waits longer than a quarter of an hour")
	}
	if len(u.Strikes) > 64 {
		t.Errorf("%d networks are remembered", len(u.Strikes))
	}
}
