// Package safe measures how fast a workspace is backed up and restored, beside age alone over as many bytes.
package safe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"aver/base/ids"
	"aver/proof/bench/hoard"
	"aver/trust/backups"
	"aver/trust/identity"
	"aver/vault/engine"
)

// Speeds are in bytes a second, one of each round.
type Speeds struct {
	Size             int64 // of the backup, in bytes
	Made, Restored   []float64
	Rows             []float64 // restored with the rows in a database
	Sealing, Opening []float64 // age, from a file to a file
}

// Measure backs a workspace up and restores it into stores of files, with a way to get an empty database into one too, and
// has age encrypt and decrypt as many bytes, in turns.
func Measure(ctx context.Context, h *hoard.Hoard, folder string, rounds int, empty func() (engine.Engine, error)) (Speeds, error) {
	var s Speeds
	actor := identity.System(ids.Installation, "bench")
	for i := range rounds {
		begun := time.Now()
		m, err := h.App.Backups.Now(ctx, actor)
		if err != nil {
			return s, fmt.Errorf("back up: %w", err)
		}
		s.Size = m.Size
		s.Made = append(s.Made, speed(s.Size, begun))
		to := filepath.Join(folder, fmt.Sprint("restored", i))
		restored, err := restore(ctx, h, backups.Order{Name: m.Name, To: to}, s.Size)
		if err != nil {
			return s, err
		}
		s.Restored = append(s.Restored, restored)
		if empty != nil {
			rows, err := intoDatabase(ctx, h, backups.Order{Name: m.Name, To: to}, s.Size, empty)
			if err != nil {
				return s, err
			}
			s.Rows = append(s.Rows, rows)
		}
		sealing, opening, err := plainCopy(folder, s.Size)
		if err != nil {
			return s, fmt.Errorf("copy with age: %w", err)
		}
		s.Sealing, s.Opening = append(s.Sealing, sealing), append(s.Opening, opening)
	}
	return s, nil
}

// restore tells how fast it was, and removes what it restored.
func restore(ctx context.Context, h *hoard.Hoard, o backups.Order, size int64) (float64, error) {
	begun := time.Now()
	if _, err := h.App.Backups.Restore(ctx, identity.System(ids.Installation, "bench"), o); err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	return speed(size, begun), os.RemoveAll(o.To)
}

func intoDatabase(ctx context.Context, h *hoard.Hoard, o backups.Order, size int64, empty func() (engine.Engine, error)) (float64, error) {
	rows, err := empty()
	if err != nil {
		return 0, err
	}
	o.Rows = rows
	fast, err := restore(ctx, h, o, size)
	return fast, errors.Join(err, rows.Close())
}

func speed(bytes int64, begun time.Time) float64 { return float64(bytes) / time.Since(begun).Seconds() }

// plainCopy encrypts a file of so many bytes into another with age, and decrypts that into a third, each on the disk before it counts.
func plainCopy(folder string, size int64) (sealing, opening float64, err error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return 0, 0, err
	}
	clear, sealed, again := filepath.Join(folder, "clear"), filepath.Join(folder, "sealed"), filepath.Join(folder, "again")
	defer func() { err = errors.Join(err, os.Remove(clear), os.Remove(sealed), os.Remove(again)) }()
	err = through(os.DevNull, clear, func(to io.Writer, _ io.Reader) error { _, err := io.CopyN(to, rand.Reader, size); return err })
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	err = through(clear, sealed, func(to io.Writer, from io.Reader) error {
		w, err := age.Encrypt(to, key.Recipient())
		if err != nil {
			return err
		}
		_, err = io.Copy(w, from)
		return errors.Join(err, w.Close())
	})
	sealing = speed(size, begun)
	if err != nil {
		return 0, 0, err
	}
	begun = time.Now()
	err = through(sealed, again, func(to io.Writer, from io.Reader) error {
		r, err := age.Decrypt(from, key)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, r)
		return err
	})
	return sealing, speed(size, begun), err
}

// through opens two files and waits for the disk.
func through(from, to string, fn func(io.Writer, io.Reader) error) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(fn(out, in), out.Sync(), out.Close())
}
