// Package secrets keeps the root key in a key manager: the transit engine of OpenBao or HashiCorp Vault, or a cloud's.
//
// A key manager is asked seldom. It wraps a few data keys, and those wrap the keys of tenants and files here, bound to
// their places; so a start costs one call for each data key there is, as a rule one, and a running installation none.
// Whoever keeps the root key in a file or in the environment does not need this package.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"aver/base/errs"
	"aver/vault/keyring"
)

// Purpose is what the egress door is told a call to the key manager is for.
const Purpose = "root key"

// ErrRefused says that the key manager answered and does not do what it is asked: the token is not good, the key is not
// there, or what is to be opened was not wrapped by it. Trying again does not help; somebody has to look.
var ErrRefused = errors.New("the key manager refuses")

// away says that the key manager cannot be reached or does not work now. It may later.
func away(cause error) error {
	e := errs.New(errs.Unavailable, "The key manager cannot be reached. Try again in a moment.")
	e.RetryAfter = 5
	return e.Because(cause)
}

// Manages tells whether an address names a key manager; otherwise it is a file's.
func Manages(address string) bool { return strings.Contains(address, "://") }

// Host is the key manager's host, which the egress door must let through, or empty: a cloud's driver calls out by itself.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "transit" && u.Scheme != "transit+http" {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// Open returns the root key that an address names:
//
//	transit://HOST[:PORT]/MOUNT/KEY[?namespace=NAME][&token_file=FILE]
//	transit+http://…   without TLS, for one on this machine
//	awskms://…, gcpkms://…, azurekeyvault://…   as gocloud.dev/secrets has them, in programs built with -tags gocloud
//
// The token of transit is read from the file at every call, so that an agent may renew it, or else from VAULT_TOKEN. Calls
// go through client, which is to be the egress door's. Nothing is called yet.
func Open(ctx context.Context, address string, client *http.Client) (keyring.Root, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("open the root key: its address is malformed") // the library's error would repeat it
	}
	switch u.Scheme {
	case "transit", "transit+http":
		t, err := openTransit(u, client)
		if err != nil {
			return nil, err
		}
		return NewEnvelope(t), nil
	default:
		root, err := openCloud(ctx, u.Scheme, address)
		if err != nil {
			return nil, err
		}
		return NewEnvelope(root), nil
	}
}

func openTransit(u *url.URL, client *http.Client) (*Transit, error) {
	path := strings.Trim(u.Path, "/")
	cut := strings.LastIndexByte(path, '/')
	if u.Host == "" || cut < 1 || u.User != nil {
		return nil, errors.New("open the root key: write transit://HOST:PORT/MOUNT/KEY; the token comes from token_file or VAULT_TOKEN")
	}
	t := &Transit{Mount: path[:cut], Key: path[cut+1:], Namespace: u.Query().Get("namespace"), Client: client, Server: "https://" + u.Host}
	if u.Scheme == "transit+http" {
		t.Server = "http://" + u.Host
	}
	t.Token = token(u.Query().Get("token_file"))
	if _, err := t.Token(); err != nil {
		return nil, err
	}
	return t, nil
}

// token reads the token anew each time, from a file or from the environment.
func token(file string) func() (string, error) {
	return func() (string, error) {
		text := os.Getenv("VAULT_TOKEN")
		if file != "" {
			read, err := os.ReadFile(file)
			if err != nil {
				return "", fmt.Errorf("read the key manager's token: %w", err)
			}
			text = string(read)
		}
		if text = strings.TrimSpace(text); text == "" {
			return "", errors.New("the key manager's token is missing: set VAULT_TOKEN, or name a token_file in the address")
		}
		return text, nil
	}
}
