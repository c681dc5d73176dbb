package request

import (
	"encoding"
	"net/http"
	"net/url"

	"aver/base/errs"
)

// Form reads what a form sent.
func Form(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, errs.New(errs.Invalid, "The form could not be read. Nothing was changed.").Because(err)
	}
	return r.PostForm, nil
}

// PathID reads the identifier that the path has under a name. What names nothing is no such thing.
func PathID[ID Identifier, P unmarshaler[ID]](r *http.Request, name, what string) (ID, error) {
	return ParseID[ID, P](r.PathValue(name), what)
}

// ParseID reads an identifier from a form. What names nothing is no such thing.
func ParseID[ID Identifier, P unmarshaler[ID]](text, what string) (ID, error) {
	var id, none ID
	if err := P(&id).UnmarshalText([]byte(text)); err != nil || id == none {
		return none, errs.New(errs.NotFound, "There is no such "+what+".")
	}
	return id, nil
}

// unmarshaler is a pointer to an identifier; callers leave it to be inferred.
type unmarshaler[ID any] interface {
	*ID
	encoding.TextUnmarshaler
}
