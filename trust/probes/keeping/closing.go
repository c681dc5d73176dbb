package keeping

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/trust/closing"
	"aver/trust/probes/world"
	"aver/vault"
)

// ended is what the probe of the end of accounts saw.
type ended struct {
	before  closing.Remains
	refused bool // the closed workspace answered as one that does not exist
	after   closing.Remains
	proved  error // why the certificate does not hold
	took    time.Duration
}

// ending is enc-6.
func ending(w *world.World) claim.Claim {
	return claim.Claim{
		ID: "enc-6", Theme: world.Encryption, Owner: world.DPO, Every: world.Daily, Within: 2 * time.Minute,
		Wording:   "An account that ends is closed at once, and destroyed keys first: a workspace of {rows} rows and {files} files was closed, and {took} later no key, row or file of it was left",
		Predicate: "A workspace made for the purpose is refused as one that does not exist once it is closed; after its destruction the key store gives none of its keys, its rows as they are stored are none, no file of it lies below the data folder, the directory does not list it, and the certificate verifies against the installation's log.",
		Method:    "The probe makes a workspace with a person, a row and a file, closes it without a grace period, destroys it, looks into the key store, the raw rows and the folders, and verifies the certificate as its holder would.",
		Refs:      claim.References{ISO: []string{"A.8.10", "A.8.24", "A.5.11"}, SOC2: []string{"C1.2", "CC6.5"}, GDPR: []string{"28(3)(g)", "17"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			seen, err := endOne(ctx, w, mischief{})
			return judgeEnded(seen), err
		},
		Fixtures: []claim.Fixture{
			badly(w, "keys that were left", mischief{back: []string{"keys/stores", "keys/pages"}}),
			badly(w, "rows that were left", mischief{back: []string{"keys/stores", "keys/pages", "stores"}}),
			badly(w, "a workspace that was closed and never destroyed", mischief{kept: true}),
			badly(w, "a workspace that was to be closed and still answers", mischief{open: true}),
			badly(w, "a file that was left", mischief{left: func(folder string) error { return os.WriteFile(filepath.Join(folder, "left"), []byte("words"), 0o600) }}),
			badly(w, "a certificate that somebody altered", mischief{forge: func(document []byte) []byte {
				return bytes.Replace(document, []byte("A workspace to be closed"), []byte("A workspace to be opened"), 1)
			}}),
			badly(w, "nothing was there to destroy", mischief{bare: true}),
		},
	}
}

// scratch begins the names of the workspaces that the probe makes.
const scratch = "closing-"

// mischief is what a fixture does to the end of a workspace.
type mischief struct {
	bare  bool                         // nobody and nothing is in it
	open  bool                         // it is not closed, nor destroyed
	kept  bool                         // it is closed, and not destroyed
	back  []string                     // folders of the data folder in which what is destroyed comes back
	left  func(folder string) error    // with the folder of its files, after its destruction
	forge func(document []byte) []byte // with its certificate
}

// badly is the probe with an end that is not what it should be.
func badly(w *world.World, name string, m mischief) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		seen, err := endOne(ctx, w, m)
		return judgeEnded(seen), errors.Join(err, EndLeft(ctx, w, scratch))
	})
}

// endOne makes a workspace and ends it, and those that an interrupted run left.
func endOne(ctx context.Context, w *world.World, m mischief) (seen ended, err error) {
	if err := EndLeft(ctx, w, scratch); err != nil {
		return seen, err
	}
	t, err := w.Vault.CreateTenant(ctx, vault.Tenant{Slug: scratch + strings.ToLower(rand.Text()), Name: "A workspace to be closed", Canary: true})
	if err != nil {
		return seen, err
	}
	if m.bare {
		return end(ctx, w, t.ID, m)
	}
	if err := furnish(ctx, w.Vault, t.ID); err != nil {
		return seen, fmt.Errorf("furnish a workspace: %w", err)
	}
	return end(ctx, w, t.ID, m)
}

// EndLeft ends the workspaces that interrupted runs of a probe left.
func EndLeft(ctx context.Context, w *world.World, begins string) error {
	all, err := w.Vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Canary && strings.HasPrefix(t.Slug, begins) {
			if err := End(ctx, w, t.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// End closes and destroys a workspace that a probe made.
func End(ctx context.Context, w *world.World, tenant ids.Tenant) error {
	_, err := end(ctx, w, tenant, mischief{})
	return err
}

// furnish puts a person with a row and a file into a workspace.
func furnish(ctx context.Context, v *vault.Vault, tenant ids.Tenant) error {
	actor := world.System(tenant)
	who, err := v.NewSubject(ctx, actor)
	if err != nil {
		return err
	}
	blob, err := v.PutBlob(ctx, actor, who, "text/plain", strings.NewReader("words to be destroyed"), 1<<10)
	if err != nil {
		return err
	}
	return v.Do(ctx, actor, world.Act, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) })
}

func end(ctx context.Context, w *world.World, tenant ids.Tenant, m mischief) (seen ended, err error) {
	if seen.before, err = w.Closing.Look(ctx, tenant); err != nil {
		return seen, err
	}
	began := time.Now()
	if !m.open {
		if _, _, err = w.Closing.Close(ctx, world.System(tenant), 0, ""); err != nil {
			return seen, err
		}
	}
	seen.refused = errs.Is(w.Vault.Permit(ctx, world.System(tenant), world.Act), errs.NotFound)
	if m.open || m.kept {
		seen.after, err = w.Closing.Look(ctx, tenant)
		if m.kept && err == nil {
			_, err = w.Closing.Destroy(ctx, tenant)
		}
		return seen, err
	}
	kept, err := keepCopies(w.Folder, tenant, m.back)
	if err != nil {
		return seen, err
	}
	done, err := w.Closing.Destroy(ctx, tenant)
	if err != nil {
		return seen, err
	}
	seen.took = time.Since(began)
	if seen.after, err = lookAfter(ctx, w, tenant, m, kept); err != nil {
		return seen, err
	}
	key, err := w.Audit.VerifierKey(ctx)
	if err != nil {
		return seen, err
	}
	if m.forge != nil {
		done.Document = m.forge(done.Document)
	}
	_, seen.proved = closing.Verify(done.Document, key)
	return seen, w.Vault.Do(ctx, world.System(ids.Installation), world.Act, func(tx *vault.Tx) error { // nobody asks for this certificate
		return closing.Closings.Delete(tx, tenant)
	})
}

// keepCopies reads what lies in folders of a workspace's, by path.
func keepCopies(data string, tenant ids.Tenant, folders []string) (kept map[string][]byte, err error) {
	kept = map[string][]byte{}
	for _, folder := range folders {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(data, folder, tenant.String()), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				kept[path], err = os.ReadFile(path)
			}
			return err
		}))
	}
	return kept, err
}

// lookAfter looks for what is left of a workspace that was destroyed, of which something is put back.
func lookAfter(ctx context.Context, w *world.World, tenant ids.Tenant, m mischief, kept map[string][]byte) (r closing.Remains, err error) {
	for path, content := range kept {
		err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600))
	}
	for _, folder := range m.back {
		defer func() { err = errors.Join(err, os.RemoveAll(filepath.Join(w.Folder, folder, tenant.String()))) }()
	}
	if err != nil {
		return r, err
	}
	if m.left != nil {
		folder := filepath.Join(w.Folder, "blobs", tenant.String())
		if err := errors.Join(os.MkdirAll(folder, 0o700), m.left(folder)); err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	return w.Closing.Look(ctx, tenant)
}

func judgeEnded(seen ended) claim.Evidence {
	e := world.Evidence()
	b, a := seen.before, seen.after
	e.See(b.Keys && b.Rows > 0 && b.Files > 0 && b.Listed, "before", "%d rows, %d files", b.Rows, b.Files)
	e.See(seen.refused, "the closed workspace", "%s", map[bool]string{true: "answers as one that does not exist", false: "still answers"}[seen.refused])
	e.See(!a.Keys, "its keys", "%s", map[bool]string{true: "are still there", false: "are destroyed"}[a.Keys])
	e.See(a.Rows == 0, "rows left", "%d", a.Rows)
	e.See(a.Files == 0, "files left", "%d", a.Files)
	e.See(a.Doors == 0 && !a.Listed, "in the directory", "%s", map[bool]string{true: "nothing", false: "something"}[a.Doors == 0 && !a.Listed])
	e.See(seen.proved == nil, "the certificate", "%s", world.OrError("verifies", seen.proved))
	e.Figure("rows", "%d", b.Rows)
	e.Figure("files", "%d", b.Files)
	e.Figure("took", "%s", world.Span(seen.took))
	return e
}
