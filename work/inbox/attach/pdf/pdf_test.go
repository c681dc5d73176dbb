package pdf_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/ascii85"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aver/work/inbox/attach/pdf"
)

// paper is a file of the objects, which are numbered from 1.
func paper(objects ...string) []byte {
	var out strings.Builder
	out.WriteString("%PDF-1.7\n")
	for i, o := range objects {
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	out.WriteString("trailer << /Size 9 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n")
	return []byte(out.String())
}

// stream is an object with content; dict is what stands in its dictionary besides.
func stream(dict, content string) string {
	return fmt.Sprintf("<< %s /Length %d >> stream\n%s\nendstream", dict, len(content), content)
}

func deflated(text string) string {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return out.String()
}

// page is a file of one page that shows the content, with the font F1.
func page(font, dict, content string, more ...string) []byte {
	return paper(append([]string{"<< /Type /Page /Parent 4 0 R /Contents 2 0 R >>", stream(dict, content), font, "<< /Type /Pages /Resources << /Font << /F1 3 0 R >> >> /Kids [1 0 R] >>"}, more...)...)
}

const helvetica = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"

// ledger counts the memory that a reader asks for.
type ledger struct{ held, most int64 }

func (l *ledger) room(n int64) error {
	if l.held += n; l.held < 0 {
		return errors.New("more was given back than was taken")
	}
	l.most = max(l.most, l.held)
	return nil
}

// read reads everything that a file says.
func read(t testing.TB, raw []byte, left int) (string, ledger, error) {
	t.Helper()
	var words bytes.Buffer
	var l ledger
	take := func(kind string) func([]byte) error {
		return func(b []byte) error { words.WriteString(kind + string(b)); return nil }
	}
	err := pdf.Read(context.Background(), raw, pdf.Look{Text: take(""), File: take("file: "), Room: l.room, Left: &left})
	return words.String(), l, err
}

// runLengths packs a text as run lengths: what repeats, and what does not.
func runLengths(text string) string { return string([]byte{byte(len(text) - 1)}) + text + "\xfb \x80" }

func asASCII85(text string) string {
	out := make([]byte, ascii85.MaxEncodedLen(len(text)))
	return string(out[:ascii85.Encode(out, []byte(text))]) + "~>"
}

// predicted is a text in lines of eight bytes, of which each is stored as its difference to the one above.
func predicted(text string) string {
	for len(text)%8 != 0 {
		text += " "
	}
	out, above := "", make([]byte, 8)
	for ; text != ""; text = text[8:] {
		out += "\x02"
		for i := range 8 {
			out += string([]byte{text[i] - above[i]})
		}
		above = []byte(text[:8])
	}
	return deflated(out)
}

func TestWhatAPageSaysIsRead(t *testing.T) {
	t.Parallel()
	const said = "BT /F1 12 Tf (Pay with 4242 4242 4242 4242 now) Tj ET"
	identity := func(cmap string) []byte {
		return page("<< /Subtype /Type0 /Encoding /Identity-H /ToUnicode 5 0 R >>", "", "BT /F1 12 Tf <00070005000700050007000500070005> Tj ET", stream("/Filter /FlateDecode", deflated(cmap)))
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"plain":                     {page(helvetica, "", said), "Pay with 4242 4242 4242 4242 now"},
		"deflated":                  {page(helvetica, "/Filter /FlateDecode", deflated(said)), "4242 4242 4242 4242"},
		"deflated, cut off":         {page(helvetica, "/Filter /FlateDecode", deflated(said)[:len(deflated(said))-4]), "4242 4242 4242 4242"},
		"deflated and predicted":    {page(helvetica, "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 8 >>", predicted(said)), "4242 4242 4242 4242"},
		"in hexadecimal":            {page(helvetica, "/Filter /ASCIIHexDecode", hex.EncodeToString([]byte(said))+">"), "4242 4242 4242 4242"},
		"in ASCII 85, deflated":     {page(helvetica, "/Filter [/ASCII85Decode /FlateDecode]", asASCII85(deflated(said))), "4242 4242 4242 4242"},
		"in run lengths":            {page(helvetica, "/Filter /RunLengthDecode", runLengths(said)), "4242 4242 4242 4242"},
		"with another name":         {page(helvetica, "/Filter /Fl#61teDecode", deflated(said)), "4242 4242 4242 4242"},
		"a filter elsewhere":        {page(helvetica, "/Filter 5 0 R", deflated(said), "/FlateDecode"), "4242 4242 4242 4242"},
		"escaped":                   {page(helvetica, "", `BT /F1 12 Tf (\064\0622\4642 4242 (4242)\`+"\n"+` 4242) Tj ET`), "42242 4242 (4242) 4242"},
		"sign by sign":              {page(helvetica, "", "BT /F1 12 Tf [(42) -20 (42) -300 (4242)] TJ ET"), "4242 4242"},
		"word by word":              {page(helvetica, "", "BT /F1 12 Tf 1 0 0 1 72 700 Tm (4242) Tj 1 0 0 1 103 700 Tm (4242) Tj ET"), "4242 4242"},
		"word by word, elsewhere":   {page(helvetica, "", "q 1 0 0 1 72 700 cm BT /F1 12 Tf (4242) Tj ET Q q 1 0 0 1 103 700 cm BT /F1 12 Tf (4242) Tj ET Q"), "4242 4242"},
		"turned":                    {page(helvetica, "", "BT /F1 1 Tf 0 12 -12 0 72 100 Tm (4242) Tj 0 12 -12 0 72 131 Tm (4242) Tj ET"), "4242 4242"},
		"two lines":                 {page(helvetica, "", "BT /F1 12 Tf 14 TL (4242 4242) Tj T* (4242 4242) Tj ET"), "4242 4242\n4242 4242"},
		"after a picture":           {page(helvetica, "", "BI /W 1 /H 1 ID \x00(EI\xff EI BT /F1 12 Tf (4242 4242) Tj ET"), "4242 4242"},
		"codes of its own":          {identity("1 beginbfchar <0007> <0034> endbfchar 1 beginbfrange <0004> <0006> <0031> endbfrange"), "42424242"},
		"codes of its own, listed":  {identity("1 beginbfrange <0005> <0007> [<0032> <0033> <0034>] endbfrange"), "42424242"},
		"a sign's name":             {page("<< /Subtype /Type1 /Encoding << /Differences [1 /four /two.tnum /uni0034] >> >>", "", "BT /F1 12 Tf <01020302> Tj ET"), "4242"},
		"Unicode codes":             {page("<< /Subtype /Type0 /Encoding /UniGB-UCS2-H >>", "", "BT /F1 12 Tf <0034003200340032> Tj ET"), "4242"},
		"a picture's words":         {page(helvetica, "", "/Span << /ActualText (my number 4242 4242) >> BDC EMC"), "number 4242 4242"},
		"two streams":               {paper("<< /Type /Page /Contents [2 0 R 3 0 R] >>", stream("", "BT /F1 12 Tf (4242) Tj"), stream("", "31 0 Td (4242) Tj ET")), "4242 4242"},
		"a form":                    {paper(stream("/Subtype /Form", said)), "4242 4242 4242 4242"},
		"a field":                   {paper("<< /FT /Tx /T (card) /V (4242 4242 4242 4242) >>"), "4242 4242 4242 4242"},
		"a field in UTF-16":         {paper("<< /V <FEFF0034003200340032003400320034003200340032> >>"), "4242424242"},
		"a note":                    {paper("<< /Subtype /Text /Contents (It is 4242 4242 4242 4242) >>"), "It is 4242 4242 4242 4242"},
		"a form's data":             {paper("<< /XFA [(datasets) 2 0 R] >>", stream("", "<card>4242</card>")), "<card>4242</card>"},
		"what is said of the file":  {paper(stream("/Type /Metadata /Subtype /XML", "<dc:title>4242</dc:title>")), "<dc:title>4242</dc:title>"},
		"a file within":             {paper(stream("/Type /EmbeddedFile /Filter /FlateDecode", deflated("a;4242"))), "file: a;4242"},
		"packed objects":            {paper(stream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", deflated("9 0 << /V (4242 4242 4242 4242) >>"))), "4242 4242 4242 4242"},
		"what was replaced":         {append(page(helvetica, "", said), "2 0 obj << >> stream\n(gone) Tj\nendstream endobj"...), "4242 4242 4242 4242"},
		"behind a false length":     {paper("<< /Length 9999 >> stream\nx\nendstream", "<< /V (4242 4242 4242 4242) >>"), "4242 4242 4242 4242"},
		"behind what has no end":    {paper("<< /A [ (x) ", "<< /B <41", "<< /C (", "<< /V (4242 4242 4242 4242) >>"), "|\n4242 4242 4242 4242|"},
		"outside of all objects":    {append(paper(), "4242 4242 4242 4242"...), "4242 4242 4242 4242"},
		"no objects":                {[]byte("%PDF-1.7\n4242 4242 4242 4242"), "4242 4242 4242 4242"},
		"a page above its own page": {paper("<< /Type /Page /Parent 1 0 R /Contents 2 0 R >>", stream("", said)), "4242 4242 4242 4242"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words, _, err := read(t, c.raw, 1<<20)
			if err != nil || !strings.Contains(words, c.want) {
				t.Errorf("read %q, %v", words, err)
			}
		})
	}
}

func TestWhatStandsApartIsNotReadTogether(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"columns":    "1 0 0 1 72 700 Tm (4242) Tj 1 0 0 1 172 700 Tm (4242) Tj",
		"paragraphs": "1 0 0 1 72 700 Tm (4242) Tj 1 0 0 1 72 660 Tm (4242) Tj",
		"a picture":  "(4242) Tj ET BI /W 1 ID (4242) EI BT /F1 12 Tf 400 0 Td (4242) Tj",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words, _, err := read(t, page(helvetica, "", "BT /F1 12 Tf "+content+" ET"), 1<<20)
			if err != nil || !strings.Contains(words, "4242|\n4242") {
				t.Errorf("read %q, %v", words, err)
			}
		})
	}
}

// nested opens so many dictionaries.
func nested(n int) string { return strings.Repeat("<< /A ", n) }

func TestFilesThatAreTooMuchAreNotReadToTheirEnd(t *testing.T) {
	t.Parallel()
	bomb := deflated(deflated(strings.Repeat(" ", 8<<20)))
	many := strings.Repeat("<< /Type /Page /Contents 2 0 R >> endobj 9 0 obj ", 200)
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"a bomb":                         {page(helvetica, "/Filter [/FlateDecode /FlateDecode]", bomb), pdf.ErrTooMuch},
		"a bomb of objects":              {paper(stream("/Type /ObjStm /First 4 /Filter [/FlateDecode /FlateDecode]", bomb)), pdf.ErrTooMuch},
		"many filters":                   {page(helvetica, "/Filter [/FlateDecode /FlateDecode /FlateDecode /FlateDecode /FlateDecode /FlateDecode /FlateDecode /FlateDecode /FlateDecode]", bomb), pdf.ErrTooMuch},
		"a stream on many pages":         {paper(many+"(x)", stream("", strings.Repeat("q ", 4<<10))), pdf.ErrTooMuch},
		"nothing, often":                 {paper("<< /Type /Page /Contents ["+strings.Repeat("2 0 R ", 2000)+"] >>", stream("", "")), pdf.ErrTooMuch},
		"a font that is chosen often":    {paper("<< /Type /Page /Contents 2 0 R /Resources << /Font << /F1 << /Encoding << /Differences ["+strings.Repeat("1 ", 200_000)+"] >> >> >> >> >>", stream("", strings.Repeat("/F1 1 Tf ", 50_000))), nil},
		"deep":                           {paper(nested(100)), pdf.ErrTooMuch},
		"deep in a page":                 {page(helvetica, "", nested(100)), pdf.ErrTooMuch},
		"deep in a pack":                 {paper(stream("/Type /ObjStm /First 4", "9 0 "+nested(100))), pdf.ErrTooMuch},
		"long lists":                     {paper("[" + strings.Repeat("0 ", 300<<10) + "]"), pdf.ErrTooMuch},
		"strings that nothing closes":    {bytes.Repeat([]byte("1 0 obj ( "), 100), pdf.ErrTooMuch},
		"a font of too many codes":       {page("<< /Subtype /Type0 /ToUnicode 5 0 R >>", "", "/F1 9 Tf", stream("", strings.Repeat("<0000> <FFFF> <0000> ", 40)+"endbfrange")), pdf.ErrTooMuch},
		"one that is locked":             {[]byte("%PDF-1.7\n1 0 obj << >> endobj trailer << /Encrypt 2 0 R >>"), pdf.ErrLocked},
		"one that is locked at its end":  {[]byte("%PDF-1.7\ntrailer << /Size 9 >> trailer << /Encrypt 2 0 R >>"), pdf.ErrLocked},
		"one that is locked, packed":     {paper(stream("/Type /XRef /Encrypt 2 0 R", "")), pdf.ErrLocked},
		"one that is locked under #s":    {[]byte("%PDF-1.7\ntrailer << /Encr#79pt << /V 1 >> >>"), pdf.ErrLocked},
		"a backslash at the end":         {slices.Clip([]byte("%PDF-1.7\n1 0 obj (\\")), nil},
		"a backslash in a trailer":       {slices.Clip([]byte("%PDF-1.7\ntrailer (\\")), nil},
		"a reference that leads in ring": {paper("2 0 R", "1 0 R", "<< /Type /Page /Contents 1 0 R /Parent 1 0 R >>"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, l, err := read(t, c.raw, 1<<20)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
			if l.most > 32<<20 {
				t.Errorf("%d bytes were taken for it", l.most)
			}
		})
	}
}

func TestReadingEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	enough, left := errors.New("enough"), 1<<20
	var l ledger
	err := pdf.Read(t.Context(), page(helvetica, "", "BT (4242 4242 4242 4242) Tj ET"), pdf.Look{Text: func([]byte) error { return enough }, Room: l.room, Left: &left})
	if !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if err := pdf.Read(gone, paper("1"), pdf.Look{Text: func([]byte) error { return nil }, Room: l.room, Left: &left}); !errors.Is(err, context.Canceled) {
		t.Errorf("after its caller left: %v", err)
	}
}

func TestReadingTakesATimeThatGrowsWithTheFile(t *testing.T) {
	t.Parallel()
	for name, piece := range map[string]string{
		"objects":         "1 0 obj << /A 1 /B (text) >> endobj\n",
		"streams":         "1 0 obj << >> stream\nx\nendstream endobj\n",
		"no ends":         "1 0 obj << /A [ 2 0 obj << ",
		"streams, no end": "1 0 obj << >> stream\n",
		"words":           "obj endobj stream endstream ",
		"digits":          "1 1 1 1 1 1 1 1 1 1 1 1 1 obj ",
	} {
		took := func(size, times int) time.Duration {
			raw := []byte("%PDF-1.7\n" + strings.Repeat(piece, size/len(piece)))
			begun := time.Now()
			for range times {
				if _, _, err := read(t, raw, 1<<30); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			return time.Since(begun)
		}
		small, large := time.Hour, time.Hour
		for range 3 { // a busy machine makes some slow, not all, and what is short less than what is long
			small, large = min(small, took(16<<10, 32)), min(large, took(512<<10, 1))
		}
		if large > 10*small+time.Second { // squared it would be 32 times as long
			t.Errorf("%s: 32 times 16 KiB took %s and 512 KiB %s", name, small, large)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(page(helvetica, "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 8 >>", predicted("BT /F1 12 Tf (x) Tj ET")))
	f.Add(page("<< /Subtype /Type0 /ToUnicode 5 0 R >>", "", "BT /F1 9 Tf [<0041> 3 (a)] TJ T* ET", stream("", "<00> <FF> [<0041>] endbfrange")))
	f.Add(paper(stream("/Type /ObjStm /First 4", "9 0 << /V (x) >>"), "<< /XFA 1 0 R >>"))
	f.Add(page(helvetica, "/Filter [/RunLengthDecode /ASCIIHexDecode /LZWDecode]", "\x03abcd"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, l, err := read(t, raw[:min(len(raw), 1<<16)], 1<<20)
		if err != nil && !errors.Is(err, pdf.ErrTooMuch) && !errors.Is(err, pdf.ErrLocked) {
			t.Fatal(err)
		}
		if l.most > 64<<20 {
			t.Fatalf("%d bytes were taken", l.most)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	raw := page(helvetica, "", strings.Repeat("BT /F1 12 Tf 1 0 0 1 72 700 Tm (Some words) Tj 0 -14 Td [(and) -250 (others)] TJ ET\n", 12_000))
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, _, err := read(b, raw, 64<<20); err != nil {
			b.Fatal(err)
		}
	}
}
