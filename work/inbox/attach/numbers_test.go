package attach_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
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

// paper is a PDF with an object.
func paper(object string) []byte {
	return []byte("%PDF-1.7\n1 0 obj\n" + object + "\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n")
}

// printed is a page that Chromium printed.
func printed(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	must(t, err)
	return raw
}

// within is a document with another file in it, or another part.
func within(t testing.TB, name, content string) []byte {
	return document(t, map[string]string{"[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document/>", name: content})
}

// lying is a document whose list says that a part is shorter than it is.
func lying(t testing.TB) []byte {
	raw := letter(t, "<w:p><w:t>4111 1111 1111 1111</w:t></w:p>")
	for at := bytes.Index(raw, []byte("PK\x01\x02")); at >= 0; {
		binary.LittleEndian.PutUint32(raw[at+24:], 8)
		next := bytes.Index(raw[at+4:], []byte("PK\x01\x02"))
		if next < 0 {
			break
		}
		at += 4 + next
	}
	return raw
}

const number = "4111 1111 1111 1111"

func TestAFileWithANumberThatCannotBeMaskedIsRefused(t *testing.T) {
	t.Parallel()
	inner := string(letter(t, "<w:p><w:t>"+number+"</w:t></w:p>"))
	for name, c := range map[string]struct {
		content []byte
		code    string
	}{
		"a page that a browser printed":         {printed(t, "card.pdf"), "card"},
		"a page":                                {paper("<< /Subtype /Form >> stream\nBT (" + number + ") Tj ET\nendstream"), "card"},
		"a field":                               {paper("<< /FT /Tx /V (" + number + ") >>"), "card"},
		"a file within a page":                  {paper("<< /Type /EmbeddedFile >> stream\n<card>" + number + "</card>\nendstream"), "card"},
		"a letter within a page":                {paper("<< /Type /EmbeddedFile >> stream\n" + inner + "\nendstream"), "card"},
		"a page that is locked":                 {[]byte("%PDF-1.7\ntrailer << /Encrypt 1 0 R >>"), "locked"},
		"a page that goes too deep":             {paper(strings.Repeat("<< /A ", 100)), "too-much"},
		"pages in pages in pages in pages":      {paper(nest(4)), "too-much"},
		"the address that a letter leads to":    {within(t, "word/_rels/document.xml.rels", `<Relationship Target="https://a.example/4111111111111111"/>`), "card"},
		"a picture's description":               {letter(t, `<w:p><wp:docPr descr="`+number+`"/></w:p>`), "card"},
		"a letter with digits by their numbers": {letter(t, "<w:p><w:t>&#52;111 1111 1111 1111</w:t></w:p>"), "card"},
		"a letter's comment":                    {letter(t, "<!-- "+number+" -->"), "card"},
		"a page of HTML within a letter":        {within(t, "word/afchunk.htm", "<p>"+number+"</p>"), "card"},
		"a letter within a letter":              {within(t, "word/embeddings/a.docx", inner), "card"},
		"a page within a letter":                {within(t, "word/embeddings/a.bin", string(printed(t, "card.pdf"))), "card"},
		"an object in UTF-16":                   {within(t, "word/embeddings/a.bin", "\x01\x02"+strings.Join(strings.Split(number, ""), "\x00")), "card"},
		"a part's name":                         {within(t, "word/4111111111111111.xml", "<a/>"), "card"},
		"a letter in UTF-16":                    {within(t, "word/header1.xml", "\xff\xfe<\x00a\x00/\x00>\x00"), "kind"},
		"a letter that says it is shorter":      {lying(t), "kind"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e *errs.Error
			err := attach.Take(t.Context(), "a", bytes.NewReader(c.content), kept(t))
			if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Code != c.code {
				t.Errorf("got %v", err)
			}
			if _, n := cards.Mask(e.Error()); n > 0 {
				t.Errorf("the refusal says the number: %v", e)
			}
		})
	}
}

// nest is an object with a paper in it, and so on.
func nest(deep int) string {
	if deep == 0 {
		return "null"
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(paper(nest(deep - 1)))
	_ = z.Close()
	return "<< /Type /EmbeddedFile /Filter /FlateDecode >> stream\n" + packed.String() + "\nendstream"
}

func TestAFileWhoseNumbersAreNoCardsStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{
		"an invoice that a browser printed": printed(t, "plain.pdf"),
		"a page that no program can read":   []byte("%PDF-1.7\n1 0 obj << /Type /Page"),
		"a page with a small file":          paper("<< /Type /EmbeddedFile >> stream\na;b\nendstream"),
		"a letter with a sheet":             within(t, "word/embeddings/a.xlsx", string(sheet(t, "", "<c><v>12</v></c>"))),
		"a letter with a picture":           within(t, "word/media/a.png", number),
		"a letter's shape":                  letter(t, `<w:p><v:shape coordsize="21600,21600" path="m 4111 1111 l 1111 1111"/></w:p>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, kept := take(t, "a", content); !bytes.Equal(kept, content) {
				t.Error("it was changed")
			}
		})
	}
}

// Not in parallel: it counts what the process takes.
func TestFilesInFilesShareWhatMayBeUnpacked(t *testing.T) {
	bomb := string(document(t, map[string]string{"a.txt": strings.Repeat(" ", 24<<20)})) // twice it may be
	parts := map[string]string{"[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document/>"}
	for i := range 4 {
		parts["word/embeddings/"+strings.Repeat("a", i+1)+".docx"] = bomb
	}
	if err := attach.Take(t.Context(), "a.docx", bytes.NewReader(document(t, parts)), kept(t)); !errs.Is(err, errs.TooLarge) {
		t.Errorf("got %v", err)
	}
	take(t, "a.txt", bytes.Repeat([]byte("x"), attach.MaxSize)) // and all the memory is free again
}
