package consent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/errs"
	"aver/vault"
	"aver/vault/purpose"
)

// Definition is one version of what a purpose is. No version is ever changed. What people are shown before they agree
// to it are its notices.
type Definition struct {
	ID         string            `vault:"id,key"`
	Version    int               `vault:"version,key"`
	Basis      purpose.Basis     `vault:"basis,state"`
	Shares     bool              `vault:"shares,state"`                     // it hands data to others for their own ends
	Automated  bool              `vault:"automated,state"`                  // programs do it
	Names      map[string]string `vault:"names,tenant:tenant.content"`      // in words, by language
	Recipients []string          `vault:"recipients,tenant:tenant.content"` // who gets the data besides the tenant
	Keep       string            `vault:"keep,tenant:tenant.content"`       // how long, in words
	CreatedAt  time.Time         `vault:"created_at,state"`
}

// Definitions are what the tenant has said about purposes.
var Definitions = vault.Define[Definition]("consent_purposes", vault.Purpose("knowing what people's data is used for, and on what ground"), vault.KeepWhile("as long as somebody's consent refers to it"))

var (
	actReadPurposes = vault.Act("purpose.read", purpose.Workspace, vault.Everyone(), vault.System(), vault.Scope("settings:read"))
	actSetPurpose   = vault.Act("purpose.write", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO), vault.Scope("settings:write"))
)

// mostPurposes is how many of its own a tenant may have: people shall be able to read them.
const mostPurposes = 50

// brought is a purpose as Aver brings it, version 0.
func brought(id string) Definition {
	terms := purpose.Of(id)
	return Definition{ID: id, Basis: terms.Basis, Shares: terms.Shares, Automated: !terms.Human}
}

// Purposes lists what people's data is used for: Aver's own purposes and the tenant's, each as it is now.
func (s *Service) Purposes(ctx context.Context, actor vault.Actor) ([]Definition, error) {
	var out []Definition
	err := s.vault.View(ctx, actor, actReadPurposes, func(tx *vault.Tx) error {
		all, err := Definitions.Find(tx, "ORDER BY id, version LIMIT 1000")
		latest := map[string]Definition{}
		var own []string
		for _, d := range all {
			if latest[d.ID].ID == "" && !slices.Contains(purpose.Known, d.ID) {
				own = append(own, d.ID)
			}
			latest[d.ID] = d
		}
		out = []Definition{brought(Support)}
		for _, id := range slices.Concat(purpose.Known, own) {
			d, said := latest[id]
			if !said {
				d = brought(id)
			}
			out = append(out, d)
		}
		return err
	})
	return out, err
}

// PurposeVersions lists what a purpose was, newest first; errs.NotFound if there is no such purpose.
func (s *Service) PurposeVersions(ctx context.Context, actor vault.Actor, id string) ([]Definition, error) {
	var all []Definition
	err := s.vault.View(ctx, actor, actReadPurposes, func(tx *vault.Tx) (err error) {
		all, err = Definitions.Find(tx, "id = ? ORDER BY version DESC LIMIT 100", id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if id == Support || slices.Contains(purpose.Known, id) {
		all = append(all, brought(id))
	}
	if len(all) == 0 {
		return nil, errs.New(errs.NotFound, "There is no such purpose.")
	}
	return all, nil
}

// SetPurpose defines a purpose from now on, as a new version, and has the vault go by its ground at once. The same as
// before changes nothing. That answering people rests on their consent cannot be changed.
func (s *Service) SetPurpose(ctx context.Context, actor vault.Actor, d Definition) (Definition, error) {
	d = d.trimmed()
	if err := d.check(); err != nil {
		return d, err
	}
	err := s.vault.Do(ctx, actor, actSetPurpose, func(tx *vault.Tx) error {
		before, err := Definitions.Find(tx, "id = ? ORDER BY version DESC LIMIT 1", d.ID)
		if err != nil {
			return err
		}
		d.Version, d.CreatedAt = 1, tx.Now()
		if len(before) > 0 {
			d.Version = before[0].Version + 1
			if d.says(before[0]) {
				d = before[0]
				return nil
			}
		} else if n, err := Definitions.Count(tx, "version = 1"); err != nil || n >= mostPurposes {
			return orMany(err)
		}
		tx.Emit(vault.Event{Kind: "purpose.changed", Object: d.ID, N: int64(d.Version)}, nil)
		return errors.Join(Definitions.Add(tx, d), vault.Purposes.Put(tx, vault.PurposeTerms{ID: d.ID, Basis: d.Basis, Shares: d.Shares}))
	})
	return d, err
}

func orMany(err error) error {
	if err != nil {
		return err
	}
	return errs.New(errs.Conflict, "There are 50 purposes already. Nobody would read more.")
}

func (d Definition) trimmed() Definition {
	names := map[string]string{}
	for lang, name := range d.Names {
		if name = strings.TrimSpace(name); name != "" {
			names[lang] = name
		}
	}
	var recipients []string
	for _, r := range d.Recipients {
		if r = strings.TrimSpace(r); r != "" {
			recipients = append(recipients, r)
		}
	}
	d.Names, d.Recipients, d.Keep = names, recipients, strings.TrimSpace(d.Keep)
	if slices.Contains(purpose.Known, d.ID) {
		d.Automated = true // it is, whatever is said
	}
	return d
}

// says tells whether two versions say the same.
func (d Definition) says(other Definition) bool {
	same := len(d.Names) == len(other.Names)
	for lang, name := range d.Names {
		same = same && other.Names[lang] == name
	}
	return same && d.Basis == other.Basis && d.Shares == other.Shares && d.Automated == other.Automated && d.Keep == other.Keep && slices.Equal(d.Recipients, other.Recipients)
}

func (d Definition) check() error {
	var fields []errs.Field
	bad := func(field, code, message string) {
		fields = append(fields, errs.Field{Field: field, Code: code, Message: message})
	}
	switch {
	case !purpose.Valid(d.ID):
		bad("id", "malformed", "A purpose is a word in lower-case letters, such as newsletter.")
	case purpose.Fixed(d.ID):
		bad("id", "fixed", "The ground of this purpose is fixed by law or by the program.")
	}
	if !slices.Contains(purpose.Bases, d.Basis) {
		bad("basis", "unknown", "Choose one of the grounds of GDPR Art. 6(1).")
	}
	for lang, name := range d.Names {
		if !slices.Contains(Languages, lang) || utf8.RuneCountInString(name) > 80 {
			bad("name", "length", "Use up to 80 characters, in a language of the widget.")
		}
	}
	for _, r := range d.Recipients {
		if utf8.RuneCountInString(r) > 200 || len(d.Recipients) > 20 {
			bad("recipients", "length", "Name up to 20 recipients with up to 200 characters each.")
			break
		}
	}
	if utf8.RuneCountInString(d.Keep) > 200 {
		bad("keep", "length", "Use up to 200 characters.")
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "The purpose cannot be defined like this.", fields...)
	}
	return nil
}
