// Package lint says what is wrong with the wording of claims: the defects that trust pages are known for.
//
// It is run by the tests, over every claim of the program, and is no part of the program itself.
package lint

import (
	"fmt"
	"regexp"

	"aver/frame/claim"
)

// Claims says what is wrong with a list of claims as a list.
func Claims(claims []claim.Claim) []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range claims {
		for _, defect := range defects(c) {
			out = append(out, c.ID+": "+defect)
		}
		if seen[c.ID] {
			out = append(out, c.ID+": it is stated twice")
		}
		seen[c.ID] = true
	}
	return out
}

// words are what a sentence must not say, and why. Each is a defect that was seen on a trust page.
var words = []struct {
	found *regexp.Regexp
	but   *regexp.Regexp // unless this stands in the sentence too
	why   string
}{
	{found: regexp.MustCompile(`(?i)state[ -]of[ -]the[ -]art|(bank|military)[ -]grade|unbreachable|unhackable|industry[ -]standard|(100 ?%|completely|fully) secure|zero[ -]knowledge|best practice|gdpr[ -]compliant`),
		why: "%q cannot be measured"},
	{found: regexp.MustCompile(`(?i)anonymi[sz]ed|anonymous`), but: regexp.MustCompile(`\{k\}`), why: "%q needs the number of people that one record could be about, as {k}"},
	{found: regexp.MustCompile(`(?i)passwords?\b.*\b(sha-?\d+|md5)|(sha-?\d+|md5)\b.*\bpasswords?`), why: "%q names a hash that is too fast for passwords"},
	{found: regexp.MustCompile(`(?i)\b(hashed|salted)\b`), but: regexp.MustCompile(`(?i)argon2id`), why: "%q says nothing without the function and its cost"},
	{found: regexp.MustCompile(`(?i)\bencrypted\b`), but: regexp.MustCompile(`(?i)AES-256|TLS|age\b`), why: "%q says nothing without how"},
	{found: regexp.MustCompile(`\d+(\.\d+)? ?(%|h\b|hours?\b|days?\b|minutes?\b|months?\b|years?\b|ms\b|seconds?\b)`), why: "%q is typed; a figure comes from the evidence or from policy, as {name}"},
	{found: regexp.MustCompile(`(?i)\bafter\b.*\b(repair|fix|resol)\w*`), why: "%q starts a clock at the repair; it starts when we know"},
	{found: regexp.MustCompile(`(?i)\bstateless\b|stores? nothing (but|except)`), why: "%q is a list of what is stored, which must be measured"},
	{found: regexp.MustCompile(`(?i)13 (years )?or under|under 13 or`), why: "%q is not the threshold of the law, which is under 13"},
	{found: regexp.MustCompile(`(?i)27001:20(05|13)|safe harbou?r|privacy shield`), why: "%q is superseded"},
	{found: regexp.MustCompile(`(?i)\b[a-z0-9-]+\.(com|net|org|io|ai|cloud|dev)\b`), why: "%q is a host; hosts come from the register"},
	{found: regexp.MustCompile(`(?i)\b(incorporated|registered|based) (in|under)\b`), why: "%q is a fact of the company's own record, which stands in one place"},
}

// quantifier marks a sentence that speaks of all there are; its predicate must go through all of them.
var (
	quantifier = regexp.MustCompile(`(?i)\b(only|no other|nothing leaves|nobody else)\b`)
	quantified = regexp.MustCompile(`(?i)\b(every|each|all|none|no)\b`)
)

func defects(c claim.Claim) []string {
	var out []string
	for _, need := range []struct{ name, value string }{{"id", c.ID}, {"theme", c.Theme}, {"wording", c.Wording}, {"predicate", c.Predicate}, {"method", c.Method}, {"owner", c.Owner}} {
		if need.value == "" {
			out = append(out, "it has no "+need.name)
		}
	}
	for _, w := range words {
		if said := w.found.FindString(c.Wording); said != "" && (w.but == nil || !w.but.MatchString(c.Wording)) {
			out = append(out, fmt.Sprintf(w.why, said))
		}
	}
	if said := quantifier.FindString(c.Wording); said != "" && !quantified.MatchString(c.Predicate) {
		out = append(out, fmt.Sprintf("%q speaks of all, and the predicate does not", said))
	}
	switch c.Kind {
	case claim.Measured, claim.Document: // a document is made of live settings: that it can be made is measured
		out = append(out, measured(c)...)
	case claim.Attested:
		if c.Until.IsZero() {
			out = append(out, "nothing says until when it is true")
		}
	default:
		out = append(out, "it is neither measured nor attested nor a document")
	}
	return append(out, references(c.Refs)...)
}

func measured(c claim.Claim) []string {
	var out []string
	if c.Probe == nil {
		out = append(out, "it is measured and has no probe")
	}
	if len(c.Fixtures) == 0 {
		out = append(out, "nothing shows that it can fail")
	}
	if c.Every <= 0 {
		out = append(out, "it has no clock")
	}
	if c.FreshFor < c.Every {
		out = append(out, "its evidence is stale before the next run")
	}
	if c.Check == "" {
		out = append(out, "nothing says how a reader checks it")
	}
	return out
}

// The forms of identifiers: A.8.24 of ISO/IEC 27001:2022 (themes 5 to 8), CC6.1, A1.2, 32(1)(a).
var (
	isoControl = regexp.MustCompile(`^A\.[5-8]\.[1-9][0-9]?$`)
	criterion  = regexp.MustCompile(`^(CC[1-9]|A1|C1|PI1|P[1-8])\.[1-9][0-9]?$`)
	article    = regexp.MustCompile(`^[1-9][0-9]?(\([1-9]\))?(\([a-h]\))?$`)
)

func references(r claim.References) []string {
	var out []string
	for _, list := range []struct {
		form *regexp.Regexp
		ids  []string
		what string
	}{{isoControl, r.ISO, "control of Annex A"}, {criterion, r.SOC2, "trust services criterion"}, {article, r.GDPR, "article"}} {
		for _, id := range list.ids {
			if !list.form.MatchString(id) {
				out = append(out, fmt.Sprintf("%q is no %s", id, list.what))
			}
		}
	}
	return out
}
