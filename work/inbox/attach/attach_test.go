package attach_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"aver/base/errs"
	"aver/work/inbox/attach"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func take(t testing.TB, name string, content []byte) (attach.File, []byte) {
	t.Helper()
	var f attach.File
	var out []byte
	must(t, attach.Take(context.Background(), name, bytes.NewReader(content), func(taken attach.File) (err error) {
		f = taken
		out, err = io.ReadAll(f.Content)
		return err
	}))
	return f, out
}

// half is a picture, red on the left and blue on the right.
func half(width, height int) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{R: 255, A: 255}
			if x >= width/2 {
				c = color.RGBA{B: 255, A: 255}
			}
			p.Set(x, y, c)
		}
	}
	return p
}

func encoded(t testing.TB, kind string, p image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	switch kind {
	case "png":
		must(t, png.Encode(&out, p))
	case "gif":
		must(t, gif.Encode(&out, p, nil))
	default:
		must(t, jpeg.Encode(&out, p, &jpeg.Options{Quality: 95}))
	}
	return out.Bytes()
}

func archive(t testing.TB, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range names {
		w, err := z.Create(name)
		must(t, err)
		_, err = w.Write([]byte("content"))
		must(t, err)
	}
	must(t, z.Close())
	return out.Bytes()
}

func TestBytesDecideWhatAFileIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		called  string
		content []byte
		kind    string
		name    string
	}{
		"a photograph":              {"Photo.JPG", encoded(t, "jpeg", half(40, 20)), "image/jpeg", "Photo.JPG"},
		"a drawing":                 {"a.png", encoded(t, "png", half(40, 20)), "image/png", "a.png"},
		"a moving picture":          {"a.gif", encoded(t, "gif", half(40, 20)), "image/gif", "a.gif"},
		"a picture called a page":   {"index.html", encoded(t, "png", half(4, 4)), "image/png", "index.html.png"},
		"a paper":                   {"invoice.pdf", []byte("%PDF-1.7\n..."), "application/pdf", "invoice.pdf"},
		"a paper called a program":  {"setup.exe", []byte("%PDF-1.7\n..."), "application/pdf", "setup.exe.pdf"},
		"text":                      {"notes.txt", []byte("hello\r\nworld\t1"), "text/plain", "notes.txt"},
		"a table":                   {"list.csv", []byte("a;b\n1;2\n"), "text/csv", "list.csv"},
		"a table from Windows":      {"list.csv", []byte("M\xe4rz;1\n"), "text/csv", "list.csv"},
		"a letter":                  {"letter.docx", archive(t, "[Content_Types].xml", "word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "letter.docx"},
		"a sheet":                   {"sheet.xlsx", archive(t, "[Content_Types].xml", "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "sheet.xlsx"},
		"no name":                   {"", []byte("hello"), "text/plain", "file.txt"},
		"a name with a path":        {`C:\Users\me\..\notes.txt`, []byte("hello"), "text/plain", "notes.txt"},
		"a name that leads upwards": {"../../etc/passwd", []byte("hello"), "text/plain", "passwd.txt"},
		"a name read backwards":     {"photo\u202egpj.exe", []byte("%PDF-1.7"), "application/pdf", "photogpj.exe.pdf"},
		"a name with a card number": {"4111 1111 1111 1111.txt", []byte("hello"), "text/plain", "•••• •••• •••• 1111.txt"},
		"a long name":               {strings.Repeat("ж", 300) + ".txt", []byte("hello"), "text/plain", strings.Repeat("ж", 120) + ".txt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, content := take(t, c.called, c.content)
			if f.Kind != c.kind || f.Name != c.name || !slices.Contains(attach.Kinds, f.Kind) || f.Picture != strings.HasPrefix(c.kind, "image/") {
				t.Errorf("taken as %s %q, picture %v", f.Kind, f.Name, f.Picture)
			}
			if !f.Picture && !bytes.Equal(content, c.content) {
				t.Error("the content has changed")
			}
		})
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	t.Parallel()
	picture := encoded(t, "png", half(40, 20))
	for name, c := range map[string]struct {
		content []byte
		kind    errs.Kind
	}{
		"a page":                     {[]byte("<!DOCTYPE html><script>alert(1)</script>"), errs.Invalid},
		"a page after blanks":        {[]byte(" \n\t<script>alert(1)</script>"), errs.Invalid},
		"a page after a mark":        {[]byte("\xef\xbb\xbf<html>"), errs.Invalid},
		"SVG":                        {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), errs.Invalid},
		"XML":                        {[]byte(`<?xml version="1.0"?><svg/>`), errs.Invalid},
		"an archive":                 {archive(t, "a.txt"), errs.Invalid},
		"a letter with a program":    {archive(t, "[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), errs.Invalid},
		"a letter without its types": {archive(t, "word/document.xml"), errs.Invalid},
		"a broken archive":           {[]byte("PK\x03\x04 and nothing else"), errs.Invalid},
		"a program":                  {[]byte("MZ\x90\x00\x03\x00\x00\x00"), errs.Invalid},
		"a program for Linux":        {[]byte("\x7fELF\x02\x01\x01"), errs.Invalid},
		"bytes after text":           {append(bytes.Repeat([]byte("text "), 200), 0, 1, 2), errs.Invalid},
		"nothing":                    {nil, errs.Invalid},
		"half a picture":             {picture[:len(picture)/2], errs.Invalid},
		"only a picture's beginning": {picture[:40], errs.Invalid},
		"a picture with wrong sums":  {spoiled(picture), errs.Invalid},
		"too many pixels":            {claiming(t, 20_000, 20_000), errs.TooLarge},
		"pixels beyond counting":     {claiming(t, 1<<31-1, 1<<31-1), errs.Invalid},
		"too large":                  {bytes.Repeat([]byte("x"), attach.MaxSize+1), errs.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := attach.Take(t.Context(), "a.png", bytes.NewReader(c.content), kept(t)); !errs.Is(err, c.kind) {
				t.Errorf("got %v", err)
			}
		})
	}
	broken := io.MultiReader(strings.NewReader("half"), brokenReader{})
	if err := attach.Take(t.Context(), "a.txt", broken, kept(t)); !errs.Is(err, errs.Invalid) {
		t.Errorf("broken off: %v", err)
	}
}

// kept complains when something is handed on after all.
func kept(t testing.TB) func(attach.File) error {
	return func(f attach.File) error {
		t.Errorf("taken as %q", f.Kind)
		return nil
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("gone") }

// spoiled changes a byte in the middle of the pixels.
func spoiled(picture []byte) []byte {
	out := bytes.Clone(picture)
	out[len(out)/2] ^= 0xff
	return out
}

// claiming is a small PNG file that says it has this many pixels.
func claiming(t testing.TB, width, height uint32) []byte {
	t.Helper()
	picture := encoded(t, "png", half(4, 4))
	header := picture[8+4 : 8+4+4+13] // the first chunk's name and content
	binary.BigEndian.PutUint32(header[4:], width)
	binary.BigEndian.PutUint32(header[8:], height)
	binary.BigEndian.PutUint32(picture[8+4+4+13:], crc32.ChecksumIEEE(header))
	return picture
}

// unending is somebody who sends and sends, and then neither sends nor leaves until the test is over.
type unending struct {
	left int
	over <-chan struct{}
}

func (u *unending) Read(p []byte) (int, error) {
	if u.left == 0 {
		<-u.over
		return 0, io.ErrClosedPipe
	}
	n := min(len(p), u.left)
	u.left -= n
	for i := range p[:n] {
		p[i] = 'x'
	}
	return n, nil
}

// Not in parallel: it takes the room of the whole process.
func TestFilesThatComeAtOnceShareABoundedMemory(t *testing.T) {
	const senders = 40
	over := make(chan struct{})
	refused := make(chan error, senders)
	for range senders {
		go func() {
			refused <- attach.Take(context.Background(), "a.txt", &unending{left: attach.MaxSize, over: over}, kept(t))
		}()
	}
	for range senders / 2 { // the room is for fewer than half of them
		var e *errs.Error
		err := <-refused
		if !errors.As(err, &e) || e.Kind != errs.Unavailable || e.RetryAfter == 0 {
			t.Errorf("got %v", err)
		}
	}
	close(over)
	for range senders / 2 {
		<-refused
	}
	take(t, "a.txt", bytes.Repeat([]byte("x"), attach.MaxSize)) // who comes back finds room
}

func TestABombIsNotUnpacked(t *testing.T) {
	bomb := claiming(t, 60_000, 60_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := attach.Take(t.Context(), "a.png", bytes.NewReader(bomb), kept(t)); !errs.Is(err, errs.TooLarge) {
		t.Errorf("got %v", err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes were taken for it", grown)
	}
}

// exif puts a camera's notes into a JPEG file: how it was held, and words that must not stay.
func exif(t testing.TB, p image.Image, order binary.ByteOrder, orientation uint16) []byte {
	t.Helper()
	plain := encoded(t, "jpeg", p)
	var tiff bytes.Buffer
	tiff.WriteString(map[bool]string{true: "II", false: "MM"}[order == binary.LittleEndian])
	for _, v := range []any{uint16(42), uint32(8), uint16(1), uint16(0x0112), uint16(3), uint32(1), orientation, uint16(0), uint32(0)} {
		must(t, binary.Write(&tiff, order, v))
	}
	body := append([]byte("Exif\x00\x00"), tiff.Bytes()...)
	body = append(body, []byte("GPS kanarek 52.2297 N")...)
	segment := append([]byte{0xff, 0xe1, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
	return append(append(bytes.Clone(plain[:2]), segment...), plain[2:]...)
}

func TestWhereAPhotographWasTakenStaysBehind(t *testing.T) {
	t.Parallel()
	photo := append(exif(t, half(64, 32), binary.BigEndian, 1), []byte("<script>kanarek()</script>")...)
	_, out := take(t, "a.jpg", photo)
	if bytes.Contains(out, []byte("kanarek")) || bytes.Contains(out, []byte("Exif")) {
		t.Error("the file's notes are still in it")
	}
	drawn := append(encoded(t, "png", half(64, 32)), []byte("kanarek")...)
	if _, out := take(t, "a.png", drawn); bytes.Contains(out, []byte("kanarek")) {
		t.Error("what was behind the picture is still there")
	}
}

func TestAPhotographStandsUpright(t *testing.T) {
	t.Parallel()
	red := func(p image.Image, x, y int) bool { r, _, b, _ := p.At(x, y).RGBA(); return r > b }
	for orientation, c := range map[uint16]struct{ wide, redLeft, redTop bool }{
		1: {true, true, false}, 2: {true, false, false}, 3: {true, false, false}, 4: {true, true, false},
		5: {false, false, true}, 6: {false, false, true}, 7: {false, false, false}, 8: {false, false, false}, 9: {true, true, false},
	} {
		for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
			_, out := take(t, "a.jpg", exif(t, half(64, 32), order, orientation))
			p, err := jpeg.Decode(bytes.NewReader(out))
			must(t, err)
			b := p.Bounds()
			if (b.Dx() == 64) != c.wide {
				t.Errorf("orientation %d: %v", orientation, b)
				continue
			}
			if c.wide && red(p, 4, 16) != c.redLeft || !c.wide && red(p, 16, 4) != c.redTop {
				t.Errorf("orientation %d: the colours are on the wrong sides", orientation)
			}
		}
	}
}

// aWebP is a lossless picture of one pixel.
const aWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func TestAWebPBecomesAPictureThatEverythingShows(t *testing.T) {
	t.Parallel()
	raw, err := base64.StdEncoding.DecodeString(aWebP)
	must(t, err)
	f, out := take(t, "cat.webp", raw)
	if f.Kind != "image/png" && f.Kind != "image/jpeg" || !strings.HasPrefix(f.Name, "cat.webp.") || len(out) == 0 {
		t.Errorf("taken as %s %q", f.Kind, f.Name)
	}
}

func FuzzTake(f *testing.F) {
	f.Add("a.png", encoded(f, "png", half(4, 4)))
	f.Add("a.jpg", exif(f, half(4, 4), binary.LittleEndian, 6))
	f.Add("a.gif", encoded(f, "gif", half(4, 4)))
	raw, err := base64.StdEncoding.DecodeString(aWebP)
	must(f, err)
	f.Add("a.webp", raw)
	f.Add("a.docx", archive(f, "[Content_Types].xml", "word/document.xml"))
	f.Add("b.docx", letter(f, "<w:p><w:t>4111 1111</w:t><w:t> 1111 1111</w:t></w:p>"))
	f.Add("a.pdf", printed(f, "card.pdf"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		content = content[:min(len(content), 1<<16)] // large files are slow and tell no more
		var file attach.File
		err := attach.Take(t.Context(), name, bytes.NewReader(content), func(taken attach.File) error {
			file = taken
			return nil
		})
		if err != nil {
			if errs.Of(err) == errs.Internal {
				t.Fatalf("an error without words: %v", err)
			}
			return
		}
		if !slices.Contains(attach.Kinds, file.Kind) || strings.ContainsAny(file.Name, "/\\\x00\n<>\"") || file.Name == "" {
			t.Fatalf("taken as %q, %q", file.Kind, file.Name)
		}
	})
}
