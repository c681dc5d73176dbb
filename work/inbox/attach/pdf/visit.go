package pdf

import "errors"

// visit hands out what an object says. An old one was replaced by another of its number, and lies in the file all the same.
func (f *file) visit(o object, old bool) error {
	v, over := o.parse()
	if over {
		return ErrTooMuch
	}
	if err := f.strings(v); err != nil {
		return err
	}
	d, _ := v.(dict)
	if d == nil {
		return nil
	}
	if err := f.within(d, o.stream, old); err != nil {
		return err
	}
	if f.parsed > mostParsed {
		return ErrTooMuch
	}
	return nil
}

func (f *file) within(d dict, raw []byte, old bool) error {
	switch {
	case raw == nil:
		return errors.Join(f.fields(d), f.page(d))
	case d["Subtype"] == name("Form") || d["PatternType"] != nil || old && d["Type"] == nil && d["Subtype"] == nil:
		return f.form(d, raw)
	case d["Type"] == name("Metadata"):
		return f.unpacked(d, raw, f.look.Text)
	case d["Type"] == name("EmbeddedFile"):
		return f.unpacked(d, raw, f.look.File)
	}
	return nil
}

func (f *file) unpacked(d dict, raw []byte, look func([]byte) error) error {
	content, err := f.decode(d, raw)
	if err != nil {
		return err
	}
	defer f.release(content, true)
	return look(content)
}

// fields reads a form's data in XML, which lies in streams that are named in turn with their keys (ISO 32000-1, 12.7.8).
func (f *file) fields(d dict) error { return f.each(d["XFA"], f.look.Text) }

// page reads a page's streams one after the other: they are one (7.8.2).
func (f *file) page(d dict) error {
	if _, note := d["Contents"].([]byte); note || d["Contents"] == nil {
		return nil
	}
	w := f.writing(f.inherited(d))
	if err := f.each(d["Contents"], w.read); err != nil {
		return err
	}
	return f.look.Text(w.out)
}

// each unpacks the stream that a reference leads to, or those of a list.
func (f *file) each(v any, look func([]byte) error) error {
	streams := []any{v}
	if list, ok := f.resolve(v).([]any); ok {
		streams = list
	}
	for _, s := range streams {
		content, err := f.content(s)
		if err == nil && content != nil {
			err = look(content)
			f.release(content, true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// form reads what is drawn on pages, fields' looks among it.
func (f *file) form(d dict, raw []byte) error {
	w := f.writing(d["Resources"])
	if err := f.unpacked(d, raw, w.read); err != nil {
		return err
	}
	return f.look.Text(w.out)
}

func (f *file) writing(resources any) *writing {
	own, _ := f.resolve(resources).(dict)
	fonts, _ := f.resolve(own["Font"]).(dict)
	return &writing{f: f, fonts: fonts, chosen: map[name]*font{}, state: state{page: same, font: plain}, text: same, line: same}
}

// inherited is a page's own resources, or those of the first above it that has some (7.7.3.4).
func (f *file) inherited(d dict) any {
	var asked []ref
	var found any
	for range longestPath {
		if found = d["Resources"]; found != nil {
			break
		}
		above, is := d["Parent"].(ref)
		if !is {
			break
		}
		if known, ok := f.drawn[above]; ok {
			found = known
			break
		}
		asked = append(asked, above)
		d, _ = f.resolve(above).(dict)
	}
	for _, id := range asked {
		f.drawn[id] = found
	}
	return found
}

// strings hands out the texts of an object: titles, fields, notes.
func (f *file) strings(v any) error {
	switch v := v.(type) {
	case []byte:
		if len(v) >= 13 {
			f.words = append(append(f.words, said(v)...), "|\n"...)
		}
	case []any:
		for _, inner := range v {
			if err := f.strings(inner); err != nil {
				return err
			}
		}
	case dict:
		for _, inner := range v {
			if err := f.strings(inner); err != nil {
				return err
			}
		}
	}
	if len(f.words) > together {
		return f.flush()
	}
	return nil
}

func (f *file) flush() error {
	err := f.look.Text(f.words)
	f.words = f.words[:0]
	return err
}
