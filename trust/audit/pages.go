package audit

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"aver/base/ids"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/audit/ui"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
)

func (s *Service) keysPage(w http.ResponseWriter, r *http.Request) error {
	view, err := s.keysView(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Keys(view))
}

func (s *Service) rotationPart(w http.ResponseWriter, r *http.Request) error {
	view, err := s.keysView(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.RotationPart(view))
}

func (s *Service) keysView(r *http.Request) (ui.KeysView, error) {
	actor := request.Actor(r.Context())
	state, err := s.KeyState(r.Context(), actor)
	if err != nil {
		return ui.KeysView{}, err
	}
	view := ui.KeysView{Next: state.Next, Unsafe: state.Unsafe, MayRotate: actor.Can(actRotate)}
	newest := map[string]bool{}
	for _, v := range state.Versions {
		view.Versions = append(view.Versions, ui.KeyVersion{Purpose: v.Purpose, Version: int(v.Version), Made: v.Made, Current: !newest[v.Purpose]})
		newest[v.Purpose] = true
	}
	for version, n := range state.Root {
		view.Root = append(view.Root, ui.RootVersion{Version: int(version), Wraps: n})
	}
	if state.Last != nil {
		view.Rotation = &ui.Rotation{State: state.Last.State, Began: state.Last.Began, Ended: state.Last.Ended}
	}
	return view, nil
}

func (s *Service) rotateNow(w http.ResponseWriter, r *http.Request) error {
	if err := s.Rotate(r.Context(), request.Actor(r.Context())); err != nil {
		return err
	}
	page.Redirect(w, r, "/security", ui.Rotating())
	return nil
}

func (s *Service) logPage(w http.ResponseWriter, r *http.Request) error {
	actor, q := request.Actor(r.Context()), r.URL.Query()
	f, err := filterOf(q)
	if err != nil {
		return err
	}
	found, err := s.Search(r.Context(), actor, f, perPage)
	if err != nil {
		return err
	}
	names, err := s.names(r, actor.Tenant())
	if err != nil {
		return err
	}
	view := ui.LogView{Query: q, Back: found.Back}
	for _, e := range found.Entries {
		view.Entries = append(view.Entries, lineOf(e, names))
	}
	if found.Next > 0 {
		view.Older = with(q, "before", strconv.FormatInt(found.Next, 10))
	}
	if f.Before > 0 {
		view.Newer = with(q, "before", "")
	}
	return page.Render(w, r, http.StatusOK, ui.Log(view))
}

// with is the page's address with one parameter changed.
func with(q url.Values, name, value string) string { return ui.Address(q, name, value) }

func (s *Service) names(r *http.Request, tenant ids.Tenant) (out map[ids.User]string, err error) {
	out = map[ids.User]string{}
	err = s.vault.View(r.Context(), identity.System(tenant, "audit"), actRead, func(tx *vault.Tx) error {
		all, err := identity.Names(tx)
		for id, name := range all {
			out[id] = name.Reveal()
		}
		return err
	})
	return out, err
}

func lineOf(e journal.Entry, names map[ids.User]string) ui.Line {
	l := ui.Line{Index: e.Index, At: e.At, Action: e.Action, Denied: e.Outcome == journal.Denied, By: kindWord(e), Who: e.ActorName, Actor: actorText(e), Person: e.Subject.String()}
	if name := names[ids.User(e.Actor)]; vault.ActorKind(e.ActorKind) == vault.AsUser && name != "" {
		l.Who = name
	}
	return l
}

func (s *Service) entryPage(w http.ResponseWriter, r *http.Request) error {
	index, err := strconv.ParseInt(r.PathValue("index"), 10, 64)
	if err != nil {
		return errNoEntry
	}
	actor := request.Actor(r.Context())
	p, err := s.Prove(r.Context(), actor, index)
	if err != nil {
		return err
	}
	names, err := s.names(r, actor.Tenant())
	if err != nil {
		return err
	}
	a := activityOf(p.Entry)
	view := ui.EntryView{Line: lineOf(p.Entry, names), Commitment: a.Commitment, Leaf: b64(p.Leaf[:]), Head: p.Head.Text(), Signed: string(p.Signed), Holds: p.Check() == nil, Size: p.Head.Size}
	for _, t := range a.Touched {
		view.Touched = append(view.Touched, ui.Pair{A: t.Table, B: t.Op, C: t.Key})
	}
	for _, ev := range a.Events {
		n := ""
		if ev.N != 0 {
			n = fmt.Sprint(ev.N)
		}
		view.Events = append(view.Events, ui.Pair{A: ev.Kind, B: string(ev.Object), C: n})
	}
	for _, h := range p.Inclusion {
		view.Inclusion = append(view.Inclusion, h.String())
	}
	return page.Render(w, r, http.StatusOK, ui.Entry(view))
}
