package restriction

import (
	"context"
	"encoding/json"
	"net/http"

	"aver/base/errs"
	"aver/vault"
	"aver/vault/purpose"
)

// Signal records that a person's browser sent Global Privacy Control: an opt-out of sale and sharing for the person as
// whom it is known, and for whoever is shown as one with them (11 CCR § 7025(c)). What stands already changes nothing,
// and a browser that sends it no more has not opted in.
func (s *Service) Signal(ctx context.Context, visitor vault.Actor) error {
	err := s.vault.View(ctx, visitor, actSet, func(tx *vault.Tx) error {
		_, err := vault.Standings.Get(tx, visitor.Subject(), OptOutSale, purpose.All)
		return err
	})
	if !errs.Is(err, errs.NotFound) {
		return err
	}
	return s.set(ctx, visitor, visitor.Subject(), OptOutSale, "", ByBrowser)
}

// honoured says since when this program honours the signal (GPC specification, "GPC Support Resource").
var honoured = struct {
	GPC        bool   `json:"gpc"`
	LastUpdate string `json:"lastUpdate"`
}{true, "2026-11-22"}

func gpc(w http.ResponseWriter, _ *http.Request) error {
	body, err := json.Marshal(honoured)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // whoever asked and went away is nobody's mistake
	return nil
}
