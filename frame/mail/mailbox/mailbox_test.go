package mailbox_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"net/smtp"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/frame/mail/mailbox"
	"aver/proof/browser"
)

func started(t *testing.T, options mailbox.Options) *mailbox.Mailbox {
	t.Helper()
	box, err := mailbox.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	return box
}

func deliver(t *testing.T, box *mailbox.Mailbox, to, text string) {
	t.Helper()
	err := smtp.SendMail(box.Address(), nil, "shop@example.org", []string{to}, []byte("From: shop@example.org\r\nTo: "+to+"\r\nSubject: A letter\r\n\r\n"+text+"\r\n"))
	if err != nil {
		t.Error(err)
	}
}

func TestWaitReturnsEachMailToAnAddressOnce(t *testing.T) {
	t.Parallel()
	box := started(t, mailbox.Options{})
	deliver(t, box, "anna@example.org", "one")
	deliver(t, box, "jan@example.org", "other")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var delivering sync.WaitGroup
	defer delivering.Wait()
	delivering.Go(func() { deliver(t, box, "anna@example.org", "two") })
	for _, want := range []string{"one", "two"} {
		mail, err := box.Wait(ctx, "Anna@example.org")
		if err != nil || strings.TrimSpace(mail.Text) != want || mail.Subject != "A letter" {
			t.Fatalf("got %q %q: %v, want %q", mail.Subject, mail.Text, err, want)
		}
	}
	impatient, stop := context.WithCancel(ctx)
	stop()
	if _, err := box.Wait(impatient, "anna@example.org"); !errors.Is(err, context.Canceled) {
		t.Errorf("a third mail: %v", err)
	}
}

func TestOnlyTheLastMailsAreKept(t *testing.T) {
	t.Parallel()
	box := started(t, mailbox.Options{Keep: 2})
	for _, text := range []string{"one", "two", "three"} {
		deliver(t, box, "anna@example.org", text)
	}
	var kept []string
	for _, mail := range box.Mails() {
		kept = append(kept, strings.TrimSpace(mail.Text))
	}
	if got := strings.Join(kept, " "); got != "three two" {
		t.Errorf("kept %q, want the newest first and two of them", got)
	}
}

func TestTheMailboxListensOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	if box, err := mailbox.Start(mailbox.Options{Address: "0.0.0.0:0"}); err == nil {
		box.Close()
		t.Error("it listens to everybody")
	}
}

func TestThePageShowsMailsAndRunsNothingInThem(t *testing.T) {
	t.Parallel()
	box := started(t, mailbox.Options{})
	get := func() string {
		w := httptest.NewRecorder()
		box.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if policy := w.Result().Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") {
			t.Errorf("policy %q", policy)
		}
		body, _ := io.ReadAll(w.Result().Body)
		return string(body)
	}
	if !strings.Contains(get(), "No mail yet") {
		t.Error("an empty mailbox does not say so")
	}
	deliver(t, box, "anna@example.org", `<script>alert(1)</script> open https://localhost:8443/invite/x?a=1&b=2 now`)
	body := get()
	if strings.Contains(body, "<script") {
		t.Error("a script of a mail is on the page")
	}
	for _, want := range []string{"A letter", "anna@example.org", `<a href="https://localhost:8443/invite/x?a=1&amp;b=2">`} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q:\n%s", want, body)
		}
	}
}

func TestABrowserShowsThePageUnderItsOwnPolicy(t *testing.T) {
	t.Parallel()
	box := started(t, mailbox.Options{})
	deliver(t, box, "anna@example.org", "Open https://shop.localhost/invite/x to join.\n\nThe link works for ten minutes.")
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	tab := browser.New(t) // a style or script that the policy refuses is an error on the console
	tab.Goto(server.URL)
	tab.WaitText("article", "The link works for ten minutes.")
	tab.WaitText("a", "https://shop.localhost/invite/x")
	if got := browser.Eval[string](tab, "getComputedStyle(document.querySelector('pre')).whiteSpace"); got != "pre-wrap" {
		t.Errorf("the style does not apply: white-space is %q", got)
	}
	tab.Screenshot(filepath.Join(t.ArtifactDir(), "mailbox.png"))
}
