package vault

import (
	"bytes"
	"cmp"
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
	"aver/vault/segments"
	"aver/vault/table"
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

func (v *Vault) blobPath(tenant ids.Tenant, id ids.Object) string {
	return filepath.Join(v.blobs, tenant.String(), id.String())
}

// PutBlob seals a file under a person's key, durably, before any row names it. Store the returned line with Blobs.Add in
// the Do that refers to it, and its file name in a personal column there; a file that no line names within a day is swept. limit is in bytes.
func (v *Vault) PutBlob(ctx context.Context, actor Actor, subject ids.Subject, kind string, from io.Reader, limit int64) (Blob, error) {
	if actor.is.Kind == Nobody {
		return Blob{}, errs.New(errs.Unauthenticated, "Sign in first.")
	}
	if err := v.atHome(ctx, actor.is.Tenant); err != nil {
		return Blob{}, err
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
	b.Size, b.SHA256, err = segments.Write(path, key, segmentOf(actor.is.Tenant, b.ID), from, limit)
	return b, err
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

// segmentOf is what the segments of a file are bound to.
func segmentOf(tenant ids.Tenant, id ids.Object) segments.Place {
	return func(n uint32, last bool) []byte {
		return aead.Place([]byte("blob"), tenant[:], id[:], binary.BigEndian.AppendUint32(nil, n), []byte{byte(index(last))})
	}
}

// ErrLost says that the bytes of a sealed file are not there any more, or are not those that were stored.
var ErrLost = errors.New("file lost")

// ReadBlob opens a sealed file that the transaction can see. Lost, altered, truncated or swapped files are ErrLost, found
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
	file := segments.File{Path: v.blobPath(tx.actor.is.Tenant, id), Place: segmentOf(tx.actor.is.Tenant, id), Open: open}
	first, sum := file, sha256.New()
	_, err = io.Copy(sum, &first)
	if err == nil && !bytes.Equal(sum.Sum(nil), b.SHA256) {
		err = errs.New(errs.Internal, "The file was altered in the store.").Because(ErrLost)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, aead.ErrOpen) {
		err = fmt.Errorf("%w: %w", ErrLost, err)
	}
	if err != nil {
		return Blob{}, nil, err
	}
	if b.Subject.IsZero() {
		file.Open = tx.keys.Open // which openOwn brought up to date; the transaction may be over when this is called
	}
	return b, &file, nil
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

// removeBlobs removes people's files. Whose could not be removed, and the first reason why, is returned beside the error.
func (v *Vault) removeBlobs(ctx context.Context, tenant ids.Tenant, people []ids.Subject) (stuck []ids.Subject, left, err error) {
	var theirs, there []ids.Object
	err = v.peek(ctx, tenant, func(tx *Tx) (err error) {
		theirs, err = tx.blobsWith("subject", table.Padded(people))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	for _, id := range theirs {
		if err := os.Remove(v.blobPath(tenant, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			there, left = append(there, id), cmp.Or(left, fmt.Errorf("remove a file: %w", err))
		}
	}
	if left == nil {
		return nil, nil, nil
	}
	err = v.peek(ctx, tenant, func(tx *Tx) error {
		stuck = nil
		for _, id := range there {
			b, err := Blobs.Get(tx, id)
			if err != nil {
				return err
			}
			stuck = append(stuck, b.Subject)
		}
		return nil
	})
	return stuck, left, err
}

// blobsWith lists the files whose column has one of the values.
func (tx *Tx) blobsWith(column string, padded []any) (list []ids.Object, err error) {
	err = tx.conn.Query(table.WithTail(tx.sql(Blobs.t).Keys, table.Among(column)), tx.within(Blobs.t, padded), func(row []any) error {
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

// SweepBlobs removes files that no line names and that are older than a day: leftovers of crashes and of deleted lines. One
// that cannot be removed does not hold up the others; the first of those is the error.
func (v *Vault) SweepBlobs(ctx context.Context, tenant ids.Tenant) (int, error) {
	dir, err := os.ReadDir(filepath.Join(v.blobs, tenant.String()))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("list files: %w", err)
	}
	removed, stuck := 0, error(nil)
	for some := range slices.Chunk(v.oldFiles(dir), table.ValuesAtOnce) {
		orphans, err := v.orphans(ctx, tenant, some)
		if err != nil {
			return removed, errors.Join(stuck, err)
		}
		for _, name := range orphans {
			if err := os.Remove(filepath.Join(v.blobs, tenant.String(), name)); err != nil {
				stuck = cmp.Or(stuck, fmt.Errorf("remove a file: %w", err))
				continue
			}
			removed++
		}
	}
	return removed, stuck
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

// orphans are the files among up to ValuesAtOnce that no line names, and parts that were never finished.
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
			named, err := tx.blobsWith("id", table.Padded(asked))
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
