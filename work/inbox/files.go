package inbox

import (
	"context"
	"errors"
	"io"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/inbox/attach"
	"aver/work/inbox/desk"
)

// claimTime is how long an upload waits for its message.
const claimTime = 24 * time.Hour

var errUpload = errs.New(errs.NotFound, "An attachment is not there any more. Attach it again.",
	errs.Field{Field: "attachments", Code: "unknown", Message: "An attachment is not there any more. Attach it again."})

// Upload takes a file for a message in a conversation with the person, who is the visitor or somebody that we write to.
// What it is is found out from its bytes; pictures are drawn anew. It must be named by a message within a day.
func (s *Service) Upload(ctx context.Context, actor vault.Actor, contact ids.Contact, name personal.Text, from io.Reader) (f File, err error) {
	if err := s.mayUpload(ctx, actor, contact); err != nil {
		return File{}, err
	}
	err = attach.Take(ctx, name.Reveal(), from, func(clean attach.File) (err error) {
		f, err = s.keep(ctx, actor, contact, clean)
		return err
	})
	return f, err
}

// keep stores a file that was made harmless.
func (s *Service) keep(ctx context.Context, actor vault.Actor, contact ids.Contact, clean attach.File) (File, error) {
	blob, err := s.vault.PutBlob(ctx, actor, contact, clean.Kind, clean.Content, attach.MaxSize)
	if err != nil {
		return File{}, err
	}
	u := Upload{ID: blob.ID, Contact: contact, ByPerson: actor.Kind() == vault.AsPerson, Kind: clean.Kind, Picture: clean.Picture, Name: personal.Of(clean.Name), Size: blob.Size, At: blob.CreatedAt}
	var refusal error
	err = s.vault.Do(ctx, actor, actUpload, func(tx *vault.Tx) error {
		if refusal = s.mayHandIn(tx, actor, contact, blob.Size); refusal != nil {
			return refusal
		}
		return errors.Join(vault.Blobs.Add(tx, blob), Uploads.Add(tx, u))
	})
	if refusal != nil {
		err = errors.Join(err, s.vault.DropBlob(actor, blob))
	}
	return File{u.ID, u.Name, u.Kind, u.Size, u.Picture}, err
}

// What one person may hand in within a day.
const (
	mostUnclaimed = 20        // files that no message has named yet
	mostOfDay     = 200       // files
	mostDayBytes  = 200 << 20 // of all of them
)

// errDay is no errs.TooMany: the widget would wait in silence, and keep the person's other messages waiting too.
var errDay = errs.New(errs.TooLarge, "This is more than one person can send in a day. Nothing was kept of this file; those before it are still there.", errs.Field{Field: "file", Code: "day", Message: "Send it tomorrow."})

// mayHandIn tells whether a visitor may hand in a file of this size. Those who answer may: they have accounts.
func (s *Service) mayHandIn(tx *vault.Tx, actor vault.Actor, contact ids.Contact, size int64) error {
	if actor.Kind() != vault.AsPerson {
		return nil
	}
	if err := s.mayWrite(tx, contact)(); err != nil { // it also keeps others of this person waiting, so that the files are counted one by one
		return err
	}
	today, err := Uploads.Find(tx, "contact = ? AND uploaded_at > ? AND by_person LIMIT ?", contact, tx.Now().Add(-claimTime), mostOfDay)
	if err != nil {
		return err
	}
	unclaimed := 0
	for _, u := range today {
		size += u.Size
		if u.Conversation.IsZero() {
			unclaimed++
		}
	}
	if len(today) >= mostOfDay || unclaimed >= mostUnclaimed || size > mostDayBytes {
		return errDay
	}
	return nil
}

// mayUpload refuses before anything is read: visitors for others, or without consent; us for people without a conversation.
func (s *Service) mayUpload(ctx context.Context, actor vault.Actor, contact ids.Contact) error {
	err := s.vault.View(ctx, actor, actUpload, func(tx *vault.Tx) error {
		if actor.Kind() == vault.AsPerson {
			if actor.Subject() != contact {
				return errNoConversation
			}
			return s.mayHandIn(tx, actor, contact, 0)
		}
		found, err := Conversations.Find(tx, "contact = ? ORDER BY ordinal DESC LIMIT 1", contact)
		if err == nil && len(found) == 0 {
			return errNoConversation
		}
		return err
	})
	if actor.Kind() == vault.AsPerson && errs.Is(err, errs.ConsentRequired) {
		return s.ifErased(ctx, actor, err)
	}
	return err
}

// handedIn reads the uploads that a message names. They must belong to the conversation's person.
func handedIn(tx *vault.Tx, contact ids.Contact, named []ids.Object) ([]Upload, error) {
	var out []Upload
	for _, id := range named {
		if id.IsZero() {
			return nil, errUpload
		}
		u, err := Uploads.Get(tx, id)
		if errs.Is(err, errs.NotFound) {
			return nil, errUpload
		}
		if err != nil {
			return nil, err
		}
		if u.Contact != contact || u.ByPerson != (tx.Actor().Kind() == vault.AsPerson) {
			return nil, errUpload
		}
		out = append(out, u)
	}
	return out, nil
}

// claim makes the uploads the message's own.
func claim(tx *vault.Tx, l Line, uploads []Upload) error {
	for i, u := range uploads {
		for _, other := range uploads[:i] {
			if other.ID == u.ID {
				return errUpload
			}
		}
		if !u.Conversation.IsZero() || tx.Now().Sub(u.At) > claimTime {
			return errUpload
		}
		u.Conversation, u.Seq, u.Note = l.Conversation, l.Seq, l.Note
		if err := Uploads.Put(tx, u); err != nil {
			return err
		}
	}
	return nil
}

// dropFiles removes a message's files.
func dropFiles(tx *vault.Tx, l Line) error {
	mine, err := Uploads.Find(tx, "conversation = ? AND seq = ? AND note = ? LIMIT 100", l.Conversation, l.Seq, l.Note)
	for _, u := range mine {
		err = errors.Join(err, dropUpload(tx, u))
	}
	return err
}

func dropUpload(tx *vault.Tx, u Upload) error {
	return errors.Join(Uploads.Delete(tx, u.ID), vault.Blobs.Delete(tx, u.ID))
}

var errNoFile = errs.New(errs.NotFound, "There is no such file.")

// Attachment opens a file for a visitor, of their own conversations and never of a note, or for somebody who answers;
// the journal then says who looked at whose.
func (s *Service) Attachment(ctx context.Context, actor vault.Actor, id ids.Object) (f File, content io.Reader, err error) {
	action := actDownload
	if actor.Kind() == vault.AsPerson {
		action = actLook
	}
	err = s.vault.View(ctx, actor, action, func(tx *vault.Tx) error {
		u, err := Uploads.Get(tx, id)
		if err != nil {
			return desk.Absent(err, errNoFile.Message)
		}
		if actor.Kind() == vault.AsPerson && (actor.Subject() != u.Contact || u.Note > 0 || !u.ByPerson && u.Conversation.IsZero()) {
			return errNoFile
		}
		tx.About(u.Contact)
		f = File{u.ID, u.Name, u.Kind, u.Size, u.Picture}
		_, content, err = s.vault.ReadBlob(tx, id)
		return err
	})
	return f, content, err
}

// sweepBatch is how many uploads one transaction looks at.
const sweepBatch = 200

// SweepUploads removes, in every tenant, uploads that no message claimed within a day, and those whose message is gone.
func (s *Service) SweepUploads(ctx context.Context) error {
	tenants, err := s.vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		actor := identity.System(t.ID, "inbox")
		for more := true; more && err == nil; {
			more, err = s.sweepSome(ctx, actor)
		}
		if err != nil {
			return err
		}
		if _, err := s.vault.SweepBlobs(ctx, t.ID); err != nil {
			return err
		}
	}
	return nil
}

// sweepSome looks at the oldest uploads and tells whether it removed a whole batch. Messages go in the order of their
// age, so the first upload that still has its message ends the search but for those that were never claimed.
func (s *Service) sweepSome(ctx context.Context, actor vault.Actor) (more bool, err error) {
	stale := func(tx *vault.Tx) ([]Upload, error) {
		limit := s.vault.Now().Add(-claimTime)
		drop, err := Uploads.Find(tx, "conversation IS NULL AND uploaded_at < ? LIMIT ?", limit, sweepBatch)
		if err != nil {
			return nil, err
		}
		oldest, err := Uploads.Find(tx, "conversation IS NOT NULL AND uploaded_at < ? ORDER BY uploaded_at, id LIMIT ?", limit, sweepBatch)
		for _, u := range oldest {
			if _, err := Messages.Get(tx, u.Contact, u.Conversation, u.Seq, u.Note); errs.Is(err, errs.NotFound) {
				drop = append(drop, u)
			} else {
				return drop, err
			}
		}
		return drop, err
	}
	var found []Upload
	err = s.vault.View(ctx, actor, actSweep, func(tx *vault.Tx) (err error) {
		found, err = stale(tx)
		return err
	})
	if err != nil || len(found) == 0 { // an empty change would still be an entry in the log
		return false, err
	}
	err = s.vault.Do(ctx, actor, actSweep, func(tx *vault.Tx) error {
		drop, err := stale(tx)
		if err != nil {
			return err
		}
		for _, u := range drop[:min(len(drop), sweepBatch)] {
			if err := dropUpload(tx, u); err != nil {
				return err
			}
		}
		more = len(drop) >= sweepBatch
		return nil
	})
	return more, err
}
