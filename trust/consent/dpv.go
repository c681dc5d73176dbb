package consent

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
)

// What a person agreed to, as a consent record after ISO/IEC TS 27560 in the words of the Data Privacy Vocabulary 2.3
// (a community group's report, not a standard): JSON-LD, one record for each purpose, with every act as an event.

// schema is what the records conform to.
const schema = "https://w3id.org/dpv/schema/dpv-27560#record"

var context27560 = map[string]string{"dpv": "https://w3id.org/dpv#", "dct": "http://purl.org/dc/terms/", "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#"}

// A Document is a person's consent to one purpose.
type Document struct {
	Context    map[string]string `json:"@context"`
	Type       string            `json:"@type"`
	Schema     string            `json:"dct:conformsTo"`
	ID         string            `json:"dct:identifier" doc:"An IRI that names this record"`
	Person     ids.Contact       `json:"dpv:hasDataSubject"`
	Status     string            `json:"dpv:hasConsentStatus"`
	Notices    []noticeDPV       `json:"dpv:hasNotice"`
	Process    processDPV        `json:"dpv:hasProcess"`
	Withdrawal string            `json:"dpv:hasConsentControl" doc:"How the consent is taken back"`
	Events     []eventDPV        `json:"dpv:hasActivity"`
}

// noticeDPV is what was shown.
type noticeDPV struct {
	Type     string `json:"@type"`
	Language string `json:"dct:language"`
	Version  int    `json:"dct:hasVersion"`
	Text     string `json:"dct:description"`
	URL      string `json:"dct:source,omitempty"`
}

// processDPV is what was agreed to.
type processDPV struct {
	Type         string   `json:"@type"`
	Purpose      string   `json:"dpv:hasPurpose"`
	Title        string   `json:"dct:title,omitempty"`
	Data         []string `json:"dpv:hasPersonalData"`
	Storage      string   `json:"dpv:hasStorageCondition"`
	Controller   string   `json:"dpv:hasDataController"`
	Jurisdiction string   `json:"dpv:hasJurisdiction"`
	Recipients   []string `json:"dpv:hasRecipient,omitempty"`
	Basis        string   `json:"dpv:hasLegalBasis"`
}

// eventDPV is an act of agreeing or taking back.
type eventDPV struct {
	Type   string    `json:"@type"`
	ID     RecordID  `json:"dct:identifier"`
	State  string    `json:"dpv:hasConsentStatus"`
	At     time.Time `json:"dpv:isIndicatedAtTime"`
	Method How       `json:"dpv:hasIndicationMethod"`
}

// Documents are a person's consents as records, one for each purpose.
func (s *Service) Documents(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]Document, error) {
	if err := own(actor, contact); err != nil {
		return nil, err
	}
	tenant, err := s.vault.Tenant(ctx, actor.Tenant())
	if err != nil {
		return nil, err
	}
	k := keeper{s.vault, tenant}
	var out []Document
	err = s.vault.View(ctx, actor, actHistory, func(tx *vault.Tx) error {
		out = nil
		all, err := Records.Find(tx, "contact = ? ORDER BY purpose, made_at, id LIMIT 1000", contact)
		if err != nil {
			return err
		}
		for start := 0; start < len(all); {
			end := start
			for end < len(all) && all[end].Purpose == all[start].Purpose {
				end++
			}
			d, err := k.document(tx, all[start:end])
			if err != nil {
				return err
			}
			out, start = append(out, d), end
		}
		return nil
	})
	return out, err
}

// document makes the record of one purpose from its acts, oldest first.
func (k keeper) document(tx *vault.Tx, acts []Record) (Document, error) {
	first, last := acts[0], acts[len(acts)-1]
	id := "urn:uuid:" + uuid.UUID(first.ID).String()
	d := Document{Context: context27560, Type: "dpv:ConsentRecord", Schema: schema, ID: id, Person: first.Contact, Status: status(last),
		Withdrawal: "in the menu of the chat, with one press; on the page /my-data/" + k.tenant.Slug}
	p, err := k.process(tx, first.Purpose)
	if err != nil {
		return d, err
	}
	d.Process = p
	for _, r := range acts {
		d.Events = append(d.Events, eventDPV{"dpv:Consent", r.ID, status(r), r.At, r.How})
		shown := func(n noticeDPV) bool { return n.Version == r.Version && n.Language == r.Language }
		if r.Version == 0 || slices.ContainsFunc(d.Notices, shown) { // a no without ever having agreed was said to no notice
			continue
		}
		n, err := Notices.Get(tx, r.Purpose, r.Language, int64(r.Version))
		if err != nil && !errs.Is(err, errs.NotFound) {
			return d, err
		}
		d.Notices = append(d.Notices, noticeDPV{"dpv:ConsentNotice", r.Language, r.Version, n.Words, n.URL})
	}
	return d, nil
}

func status(r Record) string {
	switch {
	case r.Granted:
		return "dpv:ConsentGiven"
	case r.Version == 0:
		return "dpv:ConsentRefused"
	}
	return "dpv:ConsentWithdrawn"
}

func (k keeper) process(tx *vault.Tx, id string) (processDPV, error) {
	p := processDPV{Type: "dpv:Process", Purpose: id, Storage: "as the tenant's retention schedule says", Controller: k.tenant.Name, Jurisdiction: k.tenant.Region, Basis: "eu-gdpr:A6-1-a"}
	for _, t := range k.vault.Tables() {
		for _, c := range t.Columns() {
			if c.Class == "personal" && !slices.Contains(p.Data, c.Category) {
				p.Data = append(p.Data, c.Category)
			}
		}
	}
	slices.Sort(p.Data)
	found, err := Definitions.Find(tx, "id = ? ORDER BY version DESC LIMIT 1", id)
	for _, d := range found {
		p.Title, p.Recipients = d.Names["en"], d.Recipients
		if d.Keep != "" {
			p.Storage = d.Keep
		}
	}
	return p, err
}
