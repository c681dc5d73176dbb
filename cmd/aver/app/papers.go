package app

import (
	"context"
	"net/url"
	"runtime/debug"

	"aver/base/ids"
	"aver/trust/audit"
	"aver/trust/backups"
	"aver/trust/backups/bucket"
	"aver/trust/claims"
	"aver/trust/documents"
	"aver/trust/identity"
	"aver/trust/secrets"
	"aver/trust/subprocessors"
	"aver/vault"
	"aver/vault/purpose"
)

// documents is what the papers are made of.
func (a *App) documents() documents.Config {
	return documents.Config{Vault: a.Vault, Retention: a.Retention, Consent: a.Consent, Companies: a.Subprocessors, Promises: a.Claims.Board, Receivers: a.receivers, Servers: a.servers, Off: a.unprocessed, Active: a.active,
		Installed: []string{vault.Tenants.Name(), subprocessors.Companies.Name(), audit.Checkpoints.Name(), backups.Drills.Name(), claims.Runs.Name(),
			"audit_marks", "audit_keys", "audit_rotations", "backup_canaries", "canaries", "residency"},
		Backups: backups.Life, Store: a.store(), Program: program()}
}

// store says in words where rows lie.
func (a *App) store() string {
	if a.Config.Database != "" {
		return "PostgreSQL: rows of this workspace alone by row-level security, what is sealed under its keys; files in the data folder, sealed"
	}
	return "an SQLite file of this workspace alone, its pages under AES-256-XTS; files beside it, sealed"
}

// program is what made a paper.
func program() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return "aver " + info.Main.Version
	}
	return "aver"
}

// receivers are the programs that a workspace wants told.
func (a *App) receivers(ctx context.Context, tenant ids.Tenant) (out []documents.Receiver, err error) {
	list, err := a.Webhooks.List(ctx, identity.System(tenant, "documents"))
	for _, e := range list {
		if u, fault := url.Parse(e.URL); fault == nil {
			out = append(out, documents.Receiver{Ref: e.ID.String(), Host: u.Hostname(), Events: e.Events})
		}
	}
	return out, err
}

// servers are the machines of whoever runs this installation that it calls.
func (a *App) servers() (out []documents.Server) {
	add := func(purpose, host, name string) {
		if host != "" {
			out = append(out, documents.Server{Purpose: purpose, Host: host, Name: name})
		}
	}
	add(secrets.Purpose, secrets.Host(a.Config.RootKey), "key manager of this installation")
	add(tracePurpose, hostOf(a.Config.Trace), "trace collector of this installation")
	add(CertificatePurpose, a.Config.Authority(), "certificate authority chosen by the operator")
	if a.bucket != nil && a.bucket.Own {
		add(bucket.Purpose, a.bucket.URL.Hostname(), "store of this installation's backups")
	}
	if a.keysIn != nil && a.keysIn.Own && (a.bucket == nil || a.bucket.URL.Hostname() != a.keysIn.URL.Hostname()) {
		add(bucket.Purpose, a.keysIn.URL.Hostname(), "store of the copy of this installation's keys")
	}
	if a.Config.Mail != nil {
		add(mailPurpose, a.Config.Mail.Host, "mail relay of this installation")
	}
	return out
}

// active are the purposes beside answering people that a workspace's data is processed for now.
func (a *App) active(ctx context.Context, tenant ids.Tenant) (out []string, err error) {
	receivers, err := a.receivers(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if len(receivers) > 0 {
		out = append(out, purpose.Sync)
	}
	sources, err := a.Enrichment.Sources(ctx, identity.System(tenant, "documents"))
	for _, s := range sources {
		if s.On {
			return append(out, purpose.Enrichment), nil
		}
	}
	return out, err
}
