package others_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aver/base/personal"
	"aver/trust/rights/others"
)

func maria() others.Someone {
	return others.Someone{Name: personal.Of("Maria Kowal"), Email: personal.Of("maria@kowal.example"), Phone: personal.Of("+4930901820"), ID: personal.Of("crm-77")}
}

// redact lets a text be read twice, as a copy is put together.
func redact(t interface{ Fatal(...any) }, text string) string {
	f := &others.Finder{}
	f.See(text)
	r, err := f.Redactor(func(found string) ([]others.Someone, bool, error) {
		switch strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.ToLower(found)) {
		case "maria@kowal.example", "+4930901820":
			return []others.Someone{maria()}, false, nil
		case "ada@example.org":
			return nil, true, nil
		}
		return nil, false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Hide("Jan Berg")
	return r.Text(text)
}

func TestWhoeverElseTheTenantKnowsIsLeftOut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Ask maria@kowal.example or Maria Kowal.":                "Ask [another person] or [another person].",
		"Maria Kowal wrote first; her mail: Maria@Kowal.example": "[another person] wrote first; her mail: [another person]",
		"Call +49 30 901820, say crm-77":                         "Call [another person], say [another person]",
		"I am ada@example.org":                                   "I am ada@example.org",
		"nobody@nowhere.example, +49 40 111111":                  "nobody@nowhere.example, +49 40 111111",
		"Jan Berg said so":                                       "[another person] said so",
		"Jan Bergs Rad":                                          "Jan Bergs Rad",
		"Order 123456789":                                        "Order 123456789",
	} {
		if got := redact(t, text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestAnybodysOwnNameStays(t *testing.T) {
	t.Parallel()
	r := &others.Redactor{}
	r.Hide("Ada Kowal", "Jan Berg")
	r.Spare("ada kowal")
	if got := r.Text("Ada Kowal met Jan Berg"); got != "Ada Kowal met [another person]" {
		t.Error(got)
	}
}

func TestNoTextNamesSomebodyElseAfterwards(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		left, right := rapid.String().Draw(rt, "left"), rapid.String().Draw(rt, "right")
		got := redact(rt, left+" maria@kowal.example "+right+" Maria Kowal ")
		if strings.Contains(got, " maria@kowal.example ") || strings.Contains(got, " Maria Kowal ") {
			rt.Errorf("got %q", got)
		}
	})
}
