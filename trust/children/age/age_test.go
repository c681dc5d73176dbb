package age_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aver/trust/children/age"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestWhoSaysToBeAChildIsUnderstood(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"I am 11": 11,
		"i'm 11":  11,
		"Hi! I’m eleven years old, can I order?": 11,
		"im only 9 lol":                      9,
		"I am 12 and my mum does not know":   12,
		"I'm a 10 year old boy":              10,
		"my age is 8":                        8,
		"Hello\nI am 11\nwhere is my parcel": 11,
		"I turn 12 tomorrow":                 11,
		"I'll be 13 next week":               12,
		"I was born in 2015":                 11,
		"my date of birth is 3.5.2015":       11,
		"I was born on the 3rd of May 2016":  10,
		"11 years old here":                  11,
		"Ich bin 11":                         11,
		"ich bin elf Jahre alt":              11,
		"Ich bin erst 10 Jahre alt und":      10,
		"Ich werde morgen 12":                11,
		"Ich bin 2015 geboren":               11,
		"Ich wurde am 24.12.2013 geboren":    12,
		"J'ai 11 ans":                        11,
		"j’ai onze ans et demi":              11,
		"Bonjour, j'ai 11 ans, je voudrais":  11,
		"Je suis née en 2016":                10,
		"Tengo 11 años":                      11,
		"tengo once años y quiero comprar":   11,
		"Nací en 2015":                       11,
		"Ho 11 anni":                         11,
		"ho undici anni e mezzo":             11,
		"Sono nata nel 2015":                 11,
		"Tenho 11 anos":                      11,
		"nasci em 2015":                      11,
		"Ik ben 11 jaar oud":                 11,
		"ik ben elf":                         11,
		"Ik ben in 2015 geboren":             11,
		"Mam 11 lat":                         11,
		"mam jedenaście lat.":                11,
		"Urodziłam się w 2015 roku":          11,
		"عمري ١١ سنة":                        11,
		"أنا عمري 11":                        11,
		"ولدت في 2015":                       11,
		"मैं 11 साल का हूँ":                  11,
		"मेरी उम्र ११ साल है":                11,
		"मेरा जन्म 2015 में हुआ":             11,
		"I am １１ years old":                  11,
	} {
		if got, child := age.Said(text, now); !child || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, child, want)
		}
	}
}

func TestWhatSaysNothingOfTheWritersAgeIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "hello", "11", "I am 13", "I am 31 years old", "I am 3",
		"my son is 11", "My daughter is 11 years old", "I have an 11 year old", "I am the mother of an 11 year old", "I am 11 year old's mother", "our 12 year old wants it",
		"I have 11 years of experience", "I'm 11 years in this business", "11 years experience", "I am 11 years experience in sales",
		"I'm 11 km away", "I am 11 minutes late", "I am 5 hours behind you", "I'm 10% sure", "I am 10/10 happy", "I am 5 out of 5 satisfied", "I am 6 feet tall", "I am 8 months pregnant", "I'm 7th in the queue", "I'm #5 in the queue", "I am 12€ short",
		"we are 11 people", "there are 11 of us", "I am number 11", "I ordered 11 of them", "room 11", "I was 11 when we moved", "when I am 11", "if I am 12, may I?", "as if I am 5",
		"she is 11", "you are 11", "I am not 11", "Do you sell Ben 10?", "I was born in 1985", "my date of birth is 3.5.1990", "born to run since 2015", "founded in 2015",
		"mein Sohn ist 11", "meine Tochter ist 11 Jahre alt", "Ich bin 11 km entfernt", "ich bin um 11 da", "Ich bin 10 Minuten zu spät", "Ich bin seit 11 Jahren Kunde", "Ich bin 11 Jahre bei Ihnen Kunde", "als ich 11 war", "Ich bin 1985 geboren",
		"J'ai 11 ans d'expérience", "mon fils a 11 ans", "j'ai 11 articles", "j'ai 12 euros", "ma fille, 11 ans",
		"Tengo 11 años de experiencia", "mi hijo tiene 11 años", "tengo 11 pedidos", "Hace 11 años", "tengo 10 y 12 productos",
		"Ho 11 anni di esperienza", "mio figlio ha 11 anni", "ho 11 ordini",
		"Tenho 11 anos de experiência", "meu filho tem 11 anos",
		"Mijn zoon is 11 jaar oud", "ik ben 11 kilometer verderop", "Ik ben 11 jaar klant",
		"Mam 11 lat doświadczenia", "mój syn ma 11 lat", "mam 11 zamówień",
		"ابني عمره 11 سنة", "عندي 11 طلب", "मेरा बेटा 11 साल का है", "मेरे पास 11 ऑर्डर हैं",
	} {
		if got, child := age.Said(text, now); child {
			t.Errorf("%q was taken for a child of %d", text, got)
		}
	}
}

func TestFieldsThatHoldAnAgeOrADayOfBirthAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field string
		value any
		want  int
	}{{"age", 11.0, 11}, {"age", "11", 11}, {"alter", 12.0, 12}, {"date_of_birth", "2014-11-23", 11}, {"birthday", "22.11.2013", 0}, {"birthday", "23.11.2013", 12},
		{"birth_year", 2015.0, 11}, {"birth_year", "2013", 0}, {"age", 13.0, 0}, {"age", 0.0, 0}, {"age", -4.0, 0}, {"orders", 11.0, 0}, {"birthday", "2030-01-01", 0}, {"age", true, 0}, {"birthday", "soon", 0}, {"age", nil, 0}} {
		got, child := age.Held(c.field, c.value, now)
		if child != (c.want > 0) || child && got != c.want {
			t.Errorf("%s = %v: %d, %v, want %d", c.field, c.value, got, child, c.want)
		}
	}
}

func TestSomebodyIsAYearOlderOnTheirBirthday(t *testing.T) {
	t.Parallel()
	born := time.Date(2012, 2, 29, 0, 0, 0, 0, time.UTC)
	for day, want := range map[string]int{"2025-02-28": 12, "2025-03-01": 13, "2024-02-29": 12, "2024-02-28": 11} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := age.Of(born, at); got != want {
			t.Errorf("on %s: %d, want %d", day, got, want)
		}
	}
}

func TestAnAgeIsFoundWhereverTheSentenceStands(t *testing.T) {
	t.Parallel()
	words := rapid.StringMatching(`[b-z ]{0,60}[.!\n]`)
	rapid.Check(t, func(t *rapid.T) {
		text := words.Draw(t, "before") + " I am 11. " + words.Draw(t, "after")
		if got, child := age.Said(text, now); !child || got != 11 {
			t.Fatalf("%q: %d, %v", text, got, child)
		}
	})
}

func TestALongTextTakesATimeThatGrowsWithIt(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"i am only just still ", "ich ", "11 ", "i was born in on ", "'", "\u0301"} {
		took := func(n, times int) time.Duration {
			text := strings.Repeat(word, n)
			begun := time.Now()
			for range times {
				age.Said(text, now)
			}
			return time.Since(begun)
		}
		small, large := time.Hour, time.Hour
		for range 5 { // a busy machine makes some slow, not all, and what is short less than what is long
			small, large = min(small, took(5_000, 8)), min(large, took(40_000, 1))
		}
		if large > 5*small+50*time.Millisecond { // squared it would be eight times as long
			t.Errorf("%q: %s for eight times 5,000 words, %s for 40,000", word, small, large)
		}
	}
}

func FuzzSaid(f *testing.F) {
	for _, text := range []string{"I am 11", "j'ai 11 ans", "عمري ١١ سنة", "मैं 11 साल का हूँ", "I was born on 3.5.2015", "\xff 11"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		years, child := age.Said(text, now)
		if child != (years > 0) || years >= age.Adult {
			t.Fatalf("%q: %d, %v", text, years, child)
		}
	})
}
