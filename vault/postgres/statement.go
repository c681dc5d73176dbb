package postgres

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A statement is a text that may run, with PostgreSQL's placeholders.
type statement struct {
	text   string
	values int  // how many placeholders
	alone  bool // may break a rule after which the transaction should go on: runs in a savepoint of its own
	undoes bool // ROLLBACK TO
}

// texts remembers what became of each text. Texts are constants of the program, so there are not many; should somebody
// make them at run time, the memory stays bounded.
type texts struct {
	known sync.Map // text → statement
	count atomic.Int64
}

const manyTexts = 10_000

func (t *texts) statement(query string) (statement, error) {
	if s, found := t.known.Load(query); found {
		return s.(statement), nil
	}
	s, err := rewrite(query)
	if err != nil {
		return s, err
	}
	if t.count.Add(1) <= manyTexts {
		t.known.Store(query, s)
	}
	return s, nil
}

var errRefused = errors.New("statement refused")

// rewrite turns ? into $n and refuses what could outlive the transaction or change its tenant: settings, cursors,
// temporary tables, a transaction's end, several statements in one text.
func rewrite(query string) (statement, error) {
	words := strings.Fields(strings.ToUpper(query))
	if len(words) == 0 {
		return statement{}, fmt.Errorf("%w: it is empty", errRefused)
	}
	switch words[0] {
	case "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE":
	case "ROLLBACK":
		if len(words) < 2 || words[1] != "TO" {
			return statement{}, fmt.Errorf("%w: only ROLLBACK TO a savepoint is the caller's", errRefused)
		}
	default:
		return statement{}, fmt.Errorf("%w: it may not begin with %.20s", errRefused, words[0])
	}
	text, values, err := number(query)
	if err != nil {
		return statement{}, err
	}
	writes := words[0] == "INSERT" || words[0] == "UPDATE"
	return statement{
		text:   text,
		values: values,
		alone:  writes && !strings.Contains(strings.Join(words, " "), "ON CONFLICT DO NOTHING"),
		undoes: words[0] == "ROLLBACK",
	}, nil
}

// number replaces each ? outside of quotes by $1, $2, ….
func number(query string) (string, int, error) {
	var out strings.Builder
	var quote byte
	plain := make([]byte, 0, len(query)) // what stands outside of quotes
	values := 0
	for i := range len(query) {
		b := query[i]
		switch {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '\'' || b == '"':
			quote = b
		case b == '?':
			values++
			out.WriteByte('$')
			out.WriteString(strconv.Itoa(values))
			continue
		default:
			plain = append(plain, b)
		}
		out.WriteByte(b)
	}
	if quote != 0 {
		return "", 0, fmt.Errorf("%w: a quote is not closed", errRefused)
	}
	for _, no := range []string{";", "$", `\`, "--", "/*", "set_config", "\x00"} {
		if strings.Contains(strings.ToLower(string(plain)), no) {
			return "", 0, fmt.Errorf("%w: %q has no place in it", errRefused, no)
		}
	}
	if strings.Contains(query, `\`) { // E'…\'…' would end a literal elsewhere than this function thinks
		return "", 0, fmt.Errorf("%w: it has a backslash", errRefused)
	}
	return out.String(), values, nil
}

// fit tells whether the values can be sent with the statement. It names types and never values.
func (s statement) fit(values []any) error {
	if len(values) != s.values {
		return fmt.Errorf("%d values for %d placeholders in: %s", len(values), s.values, s.text)
	}
	for i, v := range values {
		switch v.(type) {
		case nil, int64, float64, bool, string, []byte:
		default:
			return fmt.Errorf("value %d has type %T in: %s", i+1, v, s.text)
		}
	}
	return nil
}
