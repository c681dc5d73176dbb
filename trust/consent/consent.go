// Package consent keeps what people agreed to: which words they were shown, when, and how they said yes or no.
//
// A purpose is agreed to by an explicit act and withdrawn as easily (promise con-1; GDPR Art. 7). Nobody has to ask here
// before doing something: an action of the vault names its purpose (vault.For), and the vault asks the standings that
// this package writes with every choice, in the transaction that does it.
package consent

import (
	"context"
	"embed"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 3

// Support is the purpose of answering people who write to us.
const Support = purpose.Support

// How tells by what act a choice reached us.
type How string

// The acts.
const (
	ByPerson   How = "person"   // a press of the button under our own notice
	BySite     How = "page"     // the tenant's site reported an agreement to the same notice
	ByOperator How = "operator" // somebody who works for the tenant wrote it down
	ByProgram  How = "program"  // the tenant's program, by API: its word that the consent exists
	BySigned   How = "signed"   // the tenant's site signed it, together with who the person is
	ByImport   How = "import"   // it was said of a list that was imported
)

// NoticeText is one version of what people are shown for a purpose in a language. No version is ever changed.
type NoticeText struct {
	Purpose   string    `vault:"purpose,key"`
	Language  string    `vault:"language,key"`
	Version   int       `vault:"version,key"`
	Words     string    `vault:"words,tenant:tenant.content"`
	URL       string    `vault:"url,tenant:tenant.settings"` // of the full privacy notice; may be empty
	CreatedAt time.Time `vault:"created_at,state"`
}

// State is how a person's choice about one purpose stands now.
type State struct {
	Contact  ids.Contact `vault:"contact,key,subject"`
	Purpose  string      `vault:"purpose,key"`
	Granted  bool        `vault:"granted,state"`
	Version  int         `vault:"version,state"` // of the notice that was agreed to
	Language string      `vault:"language,state"`
	How      How         `vault:"how,state"`
	Since    time.Time   `vault:"since,state"`
}

type record struct{}

func (record) Prefix() string { return "cns" }

// RecordID names one act of agreeing or withdrawing.
type RecordID = ids.Of[record]

// Record is one act of agreeing or withdrawing. Records are only ever added.
type Record struct {
	ID       RecordID      `vault:"id,key"`
	Contact  ids.Contact   `vault:"contact,subject"`
	Purpose  string        `vault:"purpose,state"`
	Granted  bool          `vault:"granted,state"`
	Version  int           `vault:"version,state"`
	Language string        `vault:"language,state"`
	How      How           `vault:"how,state"`
	At       time.Time     `vault:"made_at,state"`
	Receipt  personal.Text `vault:"receipt,personal:user"` // the statement that the log speaks for, see receiptDPV
}

// The tables.
var (
	Notices = vault.Define[NoticeText]("consent_notices", vault.Purpose("showing what people were asked to agree to"), vault.KeepWhile("as long as somebody's consent refers to it"))
	States  = vault.Define[State]("consents", vault.Purpose("knowing what a person has agreed to"), vault.KeepWhile("as long as the person's data: the proof that it may be kept (GDPR Art. 7(1))"))
	Records = vault.Define[Record]("consent_records", vault.Purpose("proving what a person has agreed to"), vault.KeepWhile("as long as the person's data: the proof that it may be kept (GDPR Art. 7(1))"))
)

// What can be done.
var (
	actReadNotice  = vault.Act("consent_notice.read", purpose.Workspace, vault.Everyone(), vault.System(), vault.Scope("settings:read"))
	actWriteNotice = vault.Act("consent_notice.write", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO), vault.Scope("settings:write"))
	actRecord      = vault.Act("consent.grant", purpose.Own, vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO), vault.Visitors(), vault.System(), vault.Scope("contacts:write"))
	actWithdraw    = vault.Act("consent.withdraw", purpose.Own, vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO), vault.Visitors(), vault.System(), vault.Scope("contacts:write"))
	actHistory     = vault.Act("consent.read", purpose.Own, vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO), vault.Visitors(), vault.System(), vault.Scope("contacts:read"))
)

// Service keeps the notices and the choices.
type Service struct{ vault *vault.Vault }

// New makes the service.
func New(v *vault.Vault) *Service { return &Service{v} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "consent",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{Notices, Definitions, States, Records, Assertions, demands},
		Actions:    []*vault.Action{actReadNotice, actWriteNotice, actRecord, actWithdraw, actHistory, actReadPurposes, actSetPurpose, actDemand},
		API:        s.api,
		Routes:     s.routes,
		Settings:   []module.Link{{Path: "/settings/consent", Title: "Purposes and consent", About: "What people's data is used for, on what ground, and what they read and agree to.", For: actReadNotice}},
	}
}

// Of reads how all of a person's choices stand, in the caller's transaction.
func Of(tx *vault.Tx, contact ids.Contact) ([]State, error) {
	return States.Find(tx, "contact = ? ORDER BY purpose LIMIT 100", contact)
}

// own refuses a visitor who names somebody else, in the same words as for somebody who does not exist.
func own(actor vault.Actor, contact ids.Contact) error {
	if actor.Kind() == vault.AsPerson && actor.Subject() != contact {
		return errs.New(errs.NotFound, "There is no such person.")
	}
	return nil
}

// History lists what a person agreed to and withdrew, newest first.
func (s *Service) History(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]Record, error) {
	if err := own(actor, contact); err != nil {
		return nil, err
	}
	var all []Record
	err := s.vault.View(ctx, actor, actHistory, func(tx *vault.Tx) (err error) {
		all, err = Records.Find(tx, "contact = ? ORDER BY made_at DESC, id DESC LIMIT 200", contact)
		return err
	})
	return all, err
}
