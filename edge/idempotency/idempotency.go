// Package idempotency carries a request with an Idempotency-Key out once, however often it is sent
// (draft-ietf-httpapi-idempotency-key-header-08).
//
// The answer is kept after the work is done, in a transaction of its own. Should the process die in between, the key
// stays taken and repeats are told so (409): nothing is ever done twice, at the price of one unknown outcome.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"

	"aver/base/errs"
	"aver/frame/request"
	"aver/vault"
)

// Store keeps keys for a day or longer, for each tenant apart. Answers hold personal data and are sealed by the store.
type Store interface {
	// Claim notes that a request is being carried out. When the key is known already it changes nothing and returns
	// fresh=false with the hash of the first request and its answer, nil while that is not settled. Of concurrent
	// claims exactly one is fresh.
	Claim(ctx context.Context, actor vault.Actor, key, req [32]byte) (fresh bool, first [32]byte, answer []byte, err error)
	// Settle keeps the answer of a claimed key.
	Settle(ctx context.Context, actor vault.Actor, key [32]byte, answer []byte) error
	// Release forgets a claimed key: nothing was changed, so the request may be sent again.
	Release(ctx context.Context, actor vault.Actor, key [32]byte) error
}

// Header is the request header; Replayed marks an answer that was given before.
const (
	Header   = "Idempotency-Key"
	Replayed = "Idempotency-Replayed"
)

// Handler lets POST requests of known callers through to next once per key. Requests without the header, and other
// methods, pass as they are.
func Handler(store Store, log *slog.Logger, next http.Handler) http.Handler {
	return request.Handler(func(w http.ResponseWriter, r *http.Request) error {
		values := r.Header.Values(Header)
		actor := request.Actor(r.Context())
		if len(values) == 0 || r.Method != http.MethodPost || actor.Kind() == vault.Nobody {
			next.ServeHTTP(w, r)
			return nil
		}
		if len(values) > 1 || !wellFormed(values[0]) {
			field := errs.Field{Field: "header." + Header, Code: "format", Message: "Up to 255 visible ASCII characters, in quotes or without."}
			return errs.New(errs.Invalid, "The Idempotency-Key is malformed. Nothing was changed.", field)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err // the body is limited in size and time; the edge knows what these errors mean
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		c := claim{store: store, log: log, actor: actor, key: keyHash(actor, unquoted(values[0])), request: requestHash(r, body)}
		return c.serve(w, r, next)
	})
}

// claim is one request with a key.
type claim struct {
	store        Store
	log          *slog.Logger
	actor        vault.Actor
	key, request [32]byte
}

func (c *claim) serve(w http.ResponseWriter, r *http.Request, next http.Handler) error {
	fresh, first, kept, err := c.store.Claim(r.Context(), c.actor, c.key, c.request)
	if err != nil {
		return err
	}
	switch {
	case fresh:
		c.carryOut(w, r, next)
		return nil
	case first != c.request:
		return errs.New(errs.Invalid, "This Idempotency-Key was used for another request. Nothing was changed.",
			errs.Field{Field: "header." + Header, Code: "reused", Message: "Use a fresh key for another request."})
	case kept == nil:
		busy := errs.New(errs.Conflict, "The first request with this Idempotency-Key has not been answered yet.")
		busy.RetryAfter = 1
		return busy
	}
	return replay(w, kept)
}

func (c *claim) carryOut(w http.ResponseWriter, r *http.Request, next http.Handler) {
	rec := &recorder{header: w.Header()}
	next.ServeHTTP(rec, r) // a panic leaves the key taken: what was done is unknown
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	ctx := context.WithoutCancel(r.Context()) // the caller may leave; the outcome must be kept all the same
	var err error
	if changedNothing(rec.status) {
		err = c.store.Release(ctx, c.actor, c.key)
	} else {
		err = c.store.Settle(ctx, c.actor, c.key, rec.pack())
	}
	if err != nil {
		c.log.ErrorContext(ctx, "the answer to an Idempotency-Key cannot be kept", "request_id", request.ID(ctx), "error", err)
	}
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes())
}

// changedNothing tells whether an answer says that the request had no effect. A 500 does not say so.
func changedNothing(status int) bool {
	return status >= 400 && status < 500 || status == http.StatusServiceUnavailable || status == http.StatusInsufficientStorage
}

// answer is what is kept.
type answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

var keptHeaders = []string{"Content-Type", "Location", "Etag"}

// recorder holds an answer back until it is kept.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

func (r *recorder) pack() []byte {
	kept := answer{Status: r.status, Header: http.Header{}, Body: r.body.Bytes()}
	for _, name := range keptHeaders {
		if values := r.header[name]; len(values) > 0 {
			kept.Header[name] = values
		}
	}
	packed, err := json.Marshal(kept)
	if err != nil {
		panic("idempotency: strings and bytes do not marshal: " + err.Error())
	}
	return packed
}

func replay(w http.ResponseWriter, kept []byte) error {
	var first answer
	if err := json.Unmarshal(kept, &first); err != nil {
		return err
	}
	for name, values := range first.Header {
		w.Header()[name] = values
	}
	w.Header().Set(Replayed, "true")
	w.WriteHeader(first.Status)
	_, _ = w.Write(first.Body)
	return nil
}

// wellFormed accepts a structured-field string as the draft has it, and the bare word that most clients send.
func wellFormed(value string) bool {
	key := unquoted(value)
	if key == "" || len(key) > 255 {
		return false
	}
	for _, b := range []byte(key) {
		if b <= ' ' || b > '~' || b == '"' || b == '\\' {
			return false
		}
	}
	return true
}

func unquoted(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// keyHash belongs to one caller: another caller's equal key is another key.
func keyHash(actor vault.Actor, key string) [32]byte {
	id := actor.ID()
	return hash([]byte{byte(actor.Kind())}, id[:], []byte(key))
}

func requestHash(r *http.Request, body []byte) [32]byte {
	return hash([]byte(r.Method), []byte(r.URL.EscapedPath()), []byte(r.URL.RawQuery), []byte(r.Header.Get("Content-Type")), body)
}

// hash is over length-prefixed parts, so that nothing can move from one part to the next.
func hash(parts ...[]byte) [32]byte {
	h := sha256.New()
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	return [32]byte(h.Sum(nil))
}
