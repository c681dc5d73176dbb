package certificate

import (
	"errors"
	"net/http"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME is how to ask a certificate authority (RFC 8555).
type ACME struct {
	Client    *http.Client // from the egress door
	Directory string       // of the authority; empty for Let's Encrypt
	Email     string       // where the authority may write to; may be empty
	Folder    string       // keeps the account key and the certificates, mode 0600
	Hosts     []string     // for which certificates are asked; no other
}

// Automatic serves certificates that the authority signs on the first handshake for a host, in the kind the client
// can check, and renews them in time. Using it accepts the authority's terms of service. Challenges are answered over
// TLS (RFC 8737) and on the plain HTTP port.
func Automatic(settings ACME) (*Source, error) {
	if len(settings.Hosts) == 0 || settings.Folder == "" || settings.Client == nil {
		return nil, errors.New("certificates by ACME need host names, a folder and a client")
	}
	manager := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      autocert.DirCache(settings.Folder),
		HostPolicy: autocert.HostWhitelist(settings.Hosts...),
		Email:      settings.Email,
		Client:     &acme.Client{HTTPClient: settings.Client, DirectoryURL: settings.Directory, UserAgent: "aver"},
	}
	return &Source{
		get:       manager.GetCertificate,
		kinds:     func() []string { return []string{"ecdsa", "rsa"} },
		challenge: manager.HTTPHandler,
		protocols: []string{acme.ALPNProto},
	}, nil
}
