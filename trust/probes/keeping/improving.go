package keeping

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aver/base/redact"
	"aver/base/redact/corpus"
	"aver/base/redact/scan"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary/attack"
	"aver/trust/improvement"
	"aver/trust/improvement/crowd"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/purpose"
)

// learnt is what the probe of ret-2 sees: what the recognisers find, and a set with those who must not be in it.
type learnt struct {
	recognised corpus.Measure
	set        improvement.Set
	kept       []crowd.Transcript
	marks      []string // of the people: words that nobody else has
	columns    []string // of the table in which transcripts are kept
}

// transcriptColumns are what a stored transcript may have: no more, or somebody could be found by it.
var transcriptColumns = []string{"id", "part_of", "content", "made_at"}

// improving is ret-2.
func improving(w *world.World) claim.Claim {
	return claim.Claim{
		ID: "ret-2", Theme: world.Keeping, Owner: world.DPO, Every: world.Daily, On: []string{"improvement.made"}, Within: 5 * time.Minute,
		Wording: "Transcripts used for improvement are anonymised: {recall} of what identifies people is found in {spans} places of a corpus, {structured} of what has a form of its own; " +
			"in a set of {transcripts} transcripts at least {k} people look alike, and of {marks} words that only its people have {left} are left",
		Predicate: "On the sentences that the program makes from a fixed seed, with what is known of those who take part, recall is at least 95 %, and at least 99 % with a precision of at least 90 % " +
			"for what can be told by its form; a set made of conversations of people of a canary tenant holds none of their names, addresses and numbers; in it at least five people share language, time, " +
			"channel and company, and every word; a stored transcript has no column that leads to a person or a conversation; and such a set is labelled anonymised, any other pseudonymised.",
		Method: "The probe runs the recognisers over the corpus; lets five people of a canary tenant agree and write, each with a name, an address, a telephone number and a relative of their own; makes a set as the " +
			"service does; looks for every one of those words in it; counts who looks alike; reads the catalogue of columns; and erases the five.",
		Refs: claim.References{ISO: []string{"A.8.11", "A.5.34"}, SOC2: []string{"P4.1", "C1.1"}, GDPR: []string{"5(1)(b)", "5(1)(c)", "89(1)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			seen, err := learn(ctx, w, crowd.K, "")
			return judgeLearnt(seen), err
		},
		Fixtures: append(brokenSets(),
			unlearnt(w, "people of whom all but two agreed to nothing", 2, ""),
			unlearnt(w, "a name that the recognisers do not know and that everybody wrote", crowd.K, "xqzumbaro"),
		),
	}
}

// unlearnt is the probe with people of whom so many agree, and who all write of somebody of this name.
func unlearnt(w *world.World, name string, agree int, known string) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		seen, err := learn(ctx, w, agree, known)
		return judgeLearnt(seen), err
	})
}

// learn lets people write, of whom so many agree to it, and makes a set of it. They may all know somebody.
func learn(ctx context.Context, w *world.World, agree int, known string) (seen learnt, err error) {
	seen.recognised = corpus.Run(corpus.Make(1, corpus.Size), corpus.Knowing)
	for _, c := range improvement.Columns() {
		seen.columns = append(seen.columns, c.Name)
	}
	var people []*world.Person
	defer func() {
		for _, p := range people {
			err = errors.Join(err, w.Forget(ctx, p))
		}
	}()
	for i := range crowd.K {
		relative, phone := unlisted(), fmt.Sprintf("030 47%05d", 11_111+i*13_579)
		texts := []string{"My parcel has not come, please call " + phone, "My sister Anna " + relative + " lives at 4 " + relative + " Street, London NW1 6XE"}
		if known != "" {
			texts, seen.marks = append(texts, "your colleague "+known+" helped"), append(seen.marks, known)
		}
		p, err := w.NewPerson(ctx, texts...)
		if err != nil {
			return seen, err
		}
		people = append(people, p)
		seen.marks = append(seen.marks, p.Word, relative, phone, phone[4:])
		if i >= agree {
			continue
		}
		err = w.Vault.Do(ctx, world.System(p.Side.Tenant), world.Act, func(tx *vault.Tx) error {
			return vault.Standings.Put(tx, vault.Standing{Person: p.Actor.Subject(), Kind: purpose.Granted, Purpose: purpose.Improvement, Since: tx.Now()})
		})
		if err != nil {
			return seen, err
		}
	}
	seen.set, seen.kept, err = w.Improvement.Rehearse(ctx, people[0].Side.Tenant)
	return seen, err
}

// unlisted is a name that stands on no list and that nobody has.
func unlisted() string {
	return "Xq" + strings.NewReplacer("2", "a", "3", "e", "4", "i", "5", "o", "6", "u", "7", "r").Replace(attack.UniqueWord(attack.UniqueWord("")))
}

func judgeLearnt(seen learnt) claim.Evidence {
	e, all, by := world.Evidence(), seen.recognised.Overall, seen.recognised.Structured
	e.See(all.Recall() >= improvement.RecallGoal, "of what identifies people in the corpus", "%.1f %% found, %.1f %% asked for", 100*all.Recall(), 100*improvement.RecallGoal)
	e.See(by.Recall() >= improvement.StructuredGoal && by.Precision() >= 0.90, "of what can be told by its form", "%.1f %% found, %.1f %% of what was found is right", 100*by.Recall(), 100*by.Precision())
	left := 0
	for _, mark := range seen.marks {
		if holds(seen.kept, mark) {
			left++
		}
	}
	alike, shared := crowd.Smallest(seen.kept), crowd.Fewest(seen.kept)
	e.See(len(seen.kept) >= crowd.K, "transcripts in the set", "%d", len(seen.kept))
	e.See(left == 0, "names, addresses and numbers of its people", "%d of %d left", left, len(seen.marks))
	e.See(alike >= crowd.K, "people who look alike", "at least %d", alike)
	e.See(shared >= crowd.K, "people who share each word", "at least %d", shared)
	extra := slices.DeleteFunc(slices.Clone(seen.columns), func(c string) bool { return slices.Contains(transcriptColumns, c) })
	e.See(len(extra) == 0 && len(seen.columns) > 0, "columns of a stored transcript", "%s%s", strings.Join(seen.columns, ", "), more(extra))
	e.See(seen.set.Label() == improvement.Anonymised, "label of the set", "%s", seen.set.Label())
	e.Figure("recall", "%.1f %%", 100*all.Recall())
	e.Figure("structured", "%.1f %%", 100*by.Recall())
	e.Figure("spans", "%s", page.Number(all.All()))
	e.Figure("transcripts", "%d", len(seen.kept))
	e.Figure("k", "%d", alike)
	e.Figure("marks", "%d", len(seen.marks))
	e.Figure("left", "%d", left)
	return e
}

// holds tells whether a word stands anywhere in transcripts, in any spelling.
func holds(all []crowd.Transcript, word string) bool {
	word = scan.FoldString(word)
	return slices.ContainsFunc(all, func(t crowd.Transcript) bool {
		return strings.Contains(scan.FoldString(t.Company), word) || slices.ContainsFunc(t.Lines, func(l crowd.Line) bool { return strings.Contains(scan.FoldString(l.Text), word) })
	})
}

// brokenSets are sets that were made in ways that keep the promise no more. Each is made by the same functions.
func brokenSets() []claim.Fixture {
	broken := func(name string, find func([]redact.Person, string) []scan.Span, people, k int, change func(*learnt)) claim.Fixture {
		return world.Fixture(name, func(context.Context) (claim.Evidence, error) {
			seen := learnt{recognised: corpus.Run(corpus.Make(1, corpus.Size), find), columns: slices.Clone(transcriptColumns)}
			var read []crowd.Transcript
			for i := range people {
				word := fmt.Sprintf("Xqzumbaro%c", 'a'+i)
				seen.marks = append(seen.marks, word)
				text := "my parcel is late"
				if len(find(nil, "My name is "+word)) == 0 {
					text += ", I am " + word
				}
				read = append(read, crowd.Transcript{Person: i, At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), Channel: "webchat", Lines: []crowd.Line{{From: "visitor", Text: text}}})
			}
			seen.kept, _ = crowd.Hide(read, k)
			recall, structured := seen.recognised.Overall.Recall(), seen.recognised.Structured.Recall()
			seen.set = improvement.Set{Alike: crowd.Smallest(seen.kept), Shared: crowd.Fewest(seen.kept), Recall: int(10_000 * recall), Structured: int(10_000 * structured)}
			change(&seen)
			return judgeLearnt(seen), nil
		})
	}
	nothing := func(*learnt) {}
	return []claim.Fixture{
		broken("the recognisers switched off", corpus.Off, crowd.K, crowd.K, nothing),
		broken("a set of two people, whom nobody asked to be five", corpus.Knowing, 2, 2, nothing),
		broken("a set that asks for five and finds two", corpus.Knowing, 2, crowd.K, nothing),
		broken("words that one person alone used", corpus.Knowing, crowd.K, crowd.K, func(l *learnt) { l.kept[0].Lines[0].Text += " and the xylophone" }),
		broken("a name that was left in", corpus.Knowing, crowd.K, crowd.K, func(l *learnt) {
			for i := range l.kept {
				l.kept[i].Lines[0].Text += " " + l.marks[0]
			}
		}),
		broken("a stored map to the conversations", corpus.Knowing, crowd.K, crowd.K, func(l *learnt) { l.columns = append(l.columns, "conversation") }),
		broken("a company's name", corpus.Knowing, crowd.K, crowd.K, func(l *learnt) { l.kept[0].Company = l.marks[1] }),
	}
}
