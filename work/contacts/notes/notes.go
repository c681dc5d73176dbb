// Package notes keeps what colleagues write down about a contact.
package notes

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/purpose"
)

// Note is what an operator wrote down about a contact.
type Note struct {
	ID      ids.Object    `vault:"id,key"`
	Contact ids.Contact   `vault:"contact,subject"`
	Author  ids.User      `vault:"author,state"`
	Body    personal.Text `vault:"body,personal:user.content,search"`
	At      time.Time     `vault:"at,state"`
}

// Table holds them.
var Table = vault.Define[Note]("contact_notes", vault.Purpose("keeping what colleagues must know to help a person"), vault.KeepWhile("as long as the contact"))

// Act is writing and removing notes.
var Act = vault.Act("contact.note", purpose.Desk, vault.Roles(vault.Owner, vault.Administrator, vault.Operator), vault.Scope("contacts:write"))

const mostText = 10_000 // characters

// Service keeps the notes.
type Service struct {
	vault  *vault.Vault
	view   *vault.Action
	exists func(tx *vault.Tx, contact ids.Contact) error
}

// New makes the service. Notes are read under the action view, about contacts that exist.
func New(v *vault.Vault, view *vault.Action, exists func(*vault.Tx, ids.Contact) error) *Service {
	return &Service{v, view, exists}
}

// Of reads the notes about a contact, newest first.
func Of(tx *vault.Tx, contact ids.Contact) ([]Note, error) {
	return Table.Find(tx, "contact = ? ORDER BY id DESC LIMIT 100", contact)
}

// Add writes something down about a contact. Card numbers are masked.
func (s *Service) Add(ctx context.Context, actor vault.Actor, contact ids.Contact, body string) (Note, error) {
	text, err := checked(body)
	if err != nil {
		return Note{}, err
	}
	n := Note{Contact: contact, Author: actor.User(), Body: text}
	err = s.vault.Do(ctx, actor, Act, func(tx *vault.Tx) error {
		if err := s.exists(tx, contact); err != nil {
			return err
		}
		n.ID, n.At = ids.NewObject(tx.Now()), tx.Now()
		return Table.Add(tx, n)
	})
	return n, err
}

// List reads the notes about a contact, newest first; the journal says who looked.
func (s *Service) List(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]Note, error) {
	var all []Note
	err := s.vault.View(ctx, actor, s.view, func(tx *vault.Tx) (err error) {
		tx.About(contact)
		if err = s.exists(tx, contact); err != nil {
			return err
		}
		all, err = Of(tx, contact)
		return err
	})
	return all, err
}

// Remove removes a note about a contact.
func (s *Service) Remove(ctx context.Context, actor vault.Actor, contact ids.Contact, id ids.Object) error {
	return s.vault.Do(ctx, actor, Act, func(tx *vault.Tx) error {
		n, err := Table.Get(tx, id)
		if err != nil {
			return err
		}
		if n.Contact != contact {
			return errs.New(errs.NotFound, "There is no such note about this person.")
		}
		return Table.Delete(tx, id)
	})
}

func checked(body string) (personal.Text, error) {
	body = strings.TrimSpace(body)
	if body == "" {
		return personal.Text{}, errs.New(errs.Invalid, "There is no text.", errs.Field{Field: "body", Code: "required", Message: "Write something."})
	}
	if utf8.RuneCountInString(body) > mostText || !utf8.ValidString(body) {
		return personal.Text{}, errs.New(errs.Invalid, "The text is too long.", errs.Field{Field: "body", Code: "too-long", Message: "Use at most 10,000 characters."})
	}
	body, _ = cards.Mask(body)
	return personal.Of(body), nil
}
