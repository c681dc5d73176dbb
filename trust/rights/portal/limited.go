package portal

import (
	"context"
	"slices"
	"time"

	"aver/base/ids"
	"aver/trust/restriction"
	"aver/trust/rights/letters"
	"aver/vault"
)

// Limited is what becomes of a restriction of the person's data: what goes on in spite of it, and that it ends.
type Limited struct {
	Except []restriction.Exception
	Ends   bool
	EndsAt time.Time // the first of them for people who are shown as one; zero where the person is told first
}

// Limits knows what people have closed. trust/restriction is one.
type Limits interface {
	Exceptions(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]restriction.Exception, error)
	List(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]restriction.Limit, error)
}

// LimitedBy is what becomes of the restriction of people who are shown as one, each exception once.
func LimitedBy(ctx context.Context, limits Limits, actor vault.Actor, people ...ids.Contact) (all Limited, err error) {
	for _, person := range people {
		some, err := limits.Exceptions(ctx, actor, person)
		if err != nil {
			return all, err
		}
		for _, one := range some {
			if !slices.Contains(all.Except, one) {
				all.Except = append(all.Except, one)
			}
		}
		list, err := limits.List(ctx, actor, person)
		if err != nil {
			return all, err
		}
		for _, l := range list {
			if l.Announced.IsZero() {
				continue
			}
			all.Ends = true
			if all.EndsAt.IsZero() || !l.Opens.IsZero() && l.Opens.Before(all.EndsAt) {
				all.EndsAt = l.Opens
			}
		}
	}
	return all, nil
}

// ends says when the restriction does; nothing where it goes on.
func (l Limited) ends(lang, workspace string) string {
	switch t := texts.In(lang); {
	case !l.Ends:
		return ""
	case l.EndsAt.IsZero():
		return t.T("ends.soon", workspace)
	default:
		return t.T("ends.at", workspace, letters.Day(lang, l.EndsAt))
	}
}

// excepted says what goes on, since when, and on a line below, why.
func (l Limited) excepted(lang, workspace string) (lines []string) {
	t := texts.In(lang)
	for _, e := range l.Except {
		line := t.T("except.line", t.T("except."+e.Ground), letters.Day(lang, e.Since))
		if e.Why != "" {
			line += "\n" + t.T("except.why", workspace) + " \u2068" + e.Why + "\u2069" // in whatever direction it was written
		}
		lines = append(lines, line)
	}
	return lines
}
