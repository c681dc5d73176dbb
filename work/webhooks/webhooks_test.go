package webhooks_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/webhooks"
)

func TestWhatHappensIsToldSignedAndThin(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		e, key := h.endpoint(r, webhooks.Draft{Scheme: webhooks.HMAC})
		h.start()
		h.say(h.Tenant, "message.created")
		h.say(h.Tenant, "user.signed_in") // nobody's business outside
		h.say(h.Other, "message.created")
		r.wait(t, 1, time.Minute)
		got := r.calls()[0]
		oracle, err := standardwebhooks.NewWebhook(key)
		must(t, err)
		must(t, oracle.VerifyIgnoringTimestamp([]byte(got.body), got.header))
		var body struct {
			Type      string
			Timestamp time.Time
			Data      map[string]any
		}
		must(t, json.Unmarshal([]byte(got.body), &body))
		if body.Type != "message.created" || body.Timestamp.IsZero() || body.Data["id"] != "cnv_00000000000000000000000000" || body.Data["seq"] != 5.0 || len(body.Data) != 3 {
			t.Errorf("the body is %s", got.body)
		}
		if id := got.header.Get("Webhook-Id"); id != h.messages(e)[0].ID.String() || strings.Contains(id, ".") {
			t.Errorf("the message is %q", id)
		}
		if got.header.Get("Content-Type") != "application/json" || got.header.Get("Authorization") != "" || got.header.Get("Cookie") != "" {
			t.Errorf("the headers are %v", got.header)
		}
		h.settled(e, webhooks.Delivered)
		if n := len(r.calls()); n != 1 {
			t.Errorf("the receiver was told %d things", n)
		}
	})
}

// settled waits until the newest message stands so.
func (h *house) settled(e webhooks.Endpoint, want webhooks.State) (m webhooks.Message) {
	h.t.Helper()
	eventually.Must(h.t, "the message is "+string(want), func() bool {
		m = h.messages(e)[0]
		return m.State == want
	})
	return m
}

func TestAnEd25519SignatureVerifiesWithThePublicKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		e, key := h.endpoint(r, webhooks.Draft{})
		h.say(h.Tenant, "contact.created")
		h.collect()
		h.run(e)
		got := r.calls()[0]
		encoded, isPublic := strings.CutPrefix(key, "whpk_")
		public, err := base64.StdEncoding.DecodeString(encoded)
		must(t, err)
		sign, isV1a := strings.CutPrefix(got.header.Get("Webhook-Signature"), "v1a,")
		signature, err := base64.StdEncoding.DecodeString(sign)
		must(t, err)
		text := got.header.Get("Webhook-Id") + "." + got.header.Get("Webhook-Timestamp") + "." + got.body
		if !isPublic || !isV1a || !ed25519.Verify(public, []byte(text), signature) {
			t.Errorf("%s does not verify with %s", got.header.Get("Webhook-Signature"), key)
		}
	})
}

func TestForADayAfterRotationBothKeysSign(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		e, old := h.endpoint(r, webhooks.Draft{Scheme: webhooks.HMAC})
		fresh, err := h.hooks.Rotate(t.Context(), h.owner, e.ID, "")
		must(t, err)
		verifies := func(key string) bool {
			got := r.calls()[len(r.calls())-1]
			oracle, err := standardwebhooks.NewWebhook(key)
			must(t, err)
			return oracle.VerifyIgnoringTimestamp([]byte(got.body), got.header) == nil
		}
		for _, c := range []struct {
			after    time.Duration
			old, new bool
		}{{0, true, true}, {23 * time.Hour, true, true}, {time.Hour, false, true}} {
			h.Clock.Advance(c.after)
			_, err := h.hooks.Try(t.Context(), h.owner, e.ID)
			must(t, err)
			h.run(e)
			if verifies(old) != c.old || verifies(fresh) != c.new {
				t.Errorf("after %s more: old %v, new %v", c.after, verifies(old), verifies(fresh))
			}
		}
	})
}

func TestOnlyAStatusFrom200To299IsSuccess(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		elsewhere := h.receiver(nil)
		for name, c := range map[string]struct {
			answer   func(http.ResponseWriter, *http.Request)
			message  webhooks.State
			endpoint webhooks.State
			code     int
			fault    webhooks.Fault
			next     time.Duration // at least
		}{
			"200": {status(200), webhooks.Delivered, webhooks.Active, 200, "", 0},
			"204": {status(204), webhooks.Delivered, webhooks.Active, 204, "", 0},
			"500": {status(500), webhooks.Waiting, webhooks.Active, 500, "", 5 * time.Second},
			"404": {status(404), webhooks.Waiting, webhooks.Active, 404, "", 5 * time.Second},
			"410": {status(410), webhooks.Failed, webhooks.Gone, 410, "", 0},
			"redirect": {func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			}, webhooks.Waiting, webhooks.Active, 307, "", 5 * time.Second},
			"throttle": {func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "120")
				w.WriteHeader(429)
			}, webhooks.Waiting, webhooks.Active, 429, "", 2 * time.Minute},
			"a wait without end": {func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "99999999999")
				w.WriteHeader(429)
			}, webhooks.Waiting, webhooks.Active, 429, "", 5 * time.Second},
			"no answer in time": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, webhooks.Waiting, webhooks.Active, 0, webhooks.TimedOut, 5 * time.Second},
			"an endless answer": {func(w http.ResponseWriter, r *http.Request) {
				for r.Context().Err() == nil {
					if _, err := w.Write(make([]byte, 64<<10)); err != nil {
						return
					}
				}
			}, webhooks.Delivered, webhooks.Active, 200, "", 0},
			"broken off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, webhooks.Waiting, webhooks.Active, 0, webhooks.Broken, 5 * time.Second},
		} {
			e, _ := h.endpoint(h.receiver(c.answer), webhooks.Draft{About: name})
			_, err := h.hooks.Try(t.Context(), h.owner, e.ID)
			must(t, err)
			h.hooks.SetWait(20 * time.Second)
			if c.fault == webhooks.TimedOut {
				h.hooks.SetWait(300 * time.Millisecond)
			}
			h.run(e)
			m, now := h.messages(e)[0], h.read(e)
			if m.State != c.message || now.State != c.endpoint || m.Code != c.code || m.Fault != c.fault || m.Attempts != 1 {
				t.Errorf("%s: message %s, endpoint %s, code %d, fault %q, %d attempts", name, m.State, now.State, m.Code, m.Fault, m.Attempts)
			}
			if wait := m.NextAt.Sub(h.Vault.Now()); c.next > 0 && (wait < c.next || wait > 25*time.Hour || now.PausedUntil.IsZero()) {
				t.Errorf("%s: the next attempt is in %s", name, wait)
			}
		}
		if n := len(elsewhere.calls()); n != 0 {
			t.Errorf("a redirect was followed %d times", n)
		}
	})
}

func TestAnOutageOfADayLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(status(503))
		e, _ := h.endpoint(r, webhooks.Draft{})
		for range 3 {
			h.say(h.Tenant, "message.created")
		}
		h.collect()
		down := h.Vault.Now().Add(24 * time.Hour)
		for next := h.run(e); h.Vault.Now().Before(down); next = h.run(e) {
			h.Clock.Advance(max(next.Sub(h.Vault.Now()), time.Second))
		}
		tried := len(r.calls())
		r.set(status(200))
		for next := h.run(e); !next.IsZero(); next = h.run(e) {
			h.Clock.Advance(next.Sub(h.Vault.Now()))
		}
		told := map[string]int{}
		for _, c := range r.calls()[tried:] {
			told[c.header.Get("Webhook-Id")]++
		}
		for _, m := range h.messages(e) {
			if m.State != webhooks.Delivered || m.Attempts > 10 || told[m.ID.String()] != 1 {
				t.Errorf("message %s is %s after %d attempts", m.ID, m.State, m.Attempts)
			}
		}
		if len(told) != 3 {
			t.Errorf("%d messages arrived after the outage", len(told))
		}
	})
}

func TestTheScheduleIsTenAttemptsOverThreeDaysThenTheEndpointIsOff(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(status(500))
		e, _ := h.endpoint(r, webhooks.Draft{})
		_, err := h.hooks.Try(t.Context(), h.owner, e.ID)
		must(t, err)
		last := h.Vault.Now()
		for n, want := range webhooks.Schedule {
			if n > 0 {
				wait := h.messages(e)[0].NextAt.Sub(last)
				if wait < want || wait > want+want/10 {
					t.Errorf("before attempt %d there are %s, want %s and up to a tenth more", n+1, wait, want)
				}
				h.Clock.Advance(wait)
			}
			last = h.Vault.Now()
			h.run(e)
			if got := len(r.calls()); got != n+1 {
				t.Fatalf("%d calls after attempt %d", got, n+1)
			}
		}
		if m, now := h.messages(e)[0], h.read(e); m.State != webhooks.Failed || now.State != webhooks.Given || now.DisabledAt.IsZero() {
			t.Errorf("after the last attempt the message is %s and the endpoint %s", m.State, now.State)
		}
		entries, err := h.Vault.Entries(t.Context(), h.Tenant, 0, 1000)
		must(t, err)
		newest := entries[len(entries)-1]
		if len(newest.Events) != 1 || newest.Events[0].Kind != "webhook.disabled" || newest.Events[0].Object != e.ID.String() {
			t.Errorf("the last entry of the log says %v", newest.Events)
		}
		h.say(h.Tenant, "message.created")
		h.collect()
		h.run(e)
		all := h.messages(e)
		first := all[len(all)-1]
		for _, m := range all[:len(all)-1] {
			if m.State != webhooks.Waiting || m.Attempts != 0 {
				t.Errorf("%s, after it gave up, is %s after %d attempts", m.Event, m.State, m.Attempts)
			}
		}
		if len(all) != 3 { // the end of the endpoint itself, and what was said then
			t.Errorf("%d messages are kept", len(all))
		}
		if err := h.hooks.Replay(t.Context(), h.owner, e.ID, first.ID); !errs.Is(err, errs.Conflict) {
			t.Errorf("sending again to an endpoint that is off: %v", err)
		}
		r.set(status(200))
		_, err = h.hooks.Switch(t.Context(), h.owner, e.ID, true)
		must(t, err)
		n, err := h.hooks.ReplayFailed(t.Context(), h.owner, e.ID, vaulttest.Start)
		must(t, err)
		h.run(e)
		calls := r.calls()
		again := slices.ContainsFunc(calls[len(webhooks.Schedule):], func(c call) bool { return c.header.Get("Webhook-Id") == calls[0].header.Get("Webhook-Id") })
		if n != 1 || !again {
			t.Errorf("%d sent again, or under another identifier", n)
		}
		for _, m := range h.messages(e) {
			if m.State != webhooks.Delivered {
				t.Errorf("%s is %s", m.Event, m.State)
			}
		}
	})
}

func TestAReceiverThatTakesOthersIsNotSwitchedOffForOneMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var refused atomic.Value
		r := h.receiver(func(w http.ResponseWriter, r *http.Request) {
			if refused.CompareAndSwap(nil, r.Header.Get("Webhook-Id")) || refused.Load() == r.Header.Get("Webhook-Id") {
				w.WriteHeader(http.StatusBadRequest)
			}
		})
		e, _ := h.endpoint(r, webhooks.Draft{})
		_, err := h.hooks.Try(t.Context(), h.owner, e.ID)
		must(t, err)
		bad := h.messages(e)[0].ID
		state := func() webhooks.State {
			all := h.messages(e)
			return all[slices.IndexFunc(all, func(m webhooks.Message) bool { return m.ID == bad })].State
		}
		for state() == webhooks.Waiting {
			h.run(e)
			h.say(h.Tenant, "message.created")
			h.collect()
			h.Clock.Advance(12 * time.Hour)
		}
		if now := h.read(e); state() != webhooks.Failed || now.State != webhooks.Active {
			t.Errorf("the message is %s and the endpoint %s", state(), now.State)
		}
	})
}

func TestPrivateAddressesAreNotCalled(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		secret := h.receiver(nil)
		port := secret.URL[strings.LastIndex(secret.URL, ":"):]
		clear(h.door.Loopback)
		for _, address := range []string{"https://127.0.0.1" + port, "https://localhost" + port, "https://[::1]" + port, "https://[::ffff:127.0.0.1]" + port,
			"https://0x7f.0.0.1" + port, "https://2130706433" + port, "https://127.1" + port, "https://127.0.0.1." + port, "https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/",
			"https://169.254.169.254/latest/meta-data", "https://[fd00::1]/", "https://[fe80::1]/", "https://[64:ff9b::7f00:1]/", "https://100.64.0.1/", "https://0.0.0.0" + port} {
			e, _, err := h.hooks.Create(t.Context(), h.owner, webhooks.Draft{URL: address})
			must(t, err)
			_, err = h.hooks.Try(t.Context(), h.owner, e.ID)
			must(t, err)
			h.run(e)
			if m := h.messages(e)[0]; m.Fault != webhooks.NotAllowed {
				t.Errorf("%s: fault %q, code %d", address, m.Fault, m.Code)
			}
			must(t, h.hooks.Remove(t.Context(), h.owner, e.ID))
		}
		if n := len(secret.calls()); n != 0 {
			t.Errorf("a receiver on this machine was called %d times", n)
		}
		for _, address := range []string{"http://shop.example/", "ftp://shop.example/", "https://user:pass@shop.example/", "https://", "//shop.example", "https://shop.example/#x", "javascript:alert(1)", ""} {
			if _, _, err := h.hooks.Create(t.Context(), h.owner, webhooks.Draft{URL: address}); !errs.Is(err, errs.Invalid) {
				t.Errorf("%q: %v", address, err)
			}
		}
	})
}

func TestAHangingReceiverDelaysNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		release := make(chan struct{})
		hang := h.receiver(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		})
		good := h.receiver(nil)
		h.endpoint(hang, webhooks.Draft{})
		h.endpoint(hang, webhooks.Draft{})
		other := vaulttest.User(h.Other, vault.Owner)
		_, _, err := h.hooks.Create(t.Context(), other, webhooks.Draft{URL: good.URL})
		must(t, err)
		h.hooks.SetWait(time.Hour)
		h.start()
		for range 50 {
			h.say(h.Tenant, "message.created")
		}
		hang.wait(t, 2, time.Minute) // both endpoints hang now, with a hundred messages behind them
		h.say(h.Other, "message.created")
		good.wait(t, 1, time.Minute)
		if n := len(hang.calls()); n != 2 {
			t.Errorf("%d calls hang, want one for each endpoint", n)
		}
		close(release)
	})
}

func TestReadingTheLogTwiceMakesOneMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		e, _ := h.endpoint(r, webhooks.Draft{})
		h.say(h.Tenant, "message.created")
		h.collect()
		h.say(h.Tenant, "contact.created")
		h.collect() // sees the first again, as after a crash
		h.run(e)
		h.collect()
		h.run(e)
		if n := len(h.messages(e)); n != 2 || len(r.calls()) != 2 {
			t.Errorf("%d messages, %d calls", n, len(r.calls()))
		}
	})
}

func TestACrashAfterTheCallRepeatsItUnderTheSameIdentifier(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, crash := context.WithCancel(t.Context())
		r := h.receiver(func(http.ResponseWriter, *http.Request) { crash() })
		e, _ := h.endpoint(r, webhooks.Draft{})
		h.say(h.Tenant, "message.created")
		h.collect()
		if _, err := h.hooks.Run(ctx, h.Tenant, e.ID); err == nil {
			t.Fatal("the crash went unnoticed")
		}
		if m := h.messages(e)[0]; m.State != webhooks.Waiting || m.Attempts != 0 {
			t.Fatalf("after the crash the message is %s after %d attempts", m.State, m.Attempts)
		}
		r.set(status(200))
		h.hooks = webhooks.New(h.Vault, h.queue, h.door, slog.New(slog.DiscardHandler))
		h.run(e)
		calls := r.calls()
		if len(calls) != 2 || calls[0].header.Get("Webhook-Id") != calls[1].header.Get("Webhook-Id") || calls[0].body != calls[1].body {
			t.Errorf("%d calls, not of the same message", len(calls))
		}
	})
}

func TestALostJobIsFound(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		e, _ := h.endpoint(r, webhooks.Draft{})
		h.say(h.Tenant, "message.created")
		h.collect()
		n, err := h.queue.Cancel(t.Context(), "webhook.send", h.Tenant, e.ID.String())
		must(t, err)
		if n == 0 {
			t.Fatal("there was no job")
		}
		h.Clock.Advance(6 * time.Minute)
		must(t, h.queue.Start(t.Context())) // sweeps at its start
		r.wait(t, 1, time.Minute)
	})
}

func TestAnEndpointIsToldWhatItAskedForOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		h.say(h.Tenant, "contact.erased") // before there is an endpoint
		h.Clock.Advance(time.Second)
		e, _ := h.endpoint(r, webhooks.Draft{Events: []string{"contact.erased"}})
		for _, kind := range []string{"contact.created", "contact.erased", "message.created", "webhook.test"} {
			h.say(h.Tenant, kind)
		}
		h.collect()
		if list := h.messages(e); len(list) != 1 || list[0].Event != "contact.erased" {
			t.Errorf("it is told %v", list)
		}
	})
}

func TestEndpointsBelongToTheirWorkspaceAndToThoseWhoMay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		e, _ := h.endpoint(h.receiver(nil), webhooks.Draft{})
		message, err := h.hooks.Try(t.Context(), h.owner, e.ID)
		must(t, err)
		for name, c := range map[string]struct {
			who  vault.Actor
			want errs.Kind
		}{"another workspace": {vaulttest.User(h.Other, vault.Owner), errs.NotFound}, "an operator": {vaulttest.User(h.Tenant, vault.Operator), errs.Forbidden},
			"a key to read": {vaulttest.Key(h.Tenant, "webhooks:read"), errs.Forbidden}} {
			ctx := t.Context()
			_, e1 := h.hooks.Update(ctx, c.who, e.ID, webhooks.Draft{URL: "https://shop.example"})
			_, e2 := h.hooks.Rotate(ctx, c.who, e.ID, "")
			_, e3 := h.hooks.Switch(ctx, c.who, e.ID, false)
			e4 := h.hooks.Replay(ctx, c.who, e.ID, message)
			e5 := h.hooks.Remove(ctx, c.who, e.ID)
			_, e6 := h.hooks.Try(ctx, c.who, e.ID)
			_, e7 := h.hooks.ReplayFailed(ctx, c.who, e.ID, vaulttest.Start)
			for i, err := range []error{e1, e2, e3, e4, e5, e6, e7} {
				if !errs.Is(err, c.want) {
					t.Errorf("%s, act %d: %v", name, i+1, err)
				}
			}
		}
		own, _ := h.endpoint(h.receiver(nil), webhooks.Draft{})
		if err := h.hooks.Replay(t.Context(), h.owner, own.ID, message); !errs.Is(err, errs.NotFound) {
			t.Errorf("another endpoint's message: %v", err)
		}
	})
}

func TestMessagesArePagedNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		e, _ := h.endpoint(h.receiver(nil), webhooks.Draft{})
		for range 7 {
			_, err := h.hooks.Try(t.Context(), h.owner, e.ID)
			must(t, err)
			h.Clock.Advance(time.Second)
		}
		seen := map[webhooks.MessageID]bool{}
		var after webhooks.Cursor
		for range 4 {
			list, more, err := h.hooks.Sent(t.Context(), h.owner, e.ID, webhooks.Waiting, after, 3)
			must(t, err)
			for _, m := range list {
				if seen[m.ID] {
					t.Errorf("%s comes twice", m.ID)
				}
				seen[m.ID] = true
			}
			if after = more; more.IsZero() {
				break
			}
		}
		if len(seen) != 7 {
			t.Errorf("%d of 7 messages are listed", len(seen))
		}
	})
}
