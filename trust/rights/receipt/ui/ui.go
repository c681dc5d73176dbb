// Package ui draws the way to the receipt of an erasure.
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
