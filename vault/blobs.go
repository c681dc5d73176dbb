package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aver/base/aead"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/durable"
)

// Blob is a sealed file: a line in the tenant's store, its bytes in a file beside it.
type Blob struct {
	ID        ids.Object  `vault:"id,key"`
	Subject   ids.Subject `vault:"subject,subject"`
	Size      int64       `vault:"size,state"` // bytes of the clear content
	Kind      string      `vault:"kind,state"` // media type, as found out and not as claimed
	SHA256    []byte      `vault:"sha256,tenant:tenant.content"`
	CreatedAt time.Time   `vault:"created_at,state"`
}

// Blobs lists the sealed files.
var Blobs = Define[Blob]("blobs", Purpose("keeping files that belong to conversations, imports and exports"), KeepWhile("as long as the row that names it"))

// segment is how much of a file is sealed at once: memory for reading and writing stays small.
const segment = 256 << 10

func (v *Vault) blobPath(tenant ids.Tenant, id ids.Object) string {
	return filepath.Join(v.blobs, tenant.String(), id.String())
}

// PutBlob seals a file under a person's key, durably, before any row names it. Store the returned line with Blobs.Add in
// the Do that refers to it, and its file name in a personal column there; a file that no line names within a day is swept. limit is in bytes.
func (v *Vault) PutBlob(ctx context.Context, actor Actor, subject ids.Subject, kind string, from io.Reader, limit int64) (Blob, error) {
	if actor.is.Kind == Nobody {
		return Blob{}, errs.New(errs.Unauthenticated, "Sign in first.")
	}
	key, err := v.blobKey(ctx, actor.is.Tenant, subject)
	if err != nil {
		return Blob{}, err
	}
	b := Blob{Subject: subject, Kind: kind, CreatedAt: v.clock.Now()}
	b.ID = ids.NewObject(b.CreatedAt)
	path := v.blobPath(actor.is.Tenant, b.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Blob{}, fmt.Errorf("store a file: %w", err)
	}
	if err := v.writeBlob(path, key, actor.is.Tenant, &b, from, limit); err != nil {
		return Blob{}, errors.Join(err, os.Remove(path+".part"))
	}
	return b, nil
}

// blobKey is a person's key, or the tenant's for files about nobody.
func (v *Vault) blobKey(ctx context.Context, tenant ids.Tenant, subject ids.Subject) (*aead.Key, error) {
	if !subject.IsZero() {
		key, err := v.keys.Subject(ctx, tenant, subject)
		return key, erasedError(err)
	}
	t, err := v.keys.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return t.Seal(), nil
}

func segmentPlace(tenant ids.Tenant, id ids.Object, n uint32, last bool) []byte {
	return aead.Place([]byte("blob"), tenant[:], id[:], binary.BigEndian.AppendUint32(nil, n), []byte{byte(index(last))})
}

// writeBlob writes segment after segment, then syncs the file, gives it its name and syncs the folder.
func (v *Vault) writeBlob(path string, key *aead.Key, tenant ids.Tenant, b *Blob, from io.Reader, limit int64) error {
	f, err := os.OpenFile(path+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("store a file: %w", err)
	}
	sum := sha256.New()
	buf, next := make([]byte, segment), make([]byte, segment)
	n, err := io.ReadFull(from, buf)
	for i := uint32(0); ; i++ {
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return errors.Join(fmt.Errorf("store a file: %w", err), f.Close())
		}
		last := err != nil
		var m int
		if !last {
			m, err = io.ReadFull(from, next)
			last = err == io.EOF
		}
		b.Size += int64(n)
		if b.Size > limit {
			return errors.Join(errs.New(errs.TooLarge, "The file is larger than allowed."), f.Close())
		}
		sum.Write(buf[:n])
		if _, e := f.Write(key.Seal(nil, buf[:n], segmentPlace(tenant, b.ID, i, last))); e != nil {
			return errors.Join(fmt.Errorf("store a file: %w", e), f.Close())
		}
		if last {
			break
		}
		buf, next, n = next, buf, m
	}
	b.SHA256 = sum.Sum(nil)
	return errors.Join(f.Sync(), f.Close(), os.Rename(path+".part", path), durable.Names(filepath.Dir(path)))
}

// ReadBlob opens a sealed file that the transaction can see. Altered, truncated or swapped files are errors, found
// before the bytes are given out.
func (v *Vault) ReadBlob(tx *Tx, id ids.Object) (Blob, io.Reader, error) {
	b, err := Blobs.Get(tx, id)
	if err != nil {
		return Blob{}, nil, err
	}
	sealed, err := os.ReadFile(v.blobPath(tx.actor.is.Tenant, id))
	if errors.Is(err, fs.ErrNotExist) {
		return Blob{}, nil, errs.New(errs.Internal, "The file is missing from the store.").Because(err)
	}
	if err != nil {
		return Blob{}, nil, fmt.Errorf("read a file: %w", err)
	}
	clear, err := v.openBlob(tx, b, sealed)
	return b, bytes.NewReader(clear), err
}

func (v *Vault) openBlob(tx *Tx, b Blob, sealed []byte) ([]byte, error) {
	out := make([]byte, 0, b.Size)
	const size = segment + aead.Overhead
	for n := uint32(0); ; n++ {
		part := sealed[:min(size, len(sealed))]
		sealed = sealed[len(part):]
		last := len(sealed) == 0
		where := segmentPlace(tx.actor.is.Tenant, b.ID, n, last)
		plain, err := tx.openSegment(b.Subject, part, where)
		if err != nil {
			return nil, fmt.Errorf("read a file: segment %d: %w", n, erasedError(err))
		}
		out = append(out, plain...)
		if last {
			break
		}
	}
	if sum := sha256.Sum256(out); !bytes.Equal(sum[:], b.SHA256) {
		return nil, errs.New(errs.Internal, "The file was altered in the store.")
	}
	return out, nil
}

func (tx *Tx) openSegment(subject ids.Subject, part, where []byte) ([]byte, error) {
	if subject.IsZero() {
		return tx.openOwn(part, where)
	}
	key, err := tx.v.keys.Subject(tx.ctx, tx.actor.is.Tenant, subject)
	if err != nil {
		return nil, err
	}
	return key.Open(part, where)
}

// DeleteBlob removes a file's line; the file itself goes with the next sweep of files that nobody names.
func (v *Vault) DeleteBlob(tx *Tx, id ids.Object) error { return Blobs.Delete(tx, id) }

// removeBlobs removes the files of a person.
func (v *Vault) removeBlobs(ctx context.Context, tenant ids.Tenant, subject ids.Subject) error {
	var mine []ids.Object
	err := v.peek(ctx, tenant, func(tx *Tx) error {
		all, err := Blobs.Find(tx, "subject = ?", subject)
		for _, b := range all {
			mine = append(mine, b.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range mine {
		if err := os.Remove(v.blobPath(tenant, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a file: %w", err)
		}
	}
	return nil
}

// SweepBlobs removes files that no line names and that are older than a day: leftovers of crashes and of deleted lines.
func (v *Vault) SweepBlobs(ctx context.Context, tenant ids.Tenant) (int, error) {
	dir, err := os.ReadDir(filepath.Join(v.blobs, tenant.String()))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("list files: %w", err)
	}
	removed := 0
	for _, entry := range dir {
		orphan, err := v.orphan(ctx, tenant, entry)
		if err != nil {
			return removed, err
		}
		if !orphan {
			continue
		}
		if err := os.Remove(filepath.Join(v.blobs, tenant.String(), entry.Name())); err != nil {
			return removed, fmt.Errorf("remove a file: %w", err)
		}
		removed++
	}
	return removed, nil
}

func (v *Vault) orphan(ctx context.Context, tenant ids.Tenant, entry fs.DirEntry) (bool, error) {
	info, err := entry.Info()
	if err != nil || v.clock.Now().Sub(info.ModTime()) < 24*time.Hour {
		return false, nil
	}
	id, err := ids.ParseObject(entry.Name())
	if err != nil {
		return true, nil // a part that was never finished
	}
	n := 0
	err = v.peek(ctx, tenant, func(tx *Tx) (err error) {
		n, err = Blobs.Count(tx, "id = ?", id)
		return err
	})
	return n == 0, err
}
