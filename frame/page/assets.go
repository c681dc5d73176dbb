package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed assets
var embedded embed.FS

// parts are the shared style and scripts.
var parts = NewBundle(shared())

// Assets serves the shared style and scripts under /assets/.
func Assets() http.Handler { return parts }

// AssetsPath is the path that Assets is mounted at, with the hash of what it serves.
func AssetsPath() string { return parts.Path() }

// Bundle is a set of files that never change while the program runs. Its addresses carry a hash of all of it, so that
// browsers may keep them for ever. A module with style or script of its own makes one and mounts it at Path.
type Bundle struct {
	path  string
	files map[string]asset
}

// asset is one file, ready to send.
type asset struct {
	contentType   string
	plain, zipped []byte // zipped is nil where compression would not pay
}

// NewBundle makes a bundle of files by name.
func NewBundle(files map[string][]byte) *Bundle {
	sum := sha256.New()
	b := &Bundle{files: make(map[string]asset, len(files))}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s %d\n", name, len(files[name]))
		sum.Write(files[name])
		b.files[name] = asset{contentType: contentType(name), plain: files[name], zipped: Zip(files[name])}
	}
	b.path = "/assets/" + hex.EncodeToString(sum.Sum(nil)[:8]) + "/"
	return b
}

// BundleFS makes a bundle of all files below a folder. It panics when one cannot be read: they are part of the program.
func BundleFS(fsys fs.FS) *Bundle {
	files := map[string][]byte{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(fsys, name)
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("page: an embedded file cannot be read: %v", err))
	}
	return NewBundle(files)
}

// Path is where the bundle must be mounted, with a slash at its end.
func (b *Bundle) Path() string { return b.path }

// URL is the address of one file of the bundle.
func (b *Bundle) URL(name string) string { return b.path + name }

// ServeHTTP answers with a file of the bundle.
func (b *Bundle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, b.path)
	file, found := b.files[name]
	if !ok || !found {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	Headers(h, "")
	h.Set("Content-Type", file.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := file.plain
	if file.zipped != nil && AcceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = file.zipped
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

// AcceptsGzip reads Accept-Encoding well enough for browsers: gzip is named and not refused.
func AcceptsGzip(accept string) bool {
	for coding := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.000")
		}
	}
	return false
}

// Zip compresses with gzip, once, at start; it is nil for files that do not get smaller.
func Zip(data []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := z.Write(data); err != nil || z.Close() != nil {
		return nil
	}
	if out.Len() >= len(data) {
		return nil
	}
	return out.Bytes()
}

// contentType does not ask the machine's tables, which differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	panic("page: no content type is known for " + name) // the files are part of the program
}

// shared gathers what Assets serves: the style files joined in the order of their names, and the scripts.
func shared() map[string][]byte {
	files := map[string][]byte{
		"aver.css":    joined("assets/css"),
		"aver.js":     read("assets/aver.js"),
		"mark.svg":    read("assets/mark.svg"),
		"htmx.js":     read("assets/vendor/htmx.min.js"),
		"htmx-csp.js": read("assets/vendor/hx-csp.min.js"),
	}
	return files
}

func joined(folder string) []byte {
	entries, err := embedded.ReadDir(folder)
	if err != nil {
		panic(fmt.Sprintf("page: the embedded folder %s cannot be read: %v", folder, err))
	}
	var out []byte
	for _, entry := range entries {
		out = append(out, read(path.Join(folder, entry.Name()))...)
	}
	return out
}

func read(name string) []byte {
	data, err := embedded.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("page: the embedded file %s cannot be read: %v", name, err))
	}
	return data
}
