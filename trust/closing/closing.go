// Package closing ends accounts: it closes a workspace at once, keeps it for a while in which that can be undone, then
// destroys its keys and its data and certifies it.
//
// A closed workspace answers as one that does not exist, to everybody and in every process: the vault refuses it. Nothing
// is changed in it, so that reopening brings everything back. Destruction goes in the order that a crash cannot spoil:
// keys first, after which nothing sealed for the workspace opens anywhere, then rows and files, then a look at what is
// left, then the certificate, whose hash is an entry of the installation's log. Each step may be repeated.
package closing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/trust/audit"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 23

// Grace is how long a closed workspace is kept if nobody says otherwise, and MostGrace the longest that it may be.
const (
	Grace     = 30 * 24 * time.Hour
	MostGrace = 90 * 24 * time.Hour
)

// ParseGrace reads a period: days (30d) or what time.ParseDuration knows (36h, 0).
func ParseGrace(text string) (time.Duration, error) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		if n, err := strconv.Atoi(days); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errs.New(errs.Invalid, "A grace period is a number of days or hours, such as 30d or 36h.").Because(err)
	}
	return d, nil
}

// Closing is an account that ended. Rows belong to ids.Installation.
type Closing struct {
	Workspace   ids.Tenant `vault:"workspace,key"`
	Slug        string     `vault:"slug,tenant:tenant.settings"`
	Name        string     `vault:"name,tenant:tenant.settings"`
	Notify      string     `vault:"notify,tenant:user.contact.email"` // who hears of it, until the certificate is sent
	Link        string     `vault:"link,state"`                       // SHA-256 of the secret in the former owner's link, in hex
	OrderedBy   string     `vault:"ordered_by,state"`                 // owner or operator
	ClosedAt    time.Time  `vault:"closed_at,state"`
	Until       time.Time  `vault:"until,state"` // it can be reopened until then
	Facts       *Facts     `vault:"facts,tenant:tenant.settings"`
	KeysAt      time.Time  `vault:"keys_at,state"`
	DataAt      time.Time  `vault:"data_at,state"`
	DestroyedAt time.Time  `vault:"destroyed_at,state"`
	Document    []byte     `vault:"document,tenant:tenant.settings"` // the certificate with its proof
}

// Summary says how far the end of an account is.
type Summary struct {
	Workspace ids.Tenant `json:"workspace"`
	Slug      string     `json:"slug"`
	ClosedAt  time.Time  `json:"closed_at"`
	Until     time.Time  `json:"until"` // it can be reopened until then
	Destroyed bool       `json:"destroyed"`
	State     string     `json:"state"`          // in words
	Link      string     `json:"link,omitempty"` // of the former owner, known when it is closed and never again
}

// Summary says how far it is.
func (c Closing) Summary() Summary {
	out := Summary{Workspace: c.Workspace, Slug: c.Slug, ClosedAt: c.ClosedAt, Until: c.Until, Destroyed: !c.DestroyedAt.IsZero()}
	switch {
	case out.Destroyed:
		out.State = "destroyed " + c.DestroyedAt.Format("2006-01-02 15:04")
	case c.Facts != nil:
		out.State = "being destroyed"
	default:
		out.State = "can be reopened until " + c.Until.Format("2006-01-02 15:04")
	}
	return out
}

// Closings is the table.
var Closings = vault.Define[Closing]("closings", vault.Purpose("ending accounts, and proving what was destroyed"), vault.KeepWhile("as long as the installation, as proof of destruction"))

var (
	actLook    = vault.Act("tenant.close.read", purpose.Security, vault.Roles(vault.Owner), vault.System())
	actClose   = vault.Act("tenant.close", purpose.Security, vault.Roles(vault.Owner), vault.System())
	actReopen  = vault.Act("tenant.reopen", purpose.Security, vault.System())
	actDestroy = vault.Act("tenant.destroy", purpose.Storage, vault.System())
)

// Mailer sends a letter.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Config is what the service needs of the rest.
type Config struct {
	Audit  *audit.Service
	Mailer Mailer                              // nil: links are shown and not mailed
	Host   func() string                       // what the installation is reached by
	Data   string                              // the data folder
	Closed func(ids.Tenant)                    // called when a workspace was closed: whoever is connected is cut off
	Keys   func(ids.Tenant) error              // destroys what wraps the keys outside of the key store; nil if nothing does
	Trust  func(context.Context) (bool, error) // whether the clock can be believed that says that a grace period is over
	Copies func(context.Context) error         // replaces the copies of the key store, which hold the destroyed keys
	Log    *slog.Logger
}

// Service closes and destroys.
type Service struct {
	vault *vault.Vault
	cfg   Config
}

// New makes the service.
func New(v *vault.Vault, c Config) *Service { return &Service{vault: v, cfg: c} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "closing", Number: Number, Migrations: migrations, Tables: []vault.AnyTable{Closings},
		Actions: []*vault.Action{actLook, actClose, actReopen, actDestroy, actCertify}, Routes: s.routes, Jobs: s.jobs,
		Settings: []module.Link{{Path: "/settings/close", Title: "Close the workspace", About: "End the account, and have everything destroyed.", For: actClose}}}
}

func (s *Service) jobs(j *jobs.Jobs) error { return j.Every("tenant.destroy", 10*time.Minute, s.due) }

func system() vault.Actor { return identity.System(ids.Installation, "closing") }

// Close closes the workspace of whoever acts, at once, to be destroyed after the grace period. It returns the secret of
// the link under which the former owner follows it, who cannot sign in any more.
func (s *Service) Close(ctx context.Context, actor vault.Actor, grace time.Duration, notify string) (c Closing, secret string, err error) {
	if grace < 0 || grace > MostGrace {
		return c, "", errs.New(errs.Invalid, "The grace period is from nothing to 90 days.")
	}
	t, err := s.vault.Tenant(ctx, actor.Tenant())
	if err != nil {
		return c, "", err
	}
	err = s.vault.Do(ctx, actor, actClose, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "tenant.closing", Object: t.ID.String()}, nil)
		return nil
	})
	if err != nil {
		return c, "", err
	}
	secret = strings.ToLower(rand.Text())
	c = Closing{Workspace: t.ID, Slug: t.Slug, Name: t.Name, Notify: notify, Link: hashed(secret), OrderedBy: "operator"}
	if actor.Kind() == vault.AsUser {
		c.OrderedBy = "owner"
	}
	err = s.vault.Do(ctx, system(), actClose, func(tx *vault.Tx) error {
		now, err := vault.Tenants.Get(tx, t.ID)
		if err != nil {
			return err
		}
		if !now.ClosedAt.IsZero() { // meanwhile: whoever was first has the link
			return errs.New(errs.Conflict, "The workspace was closed a moment ago. Nothing was changed.")
		}
		now.ClosedAt, c.ClosedAt, c.Until = tx.Now(), tx.Now(), tx.Now().Add(grace)
		tx.Emit(vault.Event{Kind: "tenant.closed", Object: t.ID.String()}, nil)
		return errors.Join(vault.Tenants.Put(tx, now), Closings.Put(tx, c))
	})
	if err != nil {
		return c, "", err
	}
	s.changed(t.ID)
	return c, secret, s.tell(ctx, c, secret)
}

// changed makes this process look again at who is open; others do so within seconds.
func (s *Service) changed(tenant ids.Tenant) {
	s.vault.Settle(s.vault.Region())
	if s.cfg.Closed != nil {
		s.cfg.Closed(tenant)
	}
}

func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Link is where a former owner follows what becomes of the workspace.
func (s *Service) Link(secret string) string { return "https://" + s.cfg.Host() + "/closed/" + secret }

// Reopen undoes a closing within its grace period.
func (s *Service) Reopen(ctx context.Context, slug string) (Closing, error) {
	c, err := s.find(ctx, func(c Closing) bool { return c.Slug == slug && c.DestroyedAt.IsZero() })
	if err != nil {
		return c, err
	}
	err = s.vault.Do(ctx, system(), actReopen, func(tx *vault.Tx) error {
		now, err := Closings.Get(tx, c.Workspace)
		if err != nil {
			return err
		}
		if now.Facts != nil {
			return errs.New(errs.Conflict, "The workspace is being destroyed. It cannot be reopened.")
		}
		t, err := vault.Tenants.Get(tx, c.Workspace)
		if err != nil {
			return err
		}
		t.ClosedAt = time.Time{}
		tx.Emit(vault.Event{Kind: "tenant.reopened", Object: t.ID.String()}, nil)
		return errors.Join(vault.Tenants.Put(tx, t), Closings.Delete(tx, c.Workspace))
	})
	if err != nil {
		return c, err
	}
	s.vault.Settle(s.vault.Region())
	return c, s.vault.Do(ctx, identity.System(c.Workspace, "closing"), actReopen, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "tenant.reopened", Object: c.Workspace.String()}, nil)
		return nil
	})
}

// List lists the closed workspaces, the latest first.
func (s *Service) List(ctx context.Context) (all []Closing, err error) {
	err = s.vault.View(ctx, system(), actLook, func(tx *vault.Tx) (err error) {
		all, err = Closings.Find(tx, "ORDER BY closed_at DESC LIMIT 10000")
		return err
	})
	return all, err
}

func (s *Service) find(ctx context.Context, is func(Closing) bool) (Closing, error) {
	all, err := s.List(ctx)
	for _, c := range all {
		if is(c) {
			return c, err
		}
	}
	if err == nil {
		err = errs.New(errs.NotFound, "There is no such closed workspace.")
	}
	return Closing{}, err
}

// ByLink finds the closing that a link's secret belongs to; errs.NotFound if there is none.
func (s *Service) ByLink(ctx context.Context, secret string) (found Closing, err error) {
	err = s.vault.View(ctx, system(), actLook, func(tx *vault.Tx) error {
		list, err := Closings.Find(tx, "link = ?", hashed(secret))
		if err == nil && len(list) != 1 {
			return errs.New(errs.NotFound, "There is nothing here.")
		}
		if err == nil {
			found = list[0]
		}
		return err
	})
	return found, err
}

// tell mails the link to whoever ordered it. A letter that cannot be sent undoes nothing.
func (s *Service) tell(ctx context.Context, c Closing, secret string) error {
	if s.cfg.Mailer == nil || c.Notify == "" {
		return nil
	}
	if err := s.cfg.Mailer.Send(ctx, letter(c, s.Link(secret))); err != nil {
		s.cfg.Log.Warn("mail that a workspace was closed", "workspace", c.Workspace.String(), "error", err)
	}
	return nil
}

// due destroys what is due, one workspace after the other. One that fails does not hold up the others. What a doubted clock
// says is due waits.
func (s *Service) due(ctx context.Context) error {
	all, err := s.List(ctx)
	for _, c := range all {
		if c.DestroyedAt.IsZero() && !s.vault.Now().Before(c.Until) {
			_, failed := s.Destroy(ctx, c.Workspace)
			if errors.Is(failed, errDoubted) {
				s.cfg.Log.Warn("a closed workspace is not destroyed: "+errDoubted.Error(), "workspace", c.Workspace.String())
				continue
			}
			if failed != nil {
				err = errors.Join(err, fmt.Errorf("destroy %s: %w", c.Workspace, failed))
			}
		}
	}
	return err
}
