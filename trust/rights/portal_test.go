package rights_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/holds"
	"aver/trust/restriction"
	written "aver/trust/rights/letters"
	"aver/trust/rights/portal"
	"aver/trust/rights/state"
	"aver/vault/purpose"
)

// stranger is a browser of somebody who is not signed in.
func (o *office) stranger(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	c := *o.server.Client()
	c.Jar = jar
	return &c
}

func (o *office) send(t *testing.T, c *http.Client, path string, form url.Values) (int, string) {
	t.Helper()
	res, err := c.PostForm(o.server.URL+path, form)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(body)
}

func TestThePublicPagesSpeakTenLanguagesAndSayWhich(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, path := range []string{"/my-data/acme", "/my-data/receipts"} {
		for _, lang := range written.Languages {
			o.speaks(t, path, lang)
		}
	}
}

func (o *office) speaks(t *testing.T, path, lang string) {
	t.Helper()
	status, body := o.get(t, path+"?lang="+lang)
	tag, way := lang, "ltr"
	switch lang {
	case "en":
		tag = "en-GB"
	case "ar":
		way = "rtl"
	}
	if head, _, _ := strings.Cut(body, "<head"); status != http.StatusOK || !strings.Contains(head, `lang="`+tag+`"`) || !strings.Contains(head, `dir="`+way+`"`) {
		t.Errorf("%s in %s: %d, %s", path, lang, status, head)
	}
	if _, main, _ := strings.Cut(body, "<main"); strings.ContainsAny(main, "[]") {
		t.Errorf("%s in %s: a text is missing", path, lang)
	}
	if !strings.Contains(body, `href="`+path+`?lang=`) {
		t.Errorf("%s in %s leads to no other language", path, lang)
	}
}

func TestThePageAboutReceiptsSaysHowEachOfThemIsChecked(t *testing.T) {
	t.Parallel()
	_, body := openOffice(t).get(t, "/my-data/receipts?lang=en")
	for _, want := range []string{"aver receipt verify receipt.json --key KEY", "aver consent verify receipt.json --key KEY", "Of an erasure", "Of a consent", "Of a ground", "/trust/log/key"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestTheFormOfARequestThatCameByLetterSaysWhatIsWrongAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ada := o.add(t, o.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
	tomorrow := o.Clock.Now().Add(48 * time.Hour).Format(time.DateOnly)
	form := url.Values{"person": {"ada@example.org"}, "kind": {"erasure"}, "via": {"letter"}, "received": {tomorrow}, "proof": {"seen"}, "regime": {"gdpr"}, "language": {"fr"}, "words": {"on blue paper"}}
	c := o.stranger(t)
	status, body := o.send(t, c, "/privacy/requests", form)
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "yet to come") || !strings.Contains(body, "on blue paper") || !strings.Contains(body, tomorrow) {
		t.Errorf("%d: %s", status, body)
	}
	for _, nobody := range []string{"Ada Kowal", ids.NewSubject(o.Clock.Now()).String()} {
		for _, day := range []string{tomorrow, o.Clock.Now().Format(time.DateOnly)} {
			form.Set("person", nobody)
			form.Set("received", day)
			form.Set("kind", "erasure")
			if day == tomorrow {
				form.Del("kind")
			}
			status, body = o.send(t, c, "/privacy/requests", form)
			for at, want := range map[string]bool{`id="person-error"`: true, `id="received-error"`: day == tomorrow, `id="kind-error"`: day == tomorrow} {
				if status != http.StatusUnprocessableEntity || strings.Contains(body, at) != want {
					t.Errorf("%s on %s: %d, %s: %v: %s", nobody, day, status, at, !want, body)
				}
			}
			for _, typed := range []string{nobody, day, "on blue paper"} {
				if !strings.Contains(body, typed) {
					t.Errorf("%q is lost", typed)
				}
			}
		}
	}
	form.Set("person", "ada@example.org")
	form.Set("received", o.Clock.Now().Add(-72*time.Hour).Format(time.DateOnly))
	status, body = o.send(t, c, "/privacy/requests", form)
	if status != http.StatusOK || !strings.Contains(body, "Go on to erase") || !strings.Contains(body, "Letter") {
		t.Errorf("%d: %s", status, body)
	}
	r := o.all(t)[0]
	if status, _ = o.send(t, c, "/privacy/people/"+o.add(t, o.Tenant, person{Name: personal.Of("Bob")}).String()+"/erase", url.Values{"confirm": {"Bob"}, "request": {r.ID.String()}}); status != http.StatusNotFound {
		t.Errorf("a request about somebody else: %d", status)
	}
	if status, body = o.send(t, c, "/privacy/people/"+ada.String()+"/erase", url.Values{"confirm": {"ada@example.org"}, "request": {r.ID.String()}}); status != http.StatusOK || !strings.Contains(body, "What was erased") {
		t.Errorf("%d: %s", status, body)
	}
	o.keys(t, map[string]bool{"ada": false}, map[string]ids.Contact{"ada": ada})
	if done := o.request(t, r.ID); done.State != state.Fulfilled || len(o.all(t)) != 1 {
		t.Errorf("%s, %d requests", done.State, len(o.all(t)))
	}
}

func TestATokenOfTheSiteOpensTheFormOnceAndAsksWithoutACode(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	sign := o.signer(t)
	o.add(t, o.Tenant, person{External: personal.Of("u-17"), Verified: true}, "words")
	c, token := o.stranger(t), sign(asIs)
	status, body := o.send(t, c, "/my-data/signed/acme", url.Values{"token": {token}, "lang": {"de"}})
	if status != http.StatusOK || !strings.Contains(body, "Sie brauchen keinen Code") || strings.Contains(body, `name="email"`) || strings.Contains(body, token) {
		t.Errorf("%d: %s", status, body)
	}
	if status, body := o.send(t, o.stranger(t), "/my-data/signed/acme", url.Values{"token": {token}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, `name="email"`) || !strings.Contains(body, `<a href="#email">`) || !strings.Contains(body, `id="email"`) || !strings.Contains(body, "not valid any more") {
		t.Errorf("the same token again: %d: %s", status, body)
	}
	if status, body := o.send(t, o.stranger(t), "/my-data/acme", url.Values{"signed": {"yes"}, "kind": {"access"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "not valid any more") {
		t.Errorf("another browser: %d: %s", status, body)
	}
	if status, body := o.send(t, c, "/my-data/acme", url.Values{"signed": {"yes"}, "kind": {"rectification"}, "words": {"my name"}}); status != http.StatusOK || !strings.Contains(body, "Somebody will look at it") {
		t.Errorf("asked: %d: %s", status, body)
	}
	if all := o.all(t); len(all) != 1 || all[0].Proof != state.Signed {
		t.Errorf("%+v", all)
	}
}

// tickets are what the browser holds of the workspaces.
func (o *office) tickets(t *testing.T, c *http.Client) map[string]string {
	t.Helper()
	at, err := url.Parse(o.server.URL + "/my-data/acme")
	must(t, err)
	held := map[string]string{}
	for _, cookie := range c.Jar.Cookies(at) {
		held[cookie.Name] = cookie.Value
	}
	return held
}

func TestWhatABrowserHoldsOfOneWorkspaceIsNothingToAnother(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	other, err := o.Vault.Tenant(t.Context(), o.Other)
	must(t, err)
	o.add(t, o.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
	c, form := o.stranger(t), url.Values{"email": {"ada@example.org"}, "kind": {"access"}}
	for _, slug := range []string{"acme", other.Slug, "acme"} {
		if status, body := o.send(t, c, "/my-data/"+slug, form); status != http.StatusOK || !strings.Contains(body, `name="code"`) {
			t.Fatalf("%s: %d: %s", slug, status, body)
		}
	}
	held := o.tickets(t, c)
	own, foreign := held["__Host-my-data.acme"], held["__Host-my-data."+other.Slug]
	for ticket, id := range map[string]ids.Tenant{own: o.Tenant, foreign: o.Other} {
		if _, where, _ := strings.Cut(id.String(), "_"); len(held) != 2 || !strings.HasPrefix(ticket, "avp_"+where+"_") {
			t.Errorf("a browser that asked two workspaces holds %v", held)
		}
	}
	for _, r := range o.all(t) {
		if status, _ := o.getBy(t, c, "/my-data/acme/"+r.ID.String()); status != http.StatusOK {
			t.Errorf("its own workspace's page: %d", status)
		}
	}
	// Somebody who has seen what the browser holds of one workspace gives it out as the other's.
	at, err := url.Parse(o.server.URL)
	must(t, err)
	c.Jar.SetCookies(at, []*http.Cookie{{Name: "__Host-my-data." + other.Slug, Value: own, Path: "/", Secure: true}})
	o.send(t, c, "/my-data/"+other.Slug, form)
	if now := o.tickets(t, c)["__Host-my-data."+other.Slug]; now == own || now == "" {
		t.Errorf("the other workspace goes on with it: %q", now)
	}
}

func (o *office) getBy(t *testing.T, c *http.Client, path string) (int, string) {
	t.Helper()
	res, err := c.Get(o.server.URL + path)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(body)
}

func TestThePersonReadsWhatBecomesOfTheirRestrictionOnceTheyHaveProvedWhoTheyAre(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	sign := o.signer(t)
	ada := o.add(t, o.Tenant, person{External: personal.Of("u-17"), Email: personal.Of("ada@example.org"), Verified: true}, "words")
	must(t, o.limits.Set(t.Context(), o.owner, ada, restriction.Restrict, ""))
	must(t, o.limits.Except(t.Context(), o.owner, ada, purpose.LegalClaims, "A lawsuit about the lease"))
	must(t, o.limits.Lift(t.Context(), o.owner, ada, restriction.Restrict, ""))
	status, body := o.send(t, o.stranger(t), "/my-data/acme", url.Values{"email": {"ada@example.org"}, "kind": {"access"}})
	if status != http.StatusOK || strings.Contains(body, "lawsuit") || strings.Contains(body, "Your restriction ends") {
		t.Errorf("before the proof: %d: %s", status, body)
	}
	c := o.stranger(t)
	o.send(t, c, "/my-data/signed/acme", url.Values{"token": {sign(asIs)}})
	status, body = o.send(t, c, "/my-data/acme", url.Values{"signed": {"yes"}, "kind": {"access"}})
	for _, want := range []string{"in spite of your restriction", "A lawsuit about the lease", "legal claims", "Your restriction ends", "acme wants to end it. You are told first"} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("after it there is no %q: %d: %s", want, status, body)
		}
	}
}

func TestWhoIsErasedReadsWhatWasDoneInTheirLanguage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	sign := o.signer(t)
	ada := o.add(t, o.Tenant, person{External: personal.Of("u-17"), Verified: true}, "words")
	o.hold(t, holds.Draft{Contact: ada, Ground: holds.LegalObligation, Classes: []string{"letters"}})
	c := o.stranger(t)
	o.send(t, c, "/my-data/signed/acme", url.Values{"token": {sign(asIs)}, "lang": {"de"}})
	o.send(t, c, "/my-data/acme", url.Values{"signed": {"yes"}, "kind": {"erasure"}, "lang": {"de"}})
	r := o.all(t)[0]
	status, body := o.send(t, c, "/my-data/acme/"+r.ID.String()+"/erase", url.Values{"confirm": {portal.Text("de", "word")}})
	for _, want := range []string{"unlesbar gemacht", ada.String(), "letters: weil ein Gesetz es verlangt", "Eintrag " + fmt.Sprint(o.request(t, r.ID).Entry)} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d: the page lacks %q: %s", status, want, body)
		}
	}
}
