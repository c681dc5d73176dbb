package sqlite

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"aver/vault/engine"
)

// ErrKey is returned for a store that its tenant's page key does not open: the key is another's, or the file is damaged.
var ErrKey = errors.New("the page key does not open this store")

// translate gives the driver's error the meaning it has for callers, and says what was being done.
func translate(doing string, err error) error {
	if meaning := meaningOf(err); meaning != nil {
		return fmt.Errorf("%s: %w: %w", doing, meaning, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func meaningOf(err error) error {
	var code sqlite3.ExtendedErrorCode
	if !errors.As(err, &code) {
		return nil
	}
	switch code {
	case sqlite3.CONSTRAINT_UNIQUE, sqlite3.CONSTRAINT_PRIMARYKEY, sqlite3.CONSTRAINT_ROWID:
		return engine.ErrUnique
	case sqlite3.IOERR_SHMSIZE: // the memory that connections share is a file, and it could not grow
		return engine.ErrFull
	}
	switch code.Code() {
	case sqlite3.FULL:
		return engine.ErrFull
	case sqlite3.BUSY, sqlite3.LOCKED:
		return engine.ErrRetry
	case sqlite3.NOTADB:
		return ErrKey
	case sqlite3.IOERR, sqlite3.CANTOPEN:
		if noSpace(err) {
			return engine.ErrFull
		}
	}
	return nil
}

// translateFile does the same for errors of plain file operations.
func translateFile(doing string, err error) error {
	if noSpace(err) && !errors.Is(err, engine.ErrFull) {
		return fmt.Errorf("%s: %w: %w", doing, engine.ErrFull, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// noSpace tells whether the system refused for want of room: a full disk, a quota, a limit on the file's size.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// interrupted says that it was the context that stopped a statement, where it was.
func interrupted(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil && errors.Is(err, sqlite3.INTERRUPT) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
