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
	"maps"
	"os"
	"path/filepath"
	"slices"
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
// before the bytes are given out: a first pass opens every segment and keeps none. The reader opens them again one by
// one, so that a file of any size takes the memory of a segment; it outlives the transaction and needs no closing.
func (v *Vault) ReadBlob(tx *Tx, id ids.Object) (Blob, io.Reader, error) {
	b, err := Blobs.Get(tx, id)
	if err != nil {
		return Blob{}, nil, err
	}
	open := tx.openOwn
	if !b.Subject.IsZero() {
		key, err := v.keys.Subject(tx.ctx, tx.actor.is.Tenant, b.Subject)
		if err != nil {
			return Blob{}, nil, fmt.Errorf("read a file: %w", erasedError(err))
		}
		open = key.Open
	}
	file := sealedFile{path: v.blobPath(tx.actor.is.Tenant, id), tenant: tx.actor.is.Tenant, id: id, open: open}
	first, sum := file, sha256.New()
	if _, err := io.Copy(sum, &first); err != nil {
		return Blob{}, nil, err
	}
	if !bytes.Equal(sum.Sum(nil), b.SHA256) {
		return Blob{}, nil, errs.New(errs.Internal, "The file was altered in the store.")
	}
	if b.Subject.IsZero() {
		file.open = tx.keys.Open // which openOwn brought up to date; the transaction may be over when this is called
	}
	return b, &file, nil
}

// sealedFile reads the clear content of a sealed file, a segment at a time. The file is open only while a segment is
// read: nobody can forget to close it, and of one that is removed meanwhile (an erasure) no more is given out.
type sealedFile struct {
	path   string
	tenant ids.Tenant
	id     ids.Object
	open   func(sealed, where []byte) ([]byte, error)
	sealed []byte // a segment, as in the file
	clear  []byte // what is left of the segment that was read last
	next   uint32 // segment
	ended  bool
}

func (f *sealedFile) Read(p []byte) (int, error) {
	for len(f.clear) == 0 {
		if f.ended {
			return 0, io.EOF
		}
		if err := f.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.clear)
	f.clear = f.clear[n:]
	return n, nil
}

// advance opens the next segment.
func (f *sealedFile) advance() error {
	if err := f.load(); err != nil {
		return err
	}
	clear, err := f.open(f.sealed, segmentPlace(f.tenant, f.id, f.next, f.ended))
	if err != nil {
		return fmt.Errorf("read a file: segment %d: %w", f.next, err)
	}
	f.clear = clear
	f.next++
	return nil
}

// load reads the next sealed segment and notes whether it is the last one.
func (f *sealedFile) load() error {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.Internal, "The file is missing from the store.").Because(err)
	}
	if err != nil {
		return fmt.Errorf("read a file: %w", err)
	}
	defer file.Close()
	if f.sealed == nil {
		f.sealed = make([]byte, segment+aead.Overhead)
	}
	f.sealed = f.sealed[:cap(f.sealed)]
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read a file: %w", err)
	}
	at := int64(f.next) * int64(len(f.sealed))
	left := info.Size() - at
	f.ended = left <= int64(len(f.sealed))
	f.sealed = f.sealed[:max(0, min(left, int64(len(f.sealed))))]
	if _, err := file.ReadAt(f.sealed, at); err != nil {
		return fmt.Errorf("read a file: %w", err)
	}
	return nil
}

// DropBlob removes a file of PutBlob that was refused a line, without waiting for the sweep.
func (v *Vault) DropBlob(actor Actor, b Blob) error {
	if err := os.Remove(v.blobPath(actor.is.Tenant, b.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a file: %w", err)
	}
	return nil
}

// DeleteBlob removes a file's line; the file itself goes with the next sweep of files that nobody names.
func (v *Vault) DeleteBlob(tx *Tx, id ids.Object) error { return Blobs.Delete(tx, id) }

// removeBlobs removes people's files.
func (v *Vault) removeBlobs(ctx context.Context, tenant ids.Tenant, people []ids.Subject) error {
	var theirs []ids.Object
	err := v.peek(ctx, tenant, func(tx *Tx) (err error) {
		theirs, err = tx.blobsWith("subject", padded(people))
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range theirs {
		if err := os.Remove(v.blobPath(tenant, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a file: %w", err)
		}
	}
	return nil
}

// blobsWith lists the files whose column has one of the values.
func (tx *Tx) blobsWith(column string, padded []any) (list []ids.Object, err error) {
	s := tx.sql(Blobs.t)
	err = tx.conn.Query(withTail(s.keys, among(column)), s.own(tx.actor.is.Tenant, padded), func(row []any) error {
		list = append(list, ids.Object(row[0].([]byte)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	return list, nil
}

// LostBlobs lists the files that lines of a tenant's store name and that are not there.
func (v *Vault) LostBlobs(ctx context.Context, tenant ids.Tenant) (lost []string, err error) {
	err = v.peek(ctx, tenant, func(tx *Tx) error {
		lost = nil
		all, err := Blobs.Find(tx, "ORDER BY id")
		for _, b := range all {
			path := v.blobPath(tenant, b.ID)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				lost = append(lost, path)
			}
		}
		return err
	})
	return lost, err
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
	for some := range slices.Chunk(v.oldFiles(dir), valuesAtOnce) {
		orphans, err := v.orphans(ctx, tenant, some)
		if err != nil {
			return removed, err
		}
		for _, name := range orphans {
			if err := os.Remove(filepath.Join(v.blobs, tenant.String(), name)); err != nil {
				return removed, fmt.Errorf("remove a file: %w", err)
			}
			removed++
		}
	}
	return removed, nil
}

// oldFiles are the names of files that had a day to be named by a line.
func (v *Vault) oldFiles(dir []fs.DirEntry) (names []string) {
	for _, entry := range dir {
		info, err := entry.Info()
		if err == nil && v.clock.Now().Sub(info.ModTime()) >= 24*time.Hour { // an error: it went meanwhile
			names = append(names, entry.Name())
		}
	}
	return names
}

// orphans are the files among up to valuesAtOnce that no line names, and parts that were never finished.
func (v *Vault) orphans(ctx context.Context, tenant ids.Tenant, names []string) ([]string, error) {
	left, asked := map[string]bool{}, []ids.Object{}
	for _, name := range names {
		left[name] = true
		if id, err := ids.ParseObject(name); err == nil {
			asked = append(asked, id)
		}
	}
	if len(asked) > 0 {
		err := v.peek(ctx, tenant, func(tx *Tx) error {
			named, err := tx.blobsWith("id", padded(asked))
			for _, id := range named {
				delete(left, id.String())
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(left)), nil
}
