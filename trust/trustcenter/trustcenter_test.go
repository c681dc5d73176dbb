package trustcenter_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/frame/page/pagetest"
	"aver/trust/subprocessors"
	"aver/vault/vaulttest"
)

func (w *world) get(t *testing.T, path string) (int, http.Header, string) {
	t.Helper()
	answer, err := http.Get(w.server.URL + path)
	must(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header, string(body)
}

func TestPagesKeepTheRulesAndSetNoCookies(t *testing.T) {
	t.Parallel()
	w := open(t)
	empty := []string{"/trust", "/trust/subprocessors", "/trust/log"}
	for _, path := range empty {
		if status, _, body := w.get(t, path); status != http.StatusOK {
			t.Errorf("%s before anything was measured: %d", path, status)
		} else {
			pagetest.Check(t, body)
		}
	}
	grow(t, w)
	for _, path := range append(empty, "/trust?state=failing", "/trust/claims/enc-1", "/trust/claims/rgt-4") {
		status, header, body := w.get(t, path)
		if status != http.StatusOK || header.Get("Set-Cookie") != "" || strings.Contains(body, "[") && strings.Contains(body, ".question]") {
			t.Errorf("%s: status %d, cookie %q", path, status, header.Get("Set-Cookie"))
		}
		pagetest.Check(t, body)
	}
	for _, path := range []string{"/trust/claims/none-1", "/trust/claims/enc-1/runs/9999", "/trust/claims/enc-1/runs/x", "/trust?state=perfect", "/trust/claims/none-1/evidence.json"} {
		if status, _, _ := w.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, status)
		}
	}
}

func TestAPromiseThatDoesNotHoldIsSaidFirst(t *testing.T) {
	t.Parallel()
	w := open(t)
	grow(t, w)
	_, _, body := w.get(t, "/trust")
	for _, want := range []string{"5 of 6", "1 does not hold", "European Union", "7 h ago", "nothing is claimed about them"} {
		if !strings.Contains(body, want) {
			t.Errorf("the first page does not say %q", want)
		}
	}
	_, _, body = w.get(t, "/trust?state=failing")
	if strings.Contains(body, "/trust/claims/enc-1") || !strings.Contains(body, "/trust/claims/rgt-4") {
		t.Error("the filter does not filter")
	}
}

func TestTheProofOfARunVerifiesOffline(t *testing.T) {
	t.Parallel()
	w := open(t)
	grow(t, w)
	key, err := w.log.VerifierKey(t.Context())
	must(t, err)
	_, _, text := w.get(t, "/trust/claims/enc-1/runs/90/proof")
	lines := strings.Split(text, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		t.Fatalf("it begins with %q", lines[0])
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	must(t, err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must(t, err)
	head, signed, _ := strings.Cut(text, "\n\n")
	var path []tlog.Hash
	for _, line := range strings.Split(head, "\n")[3:] {
		raw, err := base64.StdEncoding.DecodeString(line)
		must(t, err)
		path = append(path, tlog.Hash(raw))
	}
	checkpoint, err := tlog.Open([]byte(signed), key)
	must(t, err)
	must(t, tlog.CheckInclusion(path, checkpoint.Size, checkpoint.Root, index, tlog.LeafHash(entry)))
	if !strings.Contains(string(entry), "enc-1/holds") {
		t.Error("the entry is not the run's")
	}
}

func TestMachinesReadTheSame(t *testing.T) {
	t.Parallel()
	w := open(t)
	grow(t, w)
	var all struct {
		Holding, Total int
		Region         string
		Claims         []struct{ ID, State, Sentence string }
	}
	_, _, body := w.get(t, "/trust/api/claims.json")
	must(t, json.Unmarshal([]byte(body), &all))
	if all.Holding != 5 || all.Total != 6 || len(all.Claims) != 6 || all.Claims[3].State != "failing" || all.Region != "eu" {
		t.Errorf("got %+v", all)
	}
	var one struct {
		Claim    string
		State    string
		Evidence struct{ Observations []struct{ What string } }
		Log      struct{ Commitment string }
	}
	_, header, body := w.get(t, "/trust/claims/rgt-4/evidence.json")
	must(t, json.Unmarshal([]byte(body), &one))
	if one.Claim != "rgt-4" || one.State != "failing" || len(one.Evidence.Observations) != 2 || len(one.Log.Commitment) != 64 || !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
		t.Errorf("got %+v", one)
	}
}

// RFC 9116: Contact at least once, Expires exactly once and less than a year ahead.
func TestSecurityTextNeverRunsOut(t *testing.T) {
	t.Parallel()
	w := open(t)
	for range 3 {
		status, header, body := w.get(t, "/.well-known/security.txt")
		fields := map[string][]string{}
		for line := range strings.Lines(body) {
			name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			if !ok {
				t.Fatalf("line %q is no field", line)
			}
			fields[name] = append(fields[name], value)
		}
		expires, err := time.Parse(time.RFC3339, strings.Join(fields["Expires"], ","))
		must(t, err)
		left := expires.Sub(w.kit.Clock.Now())
		if status != 200 || header.Get("Content-Type") != "text/plain; charset=utf-8" || fields["Contact"][0] != "mailto:security@chat.example" || left < 90*24*time.Hour || left > 364*24*time.Hour {
			t.Errorf("status %d, %v, %s left", status, fields, left)
		}
		w.kit.Clock.Advance(400 * 24 * time.Hour)
	}
}

func TestTheRegisterIsPublicAndTheContractIsNot(t *testing.T) {
	t.Parallel()
	w := open(t)
	_, _, body := w.get(t, "/trust/subprocessors")
	if !strings.Contains(body, "No company receives data") {
		t.Error("an empty register does not say so")
	}
	_, err := w.companies.Save(t.Context(), vaulttest.System(ids.Installation), subprocessors.Company{Name: "Modell GmbH", Address: "Berlin, Germany", Purposes: []string{"assistant"}, Categories: []string{"user.content"},
		Region: "eu", Hosts: []string{"api.modell.example"}, Contract: "shelf 7", AuditedAt: w.kit.Clock.Now().AddDate(0, -1, 0), Status: subprocessors.Live})
	must(t, err)
	for _, path := range []string{"/trust/subprocessors", "/trust/subprocessors.json"} {
		_, _, body := w.get(t, path)
		if !strings.Contains(body, "Modell GmbH") || !strings.Contains(body, "api.modell.example") || strings.Contains(body, "shelf 7") {
			t.Errorf("%s: %s", path, body)
		}
	}
}
