package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/cmd/aver/app"
	"aver/frame/claim"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/inbox"
)

// terminal is where the demo writes.
type terminal struct {
	mu   sync.Mutex
	text bytes.Buffer
	said chan struct{} // closed once it says how to stop
}

func (o *terminal) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if strings.Contains(o.text.String(), "Stop with Ctrl+C") {
		select {
		case <-o.said:
		default:
			close(o.said)
		}
	}
	return len(p), nil
}

func (o *terminal) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run starts the demo and returns what it says and a way to press Ctrl+C.
func run(t *testing.T, folder string) (said string, stop func()) {
	t.Helper()
	out := &terminal{said: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, Config{Data: folder, Listen: "localhost:0", Plain: "localhost:0"}, out) }()
	select {
	case <-out.said:
	case err := <-ended:
		t.Fatalf("the demo does not start: %v\n%s", err, out)
	}
	return out.String(), func() {
		t.Helper()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("stopping: %v", err)
			}
		case <-time.After(time.Minute):
			t.Fatal("Ctrl+C does not stop the demo")
		}
	}
}

var address = regexp.MustCompile(`https?://\S+`)

func TestTheDemoIsThereAfterASecondStart(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "demo-data")
	said, stop := run(t, folder)
	if strings.Contains(said, "Found") {
		t.Errorf("the first start found something: %s", said)
	}
	visit(t, said)
	stop()
	before := look(t, folder)

	said, stop = run(t, folder)
	if !strings.Contains(said, "Found the demo's data") {
		t.Errorf("the second start says %s", said)
	}
	visit(t, said)
	stop()
	if after := look(t, folder); after != before {
		t.Errorf("before %+v, after the second start %+v", before, after)
	}
	failedAndHeld(t, folder)
	if before.open < 5 || before.unread < 5 || before.closed < 25 || before.people < 30 || before.erased != 1 {
		t.Errorf("the demo holds %+v", before)
	}
}

func TestASeedThatWasInterruptedIsMadeAnew(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "demo-data")
	_, stop := run(t, folder)
	stop()
	whole := look(t, folder)
	must(t, os.Remove(filepath.Join(folder, seeded)))
	said, stop := run(t, folder)
	stop()
	if !strings.Contains(said, "made anew") {
		t.Errorf("it says %s", said)
	}
	if again := look(t, folder); again != whole {
		t.Errorf("at first %+v, then %+v", whole, again)
	}
}

// failedAndHeld tells that a promise of the demo was red for a while, and is green.
func failedAndHeld(t *testing.T, folder string) {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{Data: folder, Log: io.Discard})
	must(t, err)
	defer func() { must(t, a.Close()) }()
	board, err := a.Claims.Board(t.Context())
	must(t, err)
	st, _ := board.Find(promise)
	failed := 0
	for _, state := range st.Days {
		if state == claim.Failing {
			failed++
		}
	}
	if st.Last.State != claim.Holds || failed != 1 {
		t.Errorf("%s is %s and failed on %d days", promise, st.Last.State, failed)
	}
}

// visit opens every address that the demo prints.
func visit(t *testing.T, said string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	all := address.FindAllString(said, -1)
	if len(all) < 8 {
		t.Fatalf("only %q are printed", all)
	}
	for _, a := range all {
		if strings.HasSuffix(a, "/inbox") {
			signIn(t, strings.TrimSuffix(a, "/inbox"), said)
			continue
		}
		if strings.HasPrefix(a, "http://localhost") {
			a += "/shop/kowal" // the redirect keeps the path
		}
		res, err := client.Get(a)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != http.StatusOK || res.Request.URL.Scheme != "https" && !strings.HasSuffix(a, "/metrics") {
			t.Errorf("%s leads to %s: %d", a, res.Request.URL, res.StatusCode)
		}
		if strings.Contains(a, "/shop/") && !bytes.Contains(body, []byte("/l.js")) {
			t.Errorf("%s does not show the widget", a)
		}
	}
}

var account = regexp.MustCompile(`\S+@(kowal|harbour)\.example`)

// signIn lets everybody in who is listed, with the password that is printed.
func signIn(t *testing.T, base, said string) {
	t.Helper()
	_, rest, _ := strings.Cut(said, "password is  ")
	password, _, _ := strings.Cut(rest, "\n")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	all := account.FindAllString(said, -1)
	if len(all) != 7 {
		t.Errorf("listed are %q", all)
	}
	for _, email := range all {
		res, err := client.PostForm(base+"/login", url.Values{"email": {email}, "password": {password}})
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Set-Cookie"), identity.CookieName+"=") {
			t.Errorf("%s is answered with %d", email, res.StatusCode)
		}
	}
}

// stock is what the demo's folder holds.
type stock struct{ open, closed, unread, people, erased int }

// look counts what is in the folder, and checks the logs of both businesses.
func look(t *testing.T, folder string) (s stock) {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{Data: folder, Region: "eu", Log: io.Discard})
	must(t, err)
	defer func() { must(t, a.Close()) }()
	for _, trade := range trades {
		tenant, err := a.Vault.TenantBySlug(t.Context(), trade.slug)
		must(t, err)
		_, err = a.Vault.FinishErasures(t.Context(), tenant.ID) // what the queue was stopped in
		must(t, err)
		owner := vaulttest.User(tenant.ID, vault.Owner)
		for _, state := range []inbox.State{inbox.Open, inbox.Closed} {
			rows, _, err := a.Inbox.List(t.Context(), owner, inbox.Filter{State: state})
			must(t, err)
			for _, row := range rows {
				if row.Unread > 0 {
					s.unread++
				}
			}
			if state == inbox.Open {
				s.open += len(rows)
			} else {
				s.closed += len(rows)
			}
		}
		found, err := a.Contacts.List(t.Context(), owner, contacts.Filter{Limit: 100})
		must(t, err)
		s.people += len(found.Contacts)
		s.erased += erasures(t, a, tenant.ID)
		verify(t, a, owner)
	}
	return s
}

func erasures(t *testing.T, a *app.App, tenant ids.Tenant) (n int) {
	t.Helper()
	for from := int64(0); ; {
		entries, err := a.Vault.Entries(t.Context(), tenant, from, 500)
		must(t, err)
		if len(entries) == 0 {
			return n
		}
		for _, e := range entries {
			for _, ev := range e.Events {
				if ev.Kind == "subject.erased" {
					n++
				}
			}
		}
		from += int64(len(entries))
	}
}

// verify checks a tenant's log as somebody outside would, from its export.
func verify(t *testing.T, a *app.App, owner vault.Actor) {
	t.Helper()
	var bundle bytes.Buffer
	must(t, a.Audit.Export(t.Context(), owner, &bundle, 0))
	key, err := a.Audit.VerifierKey(t.Context())
	must(t, err)
	report, err := tlog.Verify(&bundle, tlog.Options{Key: key})
	if err != nil {
		t.Errorf("the log does not verify: %v (%+v)", err, report)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
