package backups

import "context"

// BackupDue tells whether the next turn makes a backup.
func (s *Service) BackupDue(ctx context.Context) (bool, error) { return s.backupDue(ctx) }

// Turn is what happens every hour.
func (s *Service) Turn(ctx context.Context) error { return s.due(ctx) }

// KeysTurn is what happens every minute.
func (s *Service) KeysTurn(ctx context.Context) error { return s.keysDue(ctx) }
