package attack

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"aver/trust/canary/inside"
)

// Harvest asks every reading operation as the side itself, until no answer shows an identifier that is new.
func Harvest(ctx context.Context, door *inside.Door, ops []*Operation, side *Side) error {
	for range 4 {
		before := len(side.Pool.All())
		for _, o := range ops {
			if o.reads() {
				if err := harvestOne(ctx, door, o, side); err != nil {
					return err
				}
			}
		}
		if len(side.Pool.All()) == before {
			return nil
		}
	}
	return nil
}

func harvestOne(ctx context.Context, door *inside.Door, o *Operation, side *Side) error {
	for _, c := range side.Callers {
		if c.Name == Visitor {
			continue
		}
		for _, query := range []bool{false, true} {
			q, err := o.request(filling{few: !query, word: func() string { return side.Root }, slot: func(s Slot) (string, bool) {
				id, known := side.Pool.first(s.Kind)
				return id, known && (query || s.In != "query")
			}})
			if err != nil {
				return err
			}
			q.Header = with(q.Header, c.Header)
			answer, err := door.Do(ctx, q)
			if err != nil {
				return fmt.Errorf("harvest %s: %w", o, err)
			}
			if answer.Status == http.StatusOK {
				o.harvest(answer.Body, side.Pool)
			}
		}
	}
	return nil
}

// destructive operations are not used for seeding: they take away, or away from, what seeding is to bring.
var destructive = regexp.MustCompile(`(?i)(eras|delet|remov|revok|disabl|close|merge|archive|block|rotat|cancel|undo|redact|export|deny|extend|confirm|dismiss|replay|deliver|test|convert|read_receipt)`)

// Seed lets a side make one of everything through the API, with texts that contain its root. Operations that refuse
// are left out: Missing tells what could not be made.
// bodies are written out where a made-up one would not do; $word becomes the side's own text.
func Seed(ctx context.Context, door *inside.Door, ops []*Operation, side *Side, skip, bodies map[string]string) error {
	for range 2 { // what the first round made, the second can refer to
		for _, o := range ops {
			if o.reads() || o.Method == http.MethodDelete || skip[o.String()] != "" || destructive.MatchString(strings.ToLower(o.Path)) {
				continue
			}
			if err := seedOne(ctx, door, o, side, bodies[o.String()]); err != nil {
				return err
			}
		}
		if err := Harvest(ctx, door, ops, side); err != nil {
			return err
		}
	}
	return nil
}

// seedOne asks with everything, and if that is refused with what is needed alone.
func seedOne(ctx context.Context, door *inside.Door, o *Operation, side *Side, written string) error {
	for _, full := range []bool{true, false} {
		for _, c := range side.Callers {
			if c.Name == Visitor {
				continue
			}
			known := true
			q, err := o.request(filling{full: full, word: func() string { return UniqueWord(side.Root) }, slot: func(s Slot) (string, bool) {
				id, have := side.Pool.first(s.Kind)
				known = known && (have || s.In != "path")
				return id, have && (s.In == "path" || full)
			}})
			if err != nil {
				return err
			}
			if !known {
				return nil
			}
			if written != "" {
				q.Body = []byte(side.write(written))
			}
			q.Header = with(q.Header, c.Header)
			answer, err := door.Do(ctx, q)
			if err != nil {
				return fmt.Errorf("seed %s: %w", o, err)
			}
			if answer.Status < 300 {
				o.harvest(answer.Body, side.Pool)
				return nil
			}
		}
	}
	return nil
}

// ByHarm orders operations: those that read, those that make and change, those that take away.
func ByHarm(ops []*Operation) []*Operation {
	harm := func(o *Operation) int {
		switch {
		case o.reads():
			return 0
		case o.Method == http.MethodDelete || destructive.MatchString(strings.ToLower(o.Path)):
			return 2
		}
		return 1
	}
	out := slices.Clone(ops)
	slices.SortStableFunc(out, func(a, b *Operation) int { // of those that take away, what lies deeper comes first
		if d := harm(a) - harm(b); d != 0 || harm(a) < 2 {
			return d
		}
		return strings.Count(b.Path, "/") - strings.Count(a.Path, "/")
	})
	return out
}
