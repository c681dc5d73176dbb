// Package answer has the shapes in which operations of the API answer, and that of a file.
//
// Rows are turned into what a program may see by a function of the module's, field by field. An operation that answers
// with part of a list has a type of its own, since the place where the list goes on is part of it.
package answer

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Of is an answer of one thing.
type Of[T any] struct{ Body T }

// List is an answer of several things, all there are.
type List[T any] struct {
	Body struct {
		Data []T `json:"data"`
	}
}

// One answers with a row, unless reading it failed.
func One[From, To any](row From, err error, turn func(From) To) (*Of[To], error) {
	if err != nil {
		return nil, err
	}
	return &Of[To]{turn(row)}, nil
}

// All answers with rows, unless reading them failed.
func All[From, To any](rows []From, err error, turn func(From) To) (*List[To], error) {
	if err != nil {
		return nil, err
	}
	out := &List[To]{}
	out.Body.Data = Each(rows, turn)
	return out, nil
}

// Each turns rows one by one. None are an empty list in JSON, not null.
func Each[From, To any](rows []From, turn func(From) To) []To {
	out := make([]To, 0, len(rows))
	for _, row := range rows {
		out = append(out, turn(row))
	}
	return out
}

// File answers with a file to be saved, which no cache keeps.
func File(w http.ResponseWriter, kind, name string, content []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(content) // somebody who went away is nobody's mistake
	return nil
}

// Status tells the status of an answer that is not 200.
func Status(status int) func(*huma.Operation) {
	return func(o *huma.Operation) { o.DefaultStatus = status }
}
