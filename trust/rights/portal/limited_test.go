package portal_test

import (
	"context"
	"testing"
	"time"

	"aver/base/ids"
	"aver/trust/restriction"
	"aver/trust/rights/portal"
	"aver/vault"
)

// limits are the restrictions of people who are shown as one, and were restricted before they were.
type limits map[ids.Contact]restriction.Limit

func (limits) Exceptions(context.Context, vault.Actor, ids.Contact) ([]restriction.Exception, error) {
	return nil, nil
}

func (l limits) List(_ context.Context, _ vault.Actor, who ids.Contact) ([]restriction.Limit, error) {
	return []restriction.Limit{l[who]}, nil
}

func TestOfSeveralEndsThePersonReadsTheFirst(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	untold, soon, later, never := ids.NewSubject(now), ids.NewSubject(now), ids.NewSubject(now), ids.NewSubject(now)
	all := limits{untold: {Announced: now}, soon: {Announced: now, Opens: now.Add(time.Hour)}, later: {Announced: now, Opens: now.Add(2 * time.Hour)}, never: {}}
	for _, people := range [][]ids.Contact{{untold, soon, later, never}, {later, soon, never, untold}} {
		got, err := portal.LimitedBy(t.Context(), all, vault.Actor{}, people...)
		if err != nil || !got.Ends || !got.EndsAt.Equal(all[soon].Opens) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := portal.LimitedBy(t.Context(), all, vault.Actor{}, untold, never); err != nil || !got.Ends || !got.EndsAt.IsZero() {
		t.Errorf("of somebody who is told first: %+v, %v", got, err)
	}
}
