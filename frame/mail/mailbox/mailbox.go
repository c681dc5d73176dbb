// Package mailbox is a mail server that keeps what it receives and passes nothing on.
//
// It stands in for the operator's relay in the demo and in tests. It listens on this machine only, keeps the last mails
// in memory and shows them to whoever asks, so it must not be used where mail of real people goes.
package mailbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"
)

// Mail is one received letter, decoded.
type Mail struct {
	From    string
	To      []string
	Subject string
	Text    string
	HTML    string
	Raw     []byte
	At      time.Time
}

// Options change how the server behaves; the zero value takes any mail without TLS or password.
type Options struct {
	Address  string // of this machine: "127.0.0.1:2525"; a free port if empty
	TLS      *tls.Config
	Implicit bool   // TLS from the first byte instead of STARTTLS
	User     string // with Password, wanted from every client
	Password string
	Keep     int                        // how many mails; 200 if zero
	Refuse   func(address string) error // recipients to refuse; a *smtp.SMTPError chooses the answer
}

// Mailbox is the running server.
type Mailbox struct {
	server  *smtp.Server
	address string
	options Options

	mu      sync.Mutex
	mails   []Mail
	unread  []Mail
	arrived chan struct{} // closed and replaced at every arrival
}

// Start begins to listen. Stop it with Close.
func Start(options Options) (*Mailbox, error) {
	if options.Address == "" {
		options.Address = "127.0.0.1:0"
	}
	if options.Keep == 0 {
		options.Keep = 200
	}
	listener, err := net.Listen("tcp", options.Address)
	if err != nil {
		return nil, fmt.Errorf("start the mailbox: %w", err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		listener.Close()
		return nil, errors.New("start the mailbox: it is for this machine only, give it a loopback address")
	}
	m := &Mailbox{address: listener.Addr().String(), options: options, arrived: make(chan struct{})}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: m}, nil }))
	m.server.Domain = "mailbox.localhost"
	m.server.MaxMessageBytes = 10 << 20
	m.server.MaxRecipients = 50
	m.server.ReadTimeout, m.server.WriteTimeout = time.Minute, time.Minute
	m.server.EnableSMTPUTF8 = true
	m.server.TLSConfig = options.TLS
	m.server.ErrorLog = slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug)
	if options.Implicit {
		listener = tls.NewListener(listener, options.TLS)
	}
	go m.server.Serve(listener)
	return m, nil
}

// Address is where it listens, host and port.
func (m *Mailbox) Address() string { return m.address }

// Close stops listening and ends open conversations.
func (m *Mailbox) Close() error { return m.server.Close() }

// Mails returns what is kept, newest first.
func (m *Mailbox) Mails() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := slices.Clone(m.mails)
	slices.Reverse(newest)
	return newest
}

// Wait returns the oldest mail to this address that no call of Wait has returned yet, and waits for one if need be.
func (m *Mailbox) Wait(ctx context.Context, to string) (Mail, error) {
	for {
		mail, found, arrived := m.take(to)
		if found {
			return mail, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return Mail{}, fmt.Errorf("wait for a mail: %w", ctx.Err())
		}
	}
}

func (m *Mailbox) take(to string) (Mail, bool, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.unread, func(mail Mail) bool {
		return slices.ContainsFunc(mail.To, func(address string) bool { return strings.EqualFold(address, to) })
	})
	if i < 0 {
		return Mail{}, false, m.arrived
	}
	mail := m.unread[i]
	m.unread = slices.Delete(m.unread, i, i+1)
	return mail, true, nil
}

func (m *Mailbox) receive(mail Mail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	keep := func(list []Mail) []Mail {
		list = append(list, mail)
		return slices.Delete(list, 0, max(0, len(list)-m.options.Keep))
	}
	m.mails, m.unread = keep(m.mails), keep(m.unread)
	close(m.arrived)
	m.arrived = make(chan struct{})
}

// session is one client's conversation.
type session struct {
	box   *Mailbox
	known bool
	from  string
	to    []string
}

func (s *session) AuthMechanisms() []string {
	if s.box.options.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.box.options.User || password != s.box.options.Password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.box.options.User != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if refuse := s.box.options.Refuse; refuse != nil {
		if err := refuse(to); err != nil {
			return err
		}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	mail, err := read(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "this is not a mail"}
	}
	mail.From, mail.To, mail.At = s.from, s.to, time.Now()
	s.box.receive(mail)
	return nil
}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error { return nil }

func read(raw []byte) (Mail, error) {
	letter, err := gomail.EMLToMsgFromReader(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(strings.Join(letter.GetGenHeader(gomail.HeaderSubject), " "))
	if err != nil {
		return Mail{}, err
	}
	mail := Mail{Raw: raw, Subject: subject}
	for _, part := range letter.GetParts() {
		content, err := part.GetContent()
		if err != nil {
			return Mail{}, err
		}
		switch part.GetContentType() {
		case gomail.TypeTextPlain:
			mail.Text = string(content)
		case gomail.TypeTextHTML:
			mail.HTML = string(content)
		}
	}
	return mail, nil
}
