package story

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"aver/base/clock"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/frame/mail/mailbox"
	"aver/frame/request"
	"aver/proof/browser"
	"aver/trust/rights"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/work/contacts"
)

// ahead is the machine's clock, some days later.
type ahead struct {
	clock.Clock
	by atomic.Int64
}

func (a *ahead) Now() time.Time { return a.Clock.Now().Add(time.Duration(a.by.Load())) }

var proofLink = regexp.MustCompile(`/my-data/proof/\S+`)

// TestAPersonProvesWhoTheyAreTwelveDaysLaterAndByALinkAndByTheirSite goes the three ways to a copy with a real browser without
// scripts and a real mail server: a code that is asked for anew after twelve days, a link for a request that came by letter, and a
// token that the tenant's site has signed and posts from its own page.
func TestAPersonProvesWhoTheyAreTwelveDaysLaterAndByALinkAndByTheirSite(t *testing.T) {
	t.Parallel()
	box, err := mailbox.Start(mailbox.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, box.Close()) })
	later := &ahead{Clock: &clock.System{}}
	w := open(t, func(c *app.Config) { c.Mail, c.Clock = relay(t, box), later })
	person, err := w.Contacts.Create(t.Context(), w.owner, contacts.Draft{Email: "eva@example.org", Name: "Eva Zimmerlin", ExternalID: "u-17", Basis: contacts.FromOperator})
	must(t, err)
	tab := browser.New(t)
	tab.Allow("status of 422") // what was used is refused
	tab.StopScripts()
	w.provesLate(t, tab, box, later)
	w.provesByLink(t, tab, box, person.ID)
	w.provesByTheSite(t, tab)
}

// copied waits until the person's newest request is a finished copy, proved that way.
func (w *world) copied(t *testing.T, by state.Proof) rights.Request {
	t.Helper()
	var r rights.Request
	eventually.Must(t, "the copy", func() bool {
		r = w.newest(t)
		return r.State == state.Fulfilled && r.Proof == by
	})
	return r
}

// newest is the request that was made last.
func (w *world) newest(t *testing.T) rights.Request {
	t.Helper()
	list, _, err := w.Rights.List(t.Context(), w.owner, request.Cursor[rights.RequestID]{}, 10)
	must(t, err)
	return slices.MaxFunc(list, func(a, b rights.Request) int { return a.Touched().Compare(b.Touched()) })
}

func (w *world) provesLate(t *testing.T, tab *browser.Tab, box *mailbox.Mailbox, later *ahead) {
	t.Helper()
	tab.Goto(w.base + "/my-data/kowal?lang=de")
	tab.Type(`input[name="email"]`, "eva@example.org")
	tab.Click(`form.form button`)
	tab.WaitVisible(`input[name="code"]`)
	first, err := box.Wait(t.Context(), "eva@example.org")
	must(t, err)
	asked := w.newest(t)
	later.by.Add(int64(12 * 24 * time.Hour))
	tab.Follow(`form[action$="/again"] button`)
	second, err := box.Wait(t.Context(), "eva@example.org")
	must(t, err)
	if !strings.Contains(first.Text, "Der Code") || sixDigits.FindString(first.Text) == sixDigits.FindString(second.Text) {
		t.Errorf("two letters with one code: %s", first.Text)
	}
	tab.Type(`input[name="code"]`, sixDigits.FindString(second.Text))
	tab.Follow(`form.form button`)
	r := w.copied(t, state.Code)
	if stood := r.LegalAt.Sub(asked.LegalAt); stood < 10*24*time.Hour || !r.DueAt.After(asked.DueAt) {
		t.Errorf("the clock stood still for twelve days, and the last day is %s later", stood)
	}
}

func (w *world) provesByLink(t *testing.T, tab *browser.Tab, box *mailbox.Mailbox, person ids.Contact) {
	t.Helper()
	_, err := w.Rights.Enter(t.Context(), w.owner, rights.Wish{Kind: state.Access, Via: record.Letter, Proof: state.Link, Received: w.Vault.Now().Add(-72 * time.Hour).Format(time.DateOnly)}, person)
	must(t, err)
	letter, err := box.Wait(t.Context(), "eva@example.org")
	must(t, err)
	path := proofLink.FindString(letter.Text)
	tab.Goto(w.base + path)
	if r := w.newest(t); r.State != state.Verifying {
		t.Errorf("opening the link did something: %s", r.State)
	}
	tab.Follow(`form.form button`)
	w.copied(t, state.Link)
	tab.Goto(w.base + path)
	tab.Click(`form.form button`)
	tab.WaitText("body", "not valid any more")
}

func (w *world) provesByTheSite(t *testing.T, tab *browser.Tab) {
	t.Helper()
	kid, secret, err := w.Identity.AddSecret(t.Context(), w.owner)
	must(t, err)
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"user_id": "u-17", "exp": w.Vault.Now().Add(5 * time.Minute).Unix(), "jti": "1"})
	token.Header["kid"] = kid
	signed, err := token.SignedString([]byte(secret))
	must(t, err)
	site := "data:text/html," + url.PathEscape(fmt.Sprintf(`<form method="post" action="%s/my-data/signed/kowal"><input type="hidden" name="token" value="%s"><button>My data</button></form>`, w.base, signed))
	tab.Goto(site)
	tab.Click("button")
	tab.WaitText("body", "You need no code")
	tab.Follow(`form.form button`)
	w.copied(t, state.Signed)
	tab.Goto(site)
	tab.Click("button")
	tab.WaitVisible(`input[name="email"]`)
	tab.WaitText("body", "not valid any more")
}
