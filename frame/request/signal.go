package request

import (
	"net/http"
	"slices"
)

// OptsOut tells whether the request carries Global Privacy Control: a header Sec-GPC of exactly 1, one of several being
// enough. Everything else says nothing, least of all the opposite (GPC specification, "The Sec-GPC Header Field").
func OptsOut(r *http.Request) bool { return slices.Contains(r.Header.Values("Sec-GPC"), "1") }
