package bucket

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const algorithm = "AWS4-HMAC-SHA256"

// sign adds the headers of Signature Version 4, as the Amazon S3 API reference describes it under "Authenticating
// Requests: Using the Authorization Header". payload is the SHA-256 of the body in hex.
func sign(r *http.Request, payload string, keys Credentials, region string, at time.Time) {
	stamp := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", stamp)
	r.Header.Set("X-Amz-Content-Sha256", payload)
	if token := keys.Token.Reveal(); token != "" {
		r.Header.Set("X-Amz-Security-Token", token)
	}
	headers, signed := canonicalHeaders(r)
	canonical := strings.Join([]string{r.Method, escape(r.URL.Path, true), canonicalQuery(r.URL.Query()), headers, signed, payload}, "\n")
	scope := stamp[:8] + "/" + region + "/s3/aws4_request"
	hashed := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + keys.Secret.Reveal())
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	signature := hex.EncodeToString(mac(key, algorithm+"\n"+stamp+"\n"+scope+"\n"+hex.EncodeToString(hashed[:])))
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s,SignedHeaders=%s,Signature=%s", algorithm, keys.ID, scope, signed, signature))
	r.URL.RawPath = escape(r.URL.Path, true) // sent as it was signed
	r.URL.RawQuery = canonicalQuery(r.URL.Query())
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonicalHeaders are the host and all headers that are set.
func canonicalHeaders(r *http.Request) (headers, names string) {
	values := map[string]string{"host": r.URL.Host}
	list := []string{"host"}
	for name, value := range r.Header {
		lower := strings.ToLower(name)
		values[lower], list = strings.TrimSpace(strings.Join(value, ",")), append(list, lower)
	}
	slices.Sort(list)
	var out strings.Builder
	for _, name := range list {
		out.WriteString(name + ":" + values[name] + "\n")
	}
	return out.String(), strings.Join(list, ";")
}

func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, escape(name, false)+"="+escape(value, false))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape is the protocol's own: everything but letters, digits and -._~ as %XX, the slash too unless it parts a path.
func escape(text string, path bool) string {
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 || path && c == '/' {
			out.WriteByte(c)
			continue
		}
		fmt.Fprintf(&out, "%%%02X", c)
	}
	return out.String()
}
