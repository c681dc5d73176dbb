package letters_test

import (
	"strings"
	"testing"
	"time"

	"aver/base/personal"
	"aver/frame/mail"
	"aver/trust/rights/letters"
	"aver/trust/rights/state"
)

func all(lang string, k state.Kind) []mail.Message {
	to, at := personal.Of("ada@example.org"), time.Date(2027, 3, 1, 23, 59, 59, 0, time.UTC)
	a := letters.About{Workspace: "Kowal Bikes", Kind: k, Number: "req_1", Words: personal.Of("our words"), GDPR: true}
	out := []mail.Message{letters.Code(lang, to, a, "123456"), letters.Confirmation(lang, to, a, at), letters.Done(lang, to, a)}
	for _, d := range state.Delays {
		out = append(out, letters.Extension(lang, to, a, d, at))
	}
	for _, r := range state.Reasons(k) {
		out = append(out, letters.Denial(lang, to, a, r))
	}
	return out
}

func TestEveryLetterIsWholeInEveryLanguage(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, lang := range letters.Languages {
		for _, k := range state.Kinds {
			for _, m := range all(lang, k) {
				whole := m.Subject + "\n" + m.Text
				if strings.ContainsAny(whole, "[]{}") || !strings.Contains(m.Text, "req_1") || m.To.Reveal() != "ada@example.org" {
					t.Errorf("%s, %s: %s", lang, k, whole)
				}
				if other := seen[m.Text]; other != "" && other != lang {
					t.Errorf("%s and %s have the same letter: %s", lang, other, m.Text)
				}
				seen[m.Text] = lang
			}
		}
	}
}

func TestTheEndOfARestrictionSaysWhenAndWhereToAskForAnother(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, lang := range letters.Languages {
		m := letters.Lifting(lang, personal.Of("ada@example.org"), "Kowal Bikes", "https://chat.example/my-data/kowal", time.Date(2027, 3, 1, 23, 59, 59, 0, time.UTC))
		for _, want := range []string{"Kowal Bikes", "2027-03-01", "https://chat.example/my-data/kowal", "77"} {
			if !strings.Contains(m.Text, want) || strings.ContainsAny(m.Subject+m.Text, "[]{}") {
				t.Errorf("%s lacks %q: %s", lang, want, m.Text)
			}
		}
		if other := seen[m.Text]; other != "" {
			t.Errorf("%s and %s have the same letter: %s", lang, other, m.Text)
		}
		seen[m.Text] = lang
	}
	if unknown := letters.Lifting("xx", personal.Of("ada@example.org"), "Kowal Bikes", "https://chat.example/my-data/kowal", time.Now()); !strings.Contains(unknown.Text, "ends this restriction") {
		t.Errorf("to somebody whose language is none of them: %s", unknown.Text)
	}
}

func TestADenialSaysWhyAndWhereToComplain(t *testing.T) {
	t.Parallel()
	a := letters.About{Workspace: "Kowal Bikes", Kind: state.Erasure, Number: "req_1", Words: personal.Of("The invoice must be kept."), GDPR: true}
	m := letters.Denial("en", personal.Of("ada@example.org"), a, state.Exempt)
	for _, want := range []string{"17(3)", "Art. 77", "The invoice must be kept."} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the letter lacks %q: %s", want, m.Text)
		}
	}
	a.GDPR = false
	if m := letters.Denial("en", personal.Of("ada@example.org"), a, state.Fraud); !strings.Contains(m.Text, "California") || strings.Contains(m.Text, "GDPR") {
		t.Errorf("a letter to California: %s", m.Text)
	}
}

func TestLettersToColleaguesSayNothingOfWhomAndAreNotAboutThemselves(t *testing.T) {
	t.Parallel()
	to := personal.Of("dpo@example.org")
	for _, k := range state.Kinds {
		a := letters.About{Workspace: "Kowal Bikes", Kind: k, Number: "req_1", Words: personal.Of("our words")}
		for _, m := range []mail.Message{letters.Waiting(to, a, time.Now()), letters.Alarm(to, a, time.Now()), letters.Returned(to, a)} {
			if strings.Contains(m.Text, "our words") || !strings.Contains(m.Text, "/privacy/requests/req_1") || strings.ContainsAny(m.Text, "[]{}") {
				t.Error(m.Text)
			}
			if strings.Contains(m.Text, "about you") || strings.Contains(m.Text, "your data") {
				t.Errorf("it speaks of the colleague's own data: %s", m.Text)
			}
		}
	}
}
