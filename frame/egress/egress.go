// Package egress is the only door to the outside world: nothing else in Aver may open a connection.
//
// A Door lets a call out when its host is in the register and the address that DNS gave for it is one that this
// grade of host may have. The address is checked at the moment of connecting, so that a name which changes its
// address between check and call gains nothing. Redirects are not followed and the proxy variables of the
// environment are not read: both would be ways round the register.
//
// Modules never make a Door. They are given one, ask it for a Client or a DialContext, and name their purpose.
package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/idna"

	"aver/base/errs"
)

// Grade says whose a host is, and with that which addresses it may have.
type Grade uint8

// The grades. The zero grade may have no address at all.
const (
	// SubProcessor is a company that works for us. Public addresses only, and HTTPS only.
	SubProcessor Grade = iota + 1
	// TenantEndpoint is a recipient that a tenant chose, such as a webhook. Public addresses only, and HTTPS only:
	// a tenant must not reach what lies behind our own firewall.
	TenantEndpoint
	// Own is the operator's infrastructure, such as a mail relay or a key service. Private addresses too.
	Own
)

// Entry is what the register knows about a host.
type Entry struct {
	Name  string // of the sub-processor or the part of the installation, for reports
	Grade Grade
}

// Register tells whether a host may be called for a purpose. Host is lower case without port or trailing dot; a name
// in another script arrives as punycode.
type Register func(ctx context.Context, purpose, host string) (Entry, bool)

// Door lets registered calls out. Set its fields before the first call. The zero Door refuses everything.
type Door struct {
	// Register decides; without one nothing leaves.
	Register Register
	// Observed is told about every attempt once it was decided, if set. It must not block.
	Observed func(host, purpose string, allowed bool)
	// Loopback lists host:port pairs that may resolve to this machine although their grade says otherwise. It is for
	// tests and the demo, where the recipient of a webhook runs next door; those may be called without TLS too.
	Loopback map[string]bool
	// Roots are the authorities whose certificates are believed, instead of the system's, if set.
	Roots *x509.CertPool
	// Resolver replaces the system's resolver, if set.
	Resolver *net.Resolver
	// ConnectTimeout bounds one connection attempt; five seconds when zero.
	ConnectTimeout time.Duration

	mu      sync.Mutex
	clients map[string]*http.Client
	allowed atomic.Uint64
	refused atomic.Uint64
}

// Counts returns how many attempts were let out and how many were refused since the start.
func (d *Door) Counts() (allowed, refused uint64) { return d.allowed.Load(), d.refused.Load() }

// DialContext opens a TCP connection to addr (host:port) for a purpose. It returns errs.Forbidden when the register
// or the address forbids the call, and errs.Unavailable when the host cannot be reached.
func (d *Door) DialContext(ctx context.Context, purpose, network, addr string) (net.Conn, error) {
	to, err := d.permit(ctx, purpose, network, addr)
	if err != nil {
		return nil, err
	}
	conn, err := d.connect(ctx, purpose, network, to)
	if !errs.Is(err, errs.Forbidden) { // let out, whether or not somebody answered
		d.observe(to.host, purpose, true)
	}
	return conn, err
}

// target is a destination that the register knows.
type target struct {
	host, port string
	grade      Grade
	loopback   bool
}

// permit asks the register. It makes no query of any kind on the network.
func (d *Door) permit(ctx context.Context, purpose, network, addr string) (target, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return target{}, d.refuse("", purpose, errors.New("only TCP leaves"))
	}
	rawHost, port, err := net.SplitHostPort(addr)
	if err != nil {
		return target{}, d.refuse("", purpose, errors.New("address without a port"))
	}
	host, err := hostname(rawHost)
	if err != nil {
		return target{}, d.refuse("", purpose, err)
	}
	if d.Register == nil {
		return target{}, d.refuse(host, purpose, errors.New("no register"))
	}
	entry, known := d.Register(ctx, purpose, host)
	if !known {
		return target{}, d.refuse(host, purpose, errors.New("not in the register"))
	}
	return target{host: host, port: port, grade: entry.Grade, loopback: d.Loopback[net.JoinHostPort(host, port)]}, nil
}

// connect resolves and dials; every address is checked after DNS and just before the connection is made.
func (d *Door) connect(ctx context.Context, purpose, network string, to target) (net.Conn, error) {
	timeout := d.ConnectTimeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	var blocked atomic.Bool
	dialer := net.Dialer{
		Timeout:   timeout,
		KeepAlive: 30 * time.Second,
		Resolver:  d.Resolver,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !permitted(at.Addr(), to.grade, to.loopback) {
				blocked.Store(true)
				return errBlocked
			}
			return nil
		},
	}
	conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(to.host, to.port))
	if err == nil {
		return conn, nil
	}
	if blocked.Load() {
		return nil, d.refuse(to.host, purpose, errBlocked)
	}
	return nil, errs.New(errs.Unavailable, "The other side cannot be reached.").Because(err)
}

var errBlocked = errors.New("the address is not one this host may have")

// refuse counts and reports a refusal and makes the error for it.
func (d *Door) refuse(host, purpose string, why error) error {
	d.observe(host, purpose, false)
	return errs.New(errs.Forbidden, "Aver does not call this host: it is not registered for this purpose, or its address is not allowed.").Because(why)
}

func (d *Door) observe(host, purpose string, allowed bool) {
	if allowed {
		d.allowed.Add(1)
	} else {
		d.refused.Add(1)
	}
	if d.Observed != nil {
		d.Observed(host, purpose, allowed)
	}
}

// hostname brings a host into the one spelling the register knows, and refuses what some resolvers read as an
// address although it does not look like one: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
func hostname(raw string) (string, error) {
	host := strings.TrimSuffix(raw, ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return "", errors.New("an address with a zone")
		}
		return addr.Unmap().String(), nil
	}
	host, err := idna.Lookup.ToASCII(host)
	if err != nil || host == "" || len(host) > 253 {
		return "", errors.New("not a host name")
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return "", errors.New("a number that is not an address")
	}
	return host, nil
}
