package backups

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/backups/manifest"
	"aver/trust/backups/quarantine"
	"aver/trust/backups/shelf"
	"aver/vault"
	"aver/vault/engine"
)

// Left is how much there is of somebody.
type Left struct {
	Rows  int  `json:"rows"`
	Files int  `json:"files"`
	Words int  `json:"words"` // rows whose words can be searched
	Key   bool `json:"key"`
}

// Scan is a place that was read through for somebody's words and key, byte by byte.
type Scan struct {
	Place  string `json:"place"`
	Bytes  int64  `json:"bytes"`
	Found  int    `json:"found"`            // pieces in which the words were
	Keys   int    `json:"keys"`             // pieces in which the key was, as the key store had it: sealed
	Unread string `json:"unread,omitempty"` // why the place could not be read; then nothing is known about it
}

// clean tells whether nothing was left. A server's own files keep a key that was destroyed, sealed as it was, until the
// rows' room and the write-ahead log's are used again, which no client can hasten; elsewhere it must not be.
func (s Scan) clean() bool { return s.Found == 0 && (s.Keys == 0 || s.Place == serverFiles) }

const serverFiles = "files of PostgreSQL"

// Rehearsal is what was counted while somebody who does not exist was erased after a backup, which was then restored.
type Rehearsal struct {
	Backup   string        `json:"backup"`
	Before   Left          `json:"before"`   // in the live store, before the erasure
	After    Left          `json:"after"`    // there, after it
	Inside   Left          `json:"inside"`   // in the restored backup, before it was released
	Released Left          `json:"released"` // there, after it
	Scans    []Scan        `json:"scans"`
	Took     time.Duration `json:"took"`
	Holds    bool          `json:"holds"` // nothing came back, and nothing was left
}

// Rehearse makes somebody who does not exist, with rows, a file and words to search, makes a backup, erases the person,
// restores the backup into a scratch folder, and counts and looks for what is left. An error means that it could not be tried.
func (s *Service) Rehearse(ctx context.Context, actor vault.Actor, identity io.Reader) (r Rehearsal, err error) {
	if err := s.vault.Permit(ctx, actor, actDrill); err != nil {
		return r, err
	}
	key, err := again(identity)
	if err != nil {
		return r, err
	}
	began, words := time.Now(), "rehearsed"+strings.ToLower(rand.Text())
	who, err := s.invent(ctx, words)
	if err != nil {
		return r, fmt.Errorf("make somebody to erase: %w", err)
	}
	if r.Before, err = left(ctx, s.vault, who); err != nil {
		return r, err
	}
	sealed, err := s.sealedKey(ctx, who)
	if err != nil {
		return r, err
	}
	m, err := s.Now(ctx, actorFor(actor))
	if err != nil {
		return r, err
	}
	r.Backup = m.Name
	if err := s.eraseInvented(ctx, who); err != nil {
		return r, err
	}
	if r.After, err = left(ctx, s.vault, who); err != nil {
		return r, err
	}
	s.working.Lock()
	defer s.working.Unlock()
	err = s.inScratch(ctx, Order{Name: m.Name, Identity: key()}, func(folder string, _ manifest.Manifest) error {
		return s.comesBack(ctx, folder, traces{who, words, sealed}, key, &r)
	})
	if err != nil {
		return r, err
	}
	r.Took = time.Since(began)
	none := Left{}
	clean := !slices.ContainsFunc(r.Scans, func(s Scan) bool { return !s.clean() })
	inside := r.Inside
	inside.Key = r.Before.Key // the key was never in the backup
	if s.cfg.Shared {
		inside.Words = r.Before.Words // nor, of rows, the index of the words
	}
	r.Holds = r.Before.Rows > 0 && r.Before.Files > 0 && r.Before.Words > 0 && r.Before.Key && inside == r.Before && r.After == none && r.Released == none && clean
	return r, nil
}

// again lets identities be read more than once; nil stays nil, which means those on this machine.
func again(identity io.Reader) (func() io.Reader, error) {
	if identity == nil {
		return func() io.Reader { return nil }, nil
	}
	text, err := io.ReadAll(identity)
	return func() io.Reader { return bytes.NewReader(text) }, err
}

// invent makes somebody with rows, whose words are filed, and a file.
func (s *Service) invent(ctx context.Context, words string) (ids.Subject, error) {
	who, err := s.vault.NewSubject(ctx, system())
	if err != nil {
		return who, err
	}
	blob, err := s.vault.PutBlob(ctx, system(), who, "text/plain", strings.NewReader(words), 1<<10)
	if err != nil {
		return who, err
	}
	err = s.vault.Do(ctx, system(), actDrill, func(tx *vault.Tx) error {
		for n := range int64(3) {
			if err := canaries.Add(tx, canary{Who: who, N: n, Words: personal.Of(words), At: tx.Now()}); err != nil {
				return err
			}
		}
		return vault.Blobs.Add(tx, blob)
	})
	if err != nil {
		return who, err
	}
	s.vault.Catch(ids.Installation)
	// Others' words may come first.
	return who, eventually.Holds(ctx, time.Minute, "the words of somebody made up are filed", func() (bool, error) {
		lag, err := s.vault.Lag(ctx, ids.Installation, "words")
		return lag == 0, err
	})
}

func (s *Service) eraseInvented(ctx context.Context, who ids.Subject) error {
	if err := s.vault.EraseSubject(ctx, system(), actErase, who, "rehearsal of an erasure"); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	if _, err := s.vault.FinishErasures(ctx, ids.Installation); err != nil {
		return err
	}
	return s.Renew(ctx) // the copy of the keys still has this person's
}

func left(ctx context.Context, v *vault.Vault, who ids.Subject) (l Left, err error) {
	err = v.View(ctx, system(), actLook, func(tx *vault.Tx) error {
		var err1, err2, err3 error
		l.Rows, err1 = canaries.Count(tx, "who = ?", who)
		l.Files, err2 = vault.Blobs.Count(tx, "subject = ?", who)
		l.Words, err3 = v.Filed(tx, who)
		return errors.Join(err1, err2, err3)
	})
	if err == nil {
		l.Key, err = v.HasKey(ctx, system(), who)
	}
	return l, err
}

// traces are what must not be found of somebody.
type traces struct {
	who   ids.Subject
	words string
	key   []byte // as the key store had it
}

// sealedKey is somebody's key as the key store has it; nil where there is no key store to ask.
func (s *Service) sealedKey(ctx context.Context, who ids.Subject) (sealed []byte, err error) {
	if s.cfg.KeyStore == nil {
		return nil, nil
	}
	err = s.cfg.KeyStore.Read(ctx, ids.Installation, func(c engine.Conn) error {
		return c.Query("SELECT wrapped FROM subject_keys WHERE subject = ?", []any{who.Bytes()}, func(row []any) error {
			sealed = row[0].([]byte)
			return nil
		})
	})
	return sealed, err
}

// comesBack counts in a restored folder before and after it is released, and looks everywhere for what must be gone.
func (s *Service) comesBack(ctx context.Context, folder string, gone traces, key func() io.Reader, r *Rehearsal) error {
	v, err := s.open(ctx, folder)
	if err != nil {
		return fmt.Errorf("open the restored stores: %w", err)
	}
	defer v.Close()
	if r.Inside, err = left(ctx, v, gone.who); err != nil {
		return err
	}
	if err := quarantine.Release(ctx, v, folder); err != nil {
		return err
	}
	if r.Released, err = left(ctx, v, gone.who); err != nil {
		return err
	}
	places := []place{
		{"data folder", func(w io.Writer) error { return raw(s.cfg.Data, w) }},
		{"live rows as they are stored", func(w io.Writer) error { return asStored(ctx, s.vault, w) }},
		{"backup, decrypted", func(w io.Writer) error { return s.decrypted(ctx, s.shelf(), r.Backup, key(), w) }},
		{"copy of the keys, decrypted", func(w io.Writer) error { return s.keysDecrypted(ctx, key(), w) }},
		{"restored rows as they are stored", func(w io.Writer) error { return asStored(ctx, v, w) }},
	}
	for _, p := range places {
		scan, err := p.look(gone)
		var others *age.NoIdentityMatchError
		if errors.As(err, &others) {
			scan, err = Scan{Place: p.name, Unread: "it is sealed for others"}, nil
		}
		if err != nil {
			return err
		}
		r.Scans = append(r.Scans, scan)
	}
	for _, server := range s.cfg.Servers {
		scan, err := lookAtServer(server, gone)
		if err != nil {
			return err
		}
		r.Scans = append(r.Scans, scan)
	}
	return nil
}

// place is where something could be left.
type place struct {
	name string
	read func(io.Writer) error
}

func (p place) look(gone traces) (Scan, error) {
	words, key := &finder{needle: []byte(gone.words)}, &finder{needle: gone.key}
	if err := p.read(io.MultiWriter(words, key)); err != nil {
		return Scan{}, fmt.Errorf("look through the %s: %w", p.name, err)
	}
	return Scan{Place: p.name, Bytes: words.bytes, Found: words.found, Keys: key.found}, nil
}

// lookAtServer reads a server's own files where they can be reached, and else says that nobody did.
func lookAtServer(server Server, gone traces) (Scan, error) {
	folders, err := server.Files()
	if err != nil {
		return Scan{Place: serverFiles, Unread: err.Error()}, nil
	}
	return place{serverFiles, func(w io.Writer) error {
		for _, folder := range folders {
			if err := raw(folder, w); err != nil {
				return err
			}
		}
		return nil
	}}.look(gone)
}

// finder counts the pieces that have a text, also across their borders.
type finder struct {
	needle, tail []byte
	bytes        int64
	found        int
}

func (f *finder) Write(p []byte) (int, error) {
	f.bytes += int64(len(p))
	piece := append(f.tail, p...)
	if len(f.needle) > 0 && bytes.Contains(piece, f.needle) {
		f.found++
		piece = nil // it is not counted again
	}
	f.tail = bytes.Clone(piece[max(0, len(piece)-len(f.needle)+1):])
	return len(p), nil
}

// raw reads every file below a folder, write-ahead logs, keys, queue and the restored folder among them.
func raw(folder string, to io.Writer) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return missingIsFine(err)
		}
		f, err := os.Open(path)
		if err != nil {
			return missingIsFine(err)
		}
		_, err = io.Copy(to, f)
		return errors.Join(err, f.Close())
	})
}

func missingIsFine(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func asStored(ctx context.Context, v *vault.Vault, to io.Writer) error {
	return v.Stored(ctx, ids.Installation, func(_ string, row []any) error {
		_, err := fmt.Fprintf(to, "%s\n", row)
		return err
	})
}

// keysDecrypted is the newest copy of the keys as somebody with the identity could read it.
func (s *Service) keysDecrypted(ctx context.Context, key io.Reader, to io.Writer) error {
	at := s.keysShelf()
	copies, err := at.List(ctx, shelf.Keys)
	if err != nil || len(copies) == 0 {
		return err
	}
	return s.decrypted(ctx, at, copies[len(copies)-1].Name, key, to)
}

// decrypted is all that age protects of a file, which somebody with the identity could read.
func (s *Service) decrypted(ctx context.Context, at shelf.Shelf, name string, key io.Reader, to io.Writer) error {
	who, err := s.identities(key)
	if err != nil {
		return err
	}
	content, err := at.Get(ctx, name)
	if err != nil {
		return err
	}
	defer content.Close()
	clear, err := age.Decrypt(content, who...)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, clear)
	return err
}
