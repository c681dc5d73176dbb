package bucket

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"aver/base/errs"
)

const (
	partSize  = 16 << 20 // bytes in memory, for each of the parts that are being sent and the one being filled
	atOnce    = 2        // parts on their way
	mostParts = 10_000   // the protocol's limit: 156 GiB
)

// fresh makes a put fail where the name exists.
var fresh = map[string]string{"If-None-Match": "*"}

// Put streams a file into the bucket under a name that it gets when fill has returned nil. errs.Conflict if there is one.
func (b *Bucket) Put(ctx context.Context, name string, fill func(io.Writer) error) error {
	u := &upload{ctx: ctx, bucket: b, name: name, room: make(chan struct{}, atOnce), buf: make([]byte, 0, b.part)}
	err := fill(u)
	if err == nil {
		err = u.finish()
	}
	if err != nil {
		return errors.Join(err, u.abandon())
	}
	return nil
}

// upload is a file on its way. What fits into one part is put at once when it is whole.
type upload struct {
	ctx    context.Context
	bucket *Bucket
	name   string
	id     string // empty until a part is full
	buf    []byte

	room chan struct{}
	sent sync.WaitGroup
	mu   sync.Mutex
	tags []string // of the parts, by number
	err  error    // the first of a part
}

// Write takes what comes and sends full parts.
func (u *upload) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		taken := min(len(p), cap(u.buf)-len(u.buf))
		u.buf = append(u.buf, p[:taken]...)
		p, n = p[taken:], n+taken
		if len(u.buf) < cap(u.buf) {
			continue
		}
		if err := u.send(); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (u *upload) failed() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// send starts a part on its way, and takes a new buffer.
func (u *upload) send() error {
	if err := u.failed(); err != nil {
		return err
	}
	if u.id == "" {
		var begun struct{ UploadId string }
		if err := u.bucket.ask(u.ctx, request{method: http.MethodPost, name: u.name, query: url.Values{"uploads": {""}}}, &begun); err != nil {
			return err
		}
		u.id = begun.UploadId
	}
	if len(u.tags) == mostParts {
		return errs.New(errs.TooLarge, "The backup is larger than a bucket takes.")
	}
	u.room <- struct{}{}
	u.mu.Lock()
	u.tags = append(u.tags, "")
	u.mu.Unlock()
	number, body := len(u.tags), u.buf
	u.buf = make([]byte, 0, u.bucket.part)
	u.sent.Go(func() {
		defer func() { <-u.room }()
		tag, err := u.part(number, body)
		u.mu.Lock()
		defer u.mu.Unlock()
		u.tags[number-1], u.err = tag, errors.Join(u.err, err)
	})
	return nil
}

func (u *upload) part(number int, body []byte) (tag string, err error) {
	answer, err := u.bucket.do(u.ctx, request{method: http.MethodPut, name: u.name, body: body,
		query: url.Values{"partNumber": {strconv.Itoa(number)}, "uploadId": {u.id}}})
	if err != nil {
		return "", err
	}
	return answer.Header.Get("ETag"), answer.Body.Close()
}

type completed struct {
	XMLName xml.Name `xml:"CompleteMultipartUpload"`
	Parts   []piece  `xml:"Part"`
}

type piece struct {
	PartNumber int
	ETag       string
}

// finish gives the file its name.
func (u *upload) finish() error {
	if u.id == "" {
		return u.bucket.ask(u.ctx, request{method: http.MethodPut, name: u.name, header: fresh, body: u.buf}, nil)
	}
	if len(u.buf) > 0 {
		if err := u.send(); err != nil {
			return err
		}
	}
	u.sent.Wait()
	if u.err != nil {
		return u.err
	}
	var list completed
	for i, tag := range u.tags {
		list.Parts = append(list.Parts, piece{i + 1, tag})
	}
	text, err := xml.Marshal(list)
	if err != nil {
		return err
	}
	var said struct{ XMLName xml.Name } // this answer may be good and say at its end that it failed
	err = u.bucket.ask(u.ctx, request{method: http.MethodPost, name: u.name, header: fresh, body: text, query: url.Values{"uploadId": {u.id}}}, &said)
	if err == nil && said.XMLName.Local == "Error" {
		err = errs.New(errs.Unavailable, "The bucket could not join the parts of the backup.")
	}
	return err
}

// abandon removes the parts of a file that will not be whole.
func (u *upload) abandon() error {
	u.sent.Wait()
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), 20*time.Second)
	defer cancel()
	return u.bucket.ask(ctx, request{method: http.MethodDelete, name: u.name, query: url.Values{"uploadId": {u.id}}}, nil)
}
