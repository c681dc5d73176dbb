package world

import (
	"errors"
	"net/http"
	"os"

	"aver/trust/canary/inside"
)

// Relay is a relay before this installation, in this process.
type Relay interface {
	http.Handler
	Close() error
}

// Relayed runs a relay that keeps its log in a folder of its own, for as long as fn needs it: fn is given a door before it.
func (w *World) Relayed(fn func(door *inside.Door, folder string) error) (err error) {
	folder, err := os.MkdirTemp("", "aver-probe-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	relay, err := w.Relay(folder)
	if err != nil {
		return err
	}
	door := inside.Open(relay, w.Canaries.Door().Host)
	defer func() { err = errors.Join(err, door.Close(), relay.Close()) }()
	return fn(door, folder)
}
