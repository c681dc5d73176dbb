// Package audit makes the tenants' logs checkable: by time, by actor, by action, by object, and by somebody who does
// not trust us.
//
// The vault writes each tenant's log in the tenant's own transactions. Here the heads of those logs become entries of
// the installation's log, the installation signs a checkpoint of that log, and a tenant's log can be exported with
// everything that is needed to verify it offline (base/tlog). Nobody writes to the log through this package: that is
// what vault.Do does.
package audit

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/base/tlog"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 10

// Mark is the last head of a tenant's log that the installation's log records. It is a row of the installation's.
type Mark struct {
	Workspace ids.Tenant `vault:"workspace,key"`
	Size      int64      `vault:"size,state"`
	Root      string     `vault:"root,state"`  // base64
	After     int64      `vault:"after,state"` // size of the installation's log before: the entry is the first from here on that records the head
	At        time.Time  `vault:"marked_at,state"`
}

// Signed is a checkpoint of the installation's log, signed. One is kept for each hour, the last of it.
type Signed struct {
	Hour int64     `vault:"hour,key"` // since 1970
	Size int64     `vault:"size,state"`
	Note string    `vault:"note,state"` // C2SP signed note
	At   time.Time `vault:"signed_at,state,keep"`
}

// Key signs the installation's checkpoints.
type Key struct {
	Name      string         `vault:"name,key"`
	Origin    string         `vault:"origin,state"`
	Seed      personal.Bytes `vault:"seed,secret"`
	CreatedAt time.Time      `vault:"created_at,state"`
}

// Term says that a block of a tenant's log has entries with a word that is searched for: an actor, an action, a
// person, a table, an object. The word itself is not kept, only half of its hash.
type Term struct {
	Term  int64     `vault:"term,key"`
	Block int64     `vault:"block,key"`
	At    time.Time `vault:"indexed_at,state"`
}

// Block is a full block of a tenant's log that the index knows.
type Block struct {
	Number int64     `vault:"number,key"`
	Root   string    `vault:"root,state"` // of the subtree over its leaves, base64
	Ended  time.Time `vault:"ended_at,state"`
}

// The tables.
var (
	Marks       = vault.Define[Mark]("audit_marks", vault.Purpose("recording the heads of tenants' logs"), vault.KeepWhile("as long as the log"))
	Checkpoints = vault.Define[Signed]("audit_checkpoints", vault.Purpose("publishing what the log was"), vault.KeepFor(3*365*24*time.Hour))
	Keys        = vault.Define[Key]("audit_keys", vault.Purpose("signing checkpoints"), vault.KeepWhile("as long as the installation"))
	Terms       = vault.Define[Term]("audit_terms", vault.Purpose("searching the log"), vault.KeepWhile("as long as the log"))
	Blocks      = vault.Define[Block]("audit_blocks", vault.Purpose("proving entries of the log quickly"), vault.KeepWhile("as long as the log"))
)

var (
	staff         = vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor)
	actRead       = vault.Act("audit_log.read", purpose.Security, staff, vault.Scope("audit:read"), vault.System())
	actExport     = vault.Act("audit_log.export", purpose.Security, staff, vault.Scope("audit:read"), vault.System())
	actCheckpoint = vault.Act("audit_log.checkpoint", purpose.Security, vault.System())
	actIndex      = vault.Act("audit_log.index", purpose.Security, vault.System())
)

// Service makes logs checkable.
type Service struct {
	vault *vault.Vault
	queue *jobs.Jobs

	working sync.Mutex // one checkpoint at a time in this process
	mu      sync.Mutex
	signer  *tlog.Signer
	origin  string
	changed map[ids.Tenant]struct{} // tenants whose log grew since it was last marked
	looked  time.Time               // when all tenants were last looked at
	altered map[ids.Tenant]struct{} // tenants whose log is not what was recorded of it

	walking sync.Mutex // one recheck at a time
	walk    walk
}

// New makes the service.
func New(v *vault.Vault) *Service {
	return &Service{vault: v, changed: map[ids.Tenant]struct{}{}, altered: map[ids.Tenant]struct{}{}}
}

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "audit",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{Marks, Checkpoints, Keys, Terms, Blocks, Rotations},
		Actions:    []*vault.Action{actRead, actExport, actCheckpoint, actIndex, actReadKeys, actRotate, actRotated},
		API:        s.api,
		Routes:     s.routes,
		Classes:    map[string]module.Class{"/security/log/export": module.Download},
		Jobs:       s.jobs,
	}
}

func installation() vault.Actor { return identity.System(ids.Installation, "audit") }

// key loads the signer, and makes its key the first time.
func (s *Service) key(ctx context.Context) (*tlog.Signer, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.signer != nil {
		return s.signer, s.origin, nil
	}
	k, err := s.readKey(ctx)
	if errs.Is(err, errs.NotFound) {
		if err = s.makeKey(ctx); err != nil && !errs.Is(err, errs.Conflict) {
			return nil, "", err
		}
		k, err = s.readKey(ctx)
	}
	if err != nil {
		return nil, "", err
	}
	signer, err := tlog.NewSigner(k.Origin, k.Seed.Reveal())
	if err != nil {
		return nil, "", err
	}
	s.signer, s.origin = signer, k.Origin
	return signer, k.Origin, nil
}

const signingKey = "checkpoints"

func (s *Service) readKey(ctx context.Context) (k Key, err error) {
	err = s.vault.View(ctx, installation(), actRead, func(tx *vault.Tx) error {
		k, err = Keys.Get(tx, signingKey)
		return err
	})
	return k, err
}

// makeKey draws a seed, and a name for the log that tells nothing about whose installation it is.
func (s *Service) makeKey(ctx context.Context) error {
	var seed [32]byte
	var name [5]byte
	for _, random := range [][]byte{seed[:], name[:]} {
		if _, err := rand.Read(random); err != nil {
			panic("audit: no randomness: " + err.Error()) // crypto/rand aborts the process itself before this
		}
	}
	return s.vault.Do(ctx, installation(), actCheckpoint, func(tx *vault.Tx) error {
		return Keys.Add(tx, Key{Name: signingKey, Origin: "aver/" + hex.EncodeToString(name[:]), Seed: personal.OfBytes(seed[:]), CreatedAt: tx.Now()})
	})
}

// VerifierKey is the public key of the installation's log, which an auditor pins.
func (s *Service) VerifierKey(ctx context.Context) (string, error) {
	signer, _, err := s.key(ctx)
	if err != nil {
		return "", err
	}
	return signer.VerifierKey(), nil
}
