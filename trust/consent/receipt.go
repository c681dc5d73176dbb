package consent

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"aver/base/personal"
	"aver/trust/audit"
	"aver/vault"
)

// A receipt is what the person may keep of an act: the record of this act alone, in the words of dpv.go. The entry of the
// log that says who acted names the hash of the statement, so package receipts proves it offline. The statement is stored
// as it was hashed: purposes, names of businesses and the catalogue of data change, and it must not.

// receiptSchema is what the statements conform to: receipts that hold a copy of the record.
const receiptSchema = "https://w3id.org/dpv/schema/dpv-27560#receipt-record"

// receiptDPV says that somebody agreed, or took it back.
type receiptDPV struct {
	Context   map[string]string `json:"@context"`
	Type      string            `json:"@type"`
	Schema    string            `json:"dct:conformsTo"`
	ID        string            `json:"dct:identifier"`
	Created   time.Time         `json:"dct:created"`
	Publisher string            `json:"dct:publisher"`
	Record    Document          `json:"dpv:hasRecordOfActivity"`
}

// issue writes the statement of an act's receipt and lets the log speak for it.
func (k keeper) issue(tx *vault.Tx, r *Record) error {
	d, err := k.document(tx, []Record{*r})
	if err != nil {
		return err
	}
	first, err := Records.Find(tx, "contact = ? AND purpose = ? ORDER BY made_at, id LIMIT 1", r.Contact, r.Purpose)
	if err != nil {
		return err
	}
	if len(first) > 0 {
		d.ID = iri(uuid.UUID(first[0].ID)) // it is about the same record as the acts before it
	}
	r.Receipt, err = statement(receiptDPV{context27560, "dpv:ConsentReceipt", receiptSchema, iri(uuid.UUID(r.ID)), r.At.UTC(), k.tenant.Name, d})
	if err == nil {
		audit.Issue(tx, []byte(r.Receipt.Reveal()), r.Contact)
	}
	return err
}

func iri(id uuid.UUID) string { return "urn:uuid:" + id.String() }

// statement writes a statement in the one way in which it is hashed.
func statement(said any) (personal.Text, error) {
	text, err := json.Marshal(said)
	if err != nil {
		return personal.Text{}, fmt.Errorf("write the statement of a receipt: %w", err)
	}
	return personal.Of(string(text)), nil
}

// Words says in sentences what a verified statement means. It fails for statements of another kind.
func Words(said []byte) ([]string, error) {
	var kind struct {
		Type string `json:"@type"`
	}
	if err := json.Unmarshal(said, &kind); err != nil {
		return nil, fmt.Errorf("read a statement: %w", err)
	}
	switch kind.Type {
	case "dpv:ConsentReceipt":
		return actWords(said)
	case "dpv:DataProcessingRecord":
		return groundWords(said)
	}
	return nil, fmt.Errorf("a statement of the kind %q is none about consent", kind.Type)
}

const receiptDay = "2 January 2006, 15:04:05 UTC"

func actWords(said []byte) ([]string, error) {
	var r receiptDPV
	if err := json.Unmarshal(said, &r); err != nil {
		return nil, fmt.Errorf("read the receipt of a consent: %w", err)
	}
	did := map[string]string{"dpv:ConsentGiven": "agreed to", "dpv:ConsentWithdrawn": "took back the consent to", "dpv:ConsentRefused": "said no to"}[r.Record.Status]
	out := []string{fmt.Sprintf("%s %s the purpose %s of %s on %s.", r.Record.Person, did, r.Record.Process.Purpose, r.Publisher, r.Created.UTC().Format(receiptDay))}
	for _, n := range r.Record.Notices {
		out = append(out, fmt.Sprintf("Shown were these words (version %d, %s): %s", n.Version, n.Language, n.Text))
	}
	return out, nil
}

func groundWords(said []byte) ([]string, error) {
	var g groundDPV
	if err := json.Unmarshal(said, &g); err != nil {
		return nil, fmt.Errorf("read the receipt of a ground: %w", err)
	}
	by := ""
	if g.SignedBy != "" {
		by = ", signed with the site's key " + g.SignedBy
	}
	return []string{fmt.Sprintf("%s stated on %s%s that it keeps %s for the purpose %s on the ground %s since %s: %s", g.Publisher, g.Created.UTC().Format(receiptDay), by,
		g.Person, g.Purpose, g.Basis, g.Since.UTC().Format("2 January 2006"), g.Words)}, nil
}
