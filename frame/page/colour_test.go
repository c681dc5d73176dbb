package page_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// colours reads the tokens: name to value in light and in dark.
func colours(t *testing.T) map[string][2]string {
	t.Helper()
	css := string(file(t, "assets/css/1-tokens.css"))
	out := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--([a-z0-9-]+): (?:light-dark\((#\w{6}), (#\w{6})\)|(#\w{6})|var\(--([a-z0-9-]+)\));`).FindAllStringSubmatch(css, -1) {
		switch {
		case m[2] != "":
			out[m[1]] = [2]string{m[2], m[3]}
		case m[4] != "":
			out[m[1]] = [2]string{m[4], m[4]}
		default:
			out[m[1]] = out[m[5]]
		}
	}
	return out
}

// luminance and contrast are those of WCAG 2.2.
func luminance(hex string) float64 {
	channel := func(i int) float64 {
		v, _ := strconv.ParseUint(hex[i:i+2], 16, 8)
		c := float64(v) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(1) + 0.7152*channel(3) + 0.0722*channel(5)
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestEveryPairOfColoursIsReadable(t *testing.T) {
	t.Parallel()
	token := colours(t)
	papers := "paper raised sunk hover grey-4 accent-soft stale-soft failing-soft holds-soft"
	rules := []struct {
		ink, papers string
		least       float64
	}{
		{"ink", papers, 7},
		{"ink-soft", papers, 4.5},
		{"accent", "paper raised sunk hover accent-soft failing-soft stale-soft", 4.5},
		{"on-accent", "accent-fill accent-press danger-fill danger-press", 4.5},
		{"holds", "paper raised sunk hover holds-soft", 4.5},
		{"failing", "paper raised sunk hover failing-soft", 4.5},
		{"stale", "paper raised sunk hover stale-soft", 4.5},
		{"attested", "paper raised sunk hover attested-soft", 4.5},
		{"grey-1", "grey-12", 7},
		{"line-strong", "paper raised sunk", 3},
		{"focus", "paper raised sunk grey-4 accent-soft", 3},
	}
	for n := range 9 {
		hue := fmt.Sprintf("hue-%d", n)
		rules = append(rules, struct {
			ink, papers string
			least       float64
		}{hue, hue + "-soft paper", 4.5})
	}
	for _, rule := range rules {
		for paper := range strings.FieldsSeq(rule.papers) {
			for theme, name := range []string{"light", "dark"} {
				a, b := token[rule.ink][theme], token[paper][theme]
				if a == "" || b == "" {
					t.Fatalf("there is no token %s or %s", rule.ink, paper)
				}
				if got := contrast(a, b); got < rule.least {
					t.Errorf("in %s, %s on %s is %.2f to 1, less than %.1f", name, rule.ink, paper, got, rule.least)
				}
			}
		}
	}
}

func TestColoursAreNamedOnlyAmongTheTokens(t *testing.T) {
	t.Parallel()
	colour := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(|:\s*(?:white|black|red|green|blue|gray|grey)\b`)
	for _, name := range []string{"2-base.css", "3-parts.css", "4-patterns.css"} {
		css := string(file(t, "assets/css/"+name))
		if found := colour.FindString(css); found != "" {
			t.Errorf("%s names the colour %s", name, found)
		}
		tokens := string(file(t, "assets/css/1-tokens.css"))
		for _, use := range regexp.MustCompile(`var\(--([a-z0-9-]+)\)`).FindAllStringSubmatch(css, -1) {
			if !strings.Contains(tokens, "--"+use[1]+":") {
				t.Errorf("%s uses --%s, which is not a token", name, use[1])
			}
		}
	}
}
