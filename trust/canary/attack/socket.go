package attack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"aver/frame/live"
	"aver/trust/canary/inside"
)

// Socket is a socket and what may be asked over it.
type Socket struct {
	Path   string
	As     string // which caller opens it
	Hello  bool   // the first frame names the caller by a token
	Post   string // where the same operations are taken one by one, if anywhere
	Stream string // the event stream beside it, if there is one
	Ops    map[string]live.Op
}

// refers is implemented by identifiers.
type refers interface{ Reference() string }

// exempt are members that are named like identifiers and name nothing of anybody's.
var exempt = map[string]string{"client_id": "the caller makes it up, to tell a repetition from a second message"}

// SocketSlots lists where identifiers go in a socket's operation, by the type of its arguments. loose are members that
// look like identifiers and do not say of what, or an operation whose arguments have no type: they would go unattacked.
func SocketSlots(name string, op live.Op) (slots []Slot, args reflect.Type, loose []string) {
	args = live.Arguments(op)
	if args == nil {
		return nil, nil, []string{name + ": the arguments have no type"}
	}
	walkType(args, nil, func(way []string, t reflect.Type) {
		member := strings.Join(way, ".")
		if r, ok := reflect.Zero(t).Interface().(refers); ok {
			slots = append(slots, Slot{"body", member, r.Reference()})
			return
		}
		last := strings.TrimSuffix(member, ".0")
		last = last[strings.LastIndexByte(last, '.')+1:]
		if t.Kind() == reflect.String && exempt[last] == "" && looksLikeID(last) {
			loose = append(loose, name+"."+member)
		}
	})
	return slots, args, loose
}

func looksLikeID(name string) bool {
	return name == "id" || name == "ids" || name == "channel" || name == "conversation" || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_ids")
}

// walkType visits the members of a type that are no structs.
func walkType(t reflect.Type, way []string, visit func([]string, reflect.Type)) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	_, isRef := reflect.Zero(t).Interface().(refers)
	switch {
	case isRef:
		visit(way, t)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.IsExported() && name != "-" {
				walkType(f.Type, append(slices.Clone(way), orName(name, f.Name)), visit)
			}
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		walkType(t.Elem(), append(slices.Clone(way), "0"), visit)
	default:
		visit(way, t)
	}
}

func orName(tag, field string) string {
	if tag == "" {
		return field
	}
	return tag
}

// TrySocket attacks every operation of a socket, then listens whether the victim's news arrives.
func (r *Rig) TrySocket(ctx context.Context, s Socket) (attempts int, found []Finding, err error) {
	ctx, cancel := context.WithTimeout(ctx, socketTime)
	defer cancel()
	talk, err := r.talk(ctx, s, r.Attacker)
	if talk == nil || err != nil {
		return 0, nil, err
	}
	defer talk.Close()
	for _, name := range slices.Sorted(maps.Keys(s.Ops)) {
		slots, args, _ := SocketSlots(name, s.Ops[name])
		if name == "hello" || args == nil {
			continue
		}
		for _, choice := range r.socketChoices(slots) {
			for _, ask := range r.ways(ctx, s, talk) {
				attempts++
				finding, err := r.trySocketOp(ask, name, args, choice)
				if err != nil {
					return attempts, found, err
				}
				if finding != nil {
					found = append(found, *finding)
				}
			}
		}
	}
	attempts++
	finding, err := r.listen(ctx, s, talk)
	if finding != nil {
		found = append(found, *finding)
	}
	return attempts, found, err
}

func (r *Rig) talk(ctx context.Context, s Socket, side *Side) (*inside.Talk, error) {
	c, ok := side.caller(s.As)
	if !ok {
		return nil, nil
	}
	header := with(nil, c.Header)
	header.Set("Origin", "https://"+r.Door.Host)
	if s.Hello {
		header.Del("Authorization")
	}
	talk, err := r.Door.Talk(ctx, s.Path, header)
	if err != nil || !s.Hello {
		return talk, err
	}
	token := strings.TrimPrefix(c.Header.Get("Authorization"), "Bearer ")
	f, err := talk.Ask("hello", map[string]any{"token": token})
	if err == nil && f.Error != nil {
		err = fmt.Errorf("say hello at %s: refused", s.Path)
	}
	return talk, err
}

// socketChoices are all non-empty sets of the slots for which the victim has identifiers.
func (r *Rig) socketChoices(slots []Slot) (out [][]Slot) {
	var known []Slot
	for _, s := range slots {
		if len(r.Victim.Pool[s.Kind]) > 0 {
			known = append(known, s)
		}
	}
	for set := 1; set < 1<<min(len(known), 5); set++ {
		var choice []Slot
		for i, s := range known {
			if set&(1<<i) != 0 {
				choice = append(choice, s)
			}
		}
		out = append(out, choice)
	}
	return out
}

// asking makes one request of a socket's operation.
type asking func(op string, args map[string]any) (inside.Answer, error)

// ways are the ways in which an operation can be asked for: over the socket, and one by one where that is possible.
func (r *Rig) ways(ctx context.Context, s Socket, talk *inside.Talk) []asking {
	ways := []asking{func(op string, args map[string]any) (inside.Answer, error) {
		f, err := talk.Ask(op, args)
		return inside.Answer{Status: map[bool]int{true: 200, false: 400}[f.Error == nil], Body: slices.Concat(f.OK, f.Error)}, err
	}}
	if c, ok := r.Attacker.caller(s.As); ok && s.Post != "" {
		ways = append(ways, func(op string, args map[string]any) (inside.Answer, error) {
			args["op"] = op
			body, err := json.Marshal(args)
			if err != nil {
				return inside.Answer{}, err
			}
			header := with(http.Header{"Content-Type": {"application/json"}}, c.Header)
			return r.Door.Do(ctx, inside.Request{Method: http.MethodPost, Path: s.Post, Header: header, Body: body})
		})
	}
	return ways
}

func (r *Rig) trySocketOp(ask asking, name string, args reflect.Type, choice []Slot) (*Finding, error) {
	a := Attempt{What: "socket " + name, As: "socket", Slots: joined(choice), root: r.Attacker.Root}
	for _, s := range choice {
		victim, _ := r.Victim.Pool.first(s.Kind)
		a.sent, a.said = append(a.sent, pair{victim, Ghost(victim)}), a.said+" "+victim
	}
	var answers [2]inside.Answer
	for i := range answers {
		answer, err := ask(name, r.arguments(args, func(s Slot) (string, bool) {
			at := slices.Index(choice, s)
			if at < 0 {
				id, known := r.Attacker.Pool.first(s.Kind)
				return id, known && !strings.HasSuffix(s.Name, ".0")
			}
			return []string{a.sent[at].victim, a.sent[at].ghost}[i], true
		}))
		if err != nil {
			return nil, err
		}
		answers[i] = answer
	}
	why, _ := r.judge(a, answers[0], answers[1])
	return finding(a, why, answers[1])
}

// arguments builds an operation's arguments: identifiers as fill says, text as the attacker's own.
func (r *Rig) arguments(t reflect.Type, fill func(Slot) (string, bool)) map[string]any {
	out := map[string]any{}
	walkType(t, nil, func(way []string, t reflect.Type) {
		if ref, ok := reflect.Zero(t).Interface().(refers); ok {
			if id, given := fill(Slot{"body", strings.Join(way, "."), ref.Reference()}); given {
				put(out, way, id)
			}
			return
		}
		switch {
		case slices.Contains(way, "0"), len(way) > 1, t.Kind() == reflect.Map, t.Kind() == reflect.Interface, t.Kind() == reflect.Slice:
		case t.Kind() == reflect.Bool:
			put(out, way, false)
		case t.Kind() == reflect.String && way[len(way)-1] == "client_id":
			put(out, way, NewClientID())
		case t.Kind() == reflect.String && way[len(way)-1] == "text":
			put(out, way, UniqueWord(r.Attacker.Root))
		case t.Kind() == reflect.String:
			put(out, way, "")
		default:
			put(out, way, 1)
		}
	})
	return out
}

// put sets a member at a way of one or two names; the second may be the first place of a list.
func put(object map[string]any, way []string, value any) {
	switch {
	case len(way) == 1:
		object[way[0]] = value
	case way[1] == "0" && len(way) == 2:
		object[way[0]] = []any{value}
	default:
		inner, ok := object[way[0]].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[way[0]] = inner
		}
		put(inner, way[1:], value)
	}
}

// listen lets the victim write, and looks whether the attacker hears of it.
func (r *Rig) listen(ctx context.Context, s Socket, talk *inside.Talk) (*Finding, error) {
	conversation, known := r.Victim.Pool.first("conversation")
	if _, writes := s.Ops["send"]; !writes || !known || !r.Speak {
		return nil, nil
	}
	victim, err := r.talk(ctx, s, r.Victim)
	if victim == nil || err != nil {
		return nil, err
	}
	defer victim.Close()
	said, err := victim.Ask("send", map[string]any{"client_id": NewClientID(), "conversation": conversation, "text": UniqueWord(r.Victim.Root)})
	if err == nil && said.Error != nil {
		err = fmt.Errorf("the victim cannot write: %s", said.Error)
	}
	if err != nil {
		return nil, err
	}
	r.Spoken++
	marks := r.marks()
	for _, f := range talk.Linger(linger) {
		text, _ := json.Marshal(f)
		if form := marks.Find(append(text, f.Raw...)); form != "" {
			return &Finding{"socket " + s.Path, s.As, "nothing", "news of the other tenant arrives (" + form + ")"}, nil
		}
	}
	return nil, nil
}

// linger is how long the attacker goes on listening for news that is not for it.
const linger = 150 * time.Millisecond

// socketTime is how long one round over a socket may take.
const socketTime = 30 * time.Second
