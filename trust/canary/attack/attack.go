package attack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"aver/trust/canary/inside"
)

// Caller is one way in which a side can call.
type Caller struct {
	Name   string // owner, key, visitor
	Header http.Header
}

// Side is one of two tenants that know nothing of each other.
type Side struct {
	Callers []Caller
	Pool    Pool
	Root    string   // every text that the side wrote contains it
	Secrets []string // other texts that are this side's alone: its name, its tokens, its website key
}

// caller is the side's caller of this name, if there is one.
func (s *Side) caller(name string) (Caller, bool) {
	for _, c := range s.Callers {
		if c.Name == name {
			return c, true
		}
	}
	return Caller{}, false
}

// marks are the victim's bytes that nobody else may see.
func (r *Rig) marks() *Marks {
	if r.kept != nil {
		return r.kept
	}
	s := r.Victim
	words := append([]string{s.Root}, s.Secrets...)
	for kind, list := range s.Pool {
		if r.Chosen[kind] == "" && r.Shared[kind] == "" { // others may make up the same, or see it too
			words = append(words, list...)
		}
	}
	r.kept = NewMarks(words...)
	return r.kept
}

// Attempt is one try to get across.
type Attempt struct {
	What  string // the operation
	As    string // which caller
	Slots string // which identifiers were the victim's

	make func(*Attempt) error // fills in the rest: a plan has thousands of attempts, and none but one needs its requests

	strange, ghost inside.Request
	root           string // of the attacker's own words
	said           string // what was sent besides the request, over a socket
	sent           []pair // what was put in: the victim's, and what stands for it in the sister request
}

type pair struct{ victim, ghost string }

// Finding is a way across.
type Finding struct {
	What, As, Slots string
	Why             string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s as %s with %s: %s", f.What, f.As, f.Slots, f.Why)
}

// Rig is the attacker, the victim and the way in.
type Rig struct {
	Door             *inside.Door
	Attacker, Victim *Side
	Speak            bool              // the victim writes a message, to see whether the attacker hears of it
	Spoken           int               // messages that the victim wrote so
	Skip             map[string]string // operations that are not attacked, with the reason
	Chosen           map[string]string // kinds of identifiers that a tenant makes up for itself, with the reason
	Shared           map[string]string // kinds whose identifiers belong to the installation, with the reason

	kept *Marks // of the victim; a rig is for one round
}

// Plan lists the attempts through the API: each operation, each caller, each choice of slots.
func (r *Rig) Plan(ops []*Operation) []Attempt {
	var out []Attempt
	for _, o := range ops {
		if r.Skip[o.String()] != "" {
			continue
		}
		for _, c := range r.Attacker.Callers {
			if c.Name == Visitor {
				continue // the API takes no visitors; their way in is the widget's
			}
			for _, choice := range r.choices(o) {
				out = append(out, r.attempt(o, c, choice))
			}
			if o.reads() {
				out = append(out, r.attempt(o, c, nil))
			}
			if o.searches() {
				out = append(out, r.words(o, c))
			}
		}
	}
	return out
}

const mostChoices = 31 // of slots of one operation: all subsets of five

// choices are the non-empty sets of slots that the victim's identifiers are put into: all of them up to five slots,
// and for more each alone and all together.
func (r *Rig) choices(o *Operation) [][]Slot {
	var slots []Slot
	for _, s := range o.Slots {
		if r.Shared[s.Kind] == "" && len(r.Victim.Pool[s.Kind]) > 0 {
			slots = append(slots, s)
		}
	}
	var out [][]Slot
	if len(slots) > 5 {
		for _, s := range slots {
			out = append(out, []Slot{s})
		}
		return append(out, slots)
	}
	for set := 1; set < 1<<len(slots); set++ {
		var choice []Slot
		for i, s := range slots {
			if set&(1<<i) != 0 {
				choice = append(choice, s)
			}
		}
		out = append(out, choice)
	}
	return out[:min(len(out), mostChoices)]
}

func (r *Rig) attempt(o *Operation, c Caller, choice []Slot) Attempt {
	return Attempt{What: o.String(), As: c.Name, Slots: joined(choice), root: r.Attacker.Root, make: func(a *Attempt) error {
		ghosts := map[string]string{}
		for _, s := range choice {
			victim, _ := r.Victim.Pool.nth(s.Kind, o.turn(s))
			if ghosts[victim] == "" {
				ghosts[victim] = r.ghost(s.Kind, victim)
				a.sent = append(a.sent, pair{victim, ghosts[victim]})
			}
		}
		return a.requests(o, c, func(ghost bool) filling {
			return filling{word: func() string { return UniqueWord(r.Attacker.Root) }, slot: func(s Slot) (string, bool) {
				if !slices.Contains(choice, s) {
					return r.own(o, s)
				}
				victim, given := r.Victim.Pool.nth(s.Kind, o.turn(s))
				if ghost {
					return ghosts[victim], given
				}
				return victim, given
			}}
		})
	}}
}

// requests builds the two requests of an attempt.
func (a *Attempt) requests(o *Operation, c Caller, fill func(ghost bool) filling) (err error) {
	if a.strange, err = o.request(fill(false)); err != nil {
		return err
	}
	a.ghost, err = o.request(fill(true))
	a.strange.Header, a.ghost.Header = with(a.strange.Header, c.Header), with(a.ghost.Header, c.Header)
	return err
}

// ghost names nothing of anybody's. Of identifiers that a tenant makes up it is always the same one, because an operation
// may take it for a new one of the attacker's: made up anew each time, they would pile up.
func (r *Rig) ghost(kind, text string) string {
	if r.Chosen[kind] != "" {
		return "ghost_" + Letters([]byte(digits(text)))
	}
	return Ghost(text)
}

// own fills a slot that is not attacked: with an identifier of the attacker's where one is needed.
func (r *Rig) own(o *Operation, s Slot) (string, bool) {
	needed := s.In == "path" || s.In == "body"
	for _, p := range o.params {
		needed = needed || p.Name == s.Name && p.Required
	}
	id, known := r.Attacker.Pool.nth(s.Kind, o.turn(s))
	if !known && s.In == "path" {
		if victim, ok := r.Victim.Pool.first(s.Kind); ok {
			return Ghost(victim), true
		}
		return "none", true
	}
	return id, needed && known
}

// words asks with the victim's words where an operation looks for words.
func (r *Rig) words(o *Operation, c Caller) Attempt {
	return Attempt{What: o.String(), As: c.Name, Slots: "the victim's words", root: r.Attacker.Root, make: func(a *Attempt) error {
		a.sent = []pair{{r.Victim.Root, Ghost(r.Victim.Root)}}
		return a.requests(o, c, func(ghost bool) filling {
			word := a.sent[0].victim
			if ghost {
				word = a.sent[0].ghost
			}
			return filling{full: true, word: func() string { return word }, slot: func(s Slot) (string, bool) { return r.own(o, s) }}
		})
	}}
}

func joined(choice []Slot) string {
	if len(choice) == 0 {
		return "nothing of the victim's"
	}
	parts := make([]string, len(choice))
	for i, s := range choice {
		parts[i] = s.String()
	}
	return strings.Join(parts, ", ")
}

func with(a, b http.Header) http.Header {
	out := a.Clone()
	if out == nil {
		out = http.Header{}
	}
	for name, values := range b {
		out[name] = values
	}
	return out
}

// Try makes an attempt and judges the answers. An error means that it could not be made.
func (r *Rig) Try(ctx context.Context, a Attempt) (*Finding, error) {
	if err := a.make(&a); err != nil {
		return nil, err
	}
	strange, err := r.Door.Do(ctx, a.strange)
	if err != nil {
		return nil, err
	}
	ghost, err := r.Door.Do(ctx, a.ghost)
	if err != nil {
		return nil, err
	}
	if strange.Status == http.StatusTooManyRequests || ghost.Status == http.StatusTooManyRequests {
		return nil, ErrBusy
	}
	why, certain := r.judge(a, strange, ghost)
	if why == "" || certain {
		return finding(a, why, ghost)
	}
	return r.again(ctx, a)
}

// finding is what an attempt showed. Two answers that are alike because nothing works here show nothing.
func finding(a Attempt, why string, ghost inside.Answer) (*Finding, error) {
	if why == "" && ghost.Status >= http.StatusInternalServerError {
		return nil, fmt.Errorf("%s: %w (%d)", a.What, errBroken, ghost.Status)
	}
	if why == "" {
		return nil, nil
	}
	return &Finding{a.What, a.As, a.Slots, why}, nil
}

var errBroken = errors.New("the edge answers everything with a fault of its own")

const repeats = 4

// again makes an attempt whose two answers differ several times more: what differs between two things that do not exist,
// because time went by or a list has no order, says nothing. The answers must have one in common. The two take turns, so
// that what changes on the attacker's own side meanwhile, its log for one, lies between few of them.
func (r *Rig) again(ctx context.Context, a Attempt) (*Finding, error) {
	var ghosts []inside.Answer
	why := ""
	for range repeats {
		ghost, err := r.Door.Do(ctx, a.ghost)
		if err != nil {
			return nil, err
		}
		ghosts = append(ghosts, ghost)
		strange, err := r.Door.Do(ctx, a.strange)
		if err != nil {
			return nil, err
		}
		for _, ghost := range ghosts {
			var certain bool
			if why, certain = r.judge(a, strange, ghost); why == "" || certain {
				return finding(a, why, ghost)
			}
		}
	}
	return finding(a, why, ghosts[0])
}

// ErrBusy says that the edge asked the attacker to wait.
var ErrBusy = errors.New("the edge asked to wait")

// judge compares the answer to the victim's identifiers with the one to those that do not exist. certain says that what
// it found cannot be because time went by between the two.
func (r *Rig) judge(a Attempt, strange, ghost inside.Answer) (why string, certain bool) {
	bare := a.withoutSent(everything(strange))
	if form := r.marks().Find(bare); form != "" {
		return "the answer holds bytes of the other tenant (" + form + ")", true
	}
	if strange.Status != ghost.Status {
		return fmt.Sprintf("status %d, but %d for something that does not exist", strange.Status, ghost.Status), false
	}
	for _, name := range []string{"Content-Type", "Location", "Content-Disposition", "Etag", "Set-Cookie"} {
		one, other := a.plain(strange.Header.Get(name), strange), a.plain(ghost.Header.Get(name), ghost)
		if name == "Set-Cookie" {
			one, other = cookieName(one), cookieName(other)
		}
		if one != other {
			return "the header " + name + " differs from the one for something that does not exist", false
		}
	}
	if one, other := a.plain(string(strange.Body), strange), a.plain(string(ghost.Body), ghost); one != other {
		return "the body differs from the one for something that does not exist: " + difference(one, other), false
	}
	return "", false
}

func cookieName(cookie string) string {
	name, _, _ := strings.Cut(cookie, "=")
	return name
}

// everything is all of an answer in which something could be.
func everything(a inside.Answer) []byte {
	var out bytes.Buffer
	_ = a.Header.Write(&out) // a buffer takes all
	out.Write(a.Body)
	return out.Bytes()
}

// withoutSent takes out what the attacker itself had sent, where it stands alone: what goes on is more than was sent.
func (a Attempt) withoutSent(data []byte) []byte {
	said := a.strange.Path + string(a.strange.Body) + a.said
	for _, p := range a.sent {
		if strings.Contains(said, p.victim) {
			data = withoutAlone(data, []byte(p.victim))
		}
	}
	return data
}

func withoutAlone(data, word []byte) []byte {
	out := make([]byte, 0, len(data))
	for {
		at := bytes.Index(data, word)
		if at < 0 {
			return append(out, data...)
		}
		end := at + len(word)
		goesOn := end < len(data) && (data[end] >= 'a' && data[end] <= 'z' || data[end] >= '0' && data[end] <= '9')
		out = append(out, data[:at]...)
		if goesOn {
			out = append(out, word...)
		} else {
			out = append(out, '*')
		}
		data = data[end:]
	}
}

var (
	timeForm  = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d| UTC)?`)
	nonceForm = regexp.MustCompile(`nonce="[^"]*"`)
)

// plain is a text without what differs between any two answers: the request's number, nonces, times, identifiers.
func (a Attempt) plain(text string, answer inside.Answer) string {
	if id := answer.Header.Get("X-Request-Id"); id != "" {
		text = strings.ReplaceAll(text, id, "*")
	}
	for _, p := range a.sent {
		text = strings.ReplaceAll(strings.ReplaceAll(text, p.victim, "*"), p.ghost, "*")
	}
	if a.root != "" {
		text = ownWord(text, a.root)
	}
	text = nonceForm.ReplaceAllString(text, `nonce=""`)
	text = timeForm.ReplaceAllString(text, "*")
	return idForm.ReplaceAllString(text, "${1}_*")
}

// difference is where two texts begin to differ. What stands there may be somebody's, so only the place is told.
func difference(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return fmt.Sprintf("from byte %d on, of %d and %d", n, len(a), len(b))
}

// Control makes an operation's request as the victim itself, with its own identifiers, and returns the status: what does
// not work for its owner proves nothing when it does not work for a stranger. written is the body, where a made-up one
// would not do; $word and $kind stand for a text and an identifier.
func (r *Rig) Control(ctx context.Context, o *Operation, as, written string) (status int, err error) {
	c, ok := r.Victim.caller(as)
	if !ok {
		return 0, fmt.Errorf("the victim has no caller %s", as)
	}
	for _, all := range []bool{true, false} { // with what need not be there, and without
		q, err := o.request(filling{word: func() string { return UniqueWord(r.Victim.Root) }, slot: func(s Slot) (string, bool) {
			id, known := r.Victim.Pool.nth(s.Kind, o.turn(s))
			return id, known && (all && s.In != "query" || s.In == "path" || len(o.Slots) == 1)
		}})
		if err != nil {
			return 0, err
		}
		if written != "" {
			q.Body = []byte(r.Victim.write(written))
		}
		q.Header = with(q.Header, c.Header)
		answer, err := r.Door.Do(ctx, q)
		if err != nil || answer.Status < http.StatusMultipleChoices {
			return answer.Status, err
		}
		status = answer.Status
	}
	return status, nil
}

// write fills a written body.
func (s *Side) write(text string) string {
	for kind, list := range s.Pool {
		text = strings.ReplaceAll(text, `"$`+kind+`"`, `"`+list[0]+`"`)
	}
	return strings.ReplaceAll(text, "$word", UniqueWord(s.Root))
}

// The callers of a side.
const (
	Owner   = "owner"
	Key     = "key"
	Visitor = "visitor"
)

const tail = 6 // letters that make a word unique

// UniqueWord is a text that nobody wrote before.
func UniqueWord(root string) string { return root + strings.ToLower(randomText())[:tail] }

// ownWord takes what is unique about the attacker's words out of a text.
func ownWord(text, root string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, root)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString("*")
		text = after[min(tail, len(after)):]
	}
}

// Missing lists slots for which the victim has no identifier: attacks on them prove nothing.
func (r *Rig) Missing(ops []*Operation) []string {
	var out []string
	for _, o := range ops {
		for _, s := range o.Slots {
			if r.Skip[o.String()] == "" && r.Shared[s.Kind] == "" && len(r.Victim.Pool[s.Kind]) == 0 {
				out = append(out, o.String()+" "+s.String())
			}
		}
	}
	return out
}
