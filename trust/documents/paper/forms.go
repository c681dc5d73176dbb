package paper

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"

	"aver/trust/rights/archive"
)

// Form is a way to hand a paper out.
type Form string

// The forms. DPV is the Data Privacy Vocabulary as JSON-LD, which only the record of processing has.
const (
	HTML Form = "html"
	CSV  Form = "csv"
	JSON Form = "json"
	DPV  Form = "jsonld"
)

// Type is the form's media type.
func (f Form) Type() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8"
	case JSON:
		return "application/json"
	case DPV:
		return "application/ld+json"
	}
	return "text/html; charset=utf-8"
}

// As writes the paper in a form other than DPV, which needs the facts themselves.
func (p Paper) As(ctx context.Context, form Form) ([]byte, error) {
	var out bytes.Buffer
	var err error
	switch form {
	case HTML:
		err = document(p).Render(ctx, &out)
	case CSV:
		err = p.csv(&out)
	case JSON:
		encoder := json.NewEncoder(&out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(p)
	default:
		return nil, fmt.Errorf("write a paper: there is no form %q", form)
	}
	if err != nil {
		return nil, fmt.Errorf("write a paper as %s: %w", form, err)
	}
	return out.Bytes(), nil
}

// csv writes a row for each line. No cell is a formula.
func (p Paper) csv(out *bytes.Buffer) error {
	w := csv.NewWriter(out)
	write := func(cells ...string) error {
		for n := range cells {
			cells[n] = archive.Neutral(cells[n])
		}
		return w.Write(cells)
	}
	if err := write("section", "law", "item", "says", "state", "missing", "source", "reference"); err != nil {
		return err
	}
	for _, pair := range p.stamp() {
		if err := write("document", "", pair[0], pair[1], "", "", string(Program), Version); err != nil {
			return err
		}
	}
	for _, s := range p.Sections {
		if len(s.Lines) == 0 {
			if err := write(s.Title, s.Law, "", s.None, "", "", string(Program), p.Kind); err != nil {
				return err
			}
		}
		for _, l := range s.Lines {
			if err := write(s.Title, s.Law, l.Name, l.says(), l.State, missing(l.Gap), string(l.Source.Origin), l.Source.Ref); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}

// stamp is what a paper says about itself.
func (p Paper) stamp() [][2]string {
	return [][2]string{{"title", p.Title}, {"workspace", p.Workspace}, {"generated", p.At.Format("2006-01-02 15:04:05 UTC")},
		{"content_sha256", p.Hash}, {"program", p.Program}, {"format", p.Format}}
}

func (l Line) says() string {
	all := l.Items
	if l.Text != "" {
		all = append([]string{l.Text}, all...)
	}
	return strings.Join(all, "; ")
}

func missing(yes bool) string {
	if yes {
		return "missing"
	}
	return ""
}
