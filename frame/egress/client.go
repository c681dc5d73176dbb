package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"aver/base/errs"
)

// Client returns an HTTP client whose every request goes through the door for this purpose. It follows no redirect
// (the caller sees the 3xx), reads no proxy variables, speaks TLS 1.2 or newer, and gives up after 30 seconds unless
// the request's context says so earlier. Its answers are as large as the other side likes: read them with ReadAll.
// Its errors repeat the address, which may hold a secret: log their Reason.
func (d *Door) Client(purpose string) *http.Client {
	d.mu.Lock()
	defer d.mu.Unlock()
	if client, made := d.clients[purpose]; made {
		return client
	}
	client := &http.Client{
		Transport:     &gate{door: d, purpose: purpose, next: d.transport(purpose)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
	if d.clients == nil {
		d.clients = make(map[string]*http.Client)
	}
	d.clients[purpose] = client
	return client
}

// Carrier carries other people's requests through the door for this purpose, as a relay does: like Client, but with a
// connection for each that needs one (sockets do), and without a limit to how long an answer may go on. Make it once.
func (d *Door) Carrier(purpose string) http.RoundTripper {
	wide := d.transport(purpose)
	wide.MaxIdleConns, wide.MaxIdleConnsPerHost, wide.MaxConnsPerHost = 0, 256, 0
	wide.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second} // a line that was cut is noticed
	return &gate{door: d, purpose: purpose, next: wide}
}

func (d *Door) transport(purpose string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to, err := d.permit(ctx, purpose, network, addr)
			if err != nil {
				return nil, err
			}
			return d.connect(ctx, purpose, network, to)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.Roots},
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    2,
		MaxConnsPerHost:        16,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // a small answer must not unfold into a large one
	}
}

// gate asks the register for every request: a connection kept from an earlier one must not outlive the entry.
type gate struct {
	door    *Door
	purpose string
	next    *http.Transport
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	to, err := g.door.permit(r.Context(), g.purpose, "tcp", authority(r.URL))
	if err != nil {
		return nil, err
	}
	if r.URL.User != nil {
		return nil, g.door.refuse(to.host, g.purpose, errors.New("credentials in the address"))
	}
	if r.URL.Scheme != "https" && to.grade != Own && !to.loopback {
		return nil, g.door.refuse(to.host, g.purpose, errors.New("not HTTPS"))
	}
	answer, err := g.next.RoundTrip(r)
	if !errs.Is(err, errs.Forbidden) { // otherwise the dial was refused and has been reported
		g.door.observe(to.host, g.purpose, true)
	}
	return answer, err
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport.
func (g *gate) CloseIdleConnections() { g.next.CloseIdleConnections() }

func authority(u *url.URL) string {
	port := u.Port()
	if port == "" && u.Scheme == "http" {
		port = "80"
	} else if port == "" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Reason is what went wrong with a call, without the address that net/http writes in front.
func Reason(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// ReadAll reads an answer of at most limit bytes, and returns errs.TooLarge for a longer one.
func ReadAll(body io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, errs.New(errs.Unavailable, "The other side stopped answering.").Because(err)
	}
	if int64(len(data)) > limit {
		return nil, errs.New(errs.TooLarge, "The answer of the other side is too large.")
	}
	return data, nil
}
