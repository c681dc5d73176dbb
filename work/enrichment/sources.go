package enrichment

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/holds"
	"aver/vault"
)

// DefaultPicture is where Libravatar itself keeps pictures.
const DefaultPicture = "https://seccdn.libravatar.org/avatar/{sha256}?d=404&s=160"

const (
	hashMark    = "{sha256}"
	addressMark = "{email}"
	mostFields  = 20
)

var fieldForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Sources are the tenant's, one of each kind, off if they were never set.
func (s *Service) Sources(ctx context.Context, actor vault.Actor) (all []Source, err error) {
	err = s.Vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		all, err = stored(tx)
		return err
	})
	return all, err
}

func stored(tx *vault.Tx) ([]Source, error) {
	out := []Source{{Kind: Picture, URL: DefaultPicture}, {Kind: Profile}}
	rows, err := sources.Find(tx, "ORDER BY kind")
	for _, row := range rows {
		for i := range out {
			if out[i].Kind == row.Kind {
				out[i] = row
			}
		}
	}
	return out, err
}

// Set changes a source. An empty token leaves the one that is kept, unless the address leads to another host: a secret
// goes only to whom it was given for. Switching a source off removes what it found.
func (s *Service) Set(ctx context.Context, actor vault.Actor, to Source) (Source, error) {
	to.URL = strings.TrimSpace(to.URL)
	if err := s.check(ctx, to); err != nil {
		return to, err
	}
	err := s.Vault.Do(ctx, actor, actSet, func(tx *vault.Tx) error {
		before, err := sources.Get(tx, string(to.Kind))
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		if to.Token.IsZero() && hostOf(before.URL) == hostOf(to.URL) {
			to.Token = before.Token
		}
		to.ChangedAt = tx.Now()
		tx.Emit(vault.Event{Kind: "enrichment.changed", Object: string(to.Kind), N: int64(onOff(to.On))}, nil)
		return sources.Put(tx, to)
	})
	if err != nil || to.On {
		return to, err
	}
	return to, s.Queue.RunNow(ctx, sweepKind, actor.Tenant(), "")
}

func onOff(on bool) int {
	if on {
		return 1
	}
	return 0
}

func (s *Service) check(ctx context.Context, to Source) error {
	var fields []errs.Field
	say := func(field, code, message string) {
		fields = append(fields, errs.Field{Field: field, Code: code, Message: message})
	}
	at, err := url.Parse(to.URL)
	switch {
	case to.Kind != Picture && to.Kind != Profile:
		return errs.New(errs.NotFound, "There is no such source.")
	case to.URL == "" && !to.On:
	case err != nil || at.Scheme != "https" || at.Host == "" || at.User != nil || len(to.URL) > 1000:
		say("url", "malformed", "Give an address that begins with https://, without a user in it.")
	case strings.ContainsAny(at.Host, "{}"):
		say("url", "malformed", "The host cannot depend on the person: the register must know it.")
	case to.Kind == Picture && !strings.Contains(to.URL, hashMark):
		say("url", "required", "Write {sha256} where the hash of the address goes.")
	case to.Kind == Picture && strings.Contains(to.URL, addressMark):
		say("url", "forbidden", "A picture is asked for by hash alone, never by the address itself.")
	case !strings.Contains(to.URL, hashMark) && !strings.Contains(to.URL, addressMark):
		say("url", "required", "Write {sha256} or {email} where the person goes.")
	case to.On && !s.Registered(ctx, at.Hostname()):
		say("url", "unregistered", "This host is not in the register of sub-processors for the purpose enrichment. Add the company there first.")
	}
	if to.On && s.Mail == nil {
		say("is_on", "no_mail", "Set up a mail relay first: whoever is looked up must be told within a month (GDPR Art. 14).")
	}
	if to.Kind == Profile && to.On && len(to.Fields) == 0 {
		say("fields", "required", "Name at least one field to keep.")
	}
	for name, pointer := range to.Fields {
		if !fieldForm.MatchString(name) || !strings.HasPrefix(pointer, "/") || len(pointer) > 200 || len(to.Fields) > mostFields {
			say("fields", "malformed", "Write up to 20 lines such as job_title = /person/title.")
			break
		}
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "The source cannot be used like this.", fields...)
	}
	return nil
}

func hostOf(address string) string {
	at, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return at.Hostname()
}

// Found is what is known of a person from sources.
type Found struct {
	Values []Value // without images
	Notice Notice  // zero when nothing was ever found
}

// Of reads what was found about a person; the log says who looked.
func (s *Service) Of(ctx context.Context, actor vault.Actor, contact ids.Contact) (out Found, err error) {
	err = s.Vault.View(ctx, actor, actView, func(tx *vault.Tx) error {
		tx.About(contact)
		out, err = found(tx, contact)
		return err
	})
	if err != nil || len(out.Values) == 0 {
		return out, err
	}
	shut, err := s.shut(ctx, actor.Tenant(), contact)
	if shut { // a hold keeps it
		out.Values = nil
	}
	return out, err
}

func found(tx *vault.Tx, contact ids.Contact) (out Found, err error) {
	if out.Values, err = values.Find(tx, "contact = ? ORDER BY kind, field LIMIT 50", contact); err != nil {
		return out, err
	}
	for i := range out.Values {
		out.Values[i].Image = personal.Bytes{}
	}
	out.Notice, err = notices.Get(tx, contact)
	return out, ignoreAbsent(err)
}

func ignoreAbsent(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// Forget removes what was found about a person; errs.Conflict where a legal hold covers them.
func (s *Service) Forget(ctx context.Context, actor vault.Actor, contact ids.Contact) error {
	return s.Vault.Do(ctx, actor, actForget, func(tx *vault.Tx) error {
		tx.About(contact)
		if err := free(tx, contact); err != nil {
			return err
		}
		_, err := values.DeleteWhere(tx, "contact = ? LIMIT 1000", contact)
		return err
	})
}

// forget is Forget of what may not be used any more. Of whom a hold covers it goes when the hold is released.
func (s *Service) forget(ctx context.Context, tenant ids.Tenant, contact ids.Contact) error {
	err := s.Forget(ctx, system(tenant), contact)
	if errors.Is(err, errHeld) {
		return nil
	}
	return err
}

var errHeld = errs.New(errs.Conflict, "A legal hold covers this person. What was found about them stays as it is until the hold is released.")

// free is errHeld for whom a legal hold covers: the sweeps of retention leave all that is kept about them alone, too.
func free(tx *vault.Tx, contact ids.Contact) error {
	held, err := holds.Held(tx, contact)
	if err == nil && len(held) > 0 {
		err = errHeld
	}
	return err
}
