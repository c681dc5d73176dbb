package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aver/base/ids"
	"aver/frame/egress"
	"aver/trust/secrets"
	"aver/vault"
	"aver/vault/keyring"
)

// openRoot takes the root key from where the configuration says: a key manager, the environment, or a file, which it makes
// if it is absent.
func (a *App) openRoot(ctx context.Context) error {
	c := a.Config
	text := os.Getenv("AVER_ROOT_KEY")
	var err error
	switch {
	case c.Root != nil:
		a.root = c.Root
	case secrets.Manages(c.RootKey):
		a.root, err = secrets.Open(ctx, c.RootKey, a.Door.Client(secrets.Purpose))
		if err == nil && secrets.Host(c.RootKey) == "" {
			a.Log.Warn("the key manager's driver opens connections of its own: the egress door does not see them")
		}
	case c.RootKey == "env" && text == "":
		err = errors.New("open the root key: AVER_ROOT_KEY is not set")
	case c.RootKey == "env", c.RootKey == "" && text != "":
		a.root, err = keyring.ParseRoot(text)
	default:
		if _, missing := os.Stat(c.rootFile()); errors.Is(missing, fs.ErrNotExist) && c.Installed() == nil {
			return fmt.Errorf("open the root key: %s is missing: %s", c.rootFile(), putBackRoot)
		}
		var created bool
		a.root, created, err = openRootFile(c.rootFile())
		logRoot(a.Log, c, created)
	}
	return err
}

func openRootFile(path string) (keyring.Root, bool, error) {
	root, created, err := keyring.OpenRootFile(path)
	if err != nil {
		return nil, false, err
	}
	return root, created, nil
}

// rootFile is where the root key lies if it lies in a file.
func (c Config) rootFile() string {
	if c.RootKey != "" && c.RootKey != "env" && !secrets.Manages(c.RootKey) {
		return c.RootKey
	}
	return filepath.Join(c.Data, "root.key")
}

// keptInFile tells whether this installation's root key is kept in its file.
func (c Config) keptInFile() bool {
	return c.Root == nil && c.RootKey != "env" && !secrets.Manages(c.RootKey) && (c.RootKey != "" || os.Getenv("AVER_ROOT_KEY") == "")
}

// mayLeave is what the egress door asks. The key manager is called before the register can be read: it is in the vault.
func (a *App) mayLeave(ctx context.Context, purpose, host string) (egress.Entry, bool) {
	if purpose == secrets.Purpose {
		return egress.Entry{Name: "key manager of this installation", Grade: egress.Own}, host != "" && host == secrets.Host(a.Config.RootKey)
	}
	register := a.register.Load()
	if register == nil {
		return egress.Entry{}, false
	}
	return register.Register(ctx, purpose, host)
}

// observe counts what left and what was refused.
func (a *App) observe(host, purpose string, allowed bool) {
	if register := a.register.Load(); register != nil {
		register.Observe(host, purpose, allowed)
	}
}

// Rewrapped is what a rotation of the root key did.
type Rewrapped struct {
	Workspaces int    `json:"workspaces"` // whose keys were wrapped again, the installation's own among them
	Secrets    int    `json:"secrets"`    // page keys and secrets that lie in files
	Kept       string `json:"kept"`       // where the root key is kept
	File       bool   `json:"file"`       // that is a file of ours
	Version    uint32 `json:"version"`    // which wraps everything now; zero if nobody can tell
}

// RotateRoot wraps every key again under a new version of the root key: one that it puts into the root key file, or the
// newest that the key manager or the environment has. Old versions are needed until it has returned. It may be interrupted
// and repeated at any point, and servers that run take the new version by themselves.
func (a *App) RotateRoot(ctx context.Context) (Rewrapped, error) {
	done := Rewrapped{Kept: "the environment"}
	switch root := a.root.(type) {
	case *secrets.Envelope:
		done.Kept = "the key manager"
		if err := root.Renew(ctx); err != nil {
			return done, err
		}
	default:
		if a.Config.keptInFile() {
			done.Kept, done.File = a.Config.rootFile(), true
			if _, err := keyring.AddRootVersion(done.Kept); err != nil {
				return done, err
			}
		}
	}
	if err := a.rewrapAll(ctx, &done); err != nil {
		return done, err
	}
	if a.Config.keptInFile() {
		return done, keyring.DropOldRoots(done.Kept)
	}
	return done, nil
}

func (a *App) rewrapAll(ctx context.Context, done *Rewrapped) error {
	keys := keyring.Open(a.stores.keyStore, a.root, a.Config.Clock)
	tenants, err := a.Vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range append(tenants, vault.Tenant{ID: ids.Installation, Slug: "the installation"}) {
		if err := keys.RewrapRoot(ctx, t.ID); err != nil {
			return fmt.Errorf("wrap the keys of %s again: %w", t.Slug, err)
		}
		done.Workspaces++
		if a.stores.pages == nil {
			continue
		}
		if err := a.stores.pages.Rewrap(ctx, t.ID); err != nil {
			return fmt.Errorf("wrap the page key of %s again: %w", t.Slug, err)
		}
		done.Secrets++
	}
	for _, dir := range a.secretFolders() {
		if err := (keyring.Pages{Dir: dir, Root: a.root}).Rewrap(ctx, ids.Installation); err != nil {
			return fmt.Errorf("wrap a secret again: %w", err)
		}
		done.Secrets++
	}
	versions, err := keys.RootVersions(ctx, ids.Installation)
	for v := range versions {
		done.Version = max(done.Version, v)
	}
	return err
}

// hearErasures forgets at once whose keys other processes destroy. After a gap in hearing it forgets everybody.
func (a *App) hearErasures() {
	err := notices{a.stores.sharedKeys, keyring.Erased}.Listen(a.ctx, func(payload string) {
		tenantText, subjectText, _ := strings.Cut(payload, " ")
		tenant, err1 := ids.ParseTenant(tenantText)
		subject, err2 := ids.ParseSubject(subjectText)
		if err1 == nil && subjectText == "" { // all of a tenant's
			a.cutTenant(tenant)
		}
		if err1 != nil || err2 != nil {
			a.stores.keys.ForgetSubjects()
			return
		}
		a.stores.keys.ForgetSubject(tenant, subject)
	})
	if err != nil && a.ctx.Err() == nil {
		a.Log.Error("listen for erasures of other processes", "error", err)
	}
}
