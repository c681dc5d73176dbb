package receipts

import (
	"sort"

	"aver/trust/consent"
	shown "aver/trust/consent/receipts/ui"
	"aver/trust/consent/ui"
)

// drawn puts what happened with a person into the picture of the person's page.
func drawn(s consent.Story, base string) ui.History {
	h := ui.History{Now: s.Now}
	name := func(id string) string { return ui.Purpose{ID: id, Names: s.Names[id]}.Name() }
	for _, r := range s.Acts {
		h.Acts = append(h.Acts, ui.Act{Kind: kind(r), Purpose: name(r.Purpose), At: r.At, Version: r.Version, Language: r.Language, How: string(r.How), Receipt: base + r.ID.String()})
	}
	for _, n := range s.Asked {
		h.Acts = append(h.Acts, ui.Act{Kind: ui.Asked, Purpose: name(n.Purpose), At: n.CreatedAt, Version: n.Version, Language: n.Language})
	}
	for _, a := range s.Grounds {
		h.Acts = append(h.Acts, ui.Act{Kind: ui.Stated, Purpose: name(a.Purpose), At: a.Since, Basis: string(a.Basis), Words: a.Words.Reveal(), SignedBy: a.SignedBy, How: string(a.How), Receipt: base + a.ID.String()})
	}
	sort.SliceStable(h.Acts, func(i, j int) bool { return h.Acts[i].At.Before(h.Acts[j].At) })
	return h
}

func kind(r consent.Record) ui.Kind {
	switch {
	case r.Granted:
		return ui.Given
	case r.Version == 0:
		return ui.Refused
	}
	return ui.Withdrawn
}

// mine tells people of their receipts, newest first.
func mine(s consent.Story, lang, base string) shown.Mine {
	m := shown.Mine{Lang: lang}
	for _, r := range s.Acts {
		m.Receipts = append(m.Receipts, m.Receipt(r.ID.String(), string(kind(r)), purpose(s, lang, r.Purpose), r.At, base))
	}
	for _, a := range s.Grounds {
		m.Receipts = append(m.Receipts, m.Receipt(a.ID.String(), string(ui.Stated), purpose(s, lang, a.Purpose), a.At, base))
	}
	sort.SliceStable(m.Receipts, func(i, j int) bool { return m.Receipts[i].At.After(m.Receipts[j].At) })
	return m
}

// purpose is what the tenant calls a purpose in the person's language, else what Aver does.
func purpose(s consent.Story, lang, id string) string {
	if name := s.Names[id][lang]; name != "" {
		return name
	}
	if name := shown.Purpose(lang, id); name != "" {
		return name
	}
	return ui.Purpose{ID: id, Names: s.Names[id]}.Name()
}
