package cards_test

import (
	"runtime"
	"strings"
	"testing"
	"unicode"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"aver/base/cards"
)

func TestCardNumbersAreMaskedHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"plain":                  {"4111111111111111", "••••••••••••1111"},
		"in a sentence":          {"my card 4111 1111 1111 1111, thanks", "my card •••• •••• •••• 1111, thanks"},
		"dashes":                 {"5555-5555-5555-4444", "••••-••••-••••-4444"},
		"American Express":       {"3782 822463 10005", "•••• •••••• •0005"},
		"Diners Club":            {"3056 930902 5904", "•••• •••••• 5904"},
		"UnionPay of 19 digits":  {"6205500000000000004", "•••••••••••••••0004"},
		"over two lines":         {"4111 1111\n1111 1111", "•••• ••••\n•••• 1111"},
		"a digit at a time":      {"4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "• • • • • • • • • • • • 1 1 1 1"},
		"Arabic digits":          {"٤١١١ ١١١١ ١١١١ ١١١١", "•••• •••• •••• ١١١١"},
		"full width":             {"４１１１１１１１１１１１１１１１", "••••••••••••１１１１"},
		"circled":                {"④①①①①①①①①①①①①①①①", "••••••••••••①①①①"},
		"mathematical digits":    {"𝟜𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙𝟙", "••••••••••••𝟙𝟙𝟙𝟙"},
		"a space of no width":    {"4111\u200b1111\u200b1111\u200b1111", "••••\u200b••••\u200b••••\u200b1111"},
		"a soft hyphen":          {"4111\u00ad1111\u00ad1111\u00ad1111", "••••\u00ad••••\u00ad••••\u00ad1111"},
		"non-breaking spaces":    {"4111\u00a01111\u202f1111\u20091111", "••••\u00a0••••\u202f••••\u20091111"},
		"letters touching it":    {"card:4111111111111111exp", "card:••••••••••••1111exp"},
		"a date and code behind": {"4111 1111 1111 1111 12 29 123", "•••• •••• •••• 1111 12 29 123"},
		"after letters":          {"DE4111111111111111", "DE••••••••••••1111"},
		"after an account":       {"DE89370400440532013000, 4111111111111111", "DE89370400440532013000, ••••••••••••1111"},
		"pasted with its date":   {"41111111111111111229", "••••••••••••11111229"},
		"a number before it":     {"order 7731: 4111111111111111", "order 7731: ••••••••••••1111"},
		"two of them":            {"4111111111111111 5555555555554444", "••••••••••••1111 ••••••••••••4444"},
		"strokes":                {"4111/1111/1111/1111", "••••/••••/••••/1111"},
		"strokes and its date":   {"4111/1111/1111/1111/12/29", "••••/••••/••••/1111/12/29"},
		"bars":                   {"card|4111|1111|1111|1111|12|29|123", "card|••••|••••|••••|1111|12|29|123"},
		"bars with spaces":       {"| 4111 | 1111 | 1111 | 1111 |", "| •••• | •••• | •••• | 1111 |"},
		"commas":                 {"7, 4111,1111, 1111,1111, thanks", "7, ••••,••••, ••••,1111, thanks"},
		"colons":                 {"card:4111:1111:1111:1111:", "card:••••:••••:••••:1111:"},
		"semicolons, in Arabic":  {"٤١١١؛١١١١؛١١١١؛١١١١", "••••؛••••؛••••؛١١١١"},
		"Amex and its date":      {"3782,822463,10005,1229", "••••,••••••,•0005,1229"},
		"Amex with strokes":      {"3782/822463/10005", "••••/••••••/•0005"},
		"Diners with bars":       {"3056|930902|5904", "••••|••••••|5904"},
		"19 digits with commas":  {"6205,5000,0000,0000,004", "••••,••••,••••,•••0,004"},
		"other signs around it":  {"1234|12,4111,1111,1111,1111|5678", "1234|12,••••,••••,••••,1111|5678"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, n := cards.Mask(c.text)
			if got != c.want || n == 0 {
				t.Errorf("got %q, %d found", got, n)
			}
		})
	}
}

func TestOtherNumbersStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":                    "",
		"telephone numbers":          "+49 69 5550 1020, or 0048 22 555 01 02",
		"a long telephone number":    "call +49 1512 3456787 or +4915123456787",
		"a bank account":             "DE89 3704 0044 0532 0130 00",
		"a Polish bank account":      "PL61 1090 1014 0000 0712 1981 2874",
		"a device's number":          "IMEI 356938035643809",
		"one digit wrong":            "4111 1111 1111 1112",
		"no issuer":                  "7000 0000 0000 0005",
		"milliseconds":               "1795305600000",
		"a parcel":                   "1Z 9999 W99 9999 9999 9",
		"twelve digits":              "411111111111",
		"digits far from each other": "4111 items, 1111 boxes, 1111 bags and 1111 more",
		"an order and a day":         "order 20261122-004711 of 22.11.2026",
		"a list of numbers":          "4111,1111,1111,1111,4500",
		"a longer list":              "we sold 4000, 4111, 1111, 1111, 1111 and 4500",
		"a table":                    "| 4111 | 1111 | 1111 | 1111 | 1111 |",
		"two signs between":          "4111//1111//1111//1111",
		"signs that differ":          "4111/1111,1111/1111",
		"other groups":               "411/11111/1111/1111",
		"one digit wrong in a list":  "4111,1111,1111,1112",
		"an address of version 6":    "4111:1111:1111:1111::1",
		"the end of one":             "fe80::4111:1111:1111:1111",
		"the middle of one":          "2a02:4111:1111:1111:1111:a::",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, n := cards.Mask(text); got != text || n != 0 {
				t.Errorf("became %q, %d found", got, n)
			}
		})
	}
}

// number draws a card number: an issuer's first digits, then any, then the check digit.
func number(t *rapid.T) string {
	kind := rapid.SampledFrom([]struct {
		start string
		size  int
	}{{"4", 16}, {"4", 13}, {"4", 19}, {"51", 16}, {"2221", 16}, {"2720", 16}, {"34", 15}, {"37", 15}, {"36", 14}, {"3095", 14}, {"3528", 16},
		{"6011", 16}, {"62", 16}, {"62", 19}, {"65", 16}, {"5018", 13}, {"6304", 18}, {"2200", 16}, {"9792", 16}, {"81", 16}}).Draw(t, "issuer")
	body := kind.start + rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), kind.size-1-len(kind.start), kind.size-1-len(kind.start), -1).Draw(t, "account")
	sum := 0
	for i := range len(body) {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return body + string(rune('0'+(10-sum%10)%10))
}

func dressed(t *rapid.T, digits string) string {
	zero := rapid.SampledFrom([]rune{'0', '٠', '۰', '०', '０', '๐', '𝟘'}).Draw(t, "script")
	between := rapid.SampledFrom([]string{"", "", "", " ", "-", " - ", "\u200b", "\u00a0", ".", "\n", "\u2060\u2060"})
	var b strings.Builder
	for i, d := range digits {
		if i > 0 {
			b.WriteString(between.Draw(t, "between"))
		}
		b.WriteRune(zero + d - '0')
	}
	return b.String()
}

func TestIdentifiersAndHashesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	unchanged := func(t rapid.TB, text string) {
		if got, n := cards.Mask(text); got != text || n != 0 {
			t.Errorf("%q became %q", text, got)
		}
	}
	for _, id := range []string{
		"01a202b2-c500-7894-8815-02dc3200e934", "urn:uuid:0123abcd-4111-1111-1111-1111abcdef01", `{"id":"0123ABCD-4111-1111-1111-1111ABCDEF01"}`,
		"4111111111111111abcdef0123456789", "84d032818e82c0be307a4424b9b8f573ba2e41111111111111119c5d0b4f2a6e",
	} {
		unchanged(t, id)
	}
	rapid.Check(t, func(t *rapid.T) {
		id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "identifier"))
		if strings.ContainsAny(id.String(), "abcdef") {
			unchanged(t, id.String())
		}
	})
	for text, want := range map[string]string{
		"cafe 4111-1111-1111-1111":                             "cafe ••••-••••-••••-1111",
		"01a202b2-c500-7894-8815-02dc3200e93g4111111111111111": "01a202b2-c500-7894-8815-02dc3200e93g••••••••••••1111",
		strings.Repeat("4111-1111-1111-1111-", 4) + "0":        strings.Repeat("••••-••••-••••-1111-", 4) + "0",
	} {
		if got, _ := cards.Mask(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestNoCardNumberSurvives(t *testing.T) {
	t.Parallel()
	words := rapid.StringMatching(`[a-zA-Z:,;()äж日 \n]{0,20}[a-z:,]`)
	rapid.Check(t, func(t *rapid.T) {
		digits := number(t)
		text := words.Draw(t, "before") + dressed(t, digits) + words.Draw(t, "after")
		got, n := cards.Mask(text)
		if n == 0 {
			t.Fatalf("%q was not found in %q", digits, text)
		}
		left := 0
		for _, r := range got {
			if unicode.IsDigit(r) {
				left++
			}
		}
		if left != 4 {
			t.Fatalf("%d digits left of %q in %q", left, digits, got)
		}
	})
}

func TestNoCardNumberSurvivesInGroupsWhateverSignIsBetween(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shapes := map[int][]int{14: {4, 6, 4}, 15: {4, 6, 5}, 16: {4, 4, 4, 4}, 19: {4, 4, 4, 4, 3}}
		digits := rapid.Custom(number).Filter(func(digits string) bool { return shapes[len(digits)] != nil }).Draw(t, "number")
		shape := shapes[len(digits)]
		between := rapid.SampledFrom([]string{"/", ",", "|", ":", ";", ", ", " / ", " | ", "\u200b/", "，"}).Draw(t, "between")
		var groups []string
		for _, n := range shape {
			groups, digits = append(groups, digits[:n]), digits[n:]
		}
		text := rapid.SampledFrom([]string{"", "x", "card: ", "12,", "(", "\n"}).Draw(t, "before") + strings.Join(groups, between) + rapid.SampledFrom([]string{"", ".", " thanks", ",12", "/12/29", "\n1111"}).Draw(t, "after")
		got, n := cards.Mask(text)
		inFile, m := cards.MaskFile([]byte(strings.Repeat("words, and ", 500) + text + strings.Repeat(" 12, 7", 500)))
		if n != 1 || m != 1 || strings.Contains(got, groups[0]+between) || strings.Contains(string(inFile), groups[0]+between) {
			t.Fatalf("of %q is left %q", text, got)
		}
	})
}

func check(t interface{ Fatalf(string, ...any) }, text string) {
	got, n := cards.Mask(text)
	if n == 0 && got != text {
		t.Fatalf("changed %q without finding anything: %q", text, got)
	}
	if again, more := cards.Mask(got); more != 0 || again != got {
		t.Fatalf("masking %q twice found more: %q", text, again)
	}
	before, after := []rune(text), []rune(got)
	if n > 0 && len(before) != len(after) {
		t.Fatalf("%q has another length than %q", got, text)
	}
	for i, r := range after {
		if n > 0 && r != before[i] && (r != '•' || !unicode.IsNumber(before[i])) {
			t.Fatalf("sign %d of %q became %q", i, text, r)
		}
	}
}

func TestMaskingChangesDigitsAloneAndIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.StringOf(rapid.SampledFrom([]rune("0123456789 -.x\n٤１\u200b,/|:"))).Draw(t, "text"))
	})
}

func FuzzMask(f *testing.F) {
	f.Add("card 4111 1111 1111 1111")
	f.Add("４１１１-1111\u200b1111 1111 1111 1111 1111")
	f.Add("4111/1111/1111/1111, 3782|822463|10005 and ::4111:1111:1111:1111")
	f.Add("4111,1111,1111,1111,4111 1111 1111 1111,3782,822463,10005,822463,10005")
	f.Fuzz(func(t *testing.T, text string) { check(t, strings.ToValidUTF8(text, "?")) })
}

func BenchmarkMaskOfAnOrdinaryMessage(b *testing.B) {
	text := strings.Repeat("Hello, my order 20261122 has not come yet, could you look where it is? ", 3)
	for b.Loop() {
		cards.Mask(text)
	}
}

func TestManyNumbersTakeRoomThatGrowsWithTheText(t *testing.T) { // not in parallel: it looks at what the process takes
	taken := func(n int) float64 {
		text := strings.Repeat("1234567890123x4242424242424242,", n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		cards.Mask(text)
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	taken(1)
	if once, fourfold := taken(500), taken(2000); fourfold > 8*once {
		t.Errorf("a text four times as long takes %.0f bytes instead of %.0f", fourfold, once)
	}
}
