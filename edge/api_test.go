package edge_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/edge"
	"aver/edge/limit"
	"aver/frame/module"
	"aver/frame/request"
)

type item struct{}

func (item) Prefix() string { return "itm" }

type itemID = ids.Of[item]

// customerNumber is a name that a tenant gives; the API's description says so.
type customerNumber string

func (customerNumber) Reference() string { return "customer_number" }

type thing struct {
	ID       itemID         `json:"id" readOnly:"true" required:"false"`
	Name     string         `json:"name" minLength:"1" maxLength:"20"`
	Colour   string         `json:"colour,omitempty" enum:"red,blue"`
	Amount   int            `json:"amount,omitempty" minimum:"0" maximum:"10"`
	Owner    *ids.Contact   `json:"owner_id,omitempty"`
	Watchers []ids.User     `json:"watcher_ids,omitempty" maxItems:"3"`
	Customer customerNumber `json:"customer_id,omitempty"`
	Parts    []thing        `json:"parts,omitempty"`
}

// catalogue is a small API with every kind of slot and every kind of failure.
func catalogue() module.Module {
	return module.Module{Name: "catalogue", API: func(api huma.API) {
		huma.Register(api, huma.Operation{OperationID: "create-item", Method: http.MethodPost, Path: "/v1/items", DefaultStatus: 201, BodyReadTimeout: time.Second, Tags: []string{"Items"}, Summary: "Add an item"},
			func(_ context.Context, in *struct{ Body thing }) (*struct{ Body thing }, error) {
				in.Body.ID = ids.New[item](someTime)
				return &struct{ Body thing }{in.Body}, nil
			})
		huma.Register(api, huma.Operation{OperationID: "list-items", Method: http.MethodGet, Path: "/v1/items", Tags: []string{"Items"}, Summary: "List items"},
			func(_ context.Context, in *struct {
				After   request.Cursor[itemID] `query:"starting_after"`
				Owner   ids.Contact            `query:"owner_id"`
				PerPage int                    `query:"per_page" minimum:"1" maximum:"100" default:"20"`
			}) (*struct{ Body []thing }, error) {
				return &struct{ Body []thing }{[]thing{{Name: in.After.ID.String() + fmt.Sprint(in.PerPage)}}}, nil
			})
		huma.Register(api, huma.Operation{OperationID: "get-item", Method: http.MethodGet, Path: "/v1/items/{id}", Tags: []string{"Items"}, Summary: "Read an item"},
			func(_ context.Context, in *struct {
				ID itemID `path:"id"`
			}) (*struct{ Body thing }, error) {
				return nil, errs.New(errs.NotFound, "There is no such item.")
			})
		huma.Register(api, huma.Operation{OperationID: "ping", Method: http.MethodGet, Path: "/v1/ping", Security: module.Anybody()},
			func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
		huma.Register(api, huma.Operation{OperationID: "fail", Method: http.MethodGet, Path: "/v1/fail/{code}", Security: module.Anybody()},
			func(_ context.Context, in *struct {
				Code string `path:"code" enum:"not-found,too-many,text,huma,panic,runtime,no-space,conflict"`
			}) (*struct{}, error) {
				return nil, failure(in.Code)
			})
	}}
}

func failure(code string) error {
	switch code {
	case "text":
		return fmt.Errorf("reading the row of kowal@example.com: %w", errors.New("disk on fire"))
	case "huma":
		return huma.Error403Forbidden("not today")
	case "panic":
		panic("kowal@example.com")
	case "runtime":
		var none []int
		_ = none[len(code)]
	case "too-many":
		err := errs.New(errs.TooMany, "Slow down.")
		err.RetryAfter = 7
		return fmt.Errorf("sending: %w", err)
	}
	return errs.New(errs.Kind(code), "It is so.")
}

func TestStrictJSON(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{Authenticator: keys{"good": key()}}, catalogue())
	for name, c := range map[string]struct {
		body   string
		status int
		field  string // of the first refused part
		code   string
	}{
		"good":                  {`{"name":"lamp","amount":3,"parts":[{"name":"bulb"}]}`, 201, "", ""},
		"empty":                 {``, 400, "", ""},
		"not JSON":              {`name=lamp`, 400, "body", "syntax"},
		"cut off":               {`{"name":"la`, 400, "body", "syntax"},
		"trailing":              {`{"name":"lamp"} {"name":"lamp"}`, 400, "", ""},
		"trailing bracket":      {`{"name":"lamp"}}`, 400, "", ""},
		"a name twice":          {`{"name":"lamp","name":"chair"}`, 400, "body.name", "duplicate"},
		"a name twice, deeper":  {`{"name":"lamp","parts":[{"name":"a","name":"b"}]}`, 400, "body.parts[0].name", "duplicate"},
		"a name in wrong case":  {`{"name":"lamp","Name":"chair"}`, 422, "body.Name", "wrong-case"},
		"only the wrong case":   {`{"NAME":"lamp"}`, 422, "", ""},
		"an unknown name":       {`{"name":"lamp","role":"admin"}`, 422, "body.role", "unknown"},
		"an unknown name below": {`{"name":"lamp","parts":[{"name":"bulb","role":1}]}`, 422, "body.parts[0].role", "unknown"},
		"a person as name":      {`{"name":"lamp","kowal@example.com":1}`, 422, "", "unknown"},
		"a missing name":        {`{"amount":1}`, 422, "body", "required"},
		"too long":              {`{"name":"kowal@example.com kowal@example.com"}`, 422, "body.name", "too-long"},
		"the wrong type":        {`{"name":17}`, 422, "body.name", "type"},
		"null":                  {`{"name":null}`, 422, "body.name", "type"},
		"out of range":          {`{"name":"lamp","amount":11}`, 422, "body.amount", "too-large"},
		"no such choice":        {`{"name":"lamp","colour":"kowal"}`, 422, "body.colour", "choice"},
		"an array":              {`[]`, 422, "body", "type"},
		"a bad identifier":      {`{"name":"lamp","owner_id":"kowal"}`, 422, "body.owner_id", "format"},
		"another kind's id":     {`{"name":"lamp","owner_id":"usr_01jd0000000000000000000000"}`, 422, "body.owner_id", "format"},
		"too many":              {`{"name":"lamp","watcher_ids":["a","b","c","d"]}`, 422, "", ""},
		"too deep":              {strings.Repeat(`{"name":"a","parts":[`, 40) + strings.Repeat(`]}`, 40), 400, "body", "syntax"},
		"not UTF-8":             {"{\"name\":\"\xff\"}", 400, "body", "syntax"},
		"an infinite number":    {`{"name":"lamp","amount":1e999}`, 400, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			answer := d.send("POST", "/v1/items", c.body, "Authorization", "Bearer good", "Content-Type", "application/json")
			if answer.StatusCode != c.status {
				t.Fatalf("got %d %s, want %d", answer.StatusCode, answer.body, c.status)
			}
			if c.status == 201 {
				return
			}
			p := answer.problem(t)
			if strings.Contains(answer.body, "kowal") || strings.Contains(answer.body, "admin") {
				t.Errorf("the answer repeats what was sent: %s", answer.body)
			}
			if p.Detail == "" {
				t.Error("the answer says nothing")
			}
			if c.code != "" && (len(p.Errors) == 0 || p.Errors[0].Code != c.code || c.field != "" && p.Errors[0].Field != c.field || p.Errors[0].Message == "") {
				t.Errorf("refused parts %+v", p.Errors)
			}
		})
	}
}

func TestBodiesThatAreNotJSONOrTooLargeAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{Authenticator: keys{"good": key()}}, catalogue())
	bearer := []string{"Authorization", "Bearer good"}
	for contentType, want := range map[string]int{"application/json": 201, "application/json; charset=utf-8": 201, "": 201, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/kowal": 415, "text/html+json;x": 201} {
		answer := d.send("POST", "/v1/items", `{"name":"lamp"}`, append(bearer, "Content-Type", contentType)...)
		if answer.StatusCode != want || strings.Contains(answer.body, "kowal") {
			t.Errorf("%q: %d %s", contentType, answer.StatusCode, answer.body)
		}
	}
	answer := d.send("POST", "/v1/items", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`, bearer...)
	if p := answer.problem(t); p.Code != errs.TooLarge {
		t.Errorf("a large body: %+v", p)
	}
}

func TestParametersAreReadStrictly(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{Authenticator: keys{"good": key()}}, catalogue())
	id := ids.New[item](someTime)
	cursor := request.Cursor[itemID]{At: someTime, ID: id}
	for query, want := range map[string]string{
		"":                                   "20",
		"?starting_after=" + cursor.String(): id.String() + "20",
		"?per_page=7":                        "7",
	} {
		if answer := d.get("/v1/items"+query, "Authorization", "Bearer good"); answer.StatusCode != 200 || !strings.Contains(answer.body, `"`+want+`"`) {
			t.Errorf("%q: %d %s", query, answer.StatusCode, answer.body)
		}
	}
	for path, want := range map[string]string{
		"/v1/items?starting_after=kowal":            "query.starting_after",
		"/v1/items?owner_id=kowal":                  "query.owner_id",
		"/v1/items?owner_id=" + id.String():         "query.owner_id",
		"/v1/items?per_page=1000":                   "query.per_page",
		"/v1/items?per_page=kowal":                  "query.per_page",
		"/v1/items?kowal%40example.com=1":           "query.?",
		"/v1/items?Per_Page=1":                      "query.Per_Page",
		"/v1/items/kowal":                           "path.id",
		"/v1/items/" + strings.ToUpper(id.String()): "path.id",
	} {
		answer := d.get(path, "Authorization", "Bearer good")
		p := answer.problem(t)
		if p.Status != 422 || len(p.Errors) == 0 || p.Errors[0].Field != want || strings.Contains(answer.body, "kowal") {
			t.Errorf("%s: %s", path, answer.body)
		}
	}
}

func TestErrorsOfOperationsKeepTheirMeaningAndHideTheRest(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, catalogue())
	for code, want := range map[string]struct {
		status int
		kind   errs.Kind
		detail string
	}{
		"not-found": {404, errs.NotFound, "It is so."},
		"conflict":  {409, errs.Conflict, "It is so."},
		"no-space":  {507, errs.NoSpace, "It is so."},
		"too-many":  {429, errs.TooMany, "Slow down."},
		"huma":      {403, errs.Forbidden, "Not today."},
		"text":      {500, errs.Internal, "It is noted under the number of this request. Nothing of it was kept."},
		"panic":     {500, errs.Internal, "It is noted under the number of this request. Nothing of it was kept."},
		"runtime":   {500, errs.Internal, "It is noted under the number of this request. Nothing of it was kept."},
	} {
		answer := d.get("/v1/fail/" + code)
		p := answer.problem(t)
		if p.Status != want.status || p.Code != want.kind || p.Detail != want.detail {
			t.Errorf("%s: %+v", code, p)
		}
		if code == "too-many" && answer.Header.Get("Retry-After") != "7" {
			t.Errorf("Retry-After is %q", answer.Header.Get("Retry-After"))
		}
		if want.status == 500 && !strings.Contains(d.log.String(), p.RequestID) {
			t.Errorf("%s: the log does not know %s", code, p.RequestID)
		}
	}
}

func TestAPanicIsLoggedByPlaceAndNotByContent(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, catalogue())
	d.get("/v1/fail/panic")
	d.get("/v1/fail/runtime")
	text := d.log.String()
	if strings.Contains(text, "kowal") {
		t.Error("the log repeats the panic's value")
	}
	for _, want := range []string{"panic=string", "index out of range", "edge_test.failure:", "GET /v1/fail/{code}"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
	if metrics := d.send("GET", d.admin+"/metrics", "").body; !strings.Contains(metrics, `aver_http_refused_total{why="panic"} 2`) {
		t.Error("the panics were not counted")
	}
}

func TestTheLogHoldsNoPathQueryAddressOrBody(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{Authenticator: keys{"good": key()}}, catalogue(), sampler())
	id := ids.New[item](someTime).String()
	d.get("/v1/items/"+id+"?x=canary", "Authorization", "Bearer good")
	d.get("/canary/canary?canary=canary", "User-Agent", "canary", "Referer", "https://canary.example")
	d.send("POST", "/v1/items", `{"name":"canary canary canary canary"}`, "Authorization", "Bearer good")
	d.send("CANARY", "/people", "")
	d.get("/v1/items", "Authorization", "Bearer canary")
	text := d.log.String()
	for _, never := range []string{id, "canary", "CANARY", "127.0.0.1", "Bearer", "good"} {
		if strings.Contains(text, never) {
			t.Errorf("the log holds %q:\n%s", never, text)
		}
	}
	if !strings.Contains(text, `route="GET /v1/items/{id}" status=422`) || !strings.Contains(text, "took=") || !strings.Contains(text, "request_id=req_") {
		t.Errorf("the log is\n%s", text)
	}
}

func TestWhoMayCallAnOperation(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{Authenticator: keys{"good": key()}}, catalogue())
	for name, c := range map[string]struct {
		path    string
		headers []string
		want    int
	}{
		"a key":                         {"/v1/items", []string{"Authorization", "Bearer good"}, 200},
		"a session":                     {"/v1/items", []string{"Cookie", "__Host-session=good"}, 200},
		"nobody":                        {"/v1/items", nil, 401},
		"a wrong key":                   {"/v1/items", []string{"Authorization", "Bearer bad"}, 401},
		"another scheme":                {"/v1/items", []string{"Authorization", "Basic good"}, 401},
		"another cookie":                {"/v1/items", []string{"Cookie", "theme=dark"}, 401},
		"nobody, for everybody":         {"/v1/ping", nil, 204},
		"a wrong key, for everybody":    {"/v1/ping", []string{"Authorization", "Bearer bad"}, 401},
		"authentication that is broken": {"/v1/items", []string{"Authorization", "Bearer broken"}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			answer := d.get(c.path, c.headers...)
			if answer.StatusCode != c.want || strings.Contains(answer.body, "kowal") {
				t.Errorf("got %d %s, want %d", answer.StatusCode, answer.body, c.want)
			}
			if (c.want == 401) != (answer.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate is %q", answer.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

func TestTheDescriptionIsServedHere(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{SessionCookie: "__Host-session"}, catalogue())
	answer := d.get("/openapi.json")
	for _, want := range []string{`"openapi":"3.1.0"`, `"x-ref":"contact"`, `"x-ref":"item"`, `"x-ref":"item_cursor"`, `"x-ref":"customer_number"`, `"format":"itm"`, `"__Host-session"`, `"application/problem+json"`} {
		if !strings.Contains(answer.body, want) {
			t.Errorf("the description lacks %s", want)
		}
	}
	if strings.Contains(answer.body, "$schema") || strings.Contains(answer.body, "127.0.0.1") || answer.Header.Get("Content-Type") != "application/openapi+json" {
		t.Error("the description was made from the request")
	}
	if created := d.get("/v1/ping"); created.Header.Get("Link") != "" {
		t.Errorf("Link is %q", created.Header.Get("Link"))
	}
}

func TestEverySlotOfAnIdentifierSaysOfWhat(t *testing.T) {
	t.Parallel()
	good := edge.New(edge.Config{})
	good.Add(catalogue())
	if found := edge.UnreferencedSlots(good.API().OpenAPI()); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	bad := edge.New(edge.Config{})
	bad.Add(module.Module{Name: "bad", API: func(api huma.API) {
		huma.Register(api, huma.Operation{Method: http.MethodPost, Path: "/v1/notes/{note}", OperationID: "bad"}, func(context.Context, *struct {
			Note    string `path:"note"`
			Kind    string `path:"kind" enum:"a,b"`
			Contact string `query:"contact_id"`
			Header  string `header:"Tenant-Id"`
			Body    struct {
				ID      string   `json:"id"`
				Members []string `json:"member_ids"`
				ByName  map[string]struct {
					UserID string `json:"user_id"`
				} `json:"by_name"`
				Looks string `json:"looks" pattern:"^con_[0-9a-hjkmnp-tv-z]{26}$"`
				Right itemID `json:"item_id"`
				Other string `json:"identity"`
			}
		}) (*struct {
			Body struct {
				Given *string `json:"given_id"`
			}
		}, error) {
			return nil, nil
		})
	}})
	want := []string{"BadRequest.by_name.*.user_id", "header Tenant-Id", "path note", "query contact_id", ".given_id", ".id", ".looks", ".member_ids"}
	found := strings.Join(edge.UnreferencedSlots(bad.API().OpenAPI()), "\n")
	for _, slot := range want[1:] {
		if !strings.Contains(found, slot) {
			t.Errorf("%s was not found in\n%s", slot, found)
		}
	}
	if n := strings.Count(found, "\n") + 1; n != 8 || !strings.Contains(found, "user_id") {
		t.Errorf("found %d:\n%s", n, found)
	}
}

func TestCallersAreHeldToTheirRate(t *testing.T) {
	t.Parallel()
	quotas := map[module.Class]edge.Quota{module.API: {}}
	quotas[module.API] = edge.Quota{Actor: perHour(5), Address: perHour(2)}
	quotas[module.SignIn] = edge.Quota{Actor: perHour(100), Address: perHour(3)}
	d := open(t, edge.Config{Authenticator: keys{"one": key(), "two": key()}, Quotas: quotas}, catalogue(), sampler())
	for i := range 5 {
		answer := d.get("/v1/items", "Authorization", "Bearer one")
		if answer.StatusCode != 200 || answer.Header.Get("RateLimit-Policy") != `"api";q=5;w=3600` || !strings.HasPrefix(answer.Header.Get("RateLimit"), fmt.Sprintf(`"api";r=%d;t=`, 4-i)) {
			t.Errorf("request %d: %d, %q", i, answer.StatusCode, answer.Header.Get("RateLimit"))
		}
	}
	refused := d.get("/v1/items", "Authorization", "Bearer one")
	if p := refused.problem(t); p.Code != errs.TooMany || p.RetryAfter < 1 || refused.Header.Get("Retry-After") != fmt.Sprint(p.RetryAfter) || !strings.HasPrefix(refused.Header.Get("RateLimit"), `"api";r=0;`) {
		t.Errorf("%+v, Retry-After %q", p, refused.Header.Get("Retry-After"))
	}
	if answer := d.get("/v1/items", "Authorization", "Bearer two"); answer.StatusCode != 200 {
		t.Errorf("another caller is refused with %d", answer.StatusCode)
	}
	for _, want := range []int{204, 204, 429} {
		if answer := d.get("/v1/ping"); answer.StatusCode != want {
			t.Errorf("nobody: %d, want %d", answer.StatusCode, want)
		}
	}
	for _, want := range []int{200, 200, 200, 429} { // a session does not buy attempts to sign in
		if answer := d.send("POST", "/login", "", "Cookie", "__Host-session=two"); answer.StatusCode != want {
			t.Errorf("signing in: %d, want %d", answer.StatusCode, want)
		}
	}
}

func TestWrongKeysAreHeldToARate(t *testing.T) {
	t.Parallel()
	still := clock.At(time.Now())
	d := open(t, edge.Config{Authenticator: keys{"good": key()}, Clock: still}, catalogue())
	seen := map[int]int{}
	for range 310 {
		seen[d.get("/v1/items", "Authorization", "Bearer bad").StatusCode]++
	}
	if seen[401] < 300 || seen[429] == 0 || seen[401]+seen[429] != 310 {
		t.Errorf("answered %v", seen)
	}
}

func perHour(n int) limit.Rate { return limit.Rate{Quota: n, Window: time.Hour} }
