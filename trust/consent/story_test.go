package consent_test

import (
	"encoding/binary"
	"testing"
	"time"

	"aver/trust/consent"
	"aver/vault"
	"aver/vault/vaulttest"
)

// Of somebody who has changed their mind more often than is read at once, the newest acts are read, in their order.
func TestAStoryEndsWithWhatHappenedLast(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.person(t)
		must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), look, func(tx *vault.Tx) error {
			for n := range 205 {
				r := consent.Record{Contact: who, Purpose: consent.Support, Granted: n%2 == 0, Version: 1, Language: "en", How: consent.ByPerson, At: tx.Now().Add(time.Duration(n) * time.Minute)}
				binary.BigEndian.PutUint32(r.ID[12:], uint32(n+1))
				if err := consent.Records.Add(tx, r); err != nil {
					return err
				}
			}
			return nil
		}))
		story, err := h.consent.Story(t.Context(), vaulttest.Visitor(h.Tenant, who), who)
		must(t, err)
		all := story.Acts
		if last := vaulttest.Start.Add(204 * time.Minute); len(all) != 200 || !all[199].At.Equal(last) || !all[0].At.Before(all[1].At) {
			t.Errorf("%d acts, the last of %v", len(all), all[len(all)-1].At)
		}
	})
}
