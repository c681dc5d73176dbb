package inbox

import (
	"encoding/hex"
	"strings"

	"aver/base/errs"
	"aver/work/inbox/wording"
)

const (
	mostFiles = 10                // attachments of a message
	mostBytes = wording.MostBytes // of a page of messages, too
)

var (
	errEmpty = errs.New(errs.Invalid, "Write something, or attach a file.", errs.Field{Field: "text", Code: "required", Message: "Write something, or attach a file."})
	errFiles = errs.New(errs.TooLarge, "A message can have at most 10 attachments. Nothing was sent.",
		errs.Field{Field: "attachments", Code: "too-many", Message: "A message can have at most 10 attachments."})
)

// clientID is the identifier that a client gave its message, so that sending it again changes nothing. In text it is a
// UUID in lower case (RFC 9562). Version 7 begins with the time, so that the index of them grows at its end alone.
type clientID [16]byte

var errClientID = errs.New(errs.Invalid, "The message's client_id must be a UUID in lower case.", errs.Field{Field: "client_id", Code: "malformed", Message: "Use a UUID in lower case."})

func parseClientID(text string) (clientID, error) {
	var id clientID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' || strings.ToLower(text) != text {
		return id, errClientID
	}
	digits := text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil || id == (clientID{}) {
		return clientID{}, errClientID
	}
	return id, nil
}

func (id clientID) String() string {
	if id == (clientID{}) {
		return ""
	}
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
