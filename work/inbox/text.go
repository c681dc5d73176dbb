package inbox

import (
	"github.com/google/uuid"

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
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil || id.String() != text { // other ways to write it are refused
		return clientID{}, errClientID
	}
	return clientID(id), nil
}

func (id clientID) String() string {
	if id == (clientID{}) {
		return ""
	}
	return uuid.UUID(id).String()
}
