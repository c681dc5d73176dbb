// Package gather gathers everything that is kept about people into one archive.
//
// It follows from the vault's catalogue: every row of every table that is about them, in the order of its keys, without
// secrets, with their files opened. A new table is part of it by being declared. Other people are left out.
package gather

import (
	"errors"
	"io"
	"mime"
	"sync/atomic"

	"aver/base/ids"
	"aver/trust/rights/archive"
	"aver/trust/rights/others"
	"aver/vault"
)

// ArchiveKind marks the archives themselves among a person's files, so that a copy does not hold older copies.
const ArchiveKind = "application/vnd.aver.copy+zip"

// Register knows the tenant's people and what of their data came from themselves.
type Register struct {
	Known    func(tx *vault.Tx, text string) ([]ids.Contact, error)
	Show     func(tx *vault.Tx, who ids.Contact) (others.Someone, error)
	Provided func(table string, cells []vault.Cell) bool
	Handed   func(tx *vault.Tx, file ids.Object) (bool, error)
}

// Wanted is what a copy is to be.
type Wanted struct {
	Workspace string
	Portable  bool      // only what the person provided (GDPR Art. 20(1))
	Progress  *Progress // may be nil
}

// Progress is how far a copy is. It may be read while the copy is made.
type Progress struct {
	done, total atomic.Int64
	rows        map[string]int
}

// Rows is how many rows of each table are in a copy that is finished.
func (p *Progress) Rows() map[string]int { return p.rows }

// At is how many rows of how many are looked at; of none while the number is not known.
func (p *Progress) At() (done, total int64) { return p.done.Load(), p.total.Load() }

// Gatherer makes copies.
type Gatherer struct {
	vault    *vault.Vault
	register Register
}

// From makes a gatherer of what a vault holds.
func From(v *vault.Vault, r Register) Gatherer { return Gatherer{v, r} }

// Write writes the archive about all these people.
func (g Gatherer) Write(tx *vault.Tx, people []ids.Contact, w io.Writer, wanted Wanted) error {
	if wanted.Progress == nil {
		wanted.Progress = &Progress{}
	}
	redactor, err := others.Find(tx, g.vault, people, others.Register{Known: g.register.Known, Show: g.register.Show})
	if err != nil {
		return err
	}
	head := archive.Head{Workspace: wanted.Workspace, At: tx.Now(), Redact: redactor.Text, Portable: wanted.Portable}
	for _, person := range people {
		head.People = append(head.People, person.String())
	}
	out, err := archive.New(w, head)
	if err != nil {
		return err
	}
	if err := g.tables(tx, people, out, wanted); err != nil {
		return err
	}
	if err := g.files(tx, people, out, wanted); err != nil {
		return err
	}
	return out.Close()
}

func (g Gatherer) tables(tx *vault.Tx, people []ids.Contact, out *archive.Writer, wanted Wanted) error {
	for _, person := range people {
		totals, err := g.vault.Totals(tx, person)
		if err != nil {
			return err
		}
		for _, n := range totals {
			wanted.Progress.total.Add(int64(n))
		}
	}
	rows := map[string]int{}
	wanted.Progress.rows = rows
	for _, table := range g.vault.Tables() {
		out.Begin(table)
		for _, person := range people {
			name := person.String()
			err := g.vault.EachRow(tx, table, person, func(cells []vault.Cell) error {
				if wanted.Progress.done.Add(1); wanted.Portable && !g.register.Provided(table.Name(), cells) {
					return tx.Context().Err()
				}
				rows[table.Name()]++
				return errors.Join(tx.Context().Err(), out.Row(name, cells))
			})
			if err != nil {
				return err
			}
		}
		if err := out.End(); err != nil {
			return err
		}
	}
	return nil
}

func (g Gatherer) files(tx *vault.Tx, people []ids.Contact, out *archive.Writer, wanted Wanted) error {
	for _, person := range people {
		files, err := vault.Blobs.Find(tx, "subject = ? ORDER BY id", person)
		if err != nil {
			return err
		}
		for _, f := range files {
			in, err := g.holds(tx, f, wanted)
			if err != nil {
				return err
			}
			if !in {
				continue
			}
			_, content, err := g.vault.ReadBlob(tx, f.ID)
			if err != nil {
				return err
			}
			if err := out.File(f.ID.String()+extension(f.Kind), content); err != nil {
				return err
			}
		}
	}
	return nil
}

// holds tells whether a file belongs into the copy.
func (g Gatherer) holds(tx *vault.Tx, f vault.Blob, wanted Wanted) (bool, error) {
	if f.Kind == ArchiveKind || !wanted.Portable {
		return f.Kind != ArchiveKind, nil
	}
	return g.register.Handed(tx, f.ID)
}

func extension(kind string) string {
	known, err := mime.ExtensionsByType(kind)
	if err != nil || len(known) == 0 {
		return ".bin"
	}
	return known[len(known)-1]
}
