package takeout

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/rights/archive"
	"aver/vault"
)

// Progress is how much was written so far. It may be read meanwhile.
type Progress struct{ Tables, Of, Rows, Files atomic.Int64 }

// Sink makes the next file of what is written; what the one before was given is complete then.
type Sink func(name string) (io.Writer, error)

// About is a table as the catalogue of an archive lists it.
type About struct {
	Table   string   `json:"table"`
	Purpose string   `json:"purpose"`
	Rows    int      `json:"rows"`
	Columns []string `json:"columns"`
}

// atOnce is how many rows one look reads.
const atOnce = 500

// Write writes everything that the actor's workspace has. It takes the memory of some rows.
func (s *Service) Write(ctx context.Context, actor vault.Actor, to Sink, p *Progress) error {
	tables, catalogue := s.vault.Tables(), []About{}
	p.Of.Store(int64(len(tables)))
	for _, table := range tables {
		about, err := s.table(ctx, actor, table, to, p)
		if err != nil {
			return fmt.Errorf("export %s: %w", table.Name(), err)
		}
		if about.Rows > 0 {
			catalogue = append(catalogue, about)
		}
		p.Tables.Add(1)
	}
	if err := s.files(ctx, actor, to, p); err != nil {
		return fmt.Errorf("export files: %w", err)
	}
	w, err := to("catalogue.json")
	if err != nil {
		return err
	}
	pretty := json.NewEncoder(w)
	pretty.SetIndent("", "  ")
	return pretty.Encode(catalogue)
}

// table writes all rows of one. A table without rows leaves no file.
func (s *Service) table(ctx context.Context, actor vault.Actor, of vault.AnyTable, to Sink, p *Progress) (About, error) {
	about := About{Table: of.Name(), Purpose: of.Terms().Purpose}
	var out *bufio.Writer
	line := func(cells []vault.Cell) error {
		if out == nil {
			w, err := to("data/" + of.Name() + ".jsonl")
			if err != nil {
				return err
			}
			out = bufio.NewWriter(w)
			for _, c := range cells {
				about.Columns = append(about.Columns, c.Column.Name)
			}
		}
		text, err := archive.Object(cells)
		if err != nil {
			return err
		}
		about.Rows++
		p.Rows.Add(1)
		_, err = out.Write(append(text, '\n'))
		return err
	}
	for last, more := []any(nil), true; more; {
		var next []any
		var page [][]vault.Cell // written when the transaction is over: a slow reader must not keep it open
		err := s.vault.View(ctx, actor, actCollect, func(tx *vault.Tx) (err error) {
			page = nil
			next, err = s.vault.EachRowOf(tx, of, last, atOnce, func(cells []vault.Cell) error { page = append(page, cells); return nil })
			return err
		})
		for i := 0; i < len(page) && err == nil; i++ {
			err = line(page[i])
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return about, err
		}
		last, more = next, next != nil
	}
	if out == nil {
		return about, nil
	}
	return about, out.Flush()
}

func (s *Service) files(ctx context.Context, actor vault.Actor, to Sink, p *Progress) error {
	for after := (ids.Object{}); ; {
		var some []vault.Blob
		err := s.vault.View(ctx, actor, actCollect, func(tx *vault.Tx) (err error) {
			if after.IsZero() { // which is stored as no value, and nothing is more than that
				some, err = vault.Blobs.Find(tx, "ORDER BY id LIMIT 100")
			} else {
				some, err = vault.Blobs.Find(tx, "id > ? ORDER BY id LIMIT 100", after)
			}
			return err
		})
		if err != nil || len(some) == 0 {
			return err
		}
		for _, b := range some {
			if err := s.file(ctx, actor, b, to, p); err != nil {
				return err
			}
		}
		after = some[len(some)-1].ID
	}
}

// file writes one, unless it went meanwhile with whom it was about.
func (s *Service) file(ctx context.Context, actor vault.Actor, b vault.Blob, to Sink, p *Progress) error {
	if b.Kind == kind {
		return nil
	}
	var content io.Reader
	err := s.vault.View(ctx, actor, actCollect, func(tx *vault.Tx) (err error) {
		_, content, err = s.vault.ReadBlob(tx, b.ID)
		return err
	})
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Gone) {
		return nil
	}
	if err != nil {
		return err
	}
	w, err := to("files/" + b.ID.String() + extension(b.Kind))
	if err != nil {
		return err
	}
	p.Files.Add(1)
	_, err = io.Copy(w, content)
	return errors.Join(err, ctx.Err())
}

func extension(kind string) string {
	known, err := mime.ExtensionsByType(kind)
	if err != nil || len(known) == 0 {
		return ".bin"
	}
	return known[len(known)-1]
}

// Folder makes files below a folder that is empty or not there, for its owner alone. done waits for the disk.
func Folder(folder string) (to Sink, done func() error, err error) {
	if there, err := os.ReadDir(folder); err == nil && len(there) > 0 {
		return nil, nil, errs.New(errs.Conflict, "The folder is not empty.")
	}
	var open *os.File
	done = func() error {
		if open == nil {
			return nil
		}
		err := errors.Join(open.Sync(), open.Close())
		open = nil
		return err
	}
	return func(name string) (io.Writer, error) {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := errors.Join(done(), os.MkdirAll(filepath.Dir(path), 0o700)); err != nil {
			return nil, err
		}
		var err error
		open, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		return open, err
	}, done, nil
}

// Summary is what an export wrote.
type Summary struct {
	Rows  int64         `json:"rows"`
	Files int64         `json:"files"`
	Took  time.Duration `json:"took"`
}

// Export writes everything into a folder, and says so in the workspace's log.
func (s *Service) Export(ctx context.Context, tenant ids.Tenant, folder string) (Summary, error) {
	began, p := time.Now(), &Progress{}
	to, done, err := Folder(folder)
	if err != nil {
		return Summary{}, err
	}
	err = s.vault.Do(ctx, system(tenant), actAsk, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "workspace.export.written", Object: tenant.String()}, nil)
		return nil
	})
	if err == nil {
		err = s.Write(ctx, system(tenant), to, p)
	}
	return Summary{Rows: p.Rows.Load(), Files: p.Files.Load(), Took: time.Since(began)}, errors.Join(err, done())
}
