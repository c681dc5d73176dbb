package wire

import (
	"encoding/json"
	"strconv"

	"aver/base/errs"
	"aver/base/strictjson"
)

// Request is a frame from a browser: {"id":1,"op":"send", and the op's own members}.
type Request struct {
	ID    int64 // 0 if there was none
	Op    string
	Token string          // of hello only
	Args  json.RawMessage // an object of the remaining members
}

// Parse reads a frame strictly. Its errors mean that the other end does not speak this protocol.
func Parse(data []byte) (Request, error) {
	var r Request
	members, err := strictjson.Object(data, strictjson.MaxDepth)
	if err != nil {
		return r, err
	}
	for _, m := range members {
		switch m.Name {
		case "id":
			if r.ID, err = strconv.ParseInt(string(m.Value), 10, 64); err != nil || r.ID < 1 {
				return r, errs.New(errs.Invalid, "The id must be a positive whole number.")
			}
		case "op":
			if json.Unmarshal(m.Value, &r.Op) != nil {
				return r, errs.New(errs.Invalid, "The op must be a name.")
			}
		}
	}
	if r.Op == "" {
		return r, errs.New(errs.Invalid, "The op is missing.")
	}
	r.Args = append(make([]byte, 0, len(data)), '{')
	for _, m := range members {
		switch {
		case m.Name == "id" || m.Name == "op":
		case m.Name == "token" && r.Op == "hello":
			_ = json.Unmarshal(m.Value, &r.Token) // what is no string is no token
		default:
			r.Args = appendMember(r.Args, m)
		}
	}
	r.Args = append(r.Args, '}')
	return r, nil
}

func appendMember(object []byte, m strictjson.Member) []byte {
	if len(object) > 1 {
		object = append(object, ',')
	}
	name, _ := json.Marshal(m.Name) // a string always marshals
	object = append(append(object, name...), ':')
	return append(object, m.Value...)
}
