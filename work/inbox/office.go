package inbox

import (
	"context"

	"aver/base/errs"
	"aver/vault"
	"aver/work/inbox/hours"
)

// DefaultSchedule is the one schedule of office hours that a tenant has.
var DefaultSchedule = ScheduleID{15: 1}

// Hours reads when somebody answers.
func (s *Service) Hours(ctx context.Context, actor vault.Actor) (h hours.Hours, err error) {
	err = s.vault.View(ctx, actor, actSettings, func(tx *vault.Tx) error {
		row, err := OfficeHours.Get(tx, DefaultSchedule)
		if errs.Is(err, errs.NotFound) {
			err = nil
		}
		h = row.Schedule
		return err
	})
	return h, err
}

// SetHours says from now on when somebody answers.
func (s *Service) SetHours(ctx context.Context, actor vault.Actor, h hours.Hours) error {
	if err := h.Check(); err != nil {
		return err
	}
	return s.vault.Do(ctx, actor, actHours, func(tx *vault.Tx) error {
		return OfficeHours.Put(tx, HoursRow{ID: DefaultSchedule, Schedule: h, ChangedAt: tx.Now()})
	})
}
