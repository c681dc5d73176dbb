package idempotency_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/edge/idempotency"
	"aver/frame/request"
	"aver/vault"
)

// memory keeps keys as a store of the vault would, for one tenant.
type memory struct {
	mu   sync.Mutex
	rows map[[32]byte]row
}

type row struct {
	request [32]byte
	answer  []byte
}

func (m *memory) Claim(_ context.Context, _ vault.Actor, key, req [32]byte) (bool, [32]byte, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.rows[key]; ok {
		return false, known.request, known.answer, nil
	}
	m.rows[key] = row{request: req}
	return true, req, nil, nil
}

func (m *memory) Settle(ctx context.Context, _ vault.Actor, key [32]byte, answer []byte) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[key] = row{m.rows[key].request, answer}
	return nil
}

func (m *memory) Release(_ context.Context, _ vault.Actor, key [32]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, key)
	return nil
}

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func someone() vault.Actor {
	return vault.Mint(vault.Identity{Tenant: ids.NewTenant(start), Kind: vault.AsKey, ID: ids.NewCredential(start)})
}

// shop counts what it sells behind an idempotent door.
type shop struct {
	http.Handler
	sold atomic.Int64
	gate func() // runs while a sale is carried out
	fail int    // a status to fail with
}

func newShop() *shop {
	s := &shop{gate: func() {}}
	sell := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.gate()
		if s.fail != 0 {
			w.WriteHeader(s.fail)
			return
		}
		n := s.sold.Add(1)
		w.Header().Set("Location", fmt.Sprint("/v1/sales/", n))
		w.Header().Set("X-Once", "not kept")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "sale %d of %s", n, body)
	})
	s.Handler = idempotency.Handler(&memory{rows: map[[32]byte]row{}}, slog.New(slog.DiscardHandler), sell)
	return s
}

func (s *shop) buy(actor vault.Actor, key, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/v1/sales", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set(idempotency.Header, key)
	}
	for _, f := range change {
		f(r)
	}
	info := &request.Info{Actor: actor, Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
		p := errs.AsProblem(err)
		w.WriteHeader(p.Status)
		fmt.Fprint(w, p.Detail)
	}}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r.WithContext(request.With(r.Context(), info)))
	return w
}

func TestARepeatGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	s, actor := newShop(), someone()
	first, second := s.buy(actor, "k1", "lamp"), s.buy(actor, `"k1"`, "lamp")
	if s.sold.Load() != 1 {
		t.Errorf("sold %d", s.sold.Load())
	}
	if second.Code != 201 || second.Body.String() != first.Body.String() || second.Header().Get("Location") != "/v1/sales/1" || second.Header().Get(idempotency.Replayed) != "true" {
		t.Errorf("got %d %q, %v", second.Code, second.Body, second.Header())
	}
	if first.Header().Get(idempotency.Replayed) != "" || first.Body.String() != "sale 1 of lamp" {
		t.Errorf("the first answer is %q, %v", first.Body, first.Header())
	}
}

func TestOneOf64RacersIsServed(t *testing.T) {
	t.Parallel()
	s, actor := newShop(), someone()
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	codes := make([]int, 64)
	for i := range codes {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-begin
			codes[i] = s.buy(actor, "race", "lamp").Code
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	if s.sold.Load() != 1 {
		t.Errorf("sold %d", s.sold.Load())
	}
	for _, code := range codes {
		if code != 201 && code != 409 {
			t.Errorf("somebody got %d", code)
		}
	}
}

func TestARepeatWhileTheFirstRunsIsToldSo(t *testing.T) {
	t.Parallel()
	s, actor := newShop(), someone()
	s.gate = func() {
		s.gate = func() {}
		if w := s.buy(actor, "k1", "lamp"); w.Code != 409 {
			t.Errorf("got %d", w.Code)
		}
	}
	if w := s.buy(actor, "k1", "lamp"); w.Code != 201 || s.sold.Load() != 1 {
		t.Errorf("got %d, sold %d", w.Code, s.sold.Load())
	}
}

func TestAKeyBelongsToOneRequestOfOneCaller(t *testing.T) {
	t.Parallel()
	s, actor := newShop(), someone()
	s.buy(actor, "k1", "lamp")
	for name, change := range map[string]func(*http.Request){
		"another path":         func(r *http.Request) { r.URL.Path = "/v1/gifts" },
		"another query":        func(r *http.Request) { r.URL.RawQuery = "n=2" },
		"another content type": func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"another body":         func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("chair")) },
		"a body that begins in the type": func(r *http.Request) {
			r.Header.Set("Content-Type", "application/jsonl")
			r.Body = io.NopCloser(strings.NewReader("amp"))
		},
	} {
		if w := s.buy(actor, "k1", "lamp", change); w.Code != 422 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := s.buy(someone(), "k1", "chair"); w.Code != 201 || w.Header().Get(idempotency.Replayed) != "" {
		t.Errorf("another caller got %d, %v", w.Code, w.Header())
	}
	if s.sold.Load() != 2 {
		t.Errorf("sold %d", s.sold.Load())
	}
}

func TestWhatChangedNothingMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	for status, again := range map[int]bool{400: true, 409: true, 422: true, 429: true, 503: true, 507: true, 500: false} {
		s, actor := newShop(), someone()
		s.fail = status
		s.buy(actor, "k1", "lamp")
		s.fail = 0
		w := s.buy(actor, "k1", "lamp")
		if again != (w.Code == 201) || !again && w.Code != status {
			t.Errorf("after %d: %d", status, w.Code)
		}
	}
}

func TestAPanicLeavesTheKeyTaken(t *testing.T) {
	t.Parallel()
	s, actor := newShop(), someone()
	s.gate = func() { panic("halfway") }
	func() {
		defer func() { _ = recover() }()
		s.buy(actor, "k1", "lamp")
	}()
	s.gate = func() {}
	if w := s.buy(actor, "k1", "lamp"); w.Code != 409 || s.sold.Load() != 0 {
		t.Errorf("got %d, sold %d", w.Code, s.sold.Load())
	}
}

func TestACallerWhoLeavesDoesNotLoseTheOutcome(t *testing.T) {
	t.Parallel()
	s, actor := newShop(), someone()
	ctx, leave := context.WithCancel(t.Context())
	s.gate = leave
	s.buy(actor, "k1", "lamp", func(r *http.Request) { *r = *r.WithContext(ctx) })
	if w := s.buy(actor, "k1", "lamp"); w.Code != 201 || s.sold.Load() != 1 {
		t.Errorf("got %d, sold %d", w.Code, s.sold.Load())
	}
}

func TestKeysThatAreMalformedAreRefused(t *testing.T) {
	t.Parallel()
	s, actor := newShop(), someone()
	for _, key := range []string{`""`, " ", "a b", `a"b`, "a\x01", "ü", strings.Repeat("k", 256)} {
		if w := s.buy(actor, key, "lamp"); w.Code != 422 {
			t.Errorf("%q: %d", key, w.Code)
		}
	}
	if w := s.buy(actor, "k1", "lamp", func(r *http.Request) { r.Header.Add(idempotency.Header, "k2") }); w.Code != 422 {
		t.Errorf("two keys: %d", w.Code)
	}
	if s.sold.Load() != 0 {
		t.Errorf("sold %d", s.sold.Load())
	}
}

func TestRequestsWithoutAKeyOrACallerPass(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.buy(someone(), "", "lamp")
	s.buy(vault.Actor{}, "k1", "lamp")
	s.buy(vault.Actor{}, "k1", "lamp")
	if s.sold.Load() != 3 {
		t.Errorf("sold %d", s.sold.Load())
	}
}
