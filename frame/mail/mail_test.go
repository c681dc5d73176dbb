package mail_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"aver/base/errs"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/frame/mail/mailbox"
)

const anna = "anna.kowalska@example.org"

// relay starts a mail server and returns a sender that knows it.
func relay(t *testing.T, options mailbox.Options) (*mailbox.Mailbox, *mail.Sender) {
	t.Helper()
	box, err := mailbox.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	_, port, _ := net.SplitHostPort(box.Address())
	number, _ := net.LookupPort("tcp", port)
	return box, &mail.Sender{
		Host: "127.0.0.1", Port: number, From: "Aver <no-reply@aver.example>", Encryption: mail.Clear,
		Dial: new(net.Dialer).DialContext,
	}
}

// certificate is one for 127.0.0.1, and who vouches for it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &tls.Config{Certificates: server.TLS.Certificates}, roots
}

func letter() mail.Message {
	return mail.Message{To: personal.Of(anna), Subject: "Your code, Łukasz", Text: "The code is 123456.\n.\nIt lasts ten minutes.\n"}
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestALetterArrivesAsItWasWritten(t *testing.T) {
	t.Parallel()
	box, sender := relay(t, mailbox.Options{})
	sent := letter()
	sent.HTML = "<p>The code is <b>123456</b>.</p>"
	if err := sender.Send(soon(t), sent); err != nil {
		t.Fatal(err)
	}
	got, err := box.Wait(soon(t), anna)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != sent.Subject || strings.ReplaceAll(got.Text, "\r\n", "\n") != sent.Text || got.HTML != sent.HTML {
		t.Errorf("arrived as %q, %q, %q", got.Subject, got.Text, got.HTML)
	}
	if got.From != "no-reply@aver.example" || len(got.To) != 1 {
		t.Errorf("from %q to %d people", got.From, len(got.To))
	}
	for _, header := range []string{"Auto-Submitted: auto-generated", `From: "Aver" <no-reply@aver.example>`, "@aver.example>\r\n"} {
		if !bytes.Contains(got.Raw, []byte(header)) {
			t.Errorf("lacks %q:\n%s", header, got.Raw)
		}
	}
	if bytes.Contains(got.Raw, []byte("User-Agent")) || bytes.Contains(got.Raw, []byte("X-Mailer")) {
		t.Error("tells which library wrote it")
	}
}

func TestTheRelayIsReachedUnderTLSWithAPassword(t *testing.T) {
	t.Parallel()
	serving, roots := certificate(t)
	for name, test := range map[string]struct {
		implicit   bool
		encryption mail.Encryption
	}{"STARTTLS": {false, mail.StartTLS}, "TLS from the first byte": {true, mail.ImplicitTLS}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box, sender := relay(t, mailbox.Options{TLS: serving, Implicit: test.implicit, User: "aver", Password: "sesame"})
			sender.Encryption, sender.Roots, sender.User, sender.Password = test.encryption, roots, "aver", personal.Of("sesame")
			if err := sender.Send(soon(t), letter()); err != nil {
				t.Fatal(err)
			}
			if _, err := box.Wait(soon(t), anna); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNothingIsSentToARelayThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	serving, roots := certificate(t)
	for name, test := range map[string]struct {
		options mailbox.Options
		change  func(*mail.Sender)
	}{
		"no STARTTLS":         {mailbox.Options{}, func(s *mail.Sender) { s.Encryption = mail.StartTLS }},
		"unknown certificate": {mailbox.Options{TLS: serving}, func(s *mail.Sender) { s.Encryption = mail.StartTLS }},
		"unknown certificate, implicit": {mailbox.Options{TLS: serving, Implicit: true}, func(s *mail.Sender) {
			s.Encryption = mail.ImplicitTLS
		}},
		"another name": {mailbox.Options{TLS: serving}, func(s *mail.Sender) {
			s.Encryption, s.Roots, s.Host = mail.StartTLS, roots, "localhost"
		}},
		"wrong password": {mailbox.Options{TLS: serving, User: "aver", Password: "sesame"}, func(s *mail.Sender) {
			s.Encryption, s.Roots, s.User, s.Password = mail.StartTLS, roots, "aver", personal.Of("simsim")
		}},
		"password asked for and not set": {mailbox.Options{TLS: serving, User: "aver", Password: "sesame"}, func(s *mail.Sender) {
			s.Encryption, s.Roots = mail.StartTLS, roots
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box, sender := relay(t, test.options)
			test.change(sender)
			if err := sender.Send(soon(t), letter()); !errs.Is(err, errs.Unavailable) { // whoever runs this puts it right, and the letter goes
				t.Errorf("got %v", err)
			} else if strings.Contains(err.Error(), "simsim") || strings.Contains(err.Error(), "kowalska") {
				t.Errorf("the error tells too much: %v", err)
			}
			if n := len(box.Mails()); n != 0 {
				t.Errorf("%d mails arrived", n)
			}
		})
	}
}

func TestARefusalSaysWhetherTryingAgainHelpsAndNamesNobody(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer *smtp.SMTPError
		want   errs.Kind
	}{
		"for good": {&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user " + anna}, errs.Invalid},
		"for now":  {&smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted " + anna}, errs.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, sender := relay(t, mailbox.Options{Refuse: func(string) error { return test.answer }})
			err := sender.Send(soon(t), letter())
			if !errs.Is(err, test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), "kowalska") || strings.Contains(err.Error(), "example.org")) {
				t.Errorf("the error names somebody: %v", err)
			}
		})
	}
}

func TestTheDoorsWordIsPassedOn(t *testing.T) {
	t.Parallel()
	_, sender := relay(t, mailbox.Options{})
	sender.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, errs.New(errs.Forbidden, "not in the register")
	}
	if err := sender.Send(soon(t), letter()); !errs.Is(err, errs.Forbidden) {
		t.Errorf("got %v", err)
	}
}

func TestARelayThatSaysNothingIsLeftWhenTheCallerGivesUp(t *testing.T) {
	t.Parallel()
	_, sender := relay(t, mailbox.Options{})
	far, near := net.Pipe()
	defer far.Close()
	ctx, cancel := context.WithCancel(t.Context())
	sender.Dial = func(context.Context, string, string) (net.Conn, error) { cancel(); return near, nil }
	if err := sender.Send(ctx, letter()); !errs.Is(err, errs.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLinesCannotBeSmuggledIntoALetter(t *testing.T) {
	t.Parallel()
	box, sender := relay(t, mailbox.Options{})
	for name, m := range map[string]mail.Message{
		"line break in the subject":     {To: personal.Of(anna), Subject: "Hello\r\nBcc: eve@example.org"},
		"line feed in the subject":      {To: personal.Of(anna), Subject: "Hello\nBcc: eve@example.org"},
		"no subject":                    {To: personal.Of(anna)},
		"line break in the address":     {To: personal.Of(anna + "\r\nRCPT TO:<eve@example.org>"), Subject: "Hello"},
		"two addresses":                 {To: personal.Of(anna + ", eve@example.org"), Subject: "Hello"},
		"a name before the address":     {To: personal.Of("Eve <" + anna + ">"), Subject: "Hello"},
		"an address without a domain":   {To: personal.Of("anna"), Subject: "Hello"},
		"an address without a person":   {To: personal.Of("@example.org"), Subject: "Hello"},
		"an address with a machine":     {To: personal.Of("anna@[127.0.0.1]"), Subject: "Hello"},
		"an address longer than any is": {To: personal.Of(strings.Repeat("a", 250) + "@example.org"), Subject: "Hello"},
		"nobody":                        {Subject: "Hello"},
	} {
		if err := sender.Send(soon(t), m); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "eve") {
			t.Errorf("%s: the error repeats it: %v", name, err)
		}
	}
	m := letter()
	m.Text = "one\r\n.\r\nMAIL FROM:<eve@example.org>\r\nRCPT TO:<eve@example.org>\r\nDATA\r\n"
	if err := sender.Send(soon(t), m); err != nil {
		t.Fatal(err)
	}
	if got := box.Mails(); len(got) != 1 || got[0].Text != m.Text {
		t.Errorf("%d mails, the first %q", len(got), got[0].Text)
	}
}

// The canary workspaces write under names that the whole Internet has agreed not to have.
func TestNoLetterGoesWhereNobodyCanBe(t *testing.T) {
	t.Parallel()
	s := mail.Sender{Host: "relay.example", From: "aver@shop.example", Encryption: mail.Clear, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("the relay was called")
		return nil, errors.New("away")
	}}
	if err := s.Send(t.Context(), mail.Message{To: personal.Of("anybody@canary.INVALID"), Subject: "Hello", Text: "Hello"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestSettingsThatCannotWorkAreTold(t *testing.T) {
	t.Parallel()
	_, whole := relay(t, mailbox.Options{})
	if err := whole.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*mail.Sender){
		"no host":              func(s *mail.Sender) { s.Host = "" },
		"no sender":            func(s *mail.Sender) { s.From = "" },
		"a sender's name only": func(s *mail.Sender) { s.From = "Aver" },
		"a user alone":         func(s *mail.Sender) { s.User, s.Encryption = "aver", mail.StartTLS },
		"a password in clear":  func(s *mail.Sender) { s.User, s.Password = "aver", personal.Of("sesame") },
		"no way out":           func(s *mail.Sender) { s.Dial = nil },
	} {
		broken := *whole
		change(&broken)
		if err := broken.Check(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if err := broken.Send(soon(t), letter()); !errs.Is(err, errs.Unavailable) {
			t.Errorf("%s: a letter that waits for better settings: %v", name, err)
		}
	}
}

func TestASenderDoesNotPrintItsPassword(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("sender", "sender", mail.Sender{User: "aver", Password: personal.Of("sesame")}, "letter", letter())
	if strings.Contains(out.String(), "sesame") || strings.Contains(out.String(), "kowalska") {
		t.Errorf("printed: %s", out.String())
	}
}

func TestAnAddressIsOneBareAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"ada@example.org": true, "ada@" + strings.Repeat("a", 242) + ".example": true, "ada@" + strings.Repeat("a", 243) + ".example": false,
		"": false, "ada": false, "Ada <ada@example.org>": false, "ada@example.org, eve@example.org": false, "ada@[127.0.0.1]": false, "ada@example.org\r\n": false,
	} {
		if mail.IsAddress(text) != want {
			t.Errorf("%q: not %v", text, want)
		}
	}
}
