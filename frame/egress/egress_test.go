package egress_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"aver/base/errs"
	"aver/frame/egress"
)

// anywhere is a register that knows every host as somewhere a tenant chose.
func anywhere(_ context.Context, _, _ string) (egress.Entry, bool) {
	return egress.Entry{Name: "a tenant's webhook", Grade: egress.TenantEndpoint}, true
}

// own is a register that knows every host as the operator's.
func own(_ context.Context, _, _ string) (egress.Entry, bool) {
	return egress.Entry{Name: "mail relay", Grade: egress.Own}, true
}

// names is a resolver that knows only the given names and, when asked again, answers with the next list.
func names(answers map[string][]string) *net.Resolver {
	var mu sync.Mutex
	asked := make(map[string]int)
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			for {
				var size [2]byte
				if _, err := io.ReadFull(server, size[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(server, query); err != nil {
					return
				}
				mu.Lock()
				reply := answerDNS(query, answers, asked)
				mu.Unlock()
				_, _ = server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
			}
		}()
		return client, nil
	}}
}

func answerDNS(query []byte, answers map[string][]string, asked map[string]int) []byte {
	var message dnsmessage.Message
	if err := message.Unpack(query); err != nil {
		return nil
	}
	question := message.Questions[0]
	message.Response, message.Additionals = true, nil
	name := strings.TrimSuffix(question.Name.String(), ".")
	turns := answers[name]
	if len(turns) == 0 {
		message.RCode = dnsmessage.RCodeNameError
	} else {
		turn := turns[min(asked[name+question.Type.String()], len(turns)-1)]
		asked[name+question.Type.String()]++
		for text := range strings.SplitSeq(turn, ",") {
			addr := netip.MustParseAddr(text)
			header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 0}
			if addr.Is4() && question.Type == dnsmessage.TypeA {
				message.Answers = append(message.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
			}
			if addr.Is6() && question.Type == dnsmessage.TypeAAAA {
				message.Answers = append(message.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
			}
		}
	}
	packed, _ := message.Pack()
	return packed
}

// internal is a service that must never be reached; it counts who knocks.
func internal(t *testing.T) (port string, knocks *atomic.Int64) {
	t.Helper()
	knocks = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "internal") }))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			knocks.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, knocks
}

func TestNoSpellingOfAnInternalAddressGetsOut(t *testing.T) {
	t.Parallel()
	port, knocks := internal(t)
	hosts := []string{
		// loopback in every spelling
		"127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "017700000001",
		"0177.0.0.1", "0177.0.0.01", "127.0.0.0x1", "127.255.255.254", "[::1]", "[0:0:0:0:0:0:0:1]", "localhost", "LOCALHOST",
		"localhost.", "0", "0.0.0.0", "[::]", "[::127.0.0.1]",
		// IPv4 inside IPv6
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:0:127.0.0.1]",
		"[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::10.0.0.1]", "[2002:7f00:1::]", "[2002:a00:1::]",
		"[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
		// private, shared, local
		"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.1",
		"100.127.255.255", "169.254.169.254", "169.254.0.1", "[fe80::1]", "[fe80::1%25eth0]", "[febf::1]", "[fec0::1]", "[fc00::1]",
		"[fd00:ec2::254]", "[fdff::1]",
		// documentation, benchmarking, assignments, multicast, reserved
		"192.0.0.1", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "192.88.99.1",
		"192.31.196.1", "192.52.193.1", "192.175.48.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"[ff02::1]", "[ff0e::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[2001:2::1]", "[2001:10::1]", "[2001:20::1]",
		"[2620:4f:8000::1]", "[5f00::1]",
		// names that resolve inside
		"inside.example", "metadata.example", "six.example", "mapped.example", "nat64.example", "mixed.example", "xn--nside-qta.example",
	}
	resolver := names(map[string][]string{
		"inside.example": {"127.0.0.1"}, "metadata.example": {"169.254.169.254"}, "six.example": {"::1"}, "mapped.example": {"::ffff:127.0.0.1"},
		"nat64.example": {"64:ff9b::7f00:1"}, "mixed.example": {"10.0.0.1,fd00::1"}, "xn--nside-qta.example": {"192.168.1.1"},
		"localhost": {"127.0.0.1"},
	})
	door := &egress.Door{Register: anywhere, Resolver: resolver}
	for _, host := range hosts {
		answer, err := door.Client("webhook").Get("https://" + host + ":" + port + "/")
		if err == nil {
			answer.Body.Close()
			t.Errorf("%s was reached", host)
		} else if !errs.Is(err, errs.Forbidden) {
			t.Errorf("%s: want a refusal, got %v", host, egress.Reason(err))
		}
	}
	if n := knocks.Load(); n != 0 {
		t.Errorf("%d connections arrived inside", n)
	}
	if _, refused := door.Counts(); refused < uint64(len(hosts)) {
		t.Errorf("%d of %d refusals were counted", refused, len(hosts))
	}
}

func TestANameThatChangesItsAddressGainsNothing(t *testing.T) {
	t.Parallel()
	port, knocks := internal(t)
	resolver := names(map[string][]string{"rebind.example": {"8.8.8.8", "127.0.0.1"}})
	// This register looks the name up itself, as a careful one might, and sees a public address.
	careful := func(ctx context.Context, purpose, host string) (egress.Entry, bool) {
		addrs, err := resolver.LookupNetIP(ctx, "ip4", host)
		if err != nil || len(addrs) != 1 || addrs[0].String() != "8.8.8.8" {
			t.Errorf("the first answer was %v, %v", addrs, err)
		}
		return anywhere(ctx, purpose, host)
	}
	door := &egress.Door{Register: careful, Resolver: resolver}
	if _, err := door.DialContext(t.Context(), "webhook", "tcp4", "rebind.example:"+port); !errs.Is(err, errs.Forbidden) {
		t.Fatalf("want a refusal, got %v", err)
	}
	if knocks.Load() != 0 {
		t.Error("the internal service was reached")
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	port, knocks := internal(t)
	outside := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:"+port+"/", http.StatusFound))
	t.Cleanup(outside.Close)
	address := outside.Listener.Addr().String()
	door := &egress.Door{Register: anywhere, Loopback: map[string]bool{address: true}}
	answer, err := door.Client("webhook").Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusFound || knocks.Load() != 0 {
		t.Errorf("status %d, %d connections inside", answer.StatusCode, knocks.Load())
	}
}

func TestTheProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	port, knocks := internal(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:"+port)
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:"+port)
	door := &egress.Door{Register: anywhere, Resolver: names(nil)}
	if answer, err := door.Client("webhook").Get("https://somewhere.example/"); err == nil {
		answer.Body.Close()
		t.Fatal("a name that does not exist was reached")
	}
	if knocks.Load() != 0 {
		t.Error("the request went to the proxy")
	}
}

func TestWhatIsNotInTheRegisterIsRefusedBeforeAnyQuery(t *testing.T) {
	t.Parallel()
	asked := new(atomic.Int64)
	silent := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, io.EOF
	}}
	for name, door := range map[string]*egress.Door{
		"no register":    {Resolver: silent},
		"empty register": {Resolver: silent, Register: func(context.Context, string, string) (egress.Entry, bool) { return egress.Entry{}, false }},
	} {
		if _, err := door.DialContext(t.Context(), "mail", "tcp", "relay.example:25"); !errs.Is(err, errs.Forbidden) {
			t.Errorf("%s: want a refusal, got %v", name, err)
		}
	}
	if asked.Load() != 0 {
		t.Error("a name of a refused host was looked up")
	}
}

func TestAnEntryWithoutAGradeReachesNothing(t *testing.T) {
	t.Parallel()
	port, knocks := internal(t)
	door := &egress.Door{Register: func(context.Context, string, string) (egress.Entry, bool) { return egress.Entry{Name: "forgot"}, true }}
	if _, err := door.DialContext(t.Context(), "mail", "tcp", "127.0.0.1:"+port); !errs.Is(err, errs.Forbidden) || knocks.Load() != 0 {
		t.Errorf("want a refusal, got %v", err)
	}
}

func TestTheOperatorsOwnHostsMayBePrivateButNotCloudMetadata(t *testing.T) {
	t.Parallel()
	port, _ := internal(t)
	door := &egress.Door{Register: own}
	conn, err := door.DialContext(t.Context(), "mail", "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for _, addr := range []string{"169.254.169.254:80", "[fe80::1]:80", "224.0.0.1:80", "255.255.255.255:80", "[64:ff9b::a9fe:a9fe]:80"} {
		if _, err := door.DialContext(t.Context(), "mail", "tcp", addr); !errs.Is(err, errs.Forbidden) {
			t.Errorf("%s: want a refusal, got %v", addr, err)
		}
	}
}

func TestTheRegisterSeesOneSpellingAndThePurpose(t *testing.T) {
	t.Parallel()
	type question struct{ purpose, host string }
	var asked []question
	door := &egress.Door{Register: func(_ context.Context, purpose, host string) (egress.Entry, bool) {
		asked = append(asked, question{purpose, host})
		return egress.Entry{}, false
	}}
	for _, addr := range []string{"Example.COM:443", "example.com.:443", "bücher.example:443", "[::ffff:8.8.8.8]:443"} {
		_, _ = door.DialContext(t.Context(), "acme", "tcp", addr)
	}
	want := []question{{"acme", "example.com"}, {"acme", "example.com"}, {"acme", "xn--bcher-kva.example"}, {"acme", "8.8.8.8"}}
	if len(asked) != len(want) {
		t.Fatalf("asked %v", asked)
	}
	for i := range want {
		if asked[i] != want[i] {
			t.Errorf("asked %v, want %v", asked[i], want[i])
		}
	}
}

func TestTenantsChooseHTTPSOnlyAndNoCredentials(t *testing.T) {
	t.Parallel()
	door := &egress.Door{Register: anywhere, Resolver: names(nil)}
	for _, url := range []string{"http://hooks.example/", "https://user:secret@hooks.example/", "ftp://hooks.example/", "http://8.8.8.8/"} {
		_, err := door.Client("webhook").Get(url)
		if !errs.Is(err, errs.Forbidden) {
			t.Errorf("%s: want a refusal, got %v", url, err)
		}
		if strings.Contains(egress.Reason(err).Error(), "secret") {
			t.Errorf("the reason repeats the address")
		}
	}
}

func TestOnlyTCPLeaves(t *testing.T) {
	t.Parallel()
	door := &egress.Door{Register: own}
	for _, network := range []string{"udp", "unix", "ip", "tcp7", ""} {
		if _, err := door.DialContext(t.Context(), "mail", network, "127.0.0.1:25"); !errs.Is(err, errs.Forbidden) {
			t.Errorf("%q: want a refusal, got %v", network, err)
		}
	}
}

func TestEveryAttemptIsObservedOnce(t *testing.T) {
	t.Parallel()
	next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(next.Close)
	address := next.Listener.Addr().String()
	var seen []string
	door := &egress.Door{
		Register: anywhere,
		Loopback: map[string]bool{address: true},
		Observed: func(host, purpose string, allowed bool) {
			seen = append(seen, map[bool]string{true: "+", false: "-"}[allowed]+purpose+" "+host)
		},
	}
	for range 2 { // the second travels on the first's connection and is reported all the same
		answer, err := door.Client("webhook").Get("http://" + address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	_, _ = door.Client("webhook").Get("https://10.0.0.1/")
	if got, want := strings.Join(seen, ", "), "+webhook 127.0.0.1, +webhook 127.0.0.1, -webhook 10.0.0.1"; got != want {
		t.Errorf("observed %q, want %q", got, want)
	}
	if allowed, refused := door.Counts(); allowed != 2 || refused != 1 {
		t.Errorf("counted %d and %d", allowed, refused)
	}
}

func TestAnEntryThatIsWithdrawnStopsAKeptConnection(t *testing.T) {
	t.Parallel()
	next := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(next.Close)
	var withdrawn atomic.Bool
	door := &egress.Door{Register: func(context.Context, string, string) (egress.Entry, bool) {
		return egress.Entry{Grade: egress.Own}, !withdrawn.Load()
	}}
	answer, err := door.Client("kms").Get(next.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	withdrawn.Store(true)
	if _, err := door.Client("kms").Get(next.URL); !errs.Is(err, errs.Forbidden) {
		t.Errorf("want a refusal, got %v", err)
	}
}

func TestAnAnswerOverTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	if data, err := egress.ReadAll(strings.NewReader("12345"), 5); err != nil || string(data) != "12345" {
		t.Errorf("got %q, %v", data, err)
	}
	if _, err := egress.ReadAll(strings.NewReader("123456"), 5); !errs.Is(err, errs.TooLarge) {
		t.Errorf("want too large, got %v", err)
	}
}

func TestAnAnswerIsNotUnfolded(t *testing.T) {
	t.Parallel()
	next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Accept-Encoding"))
	}))
	t.Cleanup(next.Close)
	answer, err := (&egress.Door{Register: own}).Client("kms").Get(next.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if asked, _ := egress.ReadAll(answer.Body, 100); len(asked) != 0 {
		t.Errorf("asked for %q", asked)
	}
}
