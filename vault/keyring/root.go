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
	"sync"
	"syscall"

	"aver/base/aead"
	"aver/vault/durable"
)

// Root wraps and unwraps tenant keys. A key manager (a cloud's, OpenBao's transit engine) is one of these two methods.
type Root interface {
	Wrap(ctx context.Context, key, place []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, place []byte) ([]byte, error)
}

// Versioned is implemented by roots that can tell which version of theirs wrapped a key. Zero means that nobody can tell.
type Versioned interface {
	WrappedBy(wrapped []byte) uint32
}

// LocalRoot is a root key that this process holds: from a file or from the environment. It may hold several versions;
// the first is current, the others still open what they wrapped. One that is kept in a file notices when another process
// puts a version in front.
type LocalRoot struct {
	path string // of its file, or empty

	mu   sync.RWMutex
	keys []*aead.Key
}

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
		if err != nil || version == 0 {
			return nil, errors.New("read root key: the version is not a number from 1 to 4294967295")
		}
		if root.version(uint32(version)) != nil {
			return nil, errors.New("read root key: a version is there twice")
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
	root = &LocalRoot{path: path}
	err = root.read()
	if errors.Is(err, fs.ErrNotExist) {
		if err = writeNew(path, []byte(rootLine(1, aead.NewRaw()))); err == nil {
			created = true
			err = root.read()
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("open root key file: %w", err)
	}
	return root, created, nil
}

// read takes the versions from the file as it is now.
func (r *LocalRoot) read() error {
	text, err := os.ReadFile(r.path)
	if err != nil {
		return err
	}
	if info, err := os.Stat(r.path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return errors.New("others may read it; set its mode to 0600")
	}
	read, err := ParseRoot(string(text))
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = read.keys
	return nil
}

// AddRootVersion puts a new current version in front of the file; the old ones stay until DropOldRoots.
func AddRootVersion(path string) (*LocalRoot, error) {
	root, _, err := OpenRootFile(path)
	if err != nil {
		return nil, err
	}
	err = change(path, func(old string) (string, error) {
		current, err := ParseRoot(old)
		if err != nil {
			return "", err
		}
		return rootLine(current.Version()+1, aead.NewRaw()) + old, nil
	})
	if err != nil {
		return nil, err
	}
	return root, root.read()
}

// DropOldRoots leaves the current version and the one before it in the file: call it once everything is rewrapped. The
// one before stays until the next rotation, because a process may have read the file just before the new version came
// and wrap something a moment later; nothing that was rewrapped opens with it.
func DropOldRoots(path string) error {
	return change(path, func(old string) (string, error) {
		kept := strings.SplitAfterN(old, "\n", 3)
		return strings.Join(kept[:min(len(kept), 2)], ""), nil
	})
}

// change replaces the root key file. Two that change it wait for each other; whoever reads sees the old or the new.
func change(path string, edit func(old string) (string, error)) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("change root key file: %w", err)
	}
	defer dir.Close() // and with it the lock
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("change root key file: %w", err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("change root key file: %w", err)
	}
	text, err := edit(string(old))
	if err != nil {
		return err
	}
	return replace(path, []byte(text))
}

// writeNew makes a file that must not exist, whole or not at all.
func writeNew(path string, text []byte) error {
	next, err := writeBeside(path, text)
	if err != nil {
		return err
	}
	return errors.Join(os.Link(next, path), os.Remove(next), durable.Names(filepath.Dir(path)))
}

// replace swaps the file for a new one in one step, durably: a crash leaves the old or the new, never half.
func replace(path string, text []byte) error {
	next, err := writeBeside(path, text)
	if err != nil {
		return fmt.Errorf("replace key file: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("replace key file: %w", errors.Join(err, os.Remove(next)))
	}
	return durable.Names(filepath.Dir(path))
}

// writeBeside writes a file, mode 0600, in the folder of another one.
func writeBeside(path string, text []byte) (next string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// Version is the current version of the root key.
func (r *LocalRoot) Version() uint32 { return r.current().Version() }

func (r *LocalRoot) current() *aead.Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.keys[0]
}

func (r *LocalRoot) version(n uint32) *aead.Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, k := range r.keys {
		if k.Version() == n {
			return k
		}
	}
	return nil
}

// WrappedBy is for Versioned.
func (r *LocalRoot) WrappedBy(wrapped []byte) uint32 {
	version, err := aead.Version(wrapped)
	if err != nil {
		return 0
	}
	return version
}

// Wrap seals a key under the current version, which is the one in the file if there is one.
func (r *LocalRoot) Wrap(_ context.Context, key, place []byte) ([]byte, error) {
	if r.path != "" {
		if err := r.read(); err != nil {
			return nil, fmt.Errorf("read root key file: %w", err)
		}
	}
	return r.current().Seal(nil, key, place), nil
}

// Unwrap opens a key with the version that wrapped it. It looks into the file again for one it does not know.
func (r *LocalRoot) Unwrap(_ context.Context, wrapped, place []byte) ([]byte, error) {
	version, err := aead.Version(wrapped)
	if err != nil {
		return nil, err
	}
	key := r.version(version)
	if key == nil && r.path != "" {
		if err := r.read(); err != nil {
			return nil, fmt.Errorf("read root key file: %w", err)
		}
		key = r.version(version)
	}
	if key == nil {
		return nil, fmt.Errorf("unwrap key: root key version %d is not here", version)
	}
	return key.Open(wrapped, place)
}

// Pages keeps the page keys of the key store's own files, each wrapped by the root key in a small file.
type Pages struct {
	Dir  string
	Root Root
}

// Get returns the page key of a tenant's key file and makes it on first use.
func (p Pages) Get(ctx context.Context, tenant fmt.Stringer) ([]byte, error) {
	path := filepath.Join(p.Dir, tenant.String())
	wrapped, err := os.ReadFile(path)
	if err == nil {
		return p.Unwrap(ctx, tenant, wrapped)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read page key: %w", err)
	}
	raw := append(aead.NewRaw(), aead.NewRaw()...)
	if wrapped, err = p.Root.Wrap(ctx, raw, pagePlace(tenant)); err != nil {
		return nil, fmt.Errorf("wrap page key: %w", err)
	}
	if err := writeNew(path, wrapped); err != nil {
		return nil, fmt.Errorf("write page key: %w", err)
	}
	return raw, nil
}

// Unwrap opens what Get stored for a tenant, wherever it lies now.
func (p Pages) Unwrap(ctx context.Context, tenant fmt.Stringer, wrapped []byte) ([]byte, error) {
	return p.Root.Unwrap(ctx, wrapped, pagePlace(tenant))
}

func pagePlace(tenant fmt.Stringer) []byte {
	return aead.Place([]byte("key-store-page"), []byte(tenant.String()))
}

// Rewrap wraps a tenant's page key under the current root key.
func (p Pages) Rewrap(ctx context.Context, tenant fmt.Stringer) error {
	raw, err := p.Get(ctx, tenant)
	if err != nil {
		return err
	}
	wrapped, err := p.Root.Wrap(ctx, raw, pagePlace(tenant))
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
	return durable.Names(p.Dir)
}
