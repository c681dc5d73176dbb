package attach_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"aver/base/cards"
	"aver/base/errs"
	"aver/work/inbox/attach"
)

// document packs the parts of an office document.
func document(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range parts {
		w, err := z.Create(name)
		must(t, err)
		_, err = w.Write([]byte(text))
		must(t, err)
	}
	must(t, z.Close())
	return out.Bytes()
}

func letter(t testing.TB, body string) []byte {
	return document(t, map[string]string{"[Content_Types].xml": "<Types/>", "word/document.xml": `<?xml version="1.0" encoding="UTF-8"?><w:document><w:body>` + body + `</w:body></w:document>`})
}

func sheet(t testing.TB, strings, cells string) []byte {
	return document(t, map[string]string{"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>",
		"xl/sharedStrings.xml": `<sst>` + strings + `</sst>`, "xl/worksheets/sheet1.xml": `<worksheet><sheetData><row>` + cells + `</row></sheetData></worksheet>`})
}

// unpacked is a part of a document.
func unpacked(t testing.TB, raw []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	must(t, err)
	part, err := z.Open(name)
	must(t, err)
	text, err := io.ReadAll(part)
	must(t, err)
	return string(text)
}

func TestCardNumbersAreMaskedInTheWordsOfFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		called    string
		content   []byte
		part, has string
	}{
		"text":                        {"a.txt", []byte("my card 4111 1111 1111 1111"), "", "my card •••• •••• •••• 1111"},
		"a table":                     {"a.csv", []byte("n;c\nMaria;4111111111111111\n"), "", "Maria;••••••••••••1111"},
		"a program's notes":           {"a.log", []byte("POST card=4111111111111111 200"), "", "card=••••••••••••1111 200"},
		"data":                        {"a.json", []byte(`{"card":"4111111111111111"}`), "", `{"card":"••••••••••••1111"}`},
		"a letter":                    {"a.docx", letter(t, "<w:p><w:r><w:t>4111 1111 1111 1111</w:t></w:r></w:p>"), "word/document.xml", "<w:t>**** **** **** 1111</w:t>"},
		"a letter that changes style": {"a.docx", letter(t, "<w:p><w:r><w:t>4111 1111</w:t></w:r><w:r><w:b/><w:t> 1111 1111</w:t></w:r></w:p>"), "word/document.xml", "<w:t>**** ****</w:t></w:r><w:r><w:b/><w:t> **** 1111</w:t>"},
		"a letter in Arabic digits":   {"a.docx", letter(t, "<w:p><w:r><w:t>٤١١١١١١١١١١١١١١١</w:t></w:r></w:p>"), "word/document.xml", "<w:t>************************١١١١</w:t>"},
		"a sheet's words":             {"a.xlsx", sheet(t, "<si><t>4111-1111-1111-1111</t></si>", ""), "xl/sharedStrings.xml", "<t>****-****-****-1111</t>"},
		"a sheet's number":            {"a.xlsx", sheet(t, "", "<c><v>378282246310005</v></c>"), "xl/worksheets/sheet1.xml", "<v>000000000000005</v>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, kept := take(t, c.called, c.content)
			text := string(kept)
			if c.part != "" {
				text = unpacked(t, kept, c.part)
			}
			if !strings.Contains(text, c.has) {
				t.Errorf("kept %q", text)
			}
			if _, n := cards.Mask(text); n > 0 {
				t.Errorf("%d numbers are left in %q", n, text)
			}
		})
	}
}

func TestADocumentWithoutCardNumbersStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{
		"a letter":                           letter(t, "<w:p><w:r><w:t>Order 20261122, call 4111 people</w:t></w:r></w:p>"),
		"cells that only look like one":      sheet(t, "", "<c><v>4111</v></c><c><v>1111</v></c><c><v>1111</v></c><c><v>1111</v></c>"),
		"paragraphs that only look like one": letter(t, "<w:p><w:t>4111 1111</w:t></w:p><w:p><w:t>1111 1111</w:t></w:p>"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, kept := take(t, "a", content); !bytes.Equal(kept, content) {
				t.Error("it was changed")
			}
		})
	}
}

func TestADocumentThatUnpacksToTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	bomb := letter(t, strings.Repeat(" ", 65<<20))
	err := attach.Take(context.Background(), "a.docx", bytes.NewReader(bomb), func(attach.File) error { return errors.New("it was kept") })
	if !errs.Is(err, errs.TooLarge) {
		t.Errorf("got %v", err)
	}
}
