package tlog_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"aver/base/tlog"
)

func someCheckpoint() tlog.Checkpoint {
	return tlog.Checkpoint{Origin: installationOrigin, Size: 20852163, Root: tlog.LeafHash([]byte("root"))}
}

func TestSignedCheckpointOpensWithItsKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		s, err := tlog.NewSigner(installationOrigin, seed)
		if err != nil {
			t.Fatal(err)
		}
		want := someCheckpoint()
		want.Size = rapid.Int64Range(0, tlog.MaxSize).Draw(t, "size")
		signed, err := s.Sign(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tlog.Open(signed, s.VerifierKey())
		if err != nil || got != want {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

func TestCheckpointIsAPlainSignedNote(t *testing.T) {
	t.Parallel()
	s := newSigner(t, 'a')
	signed, err := s.Sign(someCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	text := "log.example\n20852163\n" + someCheckpoint().Root.String() + "\n"
	if !strings.HasPrefix(string(signed), text+"\n— log.example ") || strings.Count(string(signed), "\n") != 5 {
		t.Errorf("the note is\n%s", signed)
	}
	verifier, err := note.NewVerifier(s.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil || opened.Text != text {
		t.Errorf("package note reads %q, %v", opened.Text, err)
	}
}

func TestWitnessSignatureBesideOursIsIgnored(t *testing.T) {
	t.Parallel()
	s := newSigner(t, 'a')
	signed, err := s.Sign(someCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	withWitness := append(bytes.Clone(signed), "— witness.example c29tZSBvdGhlciBzaWduYXR1cmU=\n"...)
	if got, err := tlog.Open(withWitness, s.VerifierKey()); err != nil || got != someCheckpoint() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCheckpointOfAnotherSignerDoesNotOpen(t *testing.T) {
	t.Parallel()
	signed, err := newSigner(t, 'b').Sign(someCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.Open(signed, newSigner(t, 'a').VerifierKey()); !errors.Is(err, tlog.ErrSignature) {
		t.Errorf("signed by another key: %v", err)
	}
	if _, err := tlog.Open(signed, "log.example+00000000+AAAA"); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("a key that is none: %v", err)
	}
}

func TestSignerSpeaksForItsOwnLogOnly(t *testing.T) {
	t.Parallel()
	s := newSigner(t, 'a')
	other := someCheckpoint()
	other.Origin = "log.example/other"
	if _, err := s.Sign(other); err == nil {
		t.Error("a checkpoint of another log was signed")
	}
	huge := someCheckpoint()
	huge.Size = tlog.MaxSize + 1
	if _, err := s.Sign(huge); err == nil {
		t.Error("an impossible size was signed")
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", strings.Repeat("x", tlog.MaxOrigin+1)} {
		if _, err := tlog.NewSigner(name, make([]byte, 32)); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
	if _, err := tlog.NewSigner(installationOrigin, make([]byte, 31)); err == nil {
		t.Error("a short seed was accepted")
	}
}

func TestFlippedByteInACheckpointNeverGivesAnotherCheckpoint(t *testing.T) {
	t.Parallel()
	s := newSigner(t, 'a')
	signed, err := s.Sign(someCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	for i := range signed {
		for bit := range 8 {
			bad := bytes.Clone(signed)
			bad[i] ^= 1 << bit
			if got, err := tlog.Open(bad, s.VerifierKey()); err == nil && got != someCheckpoint() {
				t.Fatalf("byte %d, bit %d: opened as %+v", i, bit, got)
			}
		}
	}
}

func TestASignatureHasOneSpelling(t *testing.T) {
	t.Parallel()
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	s := newSigner(t, 'a')
	signed, err := s.Sign(someCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(signed, '=') - 1
	for spare := 1; spare < 4; spare++ { // 68 bytes leave two bits of their last letter unused
		other := bytes.Clone(signed)
		other[last] = letters[strings.IndexByte(letters, signed[last])|spare]
		if _, err := tlog.Open(other, s.VerifierKey()); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("%c instead of %c: %v", other[last], signed[last], err)
		}
	}
}

func TestOtherSpellingsOfACheckpointAreRefused(t *testing.T) {
	t.Parallel()
	root := someCheckpoint().Root.String()
	for _, text := range []string{
		"", "\n", "a\n1\n" + root, "\n1\n" + root + "\n", "a\n01\n" + root + "\n", "a\n+1\n" + root + "\n",
		"a\n-1\n" + root + "\n", "a\n1\n" + root[:40] + "\n", "a\n1\n" + root + "\nextension\n", "a\n1\n" + root + "\n\n",
		"a\n9223372036854775807\n" + root + "\n", "a\t\n1\n" + root + "\n", "\xff\n1\n" + root + "\n",
		"a\n1\n" + strings.Repeat("A", 42) + "B=\n", "a\r\n1\r\n" + root + "\r\n",
	} {
		if c, err := tlog.ParseCheckpoint(text); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("%q was read as %+v, %v", text, c, err)
		}
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(someCheckpoint().Text())
	f.Add("a\n0\n" + tlog.EmptyRoot().String() + "\n")
	f.Add("a\n1\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := tlog.ParseCheckpoint(text)
		if err == nil && (c.Text() != text || len(text) > 255) {
			t.Fatalf("%q was read as %+v", text, c)
		}
	})
}

func FuzzOpen(f *testing.F) {
	s := newSigner(f, 'a')
	signed, err := s.Sign(someCheckpoint())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add(signed[:len(signed)-10])
	f.Fuzz(func(t *testing.T, signed []byte) {
		if c, err := tlog.Open(signed, s.VerifierKey()); err == nil && c != someCheckpoint() {
			t.Fatalf("a checkpoint nobody signed: %+v", c)
		}
	})
}
