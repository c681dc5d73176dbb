package page

import (
	"context"
	"encoding/xml"
	"fmt"
	"html"
	"io"

	"github.com/a-h/templ"
)

// shapes are the drawings of the sprite, by name.
var shapes = symbols(read("assets/icons.svg"))

// symbols reads the sprite that tools/icons wrote.
func symbols(sprite []byte) map[string]string {
	var doc struct {
		Symbols []struct {
			ID    string `xml:"id,attr"`
			Shape string `xml:",innerxml"`
		} `xml:"symbol"`
	}
	if err := xml.Unmarshal(sprite, &doc); err != nil {
		panic(fmt.Sprintf("page: the sprite of icons cannot be read: %v", err))
	}
	out := make(map[string]string, len(doc.Symbols))
	for _, s := range doc.Symbols {
		out[s.ID] = s.Shape
	}
	return out
}

// Icon draws an icon of assets/icons.txt, 16 px wide. The label is what a screen reader says; leave it empty only
// beside a word that says the same. The shape is put into the page rather than referred to: browsers disagree about
// which rule of the policy a reference to another file falls under.
func Icon(name, label string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		shape, ok := shapes[name]
		if !ok {
			return fmt.Errorf("page: there is no icon %q; add it to assets/icons.txt", name)
		}
		role := `aria-hidden="true"`
		title := ""
		if label != "" {
			role = `role="img"`
			title = "<title>" + html.EscapeString(label) + "</title>"
		}
		_, err := fmt.Fprintf(w, `<svg class="icon" viewBox="0 0 24 24" width="16" height="16" %s>%s%s</svg>`, role, title, shape)
		return err
	})
}
