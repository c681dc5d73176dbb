package rights_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"aver/base/eventually"
	"aver/base/personal"
	"aver/base/tlog"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/audit/verdict"
	"aver/trust/rights/web"
	"aver/vault"
	"aver/vault/vaulttest"
)

// call sends a request to the API of audit and rights as a program with these scopes.
func (o *office) call(t *testing.T, method, path, body string, scopes ...string) (int, map[string]any) {
	t.Helper()
	api := moduletest.Edge(moduletest.Mux(o.audit.Module(), web.New(o.rights, "", nil, o.limits).Module()), vaulttest.Key(o.Tenant, scopes...), page.View{})
	out := map[string]any{}
	a := moduletest.Do(api, method, path, "application/json", body)
	if a.Body != "" {
		must(t, json.Unmarshal([]byte(a.Body), &out))
	}
	return a.Status, out
}

func TestAProgramAsksForACopyAndReadsTheLog(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ada := o.add(t, o.Tenant, person{Email: personal.Of("ada@example.org")}, "hello")
	status, made := o.call(t, "POST", "/v1/privacy_requests", `{"contact":"`+ada.String()+`","kind":"access"}`, "privacy:write", "privacy:read")
	if status != http.StatusOK || made["status"] != "in_progress" || made["reason"] != "expected" {
		t.Fatalf("got %d %v", status, made)
	}
	eventually.Must(t, "the copy", func() bool {
		_, now := o.call(t, "GET", "/v1/privacy_requests/"+made["id"].(string), "", "privacy:read")
		return now["status"] == "fulfilled"
	})
	_, list := o.call(t, "GET", "/v1/privacy_requests?per_page=1", "", "privacy:read")
	if all := list["privacy_requests"].([]any); len(all) != 1 {
		t.Errorf("the list has %d", len(all))
	}
	_, logs := o.call(t, "GET", "/v1/admins/activity_logs?person="+ada.String()+"&activity_type=person.copy", "", "audit:read")
	found := logs["activity_logs"].([]any)
	if len(found) != 1 || found[0].(map[string]any)["performed_by"].(map[string]any)["type"] != "system" {
		t.Errorf("the log shows %v", found)
	}
	if status, _ := o.call(t, "GET", "/v1/admins/activity_logs", "", "privacy:read"); status == http.StatusOK {
		t.Error("a program without the scope reads the log")
	}
}

func TestTheLogIsPublishedAndExportedForAnybodyToVerify(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.add(t, o.Tenant, person{}, "hello")
	_, err := o.audit.Checkpoint(t.Context())
	must(t, err)
	_, key := o.get(t, "/trust/log/key")
	key = strings.TrimSpace(key)
	_, note := o.get(t, "/trust/log/checkpoint")
	older, err := tlog.Open([]byte(note), key)
	must(t, err)
	if _, all := o.get(t, "/trust/log/checkpoints"); !strings.Contains(all, note) {
		t.Error("the list lacks the newest checkpoint")
	}
	res, err := o.server.Client().PostForm(o.server.URL+"/security/log/export", url.Values{"size": {strconv.FormatInt(older.Size, 10)}})
	must(t, err)
	defer res.Body.Close()
	v, err := verdict.Verify(res.Body, tlog.Options{Key: key, OlderInstallation: &older})
	must(t, err)
	if !v.Holds || v.Report.Head.Size == 0 {
		t.Errorf("got %+v", v)
	}
	o.actor = vaulttest.User(o.Tenant, vault.Operator)
	refused, err := o.server.Client().PostForm(o.server.URL+"/security/log/export", nil)
	must(t, err)
	must(t, refused.Body.Close())
	if refused.StatusCode != http.StatusForbidden {
		t.Errorf("an operator exports the log: %d", refused.StatusCode)
	}
}

func TestAProgramDecidesRequestsAndReadsTheirDays(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ada := o.add(t, o.Tenant, person{Email: personal.Of("ada@example.org")}, "hello")
	both := []string{"privacy:write", "privacy:read"}
	status, made := o.call(t, "POST", "/v1/privacy_requests", `{"contact":"`+ada.String()+`","kind":"rectification","regime":"ccpa","words":"my name"}`, both...)
	if status != http.StatusOK || made["kind"] != "correct" || made["status"] != "open" || made["confirm_by"] == nil {
		t.Fatalf("got %d %v", status, made)
	}
	at := "/v1/privacy_requests/" + made["id"].(string)
	if status, said := o.call(t, "POST", at+"/deny", `{"reason":"exempt_17_3"}`, both...); status == http.StatusOK {
		t.Errorf("a ground that does not fit: %d %v", status, said)
	}
	if status, _ := o.call(t, "POST", at+"/deny", `{"reason":"no_match"}`, "privacy:read"); status == http.StatusOK {
		t.Errorf("a program that may only read denies: %d", status)
	}
	_, denied := o.call(t, "POST", at+"/deny", `{"reason":"no_match","words":"We know nobody of this name."}`, both...)
	if denied["status"] != "denied" || denied["reason"] != "no_match" || denied["policy"] != "order_of_a_program" {
		t.Errorf("got %v", denied)
	}
	if status, _ := o.call(t, "POST", at+"/fulfil", `{}`, both...); status == http.StatusOK {
		t.Errorf("fulfilled after it was denied: %d", status)
	}
	set := `{"place":"de","regime":"gdpr","mail":"privacy@acme.example"}`
	if status, said := o.call(t, "PUT", "/v1/privacy_settings", set, "settings:write"); status != http.StatusOK || said["place"] != "de" {
		t.Errorf("settings: %d %v", status, said)
	}
	if status, said := o.call(t, "PUT", "/v1/privacy_settings", `{"place":"atlantis","regime":"gdpr","mail":""}`, "settings:write"); status == http.StatusOK {
		t.Errorf("a place that nobody knows: %d %v", status, said)
	}
}
