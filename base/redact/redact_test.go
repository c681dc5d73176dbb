package redact_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aver/base/redact"
	"aver/base/redact/corpus"
	"aver/base/redact/scan"
)

func redacted(text string, people ...redact.Person) string {
	return redact.New(people...).Transcript([]string{text})[0]
}

func TestWhatIdentifiesSomebodyIsReplacedByWhatItIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Hello, my name is Anna Kowalewska and I live at 12 Baker Street, London NW1 6XE.":            "Hello, my name is [NAME_1] and I live at [ADDRESS_1].",
		"Bitte rufen Sie unter 030 1234567 an. Mit freundlichen Grüßen\nXaver Hintermoser":            "Bitte rufen Sie unter [PHONE_1] an. Mit freundlichen Grüßen\n[NAME_1]",
		"Ich wohne in der Hauptstraße 12a, 10115 Berlin. IBAN DE89 3704 0044 0532 0130 00, danke":     "Ich wohne in der [ADDRESS_1]. IBAN [IBAN_1], danke",
		"J'habite 12 rue de la Paix, 75002 Paris, tel 06 12 34 56 78.":                                "J'habite [ADDRESS_1], tel [PHONE_1].",
		"Mail jane.doe@mail.example.com, from 10.0.0.1 or fe80::1, card reader 00:1A:2B:3C:4D:5E.":    "Mail [EMAIL_1], from [IP_1] or [IP_2], card reader [MAC_1].",
		"NHS 943 476 5919, card 4242 4242 4242 4242, born on 3 March 1985, passport number C01X00T47": "NHS [NATIONAL_ID_1], card [CARD_1], born on [BIRTH_DATE_1], passport number [PASSPORT_1]",
		"Calle Mayor 5, 28013 Madrid; ul. Długa 7/2, 00-238 Warszawa; Via Roma, 12, 00184 Roma":       "[ADDRESS_1]; [ADDRESS_2]; [ADDRESS_3]",
		"Regards,\nJ. Smith\nMuster Handel GmbH":                                                      "Regards,\n[NAME_1]\n[COMPANY_1]",
		"Frau Özdemir sprach mit Herrn Dr. Weiß.":                                                     "Frau [NAME_1] sprach mit Herrn Dr. [NAME_2].",
		"What's your name? Xaver Hintermoser":                                                         "What's your name? [NAME_1]",
		"Jack, I work for Harrow & Finch and everyone calls me Ulric.":                                "[NAME_1], I work for [COMPANY_1] and everyone calls me [NAME_2].",
		"Flat 3, 24 Victoria Terrace, Bristol BS1 5TR or C/ Alcalá 77, 41001 Sevilla":                 "[ADDRESS_1] or [ADDRESS_2]",
		"Will you call Mark Thompson tomorrow?":                                                       "Will you call [NAME_1] tomorrow?",
		"my name is peter parker, see www.example.com/parker":                                         "my name is [NAME_1], see [URL_1]",
		"Call ٠٣٠ ١٢٣٤٥٦٧ on the phone":                                                               "Call [PHONE_1] on the phone",
	} {
		if got := redacted(text); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestANameThatStandsOnNoListIsToldByItsPlaceInASentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Please add Quorra Zwirblebaum to my account.":      "Please add [NAME_1] to my account.",
		"Pourquoi Ondrelle Vautrinec ne répond jamais ?":    "Pourquoi [NAME_1] ne répond jamais ?",
		"Perché Zefirino Quattrolli non risponde?":          "Perché [NAME_1] non risponde?",
		"Can I have the Oslo Wombat in oak?":                "Can I have the Oslo Wombat in oak?",
		"When is Aqua Wombat 3000 back?":                    "When is Aqua Wombat 3000 back?",
		"Ich brauche noch Liter Farbe und zwei Rollen dazu": "Ich brauche noch Liter Farbe und zwei Rollen dazu",
	} {
		if got := redact.New().Transcript([]string{text})[0]; got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestWhatIdentifiesNobodyStays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Order 1234567890 costs 1.234.567 EUR at 10:30 on 2026-11-22.",
		"Your invoice 2026-004711 is due on 30.11.2026, version 4.0.12.1 is out.",
		"Am Montag kommt das Paket 00340434161094000000 mit der Bestellung 4711.",
		"Will May be too late? I hope the rose arrives in June.",
		"J'ai payé 1 299,00 EUR le 12/11/2026 à 14:05.",
		"The Oak Table 180 x 90 cm weighs 42 kg.",
	} {
		if got := redacted(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestWhoIsKnownIsFoundHoweverTheyAreSpelt(t *testing.T) {
	t.Parallel()
	zbigniew := redact.Person{Names: []string{"Xzbygniew Ąmbroźkiewicz"}, Emails: []string{"xz77@example.com"}, Phones: []string{"+48 501 234 567"},
		Companies: []string{"Qwertz Handel GmbH"}, IDs: []string{"K-2209-X"}}
	for text, want := range map[string]string{
		"xzbygniew wrote":                    "[NAME_1] wrote",
		"XZBYGNIEW AMBROZKIEWICZ wrote":      "[NAME_1] wrote",
		"ask ambrożkiewicz":                  "ask [NAME_1]",
		"ask ambroźkewicz, or xzbygneiw":     "ask [NAME_1], or [NAME_1]",
		"Xzbygniew's box":                    "[NAME_1]'s box",
		"it is xz77 everywhere":              "it is [NAME_1] everywhere",
		"on 501-234-567":                     "on [PHONE_1]",
		"somebody at qwertz knows":           "somebody at [COMPANY_1] knows",
		"customer k 2209 x":                  "customer [ID_1]",
		"the words that remain are the same": "the words that remain are the same",
	} {
		if got := redacted(text, zbigniew); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestOnePlaceholderStandsForOneThingInATranscript(t *testing.T) {
	t.Parallel()
	r := redact.New(redact.Person{Names: []string{"Ines Marek"}})
	got := strings.Join(r.Transcript([]string{"I am Ines Marek, a@example.com", "Hi Ines, b@example.com or a@example.com?", "my name is Qvortrup", "qvortrup again"}), "|")
	if want := "I am [NAME_1], [EMAIL_1]|Hi [NAME_1], [EMAIL_2] or [EMAIL_1]?|my name is [NAME_2]|[NAME_2] again"; got != want {
		t.Errorf("got %q", got)
	}
	r.Next()
	if got := r.Transcript([]string{"Hi ines, c@example.com"})[0]; got != "Hi ines, [EMAIL_1]" && got != "Hi [NAME_1], [EMAIL_1]" {
		t.Errorf("the next transcript: %q", got)
	}
}

func TestRedactingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	for _, s := range corpus.Make(7, corpus.Size) {
		settled(t, s.Text, s.People...)
	}
}

// settled checks what must be so of every text.
func settled(t *testing.T, text string, people ...redact.Person) {
	t.Helper()
	for _, s := range redact.New(people...).Find(text) {
		if s.From < 0 || s.To > len(text) || s.From >= s.To {
			t.Fatalf("%q: span %v lies outside", text, s)
		}
		if utf8.ValidString(text) && !(utf8.ValidString(text[:s.From]) && utf8.ValidString(text[s.From:s.To])) {
			t.Fatalf("%q: span %v cuts a character", text, s)
		}
	}
	once := redacted(text, people...)
	if twice := redacted(once, people...); twice != once {
		t.Fatalf("%q\n once %q\ntwice %q", text, once, twice)
	}
}

func TestNothingRecognisedIsLeftAnywhereInTheTranscript(t *testing.T) {
	t.Parallel()
	all := corpus.Make(11, 1200)
	for part := range slices.Chunk(all, 12) {
		var texts []string
		for _, s := range part {
			texts = append(texts, s.Text)
		}
		r := redact.New(part[0].People...)
		out := strings.Join(r.Transcript(texts), "\n")
		for _, text := range texts {
			for _, s := range redact.New(part[0].People...).Find(text) {
				if value := text[s.From:s.To]; s.Type != scan.Name && s.Type != scan.Company && s.Type != scan.Address && strings.Contains(out, value) {
					t.Errorf("%s %q is still in %q", s.Type, value, out)
				}
			}
		}
	}
}

func FuzzRedactingSettles(f *testing.F) {
	for _, s := range corpus.Make(3, 200) {
		f.Add(s.Text)
	}
	f.Add("[NAME_1] [EMAIL_2]@x.de [[A]] \u00ad\u200b é'è’ü ٣٤٥٦٧٨٩٠١٢")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		settled(t, text, redact.Person{Names: []string{"Anna Nováková"}, Phones: []string{"+420 601 123 456"}, IDs: []string{"K-77"}})
	})
}

func BenchmarkTranscript(b *testing.B) {
	all := corpus.Make(1, 400)
	var texts []string
	var people []redact.Person
	n := 0
	for _, s := range all {
		texts, n = append(texts, s.Text), n+len(s.Text)
	}
	people = append(people, all[0].People...)
	r := redact.New()
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		for part := range slices.Chunk(texts, 20) {
			r.Next(people...)
			r.Transcript(part)
		}
	}
}

// A recogniser that looked at the rest of the text from every place would take minutes for each of these.
func TestLongTextsTakeTimeInProportion(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"www.", "http://", "@", "a@b.", "1.", "1-", "a:", "Anna ", "von ", "12 Street ", "+1 ", "born ", "GmbH "} {
		text := strings.Repeat(part, 1<<20/len(part))
		ended := make(chan struct{})
		go func() {
			redacted(text, redact.Person{Names: []string{"Anna Nowak"}, Phones: []string{"+48 501 234 567"}})
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(2 * time.Minute):
			t.Fatalf("a megabyte of %q is not done after two minutes", part)
		}
	}
}
