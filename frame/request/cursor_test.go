package request_test

import (
	"strings"
	"testing"
	"time"

	"aver/base/ids"
	"aver/frame/request"
)

type note struct{}

func (note) Prefix() string { return "not" }

func TestACursorReadsBackWhatItWrote(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 123456000, time.UTC)
	want := request.Cursor[ids.Of[note]]{At: now, ID: ids.New[note](now)}
	var got request.Cursor[ids.Of[note]]
	if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	if err := got.UnmarshalText(nil); err != nil || !got.IsZero() {
		t.Errorf("the empty text is not the start: %v, %v", got, err)
	}
}

func TestWhatIsNotACursorIsRefused(t *testing.T) {
	t.Parallel()
	good := request.Cursor[ids.Of[note]]{At: time.Unix(1, 0).UTC(), ID: ids.New[note](time.Unix(1, 0))}.String()
	for name, text := range map[string]string{
		"a prefix":                good[:31],
		"a suffix":                good + "A",
		"padding":                 good[:31] + "=",
		"a line feed":             good[:31] + "\n",
		"letters of plain base64": strings.Repeat("+", 32),
		"a time before 1970":      "_" + good[1:],
		"a time after 9999":       "B" + good[1:],
		"no identifier":           good[:10] + strings.Repeat("A", 22),
		"an identifier":           ids.New[note](time.Unix(1, 0)).String(),
		"JSON":                    `["2026-11-20T12:00:00Z","not_1"]`,
	} {
		var c request.Cursor[ids.Of[note]]
		if err := c.UnmarshalText([]byte(text)); err != request.ErrCursor || !c.IsZero() {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add(request.Cursor[ids.Of[note]]{At: time.Unix(1, 0), ID: ids.Of[note]{1}}.String())
	f.Fuzz(func(t *testing.T, text string) {
		var c request.Cursor[ids.Of[note]]
		if err := c.UnmarshalText([]byte(text)); err != nil {
			if err != request.ErrCursor {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if c.String() != text {
			t.Fatalf("%q was read as %q", text, c.String())
		}
		if year := c.At.Year(); !c.IsZero() && (year < 1970 || year > 9999) {
			t.Fatalf("year %d", year)
		}
	})
}
