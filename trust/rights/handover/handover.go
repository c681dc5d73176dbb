// Package handover remembers which signed identities were brought to the public page, so that none is used twice, and whom the
// tenant's site has signed that a browser belongs to.
package handover

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"aver/base/errs"
	"aver/base/personal"
	"aver/vault"
)

// Who is somebody for whom the tenant's site has signed.
type Who struct {
	User, Email personal.Text // the address is empty when the site did not say it
}

// row is a token that somebody has brought: once, and no second time.
type row struct {
	Token   string        `vault:"token,key"`     // its SHA-256, in hexadecimal digits
	Session string        `vault:"session,state"` // likewise, of the browser that brought it
	User    personal.Text `vault:"user_id,secret"`
	Email   personal.Text `vault:"email,secret"`
	At      time.Time     `vault:"at,state,keep"`
}

var table = vault.Define[row]("rights_handovers", vault.Purpose("knowing that a signed identity was used already"), vault.KeepFor(24*time.Hour))

// Table is where they are kept.
var Table vault.AnyTable = table

// Refused says that a token is not taken.
var Refused = errs.New(errs.Unauthenticated, "The site's word about who you are is not valid, or was used already.")

// AskLife is how long whoever brought a token may take to ask.
const AskLife = 30 * time.Minute

// Take notes that a browser has brought a token; a second time it is refused.
func Take(tx *vault.Tx, token, session string, who Who) error {
	err := table.Add(tx, row{Token: digest(token), Session: digest(session), User: who.User, Email: who.Email, At: tx.Now()})
	if errs.Is(err, errs.Conflict) {
		return Refused // whose cause says no more
	}
	return err
}

// By finds who the tenant's site has signed that a browser belongs to.
func By(tx *vault.Tx, session string) (Who, error) {
	found, err := table.Find(tx, "session = ? AND at > ? ORDER BY at DESC LIMIT 1", digest(session), tx.Now().Add(-AskLife))
	if err == nil && len(found) == 0 {
		err = Refused
	}
	if err != nil {
		return Who{}, err
	}
	return Who{found[0].User, found[0].Email}, nil
}

func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:])
}
