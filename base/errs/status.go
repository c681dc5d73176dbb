package errs

import "net/http"

// Status returns the HTTP status of a meaning, for edge's answers and for the problems that travel over sockets. An
// unknown meaning is 500.
func Status(kind Kind) int {
	switch kind {
	case Invalid:
		return http.StatusUnprocessableEntity
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden, ConsentRequired:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case TooMany:
		return http.StatusTooManyRequests
	case Gone:
		return http.StatusGone
	case NoSpace:
		return http.StatusInsufficientStorage
	case Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
