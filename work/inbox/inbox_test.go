package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
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
		must(t, h.inbox.SetState(t.Context(), h.operator, a.Conversation, inbox.Closed))
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
				clients[i] = uuid()
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
					client := uuid()
					for range 2 { // every message twice
						ack, err = h.inbox.Receive(context.Background(), visitor, inbox.Incoming{Conversation: conv, ClientID: client, Text: personal.Of("hello")})
					}
				} else {
					operator := vaulttest.User(h.Tenant, vault.Operator)
					ack, err = h.inbox.Reply(context.Background(), operator, conv, inbox.Outgoing{ClientID: uuid(), Text: personal.Of("hello")})
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
				ack, err := h.inbox.Receive(context.Background(), visitor, inbox.Incoming{ClientID: uuid(), Text: personal.Of("hello")})
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
		_, err := h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: uuid(), Text: personal.Of("more")})
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
				_, err := h.inbox.Receive(t.Context(), visitor, inbox.Incoming{Conversation: conv, ClientID: uuid(), Text: personal.Of("again")})
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

func TestNotesStayWithTheTeam(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "one").Conversation
		h.note(t, conv, "canary-note-1")
		h.note(t, conv, "canary-note-2")
		h.receive(t, visitor, "two")
		if got, want := h.transcript(t, visitor, conv), []string{"1 visitor one", "2 visitor two"}; !slices.Equal(got, want) {
			t.Errorf("the visitor reads %q", got)
		}
		if got, want := h.transcript(t, h.operator, conv), []string{"1 visitor one", "1 note canary-note-1", "1 note canary-note-2", "2 visitor two"}; !slices.Equal(got, want) {
			t.Errorf("the team reads %q", got)
		}
		c, err := h.inbox.Conversation(t.Context(), visitor, conv)
		must(t, err)
		for _, actor := range []vault.Actor{visitor, h.operator} {
			missed, recovered, err := h.inbox.Since(t.Context(), actor, conv, c.Epoch.String(), 0)
			must(t, err)
			if !recovered || strings.Contains(strings.Join(lines(missed), " "), "canary") || len(missed) != 2 {
				t.Errorf("since: %v %q", recovered, lines(missed))
			}
		}
		if strings.Contains(c.Preview.Reveal(), "canary") {
			t.Error("the preview shows a note")
		}
	})
}

func TestForeignIdentifiersAreLikeThoseThatDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		mine := h.visitor(t, h.Tenant)
		own := h.receive(t, mine, "mine").Conversation
		ctx, made := t.Context(), ids.NewConversation(vaulttest.Start)
		sent := inbox.Incoming{ClientID: uuid(), Text: personal.Of("x")}
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
					h.inbox.SetState(ctx, actor, conv, inbox.Closed), h.inbox.Assign(ctx, actor, conv, ids.User{}, inbox.TeamID{}), h.inbox.Redact(ctx, actor, conv, 1, 0)))
			}
			if said[0] != said[1] || strings.Contains(said[1], "<nil>") {
				t.Errorf("%s is told %q of one that exists and %q of one that does not", who, said[1], said[0])
			}
		}
		f, err := h.inbox.Upload(ctx, mine, mine.Subject(), personal.Of("a.txt"), strings.NewReader("text"))
		must(t, err)
		other := h.visitor(t, h.Tenant)
		taken := uuid()
		_, err = h.inbox.Receive(ctx, mine, inbox.Incoming{ClientID: taken, Text: personal.Of("x")})
		must(t, err)
		_, err = h.inbox.Receive(ctx, other, inbox.Incoming{ClientID: taken, Text: personal.Of("x")})
		refused(t, "another's client id", err, errs.Conflict)
		_, err = h.inbox.Receive(ctx, other, inbox.Incoming{ClientID: uuid(), Text: personal.Of("x"), Attachments: []ids.Object{f.ID}})
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
			"nothing":            {inbox.Incoming{ClientID: uuid()}, errs.Invalid},
			"white space":        {inbox.Incoming{ClientID: uuid(), Text: personal.Of(" \n\u00a0 ")}, errs.Invalid},
			"control characters": {inbox.Incoming{ClientID: uuid(), Text: personal.Of("\x01\x02")}, errs.Invalid},
			"too long":           {inbox.Incoming{ClientID: uuid(), Text: personal.Of(strings.Repeat("ä", 10_001))}, errs.TooLarge},
			"long in a frame":    {inbox.Incoming{ClientID: uuid(), Text: personal.Of(strings.Repeat("<", 10_000))}, errs.TooLarge},
			"no client id":       {inbox.Incoming{Text: personal.Of("x")}, errs.Invalid},
			"a short client id":  {inbox.Incoming{ClientID: "1", Text: personal.Of("x")}, errs.Invalid},
			"a zero client id":   {inbox.Incoming{ClientID: "00000000-0000-0000-0000-000000000000", Text: personal.Of("x")}, errs.Invalid},
			"capitals":           {inbox.Incoming{ClientID: strings.ToUpper("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"), Text: personal.Of("x")}, errs.Invalid},
			"many attachments":   {inbox.Incoming{ClientID: uuid(), Text: personal.Of("x"), Attachments: make([]ids.Object, 11)}, errs.TooLarge},
			"an absent upload":   {inbox.Incoming{ClientID: uuid(), Text: personal.Of("x"), Attachments: []ids.Object{ids.NewObject(vaulttest.Start)}}, errs.NotFound},
			"a zero upload":      {inbox.Incoming{ClientID: uuid(), Text: personal.Of("x"), Attachments: make([]ids.Object, 1)}, errs.NotFound},
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
	_, err = h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: uuid(), Text: personal.Of("kanarek-text"), Attachments: []ids.Object{f.ID}, ReplyTo: personal.Of("kanarek@example.com")})
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

func TestHistoryGoesBackInPagesThatFitIntoAFrame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		var conv ids.Conversation
		for i := range 25 {
			conv = h.receive(t, visitor, strings.Repeat("ж", 2000)+fmt.Sprint(i)).Conversation
			if i%5 == 0 {
				h.note(t, conv, fmt.Sprint("note ", i))
			}
		}
		for _, actor := range []vault.Actor{visitor, h.operator} {
			before, seen := int64(0), []int64(nil)
			for more := true; more; {
				list, next, err := h.inbox.History(t.Context(), actor, conv, before, 20)
				must(t, err)
				if size := len(strings.Join(lines(list), "")); size > 60_000 || len(list) == 0 {
					t.Fatalf("%d bytes in %d messages", size, len(list))
				}
				for _, m := range slices.Backward(list) {
					if m.Note == 0 {
						seen = append(seen, m.Seq)
					}
				}
				before, more = list[0].Seq, next
			}
			for i, seq := range seen {
				if seq != int64(25-i) {
					t.Fatalf("read back %v", seen)
				}
			}
			if len(seen) != 25 {
				t.Errorf("%d messages read back", len(seen))
			}
		}
	})
}

func TestSinceIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "1").Conversation
		for i := range 4 {
			h.receive(t, visitor, fmt.Sprint(i+2))
		}
		c, err := h.inbox.Conversation(t.Context(), visitor, conv)
		must(t, err)
		for name, q := range map[string]struct {
			epoch  string
			offset int64
			want   []string
			ok     bool
		}{
			"some":            {c.Epoch.String(), 3, []string{"4 visitor 4", "5 visitor 5"}, true},
			"none":            {c.Epoch.String(), 5, nil, true},
			"another epoch":   {ids.NewObject(vaulttest.Start).String(), 3, nil, false},
			"nothing known":   {"", 0, nil, false},
			"from the future": {c.Epoch.String(), 6, nil, false},
			"negative":        {c.Epoch.String(), -1, nil, false},
		} {
			got, ok, err := h.inbox.Since(t.Context(), visitor, conv, q.epoch, q.offset)
			if err != nil || ok != q.ok || !slices.Equal(lines(got), q.want) {
				t.Errorf("%s: %q %v %v", name, lines(got), ok, err)
			}
		}
		for range 4 {
			h.receive(t, visitor, strings.Repeat("ж", 9000))
		}
		if got, ok, err := h.inbox.Since(t.Context(), visitor, conv, c.Epoch.String(), 5); ok || got != nil || err != nil {
			t.Errorf("more than a frame: %d messages, %v, %v", len(got), ok, err)
		}
	})
}

func TestASnoozedConversationComesBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "hello").Conversation
		state := func() inbox.State {
			c, err := h.inbox.Conversation(t.Context(), h.operator, conv)
			must(t, err)
			return c.State
		}
		soon, later := vaulttest.Start.Add(time.Hour), vaulttest.Start.Add(3*time.Hour)
		must(t, h.inbox.Snooze(t.Context(), h.operator, conv, soon))
		must(t, h.inbox.Snooze(t.Context(), h.operator, conv, later))
		if want := "conversation.wake " + conv.String() + " 2026-11-22T12:00:00Z"; len(h.queue.due) != 2 || h.queue.due[1] != want {
			t.Errorf("due: %q", h.queue.due)
		}
		wake := func() { must(t, inbox.Wake(h.inbox, t.Context(), jobs.Job{Tenant: h.Tenant, ID: conv.String()})) }
		h.Clock.Advance(time.Hour)
		if wake(); state() != inbox.Snoozed {
			t.Error("the first job woke it, although it was snoozed again")
		}
		h.Clock.Advance(2 * time.Hour)
		if wake(); state() != inbox.Open {
			t.Errorf("after its time it is %s", state())
		}
		must(t, h.inbox.Snooze(t.Context(), h.operator, conv, later.Add(time.Hour)))
		if h.receive(t, visitor, "still waiting"); state() != inbox.Open {
			t.Errorf("after a message it is %s", state())
		}
		refused(t, "a time that has passed", h.inbox.Snooze(t.Context(), h.operator, conv, soon), errs.Invalid)
		refused(t, "a time too far", h.inbox.Snooze(t.Context(), h.operator, conv, soon.AddDate(2, 0, 0)), errs.Invalid)
		must(t, inbox.Wake(h.inbox, t.Context(), jobs.Job{Tenant: h.Tenant, ID: ids.NewConversation(soon).String()}))
	})
}

func TestListsShowWhatIsAskedForNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		urgent, err := h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: "Urgent", Hue: 5})
		must(t, err)
		billing, err := h.inbox.SaveTeam(ctx, vaulttest.User(h.Tenant, vault.Owner), inbox.Staffed{Team: inbox.Team{Name: "Billing"}, Members: []ids.User{h.operator.User()}})
		must(t, err)
		var convs []ids.Conversation
		for i := range 7 {
			h.Clock.Advance(time.Minute)
			conv := h.receive(t, h.visitor(t, h.Tenant), fmt.Sprint("message ", i)).Conversation
			convs = append(convs, conv)
			switch i {
			case 1:
				must(t, h.inbox.SetState(ctx, h.operator, conv, inbox.Closed))
			case 2, 3:
				must(t, h.inbox.Assign(ctx, h.operator, conv, h.operator.User(), billing.ID))
			case 4:
				must(t, h.inbox.Snooze(ctx, h.operator, conv, vaulttest.Start.Add(24*time.Hour)))
			}
			if i%3 == 0 {
				must(t, h.inbox.SetLabel(ctx, h.operator, conv, urgent.ID, true))
				must(t, h.inbox.SetLabel(ctx, h.operator, conv, urgent.ID, true))
			}
		}
		h.receive(t, h.visitor(t, h.Other), "somebody else's")
		for name, q := range map[string]struct {
			filter inbox.Filter
			want   []int
		}{
			"open":         {inbox.Filter{}, []int{6, 5, 3, 2, 0}},
			"closed":       {inbox.Filter{State: inbox.Closed}, []int{1}},
			"snoozed":      {inbox.Filter{State: inbox.Snoozed}, []int{4}},
			"mine":         {inbox.Filter{Assignee: h.operator.User()}, []int{3, 2}},
			"unassigned":   {inbox.Filter{Unassigned: true}, []int{6, 5, 0}},
			"team":         {inbox.Filter{Team: billing.ID}, []int{3, 2}},
			"label":        {inbox.Filter{Label: urgent.ID}, []int{6, 3, 0}},
			"label, mine":  {inbox.Filter{Label: urgent.ID, Assignee: h.operator.User()}, []int{3}},
			"other team":   {inbox.Filter{Team: inbox.TeamID{1}}, nil},
			"after others": {inbox.Filter{After: inbox.Cursor{At: vaulttest.Start.Add(6 * time.Minute), ID: convs[5]}}, []int{3, 2, 0}},
		} {
			rows, next, err := h.inbox.List(ctx, h.operator, q.filter)
			must(t, err)
			var got []int
			for _, r := range rows {
				got = append(got, slices.Index(convs, r.ID))
				if r.Person.Name.Reveal() != "Maria Kowal" || r.Preview.Reveal() != fmt.Sprint("message ", got[len(got)-1]) {
					t.Errorf("%s: row of %q says %q", name, r.Person.Name.Reveal(), r.Preview.Reveal())
				}
			}
			if !slices.Equal(got, q.want) || !next.IsZero() {
				t.Errorf("%s: %v, next %v", name, got, next)
			}
		}
		var paged []ids.Conversation
		for f := (inbox.Filter{Limit: 2}); ; {
			rows, next, err := h.inbox.List(ctx, h.operator, f)
			must(t, err)
			for _, r := range rows {
				paged = append(paged, r.ID)
			}
			if f.After = next; next.IsZero() {
				break
			}
		}
		if len(paged) != 5 || paged[4] != convs[0] {
			t.Errorf("in pages: %v", paged)
		}
		n, err := h.inbox.Counts(ctx, h.operator)
		must(t, err)
		if n != (inbox.Counts{All: 5, Mine: 2, Unassigned: 3}) {
			t.Errorf("counts %+v", n)
		}
		row, err := h.inbox.Row(ctx, h.operator, convs[3])
		must(t, err)
		if row.Assigned.Reveal() != "Ines Moreau" || len(row.Labels) != 1 || row.Labels[0].Name != "Urgent" {
			t.Errorf("row %+v", row)
		}
	})
}

func TestWordsAreFoundInMessagesAndNotes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "The Orléans lamp arrived broken").Conversation
		other := h.receive(t, h.visitor(t, h.Tenant), "Another thing").Conversation
		h.note(t, other, "broken promise")
		search := func(words string) []ids.Conversation {
			rows, err := h.inbox.Search(t.Context(), h.operator, words)
			must(t, err)
			var out []ids.Conversation
			for _, r := range rows {
				out = append(out, r.ID)
			}
			return out
		}
		eventually(t, func() bool { return len(search("broken")) == 2 })
		if got := search("orleans lam"); len(got) != 1 || got[0] != conv {
			t.Errorf("found %v", got)
		}
		if got := search("absent"); len(got) != 0 {
			t.Errorf("found %v", got)
		}
		must(t, h.inbox.Redact(t.Context(), h.operator, conv, 1, 0))
		eventually(t, func() bool { return len(search("broken")) == 1 })
		_, err := h.inbox.Search(t.Context(), visitor, "broken")
		refused(t, "a visitor's search", err, errs.Forbidden)
	})
}

// eventually waits for what a follower does in its own time.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

func TestReadMarksMoveForwardAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "1").Conversation
		h.reply(t, conv, "2")
		h.reply(t, conv, "3")
		h.receive(t, visitor, "4") // who answers has read
		h.receive(t, visitor, "5")
		h.reply(t, conv, "6")
		h.reply(t, conv, "7")
		at := func() string {
			c, err := h.inbox.Conversation(t.Context(), h.operator, conv)
			must(t, err)
			return fmt.Sprint(c.ReadSeq, c.Unread, c.ContactReadSeq, c.ContactUnread)
		}
		if got := at(); got != "7 0 5 2" {
			t.Errorf("before: %s", got)
		}
		must(t, h.inbox.MarkRead(t.Context(), visitor, conv, 6))
		if got := at(); got != "7 0 6 1" {
			t.Errorf("after 6: %s", got)
		}
		must(t, h.inbox.MarkRead(t.Context(), visitor, conv, 2))
		must(t, h.inbox.MarkRead(t.Context(), visitor, conv, 99))
		if got := at(); got != "7 0 7 0" {
			t.Errorf("after all: %s", got)
		}
		h.receive(t, visitor, "8")
		h.receive(t, visitor, "9")
		must(t, h.inbox.MarkRead(t.Context(), h.operator, conv, 8))
		if got := at(); got != "8 1 9 0" {
			t.Errorf("ours: %s", got)
		}
		before, _, _, err := h.Vault.Head(t.Context(), h.Tenant)
		must(t, err)
		must(t, h.inbox.MarkRead(t.Context(), h.operator, conv, 8))
		if after, _, _, _ := h.Vault.Head(t.Context(), h.Tenant); after != before {
			t.Error("reading the same again was written down")
		}
	})
}

func TestAMessageTakenOutIsGoneForEverybody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		f, err := h.inbox.Upload(t.Context(), visitor, visitor.Subject(), personal.Of("a.txt"), strings.NewReader("secret"))
		must(t, err)
		ack, err := h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: uuid(), Text: personal.Of("secret"), Attachments: []ids.Object{f.ID}})
		must(t, err)
		must(t, h.inbox.Redact(t.Context(), h.operator, ack.Conversation, 1, 0))
		must(t, h.inbox.Redact(t.Context(), h.operator, ack.Conversation, 1, 0))
		list, _, err := h.inbox.History(t.Context(), visitor, ack.Conversation, 0, 10)
		must(t, err)
		if len(list) != 1 || !list[0].Redacted || !list[0].Text.IsZero() || len(list[0].Files) != 0 {
			t.Errorf("left: %+v", list)
		}
		_, _, err = h.inbox.Attachment(t.Context(), h.operator, f.ID)
		refused(t, "its file", err, errs.NotFound)
		c, err := h.inbox.Conversation(t.Context(), h.operator, ack.Conversation)
		must(t, err)
		if !c.Preview.IsZero() {
			t.Errorf("preview %q", c.Preview.Reveal())
		}
		refused(t, "a message that is not there", h.inbox.Redact(t.Context(), h.operator, ack.Conversation, 2, 0), errs.NotFound)
	})
}

func TestAttachmentsBelongToOneMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		up := func(actor vault.Actor, name string) ids.Object {
			h.Clock.Advance(time.Second)
			f, err := h.inbox.Upload(t.Context(), actor, visitor.Subject(), personal.Of(name), strings.NewReader("words of "+name))
			must(t, err)
			return f.ID
		}
		a := up(visitor, "a.txt")
		client := uuid()
		in := inbox.Incoming{ClientID: client, Attachments: []ids.Object{a}}
		ack, err := h.inbox.Receive(t.Context(), visitor, in)
		must(t, err)
		if again, err := h.inbox.Receive(t.Context(), visitor, in); err != nil || !again.Duplicate || again.Seq != ack.Seq {
			t.Errorf("sent again: %+v, %v", again, err)
		}
		in.ClientID = uuid()
		_, err = h.inbox.Receive(t.Context(), visitor, in)
		refused(t, "used twice", err, errs.NotFound)
		b := up(visitor, "b.txt")
		_, err = h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: uuid(), Attachments: []ids.Object{b, b}})
		refused(t, "twice in one", err, errs.NotFound)
		_, err = h.inbox.Reply(t.Context(), h.operator, ack.Conversation, inbox.Outgoing{Attachments: []ids.Object{b}})
		refused(t, "the visitor's by us", err, errs.NotFound)

		ours, hidden := up(h.operator, "c.txt"), up(h.operator, "d.txt")
		_, _, err = h.inbox.Attachment(t.Context(), visitor, ours)
		refused(t, "ours before it is sent", err, errs.NotFound)
		_, err = h.inbox.Reply(t.Context(), h.operator, ack.Conversation, inbox.Outgoing{Text: personal.Of("here"), Attachments: []ids.Object{ours}})
		must(t, err)
		_, err = h.inbox.Reply(t.Context(), h.operator, ack.Conversation, inbox.Outgoing{Note: true, Attachments: []ids.Object{hidden}})
		must(t, err)
		f, content, err := h.inbox.Attachment(t.Context(), visitor, ours)
		must(t, err)
		text, err := io.ReadAll(content)
		if string(text) != "words of c.txt" || f.Name.Reveal() != "c.txt" || f.Kind != "text/plain" || err != nil {
			t.Errorf("read %q of %+v, %v", text, f, err)
		}
		_, _, err = h.inbox.Attachment(t.Context(), visitor, hidden)
		refused(t, "a note's file", err, errs.NotFound)
		if _, _, err := h.inbox.Attachment(t.Context(), h.operator, hidden); err != nil {
			t.Errorf("a note's file for us: %v", err)
		}
		h.Clock.Advance(25 * time.Hour)
		_, err = h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: uuid(), Attachments: []ids.Object{b}})
		refused(t, "a day later", err, errs.NotFound)
		must(t, h.inbox.SweepUploads(t.Context()))
		_, _, err = h.inbox.Attachment(t.Context(), visitor, b)
		refused(t, "swept", err, errs.NotFound)
		if _, _, err := h.inbox.Attachment(t.Context(), visitor, a); err != nil {
			t.Errorf("one that was sent: %v", err)
		}
		must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), actSeed, func(tx *vault.Tx) error {
			_, err := inbox.Messages.DeleteWhere(tx, "seq = 1")
			return err
		}))
		must(t, h.inbox.SweepUploads(t.Context()))
		_, _, err = h.inbox.Attachment(t.Context(), h.operator, a)
		refused(t, "of a message that is gone", err, errs.NotFound)
	})
}

func TestEveryLookAtAConversationIsInTheLog(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "hello").Conversation
		thread, err := h.inbox.Open(t.Context(), h.operator, conv, 0)
		must(t, err)
		if len(thread.Messages) != 1 || thread.More || len(thread.Others) != 1 || thread.Person.Name.Reveal() != "Maria Kowal" {
			t.Errorf("opened %+v", thread)
		}
		size, _, _, err := h.Vault.Head(t.Context(), h.Tenant)
		must(t, err)
		entries, err := h.Vault.Entries(t.Context(), h.Tenant, size-1, 1)
		must(t, err)
		if e := entries[0]; e.Action != "conversation.read" || e.Subject != visitor.Subject() || e.Actor != h.operator.ID() {
			t.Errorf("the log says %+v", e)
		}
		_, err = h.inbox.Open(t.Context(), vaulttest.User(h.Tenant, vault.Auditor), conv, 0)
		refused(t, "an auditor", err, errs.Forbidden)
		_, err = h.inbox.Open(t.Context(), vaulttest.Key(h.Tenant, "contacts:read"), conv, 0)
		refused(t, "a key without the scope", err, errs.Forbidden)
		if _, err = h.inbox.Open(t.Context(), vaulttest.Key(h.Tenant, "conversations:read"), conv, 0); err != nil {
			t.Errorf("a key with the scope: %v", err)
		}
	})
}

func TestSettingsAreCheckedAndUnique(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, owner := t.Context(), vaulttest.User(h.Tenant, vault.Owner)
		l, err := h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: "  VIP  guest ", Hue: 3})
		must(t, err)
		_, err = h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: "vip guest"})
		refused(t, "a second of the name", err, errs.Conflict)
		_, err = h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: strings.Repeat("x", 61)})
		refused(t, "a long name", err, errs.Invalid)
		_, err = h.inbox.SaveLabel(ctx, h.operator, inbox.Label{Name: "x", Hue: 9})
		refused(t, "a colour", err, errs.Invalid)
		_, err = h.inbox.SaveLabel(ctx, h.operator, inbox.Label{ID: inbox.LabelID{1}, Name: "x"})
		refused(t, "an absent one", err, errs.NotFound)
		l.Name = "Guest"
		_, err = h.inbox.SaveLabel(ctx, h.operator, l)
		must(t, err)
		labels, err := h.inbox.Labels(ctx, h.operator)
		must(t, err)
		if len(labels) != 1 || labels[0].Name != "Guest" || labels[0].Hue != 3 || !labels[0].CreatedAt.Equal(vaulttest.Start) {
			t.Errorf("labels %+v", labels)
		}
		conv := h.receive(t, h.visitor(t, h.Tenant), "hello").Conversation
		must(t, h.inbox.SetLabel(ctx, h.operator, conv, l.ID, true))
		must(t, h.inbox.DeleteLabel(ctx, h.operator, l.ID))
		row, err := h.inbox.Row(ctx, h.operator, conv)
		must(t, err)
		if len(row.Labels) != 0 {
			t.Errorf("still worn: %v", row.Labels)
		}
		refused(t, "a label that is gone", h.inbox.SetLabel(ctx, h.operator, conv, l.ID, true), errs.NotFound)

		m, err := h.inbox.SaveMacro(ctx, h.operator, inbox.Macro{Shortcut: "/Hours", Text: "We answer from 9 to 17."})
		must(t, err)
		if m.Shortcut != "hours" || m.ID.IsZero() {
			t.Errorf("macro %+v", m)
		}
		_, err = h.inbox.SaveMacro(ctx, h.operator, inbox.Macro{Shortcut: "HOURS", Text: "x"})
		refused(t, "a second of the shortcut", err, errs.Conflict)
		_, err = h.inbox.SaveMacro(ctx, h.operator, inbox.Macro{Shortcut: "two words", Text: "x"})
		refused(t, "two words", err, errs.Invalid)
		must(t, h.inbox.DeleteMacro(ctx, h.operator, m.ID))
		refused(t, "deleted twice", h.inbox.DeleteMacro(ctx, h.operator, m.ID), errs.NotFound)

		_, err = h.inbox.SaveTeam(ctx, h.operator, inbox.Staffed{Team: inbox.Team{Name: "Sales"}})
		refused(t, "a team by an operator", err, errs.Forbidden)
		_, err = h.inbox.SaveTeam(ctx, owner, inbox.Staffed{Team: inbox.Team{Name: "Sales"}, Members: []ids.User{ids.NewUser(vaulttest.Start)}})
		refused(t, "a member who is nobody", err, errs.NotFound)
		team, err := h.inbox.SaveTeam(ctx, owner, inbox.Staffed{Team: inbox.Team{Name: "Sales"}, Members: []ids.User{h.operator.User(), h.operator.User()}})
		must(t, err)
		teams, err := h.inbox.Teams(ctx, h.operator)
		must(t, err)
		if len(teams) != 1 || len(teams[0].Members) != 1 || teams[0].Name != "Sales" {
			t.Errorf("teams %+v", teams)
		}
		refused(t, "a user of no account", h.inbox.Assign(ctx, h.operator, conv, ids.NewUser(vaulttest.Start), team.ID), errs.NotFound)
		must(t, h.inbox.Assign(ctx, h.operator, conv, ids.User{}, team.ID))
		must(t, h.inbox.DeleteTeam(ctx, owner, team.ID))
		refused(t, "a team that is gone", h.inbox.Assign(ctx, h.operator, conv, h.operator.User(), inbox.TeamID{7}), errs.NotFound)
	})
}
