package identity

import (
	"context"
	"strings"
	"testing"
)

func TestAHugePasswordIsNotHashed(t *testing.T) {
	t.Parallel()
	h := newHasher()
	for range cap(h.slots) { // whoever hashes now waits, until nobody wants to know any more
		h.slots <- struct{}{}
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if right, err := h.verify(ctx, nil, strings.Repeat("a", maxBytes+1)); right || err != nil {
		t.Errorf("a huge one: %v, %v", right, err)
	}
	if _, err := h.verify(ctx, nil, strings.Repeat("a", maxBytes)); err == nil {
		t.Error("one of the usual length was not hashed either")
	}
}
