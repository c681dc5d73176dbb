package webchat

import (
	"context"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/live"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/inbox/attach"
	"aver/work/inbox/desk"
)

// everybody is the channel that all visitors of a tenant listen to.
const everybody = "widget"

// channels are what a visitor's session listens to from its beginning: news for all, and what may end it.
func channels(who live.Who) []string {
	actor := who.(vault.Actor)
	return []string{everybody, actor.Subject().String(), actor.Credential().String()}
}

// tell publishes what a commit means to open widgets.
func (s *Service) tell(done vault.Committed) {
	for _, entry := range done.Entries {
		for _, ev := range entry.Events {
			n := entry.Index + 1 // an N of 0 means none
			switch ev.Kind {
			case eventErased:
				s.publish(done.Tenant, ev.Object, erasedPush(n))
			case identity.EventSessionsEnded:
				s.hub.Dismiss(live.Topic{Tenant: done.Tenant, Channel: ev.Object}, live.CloseBadToken)
			case eventSettings, desk.HoursChanged:
				s.rules.Delete(done.Tenant)
				go s.publishConfig(done.Tenant, n) // reads the settings, which a listener must not wait for
			}
		}
	}
}

const (
	eventErased   = "subject.erased"
	eventSettings = "webchat.settings_changed"
)

func (s *Service) publishConfig(tenant ids.Tenant, n int64) {
	push, err := s.configPush(context.Background(), tenant, n)
	if err != nil {
		s.log.Error("tell widgets of changed settings", "error", err)
		return
	}
	s.publish(tenant, everybody, push)
}

func (s *Service) publish(tenant ids.Tenant, channel string, p live.Push) {
	if err := s.hub.Publish(live.Topic{Tenant: tenant, Channel: channel}, p); err != nil {
		s.log.Error("publish news to widgets", "kind", p.Kind, "error", err)
	}
}

func erasedPush(n int64) live.Push { return live.Push{Kind: "erased", N: n, Data: struct{}{}} }

// configPush carries what is the same for every visitor, as it is now. Sentences of the tenant's come along; the widget's
// own words, which stand where there are none, it has itself.
func (s *Service) configPush(ctx context.Context, tenant ids.Tenant, n int64) (live.Push, error) {
	t, err := s.vault.Tenant(ctx, tenant)
	if err != nil {
		return live.Push{}, err
	}
	set, err := s.Settings(ctx, identity.System(tenant, "webchat"))
	if err != nil {
		return live.Push{}, err
	}
	shared, err := s.shared(ctx, t, set)
	return live.Push{Kind: "config", N: n, Data: shared}, err
}

func (set Settings) files() filesConfig {
	if set.NoFiles {
		return filesConfig{Types: []string{}}
	}
	return filesConfig{attach.MaxSize, attach.Kinds}
}

// Fetch makes news again that another process published; what is not the widget's alone is the inbox's.
func (s *Service) Fetch(ctx context.Context, topic live.Topic, kind string, n int64) (live.Push, error) {
	switch {
	case kind == "erased":
		return erasedPush(n), nil
	case kind == "config" && topic.Channel == everybody:
		return s.configPush(ctx, topic.Tenant, n)
	case topic.Channel == everybody:
		return live.Push{}, errs.New(errs.NotFound, "There is no such news here.")
	}
	return s.inbox.Fetch(ctx, topic, kind, n)
}
