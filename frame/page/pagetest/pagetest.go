// Package pagetest checks that a page keeps the rules that every page keeps. It is for tests.
package pagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Check reports every way in which a page or a part breaks the rules: markup that a browser would have to repair,
// ids that are not unique, inputs without a label, buttons and links without a name, pictures without words, and
// anything inline that the content security policy would stop.
func Check(t testing.TB, page string) {
	t.Helper()
	for _, fault := range Faults(page) {
		t.Error(fault)
	}
}

// Faults lists what Check would report.
func Faults(page string) []string {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return []string{fmt.Sprintf("the page is not HTML: %v", err)}
	}
	c := &checker{ids: map[string]int{}, labels: map[string]bool{}}
	c.each(root, c.collect)
	c.each(root, c.element)
	c.nesting(page, root)
	return c.faults
}

type checker struct {
	faults []string
	ids    map[string]int
	labels map[string]bool // ids that a label is for
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *checker) each(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for child := range n.ChildNodes() {
		c.each(child, visit)
	}
}

func (c *checker) collect(n *html.Node) {
	if id := attr(n, "id"); id != "" {
		if c.ids[id]++; c.ids[id] == 2 {
			c.fault("the id %q is there more than once", id)
		}
	}
	if n.Data == "label" && attr(n, "for") != "" {
		c.labels[attr(n, "for")] = true
	}
}

func (c *checker) element(n *html.Node) {
	c.inline(n)
	c.references(n)
	switch n.Data {
	case "input", "select", "textarea":
		if attr(n, "type") != "hidden" && !c.labelled(n) {
			c.fault("%s has no label", show(n))
		}
	case "button", "a", "summary":
		if name(n) == "" {
			c.fault("%s has no name", show(n))
		}
	case "dialog", "nav", "fieldset":
		if attr(n, "aria-label") == "" && attr(n, "aria-labelledby") == "" && !has(n, "legend") {
			c.fault("%s has no name", show(n))
		}
	case "img", "svg":
		if attr(n, "alt") == "" && attr(n, "aria-label") == "" && attr(n, "aria-hidden") != "true" && !has(n, "title") {
			c.fault("%s has no words", show(n))
		}
	case "html":
		if attr(n, "lang") == "" && has(n, "main") {
			c.fault("the page does not say its language")
		}
	}
}

// inline finds what the content security policy stops.
func (c *checker) inline(n *html.Node) {
	if n.Data == "style" || n.Data == "script" && attr(n, "src") == "" {
		c.fault("%s is inline; the policy stops it", show(n))
	}
	if n.Data == "script" && attr(n, "nonce") == "" {
		c.fault("%s has no nonce", show(n))
	}
	htmx := false
	for _, a := range n.Attr {
		htmx = htmx || strings.HasPrefix(a.Key, "hx-")
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") {
			c.fault("%s has the attribute %s; the policy stops it", show(n), a.Key)
		}
		if (a.Key == "href" || a.Key == "action" || a.Key == "formaction") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
			c.fault("%s leads to a script", show(n))
		}
	}
	if htmx && attr(n, "hx-nonce") == "" {
		c.fault("%s has no hx-nonce, so htmx leaves it alone", show(n))
	}
}

// references finds ids that are named and not there.
func (c *checker) references(n *html.Node) {
	for _, key := range []string{"for", "aria-labelledby", "aria-describedby", "aria-controls", "data-opens"} {
		for id := range strings.FieldsSeq(attr(n, key)) {
			if c.ids[id] == 0 {
				c.fault("%s names #%s by %s, which is not there", show(n), id, key)
			}
		}
	}
}

func (c *checker) labelled(n *html.Node) bool {
	if attr(n, "aria-label") != "" || attr(n, "aria-labelledby") != "" || c.labels[attr(n, "id")] {
		return true
	}
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "label" {
			return true
		}
	}
	return false
}

// nesting compares the elements as they are written with the tree a browser makes of them.
func (c *checker) nesting(page string, root *html.Node) {
	var tree []string
	c.each(root, func(n *html.Node) {
		depth := 0
		for p := n.Parent; p != nil; p = p.Parent {
			depth++
		}
		tree = append(tree, fmt.Sprintf("%d %s", depth, n.Data))
	})
	if !strings.Contains(page, "<html") {
		return // a part: the browser puts html, head and body around it
	}
	for i, written := range c.written(page) {
		if i >= len(tree) || !strings.EqualFold(tree[i], written) {
			c.fault("the browser would repair the markup at element %d: %s is written, but becomes %s", i, written, tree[min(i, len(tree)-1)])
			return
		}
	}
}

// written lists the elements with their depth, as the text has them.
func (c *checker) written(page string) []string {
	void := []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
	var out, open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			if len(open) > 0 {
				c.fault("%s is never closed", open[len(open)-1])
			}
			return out
		}
		tag, _ := z.TagName()
		name := string(tag)
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			out = append(out, fmt.Sprintf("%d %s", len(open)+1, name))
			if kind == html.StartTagToken && !slices.Contains(void, name) {
				open = append(open, name)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != name {
				c.fault("</%s> closes what is not open", name)
				return out
			}
			open = open[:len(open)-1]
		}
	}
}

// name is what a screen reader says for a button or link.
func name(n *html.Node) string {
	if label := attr(n, "aria-label"); label != "" {
		return label
	}
	var out strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
		if n.Type == html.ElementNode && attr(n, "aria-hidden") == "true" {
			return
		}
		for child := range n.ChildNodes() {
			walk(child)
		}
	}
	walk(n)
	return strings.TrimSpace(out.String())
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, tag string) bool {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag {
			return true
		}
	}
	return false
}

// show is an element's start tag, shortened.
func show(n *html.Node) string {
	var out strings.Builder
	out.WriteString("<" + n.Data)
	for _, a := range n.Attr {
		if a.Key == "id" || a.Key == "class" || a.Key == "name" || a.Key == "href" || a.Key == "type" {
			fmt.Fprintf(&out, " %s=%q", a.Key, a.Val)
		}
	}
	return out.String() + ">"
}
