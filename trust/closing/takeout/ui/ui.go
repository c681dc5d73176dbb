// Package ui draws the page on which an owner takes a workspace's data along.
package ui

//go:generate go tool -modfile=../../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// View is the page. Without a state nobody has asked for an archive yet.
type View struct {
	State       string // waiting, ready, failed, expired
	AskedAt     time.Time
	Until       time.Time // its file is kept
	Rows, Files int64
	Tables, Of  int64 // how far it is, of how many
	Size        int64 // bytes
	Download    string
}

// Asked says that an archive is on its way.
func Asked() string { return text.T("asked") }

func (v View) progress() page.Progress {
	return page.Progress{ID: "export", Label: text.T("making", page.Number(int(v.Rows)), page.Number(int(v.Files))), Done: v.Tables, Total: v.Of, Unit: text.T("unit"), Refresh: "/settings/takeout/progress"}
}

func (v View) holds() string {
	const mega = 1 << 20
	return text.T("ready.text", page.Number(int(v.Rows)), page.Number(int(v.Files)), page.Number(int((v.Size+mega-1)/mega)), v.Until.UTC().Format("2 January 2006, 15:04")+" UTC")
}
