package egress

import (
	"net/netip"
	"testing"
)

func TestPublicAddressesArePermitted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
		"172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:1.1.1.1", "2606:4700::1111", "2001:4860:4860::8888",
		"2a00:1450:4001::1"} {
		for _, grade := range []Grade{SubProcessor, TenantEndpoint, Own} {
			if !permitted(netip.MustParseAddr(text), grade, false) {
				t.Errorf("%s is refused to grade %d", text, grade)
			}
		}
		if permitted(netip.MustParseAddr(text), 0, true) {
			t.Errorf("%s is permitted without a grade", text)
		}
	}
}

func TestTheLoopbackExceptionReachesThisMachineOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"127.0.0.1": true, "::1": true, "::ffff:127.0.0.1": true, "10.0.0.1": false, "169.254.169.254": false, "fe80::1": false} {
		if got := permitted(netip.MustParseAddr(text), TenantEndpoint, true); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
