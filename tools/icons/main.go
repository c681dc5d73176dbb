// Command icons gathers the icons a program uses into one sprite.
//
// It reads names from a list, takes each from the folder of single SVG files that the npm package lucide-static
// brings (see VENDOR.md beside the sprite), and writes one <symbol> a line, sorted, so that a change shows in a diff.
//
//	go -C tools run ./icons -from <folder>/lucide-static/icons -list ../frame/page/assets/icons.txt -to ../frame/page/assets/icons.svg
package main

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	from := flag.String("from", "", "folder with one SVG file per icon")
	list := flag.String("list", "", "file with one icon name per line")
	to := flag.String("to", "", "sprite to write")
	flag.Parse()
	if err := gather(*from, *list, *to); err != nil {
		log.Fatal(err)
	}
}

func gather(from, list, to string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return fmt.Errorf("reading the list of icons: %w", err)
	}
	names := strings.Fields(string(text))
	slices.Sort(names)
	var out strings.Builder
	out.WriteString("<svg xmlns=\"http://www.w3.org/2000/svg\">\n<!-- Lucide, ISC licence; see VENDOR.md -->\n")
	for _, name := range slices.Compact(names) {
		shape, err := shapes(filepath.Join(from, name+".svg"))
		if err != nil {
			return fmt.Errorf("reading icon %s: %w", name, err)
		}
		fmt.Fprintf(&out, "<symbol id=%q viewBox=\"0 0 24 24\">%s</symbol>\n", name, shape)
	}
	out.WriteString("</svg>\n")
	return os.WriteFile(to, []byte(out.String()), 0o644)
}

// shapes returns what is drawn inside the outer element, without spaces.
func shapes(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var out strings.Builder
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return "", err
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local == "svg" {
			continue
		}
		fmt.Fprintf(&out, "<%s", start.Name.Local)
		for _, a := range start.Attr {
			fmt.Fprintf(&out, " %s=%q", a.Name.Local, a.Value)
		}
		out.WriteString("/>")
	}
}
