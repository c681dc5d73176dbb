package backups

import (
	"context"

	"aver/vault"
)

// BackupDue tells whether the next turn makes a backup.
func (s *Service) BackupDue(ctx context.Context) (bool, error) { return s.backupDue(ctx) }

// Turn is what happens every hour.
func (s *Service) Turn(ctx context.Context) error { return s.due(ctx) }

// KeysTurn is what happens every minute.
func (s *Service) KeysTurn(ctx context.Context) error { return s.keysDue(ctx) }

// EachCanary reads what the canaries say.
func EachCanary(tx *vault.Tx, each func(words string) error) error {
	all, err := canaries.Find(tx, "ORDER BY who, n")
	for _, c := range all {
		if err == nil {
			err = each(c.Words.Reveal())
		}
	}
	return err
}
