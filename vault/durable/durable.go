// Package durable makes what was written to files survive a power cut.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Names makes durable which files a folder holds and what they are called. Syncing a file does so for its content only.
func Names(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("make the names in %s durable: %w", filepath.Base(folder), err)
	}
	return nil
}
