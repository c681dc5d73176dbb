package app

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/live"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/audit"
	"aver/trust/backups"
	"aver/trust/canary"
	"aver/trust/children"
	"aver/trust/claims"
	"aver/trust/closing"
	"aver/trust/closing/takeout"
	"aver/trust/consent"
	"aver/trust/consent/receipts"
	"aver/trust/documents"
	"aver/trust/holds"
	"aver/trust/identity"
	identityweb "aver/trust/identity/web"
	"aver/trust/improvement"
	"aver/trust/residency"
	"aver/trust/restriction"
	"aver/trust/retention"
	"aver/trust/rights"
	"aver/trust/rights/told"
	rightsweb "aver/trust/rights/web"
	"aver/trust/subprocessors"
	"aver/trust/trustcenter"
	trustui "aver/trust/trustcenter/ui"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/channels/webchat"
	"aver/work/contacts"
	"aver/work/contacts/imports"
	"aver/work/contacts/minimum"
	contactsweb "aver/work/contacts/web"
	"aver/work/enrichment"
	"aver/work/inbox"
	"aver/work/inbox/transcripts"
	inboxweb "aver/work/inbox/web"
	"aver/work/webhooks"
)

// Services are the modules' services, for whoever starts an App to use.
type Services struct {
	Identity      *identity.Service
	Residency     *residency.Service
	Subprocessors *subprocessors.Service
	Audit         *audit.Service
	Consent       *consent.Service
	Receipts      *receipts.Service
	Holds         *holds.Service
	Told          *told.Service
	Restriction   *restriction.Service
	Contacts      *contacts.Service
	Imports       *imports.Service
	Enrichment    *enrichment.Service
	Inbox         *inbox.Service
	Improvement   *improvement.Service
	Rights        *rights.Service
	Children      *children.Service
	WebChat       *webchat.Service
	Webhooks      *webhooks.Service
	Backups       *backups.Service
	Closing       *closing.Service
	Takeout       *takeout.Service
	Retention     *retention.Service
	Claims        *claims.Service
	Documents     *documents.Service
	Minimum       *minimum.Service
	TrustCenter   *trustcenter.Service
	Canaries      *canary.Service
}

// makeServices makes the services, each of those that stand before it.
func (a *App) makeServices() {
	v := a.Vault
	a.Identity = identity.New(v)
	a.Residency = residency.New(v)
	a.Subprocessors = subprocessors.New(v)
	a.Audit = audit.New(v)
	a.Consent = consent.New(v)
	a.Receipts = receipts.New(a.Consent, a.Audit)
	a.Restriction = restriction.New(v, together)
	a.Restriction.Mail, a.Restriction.Letter = a.mailer(), a.lifting
	a.Contacts = contacts.New(v)
	a.Imports = imports.New(v, a.queue())
	a.Enrichment = enrichment.New(a.enrichment())
	a.Inbox = inbox.New(v, a.Hub, a.queue(), a.Contacts)
	a.Improvement = improvement.New(v, transcripts.Read, a.Identity, a.queue())
	a.Holds = holds.New(v, linked)
	a.Told = told.New(v, a.recipients(), a.mailer())
	a.Rights = rights.New(v, a.people(), a.Identity, a.Audit, a.Holds, a.mailer())
	a.Rights.Host, a.Rights.Told = func() string { return "https://" + a.host() }, a.toldOf
	a.Children = children.New(v, a.children())
	a.WebChat = webchat.New(v, a.Hub, a.Identity, a.Consent, a.Contacts, a.Inbox, a.Rights, a.Restriction, a.Receipts)
	a.Webhooks = webhooks.New(v, a.queue(), a.Door, a.Log)
	a.Backups = backups.New(v, a.backupConfig())
	a.Closing = closing.New(v, a.closingConfig())
	a.Takeout = takeout.New(v)
	a.Retention = retention.New(v, retention.Config{Files: inbox.Messages.Name(), Held: holds.Subjects, Keepers: holds.Keepers, Inner: []string{audit.Checkpoints.Name(), backups.Drills.Name(), "backup_canaries", claims.Runs.Name()}})
	a.Claims = claims.New(v, a.Config.Probe, a.Log)
	a.Minimum = minimum.New(v, cleaners())
	a.Documents = documents.New(a.documents())
	a.Canaries = canary.New(v, a.Identity, a.Log)
	a.TrustCenter = trustcenter.New(trustcenter.Config{Claims: a.Claims, Companies: a.Subprocessors, Log: a.Audit, Drill: a.lastDrill,
		Actor: func(part string) vault.Actor { return identity.System(ids.Installation, part) }, Now: a.now, Region: a.Config.Region, Contact: a.Config.Email, Host: a.host})
}

// listModules is the list of what Aver consists of.
func (a *App) listModules() []module.Module {
	return append([]module.Module{
		{Name: "vault", Number: vault.Number, Migrations: vault.Migrations()},
		a.Identity.Module(), identityweb.New(a.Identity, a.mailer(), a.now).Module(), a.Residency.Module(), a.Subprocessors.Module(), a.Audit.Module(), a.Consent.Module(), a.Receipts.Module(), a.Restriction.Module(),
		a.Contacts.Module(), a.Imports.Module(), contactsweb.New(a.Contacts, a.Imports, a.Receipts.Page, a.Restriction.Panel, a.Enrichment.Panel, a.Holds.Panel, a.Told.Panel, a.Children.Panel).Module(),
		a.Enrichment.Module(), a.Children.Module(),
		a.Inbox.Module(), inboxweb.New(a.Inbox, a.Hub, a.Identity).Module(),
		a.Told.Module(),
		a.Holds.Module(), a.Improvement.Module(),
		a.Rights.Module(), rightsweb.New(a.Rights, a.Config.Email, a.Receipts, a.Restriction).Module(), a.WebChat.Module(), a.Webhooks.Module(), a.Backups.Module(), a.Closing.Module(), a.Takeout.Module(), a.Retention.Module(), a.Claims.Module(), a.TrustCenter.Module(), a.Canaries.Module(),
		a.Documents.Module(), a.Minimum.Module(),
	}, a.Config.Modules...)
}

// schema is the same list before anything is opened: for migrations and tables only.
func schema(c Config) []module.Module {
	empty := &App{Config: Config{Modules: c.Modules}}
	empty.makeServices()
	return empty.listModules()
}

func allTables(c Config) []vault.AnyTable {
	var out []vault.AnyTable
	for _, m := range schema(c) {
		out = append(out, m.Tables...)
	}
	return out
}

// people lets the rights find persons, whom only the contacts know, and close what their data is used for.
func (a *App) people() rights.People {
	return rights.People{WithEmail: contacts.WithEmail, WithID: withID, Linked: contacts.Linked, Known: known, Provided: provided, Handed: handed,
		Show: func(tx *vault.Tx, id ids.Contact) (rights.Shown, error) {
			c, err := contacts.Contacts.Get(tx, id)
			return rights.Shown{Name: c.Name, Email: c.Email, Phone: c.Phone, ExternalID: c.ExternalID, Verified: c.Verified}, err
		},
		Limit: func(ctx context.Context, actor vault.Actor, contact ids.Contact, kind string) error {
			return a.Restriction.Set(ctx, actor, contact, restriction.Kind(kind), "")
		}}
}

// withID tells which contact the tenant's site calls so.
func withID(tx *vault.Tx, external string) (out []ids.Contact, err error) {
	found, err := contacts.Contacts.Lookup(tx, "external_id", external)
	for _, c := range found {
		out = append(out, c.ID)
	}
	return out, err
}

// together are who is shown as one with a person, whichever of them it is.
func together(tx *vault.Tx, id ids.Contact) ([]ids.Contact, error) {
	c, err := contacts.Contacts.Get(tx, id)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	if !c.MergedInto.IsZero() {
		id = c.MergedInto
	}
	return contacts.Linked(tx, id)
}

// linked is a person whom the contacts know, and those merged into them.
func linked(tx *vault.Tx, id ids.Contact) ([]ids.Contact, error) {
	if _, err := contacts.Contacts.Get(tx, id); err != nil {
		return nil, err
	}
	return contacts.Linked(tx, id)
}

func (a *App) queue() *jobs.Jobs { return a.Jobs }

// mailer sends through the operator's relay, or is nil when there is none.
func (a *App) mailer() rights.Mailer {
	if a.Config.Mail == nil {
		return nil
	}
	return a.Config.Mail
}

// enrichment is how people are looked up: through the door, where the register lists the host.
func (a *App) enrichment() enrichment.Config {
	c := enrichment.Config{Vault: a.Vault, Queue: a.Jobs, Mail: a.mailer(), Host: a.host, Scratch: &a.scratch, Registered: func(ctx context.Context, host string) bool {
		_, ok := a.Subprocessors.Register(ctx, enrichment.Purpose, host)
		return ok
	}, Object: func(ctx context.Context, actor vault.Actor, contact ids.Contact) error {
		return a.Restriction.Set(ctx, actor, contact, restriction.Object, purpose.Enrichment)
	}}
	if a.Door != nil {
		c.Client = a.Door.Client(enrichment.Purpose)
	}
	return c
}

// openDoors says what may leave: what the register lists, and the operator's own relay.
func (a *App) openDoors() {
	a.register.Store(a.Subprocessors)
	for _, own := range a.servers() {
		a.Subprocessors.Allow(subprocessors.Own(own.Purpose, own.Host, own.Name))
	}
	a.Subprocessors.Allow(webhooks.Allowed)
	if relay := a.Config.Mail; relay != nil {
		relay.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return a.Door.DialContext(ctx, mailPurpose, network, address)
		}
	}
}

// Authority is the host that certificates are asked of, or empty.
func (c Config) Authority() string {
	if c.ACME == "letsencrypt" {
		return "acme-v02.api.letsencrypt.org"
	}
	return hostOf(c.ACME)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// What the installation itself calls out for.
const (
	mailPurpose        = "mail"
	CertificatePurpose = "certificates"
	tracePurpose       = "traces"
)

func (a *App) startServices(ctx context.Context) error {
	a.Identity.OnRevoked(a.cut)
	a.Identity.OnRightsChanged(a.recall)
	if a.stores.shared != nil {
		a.shareNews()
	}
	if err := a.followJournals(ctx); err != nil {
		return err
	}
	go a.Retention.Run(a.ctx)
	if !a.Config.Calm {
		a.Claims.Start(a.ctx, a.Canaries.Is)
		go a.keepCanaries()
	}
	return nil
}

// followJournals lets those who listen to what happens start where they stopped.
func (a *App) followJournals(ctx context.Context) error {
	tenants, err := a.Vault.TenantIDs(ctx)
	if err != nil {
		return err
	}
	a.Webhooks.Follow(tenants[1:]...) // the installation has neither webhooks nor imports
	a.Imports.Follow(tenants[1:]...)
	a.Takeout.Follow(tenants[1:]...)
	a.Told.Follow(tenants[1:]...)
	a.Enrichment.Follow(tenants[1:]...)
	a.Children.Follow(tenants[1:]...)
	return nil
}

// cut closes the sockets that were opened with what no longer counts.
func (a *App) cut(tenant ids.Tenant, credential ids.Credential, person ids.Subject) {
	a.Hub.Kick(func(who live.Who) bool {
		actor, ok := who.(vault.Actor)
		if !ok || actor.Tenant() != tenant {
			return false
		}
		return !credential.IsZero() && actor.Credential() == credential || !person.IsZero() && actor.Subject() == person
	}, live.CloseRevoked)
	for _, channel := range []string{credential.String(), person.String()} { // and those of other processes
		if channel != "" {
			a.Hub.Dismiss(live.Topic{Tenant: tenant, Channel: channel}, live.CloseRevoked)
		}
	}
}

// recall makes the sockets of a user whose roles changed come back with the new ones.
func (a *App) recall(tenant ids.Tenant, person ids.Subject) {
	a.Hub.Kick(func(who live.Who) bool {
		actor, ok := who.(vault.Actor)
		return ok && actor.Tenant() == tenant && actor.Subject() == person
	}, live.CloseTryAgain)
	a.Hub.Dismiss(live.Topic{Tenant: tenant, Channel: person.String()}, live.CloseTryAgain)
}

// shareNews tells the other processes of this installation what they must know at once: news for browsers, and whose
// key was destroyed.
func (a *App) shareNews() {
	a.Hub.Join(notices{a.stores.shared, "aver_live"}, a.WebChat.Fetch)
	go a.hearErasures()
}

func (a *App) now() time.Time { return a.Config.Clock.Now() }

// host is what this installation is reached by: the name it was given, or this machine at the port that it listens on.
func (a *App) host() string {
	if a.Config.Named != "" {
		return a.Config.Named
	}
	if len(a.Config.Hosts) > 0 {
		return a.Config.Hosts[0]
	}
	_, port, err := net.SplitHostPort(a.addresses().TLS)
	switch {
	case err != nil: // it does not listen yet
		return "localhost:8443"
	case port == "443":
		return "localhost"
	}
	return "localhost:" + port
}

func (a *App) lastDrill(ctx context.Context) (trustcenter.Drill, error) {
	d, err := a.Backups.LastDrill(ctx)
	if errs.Is(err, errs.NotFound) {
		return trustcenter.Drill{}, nil // a new installation
	}
	return trustcenter.Drill{At: d.Began, Took: d.Took, Holds: d.Holds}, err
}

// connected hands what the connection log keeps to the retention.
func (a *App) connected(r *http.Request, class module.Class, actor vault.Actor) {
	a.Retention.Record(retention.Seen{Tenant: actor.Tenant(), Client: request.Client(r.Context()), Agent: r.UserAgent(), Class: string(class), Who: actor.Kind()})
}

// view tells pages who looks at them.
func (a *App) view(r *http.Request) page.View {
	summary := a.Claims.Summary(r.Context())
	v := page.View{Region: trustui.Region(a.Config.Region), Claims: page.Claims{Holding: summary.Holding, Failing: summary.Failing, Total: summary.Total}}
	actor := request.Actor(r.Context())
	if actor.Kind() != vault.AsUser {
		return v
	}
	if t, err := a.Vault.Tenant(r.Context(), actor.Tenant()); err == nil {
		v.Tenant, v.Region = t.Name, trustui.Region(t.Region)
	}
	if u, err := a.Identity.Me(r.Context(), actor); err == nil {
		v.User, v.Role = u.Name.Reveal(), identityweb.RoleNames(u)
	}
	return v
}

var (
	_ live.Who      = vault.Actor{}
	_ rights.Mailer = (*mail.Sender)(nil)
)
