package edge

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddress tells where a request comes from: the peer of the connection, unless that is one of our own proxies.
// Then it is the last address in X-Forwarded-For that is not a proxy of ours; what stands before it was written by
// strangers. It returns the zero address when the peer's cannot be read.
func clientAddress(r *http.Request, proxies []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(client) }) {
			return client
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return client // our proxy would have written an address
		}
		client = next.Unmap().WithZone("")
	}
	return client
}

// Neighbourhood is what a rate is counted for: an IPv4 address, or the 64-bit network a single customer gets in IPv6.
func Neighbourhood(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	network, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return network.Addr()
}
