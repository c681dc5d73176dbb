package relay

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAForgedCookieOfAnotherRegionTurnsNobodyAway(t *testing.T) {
	t.Parallel()
	eu, in := open(t, "eu", "kowal", "Kowal Bikes"), open(t, "in", "bangalore", "Bangalore Bikes")
	eu.knows(in)
	b := relayTo(t, eu, in)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	visit := func(cookie string) (int, string) {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+b.address+"/my-data/kowal", http.NoBody)
		must(t, err)
		q.Header.Set("Cookie", cookie)
		a, err := client.Do(q)
		must(t, err)
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		must(t, err)
		return a.StatusCode, string(text)
	}
	letters := strings.TrimPrefix(in.owner.Tenant().String(), "ten_") // which the widget's address shows to everybody
	if status, text := visit("__Host-aver=avs_" + letters + "_" + strings.Repeat("a", 52)); status != http.StatusOK || !strings.Contains(text, "Kowal Bikes") {
		t.Errorf("whoever sends the forged cookie is answered with %d", status) // it goes to no other region, so that none refuses it
	}
	if status, text := visit("theme=dark"); status != http.StatusOK || !strings.Contains(text, "Kowal Bikes") {
		t.Errorf("afterwards everybody is answered with %d", status)
	}
}
