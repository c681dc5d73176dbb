// Package proof makes what proves who asks on the public page, and what is kept of it to know it again.
//
// A code of six digits or a link is mailed to an address; a session belongs to the browser that asked. Of both, and of the typed
// address, a request keeps a hash that is bound to its identifier: it tells nothing, and serves no other request.
package proof

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"aver/base/ids"
	"aver/base/personal"
)

func random(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic("proof: no randomness: " + err.Error()) // crypto/rand aborts the process itself before this
	}
	return b
}

// Code draws six digits.
func Code() string { return fmt.Sprintf("%06d", binary.BigEndian.Uint64(random(8))%1_000_000) }

// Session draws what a browser holds in a cookie, or goes on with what it shows: a browser that asks a workspace twice keeps
// both. It names the workspace, as every token does, and none goes on with what another gave out.
func Session(tenant ids.Tenant, shown string) string {
	_, where, _ := strings.Cut(tenant.String(), "_")
	head := "avp_" + where + "_"
	secret, own := strings.CutPrefix(shown, head)
	if raw, err := hex.DecodeString(secret); own && err == nil && len(raw) == 32 {
		return shown
	}
	return fmt.Sprintf("%s%x", head, random(32))
}

// Link draws what a mailed link ends with.
func Link() string { return fmt.Sprintf("%x", random(32)) }

// OfSession is what is kept of the session of a request.
func OfSession(request [16]byte, session string) personal.Bytes {
	return hash(append(request[:], session...))
}

// OfCode is what is kept of the code, or the link, of a request.
func OfCode(request [16]byte, code string) personal.Bytes { return hash(append(request[:], code...)) }

// OfAddress is what is kept of the address that was typed with a request, whatever the case and the space around it.
func OfAddress(request [16]byte, email string) personal.Bytes {
	return hash(append(request[:], strings.ToLower(strings.TrimSpace(email))...))
}

func hash(of []byte) personal.Bytes {
	sum := sha256.Sum256(of)
	return personal.OfBytes(sum[:])
}

// Same tells whether two of them are of the same. Nothing is the same as nothing that was kept.
func Same(a, kept personal.Bytes) bool {
	return len(kept.Reveal()) > 0 && subtle.ConstantTimeCompare(a.Reveal(), kept.Reveal()) == 1
}
