package purpose

import "aver/base/errs"

// Mode is how a purpose is guarded.
type Mode uint8

// The modes. The zero mode guards nothing.
const (
	Free      Mode = iota
	Self           // the person acts: only what they write needs their consent, where the purpose rests on it
	Staff          // people who work for the tenant act: not about the restricted, and no word to who said no
	Clerk          // the same without a word to anybody: not about the restricted
	Trustee        // as Staff, by somebody who looks after people's rights, who may read of the restricted too
	Automated      // a program acts
	Finder         // the same, which must know who is there already: reading is not guarded
	Nobody         // what is done is about nobody
	Modes          // how many there are
)

// Guard is the condition under which an action may touch a person.
type Guard struct {
	Mode Mode
	Name string // of the purpose
}

// Reads tells whether reading is guarded too.
func (m Mode) Reads() bool { return m == Staff || m == Clerk || m == Automated || m == Nobody }

// from is the beginning of a question about standings. Where rows carry their tenant, it is a question about one.
func from(what, alias string, tenant bool) string {
	out := "SELECT " + what + " FROM standings AS " + alias + " WHERE "
	if tenant {
		out += alias + ".tenant_id = ? AND "
	}
	return out
}

// Reading is the SQL condition under which a row about the person may be read: person is the name of a column.
func (m Mode) Reading(person string, tenant bool) string {
	switch m {
	case Nobody:
		return "(" + person + " IS NULL)"
	case Staff, Clerk:
		return "(" + person + " IS NULL OR " + person + " NOT IN (" + from("limits.person", "limits", tenant) + "limits.kind = 'restrict') OR " + opened(person, tenant) + ")"
	}
	return "(" + person + " IS NULL OR " + m.Writing(person, tenant) + ")"
}

// ReadingArgs are the values of Reading.
func (g Guard) ReadingArgs(tenant []byte) []any {
	if g.Mode == Staff || g.Mode == Clerk {
		return args(tenant, nil, nil, []any{g.Name})
	}
	return g.WritingArgs(nil, tenant)
}

// Writing is the SQL condition under which something may be written about the person: a column, or ? for a value.
func (m Mode) Writing(person string, tenant bool) string {
	is := ".person = " + person + " AND "
	said := from("1", "said", tenant) + "said" + is
	no := "NOT EXISTS (" + said + "said.kind = 'refused' AND said.purpose = ?)"
	free := "(NOT EXISTS (" + from("1", "limits", tenant) + "limits" + is + "limits.kind = 'restrict') OR " + opened(person, tenant) + ")"
	switch m {
	case Nobody:
		return "1 = 0"
	case Staff:
		return no + " AND " + free
	case Clerk:
		return free
	case Trustee:
		return no
	}
	terms := func(column string) string {
		where := "terms.id = ?"
		if tenant {
			where = "terms.tenant_id = ? AND " + where
		}
		return "COALESCE((SELECT terms." + column + " FROM purposes AS terms WHERE " + where + "), ?)"
	}
	return "NOT EXISTS (" + said + "(said.kind IN ('restrict', ?) OR said.kind IN ('object', 'refused') AND said.purpose IN ('" + All + "', ?) OR said.kind = 'opt_out_sale' AND " + terms("shares") + "))" +
		" AND (" + terms("basis") + " <> 'consent' OR EXISTS (" + from("1", "yes", tenant) + "yes" + is + "yes.kind = 'granted' AND yes.purpose = ?))"
}

// Asking is the question whether something may be written about a person, with the values of WritingArgs. It is asked for
// every message, and so written once.
func (m Mode) Asking(tenant bool) string {
	if tenant {
		return asking[m][1]
	}
	return asking[m][0]
}

var asking = func() (out [Modes][2]string) {
	for m := range Modes {
		for i, tenant := range []bool{false, true} {
			out[m][i] = "SELECT 1 WHERE " + m.Writing("?", tenant)
			if m == Self {
				out[m][i] = from("1", "said", tenant) + "said.person = ? AND said.kind = 'granted' AND said.purpose = ?" // a row that can be held
			}
		}
	}
	return out
}()

// opened is the condition that the person, or the tenant with a ground of Art. 18(2), has opened the purpose.
func opened(person string, tenant bool) string {
	return "EXISTS (" + from("1", "opened", tenant) + "opened.person = " + person + " AND opened.kind IN ('granted', 'excepted') AND opened.purpose = ?)"
}

// WritingArgs are the values of Writing; person is nil where a column stands for it, and tenant where rows carry none.
func (g Guard) WritingArgs(person, tenant []byte) []any {
	switch g.Mode {
	case Self, Trustee:
		return args(tenant, person, []any{g.Name})
	case Staff:
		return args(tenant, person, []any{g.Name}, nil, []any{g.Name})
	case Clerk:
		return args(tenant, person, nil, []any{g.Name})
	case Nobody:
		return nil
	}
	terms := Of(g.Name)
	out := args(tenant, person, []any{string(terms.stop), g.Name})
	out = append(append(out, args(tenant, nil, []any{g.Name, terms.Shares})...), args(tenant, nil, []any{g.Name, string(terms.Basis)})...)
	return append(out, args(tenant, person, []any{g.Name})...)
}

// args puts tenant and person in front of each question's own values.
func args(tenant, person []byte, questions ...[]any) (out []any) {
	for _, q := range questions {
		if tenant != nil {
			out = append(out, tenant)
		}
		if person != nil {
			out = append(out, person)
		}
		out = append(out, q...)
	}
	return out
}

// Said is one thing that a person has said, or that was said for them.
type Said struct {
	Kind    Kind
	Purpose string
}

var (
	errNobody     = errs.New(errs.Forbidden, "This is done for the workspace and may touch nobody's data.")
	errRestricted = errs.New(errs.Restricted, "The processing of this person's data is restricted (GDPR Art. 18). It is kept, and used only with the person's consent or for legal claims.")
	errObjected   = errs.New(errs.Restricted, "This person has objected to this use of their data.")
	errConsent    = errs.New(errs.ConsentRequired, "This person has not agreed to this yet.")
	errWithdrawn  = errs.New(errs.ConsentRequired, "This person has withdrawn their consent and cannot be written to.")
)

// Reason says why the guard refused, from all that the person has said and the ground on which the purpose rests.
func (g Guard) Reason(all []Said, basis Basis) error {
	if g.Mode == Nobody {
		return errNobody
	}
	why, code := errConsent, "no-consent"
	for _, s := range all {
		about := s.Purpose == All || s.Purpose == g.Name
		switch {
		case s.Kind == Restrict && g.Mode != Self:
			return g.naming(errRestricted, "restricted", "closed by a restriction (GDPR Art. 18)")
		case s.Kind == Refused && about:
			why, code = errWithdrawn, "withdrawn"
		case s.Kind == Object && about && g.Mode.automated(), s.Kind == OptOutSale && g.Mode.automated(), s.Kind == Of(g.Name).stop:
			why, code = errObjected, "objected"
		}
	}
	says := map[string]string{"no-consent": "it rests on " + string(basis) + ", and there is none", "withdrawn": "the consent to it was refused or withdrawn", "objected": "closed by an objection or opt-out"}
	return g.naming(why, code, says[code])
}

func (m Mode) automated() bool { return m == Automated || m == Finder }

// naming is the refusal that says which purpose lacks what.
func (g Guard) naming(why *errs.Error, code, says string) error {
	return errs.New(why.Kind, why.Message, errs.Field{Field: "purpose", Code: code, Message: "The purpose " + g.Name + ": " + says + "."})
}
