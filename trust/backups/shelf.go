package backups

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"aver/base/errs"
	"aver/trust/backups/bucket"
	"aver/vault"
	"aver/vault/durable"
)

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

// keeper is a shelf that may keep what is removed.
type keeper interface {
	Versioned(ctx context.Context) (bool, error)
}

var (
	_ Shelf  = Folder("")
	_ Shelf  = (*bucket.Bucket)(nil)
	_ looker = Folder("")
	_ looker = (*bucket.Bucket)(nil)
	_ keeper = (*bucket.Bucket)(nil)
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

// part ends the name of a file that is not whole yet.
const part = ".part"

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

// full gives a full disk its meaning.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return errs.New(errs.NoSpace, "The disk of the backups is full. No backup was made; the older ones are untouched.").Because(err)
	}
	return err
}

// shelf is where this installation's backups lie.
func (s *Service) shelf() Shelf {
	if s.cfg.Shelf != nil {
		return s.cfg.Shelf
	}
	return Folder(s.cfg.Folder)
}

// sweep removes what is older than a backup may be, halves of files that a crash left among it.
func (s *Service) sweep(ctx context.Context) error {
	var failed error
	for _, shelf := range s.shelves() {
		files, err := shelf.List(ctx, named)
		failed = errors.Join(failed, err)
		for _, f := range files {
			made, ok := madeAt(f.Name)
			if ok && s.vault.Now().Sub(made) > keepFor {
				failed = errors.Join(failed, shelf.Remove(ctx, f.Name))
			}
		}
	}
	return failed
}

// shelves are that of the backups and that of the copy of the keys, which never leaves this machine by itself.
func (s *Service) shelves() []Shelf {
	if s.cfg.Shelf == nil {
		return []Shelf{Folder(s.cfg.Folder)}
	}
	return []Shelf{s.cfg.Shelf, Folder(s.cfg.Folder)}
}

// named begins the names of all that is put on a shelf.
const named = "aver-"

// Kept is a file of backups as it is found on its shelf.
type Kept struct {
	Name      string
	Made      time.Time // as its name says; zero if it says nothing
	Encrypted bool      // it begins as age's files do; a manifest, which is signed and about nobody, need not
	Private   bool      // nobody but the installation reads it
}

// Kept examines every file of backups there is, and tells whether a bucket keeps what is removed.
func (s *Service) Kept(ctx context.Context, actor vault.Actor) (all []Kept, versioned bool, err error) {
	if err := s.vault.Permit(ctx, actor, actLook); err != nil {
		return nil, false, err
	}
	for _, shelf := range s.shelves() {
		found, err := Examine(ctx, shelf)
		if err != nil {
			return nil, false, fmt.Errorf("look at the backups: %w", err)
		}
		all = append(all, found...)
		if k, ok := shelf.(keeper); ok {
			if versioned, err = k.Versioned(ctx); err != nil {
				return nil, false, fmt.Errorf("look at the backups: %w", err)
			}
		}
	}
	return all, versioned, nil
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
	k.Made, _ = madeAt(name)
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
	k.Encrypted = string(begin[:n]) == header || strings.HasSuffix(whole, beside) || unfinished && n == 0
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
