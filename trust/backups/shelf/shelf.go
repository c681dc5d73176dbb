// Package shelf is where backups lie: a folder of this machine, or a bucket. It knows how the files there are called, and
// can look at them as a stranger would.
package shelf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aver/base/errs"
	"aver/trust/backups/bucket"
	"aver/vault/durable"
)

// How files are called: what they hold, when that was made, how they end.
const (
	Data     = "aver-data-"          // begins a backup
	Keys     = "aver-keys-"          // begins a copy of the keys
	All      = "aver-"               // begins both
	Stamp    = "20060102T150405.000" // follows: when it was made, UTC
	Sealed   = ".age"                // ends what age encrypted
	Manifest = ".manifest.json"      // ends what lies beside a backup and says what is in it

	part = ".part" // ends the name of a file that is not whole yet
)

// MadeAt reads out of a name when the file was made.
func MadeAt(name string) (time.Time, bool) {
	for _, prefix := range []string{Data, Keys} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && len(rest) >= len(Stamp) {
			made, err := time.Parse(Stamp, rest[:len(Stamp)])
			return made, err == nil
		}
	}
	return time.Time{}, false
}

// Shelf is where backups lie: a Folder or a bucket. A file gets its name when it is whole, and no file is replaced.
type Shelf interface {
	// List lists the files whose names begin so, by name.
	List(ctx context.Context, begin string) ([]bucket.Item, error)
	// Put stores what fill writes; nothing if fill fails. errs.Conflict if the name is taken.
	Put(ctx context.Context, name string, fill func(io.Writer) error) error
	// Get reads a file; fs.ErrNotExist if there is none.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// Remove removes a file; one that is not there is no error.
	Remove(ctx context.Context, name string) error
}

// looker is a shelf that can tell who reads a file besides its owner. Both kinds can.
type looker interface {
	Public(ctx context.Context, name string) (bool, error)
}

// Keeper is a shelf that may keep what is removed.
type Keeper interface {
	Versioned(ctx context.Context) (bool, error)
}

var (
	_ Shelf  = Folder("")
	_ Shelf  = (*bucket.Bucket)(nil)
	_ looker = Folder("")
	_ looker = (*bucket.Bucket)(nil)
	_ Keeper = (*bucket.Bucket)(nil)
)

// Folder is a shelf on this machine. It is made when it is first needed.
type Folder string

func (f Folder) path(name string) string { return filepath.Join(string(f), name) }

// List implements Shelf.
func (f Folder) List(_ context.Context, begin string) (out []bucket.Item, err error) {
	files, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, file := range files {
		info, missing := file.Info()
		if missing != nil || !info.Mode().IsRegular() || !strings.HasPrefix(file.Name(), begin) {
			continue
		}
		out = append(out, bucket.Item{Name: file.Name(), Size: info.Size()})
	}
	return out, err
}

// Put implements Shelf. What it returned for is on the disk.
func (f Folder) Put(ctx context.Context, name string, fill func(io.Writer) error) (err error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return fmt.Errorf("make the folder of backups: %w", err)
	}
	unfinished := f.path(name) + part
	file, err := os.OpenFile(unfinished, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = fill(file)
	if err := errors.Join(err, file.Sync(), file.Close(), ctx.Err()); err != nil {
		return errors.Join(err, os.Remove(unfinished))
	}
	err = os.Link(unfinished, f.path(name))
	if errors.Is(err, fs.ErrExist) {
		err = errs.New(errs.Conflict, "There is a backup of this name already.").Because(err)
	}
	return errors.Join(err, os.Remove(unfinished), durable.Names(string(f)))
}

// Get implements Shelf.
func (f Folder) Get(_ context.Context, name string) (io.ReadCloser, error) {
	return os.Open(f.path(name))
}

// Remove implements Shelf.
func (f Folder) Remove(_ context.Context, name string) error {
	if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Public tells whether others on this machine may read a file.
func (f Folder) Public(_ context.Context, name string) (bool, error) {
	info, err := os.Stat(f.path(name))
	if err != nil {
		return false, err
	}
	return info.Mode().Perm()&0o077 != 0, nil
}

// Kept is a file of backups as it is found on its shelf.
type Kept struct {
	Name      string
	Made      time.Time // as its name says; zero if it says nothing
	Encrypted bool      // it begins as age's files do; a manifest, which is signed and about nobody, need not
	Private   bool      // nobody but the installation reads it
}

// Examine looks at every file of a shelf.
func Examine(ctx context.Context, shelf Shelf) (all []Kept, err error) {
	files, err := shelf.List(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		k, err := examine(ctx, shelf, f.Name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// header begins a file that age wrote.
const header = "age-encryption.org/v1\n"

func examine(ctx context.Context, shelf Shelf, name string) (k Kept, err error) {
	k.Name = name
	k.Made, _ = MadeAt(name)
	content, err := shelf.Get(ctx, name)
	if err != nil {
		return k, err
	}
	begin := make([]byte, len(header))
	n, err := io.ReadFull(content, begin)
	if err := errors.Join(content.Close(), shortIsFine(err)); err != nil {
		return k, err
	}
	whole, unfinished := strings.CutSuffix(name, part)
	k.Encrypted = string(begin[:n]) == header || strings.HasSuffix(whole, Manifest) || unfinished && n == 0
	if l, ok := shelf.(looker); ok {
		public, err := l.Public(ctx, name)
		k.Private = !public
		return k, err
	}
	return k, nil
}

func shortIsFine(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
