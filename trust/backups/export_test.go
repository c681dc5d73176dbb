package backups

import "context"

// BackupDue tells whether the next turn makes a backup.
func (s *Service) BackupDue(ctx context.Context) (bool, error) { return s.backupDue(ctx) }
