// Package manifest says what must be in a backup, signed by the installation that made it.
package manifest

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"time"

	"aver/base/errs"
	"aver/base/ids"
)

// Version is of the format.
const Version = 1

// Manifest says what must be in a backup. It names no person.
type Manifest struct {
	Version int       `json:"version"`
	Name    string    `json:"name"`
	Made    time.Time `json:"made"`
	Size    int64     `json:"size"`   // of the encrypted file, in bytes
	SHA256  string    `json:"sha256"` // of the encrypted file, so that whoever keeps a copy sees without a key whether it is whole
	Tenants []Part    `json:"tenants"`
	Canary  string    `json:"canary"` // somebody who does not exist, for the drill
}

// Part is one tenant's share.
type Part struct {
	Tenant   ids.Tenant `json:"tenant"`
	Entries  int64      `json:"entries"`  // of its log, at least
	Root     string     `json:"root"`     // of the log at that size, base64
	Erasures int        `json:"erasures"` // lines of its ledger: a key store with fewer is older than this backup
	Files    []File     `json:"files"`
}

// File is one file of the archive.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// signed is the manifest as it lies beside the backup.
type signed struct {
	Manifest  json.RawMessage `json:"manifest"`
	Signature []byte          `json:"signature"` // Ed25519 over the context and the manifest's bytes
}

const signing = "aver backup manifest 1\n"

// Altered is what a backup is refused with that is not as it was made.
func Altered(what string) *errs.Error {
	return errs.New(errs.Invalid, "The backup was not restored: "+what)
}

// Key makes the key that signs of an installation's 32 secret bytes.
func Key(seed []byte) (ed25519.PrivateKey, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, errors.New("sign a backup: no seed is given")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Sign is the manifest as it lies beside the backup.
func (m Manifest) Sign(key ed25519.PrivateKey) ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return json.Marshal(signed{Manifest: text, Signature: ed25519.Sign(key, append([]byte(signing), text...))})
}

// Read reads what Sign wrote for the backup of a name, and refuses (errs.Invalid) what another key signed.
func Read(raw []byte, name string, key ed25519.PublicKey) (m Manifest, err error) {
	var whole signed
	if err := json.Unmarshal(raw, &whole); err != nil {
		return m, Altered("its manifest cannot be read.").Because(err)
	}
	if !ed25519.Verify(key, append([]byte(signing), whole.Manifest...), whole.Signature) {
		return m, Altered("its manifest is not signed by this installation.")
	}
	if err := json.Unmarshal(whole.Manifest, &m); err != nil {
		return m, Altered("its manifest cannot be read.").Because(err)
	}
	if m.Name != name {
		return m, Altered("its manifest is that of another backup.")
	}
	return m, nil
}
