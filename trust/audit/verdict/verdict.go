// Package verdict says in words what the offline verification of a workspace's log found.
package verdict

import (
	"errors"
	"fmt"
	"io"

	"aver/base/tlog"
)

// Verdict is the answer.
type Verdict struct {
	Holds    bool
	Findings []string // one sentence each, when it does not hold
	Warnings []string // what the answer does not cover
	Unshown  int64    // all else holds, and the bundle does not say whether the log continues an older checkpoint of this size
	Report   tlog.Report
}

// Verify checks a bundle offline; see tlog.Verify. An error means that reading failed.
func Verify(r io.Reader, opts tlog.Options) (Verdict, error) {
	report, err := tlog.Verify(r, opts)
	v := Verdict{Report: report, Holds: err == nil}
	var findings tlog.Findings
	if err != nil && !errors.As(err, &findings) {
		return v, fmt.Errorf("verify the bundle: %w", err)
	}
	for _, f := range findings {
		v.Findings = append(v.Findings, f.Error())
	}
	if len(findings) == 1 {
		if f, ok := findings[0].(tlog.Unproven); ok {
			v.Unshown = f.OldSize
		}
	}
	if opts.Key == "" {
		v.Warnings = append(v.Warnings, "the bundle was checked with the key that it names itself: pass the installation's verifier key, from another source, to know who signed it")
	}
	if opts.Older == nil && opts.OlderInstallation == nil {
		v.Warnings = append(v.Warnings, "no older checkpoint was given: a log that was rewritten as a whole, before the first export, would not show")
	}
	return v, nil
}
