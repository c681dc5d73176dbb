package lint_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"aver/frame/claim"
	"aver/frame/claim/lint"
)

func probe(context.Context) (claim.Evidence, error) { return claim.Evidence{Holds: true}, nil }

// sound is a claim without defects.
func sound() claim.Claim {
	return claim.Claim{ID: "tst-1", Theme: "Tests", Wording: "Sealed with AES-256: {tables} tables looked at", Predicate: "no row of any table holds plain text",
		Method: "reading the raw rows", Owner: "Security", Kind: claim.Measured, Every: time.Hour, FreshFor: 2 * time.Hour, Check: "aver claims verify tst-1",
		Refs: claim.References{ISO: []string{"A.8.24"}, SOC2: []string{"CC6.1", "A1.2", "PI1.5"}, GDPR: []string{"32(1)(a)", "17"}}, Probe: probe,
		Fixtures: []claim.Fixture{{Name: "a plain row", Probe: probe}}}
}

func TestASoundClaimHasNoDefects(t *testing.T) {
	t.Parallel()
	if found := lint.Claims([]claim.Claim{sound()}); len(found) > 0 {
		t.Errorf("found %q", found)
	}
}

// Each row is a defect that was seen on a trust page, or one that would let a claim through that cannot be checked.
func TestTheLinterFindsEveryDefect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*claim.Claim)
		want   string
	}{
		"no owner":                  {func(c *claim.Claim) { c.Owner = "" }, "no owner"},
		"no predicate":              {func(c *claim.Claim) { c.Predicate = "" }, "no predicate"},
		"no clock":                  {func(c *claim.Claim) { c.Every = 0 }, "no clock"},
		"stale before the next run": {func(c *claim.Claim) { c.FreshFor = time.Minute }, "stale before"},
		"no probe":                  {func(c *claim.Claim) { c.Probe = nil }, "no probe"},
		"cannot fail":               {func(c *claim.Claim) { c.Fixtures = nil }, "nothing shows that it can fail"},
		"cannot be checked":         {func(c *claim.Claim) { c.Check = "" }, "how a reader checks"},
		"no kind":                   {func(c *claim.Claim) { c.Kind = "" }, "neither measured nor attested"},
		"attested for ever":         {func(c *claim.Claim) { c.Kind = claim.Attested }, "until when"},
		"superlative":               {func(c *claim.Claim) { c.Wording = "Bank-grade security" }, "cannot be measured"},
		"unbreachable":              {func(c *claim.Claim) { c.Wording = "An unbreachable cap" }, "cannot be measured"},
		"anonymised without k":      {func(c *claim.Claim) { c.Wording = "Transcripts are anonymised" }, "{k}"},
		"fast password hash":        {func(c *claim.Claim) { c.Wording = "Passwords are stored as SHA-256" }, "too fast"},
		"hash without parameters":   {func(c *claim.Claim) { c.Wording = "Secrets are hashed" }, "its cost"},
		"encrypted without how":     {func(c *claim.Claim) { c.Wording = "Everything is encrypted" }, "without how"},
		"typed availability":        {func(c *claim.Claim) { c.Wording = "Available 99.9 % of the time" }, "typed"},
		"typed days":                {func(c *claim.Claim) { c.Wording = "Gone within 90 days" }, "typed"},
		"clock starts at repair":    {func(c *claim.Claim) { c.Wording = "You hear {h} after awareness and repair" }, "starts when we know"},
		"stateless":                 {func(c *claim.Claim) { c.Wording = "Relays are stateless" }, "list of what is stored"},
		"except":                    {func(c *claim.Claim) { c.Wording = "It stores nothing except logs" }, "list of what is stored"},
		"wrong age":                 {func(c *claim.Claim) { c.Wording = "No data of people 13 or under" }, "under 13"},
		"superseded edition":        {func(c *claim.Claim) { c.Wording = "Built after ISO 27001:2013" }, "superseded"},
		"invalidated transfer":      {func(c *claim.Claim) { c.Wording = "Covered by the Privacy Shield" }, "superseded"},
		"typed host":                {func(c *claim.Claim) { c.Wording = "Hosted at cloud.example.com" }, "register"},
		"second company fact":       {func(c *claim.Claim) { c.Wording = "We are incorporated in Delaware" }, "one place"},
		"only, without all":         {func(c *claim.Claim) { c.Wording, c.Predicate = "The only recipient is us", "a call is refused" }, "speaks of all"},
		"unknown ISO form":          {func(c *claim.Claim) { c.Refs.ISO = []string{"A.14.1"} }, "Annex A"},
		"unknown SOC form":          {func(c *claim.Claim) { c.Refs.SOC2 = []string{"CC66"} }, "criterion"},
		"unknown article":           {func(c *claim.Claim) { c.Refs.GDPR = []string{"Art. 17"} }, "no article"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := sound()
			c.change(&broken)
			if found := strings.Join(lint.Claims([]claim.Claim{broken}), "\n"); !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
	if found := lint.Claims([]claim.Claim{sound(), sound()}); len(found) != 1 || !strings.Contains(found[0], "twice") {
		t.Errorf("of a claim stated twice it says %q", found)
	}
}
