// Package webchat is the channel between the chat widget on a tenant's site and the inbox.
//
// It speaks what widget/PROTOCOL.md says and keeps nothing of its own but the tenant's settings: messages are the
// inbox's, people are the contacts', agreements are the consents'. A visitor is nobody until the first consented act;
// from then on a token says who it is, and the token is all that a visitor's rights come from.
package webchat

import (
	"context"
	"embed"
	"log/slog"
	"sync"
	"time"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/live"
	"aver/trust/consent"
	"aver/trust/consent/receipts"
	"aver/trust/identity"
	"aver/trust/rights"
	"aver/trust/rights/portal"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
	"aver/work/inbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 6

// Settings are how a tenant's widget looks and what it asks for.
type Settings struct {
	Name         string   `json:"name,omitempty"`          // shown in the widget; the workspace's name if empty
	Accent       string   `json:"accent,omitempty"`        // #rrggbb
	ColorScheme  string   `json:"color_scheme"`            // auto, light or dark
	Language     string   `json:"language,omitempty"`      // of the interface; the visitor's if empty
	ReplyTime    string   `json:"reply_time,omitempty"`    // such as "Usually within an hour"
	Offline      string   `json:"offline,omitempty"`       // what is said outside office hours
	Enforced     bool     `json:"enforced"`                // nobody may write whom the site has not signed
	NoFiles      bool     `json:"no_files"`                // visitors cannot send files
	AllowedHosts []string `json:"allowed_hosts,omitempty"` // origins of sites that may show the widget; all if empty
}

type settingsRow struct {
	ID        int64     `vault:"id,key"`
	Settings  Settings  `vault:"settings,tenant:tenant.settings"`
	UpdatedAt time.Time `vault:"updated_at,state"`
}

var (
	table = vault.Define[settingsRow]("webchat_settings", vault.Purpose("showing the chat widget as the tenant wants it"), vault.KeepWhile("as long as the account"))

	actReadSettings  = vault.Act("webchat_settings.read", purpose.Workspace, vault.Everyone(), vault.Scope("settings:read"), vault.System())
	actWriteSettings = vault.Act("webchat_settings.update", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator), vault.Scope("settings:write"), vault.System())
)

// Service serves the widget.
type Service struct {
	vault    *vault.Vault
	hub      *live.Hub
	identity *identity.Service
	consent  *consent.Service
	contacts *contacts.Service
	inbox    *inbox.Service
	rights   *rights.Service
	limits   Limits
	receipts *receipts.Service
	handler  *live.Handler
	log      *slog.Logger
	rules    sync.Map // of rule, by tenant
}

// Limits keeps what visitors close. trust/restriction is one.
type Limits interface {
	Signal(ctx context.Context, visitor vault.Actor) error
	portal.Limits
}

// New makes the service.
func New(v *vault.Vault, hub *live.Hub, who *identity.Service, agreed *consent.Service, people *contacts.Service, box *inbox.Service, privacy *rights.Service, limits Limits, proofs *receipts.Service) *Service {
	s := &Service{vault: v, hub: hub, identity: who, consent: agreed, contacts: people, inbox: box, rights: privacy, limits: limits, receipts: proofs, log: slog.Default()}
	s.handler = s.socket()
	if v != nil { // without one it is asked for its schema only
		people.AddTimeline(s)
		v.OnCommit(s.tell)
	}
	return s
}

// Website is the public name of a tenant's widget. It says which tenant is meant and proves nothing.
func Website(tenant ids.Tenant) string { return "ws_" + tenant.String()[len("ten_"):] }

var errNoWebsite = errs.New(errs.NotFound, "There is no such website here.")

// tenantOf finds the tenant of a website's public name.
func (s *Service) tenantOf(ctx context.Context, website string) (vault.Tenant, error) {
	if len(website) != len("ws_")+26 || website[:3] != "ws_" {
		return vault.Tenant{}, errNoWebsite
	}
	id, err := ids.ParseTenant("ten_" + website[3:])
	if err != nil {
		return vault.Tenant{}, errNoWebsite
	}
	t, err := s.vault.Tenant(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return t, errNoWebsite
	}
	return t, err
}

// Settings reads how the tenant's widget looks.
func (s *Service) Settings(ctx context.Context, actor vault.Actor) (Settings, error) {
	out := Settings{ColorScheme: "auto"}
	err := s.vault.View(ctx, actor, actReadSettings, func(tx *vault.Tx) error {
		row, err := table.Get(tx, int64(1))
		if errs.Is(err, errs.NotFound) {
			return nil
		}
		if err == nil {
			out = row.Settings
		}
		return err
	})
	return out, err
}

// unsigned is why somebody may not write whom the site has not signed.
var unsigned = errs.Field{Field: "identity", Code: "unsigned", Message: "Sign in on the site first."}

// mayWrite refuses visitors whom the site has not signed where only those may write. It says nothing about reading, about
// copies and erasure: a session that began before stays good for those.
func (s *Service) mayWrite(ctx context.Context, visitor vault.Actor) error {
	if visitor.Verified() {
		return nil
	}
	enforced, err := s.enforced(ctx, visitor.Tenant())
	if err == nil && enforced {
		err = errs.New(errs.Forbidden, unsigned.Message, unsigned)
	}
	return err
}

// remembered is how long another process may not know yet that only signed visitors write; this one forgets at once.
const remembered = time.Second

// rule is whether only signed visitors may write, as it was read at a time.
type rule struct {
	enforced bool
	read     time.Time
}

// enforced is asked for every message, and so not of the store each time. It is not read in the message's transaction
// either, in which all writers would wait for this one row.
func (s *Service) enforced(ctx context.Context, tenant ids.Tenant) (bool, error) {
	if kept, known := s.rules.Load(tenant); known && time.Since(kept.(rule).read) < remembered {
		return kept.(rule).enforced, nil
	}
	set, err := s.Settings(ctx, identity.System(tenant, "webchat"))
	if err != nil {
		return false, err
	}
	s.rules.Store(tenant, rule{set.Enforced, time.Now()})
	return set.Enforced, nil
}

// SetSettings changes how the tenant's widget looks.
func (s *Service) SetSettings(ctx context.Context, actor vault.Actor, set Settings) error {
	if err := set.check(); err != nil {
		return err
	}
	for _, text := range []*string{&set.Name, &set.ReplyTime, &set.Offline} {
		*text, _ = cards.Mask(*text)
	}
	return s.vault.Do(ctx, actor, actWriteSettings, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: eventSettings}, nil)
		return table.Put(tx, settingsRow{ID: 1, Settings: set, UpdatedAt: tx.Now()})
	})
}

const mostHosts = 50 // they travel in a header of the widget's frame

func (set Settings) check() error {
	var bad []errs.Field
	if set.Accent != "" && !accentForm.MatchString(set.Accent) {
		bad = append(bad, errs.Field{Field: "accent", Code: "malformed", Message: "Write a colour like #0f5f5c."})
	}
	if set.ColorScheme != "auto" && set.ColorScheme != "light" && set.ColorScheme != "dark" {
		bad = append(bad, errs.Field{Field: "color_scheme", Code: "unknown", Message: "Choose auto, light or dark."})
	}
	for field, text := range map[string]string{"name": set.Name, "reply_time": set.ReplyTime, "offline": set.Offline, "language": set.Language} {
		if len(text) > 500 {
			bad = append(bad, errs.Field{Field: field, Code: "too-long", Message: "Use at most 500 bytes."})
		}
	}
	if len(set.AllowedHosts) > mostHosts {
		bad = append(bad, errs.Field{Field: "allowed_hosts", Code: "too-many", Message: "Name at most 50 origins."})
	}
	for _, host := range set.AllowedHosts {
		if len(host) > 253+len("https://:65535") || !originForm.MatchString(host) {
			bad = append(bad, errs.Field{Field: "allowed_hosts", Code: "malformed", Message: "Write origins like https://www.example.com."})
			break
		}
	}
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "Some settings are not usable. Nothing was changed.", bad...)
	}
	return nil
}
