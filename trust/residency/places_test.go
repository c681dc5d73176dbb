package residency_test

import (
	"testing"

	"aver/base/errs"
	"aver/trust/residency"
)

func TestATransferLeavesTheAreaOfLaw(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		home, place string
		outside     bool
	}{
		{"eu", "eu", false}, {"eu", "Germany", false}, {"eu", "de", false}, {"eu", "Frankfurt, DE", false}, {"eu", "EU (Frankfurt)", false}, {"eu", "Norway", false},
		{"de", "fr", false}, {"de", "eu", false}, {"EU", " eu ", false},
		{"eu", "us", true}, {"eu", "EU, US", true}, {"eu", "uk", true}, {"eu", "ch", true}, {"eu", "somewhere", true}, {"eu", "", true}, {"eu", "in", true},
		{"uk", "gb", false}, {"uk", "United Kingdom", false}, {"uk", "eu", true}, {"in", "India", false}, {"in", "eu", true},
		{"us-east", "us", false}, {"us", "us-west", false}, {"local", "local", false}, {"local", "eu", true}, {"", "eu", true},
	} {
		if got := residency.Outside(c.home, c.place); got != c.outside {
			t.Errorf("from %q to %q: outside %v", c.home, c.place, got)
		}
	}
}

func TestPrimaryDataIsKeptInItsRegionAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		home, place string
		allowed     bool
	}{
		{"eu", "eu", true}, {"eu", "de", true}, {"local", "local", true}, {"us", "us-east", true},
		{"de", "eu", false}, {"eu", "us", false}, {"eu", "somewhere", false}, {"eu", "", false}, {"in", "eu", false}, {"local", "eu", false},
	} {
		err := residency.Allowed(c.home, c.place)
		if (err == nil) != c.allowed || err != nil && !errs.Is(err, errs.Misdirected) {
			t.Errorf("data of %q in %q: %v", c.home, c.place, err)
		}
	}
}
