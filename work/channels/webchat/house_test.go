package webchat_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"aver/base/ids"
	"aver/base/personal"
	"aver/cmd/aver/app"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/postgres/pgtest"
	"aver/work/channels/webchat"
	"aver/work/inbox"
)

// Every test has workspaces of its own in one of two installations, which all of them share: one on each engine.
var installations = struct {
	sync.Mutex
	running map[string]*installation
}{running: map[string]*installation{}}

type installation struct {
	*app.App
	base string
	stop func() error
	data string
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := m.Run()
	for _, i := range installations.running {
		if err := i.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping:", err)
			code = 1
		}
		os.RemoveAll(i.data)
	}
	if code != 0 {
		os.Exit(code)
	}
}

// on starts the installation of an engine, once.
func on(t *testing.T, engine string) *installation {
	t.Helper()
	installations.Lock()
	defer installations.Unlock()
	if i := installations.running[engine]; i != nil {
		return i
	}
	data, err := os.MkdirTemp("", "aver-webchat-")
	must(t, err)
	config := app.Config{Data: data, Region: "eu", Log: io.Discard}
	if engine == "postgres" {
		config.Database, config.UnsafeForTests = database(t), true
	}
	installations.running[engine] = start(t, config)
	return installations.running[engine]
}

// database makes a database that outlives the test.
func database(t *testing.T) string {
	t.Helper()
	db := pgtest.Start(t).NewDatabase(keeper{t}, nil)
	must(t, app.Migrate(context.Background(), db.Owner, "", pgtest.App))
	return db.App
}

// keeper is a test whose end changes nothing.
type keeper struct{ *testing.T }

func (keeper) Cleanup(func()) {}

func start(t *testing.T, config app.Config) *installation {
	t.Helper()
	config.Listen, config.Admin = "127.0.0.1:0", "127.0.0.1:0"
	config.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} // so that every workspace's visitors come from a place of their own
	a, err := app.Open(context.Background(), config)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Serve(ctx, func(*app.App) { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("the installation does not start: %v", err)
	}
	https, _, _ := a.Edge.Addresses()
	return &installation{App: a, base: "https://" + https.String(), data: config.Data, stop: func() error { cancel(); return <-ended }}
}

// house is a workspace with an owner who also answers.
type house struct {
	*installation
	t      *testing.T
	tenant ids.Tenant
	owner  vault.Actor
	cookie string // of the owner's session
	site   string // ws_…
	place  string // where its visitors are
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, on(t, engine)))
		})
	}
}

var opened atomic.Int64

// open makes a workspace.
func open(t *testing.T, i *installation) *house {
	t.Helper()
	ctx := t.Context()
	n := opened.Add(1)
	tenant, err := i.CreateTenant(ctx, fmt.Sprintf("shop-%d", n), "Kowal Bikes")
	must(t, err)
	email := fmt.Sprintf("ada%d@kowal.example", n)
	session := hire(t, i, tenant.ID, email, vault.Owner)
	owner, err := i.Identity.Session(ctx, session)
	must(t, err)
	return &house{i, t, tenant.ID, owner, identity.CookieName + "=" + session, webchat.Website(tenant.ID), fmt.Sprintf("198.51.%d.%d", 100+n/250, n%250+1)}
}

// hire lets somebody work for the tenant and returns their session.
func hire(t *testing.T, i *installation, tenant ids.Tenant, email string, role vault.Role) string {
	t.Helper()
	invitation, err := i.Identity.Invite(t.Context(), identity.System(tenant, "test"), email, role)
	must(t, err)
	session, err := i.Identity.Accept(t.Context(), invitation, email, "Ada Kowal", "three old bicycles in rain")
	must(t, err)
	return session
}

func (h *house) settings(change func(*webchat.Settings)) {
	h.t.Helper()
	set, err := h.WebChat.Settings(h.t.Context(), h.owner)
	must(h.t, err)
	change(&set)
	must(h.t, h.WebChat.SetSettings(h.t.Context(), h.owner, set))
}

func (h *house) reply(conv, text string) {
	h.t.Helper()
	id, err := ids.ParseConversation(conv)
	must(h.t, err)
	_, err = h.Inbox.Reply(h.t.Context(), h.owner, id, inbox.Outgoing{ClientID: uuid.NewString(), Text: personal.Of(text)})
	must(h.t, err)
}

// reads is what the owner reads in a conversation.
func (h *house) reads(conv string) []string {
	h.t.Helper()
	id, err := ids.ParseConversation(conv)
	must(h.t, err)
	list, _, err := h.Inbox.History(h.t.Context(), h.owner, id, 0, 100)
	must(h.t, err)
	var out []string
	for _, m := range list {
		out = append(out, m.Text.Reveal())
	}
	return out
}

// files counts what lies on the disk of the workspace's files.
func (h *house) files() int {
	h.t.Helper()
	list, err := os.ReadDir(filepath.Join(h.data, "blobs", h.owner.Tenant().String()))
	must(h.t, err)
	return len(list)
}

// object is JSON.
type object = map[string]any

var browserless = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 30 * time.Second}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// code is the meaning of a refusal, or empty.
func (a answer) code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.body, &p) // what is no problem has no code
	return p.Code
}

func (a answer) json(t *testing.T) object {
	t.Helper()
	var out object
	if err := json.Unmarshal(a.body, &out); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d: %s", a.status, a.body)
	}
	return out
}

// ask sends a request as the frame does. A body that is no []byte goes as JSON.
func (h *house) ask(method, path, token string, body any, headers ...string) answer {
	h.t.Helper()
	var content io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		content, kind = bytes.NewReader(b), "application/octet-stream"
	default:
		text, err := json.Marshal(b)
		must(h.t, err)
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.base+path, content)
	must(h.t, err)
	r.Header.Set("Origin", h.base)
	r.Header.Set("X-Forwarded-For", h.place)
	if content != nil {
		r.Header.Set("Content-Type", kind)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := browserless.Do(r)
	must(h.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(h.t, err)
	return answer{res.StatusCode, res.Header, text}
}

// beginning is what a widget sends to begin a session, with an agreement to the notice as it is now.
func (h *house) beginning(user object) object {
	h.t.Helper()
	notice := h.ask("GET", "/widget/v1/config?lang=en&w="+h.site, "", nil).json(h.t)["consent"].(object)
	out := object{"website": h.site, "language": "en", "page_url_origin": "https://shop.example",
		"consent": object{"purpose": notice["purpose"], "version": notice["version"], "language": notice["language"]}}
	if user != nil {
		out["user"] = user
	}
	return out
}

// visitor is somebody with a session.
type visitor struct {
	*house
	token, contact string
	verified       bool
}

func (h *house) visitor(user object) *visitor {
	h.t.Helper()
	out := h.ask("POST", "/widget/v1/sessions", "", h.beginning(user)).json(h.t)
	return &visitor{h, out["token"].(string), out["contact"].(string), out["verified"].(bool)}
}

// does carries out an op over the fallback and returns its ok.
func (v *visitor) does(op string, args object) object {
	v.t.Helper()
	a := v.tries(op, args)
	ok, _ := a.json(v.t)["ok"].(object)
	return ok
}

func (v *visitor) tries(op string, args object) answer {
	v.t.Helper()
	body := object{"op": op}
	for k, value := range args {
		body[k] = value
	}
	return v.ask("POST", "/widget/v1/send", v.token, body)
}

// says sends a message and returns its conversation.
func (v *visitor) says(text string) string {
	v.t.Helper()
	return v.does("send", object{"client_id": uuid.NewString(), "text": text})["conversation"].(string)
}

func (v *visitor) id() ids.Contact {
	v.t.Helper()
	id, err := ids.ParseSubject(v.contact)
	must(v.t, err)
	return id
}

// refused fails unless the answer has this meaning, over HTTP or in the fallback's envelope.
func refused(t *testing.T, a answer, code string) {
	t.Helper()
	var enveloped struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(a.body, &enveloped)
	if got := strings.TrimSpace(a.code() + enveloped.Error.Code); got != code {
		t.Errorf("%d %s, want %s", a.status, a.body, code)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
