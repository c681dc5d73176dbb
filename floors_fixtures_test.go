package aver_test

import (
	"io/fs"
	"strings"
	"testing/fstest"
)

// fixture is a small project. want is a part of the line that names its breach; without one, the project must pass.
type fixture struct {
	why   string
	want  string
	files map[string]string
}

func (c fixture) tree() fs.FS {
	tree := fstest.MapFS{}
	for name, text := range c.files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

// one is a project of one file.
func one(why, want, name, text string) fixture {
	return fixture{why, want, map[string]string{name: text}}
}

const drawing = `
 floor 6  │ cmd/aver  main, module list                      wires, nothing else │
          ├──────────────────────────────────────────────────────────────────────┤
 floor 3  │ trust/    identity rights                        what we owe people  │
          │           canary                                                     │
          ├──────────────────────────────────────────────────────────────────────┤
 floor 1  │ vault/    rows, keys; engines                    one door            │
 beside   │ proof/    rigs                                                       │
`

var fixtures = map[string][]fixture{
	"imports go down, or along a listed street": {
		one("a floor reaches up", "floor 1 imports frame/jobs", "vault/v.go", "package vault\nimport _ \"aver/frame/jobs\""),
		one("so does its test", "floor 1 imports frame/jobs", "vault/v_test.go", "package vault\nimport _ \"aver/frame/jobs\""),
		one("neighbours without a street", "no street leads from work/a to work/b", "work/a/ui/a.go", "package ui\nimport _ \"aver/work/b/c\""),
		one("channels are modules of their own", "no street leads from work/channels/a to work/channels/b", "work/channels/a/a.go", "package a\nimport _ \"aver/work/channels/b\""),
		one("a folder that is on no floor", "is on no floor", "extra/e.go", "package extra"),
		one("downwards, and inside a module", "", "work/a/a.go", "package a\nimport _ \"aver/vault\"\nimport _ \"aver/work/a/ui\"\nimport _ \"aver/trust/x\""),
	},
	"nothing imports the rigs": {
		one("the product", "a rig", "work/a/a.go", "package a\nimport _ \"aver/proof/crash\""),
		one("a test may", "", "work/a/a_test.go", "package a\nimport _ \"aver/proof/browser\""),
	},
	"test packages stay out of the product": {
		one("a test package", "for tests", "work/a/a.go", "package a\nimport _ \"aver/vault/vaulttest\""),
		one("testing itself", "for tests", "work/a/a.go", "package a\nimport _ \"testing\""),
		one("from one of their own", "", "vault/vaulttest/v.go", "package vaulttest\nimport _ \"testing\""),
	},
	"database drivers stay below the vault": {
		one("a driver", "belongs below vault", "frame/x/x.go", "package x\nimport _ \"github.com/jackc/pgx/v5/pgxpool\""),
		one("database/sql", "belongs below vault", "trust/x/x.go", "package x\nimport _ \"database/sql\""),
		one("the queue's library", "belongs in frame/jobs", "trust/x/x.go", "package x\nimport _ \"github.com/riverqueue/river/rivertype\""),
		one("a type that can be stored", "", "base/x/x.go", "package x\nimport _ \"database/sql/driver\""),
		one("in their places", "", "frame/jobs/x.go", "package jobs\nimport _ \"database/sql\"\nimport _ \"github.com/riverqueue/river\""),
	},
	"ciphers stay in base": {
		one("elsewhere", "belongs in base/aead", "vault/v.go", "package vault\nimport _ \"crypto/cipher\""),
		one("there", "", "base/aead/a.go", "package aead\nimport _ \"crypto/aes\""),
		one("of pages", "", "base/xts/x.go", "package xts\nimport _ \"crypto/aes\""),
	},
	"connections out are opened by frame/egress": {
		one("a client", "opens connections", "work/a/a.go", "package a\nimport \"net/http\"\nvar c = &http.Client{}"),
		one("a client under another name", "opens connections", "work/a/a.go", "package a\nimport web \"net/http\"\nvar c = new(web.Client)"),
		one("a client in a field", "opens connections", "work/a/a.go", "package a\nimport \"net/http\"\ntype t struct { c http.Client }"),
		one("the default client", "opens connections", "work/a/a.go", "package a\nimport \"net/http\"\nvar _, _ = http.Get(\"x\")"),
		one("a socket", "opens connections", "work/a/a.go", "package a\nimport \"net\"\nvar _, _ = net.Dial(\"tcp\", \"x\")"),
		one("a name looked up", "opens connections", "work/a/a.go", "package a\nimport \"net\"\nvar _, _ = net.LookupHost(\"x\")"),
		one("TLS", "opens connections", "work/a/a.go", "package a\nimport \"crypto/tls\"\nvar _, _ = tls.Dial(\"tcp\", \"x\", nil)"),
		one("a WebSocket", "opens connections", "work/a/a.go", "package a\nimport \"github.com/gorilla/websocket\"\nvar d = websocket.DefaultDialer"),
		one("a client that is handed over, a server", "", "work/a/a.go", "package a\nimport \"net/http\"\nfunc f(c *http.Client) *http.Server { return &http.Server{} }"),
	},
	"actors are minted by trust/identity": {
		one("a module", "vault.Mint", "work/a/a.go", "package a\nimport \"aver/vault\"\nvar x = vault.Mint(vault.Identity{})"),
		one("as a value", "vault.Mint", "edge/a.go", "package edge\nimport v \"aver/vault\"\nvar x = v.Mint"),
		one("identity", "", "trust/identity/a.go", "package identity\nimport \"aver/vault\"\nvar x = vault.Mint(vault.Identity{})"),
	},
	"simple protocol is never used": {
		one("in code", "simple protocol", "vault/v.go", "package vault\nvar m = pgx.QueryExecModeSimpleProtocol"),
		one("in an address", "simple protocol", "proof/x/v_test.go", "package x\nvar m = \"?default_query_exec_mode=simple_protocol\""),
	},
	"packages are named for what they are": {
		one("a folder", "says nothing", "frame/util/u.go", "package strings"),
		one("a package", "says nothing", "frame/x/u.go", "package helpers"),
	},
	"nothing happens at import": {
		one("init", "init()", "frame/x/x.go", "package x\nfunc init() {}"),
		one("a method of that name", "", "frame/x/x.go", "package x\ntype t int\nfunc (t) init() {}"),
	},
	"every package says what it is for": {
		one("silence", "no package comment", "frame/x/x.go", "package x"),
		one("about something else", "does not begin", "frame/x/x.go", "// Things.\npackage x"),
		one("well said", "", "frame/x/x.go", "// Package x waits.\npackage x"),
		one("tests need not", "", "frame/x/x_test.go", "package x"),
	},
	"functions are short": {
		one("61 lines", "at most 60", "frame/x/x.go", "package x\nfunc (t *T[A]) f() {"+strings.Repeat("\n", 60)+"}"),
		one("60 lines", "", "frame/x/x.go", "package x\nfunc f() {"+strings.Repeat("\n", 59)+"}"),
		one("made by a program", "", "frame/x/x.go", "// Code generated by x. DO NOT EDIT.\n\npackage x\nfunc f() {"+strings.Repeat("\n", 99)+"}"),
	},
	"files are short": {
		one("501 lines", "at most 500", "frame/x/x.go", "package x"+strings.Repeat("\n", 501)),
		one("500 lines", "", "frame/x/x.go", "package x"+strings.Repeat("\n", 500)),
	},
	"packages are small": {
		{"2001 lines", "at most 2000", map[string]string{"frame/x/x.go": "package x" + strings.Repeat("\n", 1500), "frame/x/y.go": "package x" + strings.Repeat("\n", 501)}},
		{"its tests do not count", "", map[string]string{"frame/x/x.go": "package x" + strings.Repeat("\n", 1500), "frame/x/y_test.go": "package x" + strings.Repeat("\n", 501)}},
	},
	"interfaces are narrow": {
		one("five methods", "at most 4", "frame/x/x.go", "package x\ntype T interface { A(); B(); C(); D(); E() }"),
		one("an embedded one counts", "at most 4", "frame/x/x.go", "package x\ntype T interface { A(); B(); C(); D(); error }"),
		one("four methods", "", "frame/x/x.go", "package x\ntype T interface { A(); B(); C(); D() }"),
	},
	"nothing is left for later": {
		one("a note", "TO"+"DO", "frame/x/x.go", "package x\n// TO"+"DO: finish\nvar a int"),
		one("a stub", "not implemented", "frame/x/x.go", "package x\nfunc f() { panic(\"not implemented\") }"),
	},
	"packages log and print through slog": {
		one("fmt", "fmt.Println", "frame/x/x.go", "package x\nimport \"fmt\"\nfunc f() { fmt.Println() }"),
		one("log", "log.Printf", "frame/x/x.go", "package x\nimport \"log\"\nvar f = log.Printf"),
		one("slog, and a program's own output", "", "cmd/aver/x.go", "package main\nimport \"fmt\"\nfunc f() { fmt.Println() }"),
	},
	"ARCHITECTURE.md shows exactly the packages that exist": {
		{"a package that is not drawn", "lacks trust/backups", map[string]string{"ARCHITECTURE.md": drawing, "trust/backups/b.go": "package backups"}},
		{"a floor that is not drawn", "lacks edge", map[string]string{"ARCHITECTURE.md": drawing, "edge/limit/b.go": "package limit"}},
		{"a drawn package that does not exist", "shows trust/canary", map[string]string{"ARCHITECTURE.md": drawing, "trust/rights/b.go": "package rights", "trust/identity/b.go": "package identity"}},
		{"all is as drawn", "", map[string]string{
			"ARCHITECTURE.md": drawing, "cmd/aver/m.go": "package main", "vault/rows/v.go": "package rows", "proof/x/x.go": "package x",
			"trust/rights/b.go": "package rights", "trust/identity/ui/b.go": "package ui", "trust/canary/b.go": "package canary",
		}},
	},
	"dependencies are at or above the published fixes": {
		one("an old library", "older than v0.58.0", "go.mod", "module m\ngo 1.26.8\nrequire golang.org/x/crypto v0.57.9\n"),
		one("an old Go", "Go is older", "go.mod", "module m\ngo 1.26.5\n"),
		one("a replacement", "is replaced", "go.mod", "module m\ngo 1.26.8\nreplace golang.org/x/crypto => ../crypto\n"),
		one("in order", "", "go.mod", "module m\ngo 1.26.8\nrequire golang.org/x/crypto v0.58.0\n"),
	},
}
