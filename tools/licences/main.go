// Command licences writes THIRD_PARTY.md: whose work Aver contains and on what terms.
//
// It reads the modules of go.mod and the licence files of what is copied into the tree, recognises the usual permissive
// licences and the Mozilla Public License 2.0, and refuses everything else, above all the GNU family, which would bind
// those who ship Aver. With -check it changes nothing and fails if the file is not current.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	root := flag.String("root", "..", "the folder of the project")
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	works, err := collect(root)
	if err != nil {
		return err
	}
	text, err := render(works)
	if err != nil {
		return err
	}
	file := filepath.Join(root, "THIRD_PARTY.md")
	if !check {
		return os.WriteFile(file, text, 0o644)
	}
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, text) {
		return errors.New("THIRD_PARTY.md is not current: run make generate and commit it")
	}
	return nil
}

// work is something made by others.
type work struct {
	name, version string
	texts         []string // licence and notice files
	terms         string   // when the texts are a list of several works and name their licences themselves
}

func collect(root string) ([]work, error) {
	goRoot, err := command(root, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	language, err := readWork(os.DirFS(strings.TrimSpace(string(goRoot))), "Go's standard library", "")
	if err != nil {
		return nil, err
	}
	modules, err := modules(root)
	if err != nil {
		return nil, err
	}
	copied, err := copied(root)
	return slices.Concat([]work{language}, modules, copied), err
}

// modules reads what go.mod names, from the module cache.
func modules(root string) ([]work, error) {
	listed, err := command(root, "go", "mod", "download", "-json")
	if err != nil {
		return nil, err
	}
	var works []work
	for decoder := json.NewDecoder(bytes.NewReader(listed)); decoder.More(); {
		var m struct{ Path, Version, Dir, Error string }
		if err := decoder.Decode(&m); err != nil {
			return nil, fmt.Errorf("read the list of modules: %w", err)
		}
		if m.Error != "" {
			return nil, fmt.Errorf("download %s: %s", m.Path, m.Error)
		}
		w, err := readWork(os.DirFS(m.Dir), m.Path, m.Version)
		if err != nil {
			return nil, err
		}
		works = append(works, w)
	}
	slices.SortFunc(works, func(a, b work) int { return cmp.Compare(a.name, b.name) })
	return works, nil
}

// copied finds licence files, and lists of what was copied (VENDOR.md), inside the tree.
func copied(root string) ([]work, error) {
	var works []work
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := name != "." && strings.HasPrefix(entry.Name(), ".")
		if entry.IsDir() && (hidden || entry.Name() == "testdata" || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		isList := entry.Name() == "VENDOR.md"
		if entry.IsDir() || dir == "." || !isList && !licenceFile.MatchString(entry.Name()) || filepath.Ext(name) == ".go" {
			return nil
		}
		text, err := fs.ReadFile(os.DirFS(root), name)
		w := work{name: name, texts: []string{string(text)}}
		if isList {
			w.terms = "named in it"
		}
		works = append(works, w)
		return err
	})
	return works, err
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense|copyright)([-._].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^notice([-._].*)?$`)
)

func readWork(dir fs.FS, name, version string) (work, error) {
	w := work{name: name, version: version}
	files, err := fs.ReadDir(dir, ".")
	if err != nil {
		return w, fmt.Errorf("read %s: %w", name, err)
	}
	for _, wanted := range []*regexp.Regexp{licenceFile, noticeFile} {
		for _, file := range files {
			if file.IsDir() || !wanted.MatchString(file.Name()) || filepath.Ext(file.Name()) == ".go" {
				continue
			}
			text, err := fs.ReadFile(dir, file.Name())
			if err != nil {
				return w, fmt.Errorf("read %s: %w", name, err)
			}
			w.texts = append(w.texts, string(text))
		}
	}
	return w, nil
}

// render writes the list and then each different text once.
func render(works []work) ([]byte, error) {
	var list, texts bytes.Buffer
	var problems []error
	seen := map[string]bool{}
	for _, w := range works {
		kind, err := classify(w.texts)
		if w.terms != "" && !errors.Is(err, errBinding) {
			kind, err = w.terms, nil
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", w.name, err))
			continue
		}
		fmt.Fprintf(&list, "| %s | %s | %s |\n", w.name, w.version, kind)
		for _, text := range w.texts {
			text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
			if seen[text] {
				continue
			}
			seen[text] = true
			fmt.Fprintf(&texts, "\n## %s\n\n```text\n%s\n```\n", w.name, strings.ReplaceAll(text, "```", "'''"))
		}
	}
	out := "# Work of others in Aver\n\nWritten by `make generate` from go.mod and the licence files in the tree. Some modules only build or test Aver.\n" +
		"The source of a module is at the address that is its name, in the version given. A text that several share stands with the first of\nthem.\n\n| what | version | licence |\n|---|---|---|\n"
	return slices.Concat([]byte(out), list.Bytes(), texts.Bytes()), errors.Join(problems...)
}

// phrases tell licences apart, in the order in which they are tried: the Mozilla licence mentions the GNU ones.
var phrases = []struct{ phrase, licence string }{
	{"mozilla public license version 2.0", "MPL-2.0"},
	{"mozilla public license, version 2.0", "MPL-2.0"},
	{"gnu affero general public license", ""},
	{"gnu lesser general public license", ""},
	{"gnu general public license", ""},
	{"server side public license", ""},
	{"business source license", ""},
	{"commons clause", ""},
	{"apache license version 2.0", "Apache-2.0"},
	{"permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"},
	{"permission to use, copy, modify, and/or distribute this software for any purpose", "ISC"},
	{"permission to use, copy, modify, and distribute this software for any purpose", "ISC"},
	{"this is free and unencumbered software released into the public domain", "Unlicense"},
	{"cc0 1.0 universal", "CC0-1.0"},
}

var errBinding = errors.New("its licence would bind those who ship Aver")

// classify names the licences of the texts. A text that adds nothing, such as a notice, may stand beside one that does.
func classify(texts []string) (string, error) {
	var found []string
	for _, text := range texts {
		flat := strings.Join(strings.Fields(strings.ToLower(text)), " ")
		for _, licence := range licencesIn(flat) {
			if licence == "" {
				return "", errBinding
			}
			if !slices.Contains(found, licence) {
				found = append(found, licence)
			}
		}
	}
	if len(found) == 0 {
		return "", errors.New("no licence that is known here")
	}
	return strings.Join(found, ", "), nil
}

func licencesIn(flat string) (found []string) {
	for _, p := range phrases {
		if !strings.Contains(flat, p.phrase) {
			continue
		}
		found = append(found, p.licence)
		if p.licence == "MPL-2.0" {
			return found
		}
	}
	if strings.Contains(flat, "redistribution and use in source and binary forms") {
		if strings.Contains(flat, "neither the name") || strings.Contains(flat, "the names of its contributors") {
			return append(found, "BSD-3-Clause")
		}
		return append(found, "BSD-2-Clause")
	}
	return found
}

func command(dir, name string, args ...string) ([]byte, error) {
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return out, nil
}
