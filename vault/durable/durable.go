// Package durable makes what was written to files survive a power cut.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// WriteNew writes a file that must not exist, for its owner alone, and waits for the disk. It makes the folders above it.
func WriteNew(name string, fill func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(fill(out), out.Sync(), out.Close())
}

// Nameless makes a file in a folder that goes when it is closed, also when the process dies.
func Nameless(folder string) (*os.File, error) {
	f, err := os.CreateTemp(folder, ".nameless-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Destroy overwrites every file below a folder once (NIST SP 800-88, clear), waits for the disk, and removes the folder. A
// file system or a disk that writes elsewhere than it was told keeps the old bytes: hence whatever is worth hiding is
// sealed, and its key is destroyed first. A folder that is not there is no error.
func Destroy(folder string) error {
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return overwrite(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := errors.Join(err, os.RemoveAll(folder)); err != nil {
		return fmt.Errorf("destroy %s: %w", filepath.Base(folder), err)
	}
	return Names(filepath.Dir(folder))
}

func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, zeros{}, info.Size())
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
