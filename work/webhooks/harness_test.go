package webhooks_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"aver/base/ids"
	"aver/frame/egress"
	"aver/frame/jobs"
	"aver/frame/module/moduletest"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/webhooks"
)

func TestMain(m *testing.M) { moduletest.MainTLS(m) }

// house is a vault with the webhooks in it and a queue beside.
type house struct {
	*vaulttest.Kit
	t     *testing.T
	hooks *webhooks.Service
	door  *egress.Door
	queue *jobs.Jobs
	owner vault.Actor
}

var actSay = vault.Act("test.say", purpose.Storage, vault.System())

func config(t testing.TB) vaulttest.Config {
	t.Helper()
	return moduletest.Config(t, restriction.New(nil, nil).Module(), webhooks.New(nil, nil, nil, nil).Module())
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, build(t, k)) })
}

func build(t *testing.T, k *vaulttest.Kit) *house {
	t.Helper()
	queue := moduletest.Queue(t)
	h := &house{Kit: k, t: t, queue: queue, owner: vaulttest.User(k.Tenant, vault.Owner), door: &egress.Door{Register: webhooks.Allowed, Loopback: map[string]bool{}}}
	h.hooks = webhooks.New(k.Vault, queue, h.door, slog.New(slog.DiscardHandler))
	must(t, h.hooks.Module().Jobs(queue))
	return h
}

// start lets the queue and the follower work by themselves, at the present time.
func (h *house) start() {
	h.t.Helper()
	h.Clock.Advance(time.Since(vaulttest.Start))
	must(h.t, h.queue.Start(h.t.Context()))
	h.hooks.Follow(h.Tenant, h.Other)
}

// receiver is a program that is told things, over HTTPS on this machine.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []call
	answer func(http.ResponseWriter, *http.Request)
	news   chan struct{}
}

// call is a request it got.
type call struct {
	header http.Header
	body   string
}

func (h *house) receiver(answer func(http.ResponseWriter, *http.Request)) *receiver {
	r := &receiver{answer: answer, news: make(chan struct{}, 1000)}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(r.take))
	h.t.Cleanup(r.Close)
	at, err := url.Parse(r.URL)
	must(h.t, err)
	h.door.Loopback[at.Host] = true
	return r
}

func (r *receiver) take(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	r.got = append(r.got, call{q.Header, string(body)})
	answer := r.answer
	r.mu.Unlock()
	r.news <- struct{}{}
	if answer != nil {
		answer(w, q)
	}
}

func (r *receiver) set(answer func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) calls() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call(nil), r.got...)
}

// wait waits until it was called n more times.
func (r *receiver) wait(t *testing.T, n int, within time.Duration) {
	t.Helper()
	late := time.After(within)
	for range n {
		select {
		case <-r.news:
		case <-late:
			t.Fatalf("the receiver was called %d times", len(r.calls()))
		}
	}
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func (h *house) endpoint(r *receiver, d webhooks.Draft) (webhooks.Endpoint, string) {
	h.t.Helper()
	d.URL = r.URL + "/aver"
	e, key, err := h.hooks.Create(h.t.Context(), h.owner, d)
	must(h.t, err)
	return e, key
}

// say makes something happen in a tenant.
func (h *house) say(tenant ids.Tenant, kind string) {
	h.t.Helper()
	must(h.t, h.Vault.Do(h.t.Context(), vaulttest.System(tenant), actSay, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: kind, Object: "cnv_00000000000000000000000000", N: 5, Subject: ids.NewSubject(vaulttest.Start)}, nil)
		return nil
	}))
}

// collect reads the whole journal, as the follower does.
func (h *house) collect() {
	h.t.Helper()
	entries, err := h.Vault.Entries(h.t.Context(), h.Tenant, 0, 1000)
	must(h.t, err)
	must(h.t, h.hooks.Queue(h.t.Context(), h.Tenant, entries))
}

// messages are an endpoint's, newest first.
func (h *house) messages(e webhooks.Endpoint) []webhooks.Message {
	h.t.Helper()
	list, _, err := h.hooks.Sent(h.t.Context(), h.owner, e.ID, "", webhooks.Cursor{}, 200)
	must(h.t, err)
	return list
}

func (h *house) run(e webhooks.Endpoint) time.Time {
	h.t.Helper()
	next, err := h.hooks.Run(h.t.Context(), h.Tenant, e.ID)
	must(h.t, err)
	return next
}

func (h *house) read(e webhooks.Endpoint) webhooks.Endpoint {
	h.t.Helper()
	now, err := h.hooks.Get(h.t.Context(), h.owner, e.ID)
	must(h.t, err)
	return now
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
