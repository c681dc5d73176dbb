// Package trace tells an OpenTelemetry collector of the operator's how long requests took and in what.
//
// It is off unless an address is given, and the code for it is only in programs built with the tag otel, since it is a
// quarter of the program's size. A span has the route's pattern, the method in it and the status: never an address, a
// query, a body or who called.
package trace

import "context"

// Start begins a span and returns what ends it with the answer's status.
type Start func(ctx context.Context, name string) (context.Context, func(status int))
