package archive_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/rights/archive"
	"aver/trust/rights/others"
	"aver/vault"
)

// run tells whether a spreadsheet takes a cell for a formula: spaces and signs that are not seen do not hide one.
func run(cell string) bool {
	seen := strings.TrimLeftFunc(cell, func(r rune) bool {
		return !strings.ContainsRune("\t\r\n", r) && (unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
	})
	first, _ := firstRune(seen)
	return strings.ContainsRune("=+-@\t\r\n＝＋－＠", first)
}

func firstRune(text string) (rune, bool) {
	for _, r := range text {
		return r, true
	}
	return 0, false
}

func TestNoCellStartsAFormula(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠a", " =1", "\u00a0=1", "\u200b=1", "\ufeff=1", "\x00=1", "  \u2003-1", "\"=1\""} {
		if got := archive.Neutral(text); run(got) {
			t.Errorf("%q became %q, which a spreadsheet runs", text, got)
		}
	}
	for _, text := range []string{"", "hello", "a=b", "'=1", "1-2", "mail@example.org", "ok = fine"} {
		if got := archive.Neutral(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestAnyTextComesBackFromTheFileAndRunsNothing(t *testing.T) {
	t.Parallel()
	sign := rapid.SampledFrom([]string{"", "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠", " ", "\u200b", "\"", ",", ";", "'"})
	rapid.Check(t, func(rt *rapid.T) {
		text := sign.Draw(rt, "first") + sign.Draw(rt, "second") + strings.ToValidUTF8(rapid.String().Draw(rt, "rest"), "")
		neutral := archive.Neutral(text)
		if run(neutral) {
			rt.Errorf("%q became %q, which a spreadsheet runs", text, neutral)
		}
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		if err := w.Write([]string{neutral, "next"}); err != nil {
			rt.Fatal(err)
		}
		w.Flush()
		rows, err := csv.NewReader(&file).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 2 || rows[0][1] != "next" {
			rt.Fatalf("%q: %q, %v", text, rows, err)
		}
		back := strings.ReplaceAll(rows[0][0], "\r\n", "\n")
		if want := strings.ReplaceAll(neutral, "\r\n", "\n"); back != want {
			rt.Errorf("%q came back as %q", want, back)
		}
	})
}

type note struct {
	Who  ids.Subject    `vault:"who,key,subject"`
	Data personal.Bytes `vault:"data,personal:user"`
}

func TestEveryLineIsJSONWhoeverIsTakenOut(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	out, err := archive.New(&file, archive.Head{Redact: func(text string) string { return strings.ReplaceAll(text, "4711", others.Instead) }})
	if err != nil {
		t.Fatal(err)
	}
	table := vault.Define[note]("archive_notes", vault.Purpose("testing"), vault.KeepWhile("the test"))
	out.Begin(table)
	for _, data := range []string{`{"friend":4711,"age":7}`, `{"friend":"4711"}`, `[4711]`} {
		err = errors.Join(err, out.Row("con_1", []vault.Cell{{Column: table.Columns()[1], Value: json.RawMessage(data), Personal: true}}))
	}
	if err := errors.Join(err, out.End(), out.Close()); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := fs.ReadFile(z, "data.jsonl")
	if err != nil || bytes.Count(lines, []byte("\n")) != 3 {
		t.Fatalf("%s, %v", lines, err)
	}
	for line := range bytes.Lines(lines) {
		if !json.Valid(line) || bytes.Contains(line, []byte("4711")) {
			t.Errorf("the line %s", line)
		}
	}
}
