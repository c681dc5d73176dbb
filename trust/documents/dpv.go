package documents

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"aver/trust/documents/paper"
)

// dpv writes the record of processing in the Data Privacy Vocabulary (W3C community group, DPV 2) as JSON-LD: a register
// whose processes have purposes, grounds, data, people, recipients and storage conditions.
func (f Facts) dpv(p paper.Paper) ([]byte, error) {
	base := "urn:aver:" + f.Workspace.ID.String() + ":"
	graph := []any{
		map[string]any{"@id": base + p.Kind, "@type": "dpv:RegisterOfProcessingActivities", "dcterms:title": p.Title, "dcterms:created": stamp(p.At), "dcterms:identifier": p.Hash,
			"dcterms:creator": p.Program, "dpv:hasDataController": ref(base + "controller"), "dpv:hasProcess": f.processRefs(base), "dpv:hasTechnicalOrganisationalMeasure": f.measureRefs(base)},
		party(base+"controller", "dpv:DataController", f.Controller, f.Workspace.Name),
	}
	if f.Operator.named() {
		graph = append(graph, party(base+"processor", "dpv:DataProcessor", f.Operator, ""))
	}
	for _, r := range f.Recipients {
		graph = append(graph, r.node(base))
	}
	for _, purpose := range f.Purposes {
		if classes := f.Of(purpose.ID); len(classes) > 0 {
			graph = append(graph, f.process(base, purpose, classes))
		}
	}
	for _, m := range f.Measures {
		graph = append(graph, map[string]any{"@id": base + "claim:" + m.ID, "@type": "dpv:TechnicalMeasure", "dcterms:description": m.Sentence, "dpv:hasStatus": string(m.State)})
	}
	out, err := json.MarshalIndent(map[string]any{"@context": map[string]string{
		"dpv": "https://w3id.org/dpv#", "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#", "dcterms": "http://purl.org/dc/terms/", "fides": "https://ethyca.github.io/fideslang/taxonomy/data_categories/#",
		"xsd": "http://www.w3.org/2001/XMLSchema#", "foaf": "http://xmlns.com/foaf/0.1/"}, "@graph": graph}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the record as JSON-LD: %w", err)
	}
	return append(out, '\n'), nil
}

func ref(id string) map[string]string { return map[string]string{"@id": id} }

func stamp(t time.Time) map[string]string {
	return map[string]string{"@type": "xsd:dateTime", "@value": t.Format(time.RFC3339)}
}

func party(id, kind string, e Entity, otherwise string) map[string]any {
	if !e.named() {
		return map[string]any{"@id": id, "@type": kind, "dpv:hasName": otherwise}
	}
	out := map[string]any{"@id": id, "@type": kind, "dpv:hasName": e.Name, "dpv:hasAddress": joined(", ", e.Address, e.Country), "dpv:hasContact": e.Email}
	if e.Officer != "" {
		out["dpv:hasDataProtectionOfficer"] = map[string]any{"@type": "dpv:DataProtectionOfficer", "dpv:hasName": e.Officer, "dpv:hasContact": e.OfficerEmail, "dpv:hasAddress": e.OfficerPlace}
	}
	return out
}

func (f Facts) processRefs(base string) (out []map[string]string) {
	for _, p := range f.Purposes {
		if len(f.Of(p.ID)) > 0 {
			out = append(out, ref(base+"process:"+p.ID))
		}
	}
	return out
}

func (f Facts) measureRefs(base string) (out []map[string]string) {
	for _, m := range f.Measures {
		out = append(out, ref(base+"claim:"+m.ID))
	}
	return out
}

func (r Recipient) id(base string) string { return base + "recipient:" + r.Source.Ref }

func (r Recipient) node(base string) map[string]any {
	out := map[string]any{"@id": r.id(base), "@type": "dpv:Recipient", "dpv:hasName": r.Name}
	if r.Kind == Company {
		out["@type"] = "dpv:DataSubProcessor"
		out["dpv:hasAddress"] = r.Address
	}
	if r.Region != "" {
		out["dpv:hasLocation"] = r.Region
	}
	if r.Outside {
		out["dpv:hasLegalMeasure"] = r.Safeguard
	}
	return out
}

// process is what is done for one purpose.
func (f Facts) process(base string, purpose Purpose, classes []Class) map[string]any {
	id := base + "process:" + purpose.ID
	var data, people, recipients, storage []any
	seen := map[string]bool{}
	once := func(key string) bool {
		fresh := !seen[key]
		seen[key] = true
		return fresh
	}
	for _, c := range classes {
		for _, category := range c.Categories {
			if strings.HasPrefix(category, "user") && once(category) {
				data = append(data, ref("fides:"+category))
			}
		}
		if once(string(c.Group)) {
			people = append(people, map[string]string{"@type": subjects[c.Group]})
		}
		condition := map[string]any{"@type": "dpv:StorageCondition", "dcterms:identifier": c.Name, "dcterms:description": c.kept()}
		if c.Limit > 0 {
			condition["dpv:hasDuration"] = map[string]string{"@type": "xsd:duration", "@value": fmt.Sprintf("P%dD", days(c.Limit))}
		}
		storage = append(storage, condition)
		for _, r := range f.receiving(c) {
			if once(r.Source.Ref) {
				recipients = append(recipients, ref(r.id(base)))
			}
		}
	}
	return map[string]any{"@id": id, "@type": "dpv:Process", "dpv:hasPurpose": map[string]any{"@type": "dpv:Purpose", "dcterms:identifier": purpose.ID, "dcterms:description": purpose.name()},
		"dpv:hasLegalBasis": ref("eu-gdpr:A6-1-" + letters[purpose.Basis]), "dpv:hasPersonalData": data, "dpv:hasDataSubject": people, "dpv:hasRecipient": recipients,
		"dpv:hasStorageCondition": storage, "dpv:hasLocation": f.Workspace.Region, "dpv:hasDataController": ref(base + "controller")}
}

// subjects are the groups as kinds of data subjects.
var subjects = map[Group]string{Visitors: "dpv:Customer", Staff: "dpv:Employee"}
