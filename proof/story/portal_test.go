package story

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/frame/mail"
	"aver/frame/mail/mailbox"
	"aver/frame/request"
	"aver/proof/browser"
	"aver/trust/identity"
	"aver/trust/rights"
	"aver/trust/rights/state"
	"aver/vault/purpose"
	"aver/work/contacts"
)

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// TestAPersonGetsTheirDataAndIsErasedOnThePublicPage goes the whole way with a real browser and a real mail server: a
// request, the mailed code, the archive, the erasure, the receipt; once with scripts and once without.
func TestAPersonGetsTheirDataAndIsErasedOnThePublicPage(t *testing.T) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box, err := mailbox.Start(mailbox.Options{})
			must(t, err)
			t.Cleanup(func() { must(t, box.Close()) })
			w := open(t, func(c *app.Config) { c.Mail = relay(t, box) })
			person, err := w.Contacts.Create(t.Context(), w.owner, contacts.Draft{Email: "eva@example.org", Name: "Eva Zimmerlin", Grounds: []identity.Ground{{Basis: purpose.Contract, Purpose: purpose.Support, Since: time.Now().Add(-time.Hour), Words: "asked for an offer"}}})
			must(t, err)
			tab := browser.New(t)
			if !scripts {
				tab.StopScripts()
			}
			w.copies(t, tab, box)
			w.erases(t, tab, box, person.ID)
		})
	}
}

// relay is the operator's mail server.
func relay(t *testing.T, box *mailbox.Mailbox) *mail.Sender {
	t.Helper()
	host, text, err := net.SplitHostPort(box.Address())
	must(t, err)
	port, err := strconv.Atoi(text)
	must(t, err)
	return &mail.Sender{Host: host, Port: port, From: "Kowal Bikes <privacy@kowal.example>", Encryption: mail.Clear}
}

// asks sends the form, types the code that comes by mail, and waits for the page that it leads to.
func (w *world) asks(t *testing.T, tab *browser.Tab, box *mailbox.Mailbox, kind string) {
	t.Helper()
	tab.Goto(w.base + "/my-data/kowal")
	tab.Click(`input[value="` + kind + `"]`)
	tab.Type(`input[name="email"]`, "eva@example.org")
	tab.Click(`form.form button`)
	tab.WaitVisible(`input[name="code"]`)
	letter, err := box.Wait(t.Context(), "eva@example.org")
	must(t, err)
	tab.Type(`input[name="code"]`, sixDigits.FindString(letter.Text))
	tab.Follow(`form.form button`)
}

func (w *world) copies(t *testing.T, tab *browser.Tab, box *mailbox.Mailbox) {
	t.Helper()
	folder := saving(t, tab)
	w.asks(t, tab, box, "access")
	eventually.Must(t, "the copy", func() bool {
		list, _, err := w.Rights.List(t.Context(), w.owner, request.Cursor[rights.RequestID]{}, 1)
		must(t, err)
		return len(list) == 1 && list[0].State == state.Fulfilled
	})
	tab.Reload()
	tab.Click(`a[href^="/my-data/files/"]`)
	if words := (chat{t: t, frame: tab}).archive(folder); !strings.Contains(words, "Eva Zimmerlin") || !strings.Contains(words, "asked for an offer") {
		t.Error("the copy lacks what is kept")
	}
	tab.Click(".receipts a")
	eventually.Must(t, "the receipt of the tenant's word", func() bool {
		found, err := filepath.Glob(filepath.Join(folder, "receipt-gnd_*.json"))
		must(t, err)
		return len(found) == 1
	})
}

func (w *world) erases(t *testing.T, tab *browser.Tab, box *mailbox.Mailbox, person ids.Contact) {
	t.Helper()
	folder := saving(t, tab)
	w.asks(t, tab, box, "erasure")
	tab.WaitVisible(`input[name="confirm"]`)
	tab.Type(`input[name="confirm"]`, "erase")
	tab.Click(`form.form button`)
	tab.WaitText("body", "Your data was erased")
	if has, err := w.Vault.HasKey(t.Context(), w.owner, person); err != nil || has {
		t.Errorf("the key is still there: %v, %v", has, err)
	}
	var id rights.RequestID
	must(t, id.UnmarshalText([]byte(regexp.MustCompile(`req_[0-9a-z]+`).FindString(tab.Text("main")))))
	if _, err := w.Rights.CheckReceipt(t.Context(), w.owner.Tenant(), id); err != nil {
		t.Errorf("the log does not know the receipt: %v", err)
	}
	tab.Click(`a[href^="/my-data/receipts/"][href*="req_"]`)
	eventually.Must(t, "the receipt's file", func() bool {
		found, err := filepath.Glob(filepath.Join(folder, "receipt-*.json"))
		must(t, err)
		if len(found) == 0 {
			return false
		}
		file, err := os.ReadFile(found[0])
		must(t, err)
		return strings.Contains(string(file), id.String())
	})
	if left := w.remains("Zimmerlin", "eva@example.org"); len(left) > 0 {
		t.Errorf("what is left: %v", left)
	}
}
