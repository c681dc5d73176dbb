package keyring

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aver/base/aead"
)

// Root wraps and unwraps tenant keys. A key manager (a cloud's, OpenBao's transit engine) is one of these two methods.
type Root interface {
	Wrap(ctx context.Context, key, place []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, place []byte) ([]byte, error)
}

// LocalRoot is a root key that this process holds: from a file or from the environment. It may hold several versions;
// the first is current, the others still open what they wrapped.
type LocalRoot struct{ keys []*aead.Key }

const rootPrefix = "aver-root"

// ParseRoot reads lines of the form aver-root:<version>:<base64 of 32 bytes>, the current version first.
func ParseRoot(text string) (*LocalRoot, error) {
	root := &LocalRoot{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		parts := strings.Split(line, ":")
		if len(parts) != 3 || parts[0] != rootPrefix {
			return nil, errors.New("read root key: a line is not aver-root:<version>:<base64>")
		}
		version, err := strconv.ParseUint(parts[1], 10, 32)
		if err != nil {
			return nil, errors.New("read root key: the version is not a number")
		}
		raw, err := base64.StdEncoding.DecodeString(parts[2])
		if err != nil {
			return nil, errors.New("read root key: the key is not base64")
		}
		key, err := aead.NewKey(raw, uint32(version))
		if err != nil {
			return nil, fmt.Errorf("read root key: %w", err)
		}
		root.keys = append(root.keys, key)
	}
	if len(root.keys) == 0 {
		return nil, errors.New("read root key: it is empty")
	}
	return root, nil
}

func rootLine(version uint32, raw []byte) string {
	return fmt.Sprintf("%s:%d:%s\n", rootPrefix, version, base64.StdEncoding.EncodeToString(raw))
}

// OpenRootFile reads the root key file and makes it, mode 0600, if it is absent. created tells that it did: whoever
// starts Aver must be told to keep a copy away from the data.
func OpenRootFile(path string) (root *LocalRoot, created bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(rootLine(1, aead.NewRaw()))
		created = true
		err = writeNew(path, text)
	}
	if err != nil {
		return nil, false, fmt.Errorf("open root key file: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return nil, false, errors.New("open root key file: others may read it; set its mode to 0600")
	}
	root, err = ParseRoot(string(text))
	return root, created, err
}

// AddRootVersion puts a new current version in front of the file; the old ones stay until DropOldRoots.
func AddRootVersion(path string) (*LocalRoot, error) {
	root, _, err := OpenRootFile(path)
	if err != nil {
		return nil, err
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read root key file: %w", err)
	}
	text := rootLine(root.keys[0].Version()+1, aead.NewRaw()) + string(old)
	if err := replace(path, []byte(text)); err != nil {
		return nil, err
	}
	return ParseRoot(text)
}

// DropOldRoots leaves only the current version in the file: call it once everything is rewrapped.
func DropOldRoots(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read root key file: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return replace(path, []byte(first+"\n"))
}

func writeNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(path)))
}

// replace swaps the file for a new one in one step, durably: a crash leaves the old or the new, never half.
func replace(path string, text []byte) error {
	next := path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace key file: %w", err)
	}
	if err := writeNew(next, text); err != nil {
		return fmt.Errorf("replace key file: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("replace key file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Version is the current version of the root key.
func (r *LocalRoot) Version() uint32 { return r.keys[0].Version() }

// Wrap seals a key under the current version.
func (r *LocalRoot) Wrap(_ context.Context, key, place []byte) ([]byte, error) {
	return r.keys[0].Seal(nil, key, place), nil
}

// Unwrap opens a key with the version that wrapped it.
func (r *LocalRoot) Unwrap(_ context.Context, wrapped, place []byte) ([]byte, error) {
	version, err := aead.Version(wrapped)
	if err != nil {
		return nil, err
	}
	for _, k := range r.keys {
		if k.Version() == version {
			return k.Open(wrapped, place)
		}
	}
	return nil, fmt.Errorf("unwrap key: root key version %d is not here", version)
}

// Pages keeps the page keys of the key store's own files, each wrapped by the root key in a small file.
type Pages struct {
	Dir  string
	Root Root
}

const pageKeySize = 64 // AES-256-XTS takes two 32-byte keys

// Get returns the page key of a tenant's key file and makes it on first use.
func (p Pages) Get(ctx context.Context, tenant fmt.Stringer) ([]byte, error) {
	path := filepath.Join(p.Dir, tenant.String())
	place := aead.Place([]byte("key-store-page"), []byte(tenant.String()))
	wrapped, err := os.ReadFile(path)
	if err == nil {
		return p.Root.Unwrap(ctx, wrapped, place)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read page key: %w", err)
	}
	raw := append(aead.NewRaw(), aead.NewRaw()...)
	if wrapped, err = p.Root.Wrap(ctx, raw, place); err != nil {
		return nil, fmt.Errorf("wrap page key: %w", err)
	}
	if err := writeNew(path, wrapped); err != nil {
		return nil, fmt.Errorf("write page key: %w", err)
	}
	return raw, nil
}

// Rewrap wraps a tenant's page key under the current root key.
func (p Pages) Rewrap(ctx context.Context, tenant fmt.Stringer) error {
	raw, err := p.Get(ctx, tenant)
	if err != nil {
		return err
	}
	wrapped, err := p.Root.Wrap(ctx, raw, aead.Place([]byte("key-store-page"), []byte(tenant.String())))
	if err != nil {
		return fmt.Errorf("wrap page key: %w", err)
	}
	return replace(filepath.Join(p.Dir, tenant.String()), wrapped)
}

// Destroy removes a tenant's page key, after which its key file is noise.
func (p Pages) Destroy(tenant fmt.Stringer) error {
	if err := os.Remove(filepath.Join(p.Dir, tenant.String())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("destroy page key: %w", err)
	}
	return syncDir(p.Dir)
}
