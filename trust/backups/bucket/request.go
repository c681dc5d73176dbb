package bucket

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"aver/base/errs"
	"aver/frame/egress"
)

// request is one, before it is signed.
type request struct {
	method string
	name   string // of a file; empty for the bucket itself
	query  url.Values
	header map[string]string
	body   []byte
}

func (b *Bucket) address(name string, query url.Values) string {
	u := b.at.URL
	if name != "" {
		u.Path += "/" + b.at.Prefix + name
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// attempts of a request that the store was too busy for; between them it waits.
const attempts = 4

// do sends a request and returns an answer that is good. Every request may be repeated: parts have numbers, and a name that
// was given already is not given again.
func (b *Bucket) do(ctx context.Context, r request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		answer, err := b.once(ctx, r)
		if err == nil || !errs.Is(err, errs.Unavailable) || attempt == attempts {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(attempt*attempt) * 200 * time.Millisecond):
		}
	}
}

func (b *Bucket) once(ctx context.Context, r request) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, r.method, b.address(r.name, r.query), bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("ask the bucket: %w", err)
	}
	for name, value := range r.header {
		if value != "" {
			q.Header.Set(name, value)
		}
	}
	if len(r.body) > 0 {
		sum := md5.Sum(r.body) // the protocol's checksum of a transfer, not a protection; that is the signed SHA-256
		q.Header.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	sum := sha256.Sum256(r.body)
	sign(q, hex.EncodeToString(sum[:]), b.keys, b.at.Region, b.now())
	answer, err := b.client.Do(q)
	if err != nil {
		return nil, unreachable(err)
	}
	if answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, refusal(answer)
}

func unreachable(err error) error {
	if errs.Is(err, errs.Forbidden) { // the door's own refusal says why
		return egress.Reason(err)
	}
	return errs.New(errs.Unavailable, "The bucket cannot be reached.").Because(egress.Reason(err))
}

// refusal gives an answer its meaning. It repeats the code and nothing else of what the other side says.
func refusal(answer *http.Response) error {
	var said struct{ Code string }
	text, err := egress.ReadAll(answer.Body, mostXML)
	if err == nil && len(text) > 0 {
		err = xml.Unmarshal(text, &said)
	}
	why := fmt.Errorf("status %d, code %.60q", answer.StatusCode, said.Code)
	switch answer.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, why)
	case http.StatusForbidden, http.StatusUnauthorized:
		return errs.New(errs.Forbidden, "The bucket refuses these credentials.").Because(why)
	case http.StatusPreconditionFailed, http.StatusConflict:
		return errs.New(errs.Conflict, "The bucket has a file of this name already.").Because(why)
	case http.StatusInsufficientStorage:
		return errs.New(errs.NoSpace, "The bucket is full.").Because(why)
	}
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500 || err != nil {
		return errs.New(errs.Unavailable, "The bucket did not do what was asked.").Because(why)
	}
	return errs.New(errs.Invalid, "The bucket does not take the request.").Because(why)
}
