package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"aver/base/personal"
	"aver/cmd/aver/app"
	"aver/edge/certificate"
	"aver/frame/mail"
	"aver/trust/backups/bucket"
)

var serveCommand = command{name: "serve", summary: "serve an installation", run: serve, usage: `
aver serve [--data FOLDER] [--host NAME]…

Without options it keeps everything in ./aver-data, makes a certificate of its own and serves https://localhost:8443.
The root key is read from AVER_ROOT_KEY or from FOLDER/root.key, unless --root-key names another file or a key manager:
  transit://HOST:PORT/MOUNT/KEY?token_file=FILE   OpenBao or Vault (transit+http:// without TLS, on this machine); the token
                                                  may be in VAULT_TOKEN instead; the key's type must take associated data
  awskms://… gcpkms://… azurekeyvault://…         as gocloud.dev/secrets has them, in a program built with -tags gocloud
What need not stand on a command line is read from the environment when its option is not given: --database from
AVER_DATABASE, --key-database from AVER_KEY_DATABASE, --root-key from AVER_ROOT_KEY_FROM, --backup-to from AVER_BACKUP_TO; the
mail relay's password always from AVER_MAIL_PASSWORD, a bucket's credentials from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN.

Examples:
  aver serve --data /var/lib/aver --host chat.example.com --acme letsencrypt --email admin@example.com
  aver serve --data /var/lib/aver --host chat.example.com --cert chat.crt --key chat.key --database "$URL"
  aver serve --data /var/lib/aver --check`}

// list is an option that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// settings are the options that say where an installation is; most commands take them.
type settings struct {
	config      app.Config
	hosts       list
	certs, keys list
	proxies     list
	recipients  list
	keysFor     list
	mailRelay   string
	mailFrom    string
	mailUser    string
	mailClear   bool
}

func (s *settings) storage(f *flag.FlagSet) {
	f.StringVar(&s.config.Data, "data", "aver-data", "folder of data, keys and certificates")
	f.StringVar(&s.config.Database, "database", "", "address of PostgreSQL as the serving role; AVER_DATABASE if empty; without either everything is kept in the data folder")
	f.StringVar(&s.config.KeyDatabase, "key-database", "", "address of the PostgreSQL that keeps the keys, if it is another; AVER_KEY_DATABASE if empty")
	f.StringVar(&s.config.RootKey, "root-key", "", "where the root key is: a file, env, or a key manager such as transit://bao.example:8200/transit/aver-root; AVER_ROOT_KEY_FROM if empty")
}

// reached are the options that say by which names and with which certificates people come.
func (s *settings) reached(f *flag.FlagSet) {
	f.StringVar(&s.config.Listen, "listen", ":8443", "address for HTTPS")
	f.Var(&s.hosts, "host", "name it is reached by; may be repeated")
	f.Var(&s.certs, "cert", "certificate file; repeat for ECDSA and RSA")
	f.Var(&s.keys, "key", "key file of the certificate")
	f.StringVar(&s.config.ACME, "acme", "", "get certificates from letsencrypt, or from the directory at this address")
	f.StringVar(&s.config.Email, "email", "", "address for certificate authorities and for reports of vulnerabilities")
}

func (s *settings) serving(f *flag.FlagSet) {
	f.StringVar(&s.config.Region, "region", "", "where the data lies, such as eu: kept, shown on the trust page and given to new workspaces; as before if empty, local at first")
	f.StringVar(&s.config.Plain, "plain", "", "address for plain HTTP, which only redirects, such as :8080")
	f.StringVar(&s.config.Admin, "admin", "127.0.0.1:9464", "address for metrics and profiles")
	f.StringVar(&s.config.Trace, "trace", "", "address of an OpenTelemetry collector, such as http://127.0.0.1:4318/v1/traces; needs a program built with -tags otel")
	s.reached(f)
	s.backups(f)
	f.Var(&s.proxies, "proxy", "network of a proxy whose X-Forwarded-For is believed, such as 10.0.0.0/8")
	f.StringVar(&s.mailRelay, "mail-relay", "", "host:port of the mail relay")
	f.StringVar(&s.mailFrom, "mail-from", "", "sender of mails, such as \"Support <support@example.com>\"")
	f.StringVar(&s.mailUser, "mail-user", "", "user name at the mail relay")
	f.BoolVar(&s.mailClear, "mail-clear", false, "the relay is on this machine and takes mail without encryption")
}

func (s *settings) backups(f *flag.FlagSet) {
	f.StringVar(&s.config.BackupTo, "backup-to", "", "where backups go: a folder, or s3://HOST/BUCKET/PREFIX?region=REGION (s3+own:// is your own server, s3+http:// the same without TLS); AVER_BACKUP_TO if empty, DATA/backups without either")
	f.StringVar(&s.config.KeysTo, "keys-to", "", "where the copy of people's keys goes, written like --backup-to; AVER_KEYS_TO if empty, without either into the folder of backups or DATA/backups")
	f.Var(&s.keysFor, "keys-recipient", "age recipient that the copy of the keys is made for; may be repeated; those of backups if there is none")
	f.StringVar(&s.config.BackupRegion, "backup-region", "", "region in which these places are, such as eu or de: refused if it is not part of the installation's own")
	f.Var(&s.recipients, "backup-recipient", "age recipient that backups are made for; may be repeated; a key of this machine's own if there is none")
}

// done makes the configuration of the options, and of the environment where they say nothing. It is read here and not as
// the options' defaults, which --help prints: it holds passwords.
func (s *settings) done() (app.Config, error) {
	s.config.Database = cmp.Or(s.config.Database, os.Getenv("AVER_DATABASE"))
	s.config.KeyDatabase = cmp.Or(s.config.KeyDatabase, os.Getenv("AVER_KEY_DATABASE"))
	s.config.RootKey = cmp.Or(s.config.RootKey, os.Getenv("AVER_ROOT_KEY_FROM"))
	s.config.BackupTo = cmp.Or(s.config.BackupTo, os.Getenv("AVER_BACKUP_TO"))
	s.config.BackupKeys = bucket.Credentials{ID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: personal.Of(os.Getenv("AWS_SECRET_ACCESS_KEY")), Token: personal.Of(os.Getenv("AWS_SESSION_TOKEN"))}
	s.config.KeysTo = cmp.Or(s.config.KeysTo, os.Getenv("AVER_KEYS_TO"))
	s.config.Hosts, s.config.BackupRecipients, s.config.KeysRecipients = s.hosts, s.recipients, s.keysFor
	if len(s.certs) != len(s.keys) {
		return s.config, fmt.Errorf("give each --cert its --key: %w", errUsage)
	}
	for i := range s.certs {
		s.config.Certificates = append(s.config.Certificates, certificate.Pair{Certificate: s.certs[i], Key: s.keys[i]})
	}
	for _, p := range s.proxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return s.config, fmt.Errorf("--proxy %s is not a network: %w", p, errUsage)
		}
		s.config.Proxies = append(s.config.Proxies, prefix)
	}
	return s.config, s.mail()
}

func (s *settings) mail() error {
	if s.mailRelay == "" {
		return nil
	}
	host, port, found := strings.Cut(s.mailRelay, ":")
	sender := &mail.Sender{Host: host, From: s.mailFrom, User: s.mailUser, Password: personal.Of(os.Getenv("AVER_MAIL_PASSWORD"))}
	if s.mailClear {
		sender.Encryption = mail.Clear
	}
	if found {
		n, err := strconv.Atoi(port)
		if err != nil {
			return fmt.Errorf("--mail-relay wants host:port: %w", errUsage)
		}
		sender.Port = n
		if n == 465 {
			sender.Encryption = mail.ImplicitTLS
		}
	}
	s.config.Mail = sender
	return nil
}

func serve(ctx context.Context, c *call) error {
	var s settings
	s.storage(c.flags)
	s.serving(c.flags)
	check := c.flags.Bool("check", false, "say what is unsafe and do not serve")
	if err := c.only(); err != nil {
		return err
	}
	config, err := s.done()
	if err != nil {
		return err
	}
	slog.SetDefault(app.NewLog(config.Log))
	a, err := app.Open(ctx, config)
	if err != nil {
		return err
	}
	unsafe := a.Unsafe(ctx)
	if *check || len(unsafe) > 0 {
		return errors.Join(sayUnsafe(c, unsafe), a.Close())
	}
	return a.Serve(ctx, func(a *app.App) {
		https, admin, _ := a.Edge.Addresses()
		fmt.Fprintf(c.out, "Aver serves https://%s (metrics on http://%s/metrics)\n", https, admin)
	})
}

// sayUnsafe prints the findings; none of them is the answer yes.
func sayUnsafe(c *call, unsafe []string) error {
	if c.json {
		unsafe = append([]string{}, unsafe...) // a list also when it is empty
		if err := printJSON(c.out, map[string]any{"safe": len(unsafe) == 0, "unsafe": unsafe}); err != nil {
			return err
		}
	} else if len(unsafe) == 0 {
		fmt.Fprintln(c.out, "Nothing unsafe was found.")
	}
	if len(unsafe) == 0 {
		return nil
	}
	if !c.json {
		fmt.Fprintln(c.out, "This is unsafe, and Aver does not serve like this:")
		for _, finding := range unsafe {
			fmt.Fprintln(c.out, " -", finding)
		}
	}
	return errNo
}
