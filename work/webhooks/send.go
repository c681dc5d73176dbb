package webhooks

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/egress"
	"aver/frame/jobs"
	"aver/trust/identity"
	"aver/vault"
)

// Fault says why an attempt got no answer.
type Fault string

// The faults.
const (
	None        Fault = ""
	NotAllowed  Fault = "not-allowed" // egress refused the address: private, or not HTTPS
	Unreachable Fault = "unreachable"
	TimedOut    Fault = "timeout"
	Broken      Fault = "broken" // the connection or its TLS failed
	Closed      Fault = "closed" // not sent: the person has closed this meanwhile
)

// schedule is how long to wait before each attempt (Standard Webhooks 1.0.0, "Deliverability and reliability"): ten
// attempts over three days.
var schedule = []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

// pauses is how long nothing at all is sent to an endpoint after one, two, three … failures in a row, so that one that
// hangs costs one attempt now and then. It never holds back a message's own schedule.
var pauses = []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute}

const (
	callTimeout = 20 * time.Second
	runFor      = 10 * time.Second // then other endpoints get their turn
	busyAgain   = 2 * time.Second
	perTenant   = 8 // endpoints of one tenant at a time, of the 25 workers there are
	longestWait = 24 * time.Hour
	answerLimit = 4 << 10 // bytes of an answer that are read, to keep the connection
)

// send tells one endpoint what it is due.
func (s *Service) send(ctx context.Context, job jobs.Job) error {
	id, err := ids.Parse[webhook](job.ID)
	if err != nil {
		return err
	}
	if !s.take(job.Tenant, id) {
		return s.jobs.Enqueue(ctx, jobSend, job.Tenant, job.ID, time.Now().Add(busyAgain))
	}
	defer s.give(job.Tenant, id)
	next, err := s.run(ctx, job.Tenant, id)
	if err != nil || next.IsZero() {
		return err
	}
	return s.jobs.Enqueue(ctx, jobSend, job.Tenant, job.ID, next)
}

func (s *Service) take(tenant ids.Tenant, id ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] || s.tenants[tenant] >= perTenant {
		return false
	}
	s.busy[id] = true
	s.tenants[tenant]++
	return true
}

func (s *Service) give(tenant ids.Tenant, id ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, id)
	if s.tenants[tenant]--; s.tenants[tenant] == 0 {
		delete(s.tenants, tenant)
	}
}

// run sends what is due, oldest first, for a while. It returns when to go on, or the zero time when there is nothing.
func (s *Service) run(ctx context.Context, tenant ids.Tenant, id ID) (time.Time, error) {
	for start := time.Now(); ; {
		e, m, next, err := s.due(ctx, tenant, id)
		if err != nil || m == nil {
			return next, err
		}
		if time.Since(start) > runFor {
			return s.vault.Now(), nil
		}
		got, err := s.attempt(ctx, tenant, e, *m)
		if err != nil {
			return time.Time{}, err
		}
		if err := s.record(ctx, tenant, m.ID, got); err != nil {
			return time.Time{}, err
		}
	}
}

// attempt calls the receiver, unless the message may no longer be sent.
func (s *Service) attempt(ctx context.Context, tenant ids.Tenant, e Endpoint, m Message) (outcome, error) {
	open, err := s.stillOpen(ctx, tenant, m)
	if err != nil || !open {
		return outcome{at: s.vault.Now(), fault: Closed}, err
	}
	return s.call(ctx, e, m)
}

// due finds the message to send now, or when there is one.
func (s *Service) due(ctx context.Context, tenant ids.Tenant, id ID) (e Endpoint, m *Message, next time.Time, err error) {
	err = s.vault.View(ctx, identity.System(tenant, "webhooks"), actRead, func(tx *vault.Tx) error {
		if e, err = Endpoints.Get(tx, id); err != nil {
			return err
		}
		if e.State != Active {
			return nil
		}
		waiting, err := Messages.Find(tx, "webhook = ? AND state = ? ORDER BY next_at LIMIT 1", id, string(Waiting))
		if err != nil || len(waiting) == 0 {
			return err
		}
		next = waiting[0].NextAt
		if e.PausedUntil.After(next) {
			next = e.PausedUntil
		}
		if !next.After(tx.Now()) {
			m = &waiting[0]
		}
		return nil
	})
	if errs.Is(err, errs.NotFound) { // removed meanwhile
		err = nil
	}
	return e, m, next, err
}

// outcome is what came of an attempt.
type outcome struct {
	at    time.Time
	code  int
	fault Fault
	after time.Duration // how long the receiver asked us to wait
}

type hostKey struct{}

// Allowed lets a call out to the host of the endpoint it is for, and to no other. The address is checked by egress.
func Allowed(ctx context.Context, purpose, host string) (egress.Entry, bool) {
	of, _ := ctx.Value(hostKey{}).(string)
	return egress.Entry{Name: "a receiver of webhooks", Grade: egress.TenantEndpoint}, purpose == Purpose && of != "" && of == host
}

// call makes one attempt. The error is ours, not the receiver's: the keys cannot be read, or the program stops.
func (s *Service) call(ctx context.Context, e Endpoint, m Message) (outcome, error) {
	keys, err := e.secrets()
	if err != nil {
		return outcome{}, err
	}
	got := outcome{at: s.vault.Now()}
	u, err := url.Parse(e.URL)
	if err != nil {
		got.fault = Broken
		return got, nil
	}
	attempt, cancel := context.WithTimeout(context.WithValue(ctx, hostKey{}, strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))), s.wait)
	defer cancel()
	r, err := http.NewRequestWithContext(attempt, http.MethodPost, e.URL, strings.NewReader(m.Body))
	if err != nil {
		got.fault = Broken
		return got, nil
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "User-Agent": "Aver", "Webhook-Id": m.ID.String(),
		"Webhook-Timestamp": strconv.FormatInt(got.at.Unix(), 10), "Webhook-Signature": signature(keys, m.ID, got.at, m.Body)} {
		r.Header.Set(name, value)
	}
	answer, err := s.client.Do(r)
	if ctx.Err() != nil {
		return got, ctx.Err()
	}
	if err != nil {
		got.fault = faultOf(err)
		return got, nil
	}
	defer answer.Body.Close()
	if answer.ContentLength >= 0 && answer.ContentLength <= answerLimit {
		_, _ = io.CopyN(io.Discard, answer.Body, answerLimit) // keeps the connection; what it says is of no interest
	}
	got.code, got.after = answer.StatusCode, retryAfter(answer, got.at)
	return got, nil
}

func faultOf(err error) Fault {
	switch reason := egress.Reason(err); {
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return TimedOut
	case errs.Is(reason, errs.Forbidden):
		return NotAllowed
	case errs.Is(reason, errs.Unavailable):
		return Unreachable
	default:
		return Broken
	}
}

func isTimeout(err error) bool {
	var timed interface{ Timeout() bool }
	return errors.As(err, &timed) && timed.Timeout()
}

// retryAfter is what a receiver that is overloaded asks for, in seconds or as a date (RFC 9110 §10.2.3).
func retryAfter(answer *http.Response, now time.Time) time.Duration {
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return 0
	}
	asked := answer.Header.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(asked); err == nil {
		wait = time.Duration(min(seconds, int(longestWait.Seconds()))) * time.Second
	} else if at, err := http.ParseTime(asked); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), longestWait)
}

// record writes down what came of an attempt and what follows from it.
func (s *Service) record(ctx context.Context, tenant ids.Tenant, id MessageID, got outcome) error {
	err := s.vault.Do(ctx, identity.System(tenant, "webhooks"), actAttempt, func(tx *vault.Tx) error {
		m, err := Messages.Get(tx, id)
		if err != nil {
			return err
		}
		e, err := Endpoints.Get(tx, m.Endpoint)
		if err != nil {
			return err
		}
		before := e.State
		settle(&m, &e, got)
		if before == Active && e.State != Active {
			e.DisabledAt = got.at
			tx.Emit(vault.Event{Kind: "webhook.disabled", Object: e.ID.String()}, nil)
		}
		if err := Messages.Put(tx, m); err != nil {
			return err
		}
		return Endpoints.Put(tx, e)
	})
	if errs.Is(err, errs.NotFound) { // removed meanwhile
		return nil
	}
	return err
}

// settle decides what an outcome means for the message and for its endpoint.
func settle(m *Message, e *Endpoint, got outcome) {
	if got.fault == Closed { // no fault of the receiver's
		m.State, m.Fault, m.NextAt = Failed, Closed, time.Time{}
		return
	}
	m.Attempts++
	m.TriedAt, m.Code, m.Fault = got.at, got.code, got.fault
	if got.code >= 200 && got.code < 300 {
		m.State, m.NextAt = Delivered, time.Time{}
		e.Failures, e.PausedUntil, e.DeliveredAt = 0, time.Time{}, got.at
		return
	}
	m.Step++
	e.PausedUntil = got.at.Add(max(pauses[min(e.Failures, len(pauses)-1)], got.after))
	e.Failures++
	over := m.Step >= len(schedule)
	if over || got.code == http.StatusGone {
		m.State, m.NextAt = Failed, time.Time{}
	} else {
		m.NextAt = got.at.Add(max(jittered(schedule[m.Step]), got.after))
	}
	if e.State != Active {
		return
	}
	if got.code == http.StatusGone {
		e.State = Gone
	} else if over && e.DeliveredAt.Before(m.CreatedAt) { // else the receiver works, and refuses this one
		e.State = Given
	}
}

// jittered adds up to a tenth, so that what failed together does not come back together.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d/10)+1))
}
