package backups

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"aver/base/errs"
	"aver/trust/backups/shelf"
	"aver/vault"
)

// full gives a full disk its meaning.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return errs.New(errs.NoSpace, "The disk is full. What was begun did not come to its end, and the backups that were there are untouched.").Because(err)
	}
	return err
}

// shelf is where this installation's backups lie.
func (s *Service) shelf() shelf.Shelf {
	if s.cfg.Shelf != nil {
		return s.cfg.Shelf
	}
	return shelf.Folder(s.cfg.Folder)
}

// LifeOf is how long a file of this name is kept at most.
func LifeOf(name string) time.Duration {
	if strings.HasPrefix(name, shelf.Keys) {
		return KeysLife
	}
	return Life
}

// sweep removes what is older than a backup may be, halves of files that a crash left among it, and what a clock that was
// wrong dated so far ahead that it would stay for too long.
func (s *Service) sweep(ctx context.Context) error {
	var failed error
	for _, at := range s.shelves() {
		files, err := at.List(ctx, shelf.All)
		failed = errors.Join(failed, err)
		for _, f := range files {
			made, ok := shelf.MadeAt(f.Name)
			if ok && s.vault.Now().Sub(made).Abs() > LifeOf(f.Name)-early {
				failed = errors.Join(failed, at.Remove(ctx, f.Name))
			}
		}
	}
	return failed
}

// shelves are all on which something of ours may lie.
func (s *Service) shelves() []shelf.Shelf {
	all := []shelf.Shelf{shelf.Folder(s.cfg.Folder)}
	for _, other := range []shelf.Shelf{s.cfg.Shelf, s.cfg.Keys} {
		if other != nil {
			all = append(all, other)
		}
	}
	return all
}

// Kept examines every file of backups there is, and tells whether a bucket keeps what is removed.
func (s *Service) Kept(ctx context.Context, actor vault.Actor) (all []shelf.Kept, versioned bool, err error) {
	if err := s.vault.Permit(ctx, actor, actLook); err != nil {
		return nil, false, err
	}
	for _, at := range s.shelves() {
		found, err := shelf.Examine(ctx, at)
		if err != nil {
			return nil, false, fmt.Errorf("look at the backups: %w", err)
		}
		all = append(all, found...)
		if k, ok := at.(shelf.Keeper); ok {
			keeps, err := k.Versioned(ctx)
			if err != nil {
				return nil, false, fmt.Errorf("look at the backups: %w", err)
			}
			versioned = versioned || keeps
		}
	}
	return all, versioned, nil
}
