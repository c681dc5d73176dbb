package probes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aver/frame/claim"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
	"aver/trust/probes/world"
)

// spoken is what came of a conversation between a visitor and somebody who answers.
type spoken struct {
	heardByUs, heardByThem bool          // live, over sockets
	there, back            time.Duration // from sending to hearing
	kept                   int           // of the two messages, in the history that the visitor reads
}

// chatting is prd-1.
func chatting(w view) claim.Claim {
	return claim.Claim{
		ID: "prd-1", Theme: world.Product, Owner: world.Building, Every: world.Hourly,
		Wording:   "A visitor writes and somebody answers, live on both sides: there in {there}, back in {back}, {kept} of {sent} messages kept",
		Predicate: "A message that the canary's visitor sends over the widget's socket is pushed to the console's socket, the answer is pushed back, and both are in the history.",
		Method:    "The probe opens the widget's socket and the console's, writes on one, hears on the other, answers, and reads the conversation again.",
		Refs:      claim.References{SOC2: []string{"PI1.3"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			s, err := w.speak(ctx, w.Canaries.Door())
			return judgeSpoken(s), err
		},
		Fixtures: silences(),
	}
}

// silences are conversations that went wrong.
func silences() []claim.Fixture {
	broken := func(name string, s spoken) claim.Fixture {
		return world.Fixture(name, func(context.Context) (claim.Evidence, error) { return judgeSpoken(s), nil })
	}
	return []claim.Fixture{
		broken("a console that hears nothing", spoken{heardByThem: true, kept: 2}),
		broken("a visitor who hears nothing", spoken{heardByUs: true, kept: 2}),
		broken("a message that is not in the history", spoken{heardByUs: true, heardByThem: true, kept: 1}),
	}
}

// relaying is prd-7.
func relaying(w view) claim.Claim {
	return claim.Claim{
		ID: "prd-7", Theme: world.Product, Owner: world.Building, Every: 6 * world.Hourly,
		Wording:   "A relay near far-away visitors carries their conversation: there in {there}, back in {back}, {kept} of {sent} messages kept",
		Predicate: "A message that the canary's visitor sends over the widget's socket through a relay is pushed to the console's socket, which goes through the relay too, the answer is pushed back, and both are in the history.",
		Method:    "The probe runs a relay in this process before this installation, opens both sockets through it, writes on one, hears on the other, answers, and reads the conversation again. How far a relay elsewhere is from anybody it cannot measure.",
		Refs:      claim.References{SOC2: []string{"PI1.3", "A1.1"}},
		Probe: func(ctx context.Context) (s claim.Evidence, err error) {
			err = w.Relayed(func(door *inside.Door, _ string) error {
				heard, err := w.speak(ctx, door)
				s = judgeSpoken(heard)
				return err
			})
			return s, err
		},
		Fixtures: silences(),
	}
}

const hearWithin = 5 * time.Second

func (w view) speak(ctx context.Context, door *inside.Door) (s spoken, err error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return s, err
	}
	if len(side.Pool["conversation"]) == 0 {
		return s, errors.New("the canary has no conversation")
	}
	conversation := side.Pool["conversation"][0]
	visitor, err := talk(ctx, door, "/widget/v1/socket", nil, side.Token, "subscribe", map[string]any{"channel": conversation, "epoch": "", "offset": 0})
	if err != nil {
		return s, err
	}
	defer visitor.Close()
	operator, err := talk(ctx, door, "/live", inside.Cookie("__Host-aver", side.Cookie), "", "subscribe", map[string]any{"conversation": conversation, "epoch": "", "offset": 0})
	if err != nil {
		return s, err
	}
	defer operator.Close()
	said, answered := attack.UniqueWord(side.Root), attack.UniqueWord(side.Root)
	if s.heardByUs, s.there, err = say(visitor, operator, "send", conversation, said); err != nil {
		return s, err
	}
	if s.heardByThem, s.back, err = say(operator, visitor, "reply", conversation, answered); err != nil {
		return s, err
	}
	history, err := visitor.Ask("history", map[string]any{"channel": conversation, "before": 0, "limit": 10})
	for _, word := range []string{said, answered} {
		if bytes.Contains(history.OK, []byte(word)) {
			s.kept++
		}
	}
	return s, err
}

// talk opens a socket and listens to a conversation.
func talk(ctx context.Context, door *inside.Door, path string, header http.Header, token, op string, args map[string]any) (*inside.Talk, error) {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Origin", "https://"+door.Host)
	t, err := door.Talk(ctx, path, header)
	if err != nil {
		return nil, err
	}
	if token != "" {
		if f, err := t.Ask("hello", map[string]any{"token": token}); err != nil || f.Error != nil {
			return nil, fmt.Errorf("say hello at %s: %s %w", path, f.Error, err)
		}
	}
	if f, err := t.Ask(op, args); err != nil || f.Error != nil {
		return nil, fmt.Errorf("listen at %s: %s %w", path, f.Error, err)
	}
	return t, nil
}

// say sends a message on one socket and waits for it on the other.
func say(from, to *inside.Talk, op, conversation, text string) (heard bool, took time.Duration, err error) {
	began := time.Now()
	f, err := from.Ask(op, map[string]any{"client_id": attack.NewClientID(), "conversation": conversation, "text": text})
	if err != nil {
		return false, 0, err
	}
	if f.Error != nil {
		return false, 0, fmt.Errorf("send a message: %s", f.Error)
	}
	for {
		push, err := to.Push("message", hearWithin)
		if err != nil {
			return false, time.Since(began), nil // nothing came in time: that is what is measured
		}
		if bytes.Contains(push.Data, []byte(text)) {
			return true, time.Since(began), nil
		}
	}
}

func judgeSpoken(s spoken) claim.Evidence {
	e := world.Evidence()
	heard := map[bool]string{true: "heard", false: "not heard"}
	e.See(s.heardByUs, "what the visitor wrote, at the console", "%s, %s", heard[s.heardByUs], world.Span(s.there))
	e.See(s.heardByThem, "what was answered, at the visitor's", "%s, %s", heard[s.heardByThem], world.Span(s.back))
	e.See(s.kept == 2, "both in the history", "%d", s.kept)
	e.Figure("there", "%s", world.Span(s.there))
	e.Figure("back", "%s", world.Span(s.back))
	e.Figure("kept", "%d", s.kept)
	e.Figure("sent", "%d", 2)
	return e
}

// known is what came of setting somebody's identity by program.
type known struct {
	status   int
	name     string // read back
	want     string
	loader   bool // the script that sites include is served
	refused  int  // calls with a key that may not, refused
	refusals int
}

// programming is prd-2.
func programming(w view) claim.Claim {
	judge := func(k known) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeKnown(k), nil }
	}
	return claim.Claim{
		ID: "prd-2", Theme: world.Product, Owner: world.Building, Every: 6 * world.Hourly,
		Wording:   "A site's program can say who its visitor is: set and read back by the API in {calls} calls, {refused} calls without the right to do so refused",
		Predicate: "With an API key that has the scope, a contact is set by the site's own identifier and read back with what was set; without a key, and with one that lacks the scope, the same call is refused; and the script for pages is served.",
		Method:    "The probe calls the API as the canary's program does, and loads the script as a page does.",
		Refs:      claim.References{SOC2: []string{"PI1.2", "CC6.1"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			k, err := w.identify(ctx)
			return judgeKnown(k), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a contact that was not kept", judge(known{status: 200, want: "Ada", loader: true, refused: 2, refusals: 2})),
			world.Fixture("an API that asks for no key", judge(known{status: 200, name: "Ada", want: "Ada", loader: true, refusals: 2})),
			world.Fixture("a script that is not served", judge(known{status: 200, name: "Ada", want: "Ada", refused: 2, refusals: 2})),
		},
	}
}

func (w view) identify(ctx context.Context) (k known, err error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return k, err
	}
	door, path := w.Canaries.Door(), "/v1/contacts/by-external-id/"+side.Root+"-backend"
	k.want = "Set " + attack.UniqueWord(side.Root)
	body, err := json.Marshal(map[string]string{"name": k.want})
	if err != nil {
		return k, err
	}
	put := func(h http.Header) (inside.Answer, error) {
		return door.Do(ctx, inside.Request{Method: http.MethodPut, Path: path, Header: world.WithJSON(h), Body: body})
	}
	weak, c, err := w.Identity.MakeKey(ctx, side.Owner, attack.UniqueWord(side.Root), []string{world.WeakScope}, time.Hour)
	if err != nil {
		return k, err
	}
	for _, h := range []http.Header{{}, inside.Bearer(weak), inside.Bearer(strings.ToUpper(side.Key))} {
		a, err := put(h)
		if err != nil {
			return k, err
		}
		k.refusals++
		if a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden {
			k.refused++
		}
	}
	if err := w.Identity.RevokeKey(ctx, side.Owner, c.ID); err != nil {
		return k, err
	}
	a, err := put(inside.Bearer(side.Key))
	if err != nil {
		return k, err
	}
	k.status = a.Status
	var made struct{ ID string }
	_ = json.Unmarshal(a.Body, &made) // what is no contact is not read back
	if a, err = door.Get(ctx, "/v1/contacts/"+made.ID, inside.Bearer(side.Key)); err != nil {
		return k, err
	}
	var read struct{ Name string }
	_ = json.Unmarshal(a.Body, &read)
	k.name = read.Name
	a, err = door.Get(ctx, "/l.js", nil)
	k.loader = a.Status == http.StatusOK && bytes.Contains(a.Body, []byte("$aver"))
	return k, err
}

func judgeKnown(k known) claim.Evidence {
	e := world.Evidence()
	e.See(k.status == http.StatusOK || k.status == http.StatusCreated, "setting by the site's own identifier", "status %d", k.status)
	e.See(k.want != "" && k.name == k.want, "reading back", "%s", map[bool]string{true: "what was set", false: "something else"}[k.name == k.want])
	e.See(k.refusals > 0 && k.refused == k.refusals, "calls without the right", "%d of %d refused", k.refused, k.refusals)
	e.See(k.loader, "the script for pages", "%s", map[bool]string{true: "served", false: "not served"}[k.loader])
	e.Figure("calls", "%d", 2)
	e.Figure("refused", "%d", k.refused)
	return e
}
