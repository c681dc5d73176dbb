// Package wire says what travels between a browser and a hub, in bytes: requests, replies, pushes and the frames of
// RFC 6455 around them. It is for frame/live; modules hand it values and never see a frame.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"aver/base/errs"
)

// Max is the largest text in bytes, either way.
const Max = 64 << 10

// Op is the kind of a frame.
type Op byte

// The opcodes of what a server sends (RFC 6455 §5.2).
const (
	Text    Op = 1
	opClose Op = 8
	opPing  Op = 9
	opPong  Op = 10
)

// Frame is a message as it travels, header and all. It is made once and shared by every receiver, so that a push to
// a thousand sockets costs one marshalling and no buffer, and several waiting frames can leave in one write. It is
// immutable and prints nothing of what it carries.
type Frame struct {
	Op    Op
	Event string // name on an event stream
	Bytes []byte // as sent over a socket
	head  int    // length of the header
}

// String keeps contents out of logs.
func (f *Frame) String() string { return "frame" }

// GoString keeps contents out of logs.
func (f *Frame) GoString() string { return "frame" }

// Payload is what an event stream sends: the text without the header.
func (f *Frame) Payload() []byte { return f.Bytes[f.head:] }

// Ping asks the other end for a sign of life.
var Ping = New(opPing, nil, "")

// Pong answers the other end's ping.
func Pong(data string) *Frame { return New(opPong, []byte(data), "") }

// Close is the last frame. Of the reason, in ASCII, at most 123 bytes fit.
func Close(code int, reason string) *Frame {
	reason = reason[:min(len(reason), 123)]
	return New(opClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...), "")
}

// New puts the header before the payload: final, not masked, as servers do.
func New(op Op, payload []byte, event string) *Frame {
	bytes := make([]byte, 0, 10+len(payload))
	bytes = append(bytes, 0x80|byte(op))
	switch n := len(payload); {
	case n <= 125:
		bytes = append(bytes, byte(n))
	case n <= 0xffff:
		bytes = binary.BigEndian.AppendUint16(append(bytes, 126), uint16(n))
	default:
		bytes = binary.BigEndian.AppendUint64(append(bytes, 127), uint64(n))
	}
	return &Frame{Op: op, Event: event, Bytes: append(bytes, payload...), head: len(bytes)}
}

// Push is a piece of news as the browser sees it.
type Push struct {
	Kind    string `json:"push"`
	Channel string `json:"channel"`
	Epoch   string `json:"epoch,omitempty"`
	Offset  int64  `json:"offset,omitempty"`
	Data    any    `json:"data,omitempty"`
}

// Frame marshals the push.
func (p Push) Frame() (*Frame, error) {
	text, err := Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("push %s: %w", p.Kind, err)
	}
	return New(Text, text, "push"), nil
}

var errTooLong = errs.New(errs.TooLarge, "The answer is too long for one frame; ask for less at a time.")

// Marshal returns the JSON text of a value, {} for nil, if it fits a frame.
func Marshal(v any) ([]byte, error) {
	text, err := json.Marshal(orEmpty(v))
	if err != nil {
		return nil, fmt.Errorf("marshalling: %w", err)
	}
	if len(text) > Max {
		return nil, errTooLong
	}
	return text, nil
}

func orEmpty(v any) any {
	if v == nil {
		return struct{}{}
	}
	return v
}

type answer struct {
	ID    int64         `json:"id,omitempty"` // none over POST
	OK    any           `json:"ok,omitempty"`
	Error *errs.Problem `json:"error,omitempty"`
}

// Reply returns the text that answers a request: {"id":1,"ok":{…}} or {"id":1,"error":{…}}. A result that cannot be
// marshalled or sent becomes an error to the caller, and is returned.
func Reply(id int64, result any, err error) ([]byte, error) {
	if err == nil {
		var text []byte
		if text, err = Marshal(answer{ID: id, OK: orEmpty(result)}); err == nil {
			return text, nil
		}
	}
	problem := errs.AsProblem(err)
	text, bad := json.Marshal(answer{ID: id, Error: &problem})
	if bad != nil {
		panic("wire: a problem cannot be marshalled: " + bad.Error()) // it holds strings and numbers only
	}
	return text, err
}
