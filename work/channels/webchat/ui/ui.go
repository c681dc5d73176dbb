// Package ui draws the settings of the chat widget.
package ui

//go:generate go tool -modfile=../../../../tools/go.mod templ generate -include-version=false
