// Command build makes the widget that is served, widget/dist, from widget/src and widget/strings. Run it after every
// change there, from anywhere in the repository:
//
//	go generate ./work/channels/webchat/widget
//
// It needs Go alone. What it writes is committed, and a test beside it fails when that is out of date, so the product
// itself does not carry a bundler. Types are not checked here: run tsc on widget/tsconfig.json for that.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	widget := "."
	if len(os.Args) > 1 {
		widget = os.Args[1]
	}
	if err := write(widget); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// write replaces widget/dist by a fresh build.
func write(widget string) error {
	files, err := build(widget)
	if err != nil {
		return err
	}
	dist := filepath.Join(widget, "dist")
	if err := os.RemoveAll(dist); err != nil {
		return fmt.Errorf("clearing dist: %w", err)
	}
	for name, body := range files {
		path := filepath.Join(dist, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("making dist: %w", err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			return fmt.Errorf("writing dist: %w", err)
		}
	}
	return nil
}

// build returns the files of dist by name. The same sources give the same bytes.
func build(widget string) (map[string][]byte, error) {
	files, err := bundle(widget)
	if err != nil {
		return nil, err
	}
	if err := addStrings(files, widget); err != nil {
		return nil, err
	}
	frame, err := os.ReadFile(filepath.Join(widget, "src", "app", "frame.html"))
	if err != nil {
		return nil, fmt.Errorf("reading the frame: %w", err)
	}
	notice, err := os.ReadFile(filepath.Join(widget, "src", "shared", "icons-license.txt"))
	if err != nil {
		return nil, fmt.Errorf("reading the icons' licence: %w", err)
	}
	files["icons-license.txt"] = notice
	version := fingerprint(files)
	files["version.txt"] = []byte(version)
	files["frame.html"] = []byte(strings.ReplaceAll(string(frame), "{version}", version))
	return files, nil
}

// bundle turns the two scripts and the style into one file each.
func bundle(widget string) (map[string][]byte, error) {
	root, err := filepath.Abs(widget)
	if err != nil {
		return nil, fmt.Errorf("finding the widget: %w", err)
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: root,
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: "src/loader/main.ts", OutputPath: "l"},
			{InputPath: "src/app/main.ts", OutputPath: "app"},
			{InputPath: "src/app/app.css", OutputPath: "app"},
		},
		Outdir:            root,
		Bundle:            true,
		Format:            api.FormatIIFE,
		Target:            api.ES2022,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsEndOfFile,
		Charset:           api.CharsetUTF8,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), "\n"))
	}
	files := make(map[string][]byte)
	for _, out := range result.OutputFiles {
		files[filepath.Base(out.Path)] = out.Contents
	}
	return files, nil
}

// addStrings adds the words of each language but English, which the app carries, without white space.
func addStrings(files map[string][]byte, widget string) error {
	paths, err := filepath.Glob(filepath.Join(widget, "strings", "*.json"))
	if err != nil {
		return fmt.Errorf("listing the strings: %w", err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading strings: %w", err)
		}
		var words map[string]any
		if err := json.Unmarshal(body, &words); err != nil {
			return fmt.Errorf("strings %s: %w", filepath.Base(path), err)
		}
		if files["strings/"+filepath.Base(path)], err = json.Marshal(words); err != nil {
			return fmt.Errorf("strings %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// fingerprint names the content of all files, so that a browser may keep what carries it for ever.
func fingerprint(files map[string][]byte) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s %d\n", name, len(files[name]))
		sum.Write(files[name])
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}
