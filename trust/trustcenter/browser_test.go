package trustcenter_test

import (
	"testing"
	"time"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/claims"
	"aver/trust/trustcenter"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// grow fills three months of history: a claim that failed for two days and holds again, one that fails, one that is young.
func grow(t *testing.T, w *world) {
	t.Helper()
	w.claims.Add(
		stated("iso-1", "Isolation and least privilege", "Every tenant's data lies apart: {attempts} attempts to cross over in the last round, {leaks} got through", "no answer holds bytes of the other canary tenant", map[string]string{"attempts": "1,204", "leaks": "0"}, yes),
		stated("enc-1", "Encryption and keys", "What people write is sealed with AES-256: {tables} tables and {bytes} of files looked at, {found} with plain text", "no file and no row holds the canary's words", map[string]string{"tables": "31", "bytes": "84 MB", "found": "0"}, yes),
		stated("enc-2", "Encryption and keys", "TLS {lowest} or newer: {refused} older handshakes tried and refused", "every handshake below TLS 1.2 is refused", map[string]string{"lowest": "1.2", "refused": "2"}, yes),
		stated("rgt-4", "Rights of people", "A person who asks to be erased is gone from every store: {copies} copies of {words} words found", "no word of the erased canary person is found", map[string]string{"copies": "1", "words": "6"}, func() bool { return false }),
		stated("ava-2", "Availability and continuity", "Backups are encrypted and a restore is rehearsed: the last took {took}", "the newest backup restores and verifies", map[string]string{"took": "2.4 s"}, yes),
		stated("sub-1", "Sub-processors", "Nothing leaves but to registered companies: {refused} calls to others tried and refused", "every call to a host that is not registered is refused", map[string]string{"refused": "4"}, yes),
	)
	act := vault.Act("test.grow", purpose.Storage, vault.System())
	now := w.kit.Clock.Now()
	must(t, w.kit.Vault.Do(t.Context(), vaulttest.System(ids.Installation), act, func(tx *vault.Tx) error {
		for i, c := range w.claims.All() {
			for day := range 89 {
				state := claim.Holds
				if c.ID == "enc-1" && (day == 40 || day == 41) {
					state = claim.Failing
				}
				if c.ID == "sub-1" && day < 30 || c.ID == "rgt-4" && day == 60 {
					continue
				}
				r := claims.Run{Claim: c.ID, Seq: int64(day + 1), At: now.AddDate(0, 0, day-89).Add(time.Duration(i) * time.Minute), State: state, Changed: day == 0 || day == 40 || day == 42, Took: int64(1800 + 700*i)}
				if err := claims.Runs.Add(tx, r); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	for _, c := range w.claims.All() {
		if _, err := w.claims.Run(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.log.Checkpoint(t.Context())
	must(t, err)
	w.drill = trustcenter.Drill{At: now.Add(-7 * time.Hour), Took: 2400 * time.Millisecond, Holds: true}
}

func TestThePagesAreLegibleToEverybody(t *testing.T) {
	t.Parallel()
	w := open(t)
	grow(t, w)
	tab := browser.New(t)
	for _, path := range []string{"/trust", "/trust?state=failing", "/trust/claims/enc-1", "/trust/claims/rgt-4", "/trust/subprocessors", "/trust/log"} {
		tab.Goto(w.server.URL + path)
		axe.Look(t, tab, path)
	}
}
