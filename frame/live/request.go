package live

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"aver/base/errs"
	"aver/frame/live/wire"
)

// opTime is how long a request may take.
const opTime = 30 * time.Second

// call carries out one request. A panic in a module ends the request, not the process.
func (s *Session) call(r wire.Request) (result any, err error) {
	op, ok := s.handler.Ops[r.Op]
	if !ok {
		if r.Op == "ping" || r.Op == "hello" {
			return nil, nil
		}
		return nil, errs.New(errs.Invalid, "There is no such op.")
	}
	return s.guarded(r.Op, func(ctx context.Context) (any, error) { return op(ctx, s, r.Args) })
}

// guarded runs a module's code with a deadline, and logs what is our fault. Errors of ours carry no personal data.
func (s *Session) guarded(what string, run func(context.Context) (any, error)) (result any, err error) {
	ctx, cancel := context.WithTimeout(s.hub.ctx, opTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.hub.options.Log.Error("a live request panicked", "op", what, "stack", string(debug.Stack()))
			result, err = nil, fmt.Errorf("op %s panicked", what)
		}
	}()
	result, err = run(ctx)
	if errs.Of(err) == errs.Internal {
		s.hub.options.Log.Error("a live request failed", "op", what, "error", err)
	}
	return result, err
}

// receive takes a frame of a socket whose caller is named. It runs on the socket's reader, so requests of one socket
// are carried out in order and a slow one holds back only its own sender.
func (s *Session) receive(data []byte) {
	verdict := s.bucket.take(s.hub.now(), s.handler.Rate)
	if verdict == tooMuch {
		s.flooded()
		return
	}
	r, err := wire.Parse(data)
	if err == nil && r.ID == 0 {
		err = errs.New(errs.Invalid, "The id is missing.")
	}
	if err != nil {
		s.Close(CloseViolation, "malformed request")
		return
	}
	if !s.begin() {
		return
	}
	if verdict == tooFast {
		s.answer(r.ID, nil, errFlood)
		return
	}
	result, err := s.call(r)
	s.answer(r.ID, result, err)
}

func (s *Session) answer(id int64, result any, err error) {
	text, bad := wire.Reply(id, result, err)
	if bad != nil && err == nil {
		s.hub.options.Log.Error("a live reply could not be sent", "error", bad)
	}
	s.finish(wire.New(wire.Text, text, ""))
}

func (s *Session) flooded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut(CloseTooMany, "too many messages")
}

// hello takes the first frame of a Token socket.
func (s *Session) hello(data []byte, from Caller) bool {
	r, err := wire.Parse(data)
	if err != nil || r.ID == 0 || r.Op != "hello" {
		s.Close(CloseViolation, "hello must come first")
		return false
	}
	if !s.begin() {
		return false
	}
	err = errNobody
	if r.Token != "" {
		err = s.authenticate(func(ctx context.Context) (any, error) { return s.handler.Token(ctx, r.Token, from) })
	}
	var result any
	if err == nil {
		result, err = s.call(r)
	}
	s.answer(r.ID, result, err)
	if err != nil {
		s.Close(refusalCode(err), "")
	}
	return err == nil
}

// authenticate names the session. Somebody who is dismissed while being authenticated might slip through between the
// check and the first time the session can be found, so the check is repeated until nobody was.
func (s *Session) authenticate(check func(context.Context) (any, error)) error {
	for try := range 5 {
		kicks := s.hub.kicks.Load()
		who, err := s.check(check)
		if err != nil {
			return err
		}
		if try == 0 {
			err = s.hub.name(s, who)
		} else if who.Tenant() != s.tenant() {
			err = errNobody
		}
		if err != nil || s.hub.kicks.Load() == kicks {
			return err
		}
	}
	return errs.New(errs.Unavailable, "Please try again.")
}

// check asks the module who this is. A module that names nobody has refused.
func (s *Session) check(ask func(context.Context) (any, error)) (Who, error) {
	found, err := s.guarded("authentication", ask)
	if err != nil {
		return nil, err
	}
	who, ok := found.(Who)
	if !ok || who.Tenant().IsZero() {
		return nil, errNobody
	}
	return who, nil
}

// refusalCode says how a refused hello ends: for good only if the token itself is not good.
func refusalCode(err error) int {
	if errors.Is(err, errCrowd) {
		return CloseTooMany
	}
	switch errs.Of(err) {
	case errs.Unauthenticated, errs.Forbidden, errs.NotFound, errs.Invalid:
		return CloseBadToken
	case errs.Gone:
		return CloseRevoked
	case errs.TooMany:
		return CloseTooMany
	default:
		return CloseTryAgain
	}
}

// bucket is a token bucket without a clock or a lock of its own; the session's reader is its only user.
type bucket struct {
	tokens float32
	at     int64
}

type verdict byte

const (
	fine    verdict = iota
	tooFast         // refuse this one
	tooMuch         // it does not stop: cut
)

// take pays for one message. Refused ones are paid for as well, so that a sender who ignores the refusals ends up a
// whole burst in debt and is cut, while one who waits is served again.
func (b *bucket) take(now int64, rate Rate) verdict {
	burst, perMinute := float32(rate.Burst), float32(rate.PerMinute)
	if burst == 0 {
		burst = 100
	}
	if perMinute == 0 {
		perMinute = 100
	}
	if b.at == 0 {
		b.tokens = burst
	} else {
		b.tokens = min(burst, b.tokens+float32(now-b.at)/float32(time.Minute)*perMinute)
	}
	b.at = now
	b.tokens--
	switch {
	case b.tokens >= 0:
		return fine
	case b.tokens >= -burst:
		return tooFast
	default:
		return tooMuch
	}
}
