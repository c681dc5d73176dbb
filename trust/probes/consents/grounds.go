package consents

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/claim"
	"aver/trust/canary/inside"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/trust/probes/keeping"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/purpose"
)

// stated is what came of bringing identities to a workspace that demands a ground for each.
type stated struct {
	brought int      // identities brought without a ground
	took    []string // by which entrances one was taken all the same
	forged  bool     // a token was believed whose ground was another than the site signed
	kept    []onRecord
	people  int // in the workspace at the end
	bare    int // those of them without a ground
}

// onRecord is what the store has of a ground that was stated.
type onRecord struct {
	Entrance string
	How      consent.How
	Signed   bool  // by the site's key
	Same     bool  // what for, since when and in which words is as it was said
	Proof    error // why the receipt does not verify
}

// grounded is con-3.
func grounded(w *world.World) claim.Claim {
	return claim.Claim{
		ID: "con-3", Theme: world.Keeping, Owner: world.DPO, Every: world.Daily, Within: 2 * time.Minute,
		Wording: "Who a tenant's site or program says somebody is comes with its word on what ground: {brought} identities without one were brought to a workspace that demands it, {took} taken; of {people} people there {bare} are without",
		Predicate: "In a workspace that demands a ground, an identity without one is refused, signed by the site or claimed by its page or written by an API key; one whose ground is not what the site signed is refused; " +
			"and one with a ground is stored with it as it was said, with who said it and the site's key where it signed, under a receipt that verifies against the installation's log.",
		Method: "The probe makes a workspace with a signing key and an API key, switches the demand on, brings identities through the widget's and the API's addresses without a ground, with one, and with one exchanged " +
			"after signing, reads what is on record of everybody there, verifies the receipts as their holder would, and closes the workspace.",
		Refs: claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P2.1", "P3.1"}, GDPR: []string{"5(2)", "6(1)", "7(1)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			seen, err := bringAll(ctx, w, office{})
			return judgeGrounds(seen), err
		},
		Fixtures: []claim.Fixture{
			bringing(w, "an identity stored without a ground while one is demanded", office{opened: func(ctx context.Context, o *office) error { return o.Consent.Demand(ctx, o.owner, false) }}),
			bringing(w, "a ground in other words than were said", office{brought: rewrite(func(a *consent.Assertion) { a.Words = personal.Of("other words") })}),
			bringing(w, "a row without a ground that nobody saw come", office{brought: smuggle}),
			bringing(w, "a signature of somebody else who has the site's key", office{stolen: true}),
			bringing(w, "a signed ground that counts as anybody's", office{brought: rewrite(func(a *consent.Assertion) { a.SignedBy = "" })}),
			bringing(w, "a receipt that was altered", office{brought: rewrite(func(a *consent.Assertion) {
				a.Receipt = personal.Of(strings.Replace(a.Receipt.Reveal(), string(a.Purpose), "other", 1))
			})}),
			bringing(w, "nobody was brought", office{opened: shut}),
		},
	}
}

// bringing is the probe where something is broken at the office.
func bringing(w *world.World, name string, broken office) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		seen, err := bringAll(ctx, w, broken)
		return judgeGrounds(seen), err
	})
}

// rewrite is an installation whose rows of grounds somebody wrote anew.
func rewrite(change func(*consent.Assertion)) func(context.Context, *office) error {
	return func(ctx context.Context, o *office) error {
		return o.Vault.Do(ctx, world.System(o.tenant), world.Act, func(tx *vault.Tx) error {
			all, err := consent.Assertions.Find(tx, "ORDER BY id LIMIT 10")
			for _, a := range all {
				change(&a)
				err = errors.Join(err, consent.Assertions.Put(tx, a))
			}
			return err
		})
	}
}

// smuggle stores somebody without a ground while the demand is off, which is put on again.
func smuggle(ctx context.Context, o *office) error {
	if err := o.Consent.Demand(ctx, o.owner, false); err != nil {
		return err
	}
	_, err := o.write(ctx, map[string]any{"external_id": "smuggled"})
	return errors.Join(err, o.Consent.Demand(ctx, o.owner, true))
}

// shut takes from the site and from the program the keys by which they bring anybody.
func shut(ctx context.Context, o *office) error {
	key, err := o.Identity.Authenticate((&http.Request{Header: inside.Bearer(o.key)}).WithContext(ctx))
	if err != nil {
		return err
	}
	return errors.Join(o.Identity.RemoveSigningKey(ctx, o.owner, o.kid), o.Identity.RevokeKey(ctx, o.owner, key.Credential()))
}

const (
	signedEntrance  = "the site's signature"
	claimedEntrance = "the site's page"
	keyEntrance     = "an API key"
)

func judgeGrounds(s stated) claim.Evidence {
	e := world.Evidence()
	e.See(s.brought > 0 && len(s.took) == 0, "identities without a ground", "%d brought, %d taken %s", s.brought, len(s.took), strings.Join(s.took, ", "))
	e.See(!s.forged, "a ground exchanged after the site signed", "%s", taken[s.forged])
	signed := 0
	for _, k := range s.kept {
		if k.How == consent.BySigned {
			signed++
			e.See(k.Signed, "the key that signed it", "on record: %v", k.Signed)
		}
		e.See(k.Same, "on record, by "+k.Entrance, "as it was said: %v", k.Same)
		e.See(k.Proof == nil, "its receipt", "%s", world.OrError("verifies", k.Proof))
	}
	e.See(signed > 0 && len(s.kept) > signed, "grounds on record", "%d, of which %d signed by the site", len(s.kept), signed)
	e.See(s.people > 0 && s.bare == 0, "people in the workspace", "%d, of whom %d without a ground", s.people, s.bare)
	e.Figure("brought", "%d", s.brought)
	e.Figure("took", "%d", len(s.took))
	e.Figure("people", "%d", s.people)
	e.Figure("bare", "%d", s.bare)
	return e
}

// grounds begins the names of the workspaces that the probe makes.
const groundsScratch = "grounds-"

// office is a workspace of the probe's own, which nobody else writes to.
type office struct {
	*world.World
	tenant      ids.Tenant
	key         string // of the API
	kid, secret string // of the site
	owner       vault.Actor
	ground      identity.Ground

	// What a fixture breaks; nil breaks nothing.
	opened  func(context.Context, *office) error // once the demand is on
	brought func(context.Context, *office) error // once people are stored
	stolen  bool                                 // who exchanges a ground has the site's key
}

func bringAll(ctx context.Context, w *world.World, broken office) (seen stated, err error) {
	if err := keeping.EndLeft(ctx, w, groundsScratch); err != nil {
		return seen, err
	}
	t, err := w.Vault.CreateTenant(ctx, vault.Tenant{Slug: groundsScratch + strings.ToLower(rand.Text()), Name: "A workspace that demands grounds", Canary: true})
	if err != nil {
		return seen, err
	}
	defer func() {
		err = errors.Join(err, keeping.End(context.WithoutCancel(ctx), w, t.ID))
	}()
	o := &broken
	o.World, o.tenant = w, t.ID
	o.ground = identity.Ground{Basis: purpose.Contract, Purpose: purpose.Support, Since: w.Vault.Now().Add(-time.Hour).UTC().Truncate(time.Second), Words: "terms of the probe " + rand.Text()}
	if err := o.open(ctx); err != nil {
		return seen, fmt.Errorf("open a workspace: %w", err)
	}
	if err := o.without(ctx, &seen); err != nil {
		return seen, err
	}
	if err := o.with(ctx, &seen); err != nil {
		return seen, err
	}
	return seen, o.count(ctx, &seen)
}

// open gives the workspace an owner, a key of the site, a key of the API, and the demand.
func (o *office) open(ctx context.Context) error {
	address := "owner@" + o.tenant.String() + ".invalid"
	invitation, err := o.Identity.Invite(ctx, world.System(o.tenant), address, vault.Owner)
	if err != nil {
		return err
	}
	session, err := o.Identity.Accept(ctx, invitation, address, "Owner", rand.Text()+rand.Text())
	if err != nil {
		return err
	}
	o.owner, err = o.Identity.Authenticate((&http.Request{Header: inside.Cookie(identity.CookieName, session)}).WithContext(ctx))
	if err != nil {
		return err
	}
	if o.kid, o.secret, err = o.Identity.AddSecret(ctx, o.owner); err != nil {
		return err
	}
	if o.key, _, err = o.Identity.MakeKey(ctx, o.owner, "probe", []string{"contacts:read", "contacts:write"}, time.Hour); err != nil {
		return err
	}
	if err := o.Consent.Demand(ctx, o.owner, true); err != nil || o.opened == nil {
		return err
	}
	return o.opened(ctx, o)
}

// token is what the site signs.
func (o *office) token(user string, grounds ...identity.Ground) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"user_id": user, "exp": o.Vault.Now().Add(time.Hour).Unix(), "grounds": grounds})
	t.Header["kid"] = o.kid
	text, err := t.SignedString([]byte(o.secret))
	if err != nil {
		return "", fmt.Errorf("sign an identity: %w", err)
	}
	return text, nil
}

// session begins a visit as the widget does, as whom the page says, and tells the contact; empty when it was refused.
func (o *office) session(ctx context.Context, user map[string]any) (contact string, err error) {
	notice, err := o.Consent.Current(ctx, o.tenant, "en")
	if err != nil {
		return "", err
	}
	_, letters, _ := strings.Cut(o.tenant.String(), "_")
	return o.send(ctx, http.MethodPost, "/widget/v1/sessions", nil, "contact", map[string]any{"website": "ws_" + letters, "language": "en", "user": user,
		"consent": map[string]any{"purpose": notice.Purpose, "version": fmt.Sprint(notice.Version), "language": notice.Language}})
}

// write makes a contact as a program does.
func (o *office) write(ctx context.Context, body map[string]any) (contact string, err error) {
	return o.send(ctx, http.MethodPost, "/v1/contacts", inside.Bearer(o.key), "id", body)
}

// send returns what the answer calls the contact; nothing when it was refused.
func (o *office) send(ctx context.Context, method, path string, header http.Header, name string, body any) (contact string, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	if header == nil {
		header = http.Header{}
	}
	a, err := o.Canaries.Door().Do(ctx, inside.Request{Method: method, Path: path, Header: world.WithJSON(header), Body: text})
	if err != nil || a.Status == http.StatusUnprocessableEntity || a.Status == http.StatusUnauthorized {
		return "", err
	}
	var out map[string]any
	if err := json.Unmarshal(a.Body, &out); err != nil || a.Status >= http.StatusBadRequest {
		return "", fmt.Errorf("%s %s: status %d", method, path, a.Status)
	}
	contact, _ = out[name].(string)
	return contact, nil
}

// without brings identities that are to be refused.
func (o *office) without(ctx context.Context, seen *stated) error {
	bare, err := o.token("nobody")
	if err != nil {
		return err
	}
	for entrance, bring := range map[string]func() (string, error){
		signedEntrance:  func() (string, error) { return o.session(ctx, map[string]any{"token": bare}) },
		claimedEntrance: func() (string, error) { return o.session(ctx, map[string]any{"email": "nobody@canary.invalid"}) },
		keyEntrance:     func() (string, error) { return o.write(ctx, map[string]any{"external_id": "nobody at all"}) },
	} {
		contact, err := bring()
		if err != nil {
			return err
		}
		if seen.brought++; contact != "" {
			seen.took = append(seen.took, entrance)
		}
	}
	other := o.ground
	other.Basis = purpose.Consent
	signed, err := o.token("mallory", o.ground)
	if err != nil {
		return err
	}
	exchanged, err := o.token("mallory", other)
	if err != nil {
		return err
	}
	from, of := strings.Split(signed, "."), strings.Split(exchanged, ".")
	signature := from[2]
	if o.stolen {
		signature = of[2]
	}
	contact, err := o.session(ctx, map[string]any{"token": from[0] + "." + of[1] + "." + signature})
	seen.forged = contact != ""
	return err
}

// with brings identities with a ground, and looks at what is on record of them.
func (o *office) with(ctx context.Context, seen *stated) error {
	token, err := o.token("ada", o.ground)
	if err != nil {
		return err
	}
	signed, err := o.session(ctx, map[string]any{"token": token})
	if err != nil {
		return err
	}
	written, err := o.write(ctx, map[string]any{"external_id": "eve", "grounds": []identity.Ground{o.ground}})
	if err != nil {
		return err
	}
	if o.brought != nil {
		if err := o.brought(ctx, o); err != nil {
			return err
		}
	}
	for entrance, contact := range map[string]string{signedEntrance: signed, keyEntrance: written} {
		if err := o.look(ctx, entrance, contact, seen); err != nil {
			return err
		}
	}
	return nil
}

func (o *office) look(ctx context.Context, entrance, contact string, seen *stated) error {
	var who ids.Contact
	if err := who.UnmarshalText([]byte(contact)); err != nil || who.IsZero() {
		return nil // refused: judged by what is not on record
	}
	all, err := o.Consent.Grounds(ctx, world.System(o.tenant), who)
	if err != nil {
		return err
	}
	key, err := o.Audit.VerifierKey(ctx)
	if err != nil {
		return err
	}
	for _, g := range all {
		k := onRecord{Entrance: entrance, How: g.How, Signed: g.SignedBy == o.kid,
			Same: g.Basis == o.ground.Basis && g.Purpose == o.ground.Purpose && g.Since.Equal(o.ground.Since) && g.Words.Reveal() == o.ground.Words}
		if k.Proof, err = verify(ctx, o.World, o.tenant, key, g.Receipt, g.At); err != nil {
			return err
		}
		seen.kept = append(seen.kept, k)
	}
	return nil
}

// count goes through everybody in the workspace.
func (o *office) count(ctx context.Context, seen *stated) error {
	a, err := o.Canaries.Door().Get(ctx, "/v1/contacts", inside.Bearer(o.key))
	if err != nil {
		return err
	}
	var list struct{ Data []struct{ ID ids.Contact } }
	if err := json.Unmarshal(a.Body, &list); err != nil {
		return fmt.Errorf("list people: status %d: %w", a.Status, err)
	}
	for _, c := range list.Data {
		all, err := o.Consent.Grounds(ctx, world.System(o.tenant), c.ID)
		if err != nil {
			return err
		}
		if seen.people++; len(all) == 0 {
			seen.bare++
		}
	}
	return nil
}
