//go:build gocloud

package secrets_test

import (
	"errors"
	"net/http"
	"testing"

	"aver/base/aead"
	"aver/trust/secrets"
)

const local = "base64key://smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4="

func TestACloudsKeeperIsARoot(t *testing.T) {
	t.Parallel()
	first, err := secrets.Open(t.Context(), local, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	wrapped := wrap(t, first, "a key")
	restarted, err := secrets.Open(t.Context(), local, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	opens(t, restarted, wrapped, "a key")
	if _, err := restarted.Unwrap(t.Context(), wrapped, []byte("elsewhere")); !errors.Is(err, aead.ErrOpen) {
		t.Errorf("in another place: %v", err)
	}
	other, err := secrets.Open(t.Context(), "base64key://", http.DefaultClient) // a random key
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Unwrap(t.Context(), wrapped, place); err == nil {
		t.Error("another key opens it")
	}
	if _, err := secrets.Open(t.Context(), "nocloud://x", http.DefaultClient); err == nil {
		t.Error("an unknown driver was opened")
	}
}
