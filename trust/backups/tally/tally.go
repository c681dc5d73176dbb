// Package tally counts what is written and hashes it on another processor meanwhile: hashing costs more than encrypting.
package tally

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// Tally is a writer that counts.
type Tally struct {
	to    io.Writer
	N     int64 // bytes so far
	work  chan []byte
	spare chan []byte // buffers to be used again
	sum   chan string // the hash in hex, once
}

// atOnce is how much is handed over at a time, in bytes.
const atOnce = 128 << 10

// New makes one that passes on to a writer. End it with End.
func New(to io.Writer) *Tally {
	c := &Tally{to: to, work: make(chan []byte, 8), spare: make(chan []byte, 8), sum: make(chan string, 1)}
	go func() {
		h := sha256.New()
		for piece := range c.work {
			h.Write(piece)
			select {
			case c.spare <- piece:
			default:
			}
		}
		c.sum <- hex.EncodeToString(h.Sum(nil))
	}()
	return c
}

// Write implements io.Writer.
func (c *Tally) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.N += int64(n)
	for done := p[:n]; len(done) > 0; {
		var piece []byte
		select {
		case piece = <-c.spare:
		default:
		}
		piece = append(piece[:0], done[:min(len(done), atOnce)]...)
		c.work <- piece
		done = done[len(piece):]
	}
	return n, err
}

// End returns the hash of all that went through, in hex. It is called once, whatever happened.
func (c *Tally) End() string {
	close(c.work)
	return <-c.sum
}

// Copy is io.Copy with pieces so large that what is called for each costs little.
func Copy(to io.Writer, from io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 512<<10))
	return err
}
