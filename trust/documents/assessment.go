package documents

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/documents/paper"
	"aver/trust/documents/ui"
	"aver/vault"
)

// answer is what a person of the tenant judged; a program cannot.
type answer struct {
	Question   string    `vault:"question,key"`
	Answer     string    `vault:"answer,tenant:tenant.content"`
	Author     ids.User  `vault:"author,state"`
	AnsweredAt time.Time `vault:"answered_at,state"`
}

var answers = vault.Define[answer]("assessment_answers", vault.Purpose("keeping the judgements of impact and transfer assessments (GDPR Art. 35, 46)"), vault.KeepWhile("as long as the account"))

// risk is a row of the assessment: what could happen to people, and which promises stand against it, by how their names
// begin. The first three are the feared events of confidentiality, integrity and availability.
type risk struct {
	id       string
	promises []string
}

var risks = []risk{
	{"access", []string{"iso-", "enc-", "idn-", "atk-"}},
	{"change", []string{"aud-", "idn-"}},
	{"loss", []string{"ava-", "ret-4"}},
	{"longer", []string{"ret-", "min-"}},
	{"purpose", []string{"con-", "ai-", "enr-", "rgt-5"}},
	{"elsewhere", []string{"res-", "sub-", "iso-4"}},
	{"unheard", []string{"rgt-", "inc-"}},
	{"automation", []string{"rgt-6", "aud-2"}},
	{"vulnerable", []string{"rgt-9", "rgt-10"}},
}

// Question is something that only a person can answer.
type Question struct {
	ID, Title, Help string
	Answer          string
	At              time.Time
}

// questions of the assessment that no risk brings.
var judgements = []string{"scope", "necessity", "alternatives", "advice", "views", "decision"}

// ids of what is asked about a transfer (clause 14 of the standard contractual clauses).
var transferQuestions = []string{"laws", "requests", "practice", "supplement"}

func riskQuestion(id string) string { return "risk." + id }

func transferQuestion(r Recipient, id string) string { return "transfer." + r.Source.Ref + "." + id }

// asked lists every question that the facts raise.
func (f Facts) asked() (out []Question) {
	for _, id := range judgements {
		out = append(out, Question{ID: id, Title: ui.Say("question." + id), Help: ui.Say("question." + id + ".help")})
	}
	for _, r := range risks {
		out = append(out, Question{ID: riskQuestion(r.id), Title: ui.Say("question.risk", ui.Say("risk."+r.id)), Help: ui.Say("question.risk.help")})
	}
	for _, r := range f.Transfers() {
		for _, id := range transferQuestions {
			out = append(out, Question{ID: transferQuestion(r, id), Title: ui.Say("question.transfer", r.Name, ui.Say("tia."+id)), Help: ui.Say("question.transfer.help")})
		}
	}
	for i, q := range out {
		out[i].Answer, out[i].At = f.Answers[q.ID].Answer, f.Answers[q.ID].AnsweredAt
	}
	return out
}

func (s *Service) readAnswers(ctx context.Context, tenant ids.Tenant, f *Facts) error {
	return s.vault.View(ctx, system(tenant), actFacts, func(tx *vault.Tx) error {
		all, err := answers.Find(tx, "ORDER BY question")
		f.Answers = make(map[string]answer, len(all))
		for _, a := range all {
			f.Answers[a.Question] = a
		}
		return err
	})
}

// Questions are what the workspace's papers leave to a person, with what was answered.
func (s *Service) Questions(ctx context.Context, actor vault.Actor) ([]Question, error) {
	f, err := s.facts(ctx, actor)
	return f.asked(), err
}

const mostAnswer = 8000 // characters

// Answer keeps what a person judged, by question. An empty text takes an answer back; questions that are not named stay.
func (s *Service) Answer(ctx context.Context, actor vault.Actor, said map[string]string) error {
	f, err := s.Collect(ctx, actor.Tenant())
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, q := range f.asked() {
		known[q.ID] = true
	}
	var bad []errs.Field
	for id, text := range said {
		if !known[id] {
			return errs.New(errs.NotFound, "There is no such question.")
		}
		if utf8.RuneCountInString(text) > mostAnswer || !utf8.ValidString(text) {
			bad = append(bad, errs.Field{Field: id, Code: "too-long", Message: "Use at most 8,000 characters."})
		}
	}
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "Some answers are too long. Nothing was changed.", bad...)
	}
	return s.vault.Do(ctx, actor, actAnswer, func(tx *vault.Tx) error {
		for id, text := range said {
			if err := keepAnswer(tx, id, strings.TrimSpace(text)); err != nil {
				return err
			}
		}
		return nil
	})
}

func keepAnswer(tx *vault.Tx, question, text string) error {
	before, err := answers.Get(tx, question)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	if before.Answer == text {
		return nil
	}
	tx.Emit(vault.Event{Kind: "assessment.answered", Object: question}, nil)
	if text == "" {
		return answers.Delete(tx, question)
	}
	return answers.Put(tx, answer{Question: question, Answer: text, Author: tx.Actor().User(), AnsweredAt: tx.Now()})
}

const answersPage = "/privacy/papers/answers"

// judged is the line of an answer, or of its absence.
func (f Facts) judged(id, title string) paper.Line {
	a := f.Answers[id]
	line := paper.Line{Name: title, Text: a.Answer, Source: paper.Source{Origin: paper.Setting, Ref: answersPage + " " + id}}
	if a.Answer == "" {
		line.Text, line.Gap = ui.Say("answer.missing"), true
	}
	return line
}

func (f Facts) question(id string) paper.Line { return f.judged(id, ui.Say("question."+id)) }

// assessment is a data protection impact assessment (GDPR Art. 35(7)), filled in as far as a program can.
func (f Facts) assessment() paper.Paper {
	p := head(Assessment, f.Workspace.Name)
	p.Sections = []paper.Section{
		{ID: "controller", Title: ui.Say("record.controller"), Law: "GDPR Art. 35(1)", Lines: parties(f.Controller, legalPage)},
		f.description(),
		f.necessity(),
	}
	for _, r := range risks {
		section := paper.Section{ID: riskQuestion(r.id), Title: ui.Say("assessment.risk", ui.Say("risk."+r.id)), Lead: ui.Say("risk." + r.id + ".lead"), Law: "GDPR Art. 35(7)(c), (d)"}
		section.Lines = append([]paper.Line{f.judged(riskQuestion(r.id), ui.Say("assessment.judgement"))}, f.measureLines(r.promises...)...)
		p.Sections = append(p.Sections, section)
	}
	p.Sections = append(p.Sections, paper.Section{ID: "decision", Title: ui.Say("assessment.decision"), Law: "GDPR Art. 35(2), (9), 36",
		Lines: []paper.Line{f.question("advice"), f.question("views"), f.question("decision")}})
	return p
}

// description is what is processed, how and where.
func (f Facts) description() paper.Section {
	out := paper.Section{ID: "description", Title: ui.Say("assessment.description"), Law: "GDPR Art. 35(7)(a)", Lines: []paper.Line{f.question("scope")}}
	for _, purpose := range f.Purposes {
		if len(f.Of(purpose.ID)) > 0 {
			out.Lines = append(out.Lines, paper.Line{Name: ui.Say("record.purpose"), Text: purpose.name(), Source: purpose.Source})
		}
	}
	for _, g := range []Group{Visitors, Staff} {
		for _, c := range f.About(g) {
			line := c.dataLine()
			line.Text = joined(": ", ui.Say("group."+string(g)), c.For)
			out.Lines = append(out.Lines, line)
		}
	}
	out.Lines = append(out.Lines, paper.Line{Name: ui.Say("region"), Text: f.Workspace.Region, Source: paper.Source{Origin: paper.Program, Ref: "region of the workspace"}})
	out.Lines = append(out.Lines, f.recipientLines()...)
	return out
}

// necessity is why it is needed and how little of it.
func (f Facts) necessity() paper.Section {
	out := paper.Section{ID: "necessity", Title: ui.Say("assessment.necessity"), Law: "GDPR Art. 35(7)(b)", Lines: []paper.Line{f.question("necessity"), f.question("alternatives")}}
	for _, purpose := range f.Purposes {
		if len(f.Of(purpose.ID)) > 0 {
			out.Lines = append(out.Lines, paper.Line{Name: ui.Say("assessment.ground", purpose.name()), Text: purpose.article(), Source: purpose.Source})
		}
	}
	for _, c := range f.About(Visitors) {
		out.Lines = append(out.Lines, c.keptLine())
	}
	out.Lines = append(out.Lines, backupLine(f.Backups))
	return out
}
