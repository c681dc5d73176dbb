// Package receipt says what an erasure did, in a file that the person keeps and anybody checks without asking us.
//
// The statement names people by identifier only and what was kept by class and ground only. The log names the
// statement's hash; base/tlog proves that it does.
package receipt

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/trust/holds"
)

// Statement is what a receipt of an erasure says.
type Statement struct {
	Kind      string        `json:"kind"` // erasure
	Request   string        `json:"request"`
	Workspace ids.Tenant    `json:"workspace"`
	People    []ids.Contact `json:"people"` // whose keys were destroyed
	AskedAt   time.Time     `json:"asked_at"`
	ErasedAt  time.Time     `json:"erased_at"`
	Entry     int64         `json:"entry"` // of the workspace's log: the destruction
	Kept      []Kept        `json:"kept"`  // what holds spared
}

// Kept is what the law let outlive the erasure: kinds of data, never content.
type Kept struct {
	Ground  holds.Ground `json:"ground"` // exemption of GDPR Art. 17(3)
	Classes []string     `json:"classes"`
}

// Words say it to people.
func (k Kept) Words() string {
	return fmt.Sprintf("Kept apart from it, under a key of their own, are records of the kinds %s: %s.", list(k.Classes), k.Ground.Words())
}

// Spared turns what holds kept into what a receipt says of it.
func Spared(by []holds.Kept) []Kept {
	out := []Kept{}
	for _, k := range by {
		out = append(out, Kept{Ground: k.Ground, Classes: slices.Sorted(maps.Keys(k.Classes))})
	}
	return out
}

// JSON writes the statement, always in the same way.
func (s Statement) JSON() ([]byte, error) {
	s.AskedAt, s.ErasedAt = s.AskedAt.UTC(), s.ErasedAt.UTC()
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write the statement of a receipt: %w", err)
	}
	return text, nil
}

// Verdict is what an offline verification says.
type Verdict struct {
	Holds     bool            `json:"verifies"`
	Statement json.RawMessage `json:"statement,omitempty"` // what is said, if the file could be read
	SignedBy  string          `json:"signed_by,omitempty"` // name of the installation's log
	Size      int64           `json:"checkpoint,omitempty"`
	Findings  []string        `json:"findings"`
}

// Verify checks a receipt, of whatever statement, with the key of the installation's log. It needs nothing but the two.
func Verify(file []byte, key string) Verdict {
	r, err := tlog.ReadReceipt(file)
	if err != nil {
		return Verdict{Findings: []string{err.Error()}}
	}
	signed, findings := r.Verify(key)
	v := Verdict{Holds: len(findings) == 0, Statement: r.Said(), SignedBy: signed.Origin, Size: signed.Size, Findings: []string{}}
	for _, f := range findings {
		v.Findings = append(v.Findings, f.Error())
	}
	return v
}

var errOther = errors.New("this receipt is not about an erasure")

// Words says in sentences what a verified statement means.
func Words(statement []byte) ([]string, error) {
	var s Statement
	if err := json.Unmarshal(statement, &s); err != nil || s.Kind != "erasure" {
		return nil, errors.Join(err, errOther)
	}
	out := []string{fmt.Sprintf("What workspace %s kept under %s was made unreadable on %s; entry %d of its log says so.", s.Workspace, list(s.People), s.ErasedAt.Format("2 January 2006, 15:04:05 UTC"), s.Entry)}
	for _, k := range s.Kept {
		out = append(out, k.Words())
	}
	return out, nil
}

func list[T any](all []T) string {
	text := ""
	for i, one := range all {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(one)
	}
	return text
}
