package canary

import (
	"testing"

	"aver/vault"
	"aver/vault/journal"
)

// A public page that takes a workspace from its address writes as a part of Aver: a way across would look like this.
func TestOnlyWhatAverDoesByItselfIsNoChangeOfAnAttack(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		entry   journal.Entry
		counted int
	}{
		"the owner":                       {journal.Entry{ActorKind: uint8(vault.AsUser), Action: "label.create"}, 1},
		"a visit begun from outside":      {byPart("webchat", "visitor.session"), 1},
		"a request on a public page":      {byPart("rights", "privacy_request.create"), 1},
		"an erasure on a public page":     {byPart("rights", "person.erase"), 1},
		"somebody who tries to sign in":   {byPart("identity", "admin_login_failure"), 1},
		"a part that nobody knows":        {byPart("", "label.create"), 1},
		"the retention":                   {byPart("retention", "retention.run"), 0},
		"a copy that the victim asked of": {byPart("rights", "privacy_request.finish"), 0},
		"a person called like a part":     {journal.Entry{ActorKind: uint8(vault.AsUser), ActorName: "retention"}, 1},
	} {
		if got := prompted([]journal.Entry{c.entry}); got != c.counted {
			t.Errorf("%s: counted %d, want %d", what, got, c.counted)
		}
	}
}

func byPart(part, action string) journal.Entry {
	return journal.Entry{ActorKind: uint8(vault.AsSystem), ActorName: part, Action: action}
}
