// Package mail sends mail to one person at a time through the operator's relay.
//
// It is for the few letters that the product itself writes: a code that proves an address, an invitation, the news that
// an export is ready. It is not for newsletters. It opens no connection of its own: the door to the outside
// (frame/egress) dials. Send waits for the relay; a handler that must not wait leaves sending to a job.
package mail

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/personal"
)

// Encryption says how the connection to the relay is protected. The zero value refuses to go on without.
type Encryption int

const (
	// StartTLS begins in clear and goes on only under TLS 1.2 or newer (RFC 3207), usually on port 587.
	StartTLS Encryption = iota
	// ImplicitTLS is TLS from the first byte (RFC 8314), usually on port 465.
	ImplicitTLS
	// Clear is for a relay on the same machine or wire, and allows no password.
	Clear
)

// Sender knows the relay. It is safe for concurrent use once its fields are set.
type Sender struct {
	Host       string
	Port       int           // 587 if zero
	User       string        // with Password, if the relay wants one
	Password   personal.Text // prints as a placeholder
	From       string        // "Aver <no-reply@example.org>"
	Encryption Encryption
	Roots      *x509.CertPool // who may certify the relay; the system's if nil
	Dial       func(ctx context.Context, network, address string) (net.Conn, error)
}

// Message is one letter. HTML is an addition to Text, never instead of it.
type Message struct {
	To      personal.Text // one bare address
	Subject string
	Text    string
	HTML    string
}

// timeout bounds each step of the conversation with the relay (RFC 5321 §4.5.3.2 allows minutes; nobody waits so long).
const timeout = 30 * time.Second

// Check tells what is wrong with the settings, or nil.
func (s *Sender) Check() error {
	from, err := netmail.ParseAddress(s.From)
	switch {
	case s.Host == "":
		return errs.New(errs.Invalid, "No mail relay is set.")
	case err != nil || domain(from.Address) == "":
		return errs.New(errs.Invalid, "The sender's address is not a mail address.")
	case (s.User == "") != s.Password.IsZero():
		return errs.New(errs.Invalid, "The mail relay needs a user and a password, or neither.")
	case s.Encryption == Clear && s.User != "":
		return errs.New(errs.Invalid, "A password is not sent to the mail relay in clear: use TLS.")
	case s.Dial == nil:
		return errs.New(errs.Invalid, "Mail has no way out.")
	}
	return nil
}

// Send gives the message to the relay and returns nil when the relay has taken it. It returns errs.Invalid when this letter
// can never go: its recipient or the letter itself is refused for good. It returns errs.Unavailable when it may work later,
// be it after somebody has put the settings right. No error names an address or repeats what the relay said.
func (s *Sender) Send(ctx context.Context, m Message) error {
	if err := s.Check(); err != nil {
		return later(err)
	}
	letter, err := s.letter(m)
	if err != nil {
		return err
	}
	if strings.HasSuffix(strings.ToLower(m.To.Reveal()), ".invalid") { // nobody's, by RFC 6761 §6.4: the canaries live there
		return errs.New(errs.Invalid, "Nobody can be reached at this address.")
	}
	client, err := s.client(ctx)
	if err != nil {
		return later(fmt.Errorf("the settings of the mail relay do not fit together: %w", err))
	}
	err = client.DialAndSendWithContext(ctx, letter)
	if err == nil || letter.IsDelivered() { // what fails after the relay has taken the letter must not make us send it twice
		return nil
	}
	return explain(ctx, err)
}

// letter writes the message. Everything from outside that reaches a header is checked here: the library encodes line
// breaks away, but a letter with one is somebody's attempt and is refused.
func (s *Sender) letter(m Message) (*gomail.Msg, error) {
	if !IsAddress(m.To.Reveal()) {
		return nil, errs.New(errs.Invalid, "This is not a mail address.", errs.Field{Field: "email", Code: "malformed", Message: "Write one address, such as name@example.org."})
	}
	if strings.ContainsFunc(m.Subject, unicode.IsControl) || m.Subject == "" {
		return nil, errs.New(errs.Invalid, "The subject of a mail is one line.")
	}
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, later(err)
	}
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(from)
	letter.ToMailAddress(&netmail.Address{Address: m.To.Reveal()})
	letter.Subject(m.Subject)
	letter.SetDate()
	letter.SetMessageIDWithValue(rand.Text() + "@" + domain(from.Address)) // the library would tell the machine's name
	letter.SetGenHeader("Auto-Submitted", "auto-generated")                // RFC 3834: no out-of-office answers, please
	letter.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		letter.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return letter, nil
}

// IsAddress tells whether text is one bare address: no display name, no list, no comment, no control character, and not
// longer than an address may be (RFC 5321 §4.5.3.1). One that holds a card's number counts as none, so that it is not kept.
func IsAddress(text string) bool {
	if _, found := cards.Mask(text); found > 0 {
		return false
	}
	address, err := netmail.ParseAddress(text)
	return err == nil && address.Address == text && len(text) <= 254 && domain(text) != "" && !strings.ContainsFunc(text, unicode.IsControl)
}

func (s *Sender) client(ctx context.Context) (*gomail.Client, error) {
	port := s.Port
	if port == 0 {
		port = 587
	}
	policy := gomail.TLSMandatory
	if s.Encryption != StartTLS {
		policy = gomail.NoTLS // nothing to upgrade: the connection is under TLS already, or is not meant to be
	}
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(timeout), gomail.WithHELO(domain(from.Address)),
		gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(s.tls()), gomail.WithDialContextFunc(s.dial(ctx)),
	}
	if s.User != "" {
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.Host, options...)
}

func (s *Sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

// dial opens the connection through the door and closes it when ctx ends, which the library only heeds while connecting.
func (s *Sender) dial(ctx context.Context) gomail.DialContextFunc {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := s.Dial(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { conn.Close() })
		if s.Encryption != ImplicitTLS {
			return conn, nil
		}
		secured := tls.Client(conn, s.tls())
		if err := secured.HandshakeContext(dialing); err != nil {
			conn.Close()
			return nil, fmt.Errorf("handshake: %w", err)
		}
		return secured, nil
	}
}

// domain is the part of an address after the @, or nothing if there is none.
func domain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || strings.ContainsAny(address[at+1:], " []") { // a literal address is not mail between people
		return ""
	}
	return address[at+1:]
}
