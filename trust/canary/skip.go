package canary

// Skipped are operations that the canaries do not call, with the reason. The list is short on purpose.
var Skipped = map[string]string{
	"GET /widget/v1/socket": "a socket, which is attacked as one",
	"GET /widget/v1/events": "a stream, which is attacked as one",
	"GET /live":             "a socket, which is attacked as one",
	"GET /setup/{token}":    "its parameter is a secret, and trying it counts as guessing",
	"POST /setup/{token}":   "its parameter is a secret, and trying it counts as guessing",
	"GET /invite/{token}":   "its parameter is a secret, and trying it counts as guessing",
	"POST /invite/{token}":  "its parameter is a secret, and trying it counts as guessing",
	"GET /login":            "signing in, where few tries are allowed",

	"GET /closed/{secret}":                  "its parameter is a secret, which nobody who is attacked has",
	"GET /closed/{secret}/certificate.json": "its parameter is a secret, which nobody who is attacked has",
}

// Shared are kinds of identifiers that name something of the installation's, which every tenant may see.
var Shared = map[string]string{
	"schedule":     "a tenant has one schedule of office hours, whose identifier is written into the program",
	"subprocessor": "the register of sub-processors is the installation's",
}

// Chosen are kinds of identifiers that a tenant makes up for itself. Two tenants may choose the same.
var Chosen = map[string]string{
	"contact_external_id": "what a tenant's own site calls a person",
	"purpose":             "what a tenant calls what it uses data for; some names are the same for all",
}

// Bodies are requests with which a canary makes what it owns, where one made up from the description would not do.
var Bodies = map[string]string{
	"PUT /v1/consent_notices/{language}":            `{"text":"We keep what you write. $word"}`,
	"PUT /v1/contact_fields/{field}":                `{"processed":true}`, // off, it would sweep away by what a canary knows its own
	"PUT /v1/legal_entity":                          `{"name":"$word","address":"$word","country":"DE","email":"$word@canary.invalid"}`,
	"POST /v1/contacts":                             `{"external_id":"$word","name":"$word","email":"$word@canary.invalid","grounds":[{"basis":"contract","purpose":"support","since":"2026-01-01T00:00:00Z","words":"$word"}]}`,
	"PUT /v1/contacts/{id}":                         `{"name":"$word"}`,
	"PUT /v1/contacts/by-external-id/{external_id}": `{"name":"$word"}`,
	"POST /v1/conversations/redact":                 `{"conversation_id":"$conversation","seq":1}`,
	"PUT /v1/purposes/{purpose}":                    `{"basis":"legitimate_interest","names":{"en":"$word"}}`,
	"POST /v1/privacy_requests":                     `{"contact":"$contact","kind":"access","words":"$word"}`, // either a contact or an address
	"POST /v1/privacy_requests/{id}/deny":           `{"reason":"other","words":"$word"}`,
	"POST /v1/privacy_requests/{id}/extend":         `{"delay":"complex","words":"$word"}`,
	"POST /v1/holds":                                `{"contact":"$contact","ground":"legal_claims","reason":"$word"}`,
	// Merging is what canaries never do, so nothing is ever sent there; and the name resolves nowhere (RFC 6761).
	"POST /v1/webhooks":        `{"url":"https://receiver.invalid/$word","description":"$word","events":["contact.merged"]}`,
	"PUT /v1/webhooks/{id}":    `{"url":"https://receiver.invalid/$word","description":"$word","events":["contact.merged"]}`,
	"PUT /v1/consent_settings": `{"grounds_required":false}`, // on, it would refuse the visitors of every probe
	"PUT /v1/improvement":      `{"enabled":true}`,
	"PUT /v1/retention":        `{"days":{"connections":30}}`,
	"PUT /v1/privacy_settings": `{"place":"eu","regime":"gdpr","mail":"$word@canary.invalid"}`,
	"PUT /v1/webchat/settings": `{"color_scheme":"auto","enforced":false,"no_files":false,"name":"$word","reply_time":"$word"}`,
}
