package edge_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"aver/edge"
)

func TestForwardedAddressesAreBelievedFromOurProxiesOnly(t *testing.T) {
	t.Parallel()
	ours := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"a direct caller":                          {"198.51.100.7:4000", nil, "198.51.100.7"},
		"a direct caller who lies":                 {"198.51.100.7:4000", []string{"1.2.3.4"}, "198.51.100.7"},
		"a proxy of ours":                          {"10.0.0.1:4000", []string{"1.2.3.4"}, "1.2.3.4"},
		"a caller behind our proxy who lies":       {"10.0.0.1:4000", []string{"9.9.9.9, 1.2.3.4"}, "1.2.3.4"},
		"two proxies of ours":                      {"10.0.0.1:4000", []string{"1.2.3.4, 10.0.0.2"}, "1.2.3.4"},
		"a lie in a header of its own":             {"10.0.0.1:4000", []string{"9.9.9.9", "1.2.3.4"}, "1.2.3.4"},
		"a lie that names our proxy":               {"10.0.0.1:4000", []string{"10.0.0.9, 1.2.3.4"}, "1.2.3.4"},
		"a proxy that calls for itself":            {"10.0.0.1:4000", nil, "10.0.0.1"},
		"rubbish from a proxy":                     {"10.0.0.1:4000", []string{"unknown"}, "10.0.0.1"},
		"rubbish before the address":               {"10.0.0.1:4000", []string{"<script>, 1.2.3.4"}, "1.2.3.4"},
		"an address with a port":                   {"10.0.0.1:4000", []string{"1.2.3.4:80"}, "10.0.0.1"},
		"an empty header":                          {"10.0.0.1:4000", []string{""}, "10.0.0.1"},
		"a proxy over IPv6":                        {"[fd00::1]:4000", []string{"2001:db8::5"}, "2001:db8::5"},
		"a mapped address":                         {"[::ffff:10.0.0.1]:4000", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
		"an address with a zone":                   {"[fe80::1%eth0]:4000", []string{"1.2.3.4"}, "fe80::1"},
		"a forwarded address with a zone":          {"10.0.0.1:4000", []string{"fe80::1%evil"}, "fe80::1"},
		"only proxies of ours, one of them within": {"10.0.0.1:4000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = c.peer
			for _, line := range c.forwarded {
				r.Header.Add("X-Forwarded-For", line)
			}
			if got := edge.ClientAddress(r, ours); got.String() != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestRatesAreCountedPerCustomerNetwork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"1.2.3.4": "1.2.3.4", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:2:ffff::1": "2001:db8:1:2::"} {
		if got := edge.Neighbourhood(netip.MustParseAddr(text)); got.String() != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
