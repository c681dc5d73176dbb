// Package app puts Aver together: stores, services, modules, the edge. It wires and does nothing else.
//
// cmd/aver serves it; the demo, the rigs in proof and the tests start the very same thing.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"aver/base/clock"
	"aver/edge"
	"aver/edge/certificate"
	"aver/frame/egress"
	"aver/frame/jobs"
	"aver/frame/live"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/frame/trace"
	"aver/trust/backups/bucket"
	"aver/trust/backups/quarantine"
	"aver/trust/identity"
	"aver/trust/probes/world"
	"aver/trust/residency"
	"aver/trust/subprocessors"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/keyring"
)

// App is a whole installation in one process.
type App struct {
	Config Config
	Vault  *vault.Vault
	Jobs   *jobs.Jobs
	Hub    *live.Hub
	Door   *egress.Door
	Edge   *edge.Server

	scratch world.Scratch // what fixtures may break
	Log     *slog.Logger

	Services
	root     keyring.Root
	register atomic.Pointer[subprocessors.Service] // what the door asks, once it can be read
	stores   *stores
	seed     []byte          // signs the manifests of backups
	bucket   *bucket.Address // where backups go; nil for a folder
	keysIn   *bucket.Address // where the copy of the keys goes; nil for a folder
	modules  []module.Module
	cancel   context.CancelFunc
	ctx      context.Context
	untrace  func(context.Context) error // sends the last spans
}

// Open opens the stores and wires everything, without listening or starting work. Close it, or Serve it.
func Open(ctx context.Context, c Config) (*App, error) {
	if c.Data == "" {
		return nil, errors.New("open: no data folder is given")
	}
	if c.Clock == nil {
		c.Clock = &clock.System{}
	}
	a := &App{Config: c, Log: NewLog(c.Log)}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	if err := quarantine.Folder(c.Data); err != nil && !c.Restoring {
		return nil, err
	}
	if err := a.readBuckets(); err != nil {
		return nil, err
	}
	a.ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	a.Door = &egress.Door{Loopback: c.Loopback, Register: a.mayLeave, Observed: a.observe}
	if err := a.openVault(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(a.unlocked(ctx), a.settle(ctx)); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if err := a.wire(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) openVault(ctx context.Context) error {
	migrations, err := allMigrations(a.Config)
	if err != nil {
		return err
	}
	if err := a.openRoot(ctx); err != nil {
		return err
	}
	root := a.root
	if a.seed, err = installationSecret(ctx, a.Config, root, seedName); err != nil {
		return err
	}
	if a.stores, err = openStores(ctx, a.Config, root, migrations, a.Config.Clock); err != nil {
		return err
	}
	a.Vault, err = vault.Open(ctx, vault.Config{Engine: a.stores.data, Keys: a.stores.keys, Clock: a.Config.Clock,
		Blobs: filepath.Join(a.Config.Data, "blobs"), Tables: allTables(a.Config), Log: a.Log})
	if err != nil {
		return errors.Join(err, a.stores.data.Close(), a.stores.close())
	}
	return nil
}

// settle tells the vault where it stands: where the configuration says, or where it stood last.
func (a *App) settle(ctx context.Context) (err error) {
	a.Config.Region, err = residency.Settle(ctx, a.Vault, a.Config.Region)
	if err == nil && a.Config.BackupRegion != "" {
		err = residency.Allowed(a.Config.Region, a.Config.BackupRegion)
	}
	return err
}

// wire makes the frame's parts, the services and the edge, and hands each what it needs.
func (a *App) wire(ctx context.Context) error {
	var err error
	if a.Jobs, err = jobs.Open(ctx, a.stores.queue, a.stores.dialect); err != nil {
		return fmt.Errorf("open the queue: %w", err)
	}
	caller := func(r *http.Request) netip.Addr { return request.Client(r.Context()) } // behind a proxy not the connection's own address
	a.Hub = live.New(live.Options{Log: a.Log, Address: caller})
	a.makeServices()
	a.openDoors()
	a.modules = a.listModules()
	a.Identity.Compose(a.modules)
	if !a.Config.Calm {
		a.Claims.Add(a.claims()...)
	}
	certificates, err := a.Config.Source(a.Door.Client(CertificatePurpose))
	if err != nil {
		return err
	}
	settings := a.edgeConfig(certificates)
	if a.Config.Trace != "" {
		if settings.Trace, a.untrace, err = trace.To(ctx, a.Config.Trace, a.Door.Client(tracePurpose)); err != nil {
			return err
		}
	}
	a.Edge = edge.New(settings)
	for _, m := range a.modules {
		a.Edge.Add(m)
		if m.Jobs == nil {
			continue
		}
		if err := m.Jobs(a.Jobs); err != nil {
			return fmt.Errorf("declare jobs of %s: %w", m.Name, err)
		}
	}
	return nil
}

func (a *App) edgeConfig(certificates *certificate.Source) edge.Config {
	c := a.Config
	return edge.Config{
		Listen: c.Listen, Plain: c.Plain, Admin: c.Admin, Hosts: c.Hosts, Proxies: c.Proxies, Certificates: certificates,
		Authenticator: a.Identity, SessionCookie: identity.CookieName, Clock: c.Clock, Log: a.Log,
		ErrorPage: page.ShowProblem, View: a.view, Idempotency: a.Identity.Idempotency(),
		Ready: map[string]func(context.Context) error{"stores": a.Vault.Check},
		Drain: a.Hub.Drain, Quotas: c.Quotas, Connected: a.connected, Metrics: []func(io.Writer){a.Jobs.WriteMetrics}, Elsewhere: a.Residency.Locate,
	}
}

// Source is where the certificates come from: files, an authority that ask reaches, or else this machine itself.
func (c Config) Source(ask *http.Client) (*certificate.Source, error) {
	folder := filepath.Join(c.Data, "certificates")
	switch {
	case len(c.Certificates) > 0:
		return certificate.Files(c.Certificates...)
	case c.ACME != "":
		directory := c.ACME
		if directory == "letsencrypt" {
			directory = ""
		}
		return certificate.Automatic(certificate.ACME{Client: ask, Directory: directory, Email: c.Email,
			Folder: folder, Hosts: names(c.Hosts)})
	default:
		return certificate.SelfSigned(folder, names(append([]string{"localhost", "127.0.0.1", "::1"}, c.Hosts...)), c.Clock)
	}
}

// names are hosts without their ports.
func names(hosts []string) []string {
	var out []string
	for _, h := range hosts {
		if name, _, found := strings.Cut(h, ":"); found && !strings.Contains(h, "::") {
			h = name
		}
		out = append(out, h)
	}
	return out
}

// Serve listens, starts the work that is due, and answers until ctx ends; then it stops without losing anything that
// was acknowledged, and closes. ready is called once requests are answered.
func (a *App) Serve(ctx context.Context, ready func(*App)) error {
	if err := a.Edge.Listen(); err != nil {
		return errors.Join(err, a.Close())
	}
	if err := a.Start(ctx); err != nil {
		return errors.Join(err, a.Close())
	}
	if ready != nil {
		go ready(a)
	}
	return errors.Join(a.Edge.Serve(ctx), a.Close())
}

// Alive serves on this machine alone while a command measures promises: probes look at what is served. stop ends it.
func (a *App) Alive(ctx context.Context) (stop func(), err error) {
	if err := a.Edge.Listen(); err != nil {
		return nil, err
	}
	if err := a.startServices(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := a.Edge.Serve(ctx); err != nil {
			a.Log.Error("serve for a command", "error", err)
		}
	}()
	return func() { cancel(); <-ended }, nil
}

// Start starts the jobs and lets the followers catch up on what happened while nobody ran.
func (a *App) Start(ctx context.Context) error {
	go giveBack(a.ctx)
	if err := a.Jobs.Start(a.ctx); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	tenants, err := a.Vault.AllTenants(ctx, true)
	if err != nil {
		return fmt.Errorf("list tenants: %w", err)
	}
	for _, t := range tenants {
		a.Vault.Catch(t.ID)
	}
	return a.startServices(ctx)
}

// jobsMayTake is how long work that has begun may go on after it was asked to stop; then it goes back to the queue.
const jobsMayTake = 3 * time.Second

// Close stops the work and closes the stores.
func (a *App) Close() error {
	a.cancel()
	var faults []error
	if a.Jobs != nil {
		soon, cancel := context.WithTimeout(context.Background(), jobsMayTake)
		defer cancel()
		faults = append(faults, a.Jobs.Stop(soon))
	}
	if a.untrace != nil {
		faults = append(faults, a.untrace(context.Background()))
	}
	return errors.Join(append(faults, a.scratch.Close(), a.Vault.Close(), a.stores.close())...)
}

// NewLog writes JSON lines to a writer, or to standard error. Personal values print as placeholders.
func NewLog(to io.Writer) *slog.Logger {
	if to == nil {
		to = os.Stderr
	}
	return slog.New(slog.NewJSONHandler(to, nil))
}

func allMigrations(c Config) ([]engine.Migration, error) { return module.Migrations(schema(c)) }
