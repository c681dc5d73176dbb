package ids_test

import (
	"testing"

	"aver/base/ids"
)

func TestAnIdentifierKnowsWhatItRefersTo(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		ids.Contact{}.Reference(): "contact", ids.Conversation{}.Reference(): "conversation", ids.User{}.Reference(): "user",
		ids.Contact{}.Prefix(): "con", ids.Credential{}.Prefix(): "crd",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
