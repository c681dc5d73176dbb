package live

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"aver/base/errs"
)

// RFC 6455 §5.2 opcodes of what a server sends.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// frame is a message as it travels, header and all. It is made once and shared by every receiver, so that a push to
// a thousand sockets costs one marshalling and no buffer, and several waiting frames can leave in one write. It is
// immutable and prints nothing of what it carries.
type frame struct {
	wire  []byte
	head  int    // length of the header; the event stream sends what follows it
	op    byte   // opcode
	event string // name on an event stream
}

// String keeps contents out of logs.
func (f *frame) String() string { return "frame" }

// GoString keeps contents out of logs.
func (f *frame) GoString() string { return "frame" }

func (f *frame) payload() []byte { return f.wire[f.head:] }

var ping = newFrame(opPing, nil, "")

// newFrame puts the header before the payload: final, not masked, as servers do.
func newFrame(op byte, payload []byte, event string) *frame {
	wire := make([]byte, 0, 10+len(payload))
	wire = append(wire, 0x80|op)
	switch n := len(payload); {
	case n <= 125:
		wire = append(wire, byte(n))
	case n <= 0xffff:
		wire = binary.BigEndian.AppendUint16(append(wire, 126), uint16(n))
	default:
		wire = binary.BigEndian.AppendUint64(append(wire, 127), uint64(n))
	}
	return &frame{wire: append(wire, payload...), head: len(wire), op: op, event: event}
}

func closeFrame(code int, reason string) *frame {
	return newFrame(opClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...), "")
}

// pushText is a push on the wire.
type pushText struct {
	Push    string `json:"push"`
	Channel string `json:"channel"`
	Epoch   string `json:"epoch,omitempty"`
	Offset  int64  `json:"offset,omitempty"`
	Data    any    `json:"data,omitempty"`
}

func pushFrame(channel string, p Push) (*frame, error) {
	text, err := json.Marshal(pushText{p.Kind, channel, p.Epoch, p.Offset, p.Data})
	if err != nil {
		return nil, fmt.Errorf("marshalling push %s: %w", p.Kind, err)
	}
	if len(text) > MaxFrame {
		return nil, fmt.Errorf("push %s: %w", p.Kind, errTooLong)
	}
	return newFrame(opText, text, "push"), nil
}

// replyText is a reply on the wire. Over POST there is no id.
type replyText struct {
	ID    int64         `json:"id,omitempty"`
	OK    any           `json:"ok,omitempty"`
	Error *errs.Problem `json:"error,omitempty"`
}

var errTooLong = errs.New(errs.TooLarge, "The answer is too long for one frame; ask for less at a time.")

// reply marshals the answer to a request; what cannot be marshalled or sent becomes an error to the caller.
func reply(id int64, result any, err error) ([]byte, error) {
	if err == nil {
		if result == nil {
			result = struct{}{}
		}
		var text []byte
		text, err = json.Marshal(replyText{ID: id, OK: result})
		if err == nil && len(text) > MaxFrame {
			err = errTooLong
		}
		if err == nil {
			return text, nil
		}
	}
	problem := errs.AsProblem(err)
	text, bad := json.Marshal(replyText{ID: id, Error: &problem})
	if bad != nil {
		panic("live: a problem cannot be marshalled: " + bad.Error()) // it holds strings and numbers only
	}
	return text, err
}
