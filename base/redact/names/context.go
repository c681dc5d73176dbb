package names

import "aver/base/redact/scan"

// belief is how much the words before a name say that one comes.
type belief int

const (
	nothing belief = iota
	likely         // "I'm", "with": believed of two words, or one that is on a list
	certain        // "my name is", "Herr", "Dear", "Regards,"
)

// said is what the words before a token say.
func (f *finder) said(i int) belief {
	j := i - 1
	sign := byte(0)
	if k := f.t.At(j); k.Kind == scan.Sign && !k.Is(scan.Foreign) {
		sign = f.t.S[k.From]
		j--
	}
	opens := f.t.Tokens[i].Is(scan.Opens)
	c, before := f.class(j), f.class(j-1)
	k := f.t.At(j)
	if k.Kind != scan.Word {
		return nothing
	}
	switch {
	case c&naming != 0 && (sign == ':' || sign == '=' || sign == '?' && f.ends()), c&strong != 0 && sign == 0:
		return certain
	case c&closing != 0 && (opens || sign == ',') && f.ends():
		return certain
	case c&title != 0 && !opens && (sign == 0 || sign == '.') && k.Len() < 14:
		return certain
	case sign != 0 && !(sign == '-' && c&strong != 0) || opens:
		return nothing
	case c&linking != 0 && before&(naming|strong) != 0:
		return certain
	case c&greeting != 0 && f.ends():
		return certain
	case c&(weak|near) != 0, c&(linking|particle) != 0 && before&(weak|naming) != 0, f.t.Of(k) == "à", c&linking != 0 && before&speaking != 0, c&speaking != 0 && before&speaking != 0:
		return likely
	}
	return f.speaker(j)
}

// employs tells whether the words before a token say that somebody works for what follows.
func (f *finder) employs(i int) bool {
	if f.class(i-2)&working == 0 || f.t.Tokens[i].Is(scan.Opens) {
		return false
	}
	switch f.t.Of(f.t.At(i - 1)) {
	case "for", "at", "with", "für", "bei", "pour", "chez", "para", "en", "per", "presso", "na", "no", "bij", "voor", "w", "we", "dla":
		return true
	}
	return false
}

// speaker: "ich bin", "hier spricht", "je suis", "ik ben".
func (f *finder) speaker(j int) belief {
	k := f.t.At(j)
	if f.class(j-1)&speaking == 0 || k.Len() > 8 {
		return nothing
	}
	switch f.t.Of(k) {
	case "bin", "spricht", "schreibt", "suis", "ben", "är":
		return likely
	}
	return nothing
}

// speaks tells whether what follows the gathered words is done by people: "told me", "und ich".
func (f *finder) speaks() bool {
	i := f.seq[len(f.seq)-1] + 1
	c := f.class(i)
	if c&saying == 0 || f.t.Tokens[i].Is(scan.Capital) || f.t.Tokens[i].Is(scan.Opens) {
		return false
	}
	first := f.classes[f.seq[0]]
	if c&(linking|common|near|particle) == 0 {
		return true
	}
	return first&given != 0 || len(f.seq) > 1 && f.classes[f.seq[len(f.seq)-1]]&surname != 0 || f.class(i+1)&speaking != 0
}

// ends tells whether a line, a sentence or a clause ends behind the gathered words.
func (f *finder) ends() bool {
	last := f.seq[len(f.seq)-1] + 1
	if last >= len(f.t.Tokens) {
		return true
	}
	k := f.t.Tokens[last]
	return k.Is(scan.Opens) || k.Kind == scan.Sign
}

// introduced takes names without a capital letter: behind "my name is", if they are on a list or end the clause.
func (f *finder) introduced(i int) int {
	f.seq = append(f.seq[:0], i)
	if f.said(i) != certain || f.classes[i]&(common|title|naming|linking|greeting|closing) != 0 || f.t.Tokens[i].Len() < 3 {
		return 0
	}
	last := i
	if next := f.t.At(i + 1); next.Kind == scan.Word && !next.Is(scan.Opens) && f.class(i+1)&common == 0 {
		last = i + 1
	}
	f.seq[0] = last
	if !f.ends() && f.classes[last]&(given|surname) == 0 && f.classes[i]&given == 0 {
		last, f.seq[0] = i, i
	}
	if f.classes[i]&(given|surname) == 0 && !f.ends() {
		return 0
	}
	if c := f.class(i - 1); c&(greeting|closing|title) != 0 && f.classes[i]&given == 0 {
		return 0
	}
	f.add(f.t.Tokens[i].From, f.t.Tokens[last].To, scan.Name)
	return last + 1
}

// company takes the name before a word such as GmbH, or before S.A. with its points.
func (f *finder) company(i int) int {
	last := f.suffix(i)
	if last < 0 {
		return 0
	}
	first := i
	for j, n := i-1, 0; j >= 0 && n < 4; j-- {
		k := &f.t.Tokens[j]
		if k.Kind == scan.Sign && (n == 0 && f.t.S[k.From] == ',' || n > 0 && (f.t.S[k.From] == '&' || f.t.S[k.From] == '-')) {
			continue
		}
		if k.Kind == scan.Word && !f.big(j) && f.classes[j]&particle != 0 && first < i && f.big(j-1) { // du of Lumière du Sud
			continue
		}
		if !f.big(j) || f.classes[j]&(title|greeting) != 0 || f.classes[j]&common != 0 && f.classes[j]&particle == 0 && f.t.Begins(j) {
			break
		}
		first, n = j, n+1
		if k.Is(scan.Opens) {
			break
		}
	}
	if first == i {
		return 0
	}
	f.add(f.t.Tokens[first].From, f.t.Tokens[last].To, scan.Company)
	return last + 1
}

// suffix tells with which token the word or letters end that say what sort of company it is; -1 if they do not.
func (f *finder) suffix(i int) int {
	k := &f.t.Tokens[i]
	if k.Is(scan.Opens) || !k.Is(scan.Capital) && f.classes[i]&mark == 0 && !(f.small && k.Len() == 1) {
		return -1
	}
	if k.Len() > 1 {
		if f.t.Of(k) == "Sp" { // z o.o.
			if f.t.IsSign(i+1, '.') && f.t.At(i+2).Len() == 1 && f.t.At(i+3).Len() == 1 {
				return min(i+6, len(f.t.Tokens)-1)
			}
			return -1
		}
		return i
	}
	letters, last := 0, i
	for j := i; j+1 < len(f.t.Tokens) && letters < 4; j += 2 {
		if f.t.Tokens[j].Len() != 1 || f.t.Tokens[j].Kind != scan.Word || !f.t.IsSign(j+1, '.') || j > i && f.t.Tokens[j].Is(scan.Spaced) {
			break
		}
		f.fold[letters] = f.t.S[f.t.Tokens[j].From] | 0x20
		letters, last = letters+1, j+1
	}
	switch string(f.fold[:letters]) {
	case "sa", "srl", "spa", "bv", "nv", "sl":
		return last
	}
	return -1
}
