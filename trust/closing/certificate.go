package closing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/tlog"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
)

// Certificate says what was destroyed, how, and how that was looked at, in the words of NIST SP 800-88 (Guidelines for
// Media Sanitization), whose sample certificate asks for these things.
type Certificate struct {
	Version   int        `json:"version"`
	Standard  string     `json:"standard"`
	Host      string     `json:"installation"`
	Workspace ids.Tenant `json:"workspace"`
	Slug      string     `json:"slug"`
	Name      string     `json:"name"`
	OrderedBy string     `json:"ordered_by"` // owner or operator
	ClosedAt  time.Time  `json:"closed_at"`  // access was removed
	Grace     string     `json:"grace"`
	Before    Facts      `json:"before"`
	Steps     []Step     `json:"steps"`
	Verified  Remains    `json:"remains"` // as they were looked for afterwards
	Backups   string     `json:"backups"`
}

// Step is one thing that was done.
type Step struct {
	What   string    `json:"what"`
	Method string    `json:"method"`
	At     time.Time `json:"at"`
}

// Sentence says what a certificate that verified says.
func (c Certificate) Sentence() string {
	at := c.ClosedAt
	if len(c.Steps) > 0 {
		at = c.Steps[0].At
	}
	return fmt.Sprintf("It holds: workspace %s (%s) of %s was destroyed, its keys at %s; nothing was left of %d people's keys, %d rows and %d files.",
		c.Slug, c.Workspace, c.Host, at.Format(time.RFC3339), c.Before.PeopleKeys, c.Before.Rows, c.Before.Files)
}

// Document is a certificate with the proof that its hash is in the installation's signed log. Certificate are the very
// bytes that were hashed.
type Document struct {
	Certificate json.RawMessage `json:"certificate"`
	Entry       []byte          `json:"entry"` // of the installation's log
	Inclusion   []tlog.Hash     `json:"inclusion"`
	Checkpoint  string          `json:"checkpoint"` // signed
}

func (s *Service) certificate(c *Closing, left Remains) Certificate {
	return Certificate{Version: 1, Standard: "NIST SP 800-88", Host: s.cfg.Host(), Workspace: c.Workspace, Slug: c.Slug, Name: c.Name,
		OrderedBy: c.OrderedBy, ClosedAt: c.ClosedAt, Grace: c.Until.Sub(c.ClosedAt).String(), Before: *c.Facts, Verified: left,
		Steps: []Step{
			{"keys of the workspace and of all its people", "purge: cryptographic erase (AES-256 keys destroyed)", c.KeysAt},
			{"stores, rows and files", "clear: files overwritten once and removed, rows of a database deleted", c.DataAt},
		},
		Backups: "Backups made before hold sealed data whose keys are destroyed; the last is deleted by " + c.DataAt.AddDate(0, 0, 7).Format(time.DateOnly) + ".",
	}
}

// certify looks whether anything is left, writes the certificate's hash into the log, and keeps the certificate with its proof.
func (s *Service) certify(ctx context.Context, c *Closing) error {
	left, err := s.Look(ctx, c.Workspace)
	if err != nil {
		return err
	}
	if left != (Remains{}) {
		return errs.New(errs.Internal, "Something of the workspace is left. No certificate is written.")
	}
	text, err := json.Marshal(s.certificate(c, left))
	if err != nil {
		return err
	}
	from, _, _, err := s.vault.Head(ctx, ids.Installation)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	err = s.vault.Do(ctx, system(), actCertify, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: certified, Object: hex.EncodeToString(sum[:])}, nil)
		return nil
	})
	if err != nil {
		return err
	}
	index, err := s.cfg.Audit.Find(ctx, ids.Installation, actCertify.Name(), ids.Subject{}, from)
	if err != nil {
		return err
	}
	p, err := s.cfg.Audit.Prove(ctx, system(), index)
	if err != nil {
		return fmt.Errorf("prove the certificate: %w", err)
	}
	whole, err := json.MarshalIndent(Document{Certificate: text, Entry: p.Raw, Inclusion: p.Inclusion, Checkpoint: string(p.Signed)}, "", "  ")
	if err != nil {
		return err
	}
	return s.note(ctx, c, "tenant.destroyed", c.Workspace.String(), func(c *Closing, now time.Time) { c.DestroyedAt, c.Document = now, whole })
}

// certified is the event that carries a certificate's hash.
const certified = "tenant.certified"

var actCertify = vault.Act("tenant.certify", purpose.Duty, vault.System())

// Verify checks a document offline against the installation's public key, which its trust page shows: the log that was
// signed has an entry with the certificate's hash.
func Verify(document []byte, key string) (Certificate, error) {
	var c Certificate
	var d Document
	if err := json.Unmarshal(document, &d); err != nil {
		return c, errs.New(errs.Invalid, "This is not a certificate of destruction.").Because(err)
	}
	compact, err := compacted(d.Certificate)
	if err != nil {
		return c, errs.New(errs.Invalid, "This is not a certificate of destruction.").Because(err)
	}
	head, err := tlog.Open([]byte(d.Checkpoint), key)
	if err != nil {
		return c, errs.New(errs.Invalid, "The checkpoint is not signed with this key.").Because(err)
	}
	entry, err := journal.Parse(d.Entry)
	if err == nil {
		err = tlog.CheckInclusion(d.Inclusion, head.Size, head.Root, entry.Index, tlog.LeafHash(d.Entry))
	}
	if err != nil {
		return c, errs.New(errs.Invalid, "The entry is not in the log that was signed.").Because(err)
	}
	sum := sha256.Sum256(compact)
	if len(entry.Events) != 1 || entry.Events[0].Kind != certified || entry.Events[0].Object != hex.EncodeToString(sum[:]) {
		return c, errs.New(errs.Invalid, "The certificate is not the one that the log has.")
	}
	return c, json.Unmarshal(compact, &c)
}

// compacted undoes the indentation that a document is read with.
func compacted(text []byte) ([]byte, error) {
	var out bytes.Buffer
	err := json.Compact(&out, text)
	return out.Bytes(), err
}
