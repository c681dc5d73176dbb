package app_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/base/tlog"
	"aver/cmd/aver/app"
	"aver/trust/audit"
	"aver/trust/audit/verdict"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/keyring"
	"aver/vault/postgres/pgtest"
	"aver/work/channels/webchat"
	"aver/work/contacts"
	"aver/work/inbox"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// A process is one of the processes of an installation on PostgreSQL, serving.
type process struct {
	*app.App
	t    *testing.T
	base string
}

// installed makes a database with the schema and starts processes on it, which share the database and the root key alone.
func installed(t *testing.T, cluster *pgtest.Cluster, unsafe bool, n int) []*process {
	t.Helper()
	db := cluster.NewDatabase(t, nil)
	must(t, app.Migrate(t.Context(), db.Owner, "", pgtest.App))
	root := filepath.Join(t.TempDir(), "root.key")
	var out []*process
	for range n {
		a, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Database: db.App, RootKey: root, Region: "eu",
			Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard, UnsafeForTests: unsafe})
		must(t, err)
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		ready, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- a.Serve(ctx, func(*app.App) { close(ready) }) }()
		t.Cleanup(func() { cancel(); <-ended })
		select {
		case <-ready:
		case err := <-ended:
			ended <- err
			t.Fatalf("a process does not start: %v", err)
		}
		https, _, _ := a.Edge.Addresses()
		out = append(out, &process{a, t, "https://" + https.String()})
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type object = map[string]any

var client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 30 * time.Second}

// ask sends a request and reads the answer.
func (p *process) ask(method, path string, body any, headers ...string) (int, object) {
	p.t.Helper()
	text, err := json.Marshal(body)
	must(p.t, err)
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, bytes.NewReader(text))
	must(p.t, err)
	r.Header.Set("Origin", p.base)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	must(p.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(p.t, err)
	var out object
	_ = json.Unmarshal(raw, &out) // a page is no object
	return res.StatusCode, out
}

func (p *process) wants(method, path string, body any, headers ...string) object {
	p.t.Helper()
	status, out := p.ask(method, path, body, headers...)
	if status >= 300 {
		p.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

// workspace makes a tenant whose owner comes by invitation and signs up.
func (p *process) workspace() (tenant ids.Tenant, owner vault.Actor, cookie string) {
	p.t.Helper()
	made, err := p.CreateTenant(p.t.Context(), "kowal", "Kowal Bikes")
	must(p.t, err)
	invitation, err := p.Identity.Invite(p.t.Context(), identity.System(made.ID, "test"), "ada@kowal.example", vault.Owner)
	must(p.t, err)
	session, err := p.Identity.Accept(p.t.Context(), invitation, "ada@kowal.example", "Ada Kowal", "three old bicycles in rain")
	must(p.t, err)
	owner, err = p.Identity.Session(p.t.Context(), session)
	must(p.t, err)
	return made.ID, owner, identity.CookieName + "=" + session
}

// visitor begins a session of the widget and agrees to the notice.
func (p *process) visitor(tenant ids.Tenant) (token string, contact ids.Contact) {
	p.t.Helper()
	site := webchat.Website(tenant)
	notice := p.wants("GET", "/widget/v1/config?lang=en&w="+site, nil)["consent"].(object)
	out := p.wants("POST", "/widget/v1/sessions", object{"website": site, "language": "en", "page_url_origin": "https://shop.example",
		"consent": object{"purpose": notice["purpose"], "version": notice["version"], "language": notice["language"]}})
	contact, err := ids.ParseSubject(out["contact"].(string))
	must(p.t, err)
	return out["token"].(string), contact
}

func (p *process) says(token, text string) (conv string) {
	p.t.Helper()
	out := p.wants("POST", "/widget/v1/send", object{"op": "send", "client_id": uuid.NewString(), "text": text}, "Authorization", "Bearer "+token)
	return out["ok"].(object)["conversation"].(string)
}

// follows opens a widget's socket on a conversation and returns what waits for a push of a kind that holds these words.
func (p *process) follows(token, conv string) func(kind, words string) {
	p.t.Helper()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Subprotocols: []string{"aver.v1"}}
	conn, res, err := d.DialContext(p.t.Context(), "wss"+strings.TrimPrefix(p.base, "https")+"/widget/v1/socket", http.Header{"Origin": {p.base}})
	must(p.t, err)
	res.Body.Close()
	p.t.Cleanup(func() { conn.Close() })
	next := func(done func(object) bool) object {
		p.t.Helper()
		must(p.t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
		for {
			var frame object
			err := conn.ReadJSON(&frame)
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				frame, err = object{"closed": closed.Code, "push": "closed"}, nil
			}
			must(p.t, err)
			if done(frame) {
				return frame
			}
			if frame["closed"] != nil {
				p.t.Fatalf("the socket was closed: %v", frame)
			}
		}
	}
	for i, request := range []object{{"op": "hello", "token": token}, {"op": "subscribe", "channel": conv, "epoch": "", "offset": 0}} {
		request["id"] = i + 1
		must(p.t, conn.WriteJSON(request))
		answer := next(func(f object) bool { return f["id"] == float64(i+1) })
		if answer["error"] != nil {
			p.t.Fatalf("%v: %v", request["op"], answer)
		}
	}
	return func(kind, words string) {
		p.t.Helper()
		next(func(f object) bool { return f["push"] == kind && strings.Contains(fmt.Sprint(f), words) })
	}
}

// verifies exports a workspace's log and checks it as an auditor would, with nothing but the file and the key.
func (p *process) verifies(owner vault.Actor) tlog.Report {
	p.t.Helper()
	var bundle bytes.Buffer
	must(p.t, p.Audit.Export(p.t.Context(), owner, &bundle, 0))
	key, err := p.Audit.VerifierKey(p.t.Context())
	must(p.t, err)
	verdict, err := verdict.Verify(&bundle, tlog.Options{Key: key})
	must(p.t, err)
	if !verdict.Holds {
		p.t.Errorf("the log does not verify: %v", verdict.Findings)
	}
	return verdict.Report
}

func TestTheStoryOfAVisitorOnPostgreSQLInTwoProcesses(t *testing.T) {
	t.Parallel()
	both := installed(t, pgtest.Start(t), true, 2)
	one, other := both[0], both[1]
	tenant, owner, cookie := one.workspace()
	token, contact := one.visitor(tenant)
	conv := one.says(token, "my zebra bicycle is broken")
	hears := other.follows(token, conv)

	reply := other.wants("POST", "/v1/conversations/"+conv+"/reply", object{"client_id": uuid.NewString(), "text": "bring it here"}, "Cookie", cookie)
	if reply == nil {
		t.Error("the reply was not answered")
	}
	hears("message", "bring it here")
	one.wants("POST", "/v1/conversations/"+conv+"/reply", object{"client_id": uuid.NewString(), "text": "from the other process"}, "Cookie", cookie)
	hears("message", "from the other process")
	eventually.Must(t, "the words are found", func() bool {
		rows, err := other.Inbox.Search(t.Context(), owner, "zebra bic")
		must(t, err)
		return len(rows) == 1
	})

	if has, err := other.Vault.HasKey(t.Context(), owner, contact); !has || err != nil {
		t.Fatalf("the other process does not know the person: %v", err)
	}
	if _, err := one.Rights.Erase(t.Context(), owner, contact, "asked for it"); err != nil {
		t.Fatal(err)
	}
	hears("closed", "")
	eventually.Must(t, "the other process has forgotten the key", func() bool {
		has, err := other.Vault.HasKey(t.Context(), owner, contact)
		must(t, err)
		return !has
	})
	for _, p := range both {
		if status, _ := p.ask("POST", "/widget/v1/send", object{"op": "send", "client_id": uuid.NewString(), "text": "I am back"}, "Authorization", "Bearer "+token); status != http.StatusUnauthorized {
			t.Errorf("the erased person's token: %d", status)
		}
		if err := p.Vault.Keys().NewSubject(t.Context(), tenant, contact); !errors.Is(err, keyring.ErrErased) {
			t.Errorf("a key for the erased person: %v", err)
		}
		eventually.Must(t, "the person's rows are gone", func() bool {
			list, err := p.Contacts.List(t.Context(), owner, contacts.Filter{})
			must(t, err)
			return len(list.Contacts) == 0
		})
	}
	a, err := one.Audit.VerifierKey(t.Context())
	must(t, err)
	if b, err := other.Audit.VerifierKey(t.Context()); err != nil || a != b {
		t.Errorf("the processes sign with different keys: %v", err)
	}
	if report := one.verifies(owner); report.Head.Size < 8 {
		t.Errorf("the log has %d entries", report.Head.Size)
	}
	other.verifies(owner)
}

// flood lets a person write over several processes at once and returns what was acknowledged, by number.
func flood(t *testing.T, to []*process, who vault.Actor, conv ids.Conversation, callers, each int, refused func(error)) map[int64]string {
	t.Helper()
	var mu sync.Mutex
	acknowledged := map[int64]string{}
	var all sync.WaitGroup
	for i := range callers {
		p := to[i%len(to)]
		all.Go(func() {
			for range each {
				id := uuid.NewString()
				text := words(id)
				ack, err := p.Inbox.Receive(t.Context(), who, inbox.Incoming{Conversation: conv, ClientID: id, Text: personal.Of(text)})
				if err != nil {
					refused(err)
					continue
				}
				mu.Lock()
				if before, taken := acknowledged[ack.Seq]; taken {
					t.Errorf("number %d was given to %s and to %s", ack.Seq, before, text)
				}
				acknowledged[ack.Seq] = text
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return acknowledged
}

// words makes a text of an identifier's digits, without any: some are hidden because they could be a card's.
func words(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + 'k'
		}
		return r
	}, id)
}

// stored reads a conversation to its beginning: number to text.
func (p *process) stored(who vault.Actor, conv ids.Conversation) map[int64]string {
	p.t.Helper()
	out := map[int64]string{}
	for before := int64(0); ; {
		list, more, err := p.Inbox.History(p.t.Context(), who, conv, before, 100)
		must(p.t, err)
		for _, m := range list {
			out[m.Seq] = m.Text.Reveal()
			if before == 0 || m.Seq < before {
				before = m.Seq
			}
		}
		if !more {
			return out
		}
	}
}

// dense fails unless the numbers are 1 to n without a gap.
func dense(t *testing.T, messages map[int64]string) {
	t.Helper()
	for n := int64(1); n <= int64(len(messages)); n++ {
		if _, found := messages[n]; !found {
			t.Fatalf("%d messages, but none has number %d", len(messages), n)
		}
	}
}

// person is a visitor of the tenant who has written once.
func (p *process) person(tenant ids.Tenant) (vault.Actor, ids.Conversation) {
	p.t.Helper()
	token, _ := p.visitor(tenant)
	conv, err := ids.ParseConversation(p.says(token, "hello"))
	must(p.t, err)
	who, err := p.Identity.Visitor(p.t.Context(), token)
	must(p.t, err)
	return who, conv
}

func TestTwoProcessesNumberOneConversationWithoutGapsAndKeepOneJournal(t *testing.T) {
	t.Parallel()
	both := installed(t, pgtest.Start(t), true, 2)
	tenant, owner, _ := both[0].workspace()
	who, conv := both[0].person(tenant)
	acknowledged := flood(t, both, who, conv, 16, 15, func(err error) { t.Errorf("refused: %v", err) })
	if len(acknowledged) != 16*15 {
		t.Errorf("%d of %d were acknowledged", len(acknowledged), 16*15)
	}
	for _, p := range both {
		stored := p.stored(owner, conv)
		dense(t, stored)
		for n, text := range acknowledged {
			if stored[n] != text {
				t.Errorf("number %d was acknowledged for %q and holds %q", n, text, stored[n])
			}
		}
		if report := p.verifies(owner); report.Head.Size < int64(len(acknowledged)) {
			t.Errorf("the log has %d entries for %d messages", report.Head.Size, len(acknowledged))
		}
	}
}

func TestADatabaseThatGoesAndComesBackLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t) // durable, and ours to stop
	both := installed(t, cluster, false, 2)
	tenant, owner, _ := both[0].workspace()
	who, conv := both[0].person(tenant)

	var mu sync.Mutex
	var refusals []error
	first := make(chan struct{})
	var once sync.Once
	var outage sync.WaitGroup
	outage.Go(func() {
		cluster.Stop(t)
		<-first // somebody was told
		cluster.Restart(t)
	})
	acknowledged := flood(t, both, who, conv, 8, 150, func(err error) {
		once.Do(func() { close(first) })
		mu.Lock()
		defer mu.Unlock()
		refusals = append(refusals, err)
	})
	once.Do(func() { close(first) })
	outage.Wait()
	if len(refusals) == 0 {
		t.Fatal("nobody noticed that the database was away")
	}
	for _, err := range refusals {
		if !errs.Is(err, errs.Unavailable) {
			t.Errorf("refused with %v", err)
		}
	}
	eventually.Must(t, "messages are taken again", func() bool {
		_, err := both[1].Inbox.Receive(t.Context(), who, inbox.Incoming{Conversation: conv, ClientID: uuid.NewString(), Text: personal.Of("afterwards")})
		return err == nil
	})
	stored := both[0].stored(owner, conv)
	dense(t, stored)
	for n, text := range acknowledged {
		if stored[n] != text {
			t.Errorf("number %d was acknowledged for %q and holds %q", n, text, stored[n])
		}
	}
	texts := slices.Sorted(func(yield func(string) bool) {
		for _, text := range stored {
			if !yield(text) {
				return
			}
		}
	})
	if len(slices.Compact(texts)) != len(stored) {
		t.Error("a message is there twice")
	}
	both[1].verifies(owner)
}

func TestWhileTheDatabaseIsAwayRequestsAreAnswered503(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t)
	p := installed(t, cluster, false, 1)[0]
	tenant, _, cookie := p.workspace()
	token, _ := p.visitor(tenant)
	cluster.Stop(t)
	for path, headers := range map[string][]string{"/v1/me": {"Cookie", cookie}, "/v1/conversations": {"Cookie", cookie}} {
		status, out := p.ask("GET", path, nil, headers...)
		if status != http.StatusServiceUnavailable || out["request_id"] == nil {
			t.Errorf("%s: %d %v", path, status, out)
		}
	}
	if status, out := p.ask("POST", "/widget/v1/send", object{"op": "send", "client_id": uuid.NewString(), "text": "x"}, "Authorization", "Bearer "+token); status != http.StatusServiceUnavailable {
		t.Errorf("send: %d %v", status, out)
	}
	if status, _ := p.ask("GET", "/readyz", nil); status != http.StatusServiceUnavailable {
		t.Errorf("ready: %d", status)
	}
	cluster.Restart(t)
	eventually.Must(t, "requests are answered again", func() bool {
		status, _ := p.ask("GET", "/v1/me", nil, "Cookie", cookie)
		return status == http.StatusOK
	})
	eventually.Must(t, "and so are messages", func() bool { // a connection from before may be found broken once
		status, _ := p.ask("POST", "/widget/v1/send", object{"op": "send", "client_id": uuid.NewString(), "text": "there again"}, "Authorization", "Bearer "+token)
		return status == http.StatusOK
	})
}

func TestAProcessRefusesRolesThatGetRoundThePolicies(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, nil)
	must(t, app.Migrate(t.Context(), db.Owner, "", pgtest.App))
	for address, want := range map[string]string{db.Boss: "superuser", db.Owner: "own"} {
		_, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Database: address, Log: io.Discard, UnsafeForTests: true})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "unsafe database") {
			t.Errorf("as %s: %v", address[strings.Index(address, "user="):], err)
		}
	}
	empty := pgtest.Start(t).NewDatabase(t, nil)
	if _, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Database: empty.App, Log: io.Discard, UnsafeForTests: true}); err == nil || !strings.Contains(err.Error(), "migrate") {
		t.Errorf("an empty database: %v", err)
	}
}

func TestWhatIsUnsafeOnPostgreSQLIsListed(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, nil)
	must(t, app.Migrate(t.Context(), db.Owner, "", pgtest.App))
	a, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Database: db.App, Log: io.Discard, UnsafeForTests: true})
	must(t, err)
	t.Cleanup(func() { must(t, a.Close()) })
	if got := a.Unsafe(t.Context()); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	pgtest.Exec(t, db.Owner, "ALTER TABLE aver.tenants DISABLE ROW LEVEL SECURITY", "ALTER TABLE aver_keys.subject_keys NO FORCE ROW LEVEL SECURITY")
	got := strings.Join(a.Unsafe(t.Context()), "\n")
	for _, want := range []string{"tenants", "subject_keys"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
}

func TestKeysThatAreOldAreRotatedOnceHoweverManyProcessesThereAre(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, nil)
	must(t, app.Migrate(t.Context(), db.Owner, "", pgtest.App))
	root := filepath.Join(t.TempDir(), "root.key")
	began := time.Now().Add(-audit.RotateAfter - time.Hour)
	openAt := func(at time.Time) *app.App {
		a, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), Database: db.App, RootKey: root, Region: "eu", Clock: clock.At(at),
			Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard, UnsafeForTests: true})
		must(t, err)
		return a
	}
	first := openAt(began)
	tenant, err := first.CreateTenant(t.Context(), "kowal", "Kowal Bikes")
	must(t, err)
	must(t, first.Close())

	var both []*app.App
	for range 2 {
		a := openAt(began.Add(audit.RotateAfter + time.Hour))
		t.Cleanup(func() { must(t, a.Close()) })
		must(t, a.Jobs.Start(t.Context()))
		both = append(both, a)
	}
	system := identity.System(tenant.ID, "test")
	eventually.Must(t, "the rotation is done", func() bool {
		state, err := both[0].Audit.KeyState(t.Context(), system)
		must(t, err)
		return state.Last != nil && state.Last.State == audit.Done
	})
	for _, a := range both {
		a.Vault.Keys().Forget(tenant.ID) // or a minute later by itself
		keys, err := a.Vault.Keys().Tenant(t.Context(), tenant.ID)
		must(t, err)
		if got := keys.Seal().Version(); got != 2 {
			t.Errorf("sealing with version %d, want 2", got)
		}
	}
}
