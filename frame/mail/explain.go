package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"

	gomail "github.com/wneessen/go-mail"

	"aver/base/errs"
)

// explain turns what went wrong into an error without a word of the relay's, because relays like to repeat addresses.
func explain(ctx context.Context, err error) error {
	if code, said := answer(err); said {
		cause := fmt.Errorf("the relay answered %s", code)
		if code.basic >= 500 && aboutTheLetter(err) {
			return errs.New(errs.Invalid, "The mail relay refuses this mail for good.").Because(cause)
		}
		return later(cause)
	}
	if kind := errs.Of(err); kind != errs.Internal { // the door's word: not registered, or not reachable
		return err
	}
	if ctx.Err() != nil {
		return later(ctx.Err())
	}
	var network net.Error
	switch {
	case errors.As(err, &network) && network.Timeout():
		return later(errors.New("the relay took too long"))
	case errors.Is(err, gomail.ErrNoSupportedAuthDiscovered), errors.Is(err, gomail.ErrPlainAuthNotSupported), errors.Is(err, gomail.ErrLoginAuthNotSupported):
		return later(errors.New("the relay offers no way of logging in that we use"))
	}
	return later(fmt.Errorf("the conversation with the relay broke off (%s)", step(err)))
}

func later(cause error) error {
	return errs.New(errs.Unavailable, "The mail could not be handed over. It may work later.").Because(cause)
}

// aboutTheLetter tells whether the relay refused the recipient or the letter. What it says to a password or to the sender's
// address is about the settings: the letter goes once they are right.
func aboutTheLetter(err error) bool {
	var send *gomail.SendError
	return errors.As(err, &send) && send.Reason != gomail.ErrSMTPMailFrom
}

// code is what an SMTP reply says in numbers (RFC 5321 §4.2, RFC 3463).
type code struct {
	basic    int
	enhanced string
}

func (c code) String() string {
	if c.enhanced == "" {
		return fmt.Sprint(c.basic)
	}
	return fmt.Sprint(c.basic, " ", c.enhanced)
}

func answer(err error) (code, bool) {
	var send *gomail.SendError
	if errors.As(err, &send) && send.ErrorCode() != 0 {
		return code{send.ErrorCode(), send.EnhancedStatusCode()}, true
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return code{basic: reply.Code}, true
	}
	return code{}, false
}

// step names where it broke off, in the library's fixed words or by the type of the innermost error.
func step(err error) string {
	var send *gomail.SendError
	if errors.As(err, &send) {
		return send.Reason.String()
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return fmt.Sprintf("%T", err)
}
