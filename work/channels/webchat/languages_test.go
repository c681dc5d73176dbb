package webchat_test

import (
	"slices"
	"testing"

	"aver/trust/rights/letters"
	"aver/work/channels/webchat/widget"
)

func TestPeopleAreSpokenToInEveryLanguageOfTheWidget(t *testing.T) {
	t.Parallel()
	spoken, offered := slices.Sorted(slices.Values(letters.Languages)), slices.Sorted(slices.Values(widget.Languages()))
	if !slices.Equal(spoken, offered) {
		t.Errorf("people are written to in %v, and the widget speaks %v", spoken, offered)
	}
}
