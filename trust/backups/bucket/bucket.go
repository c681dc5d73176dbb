// Package bucket keeps files in a store that speaks the protocol of Amazon S3: put, list, get, remove, and no more.
//
// Requests are signed with Signature Version 4 and carry the hash of what they bring. A file is streamed in parts, so it
// takes the same little memory however large it is, and its name appears when it is whole or never. A file that is there
// is not replaced.
package bucket

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/personal"
	"aver/frame/egress"
)

// Purpose is what a store of backups is called for, as the register of sub-processors has it.
const Purpose = "backups"

// Address says where a bucket is and whose the store is.
type Address struct {
	URL    url.URL // of the bucket, path-style: https://host/bucket
	Prefix string  // before every name: empty, or ends in a slash
	Region string
	Own    bool // the store is the operator's own and no sub-processor
}

// Is tells whether text means a bucket and not a folder.
func Is(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && (scheme == "s3" || scheme == "s3+own" || scheme == "s3+http")
}

// Parse reads s3://HOST/BUCKET/PREFIX?region=REGION, a company's store, which must be in the register; s3+own://… is the
// operator's own, s3+http://… the operator's own without TLS.
func Parse(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil || !Is(text) || u.User != nil || u.Host == "" || u.Fragment != "" {
		return Address{}, errs.New(errs.Invalid, "This is no address of a bucket: say s3://HOST/BUCKET/PREFIX?region=REGION.")
	}
	name, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if name == "" {
		return Address{}, errs.New(errs.Invalid, "The address of the bucket does not name it: say s3://HOST/BUCKET.")
	}
	a := Address{URL: url.URL{Scheme: "https", Host: u.Host, Path: "/" + name}, Region: u.Query().Get("region"), Own: u.Scheme != "s3"}
	if u.Scheme == "s3+http" {
		a.URL.Scheme = "http"
	}
	if prefix != "" {
		a.Prefix = prefix + "/"
	}
	if a.Region == "" {
		a.Region = "us-east-1" // what stores without regions expect in a signature
	}
	return a, nil
}

// Credentials sign requests. They are never printed.
type Credentials struct {
	ID     string
	Secret personal.Text
	Token  personal.Text // of a session; often empty
}

// Bucket is one, with a prefix that nobody leaves.
type Bucket struct {
	at     Address
	keys   Credentials
	client *http.Client
	now    func() time.Time
	part   int // bytes
}

// Open makes a bucket. client opens the connections; now dates the signatures.
func Open(at Address, keys Credentials, client *http.Client, now func() time.Time) *Bucket {
	return &Bucket{at: at, keys: keys, client: client, now: now, part: partSize}
}

// Item is a file.
type Item struct {
	Name string
	Size int64
}

// List lists the files whose names begin so, by name.
func (b *Bucket) List(ctx context.Context, begin string) (out []Item, err error) {
	for token := ""; ; {
		query := url.Values{"list-type": {"2"}, "prefix": {b.at.Prefix + begin}}
		if token != "" {
			query.Set("continuation-token", token)
		}
		var page struct {
			Contents []struct {
				Key  string
				Size int64
			}
			IsTruncated           bool
			NextContinuationToken string
		}
		if err := b.ask(ctx, request{method: http.MethodGet, query: query}, &page); err != nil {
			return nil, fmt.Errorf("list the bucket: %w", err)
		}
		for _, c := range page.Contents {
			out = append(out, Item{Name: strings.TrimPrefix(c.Key, b.at.Prefix), Size: c.Size})
		}
		if !page.IsTruncated || page.NextContinuationToken == "" {
			return out, nil
		}
		token = page.NextContinuationToken
	}
}

// Get streams a file, some at a time; fs.ErrNotExist if there is none.
func (b *Bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	answer, err := b.do(ctx, request{method: http.MethodHead, name: name})
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	return io.NopCloser(&download{ctx: ctx, bucket: b, name: name, tag: answer.Header.Get("ETag"), size: answer.ContentLength, step: firstRange}), nil
}

// firstRange is little, in bytes: some only look at how a file begins.
const firstRange = 64 << 10

// download reads a file range by range: one request must not last as long as a large file takes.
type download struct {
	ctx      context.Context
	bucket   *Bucket
	name     string
	tag      string // of the file as it was at first: another one of the same name is not joined to it
	at, size int64
	step     int
	buf      []byte
}

func (d *download) Read(p []byte) (int, error) {
	if len(d.buf) == 0 {
		if d.at >= d.size {
			return 0, io.EOF
		}
		if err := d.fetch(); err != nil {
			return 0, err
		}
	}
	n := copy(p, d.buf)
	d.buf = d.buf[n:]
	return n, nil
}

func (d *download) fetch() error {
	last := min(d.at+int64(d.step), d.size) - 1
	answer, err := d.bucket.do(d.ctx, request{method: http.MethodGet, name: d.name,
		header: map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", d.at, last), "If-Match": d.tag}})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	d.buf, err = egress.ReadAll(answer.Body, last-d.at+1)
	if err == nil && int64(len(d.buf)) != last-d.at+1 {
		err = errs.New(errs.Unavailable, "The bucket sent less than was asked for.")
	}
	d.at, d.step = last+1, d.bucket.part
	return err
}

// Remove removes a file; one that is not there is no error.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	return b.ask(ctx, request{method: http.MethodDelete, name: name}, nil)
}

// Public tells whether somebody without credentials reads a file.
func (b *Bucket) Public(ctx context.Context, name string) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.address(name, nil), nil)
	if err != nil {
		return false, err
	}
	r.Header.Set("Range", "bytes=0-0")
	answer, err := b.client.Do(r)
	if err != nil {
		return false, unreachable(err)
	}
	answer.Body.Close()
	return answer.StatusCode < 300, nil
}

// Versioned tells whether the bucket keeps what is removed.
func (b *Bucket) Versioned(ctx context.Context) (bool, error) {
	var answer struct{ Status string }
	err := b.ask(ctx, request{method: http.MethodGet, query: url.Values{"versioning": {""}}}, &answer)
	return answer.Status == "Enabled", err
}

// ask sends a request and reads the XML of its answer, if any is wanted.
func (b *Bucket) ask(ctx context.Context, r request, into any) error {
	answer, err := b.do(ctx, r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := egress.ReadAll(answer.Body, mostXML)
	if err != nil || into == nil {
		return err
	}
	if err := xml.Unmarshal(text, into); err != nil {
		return errs.New(errs.Unavailable, "The bucket's answer is not understood.").Because(err)
	}
	return nil
}

const mostXML = 4 << 20 // bytes of an answer: a thousand names
