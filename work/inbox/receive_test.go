package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/consent"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

func TestAVisitorWritesAndAnOperatorAnswers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		ack := h.receive(t, visitor, "Is the lamp\r\nback in stock?\x00")
		if ack.Seq != 1 || ack.Duplicate || !ack.At.Equal(vaulttest.Start) {
			t.Errorf("acknowledged %+v", ack)
		}
		h.Clock.Advance(time.Minute)
		if got := h.reply(t, ack.Conversation, "It is."); got.Seq != 2 || got.Conversation != ack.Conversation {
			t.Errorf("replied %+v", got)
		}
		want := []string{"1 visitor Is the lamp\nback in stock?", "2 operator It is."}
		if got := h.transcript(t, visitor, ack.Conversation); !slices.Equal(got, want) {
			t.Errorf("the visitor reads %q", got)
		}
		list, _, err := h.inbox.History(t.Context(), visitor, ack.Conversation, 0, 10)
		must(t, err)
		if list[1].Name.Reveal() != "Ines Moreau" {
			t.Errorf("answered by %q", list[1].Name.Reveal())
		}
		c, err := h.inbox.Conversation(t.Context(), h.operator, ack.Conversation)
		must(t, err)
		if c.Assignee != h.operator.User() || c.Unread != 0 || c.ContactUnread != 1 || c.Preview.Reveal() != "It is." || c.LastSeq != 2 {
			t.Errorf("stands as %+v, preview %q", c, c.Preview.Reveal())
		}
	})
}

func TestAVisitorHasOneConversationUntilItIsNamed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		a, b := h.receive(t, visitor, "one"), h.receive(t, visitor, "two")
		if a.Conversation != b.Conversation || b.Seq != 2 {
			t.Errorf("%+v and %+v", a, b)
		}
		must(t, h.inbox.SetState(t.Context(), h.operator, a.Conversation, inbox.Closed, 0))
		c := h.receive(t, visitor, "three")
		now, err := h.inbox.Conversation(t.Context(), visitor, a.Conversation)
		must(t, err)
		if c.Conversation != a.Conversation || now.State != inbox.Open || now.Unread != 1 {
			t.Errorf("after closing %+v, state %s, %d unread", c, now.State, now.Unread)
		}
	})
}

// Whatever is sent again, in whatever order: each message is there once, numbered without a gap, in the order in which
// each was first acknowledged.
func TestSendingAgainNeverDoubles(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		rapid.Check(t, func(rt *rapid.T) {
			visitor := h.visitor(t, h.Tenant)
			clients := make([]string, rapid.IntRange(1, 5).Draw(rt, "messages"))
			for i := range clients {
				clients[i] = clientID()
			}
			var order []string
			first := map[string]int64{}
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, len(clients)-1), 1, 12).Draw(rt, "sent") {
				ack, err := h.inbox.Receive(context.Background(), visitor, inbox.Incoming{ClientID: clients[n], Text: personal.Of(fmt.Sprint("text ", n))})
				must(t, err)
				seq, again := first[clients[n]]
				if ack.Duplicate != again || again && ack.Seq != seq {
					rt.Fatalf("%+v, sent before: %v as %d", ack, again, seq)
				}
				if !again {
					first[clients[n]] = ack.Seq
					order = append(order, fmt.Sprint(len(order)+1, " visitor text ", n))
				}
				if got := h.transcript(t, visitor, ack.Conversation); !slices.Equal(got, order) {
					rt.Fatalf("stored %q, want %q", got, order)
				}
			}
		})
	})
}

func TestManyMessagesAtOnceAreNumberedWithoutAGap(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "first").Conversation
		const writers = 64
		seqs := make([]int64, writers)
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				var ack inbox.Ack
				var err error
				if i%2 == 0 {
					client := clientID()
					for range 2 { // every message twice
						ack, err = h.inbox.Receive(context.Background(), visitor, inbox.Incoming{Conversation: conv, ClientID: client, Text: personal.Of("hello")})
					}
				} else {
					operator := vaulttest.User(h.Tenant, vault.Operator)
					ack, err = h.inbox.Reply(context.Background(), operator, conv, inbox.Outgoing{ClientID: clientID(), Text: personal.Of("hello")})
				}
				if err != nil {
					t.Error(err)
				}
				seqs[i] = ack.Seq
			})
		}
		all.Wait()
		slices.Sort(seqs)
		for i, seq := range seqs {
			if seq != int64(i+2) {
				t.Fatalf("numbers %v", seqs)
			}
		}
		c, err := h.inbox.Conversation(t.Context(), visitor, conv)
		must(t, err)
		if c.LastSeq != writers+1 {
			t.Errorf("the last is %d", c.LastSeq)
		}
	})
}

func TestTheFirstMessagesAtOnceMakeOneConversation(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		var mu sync.Mutex
		made := map[ids.Conversation]bool{}
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				ack, err := h.inbox.Receive(context.Background(), visitor, inbox.Incoming{ClientID: clientID(), Text: personal.Of("hello")})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				made[ack.Conversation] = true
				mu.Unlock()
			})
		}
		all.Wait()
		if len(made) != 1 {
			t.Errorf("%d conversations", len(made))
		}
	})
}

func TestNothingIsTakenWithoutConsent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		ack := h.receive(t, visitor, "hello")
		must(t, h.consent.Withdraw(t.Context(), visitor, visitor.Subject(), consent.Support))
		_, err := h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: clientID(), Text: personal.Of("more")})
		refused(t, "a message", err, errs.ConsentRequired)
		_, err = h.inbox.Upload(t.Context(), visitor, visitor.Subject(), personal.Of("a.txt"), strings.NewReader("text"))
		refused(t, "a file", err, errs.ConsentRequired)
		_, err = h.inbox.Reply(t.Context(), h.operator, ack.Conversation, inbox.Outgoing{Text: personal.Of("still there?")})
		refused(t, "a reply", err, errs.ConsentRequired)
		h.note(t, ack.Conversation, "has withdrawn")
		if got := len(h.transcript(t, visitor, ack.Conversation)); got != 1 {
			t.Errorf("%d messages", got)
		}
	})
}

func TestAnErasedPersonIsGone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		ack := h.receive(t, visitor, "hello")
		_, err := h.inbox.Upload(t.Context(), visitor, visitor.Subject(), personal.Of("a.txt"), strings.NewReader("text"))
		must(t, err)
		must(t, h.Vault.EraseSubject(t.Context(), vaulttest.System(h.Tenant), actSeed, visitor.Subject(), "asked"))
		for range 2 { // before and after the rows are gone
			for _, conv := range []ids.Conversation{ack.Conversation, {}} {
				_, err := h.inbox.Receive(t.Context(), visitor, inbox.Incoming{Conversation: conv, ClientID: clientID(), Text: personal.Of("again")})
				refused(t, "a message", err, errs.Gone)
			}
			_, err = h.inbox.Upload(t.Context(), visitor, visitor.Subject(), personal.Of("a.txt"), strings.NewReader("text"))
			refused(t, "a file", err, errs.Gone)
			_, err := h.Vault.FinishErasures(t.Context(), h.Tenant)
			must(t, err)
		}
		_, err = h.inbox.Open(t.Context(), h.operator, ack.Conversation, 0)
		refused(t, "the conversation", err, errs.NotFound)
	})
}

func TestWhoeverIsBlockedIsRefusedUntilLetInAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor, merged := h.visitor(t, h.Tenant), h.visitor(t, h.Tenant)
		conv := map[ids.Contact]ids.Conversation{visitor.Subject(): h.receive(t, visitor, "hello").Conversation, merged.Subject(): h.receive(t, merged, "hello").Conversation}
		must(t, h.contacts.Merge(t.Context(), h.operator, merged.Subject(), visitor.Subject(), ""))
		attempts := func(who vault.Actor) map[string]error {
			_, message := h.inbox.Receive(t.Context(), who, inbox.Incoming{ClientID: clientID(), Text: personal.Of("more")})
			_, file := h.inbox.Upload(t.Context(), who, who.Subject(), personal.Of("a.txt"), strings.NewReader("text"))
			return map[string]error{"a message": message, "a file": file, "typing": h.inbox.Typing(t.Context(), who, conv[who.Subject()], true)}
		}
		must(t, h.contacts.Block(t.Context(), h.operator, visitor.Subject(), true))
		for _, who := range []vault.Actor{visitor, merged} {
			for what, err := range attempts(who) {
				refused(t, what, err, errs.Forbidden)
			}
			if got := len(h.transcript(t, who, conv[who.Subject()])); got != 1 {
				t.Errorf("%d messages", got)
			}
		}
		h.reply(t, conv[visitor.Subject()], "An answer is still possible.")
		must(t, h.contacts.Block(t.Context(), h.operator, visitor.Subject(), false))
		for _, who := range []vault.Actor{visitor, merged} {
			for what, err := range attempts(who) {
				if err != nil {
					t.Errorf("%s after it: %v", what, err)
				}
			}
		}
	})
}

func TestAVisitorHandsInSoManyFilesADay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor, other := h.visitor(t, h.Tenant), h.visitor(t, h.Tenant)
		hand := func(who vault.Actor, text string) (inbox.File, error) {
			return h.inbox.Upload(t.Context(), who, visitor.Subject(), personal.Of("a.txt"), strings.NewReader(text))
		}
		first, err := hand(visitor, "claimed by a message")
		must(t, err)
		_, err = h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: clientID(), Text: personal.Of("x"), Attachments: []ids.Object{first.ID}})
		must(t, err)
		for range 20 {
			_, err := hand(visitor, "waits for a message")
			must(t, err)
		}
		_, err = hand(visitor, "one too many")
		refused(t, "the twenty-first without a message", err, errs.TooLarge)
		_, err = h.inbox.Upload(t.Context(), other, other.Subject(), personal.Of("a.txt"), strings.NewReader("of another"))
		must(t, err)
		_, err = hand(h.operator, "of one who answers")
		must(t, err)
		h.Clock.Advance(25 * time.Hour)
		_, err = hand(visitor, "the next day")
		must(t, err)
	})
}

func TestAVisitorHandsInSoManyBytesADay(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	visitor := h.visitor(t, h.Tenant)
	large := strings.Repeat("x", 20<<20)
	var all sync.WaitGroup
	var taken, over atomic.Int64
	for range 12 { // ten fit; some of them at once
		all.Go(func() {
			_, err := h.inbox.Upload(context.Background(), visitor, visitor.Subject(), personal.Of("a.txt"), strings.NewReader(large))
			for errs.Is(err, errs.Unavailable) {
				_, err = h.inbox.Upload(context.Background(), visitor, visitor.Subject(), personal.Of("a.txt"), strings.NewReader(large))
			}
			switch {
			case err == nil:
				taken.Add(1)
			case errs.Is(err, errs.TooLarge):
				over.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	files, err := filepath.Glob(filepath.Join(h.Folder, "blobs", h.Tenant.String(), "*"))
	must(t, err)
	if taken.Load() != 10 || over.Load() != 2 || len(files) != 10 {
		t.Errorf("%d taken, %d refused, %d files kept", taken.Load(), over.Load(), len(files))
	}
}

func TestForeignIdentifiersAreLikeThoseThatDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		mine := h.visitor(t, h.Tenant)
		own := h.receive(t, mine, "mine").Conversation
		ctx, made := t.Context(), ids.NewConversation(vaulttest.Start)
		sent := inbox.Incoming{ClientID: clientID(), Text: personal.Of("x")}
		outsider := vaulttest.User(h.Other, vault.Owner)
		for who, actor := range map[string]vault.Actor{"another visitor": h.visitor(t, h.Tenant), "another tenant's visitor": h.visitor(t, h.Other), "another tenant's owner": outsider} {
			var said []string
			for _, conv := range []ids.Conversation{made, own} {
				in := sent
				in.Conversation = conv
				_, err1 := h.inbox.Receive(ctx, actor, in)
				_, err2 := h.inbox.Reply(ctx, actor, conv, inbox.Outgoing{Text: personal.Of("x")})
				_, _, err3 := h.inbox.History(ctx, actor, conv, 0, 10)
				_, _, err4 := h.inbox.Since(ctx, actor, conv, "", 0)
				_, err5 := h.inbox.Conversation(ctx, actor, conv)
				said = append(said, fmt.Sprint(err1, err2, err3, err4, err5, h.inbox.MarkRead(ctx, actor, conv, 1), h.inbox.Typing(ctx, actor, conv, true),
					h.inbox.SetState(ctx, actor, conv, inbox.Closed, 0), h.inbox.Assign(ctx, actor, conv, assigned(ids.User{}, inbox.TeamID{})), h.inbox.Redact(ctx, actor, conv, 1, 0)))
			}
			if said[0] != said[1] || strings.Contains(said[1], "<nil>") {
				t.Errorf("%s is told %q of one that exists and %q of one that does not", who, said[1], said[0])
			}
		}
		f, err := h.inbox.Upload(ctx, mine, mine.Subject(), personal.Of("a.txt"), strings.NewReader("text"))
		must(t, err)
		other := h.visitor(t, h.Tenant)
		taken := clientID()
		_, err = h.inbox.Receive(ctx, mine, inbox.Incoming{ClientID: taken, Text: personal.Of("x")})
		must(t, err)
		_, err = h.inbox.Receive(ctx, other, inbox.Incoming{ClientID: taken, Text: personal.Of("x")})
		refused(t, "another's client id", err, errs.Conflict)
		_, err = h.inbox.Receive(ctx, other, inbox.Incoming{ClientID: clientID(), Text: personal.Of("x"), Attachments: []ids.Object{f.ID}})
		refused(t, "another's upload in a message", err, errs.NotFound)
		_, _, err = h.inbox.Attachment(ctx, other, f.ID)
		refused(t, "another's file", err, errs.NotFound)
		_, _, err = h.inbox.Attachment(ctx, outsider, f.ID)
		refused(t, "a file from another tenant", err, errs.NotFound)
	})
}

func TestMessagesMustBeMessages(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		for name, c := range map[string]struct {
			in   inbox.Incoming
			kind errs.Kind
		}{
			"nothing":            {inbox.Incoming{ClientID: clientID()}, errs.Invalid},
			"white space":        {inbox.Incoming{ClientID: clientID(), Text: personal.Of(" \n\u00a0 ")}, errs.Invalid},
			"control characters": {inbox.Incoming{ClientID: clientID(), Text: personal.Of("\x01\x02")}, errs.Invalid},
			"too long":           {inbox.Incoming{ClientID: clientID(), Text: personal.Of(strings.Repeat("ä", 10_001))}, errs.TooLarge},
			"long in a frame":    {inbox.Incoming{ClientID: clientID(), Text: personal.Of(strings.Repeat("<", 10_000))}, errs.TooLarge},
			"no client id":       {inbox.Incoming{Text: personal.Of("x")}, errs.Invalid},
			"a short client id":  {inbox.Incoming{ClientID: "1", Text: personal.Of("x")}, errs.Invalid},
			"a zero client id":   {inbox.Incoming{ClientID: "00000000-0000-0000-0000-000000000000", Text: personal.Of("x")}, errs.Invalid},
			"capitals":           {inbox.Incoming{ClientID: strings.ToUpper("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"), Text: personal.Of("x")}, errs.Invalid},
			"many attachments":   {inbox.Incoming{ClientID: clientID(), Text: personal.Of("x"), Attachments: make([]ids.Object, 11)}, errs.TooLarge},
			"an absent upload":   {inbox.Incoming{ClientID: clientID(), Text: personal.Of("x"), Attachments: []ids.Object{ids.NewObject(vaulttest.Start)}}, errs.NotFound},
			"a zero upload":      {inbox.Incoming{ClientID: clientID(), Text: personal.Of("x"), Attachments: make([]ids.Object, 1)}, errs.NotFound},
		} {
			_, err := h.inbox.Receive(t.Context(), visitor, c.in)
			refused(t, name, err, c.kind)
		}
		exact := strings.Repeat("ä", 10_000)
		h.receive(t, visitor, exact)
		odd := "a\u0301 <b>x</b>\tq \xff"
		ack := h.receive(t, visitor, odd)
		got := h.transcript(t, visitor, ack.Conversation)
		if got[1] != "2 visitor á <b>x</b>\tq \uFFFD" || !strings.HasSuffix(got[0], exact) {
			t.Errorf("stored %q", got[1])
		}
	})
}

func TestACardNumberIsNeverStored(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	visitor := h.visitor(t, h.Tenant)
	for _, text := range []string{"4111 1111 1111 1111", "my card is 5555-5555-5555-4444", "٤١١١١١١١١١١١١١١١"} {
		ack := h.receive(t, visitor, text)
		h.note(t, ack.Conversation, text)
		h.reply(t, ack.Conversation, text)
	}
	must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), actSeed, func(tx *vault.Tx) error {
		all, err := inbox.Messages.Find(tx, "ORDER BY conversation LIMIT 100")
		for _, l := range all {
			if !strings.Contains(l.Body.Reveal(), "••••") {
				t.Errorf("stored %q", l.Body.Reveal())
			}
		}
		convs, err2 := inbox.Conversations.Find(tx, "ORDER BY id LIMIT 100")
		for _, c := range convs {
			if !strings.Contains(c.Preview.Reveal(), "••••") {
				t.Errorf("preview %q", c.Preview.Reveal())
			}
		}
		return errors.Join(err, err2)
	}))
}

func TestNothingPersonalLiesInTheFiles(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	visitor := h.visitor(t, h.Tenant)
	f, err := h.inbox.Upload(t.Context(), visitor, visitor.Subject(), personal.Of("kanarek-name.txt"), strings.NewReader("kanarek-content"))
	must(t, err)
	_, err = h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: clientID(), Text: personal.Of("kanarek-text"), Attachments: []ids.Object{f.ID}, ReplyTo: personal.Of("kanarek@example.com")})
	must(t, err)
	_, err = h.inbox.SaveLabel(t.Context(), h.operator, inbox.Label{Name: "kanarek-label"})
	must(t, err)
	must(t, filepath.WalkDir(h.Folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if strings.Contains(string(raw), "kanarek") {
			t.Errorf("%s holds it", path)
		}
		return err
	}))
}
