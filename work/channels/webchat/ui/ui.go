// Package ui draws the settings of the chat widget.
package ui
