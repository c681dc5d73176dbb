package errs

import "errors"

// meaning is what a Kind is called in HTTP. The numbers are RFC 9110's; net/http is above this floor.
type meaning struct {
	status int
	title  string
}

var meanings = map[Kind]meaning{
	Invalid:         {422, "The request has a mistake"},
	Unauthenticated: {401, "Nobody is signed in"},
	Forbidden:       {403, "This is not permitted"},
	NotFound:        {404, "There is no such thing"},
	Conflict:        {409, "It has changed meanwhile"},
	TooLarge:        {413, "This is too large"},
	TooMany:         {429, "Too many requests"},
	Gone:            {410, "This was erased"},
	ConsentRequired: {403, "Consent is needed first"},
	Misdirected:     {421, "This is not served here"},
	Restricted:      {403, "This use of the person's data is closed"},
	NoSpace:         {507, "There is no space left"},
	Unavailable:     {503, "This is not available now"},
	Away:            {502, "The region is away"},
	Internal:        {500, "Something went wrong on our side"},
}

func (k Kind) known() meaning {
	if m, ok := meanings[k]; ok {
		return m
	}
	return meanings[Internal]
}

// Status returns the HTTP status of a meaning. An unknown meaning is 500.
func Status(kind Kind) int { return kind.known().status }

// Title returns the short text of a meaning, the same for every occurrence as RFC 9457 §3.1.3 asks.
func Title(kind Kind) string { return kind.known().title }

// Problem is an error as callers see it, over HTTP (application/problem+json) and over sockets: RFC 9457 with the
// refused parts, the wait and the request's identifier as extensions.
type Problem struct {
	Type       string  `json:"type"` // a reference relative to the installation's address
	Title      string  `json:"title"`
	Status     int     `json:"status"`
	Code       Kind    `json:"code"`
	Detail     string  `json:"detail,omitempty"`
	Errors     []Field `json:"errors,omitempty"`
	RetryAfter int     `json:"retry_after,omitempty"` // seconds
	Region     string  `json:"region,omitempty"`      // the region that serves this
	Location   string  `json:"location,omitempty"`    // the address of that region
	RequestID  string  `json:"request_id,omitempty"`
}

// AsProblem says of an error what its caller may know. Of an error without a meaning that is only that it is our fault.
func AsProblem(err error) Problem {
	kind := Of(err)
	p := Problem{Type: "/problems/" + string(kind), Title: Title(kind), Status: Status(kind), Code: kind}
	var e *Error
	if errors.As(err, &e) {
		p.Detail, p.Errors, p.RetryAfter, p.Region = e.Message, e.Fields, e.RetryAfter, e.Region
	}
	return p
}
