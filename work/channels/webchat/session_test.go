package webchat_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aver/base/ids"
	"aver/base/personal"
	"aver/cmd/aver/app"
	"aver/frame/module/moduletest"
	"aver/trust/consent"
	"aver/trust/restriction"
	"aver/vault/purpose"
	"aver/work/channels/webchat"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
)

func secret(s string) personal.Text { return personal.Of(s) }

func TestNothingIsStoredOrSetBeforeAnybodyAgrees(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, path := range []string{"/l.js", "/widget/frame?w=" + h.site, "/widget/app.js", "/widget/app.css", "/widget/v1/config?lang=de&w=" + h.site} {
			a := h.ask("GET", path, "", nil)
			if a.status != http.StatusOK || a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %d, cookie %q", path, a.status, a.header.Get("Set-Cookie"))
			}
		}
		if list, err := h.Contacts.List(t.Context(), h.owner, contacts.Filter{}); err != nil || len(list.Contacts) != 0 {
			t.Errorf("there are %d contacts, %v", len(list.Contacts), err)
		}
		without := h.beginning(nil)
		delete(without, "consent")
		refused(t, h.ask("POST", "/widget/v1/sessions", "", without), "consent-required")
		old := h.beginning(nil)
		old["consent"].(object)["version"] = "0"
		refused(t, h.ask("POST", "/widget/v1/sessions", "", old), "consent-required")
		other := h.beginning(nil)
		other["consent"].(object)["purpose"] = "anything"
		refused(t, h.ask("POST", "/widget/v1/sessions", "", other), "consent-required")
		if list, err := h.Contacts.List(t.Context(), h.owner, contacts.Filter{}); err != nil || len(list.Contacts) != 0 {
			t.Errorf("the refused left %d contacts, %v", len(list.Contacts), err)
		}
	})
}

func TestTheFrameIsForTheSitesThatTheTenantNames(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		policy := func() string {
			return h.ask("GET", "/widget/frame?w="+h.site, "", nil).header.Get("Content-Security-Policy")
		}
		if !strings.HasSuffix(policy(), "; frame-ancestors *") {
			t.Errorf("policy %s", policy())
		}
		h.settings(func(set *webchat.Settings) { set.AllowedHosts = []string{"https://www.kowal.example"} })
		if !strings.HasSuffix(policy(), "; frame-ancestors 'self' https://www.kowal.example") {
			t.Errorf("policy %s", policy())
		}
		refused(t, h.ask("POST", "/widget/v1/sessions", "", h.beginning(nil)), "forbidden")
		named := h.beginning(nil)
		named["page_url_origin"] = "https://www.kowal.example"
		h.ask("POST", "/widget/v1/sessions", "", named).json(t)
		foreign := h.ask("POST", "/widget/v1/sessions", "", named, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		refused(t, foreign, "forbidden")
		for _, site := range []string{"", "ws_nothing", "ws_" + ids.NewObject(time.Now()).String()[4:]} {
			refused(t, h.ask("GET", "/widget/v1/config?w="+site, "", nil), "not-found")
		}
	})
}

func TestAnAgreementCanBeWithdrawn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		v.says("one")
		given := h.beginning(nil)["consent"].(object)
		given["granted"] = false
		v.ask("POST", "/widget/v1/consent", v.token, given).json(t)
		refused(t, v.tries("send", object{"client_id": uuid.NewString(), "text": "two"}), "consent-required")
		refused(t, v.tries("set", object{"data": object{"plan": "gold"}}), "consent-required")
		given["granted"] = true
		v.ask("POST", "/widget/v1/consent", v.token, given).json(t)
		v.says("three")
	})
}

// signed makes a token as the tenant's site does, with Go's own HMAC rather than the library that checks it.
func signed(kid, key string, header, claims object) string {
	part := func(o object) string {
		text, _ := json.Marshal(o) // maps of strings and numbers
		return base64.RawURLEncoding.EncodeToString(text)
	}
	head := object{"alg": "HS256", "typ": "JWT", "kid": kid}
	for k, v := range header {
		head[k] = v
	}
	body := object{"user_id": "u-17", "email": "eve@kowal.example", "exp": time.Now().Add(time.Hour).Unix()}
	for k, v := range claims {
		body[k] = v
	}
	text := part(head) + "." + part(body)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestASignedIdentityIsBelievedAndNothingElseIs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		kid, key, err := h.Identity.AddSecret(t.Context(), h.owner)
		must(t, err)
		h.settings(func(set *webchat.Settings) { set.Enforced = true })
		begin := func(token string) answer {
			user := object{}
			if token != "" {
				user["token"] = token
			}
			return h.ask("POST", "/widget/v1/sessions", "", h.beginning(user))
		}
		good := begin(signed(kid, key, nil, nil)).json(t)
		again := begin(signed(kid, key, nil, object{"aud": h.site})).json(t)
		if good["verified"] != true || good["contact"] != again["contact"] || good["token"] == again["token"] {
			t.Errorf("first %v, again %v", good, again)
		}
		other := open(t, h.installation)
		otherKid, otherKey, err := h.Identity.AddSecret(t.Context(), other.owner)
		must(t, err)
		whole := signed(kid, key, nil, nil)
		for name, token := range map[string]string{
			"no token":                       "",
			"cut short":                      whole[:len(whole)-5],
			"signed with another key":        signed(kid, key+"x", nil, nil),
			"changed after signing":          strings.Replace(whole, ".", ".A", 1),
			"expired":                        signed(kid, key, nil, object{"exp": time.Now().Add(-time.Hour).Unix()}),
			"valid for a year":               signed(kid, key, nil, object{"exp": time.Now().Add(365 * 24 * time.Hour).Unix()}),
			"without alg":                    signed(kid, key, object{"alg": "none"}, nil),
			"of another tenant":              signed(otherKid, otherKey, nil, nil),
			"for another website":            signed(kid, key, nil, object{"aud": other.site}),
			"without anybody":                signed(kid, key, nil, object{"user_id": ""}),
			"naming where its key is to get": signed(kid, key, object{"jku": "https://evil.example/keys"}, nil),
		} {
			if a := begin(token); a.status != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}

func TestTheSitesSignatureCoversTheGroundAndOneIsNeededWhereItIsDemanded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		kid, key, err := h.Identity.AddSecret(t.Context(), h.owner)
		must(t, err)
		must(t, h.Consent.Demand(t.Context(), h.owner, true))
		begin := func(user object) answer { return h.ask("POST", "/widget/v1/sessions", "", h.beginning(user)) }
		said := []object{{"basis": "contract", "purpose": "support", "since": "2026-03-01T00:00:00Z", "words": "terms of 2026"}}
		whole := signed(kid, key, nil, object{"grounds": said})
		other := signed(kid, key, nil, object{"grounds": []object{{"basis": "consent", "purpose": "support", "since": "2026-03-01T00:00:00Z", "words": "a box that was ticked"}}})
		parts, theirs := strings.Split(whole, "."), strings.Split(other, ".")
		if a := begin(object{"token": parts[0] + "." + theirs[1] + "." + parts[2]}); a.status != http.StatusUnauthorized {
			t.Errorf("with another ground than was signed: %d %s", a.status, a.body)
		}
		for name, user := range map[string]object{"signed": {"token": signed(kid, key, nil, nil)}, "signed, with a ground beside": {"token": signed(kid, key, nil, nil), "grounds": said}, "claimed": {"email": "eve@kowal.example"}} {
			a := begin(user)
			refused(t, a, "invalid")
			if !strings.Contains(string(a.body), `"field":"grounds"`) {
				t.Errorf("%s: %s", name, a.body)
			}
		}
		eve := h.visitor(object{"token": whole})
		claimed := h.visitor(object{"email": "eve@kowal.example", "grounds": said})
		refused(t, h.visitor(nil).tries("set", object{"user": object{"name": "Eve"}}), "invalid")
		for v, want := range map[*visitor]consent.How{eve: consent.BySigned, claimed: consent.BySite} {
			all, err := h.Consent.Grounds(t.Context(), h.owner, v.id())
			must(t, err)
			if len(all) != 1 || all[0].How != want || all[0].Words.Reveal() != "terms of 2026" || (want == consent.BySigned) != (all[0].SignedBy == kid) {
				t.Errorf("%s: stored %v", want, all)
			}
		}
		list := eve.ask("GET", "/widget/v1/privacy/receipts?lang=de", eve.token, nil).json(t)["receipts"].([]any)
		if len(list) != 2 || !strings.Contains(string(eve.ask("GET", list[0].(object)["url"].(string), eve.token, nil).body), "aver-receipt/1") {
			t.Errorf("receipts: %v", list)
		}
		refused(t, claimed.ask("GET", list[0].(object)["url"].(string), claimed.token, nil), "not-found")
	})
}

func TestWhoIsNotSignedWritesNoMoreWhenOnlyTheSignedMay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		kid, key, err := h.Identity.AddSecret(t.Context(), h.owner)
		must(t, err)
		v, eve := h.visitor(nil), h.visitor(object{"token": signed(kid, key, nil, nil)})
		conv := v.says("one")
		s := v.connects()
		h.settings(func(set *webchat.Settings) { set.Enforced = true })
		if got := s.hears("config")["data"].(object)["identity"].(object)["enforced"]; got != true {
			t.Errorf("told that enforced is %v", got)
		}
		refused(t, v.tries("send", object{"client_id": uuid.NewString(), "text": "two"}), "forbidden")
		_, refusal := s.call("send", object{"client_id": uuid.NewString(), "text": "two"})
		if why, _ := refusal["errors"].([]any); refusal["code"] != "forbidden" || len(why) != 1 || why[0].(object)["code"] != "unsigned" {
			t.Errorf("refused with %v", refusal)
		}
		upload := func(v *visitor) answer {
			return v.ask("POST", "/widget/v1/uploads", v.token, []byte("x"), "Content-Type", "text/plain", "X-File-Name", "a.txt")
		}
		refused(t, upload(v), "forbidden")
		if got := texts(v.does("history", object{"channel": conv, "limit": 10})["messages"]); !slices.Equal(got, []string{"one"}) {
			t.Errorf("reads %q", got)
		}
		v.ask("POST", "/widget/v1/privacy/export", v.token, object{}).json(t)
		v.ask("POST", "/widget/v1/privacy/erase", v.token, object{"confirm": true}).json(t)
		upload(eve).json(t)
		eve.says("signed")
		h.settings(func(set *webchat.Settings) { set.Enforced = false })
		h.visitor(nil).says("three")
	})
}

func TestWhoIsNotVerifiedCannotReadOrBecomeWhoIs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		kid, key, err := h.Identity.AddSecret(t.Context(), h.owner)
		must(t, err)
		eve := h.visitor(object{"token": signed(kid, key, nil, nil)})
		conv := eve.says("my invoice is wrong")
		mallory := h.visitor(object{"email": "eve@kowal.example", "name": "Eve"})
		if mallory.verified || mallory.contact == eve.contact {
			t.Errorf("Mallory is %s, Eve is %s", mallory.contact, eve.contact)
		}
		mallory.does("set", object{"user": object{"email": "eve@kowal.example", "name": "Eve"}})
		if hello := mallory.does("hello", nil); hello["conversation"] != nil {
			t.Errorf("Mallory is shown %v", hello)
		}
		none := ids.NewConversation(time.Now()).String()
		for op, args := range map[string]func(id string) object{
			"subscribe": nil, // one request cannot listen; see below
			"history":   func(id string) object { return object{"channel": id, "limit": 10} },
			"send":      func(id string) object { return object{"conversation": id, "client_id": uuid.NewString(), "text": "x"} },
			"typing":    func(id string) object { return object{"conversation": id, "on": true} },
			"read":      func(id string) object { return object{"conversation": id, "seq": 1} },
		} {
			if args == nil {
				continue
			}
			foreign, absent := mallory.tries(op, args(conv)), mallory.tries(op, args(none))
			refused(t, foreign, "not-found")
			if foreign.status != absent.status || !bytes.Equal(foreign.body, absent.body) {
				t.Errorf("%s tells foreign from absent: %s, %s", op, foreign.body, absent.body)
			}
		}
		s := mallory.connects()
		_, foreign := s.call("subscribe", object{"channel": conv, "epoch": "", "offset": 0})
		_, absent := s.call("subscribe", object{"channel": none, "epoch": "", "offset": 0})
		if foreign["code"] != "not-found" || foreign["title"] != absent["title"] || foreign["detail"] != absent["detail"] {
			t.Errorf("subscribe: %v, %v", foreign, absent)
		}
		if got := h.reads(conv); !slices.Equal(got, []string{"my invoice is wrong"}) {
			t.Errorf("Eve's conversation holds %q", got)
		}
		stranger := open(t, h.installation).visitor(nil)
		refused(t, stranger.tries("history", object{"channel": conv, "limit": 10}), "not-found")
	})
}

func TestFilesGoBothWaysAndOnlyToTheirPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v, other := h.visitor(nil), h.visitor(nil)
		up := v.ask("POST", "/widget/v1/uploads", v.token, []byte("frame number 4711"), "Content-Type", "text/plain", "X-File-Name", "Rahmen%20gr%C3%BC%C3%9F.txt").json(t)
		if up["name"] != "Rahmen grüß.txt" || up["size"] != 17.0 {
			t.Errorf("uploaded %v", up)
		}
		refused(t, other.tries("send", object{"client_id": uuid.NewString(), "text": "mine?", "attachments": []any{up["id"]}}), "not-found")
		conv := v.does("send", object{"client_id": uuid.NewString(), "text": "", "attachments": []any{up["id"]}})["conversation"]
		refused(t, v.tries("send", object{"client_id": uuid.NewString(), "text": "again", "attachments": []any{up["id"]}}), "not-found")
		list := v.does("history", object{"channel": conv, "limit": 10})["messages"].([]any)
		file := list[0].(object)["attachments"].([]any)[0].(object)
		got := v.ask("GET", file["url"].(string), v.token, nil)
		if string(got.body) != "frame number 4711" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d %q %v", got.status, got.body, got.header)
		}
		if a := other.ask("GET", file["url"].(string), other.token, nil); a.status != http.StatusNotFound {
			t.Errorf("somebody else got %d", a.status)
		}
		if a := v.ask("GET", file["url"].(string), "", nil); a.status != http.StatusUnauthorized {
			t.Errorf("nobody got %d", a.status)
		}
		refused(t, v.ask("POST", "/widget/v1/uploads", v.token, []byte("%PDF-1.7\n1 0 obj << /V (4111 1111 1111 1111) >> endobj"), "X-File-Name", "a.pdf"), "invalid")
		if n := h.files(); n != 1 {
			t.Errorf("%d files are stored after one with a card number was refused", n)
		}
		h.settings(func(set *webchat.Settings) { set.NoFiles = true })
		refused(t, v.ask("POST", "/widget/v1/uploads", v.token, []byte("x"), "X-File-Name", "a.txt"), "invalid")
	})
}

func TestTheVisitorAsksForTheOtherRightsInTheirLanguage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(object{"name": "Rosa Lindgren"})
		v.says("the crank is bent")
		offer := v.ask("GET", "/widget/v1/privacy/rights?lang=de-AT", v.token, nil).json(t)
		if offer["title"] != "Weitere Rechte" || len(offer["kinds"].([]any)) < 5 {
			t.Errorf("offered: %v", offer)
		}
		if a := v.ask("GET", "/widget/v1/privacy/rights", "", nil); a.status != http.StatusUnauthorized {
			t.Errorf("nobody got %d", a.status)
		}
		made := v.ask("POST", "/widget/v1/privacy/requests", v.token, object{"kind": "rectification", "words": "I am called Rosá", "language": "de"}).json(t)
		if !strings.HasPrefix(made["id"].(string), "req_") || !strings.Contains(made["text"].(string), "Das braucht einen Menschen") {
			t.Errorf("answered: %v", made)
		}
		refused(t, v.ask("POST", "/widget/v1/privacy/requests", v.token, object{"kind": "everything", "words": "", "language": "de"}), "invalid")
		for range 4 {
			v.ask("POST", "/widget/v1/privacy/requests", v.token, object{"kind": "rectification", "words": "again", "language": "de"}).json(t)
		}
		refused(t, v.ask("POST", "/widget/v1/privacy/requests", v.token, object{"kind": "rectification", "words": "again", "language": "de"}), "too-many")
	})
}

func TestTheVisitorReadsWhatGoesOnInSpiteOfTheirRestrictionAndWhenItEnds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(object{"name": "Rosa Lindgren"})
		v.says("the crank is bent")
		offered := func() object { return v.ask("GET", "/widget/v1/privacy/rights?lang=de", v.token, nil).json(t) }
		if o := offered(); o["except"] != nil || o["ends"] != nil {
			t.Errorf("before anything is restricted: %v", o)
		}
		must(t, h.Restriction.Set(t.Context(), h.owner, v.id(), restriction.Restrict, ""))
		must(t, h.Restriction.Except(t.Context(), h.owner, v.id(), purpose.LegalClaims, "A lawsuit about a frame"))
		must(t, h.Restriction.Lift(t.Context(), h.owner, v.id(), restriction.Restrict, ""))
		o := offered()
		lines, _ := o["except"].([]any)
		if len(lines) != 1 || !strings.Contains(lines[0].(string), "Rechtsansprüche") || !strings.Contains(lines[0].(string), "A lawsuit about a frame") {
			t.Errorf("what goes on: %v", o)
		}
		if ends, _ := o["ends"].(string); !strings.Contains(ends, "Kowal Bikes") || o["ends_title"] == "" {
			t.Errorf("when it ends: %v", o)
		}
	})
}

func TestTheVisitorGetsACopyAndIsErased(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(object{"name": "Rosa Lindgren"})
		conv := v.says("the crank is bent")
		s := v.connects()
		s.follows(conv, "", 0)
		task := v.ask("POST", "/widget/v1/privacy/export", v.token, object{}).json(t)["task"].(string)
		other := h.visitor(nil)
		refused(t, other.ask("GET", "/widget/v1/privacy/tasks/"+task, other.token, nil), "not-found")
		state := object{}
		for deadline := time.Now().Add(patience); state["state"] != "done"; {
			state = v.ask("GET", "/widget/v1/privacy/tasks/"+task, v.token, nil).json(t)
			if time.Now().After(deadline) || state["state"] == "failed" {
				t.Fatalf("the copy is %v", state)
			}
		}
		files := moduletest.Unzip(t, v.ask("GET", state["url"].(string), v.token, nil).body)
		if words := strings.Join(slices.Collect(maps.Values(files)), "\n"); !strings.Contains(words, "the crank is bent") || !strings.Contains(words, "Rosa Lindgren") {
			t.Errorf("the copy holds %q", words)
		}
		refused(t, other.ask("GET", state["url"].(string), other.token, nil), "not-found")
		refused(t, v.ask("POST", "/widget/v1/privacy/erase", v.token, object{"confirm": false}), "invalid")
		receipt := v.ask("POST", "/widget/v1/privacy/erase", v.token, object{"confirm": true, "language": "de"}).json(t)["receipt"].(object)
		if text := receipt["text"].(string); receipt["id"] == "" || !strings.Contains(text, v.contact) || !strings.Contains(text, "unlesbar") {
			t.Errorf("receipt %v", receipt)
		}
		s.hears("erased")
		if code := s.ends(); code != 3501 {
			t.Errorf("closed with %d", code)
		}
		if a := v.tries("hello", nil); a.status != http.StatusUnauthorized && a.status != http.StatusGone {
			t.Errorf("the token still works: %d %s", a.status, a.body)
		}
		has, err := h.Vault.HasKey(t.Context(), h.owner, v.id())
		if err != nil || has {
			t.Errorf("the key is there: %v, %v", has, err)
		}
	})
}

func TestWhatThePageSaysIsAClaim(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.Contacts.Attributes.Define(t.Context(), h.owner, attributes.Attribute{Name: "orders", Label: "Orders", Kind: attributes.Numeric})
		must(t, err)
		_, err = h.Contacts.MakeTag(t.Context(), h.owner, "Wholesale", 3)
		must(t, err)
		v := h.visitor(nil)
		out := v.does("set", object{
			"user":     object{"name": "Rosa", "email": "rosa@mail.example", "avatar_url": "https://evil.example/pixel.gif", "company": object{"name": "Lindgren AB"}},
			"data":     object{"orders": 7, "plan": "gold"},
			"segments": object{"list": []any{"wholesale", "vip"}, "overwrite": true},
			"events":   []any{object{"name": "viewed", "data": object{"sku": "R1"}, "color": "red", "at": time.Now().UTC().Format(time.RFC3339Nano)}},
		})
		if got := asJSON(out["left_out"]); got != `["user.avatar_url","data.plan","segments.vip"]` {
			t.Errorf("left out %s", got)
		}
		p, err := h.Contacts.Person(t.Context(), h.owner, v.id())
		must(t, err)
		values, err := p.Contact.Values()
		must(t, err)
		if p.Contact.Name.Reveal() != "Rosa" || p.Contact.Company.Reveal() != "Lindgren AB" || p.Contact.Verified || values["orders"] != 7.0 || len(values) != 1 {
			t.Errorf("stored %q, %v", p.Contact.Name.Reveal(), values)
		}
		if len(p.Tags) != 1 || p.Tags[0].Name != "Wholesale" {
			t.Errorf("labels %v", p.Tags)
		}
		if !slices.ContainsFunc(p.Events, func(e contacts.TimelineItem) bool {
			return e.Title == "On the site: viewed" && e.Text.Reveal() == `{"sku":"R1"}`
		}) {
			t.Errorf("events %v", p.Events)
		}
		refused(t, v.tries("set", object{"user": object{"email": "not an address"}}), "invalid")
		refused(t, v.tries("set", object{"events": []any{object{"name": ""}}}), "invalid")
		refused(t, v.tries("set", object{"role": "owner"}), "invalid")
	})
}

func TestWhoIsBlockedIsToldSoAndMayStillRead(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		conv := v.says("hello")
		must(t, h.Contacts.Block(t.Context(), h.owner, v.id(), true))
		refused(t, v.tries("send", object{"client_id": uuid.NewString(), "text": "more"}), "forbidden")
		refused(t, v.tries("typing", object{"conversation": conv, "on": true}), "forbidden")
		refused(t, v.tries("set", object{"user": object{"name": "Rosa"}}), "forbidden")
		refused(t, v.tries("set", object{"events": []any{object{"name": "viewed"}}}), "forbidden")
		refused(t, h.ask("POST", "/widget/v1/uploads", v.token, nil, "X-File-Name", "a.txt"), "forbidden")
		if got := texts(v.does("history", object{"channel": conv, "limit": 10})["messages"]); !slices.Equal(got, []string{"hello"}) {
			t.Errorf("reads %v", got)
		}
	})
}

func asJSON(v any) string {
	text, _ := json.Marshal(v) // of what was JSON
	return string(text)
}

func TestOnePlaceCannotBeginSessionsWithoutEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		body := h.beginning(nil)
		body["consent"].(object)["version"] = "0" // refused, and counted all the same
		for range 200 {
			if a := h.ask("POST", "/widget/v1/sessions", "", body); a.status == http.StatusTooManyRequests {
				if a.header.Get("Retry-After") == "" {
					t.Error("nothing says when to try again")
				}
				return
			}
		}
		t.Error("200 sessions were asked for from one place in a moment")
	})
}

func TestRevokedTokensCloseTheirSockets(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v, other := h.visitor(nil), h.visitor(nil)
		s, stays := v.connects(), other.connects()
		must(t, h.Identity.RevokeSubject(t.Context(), h.tenant, v.id()))
		if code := s.ends(); code != 3501 {
			t.Errorf("closed with %d", code)
		}
		if _, refusal := stays.call("ping", nil); refusal != nil {
			t.Errorf("somebody else was told %v", refusal)
		}
	})
}

func TestAClaimThatBecomesKnownIsLeftByWhoeverWasInIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v, other := h.visitor(nil), h.visitor(nil)
		s, stays := v.connects(), other.connects()
		_, err := h.Contacts.Update(t.Context(), h.owner, v.id(), contacts.Draft{ExternalID: "u-17"})
		must(t, err)
		if code := s.ends(); code != 3500 {
			t.Errorf("closed with %d", code)
		}
		if _, refusal := stays.call("ping", nil); refusal != nil {
			t.Errorf("somebody else was told %v", refusal)
		}
	})
}

// Two processes over one database: what one is told, the widgets of the other hear.
func TestAProcessHearsWhatAnotherWasTold(t *testing.T) {
	t.Parallel()
	here := open(t, on(t, "postgres"))
	config := here.Config
	config.Data = t.TempDir()
	there := start(t, secondOf(t, here, config))
	t.Cleanup(func() { must(t, there.stop()) })
	v := here.visitor(nil)
	conv := v.says("one")
	far := *v
	house := *here
	house.installation, far.house = there, &house
	s := far.connects()
	s.follows(conv, "", 0)
	here.reply(conv, "two")
	if got := s.hears("message"); got["offset"] != 2.0 || got["data"].(object)["text"] != "two" {
		t.Errorf("heard %v", got)
	}
	here.settings(func(set *webchat.Settings) { set.Accent = "#123456" })
	if got := s.hears("config")["data"].(object)["accent"]; got != "#123456" {
		t.Errorf("heard the accent %v", got)
	}
	v.ask("POST", "/widget/v1/privacy/erase", v.token, object{"confirm": true}).json(t)
	if code := s.ends(); code != 3501 {
		t.Errorf("closed with %d", code)
	}
}

// secondOf configures a second process: other files, the same root key.
func secondOf(t *testing.T, first *house, config app.Config) app.Config {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(first.data, "root.key"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(config.Data, "root.key"), key, 0o600))
	return config
}

// Go's client would ask for gzip by itself and hide it.
func TestWhatThePageLoadsIsSmallOnTheWire(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for path, limit := range map[string]int{"/l.js": 5_000, "/widget/app.js": 24_000, "/widget/frame?w=" + h.site: 1_000} {
			for _, accepts := range []string{"gzip, br", "identity"} {
				r, err := http.NewRequestWithContext(t.Context(), "GET", h.base+path, http.NoBody)
				must(t, err)
				r.Header.Set("Accept-Encoding", accepts)
				res, err := browserless.Do(r)
				must(t, err)
				sent, err := io.ReadAll(res.Body)
				must(t, errors.Join(err, res.Body.Close()))
				zipped := res.Header.Get("Content-Encoding") == "gzip"
				if zipped != (accepts != "identity") || zipped && len(sent) > limit || res.Header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("%s for %s: %d bytes, zipped %v, varies with %q", path, accepts, len(sent), zipped, res.Header.Get("Vary"))
				}
			}
		}
	})
}
