package relay

import (
	"bytes"
	"cmp"
	"container/list"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"aver/base/clock"
	"aver/base/errs"
	"aver/edge"
	"aver/trust/identity"
	"aver/trust/residency"
)

var (
	tokenForm   = regexp.MustCompile(`^av[a-z]_([0-9a-z]{26})_[0-9a-z]+$`)
	websiteForm = regexp.MustCompile(`^ws_[0-9a-z]{26}$`)
	slugForm    = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$`)
)

// nameOf is what a request's head says about whose it is: the public name of a website, or a workspace's name in
// addresses; empty if it says nothing. What the address says comes before what the browser sends along.
func nameOf(q *http.Request) string {
	bearer, _ := strings.CutPrefix(q.Header.Get("Authorization"), "Bearer ")
	session := ""
	if c, err := q.Cookie(identity.CookieName); err == nil {
		session = c.Value
	}
	query := q.URL.Query()
	return cmp.Or(website(bearer), public(query.Get("w")), inPath(q.URL.Path), public(query.Get("workspace")), website(session))
}

const longestForm = 16 << 10 // bytes of the form by which people sign in

var errForm = errs.New(errs.Invalid, "This is no form by which people sign in. Nothing was changed.")

// inForm is the workspace that somebody who signs in writes into the form; empty if it is left out. The body is as it was.
func inForm(q *http.Request) (string, error) {
	if q.Method != http.MethodPost || q.URL.Path != "/login" {
		return "", nil
	}
	text, err := io.ReadAll(io.LimitReader(q.Body, longestForm+1))
	if err != nil || len(text) > longestForm {
		return "", errForm
	}
	q.Body = io.NopCloser(bytes.NewReader(text))
	form, _ := url.ParseQuery(string(text)) // what is no form is for the region to refuse
	given := strings.ToLower(strings.TrimSpace(form.Get("workspace")))
	if given != "" && public(given) == "" {
		return "", errNobody
	}
	return given, nil
}

// website is the website that a token belongs to.
func website(token string) string {
	if found := tokenForm.FindStringSubmatch(token); found != nil {
		return "ws_" + found[1]
	}
	return ""
}

func public(name string) string {
	if websiteForm.MatchString(name) || slugForm.MatchString(name) {
		return name
	}
	return ""
}

// beside are pages of the portal that stand beside those of workspaces: who comes to them names the workspace after.
var beside = []string{"files", "proof", "receipts", "signed"}

func inPath(path string) string {
	if rest, portal := strings.CutPrefix(path, "/my-data/"); portal {
		parts := strings.Split(rest, "/")
		if slices.Contains(beside, parts[0]) {
			parts = append(parts[1:], "")
		}
		return public(parts[0])
	}
	parts := strings.Split(path, "/")
	for _, part := range parts { // set-up and invitation links
		if name := website(part); name != "" {
			return name
		}
	}
	return ""
}

const (
	remembered = 100_000          // workspaces
	doubt      = 10 * time.Second // for which a workspace that nobody knew is not asked for again
)

// homes knows which region a workspace is at home in, as far as it has been told, and carries requests there.
type homes struct {
	regions []Region
	way     http.RoundTripper
	clock   clock.Clock
	asking  singleflight.Group

	mu     sync.Mutex
	known  map[string]*list.Element // of entry
	recent *list.List               // the latest used in front
}

type entry struct {
	name   string
	region string    // empty: nobody knew
	until  time.Time // of doubt
}

func newHomes(regions []Region, way http.RoundTripper, c clock.Clock) *homes {
	return &homes{regions: regions, way: way, clock: c, known: map[string]*list.Element{}, recent: list.New()}
}

var errNobody = errs.New(errs.NotFound, "There is no such workspace in any region that this relay knows.")

// find is the region of a workspace; errs.NotFound if no region has it, another error if one could not be asked.
func (h *homes) find(ctx context.Context, name string, from netip.Addr) (Region, error) {
	if name == "" || len(h.regions) == 1 {
		return h.regions[0], nil
	}
	if e, known := h.recall(name); known {
		return h.named(e.region)
	}
	return h.inquire(ctx, name, from)
}

// inquire is find for what is not remembered, or not believed any more.
func (h *homes) inquire(ctx context.Context, name string, from netip.Addr) (Region, error) {
	region, err, _ := h.asking.Do(name, func() (any, error) {
		region, err := h.ask(context.WithoutCancel(ctx), name, from) // others may wait for the same answer
		if err == nil {
			h.learn(name, region)
		}
		return region, err
	})
	if err != nil {
		return Region{}, err
	}
	return h.named(region.(string))
}

// named is the region of this name, or errNobody.
func (h *homes) named(region string) (Region, error) {
	i := slices.IndexFunc(h.regions, func(r Region) bool { return r.Name == region })
	if i < 0 {
		return Region{}, errNobody
	}
	return h.regions[i], nil
}

func (h *homes) recall(name string) (entry, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, known := h.known[name]
	if !known {
		return entry{}, false
	}
	e := at.Value.(entry)
	if e.region == "" && h.clock.Now().After(e.until) {
		h.recent.Remove(at)
		delete(h.known, name)
		return entry{}, false
	}
	h.recent.MoveToFront(at)
	return e, true
}

// learn remembers a workspace's region, and forgets the one that was not wanted for longest if they are too many.
func (h *homes) learn(name, region string) {
	e := entry{name, region, h.clock.Now().Add(doubt)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if at, known := h.known[name]; known {
		at.Value = e
		return
	}
	if len(h.known) >= remembered {
		oldest := h.recent.Back()
		delete(h.known, h.recent.Remove(oldest).(entry).name)
	}
	h.known[name] = h.recent.PushFront(e)
}

// patience is how long a region may take to say whether it has a workspace.
const patience = 5 * time.Second

// said is a region's answer: that it is at home there (or that it is in another), that it is not known, or none.
type said struct {
	region string
	own    bool
	err    error
}

// ask asks all regions at once and believes the one that says here. One that only heard of it is believed if it names a
// region of ours. Nobody knows a workspace only if everybody said so.
func (h *homes) ask(ctx context.Context, name string, from netip.Addr) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answers := make(chan said, len(h.regions))
	for _, r := range h.regions {
		go func() { answers <- h.askOne(ctx, r, name, from) }()
	}
	heard, failed := "", error(nil)
	for range h.regions {
		switch a := <-answers; {
		case a.own:
			return a.region, nil
		case a.err != nil:
			failed = a.err
		case a.region != "":
			heard = a.region
		}
	}
	if _, err := h.named(heard); err == nil {
		return heard, nil
	}
	return "", failed
}

func (h *homes) askOne(ctx context.Context, r Region, name string, from netip.Addr) said {
	to := r.URL.JoinPath(residency.WellKnown)
	to.RawQuery = url.Values{"w": {name}}.Encode()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), http.NoBody)
	if err != nil {
		return said{err: err}
	}
	q.Header.Set("X-Forwarded-For", from.String())
	a, err := h.way.RoundTrip(q)
	if err != nil {
		return said{err: err}
	}
	defer a.Body.Close()
	var told struct{ Region string }
	switch a.StatusCode {
	case http.StatusOK:
		err = json.NewDecoder(io.LimitReader(a.Body, 4<<10)).Decode(&told)
		return said{region: r.Name, own: err == nil && told.Region != "", err: err}
	case http.StatusMisdirectedRequest:
		return said{region: a.Header.Get(edge.RegionHeader)}
	case http.StatusNotFound:
		return said{}
	}
	return said{err: errs.New(errs.Unavailable, "A region did not say whether it has the workspace.")}
}

// RoundTrip carries a request to its region. Where a region says that what was asked for is in another of ours, what has
// no body goes there at once. What has one cannot be sent twice; the caller is told. Where a workspace was named, the
// regions are asked about it anew: the answer may be about something else that the request brings, and a stranger must not
// turn others away from their home.
func (h *homes) RoundTrip(q *http.Request) (*http.Response, error) {
	going, _ := q.Context().Value(journeyKey{}).(journey)
	a, err := h.way.RoundTrip(h.discreet(q, going.home, going.from))
	if err != nil {
		return nil, err
	}
	if line, is := a.Body.(io.ReadWriteCloser); is && a.StatusCode == http.StatusSwitchingProtocols {
		a.Body = socket{line}
	}
	if a.StatusCode != http.StatusMisdirectedRequest {
		return a, nil
	}
	to, err := h.elsewhere(q.Context(), going, a)
	if err != nil || q.Body != nil && q.Body != http.NoBody {
		return a, nil
	}
	_ = a.Body.Close()
	again := q.Clone(q.Context())
	again.URL.Scheme, again.URL.Host = to.URL.Scheme, to.URL.Host
	return h.way.RoundTrip(h.discreet(again, to, going.from))
}

// discreet is the request without sessions of other regions, of those who sign in and of those who ask for their data: a link may name any workspace, and the browser sends its
// cookies along.
func (h *homes) discreet(q *http.Request, to Region, from netip.Addr) *http.Request {
	if len(h.regions) == 1 {
		return q
	}
	cookies, kept := q.Cookies(), []string{}
	for _, c := range cookies {
		of := website(c.Value)
		if c.Name != identity.CookieName && of == "" || h.houses(q.Context(), to, of, from) {
			kept = append(kept, c.String())
		}
	}
	if len(kept) == len(cookies) {
		return q
	}
	out := q.Clone(q.Context())
	out.Header.Del("Cookie")
	if len(kept) > 0 {
		out.Header.Set("Cookie", strings.Join(kept, "; "))
	}
	return out
}

// houses tells whether a workspace is certainly at home in a region.
func (h *homes) houses(ctx context.Context, r Region, name string, from netip.Addr) bool {
	if name == "" {
		return false
	}
	home, err := h.find(ctx, name, from)
	return err == nil && home.Name == r.Name
}

// elsewhere is the other region where a request belongs that was answered 421; an error if there is none.
func (h *homes) elsewhere(ctx context.Context, going journey, a *http.Response) (to Region, err error) {
	if going.name == "" {
		to, err = h.named(a.Header.Get(edge.RegionHeader))
	} else {
		to, err = h.inquire(ctx, going.name, going.from)
	}
	if err == nil && to.Name == going.home.Name {
		err = errNobody
	}
	return to, err
}

// away names the regions that do not answer.
func (h *homes) away(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answers := make(chan string, len(h.regions))
	for _, r := range h.regions {
		go func() {
			q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL.JoinPath("healthz").String(), http.NoBody)
			if err != nil {
				answers <- r.Name
				return
			}
			a, err := h.way.RoundTrip(q)
			if err != nil {
				answers <- r.Name
				return
			}
			_ = a.Body.Close()
			answers <- ""
		}()
	}
	var list []string
	for range h.regions {
		if name := <-answers; name != "" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
