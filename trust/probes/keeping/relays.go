package keeping

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
	"aver/trust/probes/world"
)

// carried is what became of a visit through a relay: of so many requests so many were answered by the installation.
type carried struct{ asked, answered int }

// relays is res-2.
func relays(w *world.World) claim.Claim {
	const (
		words = "what the visitor wrote"
		line  = `{"time":"2026-11-22T09:00:00Z","ip":"192.0.2.1","user_agent":"Browser/1","site":"https://shop.example"}`
	)
	broken := func(name string, c carried, mode fs.FileMode, text string) claim.Fixture {
		return world.Fixture(name, func(ctx context.Context) (e claim.Evidence, err error) {
			folder, err := os.MkdirTemp("", "aver-fixture-*")
			if err != nil {
				return e, err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
			file := filepath.Join(folder, "connections.jsonl")
			if err := errors.Join(os.WriteFile(file, []byte(text), mode), os.Chmod(file, mode)); err != nil {
				return e, err
			}
			return judgeRelay(ctx, c, os.DirFS(folder), attack.NewMarks(words))
		})
	}
	return claim.Claim{
		ID: "res-2", Theme: world.Keeping, Owner: world.DPO, Every: 6 * world.Hourly,
		Wording:   "A relay stores a log of connections: after {requests} requests of a conversation its disk was read and held {bytes} in {lines} lines of time, address, browser and site, and {found}",
		Predicate: "After a visitor has written through a relay by request and by socket and has read their page, its folder holds files that are open to nobody else, of lines with these four members each, and in no form a word, a token or an address of the visitor.",
		Method:    "The probe runs a relay in this process, before this installation and with a folder of its own, writes through it as the canary's visitor, and reads every byte of the folder. Relays elsewhere are the same program; whoever runs one can read its folder likewise.",
		Refs:      claim.References{ISO: []string{"A.8.15", "A.8.10"}, SOC2: []string{"C1.2", "CC6.7"}, GDPR: []string{"5(1)(c)", "44"}},
		Probe:     func(ctx context.Context) (claim.Evidence, error) { return lookAtRelay(ctx, w) },
		Fixtures: []claim.Fixture{
			hoarded(w, "a relay that keeps what is sent", 0o600, func(r *http.Request) string {
				body, err := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				return string(body) + world.OrError("", err)
			}),
			hoarded(w, "a relay that keeps headers", 0o600, func(r *http.Request) string { return r.Header.Get("Authorization") }),
			hoarded(w, "a relay whose files everybody on the machine can read", 0o644, func(*http.Request) string { return line }),
			broken("a relay that keeps it packed in an address", carried{3, 3}, 0o600, strings.Replace(line, "Browser/1", url.QueryEscape(words), 1)),
			broken("a relay that logs addresses of pages", carried{3, 3}, 0o600, strings.Replace(line, "}", `,"path":"/my-data/kowal"}`, 1)),
			broken("a relay that carries nothing", carried{3, 0}, 0o600, line),
			broken("a relay that keeps no log, so that there is nothing to look at", carried{3, 3}, 0o600, ""),
		},
	}
}

// hoarder is a relay that writes something down of each request besides.
type hoarder struct {
	world.Relay
	file   string
	mode   fs.FileMode
	keeps  func(*http.Request) string
	failed error
}

func (h *hoarder) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	h.failed = errors.Join(h.failed, os.WriteFile(h.file, []byte(h.keeps(r)+"\n"), h.mode), os.Chmod(h.file, h.mode))
	h.Relay.ServeHTTP(rw, r)
}

func (h *hoarder) Close() error { return errors.Join(h.failed, h.Relay.Close()) }

// hoarded is the whole probe before such a relay.
func hoarded(w *world.World, name string, mode fs.FileMode, keeps func(*http.Request) string) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		broken := *w
		broken.Relay = func(folder string) (world.Relay, error) {
			relay, err := w.Relay(folder)
			return &hoarder{Relay: relay, file: filepath.Join(folder, "kept"), mode: mode, keeps: keeps}, err
		}
		return lookAtRelay(ctx, &broken)
	})
}

// lookAtRelay lets a visitor write through a relay and reads its disk.
func lookAtRelay(ctx context.Context, w *world.World) (e claim.Evidence, err error) {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, w.Forget(context.WithoutCancel(ctx), p)) }()
	err = w.Relayed(func(door *inside.Door, folder string) error {
		c, err := visitThrough(ctx, door, p)
		if err != nil {
			return err
		}
		marks := attack.NewMarks(p.Word, p.Token, p.Side.Slug, p.Conversation, p.Actor.Subject().String())
		e, err = judgeRelay(ctx, c, os.DirFS(folder), marks)
		return err
	})
	return e, err
}

// visitThrough is a visit to a relay: a message by request, the person's page, a message by socket.
func visitThrough(ctx context.Context, door *inside.Door, p *world.Person) (c carried, err error) {
	said, err := json.Marshal(map[string]any{"op": "send", "client_id": attack.NewClientID(), "conversation": p.Conversation, "text": "Through a relay: " + p.Word})
	if err != nil {
		return c, err
	}
	for _, q := range []inside.Request{
		{Method: http.MethodPost, Path: "/widget/v1/send", Header: world.WithJSON(inside.Bearer(p.Token)), Body: said},
		{Method: http.MethodGet, Path: "/my-data/" + p.Side.Slug + "?email=" + p.Word + "@canary.invalid", Header: http.Header{"Referer": {"https://shop.canary.invalid/" + p.Word}}},
	} {
		a, err := door.Do(ctx, q)
		if err != nil {
			return c, err
		}
		if c.asked++; a.Status == http.StatusOK {
			c.answered++
		}
	}
	c.asked++
	t, err := door.Talk(ctx, "/widget/v1/socket", http.Header{"Origin": {"https://" + door.Host}})
	if err != nil {
		return c, nil // that it does not open is what is measured
	}
	defer t.Close()
	hello, err := t.Ask("hello", map[string]any{"token": p.Token})
	if err != nil {
		return c, err
	}
	sent, err := t.Ask("send", map[string]any{"client_id": attack.NewClientID(), "conversation": p.Conversation, "text": "By socket: " + p.Word})
	if err == nil && hello.Error == nil && sent.Error == nil {
		c.answered++
	}
	return c, err
}

// relayFields are the members of a line, all of them.
var relayFields = []string{"ip", "site", "time", "user_agent"}

// judgeRelay reads a relay's folder: every byte for the marks, every line for its members, every file for whom it is open to.
func judgeRelay(ctx context.Context, c carried, folder fs.FS, marks *attack.Marks) (claim.Evidence, error) {
	e := world.Evidence()
	seen, err := world.LookAtFiles(ctx, folder, func(ids.Tenant) bool { return true }, marks)
	if err != nil {
		return e, err
	}
	lines, odd, open := 0, []string{}, []string{}
	err = fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			open = append(open, path)
		}
		text, err := fs.ReadFile(folder, path)
		for line := range strings.Lines(string(text)) {
			var members map[string]string
			if json.Unmarshal([]byte(line), &members) != nil || !slices.Equal(slices.Sorted(maps.Keys(members)), relayFields) {
				odd = append(odd, path)
			}
			lines++
		}
		return err
	})
	e.See(c.answered == c.asked, "requests through the relay", "%d of %d answered by the installation", c.answered, c.asked)
	e.See(lines > 0, "lines of connections", "%d", lines)
	e.See(len(odd) == 0, "lines of anything else", "%d %s", len(odd), strings.Join(odd[:min(len(odd), 3)], ", "))
	e.See(len(open) == 0, "files that others can read", "%d %s", len(open), strings.Join(open, ", "))
	e.See(len(seen.Found) == 0, "read byte by byte", "%s, %s", world.Bytes(seen.Bytes), world.WordsIn(seen.Found))
	e.Figure("requests", "%d", c.asked)
	e.Figure("lines", "%d", lines)
	e.Figure("bytes", "%s", world.Bytes(seen.Bytes))
	e.Figure("found", "%s", world.WordsIn(seen.Found))
	return e, err
}
