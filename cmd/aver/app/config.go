package app

import (
	"io"
	"net/netip"
	"time"

	"aver/base/clock"
	"aver/edge"
	"aver/edge/certificate"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/trust/backups/bucket"
	"aver/vault/keyring"
)

// Config is everything an installation can be told. The zero value of each field is usable; Data must be set.
type Config struct {
	Data        string // folder of stores, keys, files and certificates
	Database    string // address of PostgreSQL as the serving role; empty keeps everything in Data
	KeyDatabase string // where keys are kept, if not in Database's server
	Region      string // home region of this installation and its new tenants, such as eu; the one it was last served with if empty

	Listen string   // HTTPS; ":8443" if empty
	Plain  string   // plain HTTP that redirects; none if empty
	Admin  string   // metrics and profiles; loopback if empty
	Trace  string   // address of an OpenTelemetry collector (OTLP over HTTP); nothing is traced if empty
	Hosts  []string // names this installation is reached by; every name if empty
	Named  string   // by links and certificates that a command makes; the first of Hosts if empty

	Certificates []certificate.Pair // own certificates; self-signed ones are made if there are none and no ACME
	ACME         string             // where certificates come from: "letsencrypt" or a directory's address
	Email        string             // where a certificate authority and reporters of vulnerabilities may write to
	Proxies      []netip.Prefix     // whose X-Forwarded-For is believed

	Mail *mail.Sender // the operator's relay; without one nothing is mailed

	BackupRegion     string             // in which region that place is; refused if data from here may not lie there
	BackupTo         string             // folder of backups, or a bucket's address (package bucket); Data/backups if empty
	BackupKeys       bucket.Credentials // of the bucket
	BackupRecipients []string
	KeysTo           string   // where the copy of the keys goes, like BackupTo; to the folder of backups if empty
	KeysRecipients   []string // of the copy of the keys; those of backups if there are none

	RootKey string // where the root key is: a file, "env" for AVER_ROOT_KEY, or a key manager's address (package secrets); if empty the environment's or Data/root.key

	Root  keyring.Root  // instead of RootKey, for rigs
	Clock clock.Clock   // the machine's if nil
	Log   io.Writer     // JSON lines; standard error if nil
	Probe time.Duration // shortest time between two runs of one claim; the claim's own if zero

	// Restoring opens a folder that was restored from a backup and is still shut: to release it, and for nothing else.
	Restoring bool
	// Modules are added to those that Aver consists of: the demo's shops, a rig's.
	Modules []module.Module
	// Calm leaves the canaries and the probes out: for rigs that measure something else.
	Calm bool
	// Quotas are instead of the edge's own, by class: for rigs that ask faster than people.
	Quotas map[module.Class]edge.Quota
	// Loopback lists host:port pairs that may be called although they are on this machine: receivers in tests and the demo.
	Loopback map[string]bool
	// UnsafeForTests accepts a PostgreSQL that does not fsync.
	UnsafeForTests bool
}
