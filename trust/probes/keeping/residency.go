package keeping

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/trust/canary"
	"aver/trust/canary/inside"
	"aver/trust/identity"
	"aver/trust/probes/world"
	"aver/trust/residency"
	"aver/vault"
	"aver/vault/journal"
)

// homes is what was seen of where workspaces are at home.
type homes struct {
	stated, stands  string // the installation's region, as it is stored, and as the store acts on it
	here, strangers int    // workspaces whose keys are here: those at home here, and others
	asked, directed int    // requests for a workspace of another region, and those that were sent to it
	astray          []string
	refused, noted  bool // a write to it
}

// atHome is res-1.
func atHome(w *world.World) claim.Claim {
	good := homes{stated: "eu", stands: "eu", here: 3, asked: 7, directed: 7, refused: true, noted: true}
	broken := func(name string, change func(*homes)) claim.Fixture {
		h := good
		change(&h)
		return world.Fixture(name, func(context.Context) (claim.Evidence, error) { return judgeHomes(h), nil })
	}
	return claim.Claim{
		ID: "res-1", Theme: world.Keeping, Owner: world.DPO, Every: world.Hourly, On: []string{"tenant.", "region."},
		Wording:   "Each workspace has a home region, and its data is nowhere else: {here} are at home in {region}, {directed} of {asked} requests for one of another region were sent there, and a write to it was {write}",
		Predicate: "Every workspace whose keys are here has this installation's region in the directory; each request for a workspace of another region is answered 421 with that region; a write to it is refused, and the installation's log says so.",
		Method:    "The probe lists the directory and looks for keys, notes a workspace of another region that does not exist, asks for it in every way that requests name one, and tries to write. That the machine stands where its operator says it cannot measure.",
		Refs:      claim.References{ISO: []string{"A.5.34", "A.8.10"}, SOC2: []string{"C1.1", "P6.1"}, GDPR: []string{"44"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			h, err := lookAtHomes(ctx, w, w.Residency.Refer)
			return judgeHomes(h), err
		},
		Fixtures: []claim.Fixture{
			w.Scratch.Broken("a workspace of another region whose keys are here", stranger),
			w.Scratch.Broken("a directory that sends people to the wrong region", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				h, err := lookAtHomes(ctx, w, func(ctx context.Context, actor vault.Actor, id ids.Tenant, slug, _ string) error {
					return w.Residency.Refer(ctx, actor, id, slug, "in")
				})
				return judgeHomes(h), err
			}),
			broken("a workspace of another region that is served", func(h *homes) { h.directed, h.astray = 6, []string{"the widget's frame"} }),
			broken("a write that got through", func(h *homes) { h.refused = false }),
			broken("a refusal that nobody noted", func(h *homes) { h.noted = false }),
			broken("a store that acts on another region than is stated", func(h *homes) { h.stands = "in" }),
			broken("a store that was never told its region", func(h *homes) { h.stated, h.stands = "", "" }),
			broken("nobody at home", func(h *homes) { h.here = 0 }),
		},
	}
}

func judgeHomes(h homes) claim.Evidence {
	e := world.Evidence()
	e.See(h.stated == h.stands && h.stands != "", "where the store stands", "%s", h.stands)
	e.See(h.here > 0, "workspaces at home here", "%d", h.here)
	e.See(h.strangers == 0, "workspaces of other regions whose keys are here", "%d", h.strangers)
	e.See(h.directed == h.asked && h.asked > 0, "requests for a workspace of another region", "%d of %d sent there %s", h.directed, h.asked, strings.Join(h.astray, ", "))
	e.See(h.refused, "a write to it", "%s", map[bool]string{true: "refused", false: "not refused"}[h.refused])
	e.See(h.noted, "the refusal in the installation's log", "%s", map[bool]string{true: "found", false: "not found"}[h.noted])
	e.Figure("region", "%s", h.stated)
	e.Figure("here", "%d", h.here)
	e.Figure("asked", "%d", h.asked)
	e.Figure("directed", "%d", h.directed)
	e.Figure("write", "%s", map[bool]string{true: "refused and noted", false: "not refused, or not noted"}[h.refused && h.noted])
	return e
}

// nowhere is a region in which nobody is.
const nowhere = "nowhere"

// refer notes a workspace of another region in the directory.
type refer func(ctx context.Context, actor vault.Actor, id ids.Tenant, slug, region string) error

// stranger is the probe while the directory says of a workspace whose keys are here that it is at home elsewhere.
func stranger(ctx context.Context, w *world.World) (e claim.Evidence, err error) {
	t, err := w.Vault.CreateTenant(ctx, vault.Tenant{Slug: "stranger-" + strings.ToLower(rand.Text())[:12], Name: "A workspace from elsewhere"})
	if err != nil {
		return e, err
	}
	move := func(region string, closed time.Time) error {
		return w.Vault.Do(ctx, world.System(ids.Installation), world.Act, func(tx *vault.Tx) error {
			t.Region, t.ClosedAt = region, closed
			return vault.Tenants.Put(tx, t)
		})
	}
	if err := move("in", time.Time{}); err != nil {
		return e, err
	}
	h, err := lookAtHomes(ctx, w, w.Residency.Refer)
	return judgeHomes(h), errors.Join(err, move(w.Vault.Region(), w.Vault.Now()))
}

func lookAtHomes(ctx context.Context, w *world.World, note refer) (h homes, err error) {
	if _, err := w.Canaries.Await(ctx, canary.South); err != nil {
		return h, err
	}
	if h.stated, err = residency.Region(ctx, w.Vault); err != nil {
		return h, err
	}
	h.stands = w.Vault.Region()
	if err := h.lookAtDirectory(ctx, w); err != nil {
		return h, err
	}
	id, root := ids.NewTenant(w.Vault.Now()), identity.System(ids.Installation, "probes")
	slug := "elsewhere-" + strings.ToLower(rand.Text())[:12]
	if err := note(ctx, root, id, slug, nowhere); err != nil {
		return h, fmt.Errorf("note a workspace of another region: %w", err)
	}
	defer func() { err = errors.Join(err, w.Residency.Unrefer(context.WithoutCancel(ctx), root, slug)) }()
	if err := h.askFor(ctx, w, id, slug); err != nil {
		return h, err
	}
	return h, h.writeTo(ctx, w, id)
}

// lookAtDirectory compares whose keys are here with who is at home here.
func (h *homes) lookAtDirectory(ctx context.Context, w *world.World) error {
	var all []vault.Tenant
	err := w.Vault.View(ctx, world.System(ids.Installation), world.Act, func(tx *vault.Tx) (err error) {
		all, err = vault.Tenants.Find(tx, "closed_at IS NULL ORDER BY id")
		return err
	})
	for _, t := range all {
		_, absent := w.Vault.Keys().Tenant(ctx, t.ID)
		if absent == nil && t.Region == h.stands {
			h.here++
		} else if absent == nil {
			h.strangers++
		}
	}
	return err
}

// askFor asks for a workspace in every way that requests name one.
func (h *homes) askFor(ctx context.Context, w *world.World, id ids.Tenant, slug string) error {
	_, letters, _ := strings.Cut(id.String(), "_")
	token := func(kind string) string { return "av" + kind + "_" + letters + "_" + strings.Repeat("0", 52) }
	for _, one := range []struct {
		what, path string
		header     http.Header
	}{
		{"a relay's question", residency.WellKnown + "?w=ws_" + letters, nil},
		{"the widget's configuration", "/widget/v1/config?w=ws_" + letters + "&lang=en", nil},
		{"the widget's frame", "/widget/frame?w=ws_" + letters, nil},
		{"the page for people's rights", "/my-data/" + slug, nil},
		{"a visitor's token", "/widget/v1/privacy/tasks/req_0", inside.Bearer(token("v"))},
		{"an API key", "/v1/me", inside.Bearer(token("k"))},
		{"a session", "/inbox", inside.Cookie(identity.CookieName, token("s"))},
	} {
		a, err := w.Canaries.Door().Get(ctx, one.path, one.header)
		if err != nil {
			return fmt.Errorf("ask for a workspace of another region: %w", err)
		}
		h.asked++
		if a.Status == http.StatusMisdirectedRequest && a.Header.Get("Aver-Region") == nowhere {
			h.directed++
		} else {
			h.astray = append(h.astray, fmt.Sprintf("%s: %d", one.what, a.Status))
		}
	}
	return nil
}

// writeTo tries to write to a workspace of another region and looks for the refusal in the installation's log.
func (h *homes) writeTo(ctx context.Context, w *world.World, id ids.Tenant) error {
	before, _, _, err := w.Vault.Head(ctx, ids.Installation)
	if err != nil {
		return err
	}
	failed := w.Vault.Do(ctx, world.System(id), world.Act, func(*vault.Tx) error { return nil })
	h.refused = errs.Is(failed, errs.Misdirected)
	entries, err := w.Vault.Entries(ctx, ids.Installation, before, 1000)
	h.noted = slices.ContainsFunc(entries, func(e journal.Entry) bool {
		return e.Outcome == journal.Denied && e.Action == world.Act.Name() && len(e.Touched) == 1 && bytes.HasSuffix(e.Touched[0].Key, id.Bytes())
	})
	return err
}
