package holds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/vault"
)

// An erasure that meets holds goes in steps that a crash cannot spoil:
//
//  1. The gate closes: no hold is placed any more, so those that are read next are all there are.
//  2. What they cover is copied under the hold's key, durably. Repeating it writes the same again.
//  3. The person's key is destroyed. From here on there is nothing to copy from, and nothing more to copy.
//
// So at any moment a held row can be opened under the person's key or under the hold's, and what is not held has never
// been under any other key than the person's.

const (
	copyAtOnce = 500     // rows of one transaction
	maxFile    = 4 << 30 // bytes
)

// Kept tells what a hold kept at an erasure: classes and their numbers of items, never content.
type Kept struct {
	Hold    HoldID         `json:"hold"`
	Ground  Ground         `json:"ground"`
	Classes map[string]int `json:"classes"`
}

// Preserve copies what holds cover of people who are about to be erased, and tells what is kept of them. Call it before
// their keys are destroyed, and again after a crash. On a full disk it is errs.NoSpace if there is anything to keep.
func (s *Service) Preserve(ctx context.Context, tenant ids.Tenant, people []ids.Contact) ([]Kept, error) {
	active, err := s.close(ctx, tenant, people)
	if err != nil {
		return nil, fmt.Errorf("find what is held: %w", err)
	}
	var kept []Kept
	for _, h := range active {
		k, err := s.preserve(ctx, tenant, h, people)
		if err != nil {
			return nil, fmt.Errorf("keep what is held: %w", err)
		}
		if len(k.Classes) > 0 {
			kept = append(kept, k)
		}
	}
	return kept, nil
}

// close shuts people's gates and lists the holds that cover them. Where there is no room to shut a gate there is none to
// place a hold, and an erasure without holds must not wait for room.
func (s *Service) close(ctx context.Context, tenant ids.Tenant, people []ids.Contact) (active []Hold, err error) {
	err = s.unhurried(ctx, system(tenant), actKeep, func(tx *vault.Tx) error {
		for _, person := range people {
			if err := shut(tx, person); err != nil {
				return err
			}
		}
		active, err = covering(tx, people)
		return err
	})
	if !errs.Is(err, errs.NoSpace) {
		return active, err
	}
	full := err
	err = s.vault.View(ctx, system(tenant), actList, func(tx *vault.Tx) error {
		active, err = covering(tx, people)
		return err
	})
	if err == nil && len(active) > 0 {
		err = full
	}
	return active, err
}

// covering lists the active holds that cover any of some people.
func covering(tx *vault.Tx, people []ids.Contact) (all []Hold, err error) {
	for _, person := range people {
		some, err := Held(tx, person)
		if err != nil {
			return nil, err
		}
		for _, h := range some {
			if !slices.ContainsFunc(all, func(known Hold) bool { return known.ID == h.ID }) {
				all = append(all, h)
			}
		}
	}
	return all, nil
}

func shut(tx *vault.Tx, person ids.Contact) error {
	g, err := gate(tx, person)
	if err != nil || g.Erasing {
		return err
	}
	g.Erasing, g.At = true, tx.Now()
	return Gates.Put(tx, g)
}

// preserve copies what one hold covers of those people whose keys are still there, and counts all that it has kept.
func (s *Service) preserve(ctx context.Context, tenant ids.Tenant, h Hold, people []ids.Contact) (Kept, error) {
	k := Kept{Hold: h.ID, Ground: h.Ground}
	for _, person := range people {
		err := s.copyPerson(ctx, tenant, h, person)
		if errs.Is(err, errs.Gone) { // another erasure of the same person was faster, and copied first
			continue
		}
		if err != nil {
			return k, err
		}
	}
	err := s.vault.View(ctx, system(tenant), actList, func(tx *vault.Tx) error {
		items, err := itemsOf(tx, h.ID)
		_, k.Classes = Counts(items)
		return err
	})
	return k, err
}

func (s *Service) copyPerson(ctx context.Context, tenant ids.Tenant, h Hold, person ids.Contact) error {
	actor := system(tenant)
	if has, err := s.vault.HasKey(ctx, actor, person); err != nil || !has {
		return err
	}
	var rows []Row
	var files []ids.Object
	err := s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		rows = nil
		err := s.each(tx, []ids.Contact{person}, h, func(table string, cells []vault.Cell) error {
			content, place, err := line(cells)
			if err != nil {
				return err
			}
			rows = append(rows, Row{Hold: h.ID, Class: table, Place: place, Keeper: h.Keeper, Content: personal.OfBytes(content), At: tx.Now()})
			return nil
		})
		if err != nil {
			return err
		}
		files, err = s.filesOf(tx, h, person, rows)
		return err
	})
	if err != nil {
		return err
	}
	for some := range slices.Chunk(rows, copyAtOnce) {
		err := s.vault.Do(ctx, actor, actKeep, func(tx *vault.Tx) error {
			tx.About(person)
			for _, row := range some {
				if err := Rows.Put(tx, row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, id := range files {
		if err := s.copyFile(ctx, tenant, h, person, id); err != nil {
			return err
		}
	}
	return nil
}

// each reads the rows about people that a hold covers. The lines of files are not among them: files are copied as such.
func (s *Service) each(tx *vault.Tx, people []ids.Contact, h Hold, do func(table string, cells []vault.Cell) error) error {
	for _, t := range s.vault.Tables() {
		if !aboutPeople(t) || t.Name() == vault.Blobs.Name() {
			continue
		}
		for _, person := range people {
			err := s.vault.EachRow(tx, t, person, func(cells []vault.Cell) error {
				if !h.Covers(t.Name(), cells) {
					return nil
				}
				return do(t.Name(), cells)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// line writes a row as JSON, and its key as text.
func line(cells []vault.Cell) (content []byte, place string, err error) {
	row, key := map[string]any{}, []string{}
	for _, c := range cells {
		row[c.Column.Name] = c.Value
		if b, ok := c.Value.([]byte); ok && json.Valid(b) {
			row[c.Column.Name] = json.RawMessage(b)
		}
		if c.Column.Class == "key" {
			key = append(key, fmt.Sprint(c.Value))
		}
	}
	content, err = json.Marshal(row)
	return content, strings.Join(key, "/"), err
}

// filesOf lists a person's files that a hold covers: all of them, or those that rows which are held name.
func (s *Service) filesOf(tx *vault.Tx, h Hold, person ids.Contact, rows []Row) ([]ids.Object, error) {
	all, err := vault.Blobs.Find(tx, "subject = ? ORDER BY id", person)
	if err != nil {
		return nil, err
	}
	var out []ids.Object
	for _, b := range all {
		if strings.HasPrefix(b.Kind, "application/vnd.aver.") { // a copy of what is held by itself
			continue
		}
		named := func(r Row) bool { return strings.Contains(string(r.Content.Reveal()), `"`+b.ID.String()+`"`) }
		if !h.Narrow() || slices.Contains(h.Classes, vault.Blobs.Name()) && len(h.Conversations) == 0 || slices.ContainsFunc(rows, named) {
			out = append(out, b.ID)
		}
	}
	return out, nil
}

// copyFile seals a file anew under the hold's key, unless that was done. One that is lost is noted as such: what nobody can
// read any more must not stand in the way of an erasure.
func (s *Service) copyFile(ctx context.Context, tenant ids.Tenant, h Hold, person ids.Contact, id ids.Object) error {
	actor := system(tenant)
	var from io.Reader
	var b vault.Blob
	err := s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		_, err := Files.Get(tx, h.ID, id)
		if !errs.Is(err, errs.NotFound) {
			from = nil
			return err
		}
		b, from, err = s.vault.ReadBlob(tx, id)
		return err
	})
	if errors.Is(err, vault.ErrLost) {
		return s.lost(ctx, tenant, h, person, id)
	}
	if err != nil || from == nil {
		return err
	}
	fresh, err := s.vault.PutBlob(ctx, actor, h.Keeper, b.Kind, from, maxFile)
	if err != nil {
		return err
	}
	err = s.vault.Do(ctx, actor, actKeep, func(tx *vault.Tx) error {
		return errors.Join(vault.Blobs.Add(tx, fresh), Files.Add(tx, File{Hold: h.ID, Original: id, Keeper: h.Keeper, File: fresh.ID, At: tx.Now()}))
	})
	if errs.Is(err, errs.Conflict) { // two erasures at once: the other's copy is as good
		return s.vault.DropBlob(actor, fresh)
	}
	return err
}

// lost notes in the hold and in the log that a file could not be kept.
func (s *Service) lost(ctx context.Context, tenant ids.Tenant, h Hold, person ids.Contact, id ids.Object) error {
	err := s.vault.Do(ctx, system(tenant), actKeep, func(tx *vault.Tx) error {
		tx.About(person)
		tx.Emit(vault.Event{Kind: "hold.file_lost", Object: id.String(), Subject: person}, nil)
		return Files.Add(tx, File{Hold: h.ID, Original: id, Keeper: h.Keeper, At: tx.Now()})
	})
	if errs.Is(err, errs.Conflict) { // two erasures at once: the other said so, or had its copy before the file went
		return nil
	}
	return err
}

// Item is something that a hold keeps of somebody who was erased, or a file that it could not keep.
type Item struct {
	Class   string
	Place   string
	Content personal.Bytes // of a row: a JSON object
	File    ids.Object     // of a file; zero for rows
	Lost    bool           // a file that was lost or damaged before it could be kept
	At      time.Time
}

// Items opens what a hold keeps. Who looked is in the log.
func (s *Service) Items(ctx context.Context, actor vault.Actor, id HoldID) (items []Item, err error) {
	err = s.vault.View(ctx, actor, actOpen, func(tx *vault.Tx) error {
		h, err := Holds.Get(tx, id)
		if err != nil {
			return err
		}
		tx.About(h.Contact)
		items, err = itemsOf(tx, id)
		return err
	})
	return items, err
}

func itemsOf(tx *vault.Tx, id HoldID) ([]Item, error) {
	rows, err := Rows.Find(tx, "hold = ? ORDER BY class, place", id)
	if err != nil {
		return nil, err
	}
	files, err := Files.Find(tx, "hold = ? ORDER BY original", id)
	if err != nil {
		return nil, err
	}
	var out []Item
	for _, r := range rows {
		out = append(out, Item{Class: r.Class, Place: r.Place, Content: r.Content, At: r.At})
	}
	for _, f := range files {
		out = append(out, Item{Class: vault.Blobs.Name(), Place: f.Original.String(), File: f.File, Lost: f.File.IsZero(), At: f.At})
	}
	return out, nil
}

// Counts tells how many items of each class a hold keeps. What it could not keep does not count.
func Counts(items []Item) (classes []string, count map[string]int) {
	count = map[string]int{}
	for _, item := range items {
		if !item.Lost {
			count[item.Class]++
		}
	}
	return slices.Sorted(maps.Keys(count)), count
}

// OpenFile opens a file that a hold keeps.
func (s *Service) OpenFile(ctx context.Context, actor vault.Actor, id HoldID, original ids.Object) (b vault.Blob, content io.Reader, err error) {
	err = s.vault.View(ctx, actor, actOpen, func(tx *vault.Tx) error {
		f, err := Files.Get(tx, id, original)
		if err != nil {
			return err
		}
		b, content, err = s.vault.ReadBlob(tx, f.File)
		return err
	})
	return b, content, err
}

const (
	dueKind  = "holds.due"
	dueEvery = 10 * time.Minute
)

func (s *Service) jobs(j *jobs.Jobs) error { return j.Every(dueKind, dueEvery, s.due) }

// due destroys the keys of holds whose release a crash interrupted.
func (s *Service) due(ctx context.Context) error {
	tenants, err := s.vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		err = errors.Join(err, s.dueIn(ctx, t.ID))
	}
	return err
}

func (s *Service) dueIn(ctx context.Context, tenant ids.Tenant) error {
	var undone []Hold
	err := s.vault.View(ctx, system(tenant), actList, func(tx *vault.Tx) (err error) {
		reasons, err := Reasons.Find(tx, "hold IN (SELECT id FROM legal_holds WHERE released_at IS NOT NULL) LIMIT 100")
		undone = nil
		for _, r := range reasons {
			undone = append(undone, Hold{ID: r.Hold, Keeper: r.Keeper})
		}
		return err
	})
	for _, h := range undone {
		err = errors.Join(err, s.destroy(ctx, system(tenant), h))
	}
	return err
}
