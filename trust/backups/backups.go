// Package backups copies the stores into encrypted files, proves by drill that they can be restored, and keeps
// a restored store shut until everybody who was erased meanwhile is erased there too.
//
// A backup holds the tenants' stores (of PostgreSQL their rows) and files, still sealed, under age for the operator's
// recipients; a signed manifest beside it says what must be in it. It lies in a folder or a bucket. It holds no key: a
// restore needs the key store. A copy of the key store is a file of its own, with a signed manifest in it, on a shelf of
// its own and for recipients of its own if there are any, replaced every day and whenever somebody is erased, so that no
// copy can bring a destroyed key back. Nothing is kept for more than seven days, and no copy of keys for more than two
// (promise ret-4).
package backups

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/trust/backups/quarantine"
	"aver/trust/backups/shelf"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 11

// Life is how long a backup is kept at most: promise ret-4.
const Life = 7 * 24 * time.Hour

// KeysLife is how long a copy of the keys is kept at most: whoever is erased must not be in one for longer than it takes to
// notice that none could be made.
const KeysLife = 2 * 24 * time.Hour

const (
	early    = time.Hour // before its end something is removed: the sweep runs every hour
	interval = 24 * time.Hour

	longest   = 2 * time.Hour    // that a backup or a drill may take
	copyPause = 10 * time.Minute // between two copies of the keys
)

// Drill is what one try of a restore showed. It is a row of the installation's.
type Drill struct {
	ID      ids.Object    `vault:"id,key"`
	Began   time.Time     `vault:"began_at,state,keep"`
	Took    time.Duration `vault:"took,state"`
	Backup  string        `vault:"backup,state"`
	Holds   bool          `vault:"holds,state"`
	Tenants int           `vault:"tenants,state"` // restored and checked
	Entries int64         `vault:"entries,state"` // of logs, recomputed and compared
	Samples int           `vault:"samples,state"` // sealed values that opened
	Erased  bool          `vault:"erased,state"`  // a person erased after the backup stayed erased
	Fault   string        `vault:"fault,state"`   // why it does not hold; our own words
}

// canary is something that somebody said who does not exist, and whom a drill erases after the backup.
type canary struct {
	Who   ids.Subject   `vault:"who,key,subject"`
	N     int64         `vault:"n,key"`
	Words personal.Text `vault:"words,personal:user.content,search"`
	At    time.Time     `vault:"made_at,state,keep"`
}

var (
	// Drills lists what drills showed.
	Drills   = vault.Define[Drill]("backup_drills", vault.Purpose("showing that backups can be restored"), vault.KeepFor(400*24*time.Hour))
	canaries = vault.Define[canary]("backup_canaries", vault.Purpose("proving that an erasure outlives a restore"), vault.KeepFor(30*24*time.Hour))
)

var (
	owners    = vault.Roles(vault.Owner, vault.Administrator, vault.Auditor)
	actLook   = vault.Act("backup.read", purpose.Storage, owners, vault.System())
	actBackup = vault.Act("backup.make", purpose.Storage, vault.Roles(vault.Owner, vault.Administrator), vault.System())
	actDrill  = vault.Act("backup.drill", purpose.Storage, vault.Roles(vault.Owner, vault.Administrator), vault.System())
	actErase  = vault.Act("backup.drill.erase", purpose.Storage, vault.System())

	actRestore = vault.Act("backup.restore", purpose.Storage, vault.System())
)

// Config says where things lie.
type Config struct {
	Folder     string             // where backups go, and the copy of the keys
	Shelf      shelf.Shelf        // where backups go instead, such as a bucket; nil for Folder
	Data       string             // the data folder: blobs, keys and backup.key lie in it
	Recipients []string           // age recipients; if there are none a key is made into Data/backup.key
	Keys       shelf.Shelf        // where the copy of the keys goes instead of Folder; nil for Folder
	KeysFor    []string           // age recipients of the copy of the keys; none for those of backups
	Seed       []byte             // 32 secret bytes that outlive the store: they sign manifests
	KeyStore   engine.Engine      // the key store's engine; its snapshots and small files make the copy of the keys
	Servers    []Server           // whose own files a rehearsal looks through where it can
	Shared     bool               // the store is a PostgreSQL database, which other processes may use too
	Schema     []engine.Migration // of the stores: a drill restores rows into stores of files
	Log        *slog.Logger
}

// Server keeps rows in files of its own, which may lie on this machine.
type Server interface {
	// Files are the folders of all its files; an error says why they cannot be read from here.
	Files() ([]string, error)
}

// Service makes and tries backups.
type Service struct {
	vault *vault.Vault
	cfg   Config
	queue *jobs.Jobs

	working sync.Mutex // one backup or drill at a time
	stage   atomic.Pointer[Stage]
	erased  atomic.Bool // somebody was erased: the copies of the keys are out of date
}

// Stage is how far the work is that runs now.
type Stage struct {
	What  string // backup, drill
	Done  int64  // tenants
	Total int64
	Began time.Time
}

// New makes the service.
func New(v *vault.Vault, c Config) *Service {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Service{vault: v, cfg: c}
}

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "backups",
		Number:     Number,
		Migrations: migrations,
		Tables:     append([]vault.AnyTable{Drills, canaries}, quarantine.Tables...),
		Actions:    append([]*vault.Action{actLook, actBackup, actDrill, actErase, actRestore}, quarantine.Actions...),
		Routes:     s.routes,
		Settings:   []module.Link{{Path: "/settings/backups", Title: "Backups", About: "Copies, and rehearsals of restoring them.", For: actLook}},
		Jobs:       s.jobs,
	}
}

const (
	backupKind = "backup.make"
	drillKind  = "backup.drill"
	dueKind    = "backup.due"
	keysKind   = "backup.keys"
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	s.erased.Store(true) // before the start somebody may have been
	s.vault.OnCommit(s.committed)
	for name, work := range map[string]func(context.Context, jobs.Job) error{backupKind: s.backup, drillKind: s.drill} {
		err := j.Handle(jobs.Kind{Name: name, Unique: true, Timeout: longest, Retry: []time.Duration{10 * time.Minute}, Work: work})
		if err != nil {
			return err
		}
	}
	if err := j.Every(keysKind, time.Minute, s.keysDue); err != nil {
		return err
	}
	return j.Every(dueKind, time.Hour, s.due)
}

func system() vault.Actor { return identity.System(ids.Installation, "backups") }

func (s *Service) committed(c vault.Committed) {
	for _, e := range c.Entries {
		for _, ev := range e.Events {
			if ev.Kind == "subject.erased" {
				s.erased.Store(true)
			}
		}
	}
}

// due removes what is too old and asks for what is missing, as jobs of their own: this turn has an hour, and they may take
// longer. While one works there is nothing to ask for.
func (s *Service) due(ctx context.Context) error {
	if err := errors.Join(s.sweep(ctx), s.tidy()); err != nil {
		return err
	}
	if s.Working() != nil {
		return nil
	}
	if due, err := s.backupDue(ctx); err != nil || !due {
		return err
	}
	return s.queue.Enqueue(ctx, backupKind, ids.Installation, "", time.Time{})
}

// backup makes one and asks for a drill of it.
func (s *Service) backup(ctx context.Context, _ jobs.Job) error {
	if _, err := s.Now(ctx, system()); err != nil {
		return err
	}
	if _, err := s.identities(nil); errors.Is(err, errOffline) {
		return nil // nobody can try a restore here without the operator's identity
	}
	return s.queue.Enqueue(ctx, drillKind, ids.Installation, "", time.Time{})
}

func (s *Service) drill(ctx context.Context, _ jobs.Job) error {
	_, err := s.Drill(ctx, system(), nil)
	return err
}

func (s *Service) backupDue(ctx context.Context) (bool, error) {
	list, err := s.List(ctx, system())
	return !slices.ContainsFunc(list, s.recent), err
}

// recent tells whether a backup is there, is ours and is no older than it may get.
func (s *Service) recent(b Backup) bool {
	return b.Signed && b.There && clock.Within(s.vault.Now(), b.Made, interval)
}

// Working tells how far the work is that runs now, nil when nothing does.
func (s *Service) Working() *Stage { return s.stage.Load() }

func (s *Service) step(what string, began time.Time, done, total int) {
	s.stage.Store(&Stage{What: what, Began: began, Done: int64(done), Total: int64(total)})
}

var errOffline = errors.New("the identity that opens backups is not kept on this machine")

func (s *Service) keyFile() string { return filepath.Join(s.cfg.Data, "backup.key") }

// recipients are those who can open a file: those who are named. Without any a key is made, once, and the log says so.
func (s *Service) recipients(named []string) ([]age.Recipient, error) {
	if len(named) > 0 {
		return parseRecipients(named)
	}
	own, err := s.identities(nil)
	if errors.Is(err, errOffline) {
		own, err = s.makeIdentity()
	}
	if err != nil {
		return nil, err
	}
	var out []age.Recipient
	for _, i := range own {
		switch i := i.(type) {
		case *age.X25519Identity:
			out = append(out, i.Recipient())
		case *age.HybridIdentity:
			out = append(out, i.Recipient())
		}
	}
	if len(out) == 0 {
		return nil, errors.New("read backup.key: it holds no identity that can be encrypted to")
	}
	return out, nil
}

func (s *Service) makeIdentity() ([]age.Identity, error) {
	fresh, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make a backup key: %w", err)
	}
	f, err := os.OpenFile(s.keyFile(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a backup key: %w", err)
	}
	_, err = io.WriteString(f, fresh.String()+"\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("make a backup key: %w", err)
	}
	s.cfg.Log.Warn("made a key for backups: without it no backup opens. Keep a copy away from this machine, or name recipients", "file", s.keyFile())
	return []age.Identity{fresh}, nil
}

// identities open backups: those given, else the file on this machine, else errOffline.
func (s *Service) identities(given io.Reader) ([]age.Identity, error) {
	if given == nil {
		f, err := os.Open(s.keyFile())
		if errors.Is(err, os.ErrNotExist) {
			return nil, errOffline
		}
		if err != nil {
			return nil, fmt.Errorf("read the backup key: %w", err)
		}
		defer f.Close()
		given = f
	}
	out, err := age.ParseIdentities(given)
	if err != nil {
		return nil, errs.New(errs.Invalid, "This is not an age identity.").Because(err)
	}
	return out, nil
}
