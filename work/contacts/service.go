package contacts

import (
	"context"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/phone"
	"aver/frame/mail"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts/attributes"
	"aver/work/contacts/fields"
)

const (
	scopeRead  = "contacts:read"
	scopeWrite = "contacts:write"
)

var (
	staff      = vault.Roles(vault.Owner, vault.Administrator, vault.Operator)
	lookers    = vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO)
	actMatch   = vault.Act("contact.match", purpose.Storage, lookers, vault.Scope(scopeRead), vault.System()) // says no more than that there is somebody
	actRead    = vault.Act("contact.read", purpose.Support, lookers, vault.Scope(scopeRead), vault.System())
	actView    = vault.Act("contact.view", purpose.Support, lookers, vault.Scope(scopeRead), vault.Reads())
	actCreate  = vault.Act("contact.create", purpose.Desk, staff, vault.Scope(scopeWrite), vault.System())
	actUpdate  = vault.Act("contact.update", purpose.Desk, staff, vault.Scope(scopeWrite), vault.System())
	actClaim   = vault.Act("contact.claim", purpose.Own, vault.Visitors())
	actSeen    = vault.Act("contact.seen", purpose.Desk, vault.System())
	actVerify  = vault.Act("contact.verify", purpose.Own, vault.System())
	actTag     = vault.Act("contact_tag.write", purpose.Storage, staff, vault.Scope(scopeWrite))
	actLabel   = vault.Act("contact.label", purpose.Desk, staff, vault.Scope(scopeWrite))
	actMerge   = vault.Act("contact.merge", purpose.Desk, staff, vault.Scope(scopeWrite))
	actUnmerge = vault.Act("contact.unmerge", purpose.Desk, staff, vault.Scope(scopeWrite))
	actBlock   = vault.Act("contact.block", purpose.Security, staff, vault.Scope(scopeWrite))
	actArchive = vault.Act("contact.archive", purpose.Desk, staff, vault.Scope(scopeWrite))
	actSegment = vault.Act("contact_segment.write", purpose.Workspace, staff, vault.Scope(scopeWrite))
)

// MayWrite tells whether the actor may change contacts: for pages that hide what would be refused.
func MayWrite(actor vault.Actor) bool { return actor.Can(actUpdate) }

func (s *Service) create(ctx context.Context, actor vault.Actor, d Draft, verified bool) (Contact, error) {
	d, err := clean(d)
	if err != nil {
		return Contact{}, err
	}
	id, err := s.vault.NewSubject(ctx, actor)
	if err != nil {
		return Contact{}, err
	}
	var c Contact
	err = s.vault.Do(ctx, actor, actCreate, func(tx *vault.Tx) (err error) {
		c, err = insert(tx, id, d, verified)
		return err
	})
	return c, err
}

// insert stores a new contact under a key that exists already.
func insert(tx *vault.Tx, id ids.Contact, d Draft, verified bool) (Contact, error) {
	c := Contact{ID: id, Basis: d.Basis, CreatedAt: tx.Now(), SeenAt: tx.Now()}
	if err := apply(tx, &c, d); err != nil {
		return c, err
	}
	c.Verified = verified // now: the identifier of somebody verified cannot be changed, not even from nothing
	tx.Emit(vault.Event{Kind: "contact.created", Object: id.String(), Subject: id}, nil)
	return c, Contacts.Add(tx, c)
}

// put stores a changed contact and says so.
func put(tx *vault.Tx, c Contact) error {
	tx.Emit(vault.Event{Kind: "contact.updated", Object: c.ID.String(), Subject: c.ID}, nil)
	return Contacts.Put(tx, c)
}

// basisOf tells how a contact comes here when this actor brings it.
func basisOf(actor vault.Actor) Basis {
	if actor.Kind() == vault.AsKey {
		return FromAPI
	}
	return FromOperator
}

// Create makes a contact. Two contacts may have the same address, but not the same external_id.
func (s *Service) Create(ctx context.Context, actor vault.Actor, d Draft) (Contact, error) {
	if d.Basis == "" {
		d.Basis = basisOf(actor)
	}
	c, err := s.create(ctx, actor, d, false)
	return c, taken(err)
}

func taken(err error) error {
	if errs.Is(err, errs.Conflict) && len(errs.AsProblem(err).Errors) == 0 {
		return errs.New(errs.Conflict, "There is a person with this identifier already.", errs.Field{Field: "external_id", Code: "taken", Message: "Somebody else has this identifier."}).Because(err)
	}
	return err
}

// NewVisitor makes the contact of somebody who opened the chat. What they say about themselves is a claim.
func (s *Service) NewVisitor(ctx context.Context, tenant ids.Tenant, d Draft) (Contact, error) {
	d.ExternalID, d.Attributes, d.Role, d.Basis, d.Browser = "", nil, Visitor, FromWidget, true
	if d.Email != "" || d.Phone != "" {
		d.Role = Lead
	}
	return s.create(ctx, identity.System(tenant, "webchat"), d, false)
}

// Get reads a contact; the journal says who looked.
func (s *Service) Get(ctx context.Context, actor vault.Actor, id ids.Contact) (Contact, error) {
	var c Contact
	err := s.vault.View(ctx, actor, actView, func(tx *vault.Tx) (err error) {
		tx.About(id)
		c, err = Contacts.Get(tx, id)
		return err
	})
	return c, err
}

// Update changes what the draft names.
func (s *Service) Update(ctx context.Context, actor vault.Actor, id ids.Contact, d Draft) (Contact, error) {
	d, err := clean(d)
	if err != nil {
		return Contact{}, err
	}
	var c Contact
	err = s.vault.Do(ctx, actor, actUpdate, func(tx *vault.Tx) (err error) {
		if c, err = Contacts.Get(tx, id); err != nil {
			return err
		}
		if err := apply(tx, &c, d); err != nil {
			return err
		}
		return put(tx, c)
	})
	return c, taken(err)
}

// Upsert sets what the tenant's own system says about the person that it calls external_id, and makes the contact if
// there is none. It never finds anybody by address.
func (s *Service) Upsert(ctx context.Context, actor vault.Actor, d Draft) (c Contact, created bool, err error) {
	if strings.TrimSpace(d.ExternalID) == "" {
		return c, false, errs.New(errs.Invalid, "Something is missing.", errs.Field{Field: "external_id", Code: "required", Message: "Say which person this is."})
	}
	if d, err = clean(d); err != nil {
		return c, false, err
	}
	for range 3 { // another caller may make or erase the same person meanwhile
		id, err := s.byExternalID(ctx, actor, d.ExternalID)
		if err != nil {
			return c, false, err
		}
		if id.IsZero() {
			c, err = s.Create(ctx, actor, d)
			if errs.Is(err, errs.Conflict) {
				continue
			}
			return c, err == nil, err
		}
		c, err = s.Update(ctx, actor, id, d)
		if !errs.Is(err, errs.NotFound) {
			return c, false, err
		}
	}
	return c, false, errs.New(errs.Conflict, "This person was changed by somebody else at the same time. Try again.")
}

func (s *Service) byExternalID(ctx context.Context, actor vault.Actor, external string) (ids.Contact, error) {
	var id ids.Contact
	err := s.vault.View(ctx, actor, actMatch, func(tx *vault.Tx) error {
		list, err := Contacts.Lookup(tx, "external_id", external)
		if err == nil && len(list) > 0 {
			id = list[0].ID
		}
		return err
	})
	return id, err
}

// Claim stores what a visitor says about themselves: fields, values of attributes that the tenant has defined, labels
// that there are. It changes nothing about whom the tenant itself knows, finds nobody else, and takes no label off.
// What has no place is left out and named.
func (s *Service) Claim(ctx context.Context, visitor vault.Actor, d Draft, labels []string) (left []string, err error) {
	said := d.Attributes
	if d, err = clean(Draft{Email: d.Email, Phone: d.Phone, Name: d.Name, Company: d.Company, Language: d.Language, Grounds: d.Grounds, Browser: true}); err != nil {
		return nil, err
	}
	err = s.vault.Do(ctx, visitor, actClaim, func(tx *vault.Tx) error {
		left = nil
		c, err := Contacts.Get(tx, visitor.Subject())
		if err != nil || c.known() {
			return err
		}
		off, err := fields.Off(tx)
		if err != nil {
			return err
		}
		if d.Attributes, err = attributes.Usable(tx, said); err != nil {
			return err
		}
		for _, f := range d.said() {
			if off[f] && f != fields.Attributes {
				left = append(left, "user."+string(f))
			}
		}
		d = d.without(off)
		for name := range said {
			if _, taken := d.Attributes[name]; !taken {
				left = append(left, "data."+name)
			}
		}
		if err := apply(tx, &c, d); err != nil {
			return err
		}
		unknown, err := wear(tx, c.ID, labels)
		left = append(left, unknown...)
		slices.Sort(left)
		if err != nil {
			return err
		}
		return put(tx, c)
	})
	return left, err
}

// wear puts labels on a contact by their names, as far as there are such labels and room for them.
func wear(tx *vault.Tx, contact ids.Contact, names []string) (left []string, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	all, err := Tags.Find(tx, "ORDER BY id LIMIT 200")
	if err != nil {
		return nil, err
	}
	n, err := Taggings.Count(tx, "contact = ?", contact)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(t Tag) bool { return strings.EqualFold(t.Name, strings.TrimSpace(name)) })
		if i < 0 || n >= maxTagsOfOne {
			left = append(left, "segments."+name)
			continue
		}
		if err := Taggings.Put(tx, Tagging{Contact: contact, Tag: all[i].ID, At: tx.Now()}); err != nil {
			return left, err
		}
		n++
	}
	return left, nil
}

const seenEvery = 5 * time.Minute

// Seen notes that a person is here, at most every five minutes: it is what lists are ordered by.
func (s *Service) Seen(ctx context.Context, tenant ids.Tenant, id ids.Contact) error {
	fresh := false
	actor := identity.System(tenant, "webchat")
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		c, err := Contacts.Get(tx, id)
		if err != nil {
			return err
		}
		off, err := fields.Off(tx)
		fresh = off[fields.Seen] || tx.Now().Sub(c.SeenAt) < seenEvery
		return err
	})
	if err != nil || fresh {
		return err
	}
	return s.vault.Do(ctx, actor, actSeen, func(tx *vault.Tx) error {
		c, err := Contacts.Get(tx, id)
		if err != nil {
			return err
		}
		c.SeenAt = tx.Now()
		return Contacts.Put(tx, c)
	})
}

// Identify tells which contact a signed identity is, for a session that so far is the visitor's. The first time, the
// visitor becomes that person; afterwards the session goes on as the verified contact and the visitor keeps what it
// had. Nothing unverified is ever merged into a verified contact.
//
// The visitor's tokens end with it, and what is open by them is closed: the caller issues a verified one for the contact
// returned.
func (s *Service) Identify(ctx context.Context, tenant ids.Tenant, visitor ids.Contact, claims identity.TokenClaims) (ids.Contact, error) {
	if claims.UserID == "" || claims.UserID != strings.TrimSpace(claims.UserID) {
		return ids.Contact{}, errs.New(errs.Invalid, "The signed identity has no usable user_id.", errs.Field{Field: "user_id", Code: "malformed", Message: "Send the person's identifier without space around it."})
	}
	d, err := clean(signed(claims))
	if err != nil {
		return ids.Contact{}, err
	}
	for range 3 { // another session of the same person may be a moment earlier
		id, err := s.identify(ctx, tenant, visitor, d)
		if !errs.Is(err, errs.Conflict) {
			return id, err
		}
	}
	return ids.Contact{}, errs.New(errs.Conflict, "This person is signing in elsewhere at the same moment. Try again.")
}

func (s *Service) identify(ctx context.Context, tenant ids.Tenant, visitor ids.Contact, d Draft) (ids.Contact, error) {
	actor := identity.System(tenant, "webchat")
	var found ids.Contact
	err := s.vault.Do(ctx, actor, actVerify, func(tx *vault.Tx) error {
		found = ids.Contact{}
		list, err := Contacts.Lookup(tx, "external_id", d.ExternalID)
		if err != nil {
			return err
		}
		var c Contact
		if len(list) > 0 {
			c = list[0]
		} else if c, err = Contacts.Get(tx, visitor); err != nil || c.known() {
			return absent(err) // whom the visitor is known as is somebody else
		}
		found = c.ID
		said := d
		if said.Attributes, err = attributes.Usable(tx, d.Attributes); err != nil {
			return err
		}
		return verify(tx, c, said)
	})
	if err != nil || !found.IsZero() {
		return found, err
	}
	d.Attributes, d.Basis = nil, FromWidget // the next identification brings them
	c, err := s.create(ctx, actor, d, true)
	return c.ID, err
}

// signed is what a token says. An address or a number that cannot be one is left out: the identity counts all the same.
func signed(claims identity.TokenClaims) Draft {
	d := Draft{ExternalID: claims.UserID, Name: claims.Name, Attributes: attributes.Values{}, Browser: true, Grounds: claims.Grounds, SignedBy: claims.Key}
	if mail.IsAddress(claims.Email) {
		d.Email = claims.Email
	}
	if number, ok := phone.Parse(claims.Phone, ""); ok {
		d.Phone = number
	}
	for name, value := range claims.Attributes {
		d.Attributes[name] = value
	}
	return d
}

func present(tx *vault.Tx, id ids.Contact) error {
	_, err := Contacts.Get(tx, id)
	return err
}

func absent(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// verify stores that a contact is who the tenant's site signed.
func verify(tx *vault.Tx, c Contact, d Draft) error {
	known := c.known()
	c.SeenAt = tx.Now()
	if err := apply(tx, &c, d); err != nil {
		return err
	}
	if c.Verified {
		return put(tx, c)
	}
	if known { // by its identifier only, so far; apply saw nothing new
		if err := becomeKnown(tx, &c); err != nil {
			return err
		}
	}
	c.Verified, c.Role = true, User
	tx.Emit(vault.Event{Kind: "contact.verified", Object: c.ID.String(), Subject: c.ID}, nil)
	return put(tx, c)
}

// becomeKnown ends what a contact had while it was a mere claim: the merges with other claims, and every token, since
// whoever holds one has not proved to be the person that this contact now is.
func becomeKnown(tx *vault.Tx, c *Contact) error {
	if err := unlink(tx, c); err != nil {
		return err
	}
	return identity.EndSessions(tx, c.ID)
}
