// Package pdf reads the words of a PDF file, so that what must not be stored is seen before it is.
//
// It is no viewer. It goes through all objects that lie in a file, in use or not, and hands out what they say: the words
// of pages and forms, with a guess at what stands together, fields, notes, titles, and the files within. ISO 32000-1 is
// the format. What cannot be copied out of a PDF as text, such as a page that was scanned, is not seen, and neither is what
// a font writes that does not say what its signs stand for.
package pdf

import (
	"bytes"
	"context"
	"errors"
)

// Look is what Read calls with what it finds. Whatever its functions return ends the reading.
type Look struct {
	Text func(words []byte) error // words that stand together, in UTF-8; only valid during the call
	File func(raw []byte) error   // a file that lies in this one; only valid during the call
	Room func(bytes int64) error  // memory that is needed, or given back when it is negative
	Left *int                     // bytes that may be unpacked in all; counted down
}

// The reasons for which a file is not read to its end.
var (
	ErrLocked  = errors.New("the file is encrypted")
	ErrTooMuch = errors.New("the file unpacks to too much, or is nested too deep")
)

const (
	mostObjects = 1 << 19
	perObject   = 96      // bytes that the index takes
	mostParsed  = 1 << 28 // bytes of objects that others lead to
	mostOpen    = 16      // strings that nothing closes
	longestPath = 32      // from a reference to an object, and from a page to what it inherits
	together    = 64 << 10
)

// object is one of the file's objects. Both parts are slices of the file, or of what was unpacked.
type object struct {
	id           int
	body, stream []byte
}

type file struct {
	ctx     context.Context
	look    Look
	objects []object
	newest  map[int]int // where the last object of a number is
	fonts   map[ref]*font
	drawn   map[ref]any // what pages inherit
	parsed  int
	mapped  int
	open    int
	words   []byte // strings that wait to be handed out
}

// Read goes through a file.
func Read(ctx context.Context, raw []byte, look Look) error {
	f := &file{ctx: ctx, look: look, newest: map[int]int{}, fonts: map[ref]*font{}, drawn: map[ref]any{}}
	if err := f.scan(raw); err != nil {
		return err
	}
	for _, o := range f.objects { // the slice grows behind the loop: packed objects hold no packed objects
		if err := f.unpack(o); err != nil {
			return err
		}
	}
	for i, o := range f.objects {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.visit(o, f.newest[o.id] != i); err != nil {
			return err
		}
	}
	return f.flush()
}

// scan finds the objects wherever they lie. Tables of places are not asked: they are wrong in many files.
func (f *file) scan(raw []byte) error {
	gap, after, bound := 0, 0, 0 // ends of the last object, of what was looked at, and of what no header is in
	for {
		i := bytes.Index(raw[after:], []byte("obj"))
		if i < 0 {
			return f.between(raw[gap:])
		}
		at := after + i
		id, begin := header(raw, bound, at)
		if after = at + 3; begin < 0 {
			continue
		}
		if err := f.between(raw[min(gap, begin):begin]); err != nil {
			return err
		}
		l := &lexer{src: raw, at: at + 3}
		v := l.next(mostNested)
		if l.over {
			return ErrTooMuch
		}
		o := object{id: id, body: raw[at+3 : l.at]}
		gap, bound = l.at, at+3
		if l.open { // its end cannot be told: look for what stands in it
			gap = bound
			if f.open++; f.open > mostOpen {
				return ErrTooMuch
			}
		} else if _, is := v.(dict); is {
			if o.stream, gap = stream(raw, l); o.stream != nil {
				bound = gap
			}
		}
		after = gap
		if err := f.add(o); err != nil {
			return err
		}
	}
}

// header reads "12 0 obj" backwards and tells where it begins, or -1.
func header(raw []byte, from, at int) (id, begin int) {
	back := func(is func(byte) bool) int {
		end := at
		for at > from && is(raw[at-1]) {
			at--
		}
		return end - at
	}
	figure := func(c byte) bool { return c >= '0' && c <= '9' }
	back(blank)
	if back(figure) == 0 || back(blank) == 0 {
		return 0, -1
	}
	end := at
	if n := back(figure); n == 0 || n > 10 {
		return 0, -1
	}
	for _, c := range raw[at:end] {
		id = id*10 + int(c-'0')
	}
	return id, at
}

// stream is what follows a dictionary up to "endstream", whatever length it says it has, and where it ends.
func stream(raw []byte, l *lexer) ([]byte, int) {
	end := l.at
	l.blanks()
	if !bytes.HasPrefix(raw[l.at:], []byte("stream")) {
		return nil, end
	}
	content := raw[l.at+len("stream"):]
	content = bytes.TrimPrefix(bytes.TrimPrefix(content, []byte("\r")), []byte("\n"))
	if i := bytes.Index(content, []byte("endstream")); i >= 0 {
		return content[:i], len(raw) - len(content) + i + len("endstream")
	}
	return content, len(raw)
}

// between looks at what lies between objects: nothing that anybody sees, but it would be stored.
func (f *file) between(gap []byte) error {
	for at := 0; ; { // several, where nothing but them was added
		i := bytes.Index(gap[at:], []byte("trailer"))
		if i < 0 {
			break
		}
		l := &lexer{src: gap, at: at + i + len("trailer")}
		if d, _ := l.next(mostNested).(dict); d["Encrypt"] != nil {
			return ErrLocked
		}
		at = l.at
	}
	if len(gap) < 13 {
		return nil
	}
	return f.look.Text(gap)
}

func (f *file) add(o object) error {
	if len(f.objects) >= mostObjects {
		return ErrTooMuch
	}
	if err := f.look.Room(perObject); err != nil {
		return err
	}
	f.newest[o.id] = len(f.objects)
	f.objects = append(f.objects, o)
	return nil
}

func (o object) parse() (any, bool) {
	l := &lexer{src: o.body}
	return l.next(mostNested), l.over
}

// unpack adds the objects that lie packed in a stream (7.5.7).
func (f *file) unpack(o object) error {
	v, _ := o.parse()
	d, _ := v.(dict)
	switch {
	case d["Type"] == name("XRef") && d["Encrypt"] != nil:
		return ErrLocked
	case d["Type"] != name("ObjStm"):
		return nil
	}
	content, err := f.decode(d, o.stream) // stays, as its objects do
	if err != nil {
		return err
	}
	first, _ := f.resolve(d["First"]).(float64)
	l := &lexer{src: content[:max(0, min(int(first), len(content)))]}
	for {
		id, ok := l.next(mostNested).(float64)
		place, is := l.next(mostNested).(float64)
		from := int(first) + int(place)
		if !ok || !is || from < 0 || from > len(content) {
			return nil
		}
		inner := &lexer{src: content, at: from}
		if inner.next(mostNested); inner.over {
			return ErrTooMuch
		}
		if f.parsed += inner.at - from; f.parsed > mostParsed {
			return ErrTooMuch
		}
		if err := f.add(object{id: int(id), body: content[from:inner.at]}); err != nil {
			return err
		}
	}
}

// find is the newest object of a number.
func (f *file) find(id ref) (object, any) {
	i, ok := f.newest[int(id)]
	if !ok || f.parsed > mostParsed {
		return object{}, nil
	}
	f.parsed += len(f.objects[i].body)
	v, _ := f.objects[i].parse()
	return f.objects[i], v
}

// resolve follows a reference. Past what may be parsed in all there is nothing; visit says so.
func (f *file) resolve(v any) any {
	for range longestPath {
		id, is := v.(ref)
		if !is {
			return v
		}
		_, v = f.find(id)
	}
	return nil
}

// listed is a list, or the one that stands in its place.
func (f *file) listed(v any) []any {
	switch v := f.resolve(v).(type) {
	case nil:
		return nil
	case []any:
		for i := range v {
			if _, is := v[i].(ref); is && i < mostFilters {
				v[i] = f.resolve(v[i])
			}
		}
		return v
	default:
		return []any{v}
	}
}

// content unpacks the stream that a reference leads to. The memory is the caller's to release.
func (f *file) content(v any) ([]byte, error) {
	id, is := v.(ref)
	if !is {
		return nil, nil
	}
	o, value := f.find(id)
	d, _ := value.(dict)
	if d == nil || o.stream == nil {
		return nil, nil
	}
	return f.decode(d, o.stream)
}
