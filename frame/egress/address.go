package egress

import "net/netip"

// global is the part of IPv6 that is handed out for use on the Internet. All that lies outside is refused: the
// mapped and translated forms of IPv4 (::/96, ::ffff:0:0/96, 64:ff9b::/96), link-local, site-local, unique local,
// multicast, discard.
var global = netip.MustParsePrefix("2000::/3")

// special lists the address blocks that are not places on the public Internet, from the IANA special-purpose address
// registries (RFC 6890 and its updates). netip's own questions (IsPrivate, IsLoopback, …) miss a dozen of them.
var special = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // carrier-grade NAT
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, cloud metadata
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.31.196.0/24", // AS112
	"192.52.193.0/24", // AMT
	"192.88.99.0/24",  // 6to4 relay
	"192.168.0.0/16",  // private
	"192.175.48.0/24", // AS112
	"198.18.0.0/15",   // benchmarking
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast

	"2001::/23",         // protocol assignments: Teredo, benchmarking, ORCHID
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4
	"2620:4f:8000::/48", // AS112
	"3fff::/20",         // documentation
)

// private lists what an operator's own infrastructure may have besides public addresses. Link-local is missing on
// purpose: nothing of ours is called there, and cloud metadata services live there.
var private = prefixes("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")

var loopback = prefixes("127.0.0.0/8", "::1/128")

// permitted tells whether a host of this grade may have this address.
func permitted(addr netip.Addr, grade Grade, loopbackToo bool) bool {
	if grade < SubProcessor || grade > Own || !addr.IsValid() || addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap() // the operating system connects to ::ffff:a.b.c.d as to a.b.c.d
	if loopbackToo && within(addr, loopback) {
		return true
	}
	if grade == Own && within(addr, private) {
		return true
	}
	return (addr.Is4() || global.Contains(addr)) && !within(addr, special)
}

func within(addr netip.Addr, blocks []netip.Prefix) bool {
	for _, block := range blocks {
		if block.Contains(addr) {
			return true
		}
	}
	return false
}

func prefixes(texts ...string) []netip.Prefix {
	blocks := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		blocks[i] = netip.MustParsePrefix(text)
	}
	return blocks
}
