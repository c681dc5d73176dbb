package closing

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/trust/closing/ui"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/keyring"
)

// Facts is how much there was before it was destroyed.
type Facts struct {
	KeyVersions int    `json:"key_versions"` // of the workspace
	PeopleKeys  int    `json:"people_keys"`
	Rows        int    `json:"rows"`
	Files       int    `json:"files"`
	Bytes       int64  `json:"bytes"` // of files
	LogSize     int64  `json:"log_size"`
	LogRoot     string `json:"log_root"` // of the workspace's log at its end, base64
}

// Remains is what there is of a workspace.
type Remains struct {
	Keys   bool `json:"keys"`   // the key store still gives them
	Rows   int  `json:"rows"`   // as they are stored
	Files  int  `json:"files"`  // of stores, keys and attachments, below the data folder
	Doors  int  `json:"doors"`  // lines of the directory by which its people signed in
	Listed bool `json:"listed"` // in the directory of workspaces
}

var errDoubted = errs.New(errs.Conflict, "The clock jumped. Nothing is destroyed until it was right for a while.")

// Destroy destroys a closed workspace whose grace period is over, and certifies it. What an earlier run did is not done
// again. That time went by, a clock that jumped is not believed (errs.Conflict): a workspace that never had a grace period
// does not wait for it.
func (s *Service) Destroy(ctx context.Context, tenant ids.Tenant) (c Closing, err error) {
	if c, err = s.get(ctx, tenant); err != nil || !c.DestroyedAt.IsZero() {
		return c, err
	}
	if s.vault.Now().Before(c.Until) {
		return c, errs.New(errs.Conflict, "The grace period is not over.")
	}
	if c.Facts == nil && c.Until.After(c.ClosedAt) {
		if trusted, err := s.cfg.Trust(ctx); err != nil || !trusted {
			return c, cmp.Or(err, error(errDoubted))
		}
	}
	for _, step := range []struct {
		done bool
		do   func(context.Context, *Closing) error
	}{
		{c.Facts != nil, s.count}, {!c.KeysAt.IsZero(), s.destroyKeys}, {!c.DataAt.IsZero(), s.destroyData}, {false, s.certify},
	} {
		if step.done {
			continue
		}
		if err := step.do(ctx, &c); err != nil {
			return c, err
		}
	}
	return c, s.tellDestroyed(ctx, &c)
}

func (s *Service) get(ctx context.Context, tenant ids.Tenant) (c Closing, err error) {
	err = s.vault.View(ctx, system(), actLook, func(tx *vault.Tx) (err error) {
		c, err = Closings.Get(tx, tenant)
		return err
	})
	return c, err
}

// note stores how far a destruction is, with a word in the log. It refuses when the workspace was reopened meanwhile
// (errs.NotFound; errs.Conflict when it is closed once more).
func (s *Service) note(ctx context.Context, c *Closing, kind, object string, change func(*Closing, time.Time)) error {
	return s.vault.Do(ctx, system(), actDestroy, func(tx *vault.Tx) error {
		now, err := Closings.Get(tx, c.Workspace)
		if err != nil {
			return err
		}
		if !now.ClosedAt.Equal(c.ClosedAt) {
			return errs.New(errs.Conflict, "The workspace was reopened meanwhile. Nothing was destroyed.")
		}
		change(c, tx.Now())
		tx.Emit(vault.Event{Kind: kind, Object: object}, nil)
		return Closings.Put(tx, *c)
	})
}

// count writes down how much there is. From here on a workspace is not reopened.
func (s *Service) count(ctx context.Context, c *Closing) error {
	size, root, _, err := s.vault.Head(ctx, c.Workspace)
	if err != nil {
		return err
	}
	f := Facts{LogSize: size, LogRoot: root.String()}
	keys, err := s.vault.Keys().Tenant(ctx, c.Workspace)
	if err != nil {
		return err
	}
	f.KeyVersions = len(keys.Versions)
	if f.PeopleKeys, err = s.vault.Keys().People(ctx, c.Workspace); err != nil {
		return err
	}
	err = s.vault.Stored(ctx, c.Workspace, func(string, []any) error { f.Rows++; return nil })
	if err != nil {
		return err
	}
	if f.Files, f.Bytes, err = s.files(c.Workspace); err != nil {
		return err
	}
	return s.note(ctx, c, "tenant.destruction_begun", c.Workspace.String(), func(c *Closing, _ time.Time) { c.Facts = &f })
}

// folders are where a workspace's files lie below the data folder.
func (s *Service) folders(tenant ids.Tenant) []string {
	var out []string
	for _, parent := range []string{"stores", "blobs", "keys/stores", "keys/pages"} {
		out = append(out, filepath.Join(s.cfg.Data, filepath.FromSlash(parent), tenant.String()))
	}
	return out
}

func (s *Service) files(tenant ids.Tenant) (n int, bytes int64, err error) {
	for _, folder := range s.folders(tenant) {
		err := filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil {
				n, bytes = n+1, bytes+info.Size()
			}
			return err
		})
		if err != nil {
			return n, bytes, err
		}
	}
	return n, bytes, nil
}

func (s *Service) destroyKeys(ctx context.Context, c *Closing) error {
	if err := s.vault.DestroyKeys(ctx, c.Workspace); err != nil {
		return err
	}
	if s.cfg.Keys != nil {
		if err := s.cfg.Keys(c.Workspace); err != nil {
			return err
		}
	}
	return s.note(ctx, c, "tenant.keys_destroyed", c.Workspace.String(), func(c *Closing, now time.Time) { c.KeysAt = now })
}

// destroyData removes rows and files, the lines by which its people signed in, and the copies of its keys.
func (s *Service) destroyData(ctx context.Context, c *Closing) error {
	if err := s.vault.Destroy(ctx, c.Workspace); err != nil {
		return err
	}
	err := s.vault.Do(ctx, system(), actDestroy, func(tx *vault.Tx) error {
		if _, err := identity.Doors.DeleteWhere(tx, "workspace = ?", c.Workspace); err != nil {
			return err
		}
		err := vault.Tenants.Delete(tx, c.Workspace)
		if errs.Is(err, errs.NotFound) {
			return nil // by an earlier run
		}
		return err
	})
	if err != nil {
		return err
	}
	if s.cfg.Copies != nil {
		if err := s.cfg.Copies(ctx); err != nil {
			return err
		}
	}
	return s.note(ctx, c, "tenant.data_destroyed", c.Workspace.String(), func(c *Closing, now time.Time) { c.DataAt = now })
}

// Look finds out what there is of a workspace: in the key store, in the rows as they are stored, among the files and in
// the installation's directory.
func (s *Service) Look(ctx context.Context, tenant ids.Tenant) (r Remains, err error) {
	s.vault.Keys().Forget(tenant) // what is in memory says nothing
	_, err = s.vault.Keys().Tenant(ctx, tenant)
	switch {
	case err == nil:
		r.Keys = true
	case !errors.Is(err, keyring.ErrNoKey) && !errors.Is(err, engine.ErrNoTenant):
		return r, err
	}
	people, err := s.vault.Keys().People(ctx, tenant)
	if err != nil && !errors.Is(err, engine.ErrNoTenant) {
		return r, err
	}
	r.Keys = r.Keys || people > 0
	if err := s.vault.Stored(ctx, tenant, func(string, []any) error { r.Rows++; return nil }); err != nil && !missing(err) {
		return r, err
	}
	if r.Files, _, err = s.files(tenant); err != nil {
		return r, err
	}
	err = s.vault.View(ctx, system(), actLook, func(tx *vault.Tx) (err error) {
		if r.Doors, err = identity.Doors.Count(tx, "workspace = ?", tenant); err != nil {
			return err
		}
		listed, err := vault.Tenants.Count(tx, "id = ?", tenant)
		r.Listed = listed > 0
		return err
	})
	return r, err
}

// missing is how a store answers that is not there, or whose page key is not.
func missing(err error) bool {
	return errors.Is(err, engine.ErrNoTenant) || errors.Is(err, keyring.ErrNoKey) || errors.Is(err, os.ErrNotExist)
}

func letter(c Closing, link string) mail.Message {
	return mail.Message{To: personal.Of(c.Notify), Subject: ui.T("mail.subject", c.Name), Text: ui.T("mail.text", c.Name, ui.Day(c.Until), link)}
}

// tellDestroyed mails the certificate to the former owner, and forgets the address.
func (s *Service) tellDestroyed(ctx context.Context, c *Closing) error {
	if c.Notify == "" {
		return nil
	}
	if s.cfg.Mailer != nil {
		err := s.cfg.Mailer.Send(ctx, mail.Message{To: personal.Of(c.Notify), Subject: ui.T("mail.done.subject", c.Name), Text: ui.T("mail.done.text", c.Name) + "\n\n" + string(c.Document)})
		if err != nil {
			s.cfg.Log.Warn("mail a certificate of destruction", "workspace", c.Workspace.String(), "error", err)
		}
	}
	return s.note(ctx, c, "tenant.notified", c.Workspace.String(), func(c *Closing, _ time.Time) { c.Notify = "" })
}
