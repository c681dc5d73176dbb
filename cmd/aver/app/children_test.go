package app_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/personal"
	"aver/cmd/aver/app"
	"aver/frame/mail"
	"aver/frame/mail/mailbox"
	"aver/trust/children"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/inbox"
)

// playground is a scene in which the jobs run.
func playground(t *testing.T, change ...func(*app.Config)) scene {
	t.Helper()
	s := newScene(t, change...)
	must(t, s.Start(t.Context()))
	return s
}

func (s scene) says(t *testing.T, text string) {
	t.Helper()
	_, err := s.Inbox.Receive(t.Context(), s.visitor, inbox.Incoming{ClientID: uuid.Must(uuid.NewV7()).String(), Text: personal.Of(text)})
	must(t, err)
}

// reviews waits until there is what the test wants.
func (s scene) reviews(t *testing.T, what string, fits func([]children.Review) bool) []children.Review {
	t.Helper()
	var list []children.Review
	must(t, eventually.Holds(t.Context(), time.Minute, what, func() (bool, error) {
		var err error
		list, _, err = s.Children.List(t.Context(), s.owner)
		return fits(list), err
	}))
	return list
}

func one(state children.State) func([]children.Review) bool {
	return func(list []children.Review) bool { return len(list) == 1 && list[0].State == state }
}

// closed tells whether programs are kept away from the visitor, and whether the conversation is marked.
func (s scene) kept(t *testing.T) (closed, marked bool) {
	t.Helper()
	must(t, s.Vault.View(t.Context(), vaulttest.System(s.owner.Tenant()), actLook, func(tx *vault.Tx) error {
		limits, err := restriction.Of(tx, s.visitor.Subject())
		closed = len(limits) > 0
		return err
	}))
	labels, err := s.Inbox.Labels(t.Context(), s.owner)
	must(t, err)
	for _, l := range labels {
		rows, _, err := s.Inbox.List(t.Context(), s.owner, inbox.Filter{Label: l.ID})
		must(t, err)
		marked = marked || len(rows) == 1
	}
	return closed, marked
}

func TestAChildsWordOpensAReviewThatKeepsProgramsAway(t *testing.T) {
	t.Parallel()
	s := playground(t)
	s.says(t, "my son is 11 and I am 11 km away")
	s.says(t, "I am 11, can I buy a bike?")
	r := s.reviews(t, "a review is open", one(children.Open))[0]
	if r.Age != 11 || r.Contact != s.visitor.Subject() {
		t.Errorf("the review is %+v", r)
	}
	must(t, eventually.Holds(t.Context(), time.Minute, "programs are kept away", func() (bool, error) {
		closed, marked := s.kept(t)
		return closed && marked, nil
	}))
	if err := s.Children.Dismiss(t.Context(), vaulttest.User(s.owner.Tenant(), vault.Operator), r.ID); !errs.Is(err, errs.Forbidden) {
		t.Errorf("an operator decides: %v", err)
	}
	must(t, s.Children.Dismiss(t.Context(), s.owner, r.ID))
	if closed, marked := s.kept(t); closed || marked {
		t.Errorf("after it was dismissed: closed %v, marked %v", closed, marked)
	}
	if err := s.Children.Confirm(t.Context(), s.owner, r.ID); !errs.Is(err, errs.Conflict) {
		t.Errorf("confirming what was dismissed: %v", err)
	}
	has, err := s.Vault.HasKey(t.Context(), s.owner, s.visitor.Subject())
	if err != nil || !has {
		t.Errorf("a person that is no child was erased: %v", err)
	}
}

func TestAConfirmedChildIsErased(t *testing.T) {
	t.Parallel()
	s := playground(t)
	s.says(t, "ich bin 11")
	r := s.reviews(t, "a review is open", one(children.Open))[0]
	must(t, s.Children.Confirm(t.Context(), s.owner, r.ID))
	s.reviews(t, "the review says that the child was erased", one(children.Erased))
	has, err := s.Vault.HasKey(t.Context(), s.owner, s.visitor.Subject())
	if err != nil || has {
		t.Errorf("the child's key is still there: %v", err)
	}
}

func TestInStrictModeAChildIsErasedAtOnce(t *testing.T) {
	t.Parallel()
	s := playground(t)
	must(t, s.Children.SetStrict(t.Context(), s.owner, true))
	s.says(t, "j'ai onze ans")
	r := s.reviews(t, "the child is erased", one(children.Erased))[0]
	if !r.DecidedBy.IsZero() {
		t.Errorf("decided by %s", r.DecidedBy)
	}
	has, err := s.Vault.HasKey(t.Context(), s.owner, s.visitor.Subject())
	if err != nil || has {
		t.Errorf("the child's key is still there: %v", err)
	}
}

func TestAnAgeInAFieldOpensAReview(t *testing.T) {
	t.Parallel()
	s := playground(t)
	for _, a := range []attributes.Attribute{{Name: "age", Kind: attributes.Numeric}, {Name: "date_of_birth", Kind: attributes.Date}} {
		_, err := s.Contacts.Attributes.Define(t.Context(), s.owner, a)
		must(t, err)
	}
	grown, err := s.Contacts.Create(t.Context(), s.owner, contacts.Draft{Name: "Ada", Attributes: attributes.Values{"age": 41.0}})
	must(t, err)
	child, err := s.Contacts.Create(t.Context(), s.owner, contacts.Draft{Name: "Jo", Attributes: attributes.Values{"date_of_birth": time.Now().AddDate(-12, 0, 0).Format(time.DateOnly)}})
	must(t, err)
	r := s.reviews(t, "a review is open", one(children.Open))[0]
	if r.Contact != child.ID || r.Contact == grown.ID || r.Age != 12 {
		t.Errorf("the review is %+v", r)
	}
	_, err = s.Contacts.Claim(t.Context(), s.visitor, contacts.Draft{Attributes: attributes.Values{"age": 9.0}}, nil)
	must(t, err)
	s.reviews(t, "a second review is open", func(list []children.Review) bool { return len(list) == 2 })
}

// post is a mailbox, and what relays an installation's mail to it.
func post(t *testing.T) (*mailbox.Mailbox, func(*app.Config)) {
	t.Helper()
	box, err := mailbox.Start(mailbox.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, box.Close()) })
	host, text, err := net.SplitHostPort(box.Address())
	must(t, err)
	port, err := strconv.Atoi(text)
	must(t, err)
	return box, func(c *app.Config) {
		c.Mail = &mail.Sender{Host: host, Port: port, From: "Shop <privacy@shop.example>", Encryption: mail.Clear}
	}
}

func TestWhoLooksAfterDataProtectionIsMailedOnceAndWithoutAName(t *testing.T) {
	t.Parallel()
	box, relayed := post(t)
	s := playground(t, relayed)
	for address, role := range map[string]vault.Role{"dpo@shop.example": vault.DPO, "owner@shop.example": vault.Owner} {
		invitation, err := s.Identity.Invite(t.Context(), identity.System(s.owner.Tenant(), "test"), address, role)
		must(t, err)
		_, err = s.Identity.Accept(t.Context(), invitation, address, "Ada Kowal", "three old bicycles in rain")
		must(t, err)
	}
	s.says(t, "I am 11")
	letter, err := box.Wait(t.Context(), "dpo@shop.example")
	must(t, err)
	if !strings.Contains(letter.Text, "/settings/children") || strings.Contains(string(letter.Raw), "Maria") {
		t.Errorf("the letter is %q", letter.Text)
	}
	s.says(t, "really, I am 11")
	must(t, eventually.Holds(t.Context(), time.Minute, "the second message was read", func() (bool, error) {
		lag, err := s.Vault.Lag(t.Context(), s.owner.Tenant(), "children")
		return lag == 0, err
	}))
	s.reviews(t, "still one review", one(children.Open))
	if n := len(box.Mails()); n != 1 {
		t.Errorf("%d letters were sent, want one", n)
	}
}
