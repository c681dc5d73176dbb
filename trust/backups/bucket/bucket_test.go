package bucket_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"aver/base/errs"
	"aver/base/personal"
	"aver/trust/backups/bucket"
)

// The examples of the Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header".
func TestRequestsAreSignedAsTheReferenceSigns(t *testing.T) {
	t.Parallel()
	keys := bucket.Credentials{ID: "AKIAIOSFODNN7EXAMPLE", Secret: personal.Of("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")}
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ method, path, body, header, value, want string }{
		{"GET", "/test.txt", "", "Range", "bytes=0-9", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"PUT", "/test$file.text", "Welcome to Amazon S3.", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
		{"GET", "/?lifecycle", "", "", "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{"GET", "/?max-keys=2&prefix=J", "", "", "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	} {
		r, err := http.NewRequest(c.method, "https://examplebucket.s3.amazonaws.com"+c.path, nil)
		must(t, err)
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		if c.method == "PUT" {
			r.Header.Set("Date", "Fri, 24 May 2013 00:00:00 GMT")
		}
		sum := sha256.Sum256([]byte(c.body))
		bucket.Sign(r, hex.EncodeToString(sum[:]), keys, "us-east-1", at)
		if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, "Signature="+c.want) {
			t.Errorf("%s %s: %s", c.method, c.path, got)
		}
	}
}

// store is a server that speaks the protocol, with a bucket that answers only who signs.
type store struct {
	*bucket.Bucket
	open     *bucket.Bucket // the same files, at a server that lets everybody read
	requests atomic.Int64
	fails    atomic.Int64 // so many requests are answered with 503
	cut      atomic.Bool  // ranges come short
	largest  atomic.Int64 // body
}

func start(t *testing.T) *store {
	t.Helper()
	t.Parallel()
	backend := s3mem.New()
	must(t, backend.CreateBucket("copies"))
	fake := gofakes3.New(backend, gofakes3.WithTimeSkewLimit(0)).Server()
	s := &store{}
	strict := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		s.largest.Store(max(s.largest.Load(), r.ContentLength))
		switch {
		case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=id/"):
			w.WriteHeader(http.StatusForbidden)
		case s.fails.Add(-1) >= 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		case s.cut.Load() && r.Header.Get("Range") != "":
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, "short")
		default:
			fake.ServeHTTP(w, r)
		}
	}))
	open := httptest.NewServer(fake)
	t.Cleanup(strict.Close)
	t.Cleanup(open.Close)
	s.Bucket, s.open = at(t, strict.URL), at(t, open.URL)
	return s
}

func at(t *testing.T, server string) *bucket.Bucket {
	t.Helper()
	u, err := url.Parse(server)
	must(t, err)
	a, err := bucket.Parse("s3+http://" + u.Host + "/copies/of aver?region=eu-central-1")
	must(t, err)
	b := bucket.Open(a, bucket.Credentials{ID: "id", Secret: personal.Of("secret")}, http.DefaultClient, time.Now)
	b.InParts(8 << 20)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(n int) []byte {
	out := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(out)
	return out
}

func (s *store) put(t *testing.T, name string, text []byte) error {
	t.Helper()
	return s.Put(t.Context(), name, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(text))
		return err
	})
}

func (s *store) get(t *testing.T, name string) []byte {
	t.Helper()
	r, err := s.Get(t.Context(), name)
	must(t, err)
	defer r.Close()
	text, err := io.ReadAll(r)
	must(t, err)
	return text
}

func TestAFileComesBackAsItWasHoweverManyPartsItTook(t *testing.T) {
	s := start(t)
	for name, n := range map[string]int{"nothing": 0, "small & odd+name.age": 1000, "one part": 8 << 20, "parts": 27<<20 + 11} {
		text := content(n)
		must(t, s.put(t, name, text))
		if !bytes.Equal(s.get(t, name), text) {
			t.Errorf("%s is another", name)
		}
	}
	if n := s.largest.Load(); n > 8<<20 {
		t.Errorf("a request of %d bytes: the file was not streamed in parts", n)
	}
	list, err := s.List(t.Context(), "")
	must(t, err)
	if len(list) != 4 || list[2].Name != "parts" || list[2].Size != 27<<20+11 {
		t.Errorf("listed %+v", list)
	}
	if list, err = s.List(t.Context(), "one"); err != nil || len(list) != 1 {
		t.Errorf("listed %+v, %v", list, err)
	}
	must(t, s.Remove(t.Context(), "parts"))
	must(t, s.Remove(t.Context(), "parts"))
	if _, err := s.Get(t.Context(), "parts"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
}

func TestAFileThatIsThereIsNotReplaced(t *testing.T) {
	s := start(t)
	must(t, s.put(t, "a", []byte("first")))
	if err := s.put(t, "a", []byte("second")); !errs.Is(err, errs.Conflict) {
		t.Errorf("got %v", err)
	}
	if got := s.get(t, "a"); string(got) != "first" {
		t.Errorf("it holds %q", got)
	}
}

func TestAFileThatFailsHalfwayIsNotThere(t *testing.T) {
	s := start(t)
	broken := errors.New("the source broke")
	for _, n := range []int{10, 20 << 20} {
		err := s.Put(t.Context(), "half", func(w io.Writer) error {
			_, err := w.Write(content(n))
			return errors.Join(err, broken)
		})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
	if list, err := s.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("there is %+v, %v", list, err)
	}
}

func TestABusyStoreIsAskedAgain(t *testing.T) {
	s := start(t)
	s.fails.Store(2)
	must(t, s.put(t, "a", []byte("text")))
	s.fails.Store(1000)
	if err := s.put(t, "b", []byte("text")); !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestARangeThatComesShortIsNoFile(t *testing.T) {
	s := start(t)
	must(t, s.put(t, "a", content(1000)))
	s.cut.Store(true)
	r, err := s.Get(t.Context(), "a")
	must(t, err)
	if _, err := io.ReadAll(r); !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestABucketTellsWhetherStrangersReadIt(t *testing.T) {
	s := start(t)
	must(t, s.put(t, "a", []byte("text")))
	if public, err := s.Public(t.Context(), "a"); public || err != nil {
		t.Errorf("a private one: %v, %v", public, err)
	}
	if public, err := s.open.Public(t.Context(), "a"); !public || err != nil {
		t.Errorf("one that everybody reads: %v, %v", public, err)
	}
	if versioned, err := s.Versioned(t.Context()); versioned || err != nil {
		t.Errorf("versioned %v, %v", versioned, err)
	}
}

func TestWrongCredentialsAreRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>SignatureDoesNotMatch</Code><Message>secret words</Message></Error>`)
	}))
	t.Cleanup(server.Close)
	_, err := at(t, server.URL).List(t.Context(), "")
	if !errs.Is(err, errs.Forbidden) || strings.Contains(fmt.Sprintf("%+v", err), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestAddressesOfBuckets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"s3://s3.eu-central-1.amazonaws.com/copies?region=eu-central-1": "https://s3.eu-central-1.amazonaws.com/copies  eu-central-1 false",
		"s3+own://minio.internal:9000/copies/aver/":                     "https://minio.internal:9000/copies aver/ us-east-1 true",
		"s3+http://10.0.0.7:9000/copies":                                "http://10.0.0.7:9000/copies  us-east-1 true",
		"s3://host":                                                     "",
		"s3://id:secret@host/copies":                                    "",
		"https://host/copies":                                           "",
		"/var/backups":                                                  "",
	} {
		a, err := bucket.Parse(text)
		got := fmt.Sprintf("%s %s %s %v", a.URL.String(), a.Prefix, a.Region, a.Own)
		if want == "" && !errs.Is(err, errs.Invalid) || want != "" && (err != nil || got != want) {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}
