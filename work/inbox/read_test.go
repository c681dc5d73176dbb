package inbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

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
				must(t, h.inbox.SetState(ctx, h.operator, conv, inbox.Closed, 0))
			case 2, 3:
				must(t, h.inbox.Assign(ctx, h.operator, conv, assigned(h.operator.User(), billing.ID)))
			case 4:
				must(t, h.inbox.Snooze(ctx, h.operator, conv, vaulttest.Start.Add(24*time.Hour), 0))
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
		eventually.Must(t, "the words are filed", func() bool { return len(search("broken")) == 2 })
		if got := search("orleans lam"); len(got) != 1 || got[0] != conv {
			t.Errorf("found %v", got)
		}
		if got := search("absent"); len(got) != 0 {
			t.Errorf("found %v", got)
		}
		must(t, h.inbox.Redact(t.Context(), h.operator, conv, 1, 0))
		eventually.Must(t, "the words are filed", func() bool { return len(search("broken")) == 1 })
		_, err := h.inbox.Search(t.Context(), visitor, "broken")
		refused(t, "a visitor's search", err, errs.Forbidden)
	})
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
