package postings_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"aver/base/ids"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
	"aver/vault/postings"
	"aver/vault/sqlite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// each runs the test on both databases, over the vault's own schema.
func each(t *testing.T, test func(*testing.T, postings.Store)) {
	text, err := vault.Migrations().(interface{ ReadFile(string) ([]byte, error) }).ReadFile("migrations/0001_vault.sql")
	if err != nil {
		t.Fatal(err)
	}
	migrations := []engine.Migration{{Version: 1001, Name: "vault", SQL: string(text)}}
	on := func(e engine.Engine) postings.Store {
		return postings.Store{
			Read:  func(fn func(engine.Conn) error) error { return e.Read(context.Background(), ids.Installation, fn) },
			Write: func(fn func(engine.Conn) error) error { return e.Write(context.Background(), ids.Installation, fn) },
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		e, err := sqlite.Open(sqlite.Config{Root: t.TempDir(), Migrations: migrations,
			PageKey: func(context.Context, ids.Tenant) ([]byte, error) { return make([]byte, 64), nil }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		if err := e.Create(t.Context(), ids.Installation); err != nil {
			t.Fatal(err)
		}
		test(t, on(e))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: migrations})
		test(t, on(db.Open(t, postgres.StoreSchema, migrations)))
	})
}

// number is the n-th token.
func number(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// document has the token of its number, those of what divides it up to ten, and one that all have.
func document(n int) postings.Doc {
	tokens := [][]byte{number(0), number(1000 + n)}
	for d := 2; d <= 10; d++ {
		if n%d == 0 {
			tokens = append(tokens, number(d))
		}
	}
	slices.SortFunc(tokens, bytes.Compare)
	subject := make([]byte, 16)
	subject[15] = byte(n % 5)
	return postings.Doc{Key: fmt.Appendf(nil, "doc %d", n), Subject: subject, Tokens: bytes.Join(tokens, nil)}
}

func add(t *testing.T, s postings.Store, source string, from, to int) {
	t.Helper()
	for from < to {
		var docs []postings.Doc
		for ; from < to && len(docs) < 500; from++ {
			docs = append(docs, document(from))
		}
		write(t, s, func(c engine.Conn) error { return postings.Add(c, source, docs) })
	}
}

func write(t *testing.T, s postings.Store, fn func(engine.Conn) error) {
	t.Helper()
	if err := s.Write(fn); err != nil {
		t.Fatal(err)
	}
}

func search(t *testing.T, s postings.Store, source string, limit int, tokens ...int) []string {
	t.Helper()
	var wanted [][]byte
	for _, n := range tokens {
		wanted = append(wanted, number(n))
	}
	var found []string
	err := s.Read(func(c engine.Conn) error {
		keys, err := postings.Search(c, source, wanted, limit)
		for _, k := range keys {
			found = append(found, string(k))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func merge(t *testing.T, s postings.Store, source string) {
	t.Helper()
	if err := postings.Merge(s, source); err != nil {
		t.Fatal(err)
	}
}

const many = 5000 // two blocks and some that are fresh

func TestDocumentsAreFoundByAllTheirTokensTheLastFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s postings.Store) {
		add(t, s, "other", 1, 100) // another source is not looked through
		add(t, s, "messages", 1, many)
		merge(t, s, "messages")
		for name, c := range map[string]struct {
			tokens []int
			want   []string
		}{
			"fresh":              {[]int{1000 + many - 1}, []string{fmt.Sprint("doc ", many-1)}},
			"in the first block": {[]int{1007}, []string{"doc 7"}},
			"several tokens":     {[]int{7, 8, 9, 10}, []string{"doc 2520"}},
			"nothing":            {[]int{1007, 1008}, nil},
			"unknown":            {[]int{99}, nil},
		} {
			if got := search(t, s, "messages", 100, c.tokens...); !slices.Equal(got, c.want) {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
			}
		}
		all := search(t, s, "messages", 10_000, 0)
		if len(all) != many-1 || all[0] != fmt.Sprint("doc ", many-1) || all[len(all)-1] != "doc 1" {
			t.Errorf("found %d from %v", len(all), all[:min(1, len(all))])
		}
		if got := search(t, s, "messages", 3, 10); !slices.Equal(got, []string{"doc 4990", "doc 4980", "doc 4970"}) {
			t.Errorf("the last three: %v", got)
		}
	})
}

func TestWhatIsForgottenLeavesNoTokens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s postings.Store) {
		add(t, s, "messages", 1, many)
		merge(t, s, "messages")
		write(t, s, func(c engine.Conn) error {
			return postings.Forget(c, "messages", [][]byte{[]byte("doc 7"), fmt.Appendf(nil, "doc %d", many-1), []byte("never was")})
		})
		add(t, s, "messages", 8, 9) // filed anew
		begins := append([]byte{16}, make([]byte, 15)...)
		byKey := postings.Doc{Key: append(append(begins, 3), "doc of 3"...), Tokens: number(5000)} // the key begins with the subject
		write(t, s, func(c engine.Conn) error { return postings.Add(c, "others", []postings.Doc{byKey}) })
		for _, n := range []int{1007, 1000 + many - 1} {
			if got := search(t, s, "messages", 10, n); got != nil {
				t.Errorf("still found: %v", got)
			}
		}
		if got := search(t, s, "messages", 10, 1008); !slices.Equal(got, []string{"doc 8"}) {
			t.Errorf("filed anew: %v", got)
		}
		for subject := range 5 {
			forgetSubject(t, s, byte(subject))
		}
		for _, table := range []string{"search_docs", "search_fresh", "search_terms"} {
			if left := rows(t, s, table); left != 0 {
				t.Errorf("%s: %d rows are left", table, left)
			}
		}
	})
}

func forgetSubject(t *testing.T, s postings.Store, last byte) {
	t.Helper()
	subject := make([]byte, 16)
	subject[15] = last
	for n := 1; n > 0; {
		write(t, s, func(c engine.Conn) (err error) {
			n, err = postings.ForgetSubject(c, subject, 500)
			return err
		})
	}
	write(t, s, func(c engine.Conn) error {
		n, err := postings.CountSubject(c, subject)
		if n != 0 {
			t.Errorf("%d documents of somebody who was forgotten are filed", n)
		}
		return err
	})
	for _, key := range search(t, s, "messages", 10_000, 0) {
		var n int
		if _, err := fmt.Sscanf(key, "doc %d", &n); err != nil || n%5 == int(last) {
			t.Errorf("%s is about somebody who was forgotten (%v)", key, err)
		}
	}
}

func rows(t *testing.T, s postings.Store, table string) (n int64) {
	t.Helper()
	err := s.Read(func(c engine.Conn) error {
		return c.Query("SELECT count(*) FROM "+table, nil, func(row []any) error {
			n = row[0].(int64)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAnInterruptedMergeHidesNothingAndBeginsAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s postings.Store) {
		add(t, s, "messages", 1, many)
		for steps := range 12 {
			crashing := s
			left := steps
			crashing.Write = func(fn func(engine.Conn) error) error {
				if left--; left < 0 {
					return engine.ErrAway
				}
				return s.Write(fn)
			}
			_ = postings.Merge(crashing, "messages")
			if got := len(search(t, s, "messages", 10_000, 0)); got != many-1 {
				t.Errorf("after %d steps %d documents are found", steps, got)
			}
		}
		merge(t, s, "messages")
		if left := rows(t, s, "search_fresh"); left >= 2048 {
			t.Errorf("%d documents are still fresh", left)
		}
	})
}

func TestWhatIsForgottenDuringAMergeStaysForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s postings.Store) {
		add(t, s, "messages", 1, many)
		step := 0
		meddling := s
		meddling.Write = func(fn func(engine.Conn) error) error {
			if step++; step == 3 {
				write(t, s, func(c engine.Conn) error { return postings.Forget(c, "messages", [][]byte{[]byte("doc 7")}) })
			}
			return s.Write(fn)
		}
		merge(t, meddling, "messages")
		if got := search(t, s, "messages", 10, 1007); got != nil {
			t.Errorf("found: %v", got)
		}
		if got := len(search(t, s, "messages", 10_000, 0)); got != many-2 {
			t.Errorf("%d documents are found", got)
		}
		if left := rows(t, s, "search_fresh"); left >= 2048 {
			t.Errorf("%d documents are still fresh", left)
		}
	})
}
