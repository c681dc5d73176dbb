// Package axe looks at a page for a test and finds what keeps people out. It holds axe-core, which knows most of that.
//
// It is for tests and rigs alone; the product must not import it, or the binary carries half a megabyte of script it never
// serves. The script is axe-core 4.14.1, unchanged, © Deque Systems, under the Mozilla Public License 2.0 (LICENSE).
package axe

import _ "embed" // for Source

// Source is axe.min.js, for tests that Look does not suit. Evaluate it in a page, then call axe.run().
//
//go:embed axe.min.js
var Source string
