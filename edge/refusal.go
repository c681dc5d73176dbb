package edge

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/base/strictjson"
)

// Problem is an error of an API operation, RFC 9457. It is huma's error type here, because huma's own repeats the
// values that were sent.
type Problem struct {
	errs.Problem
	cause error
}

// GetStatus is for huma.
func (p *Problem) GetStatus() int { return p.Status }

// Error is for the log.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// Unwrap is the error behind it.
func (p *Problem) Unwrap() error { return p.cause }

// ContentType is for huma.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// newProblem stands in for huma.NewError. Causes with a meaning of their own decide; the rest are refused parts of
// the request.
func newProblem(status int, message string, causes ...error) huma.StatusError {
	var fields []errs.Field
	for _, cause := range causes {
		var known *errs.Error
		var broken *unreadable
		if errors.As(cause, &known) || errors.As(cause, &broken) {
			return &Problem{problemOf(cause), cause}
		}
		if detail, ok := cause.(huma.ErrorDetailer); ok {
			fields = append(fields, refusedParts(detail.ErrorDetail())...)
		}
	}
	if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable && status != http.StatusInsufficientStorage {
		return &Problem{problemOf(errors.New(message)), errors.Join(causes...)}
	}
	kind, words := meaningOf(status, message)
	p := problemOf(errs.New(kind, words, fields...))
	p.Status = status
	return &Problem{p, nil}
}

// meaningOf finds the meaning of a status that huma chose, and words for it.
func meaningOf(status int, message string) (errs.Kind, string) {
	switch status {
	case 0: // huma asks for an example
		return errs.Internal, ""
	case http.StatusRequestEntityTooLarge:
		return errs.TooLarge, "The request is larger than this operation takes."
	case http.StatusRequestTimeout:
		return TooSlow, "The request's body did not arrive in time. Nothing was changed."
	case http.StatusUnsupportedMediaType:
		return Unsupported, "This operation reads JSON: send Content-Type: application/json."
	case http.StatusNotAcceptable:
		return NotAcceptable, "This operation answers with JSON."
	case http.StatusBadRequest:
		if message == "validation failed" {
			message = "The request's body is not the JSON this operation reads."
		}
		return Malformed, sentence(message)
	case http.StatusUnprocessableEntity:
		if message == "validation failed" {
			message = "Parts of the request are refused; errors lists them. Nothing was changed."
		}
		return errs.Invalid, sentence(message)
	}
	for _, kind := range []errs.Kind{errs.Unauthenticated, errs.Forbidden, errs.NotFound, errs.Conflict, errs.TooMany, errs.Gone, errs.NoSpace, errs.Unavailable, MethodNotAllowed, errs.Misdirected} {
		if problemOf(errs.New(kind, "")).Status == status {
			return kind, sentence(message)
		}
	}
	return errs.Invalid, sentence(message)
}

func sentence(words string) string {
	if words == "" {
		return ""
	}
	words = strings.ToUpper(words[:1]) + words[1:]
	if !strings.HasSuffix(words, ".") {
		words += "."
	}
	return words
}

// refusedParts turns huma's detail, whose Value is what the caller sent, into fields without it.
func refusedParts(detail *huma.ErrorDetail) []errs.Field {
	if text, packed := strings.CutPrefix(detail.Message, packedPrefix); packed {
		var inner errs.Error
		if json.Unmarshal([]byte(text), &inner) == nil {
			return within(detail.Location, inner)
		}
	}
	message, _, _ := strings.Cut(detail.Message, ": ") // after it stand words of a parser, which may repeat the value
	return []errs.Field{{Field: safePath(detail.Location), Code: codeOf(message), Message: sentence(message)}}
}

func within(location string, inner errs.Error) []errs.Field {
	if len(inner.Fields) == 0 {
		return []errs.Field{{Field: safePath(location), Code: "syntax", Message: inner.Message}}
	}
	fields := make([]errs.Field, len(inner.Fields))
	for i, f := range inner.Fields {
		f.Field = safePath(location + "." + f.Field)
		fields[i] = f
	}
	return fields
}

var codes = []struct{ start, code string }{
	{"unexpected property", "unknown"}, {"unknown query parameter", "unknown"}, {"expected required property", "required"}, {"required ", "required"},
	{"expected length <=", "too-long"}, {"expected length >=", "too-short"}, {"expected array length <=", "too-many"}, {"expected array length >=", "too-few"},
	{"expected number <", "too-large"}, {"expected number >", "too-small"}, {"expected value to be one of", "choice"},
	{"expected string to", "format"}, {"expected duration", "format"}, {"expected boolean", "type"}, {"expected number", "type"}, {"expected integer", "type"},
	{"expected string", "type"}, {"expected array", "type"}, {"expected object", "type"},
}

func codeOf(message string) string {
	for _, c := range codes {
		if strings.HasPrefix(message, c.start) {
			return c.code
		}
	}
	return "invalid"
}

var plainName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_-]{0,40}(\[[0-9]{1,6}\])*$|^\[[0-9]{1,6}\]$`)

// safePath hides the parts of a path that are not plain names: the names of members are the caller's words too.
func safePath(path string) string {
	parts := strings.Split(path, ".")
	if parts[0] != "body" { // query.name: a name with dots is one name
		parts = strings.SplitN(path, ".", 2)
	}
	for i, part := range parts {
		if !plainName.MatchString(part) {
			parts[i] = "?"
		}
	}
	return strings.Join(parts, ".")
}

// packedPrefix marks an error of the strict decoder inside huma's error message, the only thing huma passes on.
const packedPrefix = "\x00"

// packed carries a decoder's error through huma with its fields.
type packed struct{ inner *errs.Error }

func (p packed) Error() string {
	text, err := json.Marshal(p.inner)
	if err != nil {
		return "malformed"
	}
	return packedPrefix + string(text)
}

// strictFormat reads JSON strictly and writes it plainly.
var strictFormat = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(data []byte, v any) error {
		err := strictjson.Decode(data, v, strictjson.MaxDepth)
		var refused *errs.Error
		if errors.As(err, &refused) {
			return packed{refused}
		}
		return err
	},
}
