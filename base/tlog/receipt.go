package tlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// A Receipt is a small file with which somebody shows, offline and without asking us, that a log says something: a
// statement, the entry that names the statement's hash, and the way from the entry to the installation's signature. It
// is for one thing said to one person what a bundle is for a whole log. The file has one spelling.
type Receipt struct {
	Format    string          `json:"format"`
	Statement json.RawMessage `json:"statement"`
	Entry     []byte          `json:"entry"` // of the workspace's log; contains ReceiptMark with one byte of length before it
	Index     int64           `json:"index"`
	Inclusion []Hash          `json:"inclusion"` // that Entry is in the log of Head
	Head      string          `json:"head"`      // Checkpoint.Text of the workspace's log
	Recorded  Recorded        `json:"recorded"`
}

// Recorded shows that the installation's signed log contains a head.
type Recorded struct {
	Entry      []byte `json:"entry"`
	Index      int64  `json:"index"`
	Inclusion  []Hash `json:"inclusion"`
	Checkpoint string `json:"checkpoint"` // signed note
}

const (
	receiptFormat = "aver-receipt/1"
	maxReceipt    = 1 << 20 // bytes
)

// ReceiptMark is how an entry names a statement: as the object of one of its events. The statement is compact JSON.
func ReceiptMark(statement []byte) string {
	sum := sha256.Sum256(statement)
	return hex.EncodeToString(sum[:])
}

// NewReceipt puts a statement together with what proves it.
func NewReceipt(statement, entry []byte, index int64, inclusion []Hash, e Evidence) Receipt {
	return Receipt{Format: receiptFormat, Statement: statement, Entry: entry, Index: index, Inclusion: inclusion, Head: e.Head.Text(),
		Recorded: Recorded{Entry: e.Entry, Index: e.Index, Inclusion: e.Inclusion, Checkpoint: string(e.Checkpoint)}}
}

// Bytes is the file.
func (r Receipt) Bytes() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write a receipt: %w", err)
	}
	return append(text, '\n'), nil
}

// ReadReceipt reads a file and refuses any but the one spelling, naming the byte at which it differs.
func ReadReceipt(file []byte) (Receipt, error) {
	var r Receipt
	if len(file) > maxReceipt {
		return r, Malformed{Offset: maxReceipt, What: "a receipt is not that long"}
	}
	if err := json.Unmarshal(file, &r); err != nil {
		offset := int64(0)
		if e, ok := err.(*json.SyntaxError); ok {
			offset = e.Offset
		}
		return r, Malformed{Offset: offset, What: "this is no JSON of a receipt"}
	}
	again, err := r.Bytes()
	if err != nil || r.Format != receiptFormat {
		return r, Malformed{What: "this is no receipt, or one of another version"}
	}
	if at := differ(file, again); at >= 0 {
		return r, Malformed{Offset: at, What: "this is not how a receipt is written"}
	}
	return r, nil
}

// differ is where two texts part, or -1.
func differ(a, b []byte) int64 {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int64(i)
		}
	}
	if len(a) != len(b) {
		return int64(min(len(a), len(b)))
	}
	return -1
}

// Said is the statement as it was hashed.
func (r Receipt) Said() []byte {
	var out bytes.Buffer
	if json.Compact(&out, r.Statement) != nil {
		return nil // ReadReceipt lets none in
	}
	return out.Bytes()
}

// Verify checks every step from the statement to the signature with the key of the installation's log; no findings mean
// that all hold. It names each step that does not.
func (r Receipt) Verify(key string) (signed Checkpoint, findings Findings) {
	mark := ReceiptMark(r.Said())
	if !contains(r.Entry, r.Index, mark) {
		findings = append(findings, Unstated{Index: r.Index})
	}
	head, err := ParseCheckpoint(r.Head)
	if err != nil || CheckInclusion(r.Inclusion, head.Size, head.Root, r.Index, LeafHash(r.Entry)) != nil {
		findings = append(findings, NotInLog{Index: r.Index})
	}
	signed, err = Open([]byte(r.Recorded.Checkpoint), key)
	if err != nil {
		return signed, append(findings, BadSignature{Size: head.Size})
	}
	rec := r.Recorded
	if !records(rec.Entry, rec.Index, head) || CheckInclusion(rec.Inclusion, signed.Size, signed.Root, rec.Index, LeafHash(rec.Entry)) != nil {
		findings = append(findings, NotInInstallationLog{Size: head.Size})
	}
	return signed, findings
}
