package main

import (
	"math"
	"time"

	"aver/frame/page"
)

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// held is a history of ninety good days but for the ones named, counted back from today.
func held(exceptions map[int]page.State) page.Days {
	out := make(page.Days, 90)
	for i := range out {
		out[i] = page.Holds
		if s, ok := exceptions[len(out)-1-i]; ok {
			out[i] = s
		}
	}
	return out
}

func wave() []float64 {
	out := make([]float64, 90)
	for i := range out {
		out[i] = 20 + 8*math.Sin(float64(i)/7) + float64((i*37)%11)
	}
	return out
}

func said(parts ...string) []page.Span {
	out := make([]page.Span, len(parts))
	for i, p := range parts {
		out[i] = page.Span{Text: p, Live: i%2 == 1}
	}
	return out
}

type theme struct {
	name, note string
	claims     []page.ClaimRow
}

func themes() []theme {
	young := held(map[int]page.State{})
	for i := range 40 {
		young[i] = page.Unknown
	}
	attested := make(page.Days, 90)
	for i := range attested {
		attested[i] = page.Attested
	}
	return []theme{
		{"Isolation", "Nobody sees another customer's data", []page.ClaimRow{
			{ID: "iso-1", Href: "/trust/claims/iso-1", State: page.Holds, Sentence: said("Every customer's data lies apart: ", "1,204", " attempts to cross over in the last day, none got through"), Days: held(nil), Checked: ago(3 * minute)},
			{ID: "iso-2", Href: "/trust/claims/iso-2", State: page.Holds, Sentence: said("Two test customers attack each other through ", "all 86", " operations of the API"), Days: young, Checked: ago(4 * minute)},
		}},
		{"Encryption", "What is stored can be read only with its key", []page.ClaimRow{
			{ID: "enc-1", Href: "/trust/claims/enc-1", State: page.Holds, Sentence: said("Personal values are sealed with AES-256-GCM under ", "8,311", " keys, one per person"), Days: held(map[int]page.State{51: page.Stale}), Checked: ago(12 * minute)},
			{ID: "enc-5", Href: "/trust/claims/enc-5", State: page.Stale, Sentence: said("Keys rotate by themselves; the oldest is ", "89 days", " old and due tomorrow"), Days: held(map[int]page.State{0: page.Stale, 1: page.Stale}), Checked: ago(26 * hour)},
		}},
		{"Rights", "Copy, correct, erase", []page.ClaimRow{
			{ID: "rgt-4", Href: "/trust/claims/rgt-4", State: page.Failing, Sentence: said("An erased person is gone from every copy within ", "9 days", "; we promise 7"), Days: held(map[int]page.State{0: page.Failing, 1: page.Failing, 33: page.Failing}), Checked: ago(31 * minute)},
			{ID: "rgt-2", Href: "/trust/claims/rgt-2", State: page.Holds, Sentence: said("A copy of one's data is ready in ", "2 seconds", " at the median"), Days: held(nil), Checked: ago(31 * minute)},
		}},
		{"Organisation", "What a person vouches for, and nobody can measure", []page.ClaimRow{
			{ID: "org-3", Href: "/trust/claims/org-3", State: page.Attested, Sentence: said("Our data protection officer is ", "Dr. Ada Lindqvist", ", Frankfurt"), Days: attested, Checked: ago(20 * day)},
			{ID: "ava-2", Href: "/trust/claims/ava-2", State: page.Unknown, Sentence: said("A backup is restored and compared every week"), Days: nil},
		}},
	}
}

func answers() []page.Answer {
	return []page.Answer{
		{Question: "Do the promises hold now?", Value: "41 of 43", State: page.Failing, Href: "#failing", Note: "One is failing, one is due. Both are shown first."},
		{Question: "How fresh is that?", Value: "3 min", Note: "The oldest measurement is 26 h old; 43 run by themselves."},
		{Question: "Where is the data?", Value: "Frankfurt, Germany", More: page.WorldMap{Latitude: 50.1, Longitude: 8.7, Label: "Frankfurt on a map of the world"}},
		{Question: "Last restore drill, last incident?", Value: "Sunday, and none", Note: "The drill restored 8,311 people in 41 s. No incident since this installation began in March 2025."},
	}
}
