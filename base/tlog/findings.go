package tlog

import (
	"fmt"
	"strings"
)

// Finding is one thing that is wrong with a bundle. Each kind is a type of its own and names the place; take them out
// of Verify's error with errors.As.
type Finding interface {
	error
	finding()
}

// Findings is what Verify returns when a bundle does not hold, in the order of the bundle.
type Findings []Finding

func (f Findings) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single findings to errors.As.
func (f Findings) Unwrap() []error {
	out := make([]error, len(f))
	for i, one := range f {
		out[i] = one
	}
	return out
}

// Altered: an entry does not match its leaf hash. Unless there is also a RootMismatch, the hash is the signed one and
// it is the entry that was changed.
type Altered struct{ Index int64 }

// Reordered: an entry stands at Index and says it is another one: entries were moved, removed or put in. It is reported
// once for a run of entries that are off by the same distance.
type Reordered struct{ Index, Says int64 }

// TimeBackwards: an entry is earlier than the one before it.
type TimeBackwards struct{ Index int64 }

// MissingTail: a head, or the auditor's older checkpoint, covers more entries than there are.
type MissingTail struct{ Have, Want int64 }

// Uncovered: the entries from From up to To, exclusive, are in the bundle and no head covers them.
type Uncovered struct{ From, To int64 }

// RootMismatch: the entries do not give the root of the head at To, although they gave that at From (0 if there was
// none): something between them was rewritten, and its leaf hash with it.
type RootMismatch struct{ From, To int64 }

// Rewritten: the log with this origin is not a continuation of the older checkpoint that the auditor holds.
type Rewritten struct {
	Origin  string
	OldSize int64
}

// Unproven: the bundle does not show that the installation's log continues the older checkpoint that the auditor holds;
// ask for an export with a proof since OldSize.
type Unproven struct {
	Origin  string
	OldSize int64
}

// BadSignature: the installation's checkpoint for the head at Size is not signed by the key.
type BadSignature struct{ Size int64 }

// WrongKey: the bundle names another key than the trusted one.
type WrongKey struct{ Names, Trusted string }

// WrongLog: the bundle or its checkpoint is of another log than the auditor's older checkpoint.
type WrongLog struct{ Origin, Want string }

// NotInInstallationLog: the installation's log does not contain the head at Size.
type NotInInstallationLog struct{ Size int64 }

// Unstated: the entry at Index of a receipt does not speak of its statement.
type Unstated struct{ Index int64 }

// NotInLog: the entry at Index of a receipt is not in the workspace's log.
type NotInLog struct{ Index int64 }

// Truncated: the file ends at this byte, in the middle, after so many whole blocks of entries.
type Truncated struct{ Offset, Entries int64 }

// Malformed: the file is not well-formed in the frame that begins at this byte.
type Malformed struct {
	Offset int64
	What   string
}

func (Altered) finding()              {}
func (Reordered) finding()            {}
func (TimeBackwards) finding()        {}
func (MissingTail) finding()          {}
func (Uncovered) finding()            {}
func (RootMismatch) finding()         {}
func (Rewritten) finding()            {}
func (Unproven) finding()             {}
func (BadSignature) finding()         {}
func (WrongKey) finding()             {}
func (WrongLog) finding()             {}
func (NotInInstallationLog) finding() {}
func (Unstated) finding()             {}
func (NotInLog) finding()             {}
func (Truncated) finding()            {}
func (Malformed) finding()            {}

func (f Altered) Error() string {
	return fmt.Sprintf("entry %d was altered: its bytes do not match its leaf hash", f.Index)
}

func (f Reordered) Error() string {
	return fmt.Sprintf("entry %d says it is entry %d: entries were moved, removed or put in here", f.Index, f.Says)
}

func (f TimeBackwards) Error() string {
	return fmt.Sprintf("entry %d is earlier than the entry before it", f.Index)
}

func (f MissingTail) Error() string {
	return fmt.Sprintf("the tail is missing: there are %d entries of %d", f.Have, f.Want)
}

func (f Uncovered) Error() string {
	return fmt.Sprintf("entries %d to %d are covered by no head", f.From, f.To-1)
}

func (f RootMismatch) Error() string {
	return fmt.Sprintf("entries %d to %d do not give the root of the head at %d: the log was rewritten there", f.From, f.To-1, f.To)
}

func (f Rewritten) Error() string {
	return fmt.Sprintf("the log %s was rewritten: its first %d entries are not those of the older checkpoint", f.Origin, f.OldSize)
}

func (f Unproven) Error() string {
	return fmt.Sprintf("nothing here shows that the log %s continues the older checkpoint of %d entries", f.Origin, f.OldSize)
}

func (f BadSignature) Error() string {
	return fmt.Sprintf("the checkpoint for the head at %d is not signed by the installation's key", f.Size)
}

func (f WrongKey) Error() string {
	return fmt.Sprintf("the bundle names the key %q, the trusted key is %q", f.Names, f.Trusted)
}

func (f WrongLog) Error() string {
	return fmt.Sprintf("this is the log %q, the older checkpoint is of %q", f.Origin, f.Want)
}

func (f NotInInstallationLog) Error() string {
	return fmt.Sprintf("the head at %d is not in the installation's log", f.Size)
}

func (f Unstated) Error() string {
	return fmt.Sprintf("the statement was altered: entry %d of the log speaks of another", f.Index)
}

func (f NotInLog) Error() string {
	return fmt.Sprintf("entry %d is not in the workspace's log as the head has it", f.Index)
}

func (f Truncated) Error() string {
	return fmt.Sprintf("the file ends at byte %d, after %d entries, before its end", f.Offset, f.Entries)
}

func (f Malformed) Error() string {
	return fmt.Sprintf("the file is malformed at byte %d: %s", f.Offset, f.What)
}
