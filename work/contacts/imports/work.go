package imports

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/trust/identity"
	"aver/trust/rights/archive"
	"aver/vault"
	"aver/work/contacts"
)

// batch is how many rows are stored in one transaction, together with the note that they are: so a crash leaves no row
// in doubt, and a message that comes meanwhile waits for a hundred people at most.
const batch = 100

// line is a row of the file: a draft, or what is wrong with it.
type line struct {
	number int // in the file, the header is 1
	draft  contacts.Draft
	fault  error
	fresh  ids.Contact // the key made for a new person
	made   bool        // Store made somebody
}

// Work goes through an import's file from where it stopped. It is the job's, and may run twice.
func (s *Service) Work(ctx context.Context, job jobs.Job) error {
	var id ID
	if err := id.UnmarshalText([]byte(job.ID)); err != nil {
		return err
	}
	actor := identity.System(job.Tenant, "import")
	i, err := s.Get(ctx, actor, id)
	if errs.Is(err, errs.NotFound) || err == nil && !i.State.Works() {
		return nil // cancelled, or swept
	}
	if err != nil {
		return err
	}
	if i.Rows == 0 {
		if err := s.forget(ctx, actor, i, i.pass()); err != nil {
			return err
		}
	}
	text, err := s.read(ctx, actor, i.File)
	if err != nil {
		return err
	}
	r := rows(text, i.Delimiter)
	if _, err := r.Read(); err != nil {
		return fmt.Errorf("skip the header: %w", err)
	}
	above := newPeople() // of a trial; an import finds them in the store
	if done := i.take(r, i.Rows); i.State == Trying {
		above.note(done...)
	}
	for {
		part := i.take(r, batch)
		if len(part) == 0 {
			return s.finish(ctx, actor, i, text)
		}
		if old, err := s.overtaken(ctx, job.Tenant, i); err != nil || old {
			return err
		}
		if err := s.store(ctx, actor, i, part, above); err != nil {
			return err
		}
		if i.State == Trying {
			above.note(part...)
		}
		if i, err = s.Get(ctx, actor, id); err != nil || !i.State.Works() {
			return err
		}
	}
}

func (s *Service) read(ctx context.Context, actor vault.Actor, file ids.Object) ([]byte, error) {
	var text []byte
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		_, from, err := s.vault.ReadBlob(tx, file)
		if err != nil {
			return err
		}
		text, err = io.ReadAll(from)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read an import's file: %w", err)
	}
	return text, nil
}

// take reads the next rows.
func (i Import) take(r *csv.Reader, most int) []line {
	var out []line
	for len(out) < most {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		l := line{number: i.Rows + len(out) + 2}
		if err != nil {
			l.fault = faulty("", "A quotation mark is missing or misplaced.")
		} else {
			l.draft, l.fault = i.draft(cells)
		}
		out = append(out, l)
	}
	return out
}

// store deals with some rows: it makes keys for people who are new, then stores everything at once. Somebody else may
// make or change one of these people in between; then it looks again.
func (s *Service) store(ctx context.Context, actor vault.Actor, i Import, part []line, above people) error {
	for try := 0; ; try++ {
		if err := s.prepare(ctx, actor, i, part, above); err != nil {
			return err
		}
		err := s.vault.Do(ctx, actor, actRun, func(tx *vault.Tx) error { return i.write(tx, part) })
		if !errs.Is(err, errs.Conflict) || try == 3 {
			return err
		}
	}
}

// prepare finds out who is new and makes their keys, side by side so that they share what it costs. Who stands further
// above in the file is not new: when the row is stored, they are.
func (s *Service) prepare(ctx context.Context, actor vault.Actor, i Import, part []line, above people) error {
	err := s.vault.View(ctx, actor, actRun, func(tx *vault.Tx) error {
		here := newPeople()
		for n := range part {
			l := &part[n]
			if l.fault != nil {
				continue
			}
			exists, err := contacts.Try(tx, l.draft)
			if err == nil && !exists {
				exists, err = has(l.draft, above, here)
			}
			if about(err) {
				l.fault = err
			} else if err != nil {
				return err
			}
			l.made = err == nil && !exists
			here.note(*l)
		}
		return nil
	})
	if err != nil || i.State == Trying {
		return err
	}
	var all sync.WaitGroup
	failed := make([]error, len(part))
	for n := range part {
		if l := &part[n]; l.made && l.fresh.IsZero() {
			all.Go(func() { l.fresh, failed[n] = s.vault.NewSubject(ctx, actor) })
		}
	}
	all.Wait()
	return errors.Join(failed...)
}

// about tells whether an error is about the row, and not about the store.
func about(err error) bool {
	kind := errs.Of(err)
	return kind == errs.Invalid || kind == errs.TooLarge || closed(kind) || kind == errs.Conflict && len(errs.AsProblem(err).Errors) > 0
}

// closed tells whether somebody has closed what a program brings about them, or was never asked.
func closed(kind errs.Kind) bool { return kind == errs.Restricted || kind == errs.ConsentRequired }

var errMoved = errs.New(errs.Conflict, "Somebody else changed these people at the same time.")

// write stores rows and how far the import has come, in one transaction.
func (i Import) write(tx *vault.Tx, part []line) error {
	now, err := Imports.Get(tx, i.ID)
	if err != nil {
		return err
	}
	if now.State != i.State || now.Rows != i.Rows {
		return nil // cancelled, or another process was here
	}
	for _, l := range part {
		made, err := l.made, l.fault
		if err == nil && now.State == Running {
			made, err = l.put(tx, now)
		}
		switch {
		case about(err):
			now.Refused++
			if err := Faults.Put(tx, i.fault(l.number, err)); err != nil {
				return err
			}
		case err != nil:
			return err
		case made:
			now.Made++
		default:
			now.Changed++
		}
	}
	now.Rows += len(part)
	return Imports.Put(tx, now)
}

func (l line) put(tx *vault.Tx, i Import) (made bool, err error) {
	if l.fresh.IsZero() && l.made {
		return false, errMoved
	}
	exists, err := contacts.Try(tx, l.draft)
	if err != nil {
		return false, err
	}
	if !exists && l.fresh.IsZero() {
		return false, errMoved // gone since prepare looked
	}
	c, made, err := contacts.Store(tx, l.draft, l.fresh)
	if err != nil || i.Label.IsZero() {
		return made, err
	}
	err = contacts.PutLabel(tx, c.ID, i.Label)
	if errs.Is(err, errs.TooLarge) {
		err = nil // who carries as many labels as can be is imported all the same
	}
	return made, err
}

func (i Import) fault(number int, err error) Fault {
	p := errs.AsProblem(err)
	f := Fault{Import: i.ID, Pass: i.pass(), Line: number, Message: p.Detail}
	var messages []string
	for _, e := range p.Errors {
		messages = append(messages, e.Message)
		f.Field, _, _ = strings.Cut(e.Field, ".") // names of the tenant's own fields are for the sealed message
	}
	if len(messages) > 0 && !closed(p.Code) {
		f.Message = strings.Join(messages, " ")
	}
	return f
}

// finish says that the file is dealt with; after the real pass it keeps the refused rows and lets go of the file.
func (s *Service) finish(ctx context.Context, actor vault.Actor, i Import, text []byte) error {
	var report vault.Blob
	if i.State == Running && i.Refused > 0 {
		csv, err := s.report(ctx, actor, i, text)
		if err != nil {
			return err
		}
		if report, err = s.vault.PutBlob(ctx, actor, ids.Subject{}, "text/csv", bytes.NewReader(csv), int64(len(csv))); err != nil {
			return err
		}
	}
	return s.vault.Do(ctx, actor, actRun, func(tx *vault.Tx) error {
		now, err := Imports.Get(tx, i.ID)
		if err != nil || now.State != i.State {
			return err
		}
		if now.State == Trying {
			now.State = Tried
			return Imports.Put(tx, now)
		}
		if !report.ID.IsZero() {
			now.Report = report.ID
			if err := vault.Blobs.Add(tx, report); err != nil {
				return err
			}
		}
		return s.end(tx, now, Done)
	})
}

// report writes the refused rows as they came, with the row's number and the reason before them. No cell is a formula.
func (s *Service) report(ctx context.Context, actor vault.Actor, i Import, text []byte) ([]byte, error) {
	faults := map[int]string{}
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		all, err := Faults.Find(tx, "import = ? AND pass = ? ORDER BY line", i.ID, string(realPass))
		for _, f := range all {
			faults[f.Line] = f.Message
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	write := func(cells ...string) error {
		for n := range cells {
			cells[n] = archive.Neutral(cells[n])
		}
		return w.Write(cells)
	}
	r := rows(text, i.Delimiter)
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read an import's first line: %w", err)
	}
	failed := []error{write(slices.Concat([]string{"row", "reason"}, header)...)}
	for number := 2; ; number++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if reason, bad := faults[number]; bad {
			failed = append(failed, write(slices.Concat([]string{fmt.Sprint(number), reason}, cells)...))
		}
	}
	w.Flush()
	return out.Bytes(), errors.Join(append(failed, w.Error())...)
}

// Report gives the refused rows as CSV; the journal says who took them.
func (s *Service) Report(ctx context.Context, actor vault.Actor, id ID) ([]byte, error) {
	var text []byte
	err := s.vault.View(ctx, actor, actReport, func(tx *vault.Tx) error {
		i, err := Imports.Get(tx, id)
		if err != nil {
			return err
		}
		if i.Report.IsZero() {
			return errs.New(errs.NotFound, "No row was refused.")
		}
		_, from, err := s.vault.ReadBlob(tx, i.Report)
		if err != nil {
			return err
		}
		text, err = io.ReadAll(from)
		return err
	})
	return text, err
}

// giveUp ends an import that failed too often.
func (s *Service) giveUp(ctx context.Context, job jobs.Job) error {
	var id ID
	if err := id.UnmarshalText([]byte(job.ID)); err != nil {
		return err
	}
	return s.vault.Do(ctx, identity.System(job.Tenant, "import"), actRun, func(tx *vault.Tx) error {
		i, err := Imports.Get(tx, id)
		if errs.Is(err, errs.NotFound) || err == nil && !i.State.Works() {
			return nil
		}
		if err != nil {
			return err
		}
		return s.end(tx, i, Failed)
	})
}

// Sweep removes imports that are a week old, with their files. An import that is left lying is as old as one that ended.
func (s *Service) Sweep(ctx context.Context) error {
	tenants, err := s.vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if err := s.sweep(ctx, t.ID); err != nil {
			return fmt.Errorf("sweep imports: %w", err)
		}
	}
	return nil
}

func (s *Service) sweep(ctx context.Context, tenant ids.Tenant) error {
	actor, before := identity.System(tenant, "import"), s.vault.Now().Add(-keptFor)
	var old []Import
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		old, err = Imports.Find(tx, "created_at < ? ORDER BY created_at LIMIT 100", before)
		return err
	})
	if err != nil {
		return err
	}
	for _, i := range old {
		for _, p := range []pass{trialPass, realPass} {
			if err := s.forget(ctx, actor, i, p); err != nil {
				return err
			}
		}
		if err := s.vault.Do(ctx, actor, actSweep, func(tx *vault.Tx) error { return s.drop(tx, i) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) drop(tx *vault.Tx, i Import) error {
	for _, file := range []ids.Object{i.File, i.Report} {
		if file.IsZero() {
			continue
		}
		if err := s.vault.DeleteBlob(tx, file); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
	}
	return Imports.Delete(tx, i.ID)
}

// forgotten is how many refused rows are removed in one transaction.
const forgotten = 2000

// forget removes what an earlier way through the file found.
func (s *Service) forget(ctx context.Context, actor vault.Actor, i Import, p pass) error {
	for n := forgotten; n == forgotten; {
		err := s.vault.Do(ctx, actor, actSweep, func(tx *vault.Tx) (err error) {
			n, err = Faults.DeleteWhere(tx, "import = ? AND pass = ? LIMIT ?", i.ID, string(p), forgotten)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
