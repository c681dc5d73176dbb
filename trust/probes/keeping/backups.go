package keeping

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/backups"
	"aver/trust/backups/shelf"
	"aver/trust/probes/world"
)

// restoring is ava-2.
func restoring(w *world.World) claim.Claim {
	return claim.Claim{
		ID: "ava-2", Theme: world.Availability, Owner: world.Operations, Every: 6 * world.Hourly, Within: 10 * time.Minute, On: []string{"backup."},
		Wording:   "Encrypted backups every day, and a restore is rehearsed: the last backup is {age} old, the last rehearsal took {took} and checked {entries} log entries and {samples} sealed values",
		Predicate: "The newest backup is signed by this installation and not older than a day and a half, none is older than a week, and the last rehearsal, not older than eight days, restored every tenant, recomputed its log, opened its values, and kept a person gone who was erased after the backup.",
		Method:    "The probe reads the backups' signed manifests. Where there is no backup or no rehearsal yet it makes one: the backup is restored into a scratch folder and compared. Rows of PostgreSQL are restored into stores of files.",
		Refs:      claim.References{ISO: []string{"A.8.13", "A.5.29"}, SOC2: []string{"A1.2", "A1.3"}, GDPR: []string{"32(1)(c)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			return restored(ctx, w)
		},
		Fixtures: []claim.Fixture{
			beside(w, "a backup that somebody else signed", 0),
			beside(w, "a backup that is eight days old", -8*world.Daily),
			beside(w, "a backup whose date is yet to come", 30*world.Daily),
			w.Scratch.Broken("a backup that was altered before it was rehearsed", rehearseAltered),
			drilled(w, "a rehearsal that failed", backups.Drill{Erased: true, Fault: "a file is not what the manifest says"}),
			drilled(w, "a restore that brought an erased person back", backups.Drill{Holds: true}),
		},
	}
}

// beside is the probe with another backup among the installation's, which somebody put there who has not its key.
func beside(w *world.World, name string, made time.Duration) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (e claim.Evidence, err error) {
		if _, _, err := lookAtBackups(ctx, w); err != nil { // one of its own, to begin with
			return e, err
		}
		path := filepath.Join(w.Folder, "backups", shelf.Data+w.Vault.Now().Add(made).UTC().Format(shelf.Stamp)+shelf.Manifest)
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			return e, err
		}
		defer func() { err = errors.Join(err, os.Remove(path)) }()
		return restored(ctx, w)
	})
}

// rehearseAltered is the probe after a rehearsal of a backup in which a byte is another.
func rehearseAltered(ctx context.Context, w *world.World) (e claim.Evidence, err error) {
	list, _, err := lookAtBackups(ctx, w)
	if err != nil {
		return e, err
	}
	path := filepath.Join(w.Folder, "backups", list[0].Name)
	was, err := os.ReadFile(path)
	if err != nil {
		return e, err
	}
	altered := bytes.Clone(was)
	altered[len(altered)/2] ^= 1
	defer func() { err = errors.Join(err, os.WriteFile(path, was, 0o600)) }()
	if err := os.WriteFile(path, altered, 0o600); err != nil {
		return e, err
	}
	d, err := w.Backups.Drill(ctx, world.System(ids.Installation), nil)
	if err != nil {
		return e, err
	}
	return world.With(ctx, w, ids.Installation, backups.Drills, d, d.ID, func() (claim.Evidence, error) { return restored(ctx, w) })
}

// drilled is the probe where the newest rehearsal ended like this.
func drilled(w *world.World, name string, d backups.Drill) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		if _, _, err := lookAtBackups(ctx, w); err != nil {
			return claim.Evidence{}, err
		}
		d.ID, d.Began, d.Tenants = ids.NewObject(w.Vault.Now()), w.Vault.Now(), 1
		return world.With(ctx, w, ids.Installation, backups.Drills, d, d.ID, func() (claim.Evidence, error) { return restored(ctx, w) })
	})
}

// restored is the probe.
func restored(ctx context.Context, w *world.World) (claim.Evidence, error) {
	list, d, err := lookAtBackups(ctx, w)
	return judgeBackups(list, d, w.Vault.Now()), err
}

// The longest that a backup and a rehearsal may be old.
const (
	backupAge = 36 * time.Hour
	drillAge  = 8 * world.Daily
)

func lookAtBackups(ctx context.Context, w *world.World) ([]backups.Backup, backups.Drill, error) {
	actor := world.System(ids.Installation)
	list, err := w.Backups.List(ctx, actor)
	if err == nil && len(list) == 0 {
		if _, err = w.Backups.Now(ctx, actor); err == nil {
			list, err = w.Backups.List(ctx, actor)
		}
	}
	if err != nil {
		return list, backups.Drill{}, fmt.Errorf("look at the backups: %w", err)
	}
	d, err := w.Backups.LastDrill(ctx)
	if errs.Is(err, errs.NotFound) {
		d, err = w.Backups.Drill(ctx, actor, nil)
	}
	if errs.Is(err, errs.Conflict) {
		err = nil // the identity is kept elsewhere, as it may be: then people rehearse, and until they do the claim fails
	}
	return list, d, err
}

func judgeBackups(list []backups.Backup, d backups.Drill, now time.Time) claim.Evidence {
	e, age, oldest, recent := world.Evidence(), time.Duration(0), time.Duration(0), false
	for i, b := range list {
		if i == 0 {
			age, recent = now.Sub(b.Made), clock.Within(now, b.Made, backupAge)
			e.See(b.Signed, "the newest backup's manifest", "%s", map[bool]string{true: "signed by this installation", false: "not signed by this installation"}[b.Signed])
		}
		oldest = max(oldest, now.Sub(b.Made))
	}
	e.See(recent, "the newest backup", "%d backups, the newest %s", len(list), world.Ago(age))
	e.See(oldest <= week, "the oldest backup", "%s old", page.Age(oldest))
	e.See(clock.Within(now, d.Began, drillAge), "the last rehearsal", "%s", whenDrilled(d, now))
	e.See(d.Holds, "what was restored", "%d tenants, %d log entries, %d sealed values; %s", d.Tenants, d.Entries, d.Samples, world.OrWord(d.Fault, "all as it was"))
	e.See(d.Erased, "somebody erased after the backup", "%s", map[bool]string{true: "stayed gone", false: "came back"}[d.Erased])
	e.Figure("age", "%s", page.Age(age))
	e.Figure("took", "%s", world.Span(d.Took))
	e.Figure("entries", "%s", page.Number(int(d.Entries)))
	e.Figure("samples", "%s", page.Number(d.Samples))
	return e
}

func whenDrilled(d backups.Drill, now time.Time) string {
	if d.Began.IsZero() {
		return "none yet"
	}
	return world.Ago(now.Sub(d.Began))
}

// week is how long a backup may be kept.
const week = 7 * world.Daily

// copies is ret-4.
func copies(w *world.World) claim.Claim {
	return claim.Claim{
		ID: "ret-4", Theme: world.Keeping, Owner: world.DPO, Every: world.Hourly, Within: 5 * time.Minute, On: []string{"backup."},
		Wording:   "Backups are encrypted with age, private, and gone within a week: {files} files looked at, the oldest {oldest} old",
		Predicate: "Every file where backups lie begins as one that age encrypted, or is a manifest; says when it was made, which is not more than seven days ago, and for a copy of keys not more than two; and is read by nobody else: mode 0600 in a folder, no answer to whoever has no credentials from a bucket, which keeps no deleted versions.",
		Method:    "The probe lists every folder and bucket that backups and copies of keys go to and reads the beginning and the mode of every file; from a bucket it asks for each without credentials.",
		Refs:      claim.References{ISO: []string{"A.8.13", "A.8.24", "A.8.10"}, SOC2: []string{"C1.2", "CC6.1"}, GDPR: []string{"5(1)(e)", "32(1)(a)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			kept, versioned, err := w.Backups.Kept(ctx, world.System(ids.Installation))
			return judgeCopies(kept, versioned, w.Vault.Now()), err
		},
		Fixtures: []claim.Fixture{
			onShelf("a file that nobody encrypted", "aver-data-%s.age", 0, 0o600, "PK: an archive in clear"),
			onShelf("a backup that others on the machine may read", "aver-data-%s.age", 0, 0o644, sealedFile),
			onShelf("a backup that is eight days old", "aver-data-%s.age", 8*world.Daily, 0o600, sealedFile),
			onShelf("a copy of the keys that is three days old", "aver-keys-%s.age", 3*world.Daily, 0o600, sealedFile),
			onShelf("a backup whose date is yet to come", "aver-data-%s.age", -8*world.Daily, 0o600, sealedFile),
			onShelf("a file that does not say when it was made", "copy%.0s.age", 0, 0o600, sealedFile),
			world.Fixture("a bucket that keeps what is deleted", func(context.Context) (claim.Evidence, error) { return judgeCopies(nil, true, time.Now()), nil }),
		},
	}
}

const sealedFile = "age-encryption.org/v1\n-> X25519"

// onShelf is a folder of backups with a good file and one that breaks the promise.
func onShelf(name, file string, age time.Duration, mode os.FileMode, text string) claim.Fixture {
	return world.Fixture(name, func(ctx context.Context) (e claim.Evidence, err error) {
		folder, err := os.MkdirTemp("", "aver-shelf-")
		if err != nil {
			return e, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		now := time.Now().UTC()
		put := func(name string, made time.Time, mode os.FileMode, text string) error {
			name = fmt.Sprintf(name, made.Format("20060102T150405.000"))
			err := shelf.Folder(folder).Put(ctx, name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
			return errors.Join(err, os.Chmod(filepath.Join(folder, name), mode))
		}
		if err := errors.Join(put("aver-data-%s.age", now.Add(-time.Hour), 0o600, sealedFile), put(file, now.Add(-age), mode, text)); err != nil {
			return e, err
		}
		kept, err := shelf.Examine(ctx, shelf.Folder(folder))
		return judgeCopies(kept, false, now), err
	})
}

func judgeCopies(kept []shelf.Kept, versioned bool, now time.Time) claim.Evidence {
	e, oldest := world.Evidence(), time.Duration(0)
	plain, open, undated, late := 0, 0, 0, 0
	for _, k := range kept {
		if !k.Encrypted {
			plain++
		}
		if !k.Private {
			open++
		}
		if k.Made.IsZero() || k.Made.Sub(now) > week { // a clock was wrong, and nobody knows how old it is
			undated++
			continue
		}
		oldest = max(oldest, now.Sub(k.Made))
		if now.Sub(k.Made) > backups.LifeOf(k.Name) {
			late++
		}
	}
	e.See(plain == 0, "files that are not encrypted", "%d of %d", plain, len(kept))
	e.See(open == 0, "files that others read", "%d", open)
	e.See(undated == 0, "files that do not say when they were made", "%d", undated)
	e.See(late == 0, "the oldest file", "%s old; %d older than they may be", page.Age(oldest), late)
	e.See(!versioned, "what is deleted", "%s", map[bool]string{true: "is kept by the bucket as an older version", false: "is gone"}[versioned])
	e.Figure("files", "%d", len(kept))
	e.Figure("oldest", "%s", page.Age(oldest))
	return e
}
