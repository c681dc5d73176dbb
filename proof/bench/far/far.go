// Package far is a relay that the bench begins in a process of its own.
package far

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"aver/edge/relay"
	"aver/frame/egress"
)

// To and Folder are the variables that say where to carry and where to keep the log.
const (
	To     = "AVER_BENCH_RELAY_TO"
	Folder = "AVER_BENCH_RELAY_FOLDER"
)

// Site is a relay to the server whose address is in the environment.
func Site() http.Handler {
	r, err := open(os.Getenv(To))
	if err != nil {
		fmt.Fprintln(os.Stderr, "open the relay:", err)
		os.Exit(1)
	}
	return r
}

func open(address string) (*relay.Relay, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // to learn whom to trust: the rig's own server
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	door := &egress.Door{Roots: x509.NewCertPool(), Register: func(_ context.Context, purpose, _ string) (egress.Entry, bool) {
		return egress.Entry{Name: "the rig's server", Grade: egress.Own}, purpose == relay.Purpose
	}}
	door.Roots.AddCert(conn.ConnectionState().PeerCertificates[0])
	return relay.New(relay.Config{Regions: []relay.Region{{Name: "eu", URL: &url.URL{Scheme: "https", Host: address}}}, Carrier: door.Carrier(relay.Purpose),
		Folder: filepath.Join(os.Getenv(Folder), "connections"), Log: slog.New(slog.DiscardHandler)})
}
