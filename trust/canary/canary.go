// Package canary keeps two tenants in every installation that nobody uses, and lets one attack the other all the time.
//
// Every text that a canary owns contains a word that occurs nowhere else, its root, so that a single byte of it in a
// wrong place is found. The canaries are ordinary tenants in every other respect: they sign in, hold API keys, have
// visitors, and pass through the same edge. They are left out of lists of tenants.
package canary

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module"
	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 15

// Canary is one of the two. Rows belong to ids.Installation.
type Canary struct {
	Name      string        `vault:"name,key"` // north or south
	Workspace ids.Tenant    `vault:"workspace,state"`
	Email     string        `vault:"email,tenant:tenant.settings"`
	Password  personal.Text `vault:"password,secret"`
	Visitor   personal.Text `vault:"visitor,secret"` // its visitor's token
	SeededAt  time.Time     `vault:"seeded_at,state"`
}

// Canaries is the table of the two.
var Canaries = vault.Define[Canary]("canaries", vault.Purpose("trying, all the time, to get from one tenant to another"), vault.KeepWhile("as long as the installation"))

var (
	actRead  = vault.Act("canary.read", purpose.Security, vault.System())
	actWrite = vault.Act("canary.write", purpose.Security, vault.System())
)

// World is what the canaries live in: the parts of the installation that they see from outside, and the identity
// service, which makes their first owner as it makes everybody's.
type World struct {
	Handler http.Handler         // the whole edge
	Host    string               // what the installation is reached by
	Spec    func() *huma.OpenAPI // the API's description
	Routes  func() []string      // patterns with methods
	Sockets []attack.Socket
	Scopes  []string          // for API keys: all there are
	Bodies  map[string]string // of operations with which a canary makes what it owns, where a made-up one would not do
	Skip    map[string]string // operations that are not attacked, with the reason
	Chosen  map[string]string // kinds of identifiers that a tenant makes up for itself, with the reason
	Shared  map[string]string // kinds of identifiers that belong to the installation, with the reason
}

// Side is a canary that has signed in: what it needs to act.
type Side struct {
	attack.Side
	Name    string
	Tenant  ids.Tenant
	Slug    string
	Website string // the key of its web chat
	Cookie  string // session
	Key     string // API key
	Token   string // its visitor's

	Email    string
	Password personal.Text
	Owner    vault.Actor // whoever is signed in
}

// Service keeps the canaries.
type Service struct {
	vault    *vault.Vault
	identity *identity.Service
	log      *slog.Logger
	world    World

	door   *inside.Door
	mu     sync.Mutex // one at a time acts for the canaries
	both   atomic.Pointer[map[string]*Side]
	opened chan struct{} // closed once both are there
	ids    sync.Map      // of their tenants
	last   report
	loud   bool      // the victim writes in every round
	spoke  time.Time // when the victim last wrote to be listened for
}

// New makes the service.
func New(v *vault.Vault, i *identity.Service, log *slog.Logger) *Service {
	return &Service{vault: v, identity: i, log: log, opened: make(chan struct{})}
}

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "canary", Number: Number, Migrations: migrations, Tables: []vault.AnyTable{Canaries}, Actions: []*vault.Action{actRead, actWrite}}
}

// The names of the two.
const (
	North = "north" // the victim: probes never act as it, for what changes in it while it is attacked counts as a leak
	South = "south" // the attacker
)

// Open makes the canaries if they are not there, and signs them in. Close when done.
func (s *Service) Open(ctx context.Context, w World) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world, s.door = w, inside.Open(w.Handler, w.Host)
	if err := s.openBoth(ctx); err != nil {
		return err
	}
	close(s.opened)
	return nil
}

func (s *Service) openBoth(ctx context.Context) error {
	both := map[string]*Side{}
	for _, name := range []string{North, South} {
		side, err := s.open(ctx, name)
		if err != nil {
			return fmt.Errorf("open the canary %s: %w", name, err)
		}
		both[name] = side
		s.ids.Store(side.Tenant, true)
	}
	s.both.Store(&both)
	return nil
}

// Close ends the canaries' way in.
func (s *Service) Close() error {
	if s.door == nil {
		return nil
	}
	return s.door.Close()
}

// Is tells whether a tenant is a canary.
func (s *Service) Is(tenant ids.Tenant) bool {
	_, is := s.ids.Load(tenant)
	return is
}

// Door is the way in that the canaries use.
func (s *Service) Door() *inside.Door { return s.door }

// Side returns a canary that has signed in, or nil before Open.
func (s *Service) Side(name string) *Side {
	both := s.both.Load()
	if both == nil {
		return nil
	}
	return (*both)[name]
}

// Await returns a canary as soon as it has signed in.
func (s *Service) Await(ctx context.Context, name string) (*Side, error) {
	select {
	case <-s.opened:
		return s.Side(name), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the canaries: %w", ctx.Err())
	}
}

// Alone runs fn while no attack and nobody else acts for the canaries.
func (s *Service) Alone(fn func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fn()
}

func system() vault.Actor { return identity.System(ids.Installation, "canary") }

// Root is the word that everything of a canary's contains.
func Root(tenant ids.Tenant) string {
	sum := sha256.Sum256(append([]byte("canary "), tenant[:]...))
	return "qx" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:10]))
}

func (s *Service) open(ctx context.Context, name string) (*Side, error) {
	c, err := s.find(ctx, name)
	if errs.Is(err, errs.NotFound) {
		c, err = s.make(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	t, err := s.vault.Tenant(ctx, c.Workspace)
	if err != nil {
		return nil, err
	}
	_, letters, _ := strings.Cut(c.Workspace.String(), "_")
	side := &Side{Name: name, Tenant: c.Workspace, Slug: t.Slug, Website: "ws_" + letters}
	side.Email, side.Password = c.Email, c.Password
	side.Root, side.Pool = Root(c.Workspace), attack.Pool{}
	for kind := range s.world.Chosen {
		side.Pool.Add(kind, "own_"+attack.Letters(c.Workspace[6:]))
	}
	side.Secrets = []string{side.Website, c.Workspace.String()}
	if err := s.signIn(ctx, side, c); err != nil {
		return nil, err
	}
	if err := s.visit(ctx, side, &c); err != nil {
		return nil, err
	}
	return side, s.seed(ctx, side, c)
}

func (s *Service) find(ctx context.Context, name string) (Canary, error) {
	var c Canary
	err := s.vault.View(ctx, system(), actRead, func(tx *vault.Tx) (err error) {
		c, err = Canaries.Get(tx, name)
		return err
	})
	return c, err
}

func (s *Service) keep(ctx context.Context, c Canary) error {
	return s.vault.Do(ctx, system(), actWrite, func(tx *vault.Tx) error { return Canaries.Put(tx, c) })
}

// make makes a canary: a tenant and its owner.
func (s *Service) make(ctx context.Context, name string) (Canary, error) {
	slug := "canary-" + name + "-" + strings.ToLower(rand.Text())[:8]
	t, err := s.vault.CreateTenant(ctx, vault.Tenant{Slug: slug, Name: "Canary " + name, Canary: true})
	if err != nil {
		return Canary{}, err
	}
	root := Root(t.ID)
	c := Canary{Name: name, Workspace: t.ID, Email: root + "@canary.invalid", Password: personal.Of(rand.Text() + rand.Text())}
	invitation, err := s.identity.Invite(ctx, identity.System(t.ID, "canary"), c.Email, vault.Owner, vault.DPO)
	if err != nil {
		return c, err
	}
	if _, err := s.identity.Accept(ctx, invitation, c.Email, "Owner "+root, c.Password.Reveal()); err != nil {
		return c, err
	}
	err = s.vault.Do(ctx, system(), actWrite, func(tx *vault.Tx) error { return Canaries.Add(tx, c) })
	if errs.Is(err, errs.Conflict) { // another process made one at the same moment; this one stays empty
		return s.find(ctx, name)
	}
	return c, err
}

// signIn gets a session and an API key, each good for as long as the process usually lives.
func (s *Service) signIn(ctx context.Context, side *Side, c Canary) error {
	token, err := s.identity.SignInAs(ctx, identity.Attempt{Email: c.Email, Password: c.Password.Reveal(), Workspace: side.Slug, Device: "canary"})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	side.Cookie = token
	request := (&http.Request{Header: inside.Cookie(identity.CookieName, token)}).WithContext(ctx)
	actor, err := s.identity.Authenticate(request)
	if err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	side.Owner = actor
	key, _, err := s.identity.MakeKey(ctx, actor, side.Root+"key", s.world.Scopes, keyLife)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	side.Key = key
	side.Secrets = append(side.Secrets, token, key)
	side.Callers = []attack.Caller{{Name: attack.Owner, Header: inside.Cookie(identity.CookieName, token)}, {Name: attack.Key, Header: inside.Bearer(key)}}
	return nil
}

// keyLife is a little longer than a session may live: whoever renews one renews both.
const keyLife = 8 * 24 * time.Hour

// visit makes the canary's visitor, who agrees to the notice and writes, as the widget does.
func (s *Service) visit(ctx context.Context, side *Side, c *Canary) error {
	if token := c.Visitor.Reveal(); token != "" && s.knows(ctx, side, token) {
		return nil
	}
	token, err := s.NewVisitor(ctx, side, side.Root+"visitor")
	if err != nil || token == "" {
		return err
	}
	c.Visitor = personal.Of(token)
	if err := s.keep(ctx, *c); err != nil {
		return err
	}
	s.knows(ctx, side, token)
	return nil
}

// knows tells whether a visitor's token is good, and takes its caller in if it is.
func (s *Service) knows(ctx context.Context, side *Side, token string) bool {
	answer, err := s.Widget(ctx, token, map[string]any{"op": "hello"})
	if err != nil {
		return false
	}
	var hello struct {
		OK struct {
			Contact      string
			Conversation struct{ ID string }
		}
	}
	if json.Unmarshal(answer, &hello) != nil || hello.OK.Contact == "" {
		return false
	}
	side.Token = token
	side.Secrets = append(side.Secrets, token)
	side.Callers = append(side.Callers, attack.Caller{Name: attack.Visitor, Header: inside.Bearer(token)})
	side.Pool.Add("contact", hello.OK.Contact)
	side.Pool.Add("conversation", hello.OK.Conversation.ID)
	return true
}

// Address is what a visitor of this name gives as theirs.
func Address(name string) string { return name + "@canary.invalid" }

// NewVisitor begins a visit to a canary's web chat: reads the notice, agrees, gets a token. It is empty where there is
// no web chat.
func (s *Service) NewVisitor(ctx context.Context, side *Side, name string) (token string, err error) {
	answer, err := s.door.Get(ctx, "/widget/v1/config?"+url.Values{"w": {side.Website}, "lang": {"en"}}.Encode(), nil)
	if err != nil || answer.Status == http.StatusNotFound {
		return "", err
	}
	var config struct {
		Consent struct{ Purpose, Version, Language string }
	}
	if err := json.Unmarshal(answer.Body, &config); err != nil {
		return "", fmt.Errorf("read the web chat's configuration (status %d): %w", answer.Status, err)
	}
	body, err := json.Marshal(map[string]any{"website": side.Website, "language": "en", "consent": map[string]any{
		"purpose": config.Consent.Purpose, "version": config.Consent.Version, "language": config.Consent.Language},
		"user": map[string]any{"name": name, "email": Address(name)}})
	if err != nil {
		return "", err
	}
	answer, err = s.door.Do(ctx, inside.Request{Method: http.MethodPost, Path: "/widget/v1/sessions", Header: jsonHeader(nil), Body: body})
	if err != nil {
		return "", err
	}
	var session struct{ Token string }
	if err := json.Unmarshal(answer.Body, &session); err != nil || session.Token == "" {
		return "", fmt.Errorf("begin a visit: status %d", answer.Status)
	}
	return session.Token, nil
}

// Widget makes a request of the widget's fallback, as its visitor, and returns the reply.
func (s *Service) Widget(ctx context.Context, token string, request map[string]any) ([]byte, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	answer, err := s.door.Do(ctx, inside.Request{Method: http.MethodPost, Path: "/widget/v1/send", Header: jsonHeader(inside.Bearer(token)), Body: body})
	if err != nil {
		return nil, err
	}
	if answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusUnauthorized || answer.Status == http.StatusNotFound {
		return answer.Body, fmt.Errorf("ask %s as a visitor: status %d", request["op"], answer.Status)
	}
	return answer.Body, nil
}

func jsonHeader(h http.Header) http.Header {
	if h == nil {
		h = http.Header{}
	}
	h.Set("Content-Type", "application/json")
	return h
}

// Say writes a message as a visitor and returns its conversation and number.
func (s *Service) Say(ctx context.Context, token, conversation, text string) (string, int64, error) {
	request := map[string]any{"op": "send", "client_id": attack.NewClientID(), "text": text}
	if conversation != "" {
		request["conversation"] = conversation
	}
	answer, err := s.Widget(ctx, token, request)
	if err != nil {
		return "", 0, err
	}
	var said struct {
		OK struct {
			Conversation string
			Seq          int64
		}
		Error *struct{ Title string }
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return "", 0, fmt.Errorf("write as a visitor: %w", err)
	}
	if said.Error != nil {
		return "", 0, fmt.Errorf("write as a visitor: %s", said.Error.Title)
	}
	return said.OK.Conversation, said.OK.Seq, nil
}

// chat lets three visitors write: two, so that lists have a next page, and a child, for there to be something to review.
func (s *Service) chat(ctx context.Context, side *Side) error {
	second, err := s.NewVisitor(ctx, side, side.Root+"second")
	if err != nil {
		return err
	}
	child, err := s.NewVisitor(ctx, side, side.Root+"child")
	if err != nil {
		return err
	}
	for _, token := range []string{side.Token, second} {
		conversation, _, err := s.Say(ctx, token, "", "Question about "+attack.UniqueWord(side.Root))
		if err != nil {
			return err
		}
		side.Pool.Add("conversation", conversation)
	}
	if _, _, err = s.Say(ctx, child, "", "I am 11 years old"); err != nil {
		return err
	}
	for range 100 { // it is noticed after the message was taken; a round tells what was not there to be attacked
		answer, err := s.door.Get(ctx, "/v1/child_reviews", inside.Bearer(side.Key))
		if err != nil || answer.Status != http.StatusOK || bytes.Contains(answer.Body, []byte("chr_")) {
			return err
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// seed lets the canary make one of everything, once, and finds out its identifiers.
func (s *Service) seed(ctx context.Context, side *Side, c Canary) error {
	ops := attack.Operations(s.world.Spec())
	if !c.SeededAt.IsZero() {
		return attack.Harvest(ctx, s.door, ops, &side.Side)
	}
	if side.Token != "" {
		if err := s.chat(ctx, side); err != nil {
			return err
		}
	}
	if err := attack.Seed(ctx, s.door, ops, &side.Side, s.world.Skip, s.world.Bodies); err != nil {
		return err
	}
	c.SeededAt = s.vault.Now()
	return s.keep(ctx, c)
}

// routes are the edge's routes as the attacker needs them.
func (s *Service) routes() []attack.Route {
	var out []attack.Route
	for _, pattern := range s.world.Routes() {
		out = append(out, attack.ParseRoute(pattern))
	}
	return out
}
