// Package transcripts hands conversations to those who learn from them, with what is known of the people in them, so that
// it can be taken out.
package transcripts

import (
	"encoding/json"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/redact"
	"aver/trust/improvement"
	"aver/vault"
	"aver/work/contacts"
	"aver/work/inbox"
)

// longest is how many messages of a conversation are read.
const longest = 500

// Read reads conversations, newest first from one on (the zero ID: from the newest), at most so many. Notes, files and
// what was taken out of a conversation stay where they are. Of whom the transaction may not see there are no lines. It is
// an improvement.Source.
func Read(tx *vault.Tx, before ids.Conversation, most int) ([]improvement.Conversation, error) {
	tail, args := "ORDER BY id DESC LIMIT ?", []any{most}
	if !before.IsZero() {
		tail, args = "id < ? ORDER BY id DESC LIMIT ?", []any{before, most}
	}
	list, err := inbox.Conversations.Find(tx, tail, args...)
	if err != nil {
		return nil, err
	}
	out := make([]improvement.Conversation, 0, len(list))
	for _, c := range list {
		one, err := read(tx, c)
		if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Restricted) || errs.Is(err, errs.ConsentRequired) {
			one, err = improvement.Conversation{ID: c.ID}, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func read(tx *vault.Tx, c inbox.Conversation) (improvement.Conversation, error) {
	person, err := contacts.Contacts.Get(tx, c.Contact)
	if err != nil {
		return improvement.Conversation{}, err
	}
	out := improvement.Conversation{ID: c.ID, Person: person.ID, At: c.CreatedAt, Language: person.Language, Channel: string(c.Channel), Company: person.Company, About: about(person)}
	if !person.MergedInto.IsZero() {
		winner, err := contacts.Contacts.Get(tx, person.MergedInto)
		if err != nil {
			return out, err
		}
		out.Person, out.About = winner.ID, both(out.About, about(winner))
	}
	lines, err := inbox.Messages.Find(tx, "contact = ? AND conversation = ? AND note = 0 ORDER BY seq LIMIT ?", c.Contact, c.ID, longest)
	for _, l := range lines {
		if l.RedactedAt.IsZero() && !l.Body.IsZero() && (l.From == inbox.Visitor || l.From == inbox.Operator) {
			out.Lines = append(out.Lines, improvement.Line{From: string(l.From), Text: l.Body})
		}
	}
	return out, err
}

// about is what is known of a person.
func about(c contacts.Contact) redact.Person {
	p := redact.Person{Names: []string{c.Name.Reveal()}, Emails: []string{c.Email.Reveal()}, Phones: []string{c.Phone.Reveal()},
		Companies: []string{c.Company.Reveal()}, IDs: []string{c.ExternalID.Reveal()}}
	var own map[string]any
	if json.Unmarshal(c.Attributes.Reveal(), &own) != nil {
		return p
	}
	for _, value := range own {
		if text, is := value.(string); is {
			p.IDs = append(p.IDs, text)
		}
	}
	return p
}

func both(a, b redact.Person) redact.Person {
	return redact.Person{Names: append(a.Names, b.Names...), Emails: append(a.Emails, b.Emails...), Phones: append(a.Phones, b.Phones...),
		Companies: append(a.Companies, b.Companies...), IDs: append(a.IDs, b.IDs...)}
}

var _ improvement.Source = Read
