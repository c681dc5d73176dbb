package world

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"aver/trust/canary/inside"
	"aver/vault"
	"aver/vault/purpose"
)

// owed are the actions of programs that show something of everybody, whoever has closed what: that there is somebody, so
// that nobody is stored twice, and what they have said.
var owed = []string{"contact.match", "contact_import.run", "restriction.read", "consent.read"}

// readable are the scopes that show programs what is kept of people, and tell them of people.
var readable = []string{"contacts:read", "conversations:read"}

// Shown takes every action that shows programs people: those of the interface as the canary's program, whatever they say
// that they are for, and those of Aver's own programs that are for a purpose which people may close. It tells how many it
// took, and which of them see the person.
func (w *World) Shown(ctx context.Context, p *Person, actions []*vault.Action) (tried int, through []string, err error) {
	program, err := w.Identity.Authenticate((&http.Request{Header: inside.Bearer(p.Side.Key)}).WithContext(ctx))
	if err != nil {
		return 0, nil, err
	}
	for _, a := range actions {
		actor := program
		switch terms := purpose.Of(a.Purpose()); {
		case slices.Contains(owed, a.Name()):
			continue
		case slices.Contains(readable, a.Scope()):
		case terms.Human || terms.Owed != "":
			continue
		default:
			actor = System(p.Side.Tenant)
		}
		if !actor.Can(a) {
			continue
		}
		tried++
		rows, err := w.SeenBy(ctx, p, actor, a)
		if err != nil {
			return tried, through, fmt.Errorf("%s: %w", a.Name(), err)
		}
		if rows > 0 {
			through = append(through, a.Name())
		}
	}
	return tried, through, nil
}
