package tlog

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// MaxOrigin is the longest name of a log in bytes. It keeps a checkpoint's text below 256 bytes.
const MaxOrigin = 180

// ErrMalformed says that bytes are not the checkpoint, key, path or entry they should be.
var ErrMalformed = errors.New("malformed")

// ErrSignature says that a checkpoint is not signed by the expected key.
var ErrSignature = errors.New("not signed by this key")

// Checkpoint says what a log was at some size: the text of C2SP tlog-checkpoint without extension lines.
type Checkpoint struct {
	Origin string // the log's name: one line, printable
	Size   int64  // entries
	Root   Hash
}

// Text is the note text: origin, decimal size and base64 root, a line each.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// ParseCheckpoint reads the note text. It accepts only what Text writes, so a checkpoint has one spelling.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || !validOrigin(lines[0]) {
		return Checkpoint{}, fmt.Errorf("read checkpoint: %w", ErrMalformed)
	}
	size, err1 := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := base64.StdEncoding.DecodeString(lines[2])
	if err1 != nil || size < 0 || size > MaxSize || err2 != nil || len(root) != HashSize {
		return Checkpoint{}, fmt.Errorf("read checkpoint: %w", ErrMalformed)
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}
	if c.Text() != text {
		return Checkpoint{}, fmt.Errorf("read checkpoint: %w", ErrMalformed)
	}
	return c, nil
}

func validOrigin(s string) bool {
	return s != "" && len(s) <= MaxOrigin && utf8.ValidString(s) &&
		strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// Signer signs the checkpoints of one log with Ed25519. It is safe for concurrent use.
type Signer struct {
	key      string
	verifier note.Verifier
	private  ed25519.PrivateKey
}

// NewSigner takes the log's name, without spaces and plus signs, and 32 secret bytes.
func NewSigner(name string, seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("make signer: %d bytes of seed, want %d", len(seed), ed25519.SeedSize)
	}
	if !validOrigin(name) {
		return nil, fmt.Errorf("make signer: name %w", ErrMalformed)
	}
	private := ed25519.NewKeyFromSeed(seed)
	key, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("make signer: %w", err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("make signer: %w", err)
	}
	return &Signer{key: key, verifier: verifier, private: private}, nil
}

// VerifierKey is the public key in the text form of signed notes: name, plus, eight hexadecimal digits of key hash,
// plus, base64 of the byte 1 (Ed25519) and the 32 bytes of the key. It is what an auditor pins.
func (s *Signer) VerifierKey() string { return s.key }

// Sign makes the signed note of a checkpoint. The checkpoint's origin must be the signer's name, so that a key never
// speaks for another log.
func (s *Signer) Sign(c Checkpoint) ([]byte, error) {
	if c.Origin != s.verifier.Name() {
		return nil, errors.New("sign checkpoint: origin is not the signer's name")
	}
	if _, err := ParseCheckpoint(c.Text()); err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, noteSigner{s.verifier, s.private})
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// noteSigner is what package note asks for; the name and hash are the verifier's.
type noteSigner struct {
	note.Verifier
	private ed25519.PrivateKey
}

func (s noteSigner) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(s.private, message), nil
}

// Open reads a signed note and returns its checkpoint if the owner of the verifier key signed it for its own log.
// Signatures by other keys, such as witnesses, are ignored, as C2SP signed-note asks. It returns ErrSignature when the
// signature is missing or wrong, and ErrMalformed for anything that is not a note, a checkpoint or a key.
func Open(signed []byte, key string) (Checkpoint, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read verifier key: %w", ErrMalformed)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	var wrong *note.InvalidSignatureError
	var missing *note.UnverifiedNoteError
	if errors.As(err, &wrong) || errors.As(err, &missing) {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", ErrSignature)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", ErrMalformed)
	}
	for _, sig := range opened.Sigs { // its last letter has bits to spare, in which package note sees no difference
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return Checkpoint{}, fmt.Errorf("open checkpoint: %w", ErrMalformed)
		}
	}
	c, err := ParseCheckpoint(opened.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != verifier.Name() {
		return Checkpoint{}, fmt.Errorf("open checkpoint of another log: %w", ErrSignature)
	}
	return c, nil
}
