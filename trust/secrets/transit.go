package secrets

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"aver/base/errs"
	"aver/frame/egress"
	"aver/vault/keyring"
)

// Transit wraps keys with a key of the transit engine of OpenBao or Vault, of a type with associated data: aes256-gcm96
// or chacha20-poly1305. The key never leaves the server, which keeps its old versions for what they wrapped.
type Transit struct {
	Server    string // https://host:port
	Mount     string // where the engine is mounted, as a rule transit
	Key       string
	Namespace string                 // or empty
	Token     func() (string, error) // asked at every call
	Client    *http.Client           // the egress door's
}

var (
	_ keyring.Root      = (*Transit)(nil)
	_ keyring.Versioned = (*Transit)(nil)
)

// Wrap has a key encrypted, bound to its place.
func (t *Transit) Wrap(ctx context.Context, key, place []byte) ([]byte, error) {
	var answer struct{ Ciphertext string }
	if err := t.call(ctx, "encrypt", map[string][]byte{"plaintext": key, "associated_data": place}, nil, &answer); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(answer.Ciphertext, prefix) {
		return nil, fmt.Errorf("wrap a key: %w: its answer holds no ciphertext", ErrRefused)
	}
	return []byte(answer.Ciphertext), nil
}

// Unwrap has a key decrypted.
func (t *Transit) Unwrap(ctx context.Context, wrapped, place []byte) ([]byte, error) {
	var answer struct{ Plaintext []byte }
	if err := t.call(ctx, "decrypt", map[string][]byte{"associated_data": place}, map[string]string{"ciphertext": string(wrapped)}, &answer); err != nil {
		return nil, err
	}
	if len(answer.Plaintext) == 0 {
		return nil, fmt.Errorf("unwrap a key: %w: its answer holds no plaintext", ErrRefused)
	}
	return answer.Plaintext, nil
}

// prefix is what every ciphertext of the engine begins with; its version follows: vault:v3:…
const prefix = "vault:v"

// WrappedBy is for keyring.Versioned.
func (t *Transit) WrappedBy(wrapped []byte) uint32 {
	rest, found := strings.CutPrefix(string(wrapped), prefix)
	digits, _, ended := strings.Cut(rest, ":")
	n, err := strconv.ParseUint(digits, 10, 32)
	if !found || !ended || err != nil {
		return 0
	}
	return uint32(n)
}

// tries is how often a call is made while the server is away, with a pause that doubles between them.
const (
	tries      = 4
	firstPause = 100 * time.Millisecond
	mostAnswer = 64 << 10
)

func (t *Transit) call(ctx context.Context, verb string, sealed map[string][]byte, plain map[string]string, answer any) error {
	fields := map[string]string{}
	for name, value := range sealed {
		fields[name] = base64.StdEncoding.EncodeToString(value)
	}
	for name, value := range plain {
		fields[name] = value
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("%s a key: %w", verb, err)
	}
	pause := firstPause
	for try := 1; ; try++ {
		again, err := t.once(ctx, verb, body, answer)
		if err == nil || !again {
			return err
		}
		if try == tries {
			return away(err)
		}
		select {
		case <-ctx.Done():
			return away(errors.Join(ctx.Err(), err))
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// once makes one call. again tells that another may succeed.
func (t *Transit) once(ctx context.Context, verb string, body []byte, answer any) (again bool, err error) {
	token, err := t.Token()
	if err != nil {
		return false, err
	}
	address := t.Server + "/v1/" + t.Mount + "/" + verb + "/" + url.PathEscape(t.Key)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("%s a key: %w", verb, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Vault-Request", "true") // an agent in between may insist on it
	r.Header.Set("X-Vault-Token", token)
	if t.Namespace != "" {
		r.Header.Set("X-Vault-Namespace", t.Namespace)
	}
	reply, err := t.Client.Do(r)
	if err != nil {
		return !errs.Is(err, errs.Forbidden), fmt.Errorf("%s a key: %w", verb, egress.Reason(err))
	}
	defer reply.Body.Close()
	text, err := egress.ReadAll(reply.Body, mostAnswer)
	if err != nil {
		return true, fmt.Errorf("%s a key: %w", verb, err)
	}
	if reply.StatusCode != http.StatusOK {
		return temporary(reply.StatusCode), fmt.Errorf("%s a key: %w: status %d%s", verb, ErrRefused, reply.StatusCode, complaint(text))
	}
	if err := json.Unmarshal(text, &struct{ Data any }{answer}); err != nil {
		return false, fmt.Errorf("%s a key: %w: its answer is not understood", verb, ErrRefused)
	}
	return false, nil
}

// temporary statuses are those of a server that is sealed, a standby, not caught up, or asked too often.
func temporary(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusPreconditionFailed || status == 472 || status == 473
}

// complaint is what the server says is wrong. It speaks of keys and permissions and repeats nothing it was sent.
func complaint(text []byte) string {
	var said struct{ Errors []string }
	if json.Unmarshal(text, &said) != nil || len(said.Errors) == 0 {
		return ""
	}
	all := strings.Join(strings.Fields(strings.Join(said.Errors, "; ")), " ")
	return ": " + all[:min(len(all), 200)]
}
