package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/strictjson"
)

type address struct {
	City string `json:"city"`
}

type common struct {
	Note string `json:"note"`
	Role string `json:"role"` // hidden by person's own
}

type person struct {
	common
	Role    string             `json:"role"`
	Age     int                `json:"age,omitempty"`
	Homes   []address          `json:"homes"`
	Extra   map[string]any     `json:"extra"`
	ByName  map[string]address `json:"by_name"`
	Raw     json.RawMessage    `json:"raw"`
	Tenant  ids.Tenant         `json:"tenant"`
	Friend  *person            `json:"friend"`
	Any     any                `json:"any"`
	Ignored string             `json:"-"`
	Plain   bool
	hidden  string
}

func TestDecodeReadsWhatFits(t *testing.T) {
	t.Parallel()
	tenant := ids.Tenant{15: 7}
	var p person
	err := strictjson.Decode([]byte(` { "note":"n","role":"user", "age": 3, "homes":[{"city":"Łódź"},{"city":"\"}"}],
		"extra":{"a":1,"A":2}, "by_name":{"x":{"city":"y"}}, "raw":{"anything":[1]}, "tenant":"`+tenant.String()+`",
		"friend":{"role":"r","friend":null}, "any":[{"b":[]}], "Plain":true } `), &p, strictjson.MaxDepth)
	if err != nil {
		t.Fatal(err)
	}
	want := person{common: common{Note: "n"}, Role: "user", Age: 3, Homes: []address{{"Łódź"}, {`"}`}},
		Extra: map[string]any{"a": 1.0, "A": 2.0}, ByName: map[string]address{"x": {"y"}}, Raw: json.RawMessage(`{"anything":[1]}`),
		Tenant: tenant, Friend: &person{Role: "r"}, Any: []any{map[string]any{"b": []any{}}}, Plain: true, hidden: ""}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

func TestDecodeRefusesWhatHasTwoReadings(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, text, field, code string }{
		{"a name twice", `{"role":"user","role":"admin"}`, "role", "duplicate"},
		{"a name twice, once escaped", `{"role":"user","\u0072ole":"admin"}`, "role", "duplicate"},
		{"a name in another case", `{"role":"user","ROLE":"admin"}`, "ROLE", "wrong-case"},
		{"an unknown name", `{"admin":true}`, "admin", "unknown"},
		{"a field that is not for JSON", `{"Ignored":"x"}`, "Ignored", "unknown"},
		{"an unexported field", `{"hidden":"x"}`, "hidden", "unknown"},
		{"an unknown name further in", `{"homes":[{"city":"a"},{"town":"b"}]}`, "homes[1].town", "unknown"},
		{"an unknown name in a map's value", `{"by_name":{"x":{"City":"b"}}}`, "by_name.x.City", "wrong-case"},
		{"an unknown name in a recursive type", `{"friend":{"friend":{"x":1}}}`, "friend.friend.x", "unknown"},
		{"a name twice in a map", `{"extra":{"a":1,"a":2}}`, "extra.a", "duplicate"},
		{"a name twice in raw text", `{"raw":{"a":1,"b":{"c":1,"c":2}}}`, "raw.b.c", "duplicate"},
		{"a name twice in an interface", `{"any":[[{"a":1,"a":2}]]}`, "any[0][0].a", "duplicate"},
		{"a wrong type", `{"homes":[{"city":7}]}`, "homes.city", "type"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p person
			err := strictjson.Decode([]byte(c.text), &p, strictjson.MaxDepth)
			var e *errs.Error
			if !errors.As(err, &e) || e.Kind != errs.Invalid || len(e.Fields) != 1 {
				t.Fatalf("want one refused field, got %v", err)
			}
			if e.Fields[0].Field != c.field || e.Fields[0].Code != c.code {
				t.Errorf("got %s %s, want %s %s", e.Fields[0].Code, e.Fields[0].Field, c.code, c.field)
			}
		})
	}
}

func TestDecodeRefusesWhatIsNotOneJSONValue(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `{"role"`, `{"role":`, `{"role":"`, `{"role":"x"`, `{"role":"x",}`, `{"role" "x"}`, `{role:"x"}`, `[`, `[1`, `[1,]`,
		`{} {}`, `{}x`, `{},`, "{}\x00", "{\"role\":\"\xff\"}", `{"age":01}`, `{"age":+1}`, `{"Plain":True}`, `{"role":"\x"}`, `{"any":NaN}`,
		`{"role":"` + "\n" + `"}`, "\xef\xbb\xbf{}", `'x'`, `{"any":[1 2]}`, `{"any":}`, `{"\u00zz":1}`, `{"role":"\`,
	} {
		var p person
		if err := strictjson.Decode([]byte(text), &p, strictjson.MaxDepth); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestDecodeLimitsDepth(t *testing.T) {
	t.Parallel()
	nest := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	var v any
	if err := strictjson.Decode(nest(5), &v, 5); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if err := strictjson.Decode(nest(6), &v, 5); !errs.Is(err, errs.Invalid) {
		t.Errorf("over the limit: %v", err)
	}
	if err := strictjson.Decode(bytes.Repeat([]byte("["), 60000), &v, strictjson.MaxDepth); !errs.Is(err, errs.Invalid) {
		t.Errorf("far over the limit: %v", err)
	}
}

func TestDecodeNoticesDuplicatesInLargeObjects(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString(`{"0":0`)
	for i := range 5000 {
		text.WriteString(`,"` + strconv.Itoa(i+1) + `":0`)
	}
	var v map[string]int
	if err := strictjson.Decode([]byte(text.String()+`}`), &v, 2); err != nil {
		t.Fatal(err)
	}
	if err := strictjson.Decode([]byte(text.String()+`,"0":1}`), &v, 2); !errs.Is(err, errs.Invalid) {
		t.Errorf("a second \"0\": got %v", err)
	}
}

func TestObjectReturnsMembersAsWritten(t *testing.T) {
	t.Parallel()
	got, err := strictjson.Object([]byte(` {"id": 1 ,"\u006fp":"send", "a":{"b":[1, 2]} ,"c":null} `), strictjson.MaxDepth)
	if err != nil {
		t.Fatal(err)
	}
	want := []strictjson.Member{{"id", []byte("1")}, {"op", []byte(`"send"`)}, {"a", []byte(`{"b":[1, 2]}`)}, {"c", []byte("null")}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestObjectRefusesWhatIsNotOneObject(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `[]`, `1`, `null`, `{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `{"a":01}`, `{"a":1}{}`, "{\"a\":\"\xff\"}", `{"a":tru}`, `{`} {
		if _, err := strictjson.Object([]byte(text), strictjson.MaxDepth); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestDecodeNeverRepeatsAValue(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"age":"ada@example.org"}`, `{"tenant":"ada@example.org"}`, `{"role":"ada@example.org" x`, `{"role":"a","role":"ada@example.org"}`} {
		var p person
		err := strictjson.Decode([]byte(text), &p, strictjson.MaxDepth)
		if err == nil || strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// What Decode accepts, encoding/json reads the same with unknown fields disallowed, and every name is there once.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"role":"user","homes":[{"city":"x"}],"extra":{"a":[1,{"b":null}]}}`, `{"role":"a","ROLE":"b"}`, `{"any":{"a":1,"\u0061":2}}`, `[`, `"\ud800"`, `{} {}`, "{\"a\x00\":1e9}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if members, err := strictjson.Object(data, strictjson.MaxDepth); err == nil {
			var whole map[string]json.RawMessage
			if json.Unmarshal(data, &whole) != nil || len(whole) != len(members) {
				t.Fatalf("Object returned %d members of %d", len(members), len(whole))
			}
			for _, m := range members {
				if string(whole[m.Name]) != string(m.Value) {
					t.Fatalf("Object read %q differently", m.Name)
				}
			}
		}
		var strict, lenient person
		if strictjson.Decode(data, &strict, strictjson.MaxDepth) != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&lenient); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if !reflect.DeepEqual(strict, lenient) {
			t.Fatalf("read differently: %+v and %+v", strict, lenient)
		}
		if d.InputOffset() < int64(len(bytes.TrimRight(data, " \t\r\n"))) {
			t.Fatal("accepted trailing data")
		}
		checkOnce(t, json.NewDecoder(bytes.NewReader(data)))
	})
}

func checkOnce(t *testing.T, d *json.Decoder) {
	token, err := d.Token()
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	switch token {
	case json.Delim('{'):
		seen := make(map[string]bool)
		for d.More() {
			name, err := d.Token()
			if err != nil || seen[name.(string)] {
				t.Fatalf("accepted a name twice (%v)", err)
			}
			seen[name.(string)] = true
			checkOnce(t, d)
		}
	case json.Delim('['):
		for d.More() {
			checkOnce(t, d)
		}
	default:
		return
	}
	if _, err := d.Token(); err != nil {
		t.Fatalf("token: %v", err)
	}
}

func BenchmarkDecode(b *testing.B) {
	frame := []byte(`{"id":17,"op":"send","data":{"conversation":"cnv_0123456789abcdefghjkmnpqrs","client_id":"9a7f","body":"Hello, when do you open tomorrow?"}}`)
	type request struct {
		ID   int64           `json:"id"`
		Op   string          `json:"op"`
		Data json.RawMessage `json:"data"`
	}
	b.Run("strict", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var r request
			if err := strictjson.Decode(frame, &r, strictjson.MaxDepth); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("object", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := strictjson.Object(frame, strictjson.MaxDepth); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("lenient", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var r request
			if err := json.Unmarshal(frame, &r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
