package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
)

func TestFramesSayHowLongTheyAre(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 125, 126, 127, 0xffff, 0x10000} {
		payload := bytes.Repeat([]byte("x"), n)
		f := New(Text, payload, "")
		var length, head int
		switch second := f.Bytes[1]; second { // RFC 6455 §5.2
		case 126:
			length, head = int(binary.BigEndian.Uint16(f.Bytes[2:])), 4
		case 127:
			length, head = int(binary.BigEndian.Uint64(f.Bytes[2:])), 10
		default:
			length, head = int(second), 2
		}
		if f.Bytes[0] != 0x81 || length != n || !bytes.Equal(f.Bytes[head:], payload) || !bytes.Equal(f.Payload(), payload) {
			t.Errorf("%d bytes: header % x", n, f.Bytes[:min(10, len(f.Bytes))])
		}
	}
}

func TestFramesPrintNothing(t *testing.T) {
	t.Parallel()
	f := New(Text, []byte("ada@example.org"), "")
	if text := fmt.Sprintf("%v %+v %#v %s", f, f, f, f); text != "frame frame frame frame" {
		t.Errorf("printed %s", text)
	}
}

// Whatever comes, parsing does not fail in another way than with an error, and what it accepts is what was sent.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"op":"send","text":"x","attachments":[]}`, `{"op":"hello","token":"avv_x","id":9}`, `{"id":1,"op":"hello","token":"a","token":"b"}`,
		`{"\u0069d":1,"op":"x"}`, `{"id":1.5,"op":""}`, `{"id":99999999999999999999,"op":"x"}`, `{"id":1,"op":"x","<\u2028>":{"a":[{}]}}`, `[]`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err != nil {
			return
		}
		var sent, args map[string]json.RawMessage
		if json.Unmarshal(data, &sent) != nil || json.Unmarshal(r.Args, &args) != nil {
			t.Fatalf("accepted what encoding/json does not read: %q → %q", data, r.Args)
		}
		if r.Op == "" || r.ID < 0 {
			t.Fatalf("accepted op %q and id %d", r.Op, r.ID)
		}
		delete(sent, "id")
		delete(sent, "op")
		if r.Op == "hello" {
			delete(sent, "token")
		}
		if fmt.Sprint(sent) != fmt.Sprint(args) {
			t.Fatalf("arguments %q became %q", data, r.Args)
		}
	})
}
