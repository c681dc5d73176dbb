// Package ui draws what belongs to receipts of erasures: the way to one, and the page that says how anybody checks it.
package ui

//go:generate go tool -modfile=../../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)
