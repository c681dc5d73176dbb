package rights_test

import (
	"context"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/frame/module/moduletest"
	"aver/trust/audit"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/trust/rights"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// person and letter stand for the product's modules: tables that rights has never heard of.
type person struct {
	ID       ids.Contact   `vault:"id,key"`
	Email    personal.Text `vault:"email,personal:user.contact.email,lookup"`
	Name     personal.Text `vault:"name,personal:user.name"`
	External personal.Text `vault:"external,personal:user.unique_id,exact"`
	Into     ids.Contact   `vault:"into_id,state"`
	Verified bool          `vault:"verified,state"`
}

type letter struct {
	ID     ids.Object       `vault:"id,key"`
	Who    ids.Contact      `vault:"who,subject"`
	Author ids.User         `vault:"author,state"`
	Thread ids.Conversation `vault:"thread,state"`
	Body   personal.Text    `vault:"body,personal:user.content"`
	Extra  personal.Bytes   `vault:"extra,personal:user"`
	Pass   personal.Text    `vault:"pass,secret"`
	At     time.Time        `vault:"written_at,state"`
}

var (
	persons = vault.Define[person]("persons", vault.Purpose("knowing who writes"), vault.KeepWhile("the test"))
	letters = vault.Define[letter]("letters", vault.Purpose("testing what nobody told rights about"), vault.KeepWhile("the test"))
	act     = vault.Act("test.write", purpose.Storage, vault.System())
)

var schema = engine.Migration{Version: 900001, Name: "test/0001.sql", SQL: `CREATE TABLE persons (
    id ID NOT NULL,
    email SEALED,
    email_index BLIND,
    name SEALED,
    external SEALED,
    external_index BLIND,
    into_id ID,
    verified BOOL NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX persons_by_email ON persons (email_index);
CREATE INDEX persons_by_external ON persons (external_index);
CREATE TABLE letters (
    id ID NOT NULL,
    who ID,
    author ID,
    thread ID,
    body SEALED,
    extra SEALED,
    pass SEALED,
    written_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX letters_by_who ON letters (who);
`}

// post keeps letters instead of sending them, and refuses those to one address for good.
type post struct {
	sent    chan mail.Message
	refuses atomic.Value // the address, as a string
	refused atomic.Int64
}

func (p *post) Send(_ context.Context, m mail.Message) error {
	if p.refuses.Load() == m.To.Reveal() {
		p.refused.Add(1)
		return errs.New(errs.Invalid, "The mail relay refuses this mail for good.")
	}
	p.sent <- m
	return nil
}

var digits = regexp.MustCompile(`\b[0-9]{6}\b`)

func (p *post) code(t *testing.T) string {
	t.Helper()
	select {
	case m := <-p.sent:
		return digits.FindString(m.Text)
	case <-time.After(time.Minute):
		t.Fatal("no letter came")
		return ""
	}
}

type world struct {
	*vaulttest.Kit
	rights *rights.Service
	audit  *audit.Service
	holds  *holds.Service
	post   *post
	owner  vault.Actor
	start  func() // the jobs
}

func each(t *testing.T, test func(*testing.T, *world)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, settle(t, k)) })
}

// config is rights, what it needs, these others, and the test's own tables.
func config(t testing.TB, others ...module.Module) vaulttest.Config {
	t.Helper()
	c := moduletest.Config(t, append(others, identity.New(nil).Module(), audit.New(nil).Module(), holds.New(nil, nil).Module(), rights.New(nil, rights.People{}, nil, nil, nil, nil).Module())...)
	c.Tables, c.Migrations = append(c.Tables, persons, letters), append(c.Migrations, schema)
	return c
}

// settle makes the services over a vault and starts their jobs.
func settle(t testing.TB, k *vaulttest.Kit) *world {
	t.Helper()
	w := idle(t, k)
	w.start()
	return w
}

// idle makes the services, whose jobs wait for start.
func idle(t testing.TB, k *vaulttest.Kit) *world {
	t.Helper()
	w := &world{Kit: k, post: newPost(), owner: vaulttest.User(k.Tenant, vault.Owner)}
	w.audit = audit.New(k.Vault)
	w.holds = holds.New(k.Vault, linked)
	w.rights = rights.New(k.Vault, people, identity.New(k.Vault), w.audit, w.holds, w.post)
	w.start = prepareJobs(t, w.rights.Module(), w.audit.Module())
	return w
}

// embedded is the world on SQLite alone.
func embedded(t testing.TB) *world {
	t.Helper()
	return settle(t, vaulttest.Embedded(t, config(t)))
}

func startJobs(t testing.TB, mods ...module.Module) {
	t.Helper()
	prepareJobs(t, mods...)()
}

func prepareJobs(t testing.TB, mods ...module.Module) (start func()) {
	t.Helper()
	queue := moduletest.Queue(t)
	for _, m := range mods {
		if m.Jobs != nil {
			must(t, m.Jobs(queue))
		}
	}
	return func() { must(t, queue.Start(t.Context())) }
}

// limits is what was closed for whom: contact → kind.
var limits sync.Map

var people = rights.People{
	WithEmail: func(tx *vault.Tx, email string) ([]ids.Contact, error) {
		found, err := persons.Lookup(tx, "email", email)
		var out []ids.Contact
		for _, p := range found {
			out = append(out, p.ID)
		}
		return out, err
	},
	WithID: func(tx *vault.Tx, external string) ([]ids.Contact, error) {
		found, err := persons.Lookup(tx, "external", external)
		var out []ids.Contact
		for _, p := range found {
			out = append(out, p.ID)
		}
		return out, err
	},
	Linked: linked,
	Known: func(tx *vault.Tx, text string) (out []ids.Contact, err error) {
		found, err := persons.Lookup(tx, "email", text)
		for _, p := range found {
			out = append(out, p.ID)
		}
		return out, err
	},
	Provided: func(table string, _ []vault.Cell) bool { return table == "persons" },
	Handed:   func(*vault.Tx, ids.Object) (bool, error) { return false, nil },
	Limit: func(_ context.Context, _ vault.Actor, contact ids.Contact, kind string) error {
		limits.Store(contact, kind)
		return nil
	},
	Show: func(tx *vault.Tx, id ids.Contact) (rights.Shown, error) {
		p, err := persons.Get(tx, id)
		return rights.Shown{Name: p.Name, Email: p.Email, Verified: p.Verified}, err
	},
}

func linked(tx *vault.Tx, id ids.Contact) ([]ids.Contact, error) {
	if _, err := persons.Get(tx, id); err != nil {
		return nil, err
	}
	out := []ids.Contact{id}
	found, err := persons.Find(tx, "into_id = ?", id)
	for _, p := range found {
		out = append(out, p.ID)
	}
	return out, err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add makes a person with some letters.
func (w *world) add(t *testing.T, tenant ids.Tenant, p person, bodies ...string) ids.Contact {
	t.Helper()
	sys := vaulttest.System(tenant)
	id, err := w.Vault.NewSubject(t.Context(), sys)
	must(t, err)
	p.ID = id
	must(t, w.Vault.Do(t.Context(), sys, act, func(tx *vault.Tx) error {
		if err := persons.Add(tx, p); err != nil {
			return err
		}
		for _, b := range bodies {
			l := letter{ID: ids.NewObject(tx.Now()), Who: id, Author: ids.NewUser(tx.Now()), Body: personal.Of(b), Pass: personal.Of("hunter2hunter2"),
				Extra: personal.OfBytes([]byte(`{"shoe":42}`)), At: tx.Now()}
			if err := letters.Add(tx, l); err != nil {
				return err
			}
		}
		return nil
	}))
	return id
}

func newPost() *post { return &post{sent: make(chan mail.Message, 100)} }
