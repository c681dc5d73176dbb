package consent

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
)

// Languages are those in which Aver brings words of its own, as the widget does. The first is what people get whose
// language is none of them.
var Languages = []string{"en", "de", "fr", "es", "it", "pt", "nl", "pl", "ar", "hi"}

//go:embed notices.json
var shippedFile []byte

// shipped are the words that Aver brings, by purpose and language. They are version 1 until the tenant writes its own.
var shipped = mustShipped(shippedFile)

func mustShipped(file []byte) map[string]map[string]string {
	var all map[string]map[string]string
	if err := json.Unmarshal(file, &all); err != nil {
		panic(fmt.Sprintf("consent: the shipped notices cannot be read: %v", err)) // part of the program, found by its first test
	}
	return all
}

// Notice is what a person is shown before agreeing.
type Notice struct {
	Purpose  string
	Version  int
	Language string // of Text
	Text     string
	URL      string // of the full privacy notice; may be empty
	Own      bool   // the tenant's words, not those that Aver brings
}

// Current is the notice that visitors of the tenant are shown now, for the purpose Support and the language that they
// prefer (a BCP 47 tag; only its first part counts).
func (s *Service) Current(ctx context.Context, tenant ids.Tenant, lang string) (Notice, error) {
	var n Notice
	err := s.vault.View(ctx, identity.System(tenant, "consent"), actReadNotice, func(tx *vault.Tx) (err error) {
		n, err = current(tx, Support, language(lang))
		return err
	})
	return n, err
}

// All are the current notices of a purpose, in the languages in which there is one.
func (s *Service) All(ctx context.Context, actor vault.Actor, purpose string) ([]Notice, error) {
	var all []Notice
	err := s.vault.View(ctx, actor, actReadNotice, func(tx *vault.Tx) error {
		all = nil
		for _, lang := range Languages {
			n, err := current(tx, purpose, lang)
			if errs.Is(err, errs.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			all = append(all, n)
		}
		return nil
	})
	return all, err
}

// Version is a notice as it was shown, whether or not it is current; errs.NotFound if there was none.
func (s *Service) Version(ctx context.Context, actor vault.Actor, purpose, lang string, version int) (Notice, error) {
	var n Notice
	err := s.vault.View(ctx, actor, actReadNotice, func(tx *vault.Tx) error {
		row, err := Notices.Get(tx, purpose, lang, int64(version))
		if err == nil {
			n = noticeOf(row)
			return nil
		}
		words := shipped[purpose][lang]
		if errs.Is(err, errs.NotFound) && version == 1 && words != "" {
			n = Notice{Purpose: purpose, Version: 1, Language: lang, Text: words}
			return nil
		}
		return err
	})
	return n, err
}

// language is the first part of a tag if there are words in it, and English otherwise.
func language(tag string) string {
	first, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if slices.Contains(Languages, first) {
		return first
	}
	return Languages[0]
}

func noticeOf(row NoticeText) Notice {
	return Notice{Purpose: row.Purpose, Version: row.Version, Language: row.Language, Text: row.Words, URL: row.URL,
		Own: row.Words != shipped[row.Purpose][row.Language]}
}

// current is the newest stored notice, or what Aver brings.
func current(tx *vault.Tx, purpose, lang string) (Notice, error) {
	rows, err := Notices.Find(tx, "purpose = ? AND language = ? ORDER BY version DESC LIMIT 1", purpose, lang)
	if err != nil {
		return Notice{}, err
	}
	if len(rows) > 0 {
		return noticeOf(rows[0]), nil
	}
	words := shipped[purpose][lang]
	if words == "" {
		return Notice{}, errs.New(errs.NotFound, "There is no notice for this purpose in this language.")
	}
	return Notice{Purpose: purpose, Version: 1, Language: lang, Text: words}, nil
}

// keep stores the notice that Aver brings, once somebody relies on it: a later release may bring other words, and what
// was shown must stay known.
func keep(tx *vault.Tx, n Notice) error {
	if n.Version != 1 {
		return nil
	}
	_, err := Notices.Get(tx, n.Purpose, n.Language, int64(1))
	if !errs.Is(err, errs.NotFound) {
		return err
	}
	err = Notices.Add(tx, NoticeText{Purpose: n.Purpose, Language: n.Language, Version: 1, Words: n.Text, URL: n.URL, CreatedAt: tx.Now()})
	if errs.Is(err, errs.Conflict) {
		return nil // somebody else agreed to the same words at the same time and kept them
	}
	return err
}

const (
	leastWords = 20   // characters of a notice
	mostWords  = 4000 // the widget shows it in one screen that scrolls
)

var purposeForm = regexp.MustCompile(`^[a-z][a-z_]{1,30}$`)

// SetNotice puts new words in force from now on, as a new version. Earlier versions stay, as what people agreed to. It
// returns the notice in force; the same words as before change nothing.
func (s *Service) SetNotice(ctx context.Context, actor vault.Actor, n Notice) (Notice, error) {
	n.Text, n.URL = strings.TrimSpace(n.Text), strings.TrimSpace(n.URL)
	if err := n.check(); err != nil {
		return n, err
	}
	var now Notice
	err := s.vault.Do(ctx, actor, actWriteNotice, func(tx *vault.Tx) error {
		before, err := current(tx, n.Purpose, n.Language)
		switch {
		case errs.Is(err, errs.NotFound):
		case err != nil:
			return err
		case before.Text == n.Text && before.URL == n.URL:
			now = before
			return nil
		default:
			if err := keep(tx, before); err != nil {
				return err
			}
		}
		row := NoticeText{Purpose: n.Purpose, Language: n.Language, Version: before.Version + 1, Words: n.Text, URL: n.URL, CreatedAt: tx.Now()}
		now = noticeOf(row)
		tx.Emit(vault.Event{Kind: "consent_notice.changed", Object: row.Purpose + "." + row.Language, N: int64(row.Version)}, nil)
		return Notices.Add(tx, row)
	})
	return now, err
}

func (n Notice) check() error {
	var fields []errs.Field
	if !purposeForm.MatchString(n.Purpose) {
		fields = append(fields, errs.Field{Field: "purpose", Code: "malformed", Message: "A purpose is a word in lower-case letters."})
	}
	if !slices.Contains(Languages, n.Language) {
		fields = append(fields, errs.Field{Field: "language", Code: "unknown", Message: "Choose one of the languages of the widget."})
	}
	if size := utf8.RuneCountInString(n.Text); size < leastWords || size > mostWords || !utf8.ValidString(n.Text) {
		fields = append(fields, errs.Field{Field: "text", Code: "length", Message: "Write 20 to 4,000 characters that say what is kept and what for."})
	}
	if u, err := url.Parse(n.URL); n.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "" || len(n.URL) > 500) {
		fields = append(fields, errs.Field{Field: "url", Code: "malformed", Message: "Give an address that begins with https://, or leave it empty."})
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "The notice cannot be used like this.", fields...)
	}
	return nil
}
