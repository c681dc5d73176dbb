package inbox

import (
	"encoding/json"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/inbox/wording"
)

// Message is a message as it is read.
type Message struct {
	Conversation ids.Conversation
	Seq          int64
	Note         int64 // of a note; 0 for what both sides see
	ClientID     string
	From         Kind
	Author       ids.User
	Name         personal.Text // of the operator who wrote it
	Text         personal.Text
	Files        []File
	At           time.Time
	Redacted     bool // its words were taken out
}

// File is an attachment of a message.
type File struct {
	ID      ids.Object
	Name    personal.Text
	Kind    string // media type
	Size    int64  // bytes
	Picture bool   // safe to show in a page
}

// file is how an attachment is noted in its message.
type file struct {
	ID      ids.Object `json:"id"`
	Name    string     `json:"name"`
	Kind    string     `json:"kind"`
	Size    int64      `json:"size"`
	Picture bool       `json:"picture,omitempty"`
}

func packFiles(uploads []Upload) (personal.Bytes, error) {
	if len(uploads) == 0 {
		return personal.Bytes{}, nil
	}
	packed := make([]file, len(uploads))
	for i, u := range uploads {
		packed[i] = file{u.ID, u.Name.Reveal(), u.Kind, u.Size, u.Picture}
	}
	raw, err := json.Marshal(packed)
	return personal.OfBytes(raw), err
}

func unpackFiles(raw personal.Bytes) ([]File, error) {
	if raw.IsZero() {
		return nil, nil
	}
	var packed []file
	if err := json.Unmarshal(raw.Reveal(), &packed); err != nil {
		return nil, err
	}
	files := make([]File, len(packed))
	for i, f := range packed {
		files[i] = File{f.ID, personal.Of(f.Name), f.Kind, f.Size, f.Picture}
	}
	return files, nil
}

// size is about how many bytes the message takes as JSON.
func (m Message) size() int {
	size := 400 + wording.JSONSize(m.Text.Reveal())
	for _, f := range m.Files {
		size += 200 + wording.JSONSize(f.Name.Reveal())
	}
	return size
}

// messagesOf turns lines into messages, with the names of those of us who wrote them.
func messagesOf(tx *vault.Tx, lines []Line) ([]Message, error) {
	names := map[ids.User]personal.Text{}
	out := make([]Message, 0, len(lines))
	for _, l := range lines {
		if _, known := names[l.Author]; !known && !l.Author.IsZero() {
			name, err := nameOf(tx, l.Author)
			if err != nil {
				return nil, err
			}
			names[l.Author] = name
		}
		m, err := messageOf(l, names[l.Author])
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func messageOf(l Line, name personal.Text) (Message, error) {
	files, err := unpackFiles(l.Files)
	return Message{Conversation: l.Conversation, Seq: l.Seq, Note: l.Note, ClientID: l.ClientID.String(), From: l.From, Author: l.Author, Name: name,
		Text: l.Body, Files: files, At: l.SentAt, Redacted: !l.RedactedAt.IsZero()}, err
}

// nameOf is a user's name, empty for one who is gone.
func nameOf(tx *vault.Tx, user ids.User) (personal.Text, error) {
	if user.IsZero() {
		return personal.Text{}, nil
	}
	u, err := identity.Users.Get(tx, user)
	if errs.Is(err, errs.NotFound) {
		return personal.Text{}, nil
	}
	return u.Name, err
}
