package enrichment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/personal"
	"aver/frame/egress"
)

const (
	mostImage   = 100 << 10 // bytes
	mostProfile = 256 << 10 // bytes
	mostWords   = 500       // characters of one value
)

// mediaTypes are the pictures that are kept.
var mediaTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// addressOf puts a person into a source's address. The hash is the Libravatar scheme's: SHA-256 of the address in lower
// case.
func addressOf(template, email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	return strings.NewReplacer(hashMark, hex.EncodeToString(sum[:]), addressMark, url.QueryEscape(email)).Replace(template)
}

// ask asks a source about an address. No values means that it knows nobody there; errs.Unavailable, that it may later.
func (s *Service) ask(ctx context.Context, from Source, email string) ([]Value, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, addressOf(from.URL, email), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask a source: %w", errPlace)
	}
	if !from.Token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+from.Token.Reveal())
	}
	answer, err := s.Client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask a source: %w", egress.Reason(err)) // net/http's own words repeat the address
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusNoContent, http.StatusGone:
		return nil, nil
	default:
		return nil, errs.New(errs.Unavailable, "The source answers with status "+strconv.Itoa(answer.StatusCode)+".")
	}
	limit := int64(mostProfile)
	if from.Kind == Picture {
		limit = mostImage
	}
	body, err := egress.ReadAll(answer.Body, limit)
	if err != nil {
		return nil, fmt.Errorf("ask a source: %w", err)
	}
	if from.Kind == Picture {
		return picture(from, body)
	}
	return profile(from, body)
}

var errPlace = errs.New(errs.Invalid, "The source's address cannot be asked.")

// picture keeps what is a picture by its bytes, whatever the answer calls itself.
func picture(from Source, body []byte) ([]Value, error) {
	media := http.DetectContentType(body)
	if !slices.Contains(mediaTypes, media) {
		return nil, errs.New(errs.Invalid, "The source's answer is no picture.")
	}
	return []Value{{Kind: Picture, Field: "picture", Image: personal.OfBytes(body), Media: media, Source: hostOf(from.URL)}}, nil
}

// profile keeps the fields that the tenant named, and nothing else of the answer.
func profile(from Source, body []byte) ([]Value, error) {
	var doc any
	read := json.NewDecoder(bytes.NewReader(body))
	read.UseNumber()
	if err := read.Decode(&doc); err != nil {
		return nil, errs.New(errs.Invalid, "The source's answer is no JSON.")
	}
	var out []Value
	for name, pointer := range from.Fields {
		words := wordsAt(doc, pointer)
		if words == "" {
			continue
		}
		words, _ = cards.Mask(words)
		out = append(out, Value{Kind: Profile, Field: name, Words: personal.Of(words), Source: hostOf(from.URL)})
	}
	return out, nil
}

// wordsAt is the text, number or truth at a JSON pointer (RFC 6901), empty if there is none that fits.
func wordsAt(doc any, pointer string) string {
	for _, part := range strings.Split(pointer, "/")[1:] {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch at := doc.(type) {
		case map[string]any:
			doc = at[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(at) {
				return ""
			}
			doc = at[i]
		default:
			return ""
		}
	}
	words := ""
	switch v := doc.(type) {
	case string, json.Number, bool:
		words = strings.TrimSpace(fmt.Sprint(v))
	}
	if !utf8.ValidString(words) || utf8.RuneCountInString(words) > mostWords {
		return ""
	}
	return words
}
