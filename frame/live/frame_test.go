package live

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func TestFramesSayHowLongTheyAre(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 125, 126, 127, 0xffff, 0x10000} {
		payload := bytes.Repeat([]byte("x"), n)
		f := newFrame(opText, payload, "")
		var length, head int
		switch second := f.wire[1]; second { // RFC 6455 §5.2
		case 126:
			length, head = int(binary.BigEndian.Uint16(f.wire[2:])), 4
		case 127:
			length, head = int(binary.BigEndian.Uint64(f.wire[2:])), 10
		default:
			length, head = int(second), 2
		}
		if f.wire[0] != 0x81 || length != n || !bytes.Equal(f.wire[head:], payload) || !bytes.Equal(f.payload(), payload) {
			t.Errorf("%d bytes: header % x", n, f.wire[:min(10, len(f.wire))])
		}
	}
}

func TestFramesPrintNothing(t *testing.T) {
	t.Parallel()
	f := newFrame(opText, []byte("ada@example.org"), "")
	if text := fmt.Sprintf("%v %+v %#v %s", f, f, f, f); text != "frame frame frame frame" {
		t.Errorf("printed %s", text)
	}
}

func TestABucketRefusesThenCutsThenForgives(t *testing.T) {
	t.Parallel()
	rate := Rate{Burst: 2, PerMinute: 60}
	second := int64(time.Second)
	var b bucket
	at := second
	for i, want := range []verdict{fine, fine, tooFast, tooFast, tooMuch} {
		if got := b.take(at, rate); got != want {
			t.Errorf("message %d: got %d, want %d", i, got, want)
		}
	}
	if got := b.take(at+10*second, rate); got != fine {
		t.Errorf("after a rest: got %d", got)
	}
	var patient bucket
	for i := range int64(100) {
		if got := patient.take(at+i*second, rate); got != fine {
			t.Fatalf("message %d at the permitted rate: got %d", i, got)
		}
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
		r, err := parseRequest(data)
		if err != nil {
			return
		}
		var sent, args map[string]json.RawMessage
		if json.Unmarshal(data, &sent) != nil || json.Unmarshal(r.args, &args) != nil {
			t.Fatalf("accepted what encoding/json does not read: %q → %q", data, r.args)
		}
		if r.op == "" || r.id < 0 {
			t.Fatalf("accepted op %q and id %d", r.op, r.id)
		}
		delete(sent, "id")
		delete(sent, "op")
		if fmt.Sprint(sent) != fmt.Sprint(args) {
			t.Fatalf("arguments %q became %q", data, r.args)
		}
		if r.takeToken() == nil && r.token == "" {
			t.Fatal("accepted an empty token")
		}
	})
}
