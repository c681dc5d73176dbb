// Package ui tells people of the receipts of what they agreed to, in their language.
package ui

//go:generate go tool -modfile=../../../../tools/go.mod templ generate -include-version=false

import (
	"embed"
	"slices"
	"time"

	"aver/frame/page"
	"aver/vault/purpose"
)

//go:embed strings.*.json
var files embed.FS

var texts = page.MustTranslations(files, "en", "de", "fr", "es", "it", "pt", "nl", "pl", "ar", "hi")

// Mine is what somebody is told.
type Mine struct {
	Lang     string
	Receipts []Receipt
}

// Receipt is one of them.
type Receipt struct {
	ID   string    `json:"id"`
	Text string    `json:"text"`
	URL  string    `json:"url"`
	At   time.Time `json:"at"`
}

// Offer is Mine for the widget.
type Offer struct {
	Title    string    `json:"title"`
	Text     string    `json:"text"`
	Save     string    `json:"save"`
	Receipts []Receipt `json:"receipts"`
}

// Offer gives the widget its words.
func (m Mine) Offer() Offer {
	return Offer{m.t("title"), m.t("text"), m.t("save"), slices.Concat([]Receipt{}, m.Receipts)}
}

// Receipt puts an act into words: given, withdrawn, refused or stated.
func (m Mine) Receipt(id, act, about string, at time.Time, base string) Receipt {
	return Receipt{id, m.t("act."+act, about), base + id, at.UTC()}
}

// named are the purposes that people may be asked about as Aver brings them.
var named = []string{purpose.Support, purpose.Outreach, purpose.Improvement, purpose.Sale}

// Purpose is what Aver calls a purpose in a language; empty if it has no words for it.
func Purpose(lang, id string) string {
	if !slices.Contains(named, id) {
		return ""
	}
	return texts.In(lang).T("purpose." + id)
}

func (m Mine) t(key string, args ...any) string { return texts.In(m.Lang).T(key, args...) }
