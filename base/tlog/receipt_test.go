package tlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"aver/base/tlog"
)

// receipt is one for entry 3 of a log of seven.
func receipt(t *testing.T, in *installation) []byte {
	t.Helper()
	statement := []byte(`{"kind":"erasure","person":"con_1"}`)
	entries := history(7)
	mark := tlog.ReceiptMark(statement)
	entries[3] = entry(3, 1_700_000_000_003_000, fmt.Sprintf("receipt.issued%c%s", len(mark), mark))
	head := headOf(entries)
	path, err := tlog.ProveInclusion(leavesOf(entries), head.Size, 3)
	if err != nil {
		t.Fatal(err)
	}
	file, err := tlog.NewReceipt(statement, entries[3], 3, path, in.record(head)).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// check reads and verifies a receipt.
func check(file []byte, key string) error {
	r, err := tlog.ReadReceipt(file)
	if err != nil {
		return err
	}
	if _, findings := r.Verify(key); len(findings) > 0 {
		return findings
	}
	return nil
}

func TestAReceiptVerifiesWithTheKeyAlone(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	file := receipt(t, in)
	if err := check(file, in.signer.VerifierKey()); err != nil {
		t.Error(err)
	}
	if err := check(file, newSigner(t, 'b').VerifierKey()); !errors.As(err, &tlog.BadSignature{}) {
		t.Errorf("with another's key: %v", err)
	}
}

func TestEveryFlippedBitOfAReceiptIsNoticed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	file := receipt(t, in)
	for at := range file {
		for bit := range 8 {
			altered := bytes.Clone(file)
			altered[at] ^= 1 << bit
			if check(altered, in.signer.VerifierKey()) == nil {
				t.Fatalf("bit %d of byte %d (%q) makes no difference", bit, at, file[at])
			}
		}
	}
	for length := range file {
		if check(file[:length], in.signer.VerifierKey()) == nil {
			t.Fatalf("its first %d bytes verify", length)
		}
	}
}

func TestWhatIsWrongWithAReceiptIsNamed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, 'a')
	good, err := tlog.ReadReceipt(receipt(t, in))
	if err != nil {
		t.Fatal(err)
	}
	other := in.record(headOf(history(9)))
	for name, c := range map[string]struct {
		spoil func(*tlog.Receipt)
		want  any
	}{
		"another statement":      {func(r *tlog.Receipt) { r.Statement = []byte(`{"kind":"erasure","person":"con_2"}`) }, new(tlog.Unstated)},
		"another entry":          {func(r *tlog.Receipt) { r.Entry = append(bytes.Clone(r.Entry), 'x') }, new(tlog.NotInLog)},
		"a head nobody recorded": {func(r *tlog.Receipt) { r.Head = headOf(history(8)).Text() }, new(tlog.NotInInstallationLog)},
		"a forged checkpoint": {func(r *tlog.Receipt) {
			r.Recorded.Checkpoint = string(other.Checkpoint[:len(other.Checkpoint)-9]) + "AAAAAAA=\n"
		}, new(tlog.BadSignature)},
	} {
		r := good
		c.spoil(&r)
		if _, findings := r.Verify(in.signer.VerifierKey()); !errors.As(findings, c.want) {
			t.Errorf("%s: %v", name, findings)
		}
	}
}
