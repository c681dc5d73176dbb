// Package letters puts into words what people are told about their requests, in their language where Aver has it.
//
// A letter says what was asked for, under which number, and what becomes of it. It never repeats what the person wrote.
// Letters to those who answer requests say where to look, and nothing about whom.
package letters

import (
	"embed"
	"time"

	"aver/base/personal"
	"aver/frame/mail"
	"aver/frame/page"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
)

//go:embed strings.*.json
var files embed.FS

// Languages are those in which people are written to.
var Languages = []string{"en", "de", "fr", "es", "it", "pt", "nl", "pl", "ar", "hi"}

// names are the languages in their own words.
var names = map[string]string{"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "it": "Italiano", "pt": "Português", "nl": "Nederlands", "pl": "Polski", "ar": "العربية", "hi": "हिन्दी"}

// Day is a day as it is written in a text of a language: apart from the text around it where that goes the other way.
func Day(lang string, t time.Time) string {
	day := t.Format(time.DateOnly)
	if lang == "ar" {
		day = "\u2066" + day + "\u2069" // isolated, by Unicode
	}
	return day
}

// Named is a language in its own words.
func Named(lang string) string { return names[lang] }

var texts = page.MustTranslations(files, Languages...)

// About is what every letter about a request needs to know.
type About struct {
	Workspace string
	Kind      state.Kind
	Number    string
	Words     personal.Text // of whoever decided; may be empty
	GDPR      bool          // complaints go to a data protection authority
}

// letter is one letter in one language.
type letter struct {
	page.Strings
	about About
}

func in(lang string, a About) letter { return letter{texts.In(lang), a} }

func (l letter) wish() string { return l.T("wish."+string(l.about.Kind), l.about.Workspace) }

// asked is the same in a letter to others.
func (l letter) asked() string { return l.T("asked." + string(l.about.Kind)) }

// to puts paragraphs together to a letter.
func (l letter) to(address personal.Text, subject string, paragraphs ...string) mail.Message {
	text := ""
	for _, p := range paragraphs {
		if p != "" {
			text += p + "\n\n"
		}
	}
	if l.about.Number != "" {
		text += l.T("number", l.about.Number) + "\n"
	}
	return mail.Message{To: address, Subject: subject, Text: text}
}

// words are those of whoever decided, marked as theirs.
func (l letter) words() string {
	if l.about.Words.IsZero() {
		return ""
	}
	return l.T("words", l.about.Workspace) + "\n" + l.about.Words.Reveal()
}

// Code carries the code that proves an address.
func Code(lang string, to personal.Text, a About, code string) mail.Message {
	l := in(lang, a)
	return l.to(to, l.T("code.subject", code), l.T("code.asked", l.wish()), l.T("code.code", code), l.T("code.not", a.Workspace))
}

// Link carries the link that proves an address, of a request that came another way.
func Link(lang string, to personal.Text, a About, link string) mail.Message {
	l := in(lang, a)
	return l.to(to, l.T("link.subject", a.Workspace), l.T("link.asked", a.Workspace, l.wish()), l.T("link.link"), link, l.T("link.not", a.Workspace))
}

// Confirmation says that a request has come, and by when it is answered.
func Confirmation(lang string, to personal.Text, a About, by time.Time) mail.Message {
	l := in(lang, a)
	return l.to(to, l.T("confirm.subject", a.Workspace), l.T("confirm.text", l.wish(), Day(lang, by)))
}

// Extension says that an answer takes longer, why, and until when.
func Extension(lang string, to personal.Text, a About, why state.Delay, until time.Time) mail.Message {
	l := in(lang, a)
	return l.to(to, l.T("extend.subject", a.Workspace), l.T("extend.text", l.wish(), Day(lang, until)), l.T("extend."+string(why)), l.words(), l.complain())
}

// Denial says that what was asked for is not done, why, and where the person can complain.
func Denial(lang string, to personal.Text, a About, why state.Reason) mail.Message {
	l := in(lang, a)
	return l.to(to, l.T("deny.subject", a.Workspace), l.T("deny.text", l.wish()), l.T("reason."+string(why)), l.words(), l.complain())
}

// Done says that what was asked for is done.
func Done(lang string, to personal.Text, a About) mail.Message {
	l := in(lang, a)
	return l.to(to, l.T("done.subject", a.Workspace), l.T("done.text", l.wish()), l.words())
}

// Lifting says, before it does, that a restriction ends (GDPR Art. 18(3)). Portal is where the person can ask for another.
func Lifting(lang string, to personal.Text, workspace, portal string, on time.Time) mail.Message {
	lang = texts.Match(lang)
	l := in(lang, About{Workspace: workspace, GDPR: true})
	return l.to(to, l.T("lift.subject", workspace), l.T("lift.text", workspace, Day(lang, on.UTC())), l.T("lift.again")+"\n"+portal, l.complain())
}

// Reason puts a ground of denial into words, in a language.
func Reason(lang string, why state.Reason) string { return texts.In(lang).T("reason." + string(why)) }

// Complain says where a person can complain about an answer.
func Complain(lang string, gdpr bool) string { return in(lang, About{GDPR: gdpr}).complain() }

func (l letter) complain() string {
	if l.about.GDPR {
		return l.T("complain.gdpr")
	}
	return l.T("complain.ccpa")
}

// ToPerson is a letter to whoever asked, about a request that may take until then. It is none for those that go to others.
func ToPerson(letter record.Letters, r record.Request, to personal.Text, a About, extended time.Time) mail.Message {
	switch letter {
	case record.ConfirmLetter:
		return Confirmation(r.Language, to, a, r.LegalAt)
	case record.ExtendedLetter:
		return Extension(r.Language, to, a, r.Delay, extended)
	case record.DeniedLetter:
		return Denial(r.Language, to, a, r.Reason)
	case record.DoneLetter:
		return Done(r.Language, to, a)
	}
	return mail.Message{}
}

// ToOfficers is a letter to one of those who answer requests.
func ToOfficers(letter record.Letters, to personal.Text, a About, by time.Time) mail.Message {
	switch letter {
	case record.AlarmLetter:
		return Alarm(to, a, by)
	case record.ReturnedLetter:
		return Returned(to, a)
	}
	return Waiting(to, a, by)
}

// Waiting tells those who answer requests of one that waits for them.
func Waiting(to personal.Text, a About, by time.Time) mail.Message {
	l := in("en", a)
	return l.to(to, l.T("waiting.subject", a.Workspace), l.T("waiting.text", l.asked(), Day("en", by), a.Number))
}

// Alarm tells them that four fifths of the time have passed.
func Alarm(to personal.Text, a About, by time.Time) mail.Message {
	l := in("en", a)
	return l.to(to, l.T("alarm.subject", a.Workspace), l.T("alarm.text", l.asked(), Day("en", by), a.Number))
}

// Returned tells them that a letter to whoever asked cannot be delivered.
func Returned(to personal.Text, a About) mail.Message {
	l := in("en", a)
	return l.to(to, l.T("returned.subject", a.Workspace), l.T("returned.text", l.asked(), a.Number))
}
