package probes

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aver/base/tlog"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/audit"
	"aver/trust/audit/verdict"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/journal"
)

// act is something that must be in the log.
type act struct {
	action string
	kind   vault.ActorKind
	part   string // of the system
	denied bool
}

// administration is aud-1.
func administration(w view) claim.Claim {
	made := []act{{action: "user.sign_in", kind: vault.AsSystem}, {action: "admin_login_failure", kind: vault.AsSystem}, {action: "api_key.create", kind: vault.AsUser}, {action: "api_key.revoke", kind: vault.AsUser}}
	return claim.Claim{
		ID: "aud-1", Theme: world.Auditing, Owner: world.Security, Every: world.Hourly,
		Wording:   "What administrators do is in the log: {acts} acts done now, {logged} of them found there, {denied} refused attempts among them",
		Predicate: "Each administrative act that the canary's owner does during the run, and each that is refused, has an entry in the log that names action, actor, time and outcome, and the log's page of the API shows it.",
		Method:    "The probe signs in, fails to sign in, makes and revokes an API key and tries what its key may not, as the canary; then it reads the log.",
		Refs:      claim.References{ISO: []string{"A.8.15"}, SOC2: []string{"CC7.2", "CC6.2"}, GDPR: []string{"5(2)", "32(1)(d)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			side, err := w.Canaries.Await(ctx, canary.South)
			if err != nil {
				return claim.Evidence{}, err
			}
			var e claim.Evidence
			err = w.Canaries.Alone(func() (err error) {
				e, err = w.administer(ctx, side, made)
				return err
			})
			return e, err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a log without the failed sign-in", func(context.Context) (claim.Evidence, error) {
				now := time.Now()
				return judgeLog(made, entriesOf(now, made[0], made[2], made[3]), now.Add(-time.Second), true), nil
			}),
			world.Fixture("entries with somebody else's time", func(context.Context) (claim.Evidence, error) {
				now := time.Now()
				return judgeLog(made, entriesOf(now.Add(-time.Hour), made...), now.Add(-time.Second), true), nil
			}),
		},
	}
}

func entriesOf(at time.Time, acts ...act) []journal.Entry {
	var out []journal.Entry
	for _, a := range acts {
		e := journal.Entry{At: at, Action: a.action, ActorKind: uint8(a.kind), ActorName: a.part, Actor: [16]byte{1}, Outcome: journal.Done}
		if a.denied {
			e.Outcome = journal.Denied
		}
		out = append(out, e)
	}
	return out
}

// administer does the acts and reads the log.
func (w view) administer(ctx context.Context, side *canary.Side, made []act) (claim.Evidence, error) {
	from, _, _, err := w.Vault.Head(ctx, side.Tenant)
	if err != nil {
		return claim.Evidence{}, err
	}
	began := w.Vault.Now().Add(-time.Second)
	for _, password := range []string{side.Password.Reveal(), "not the password of the canary"} {
		form := url.Values{"email": {side.Email}, "password": {password}, "workspace": {side.Slug}}
		_, err := w.Canaries.Door().Do(ctx, inside.Request{Method: http.MethodPost, Path: "/login", Body: []byte(form.Encode()), Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
		if err != nil {
			return claim.Evidence{}, fmt.Errorf("sign in: %w", err)
		}
	}
	token, c, err := w.Identity.MakeKey(ctx, side.Owner, attack.UniqueWord(side.Root), []string{world.WeakScope}, time.Hour)
	if err != nil {
		return claim.Evidence{}, err
	}
	if _, err := w.Canaries.Door().Get(ctx, "/v1/admins", inside.Bearer(token)); err != nil { // the key has no scope for it
		return claim.Evidence{}, err
	}
	if err := w.Identity.RevokeKey(ctx, side.Owner, c.ID); err != nil {
		return claim.Evidence{}, err
	}
	entries, err := w.Vault.Entries(ctx, side.Tenant, from, 200)
	if err != nil {
		return claim.Evidence{}, err
	}
	shown, err := w.shows(ctx, side, "activity_type=api_key.revoke", "api_key.revoke")
	if err != nil {
		return claim.Evidence{}, err
	}
	return judgeLog(append(slices.Clone(made), act{action: "user.list", kind: vault.AsKey, denied: true}), entries, began, shown), nil
}

// shows tells whether the log's list in the API, narrowed by a query, has an entry with this word.
func (w view) shows(ctx context.Context, side *canary.Side, query, word string) (bool, error) {
	a, err := w.Canaries.Door().Get(ctx, "/v1/admins/activity_logs?"+query, inside.Bearer(side.Key))
	if err != nil {
		return false, fmt.Errorf("read the log by the API: %w", err)
	}
	return a.Status == http.StatusOK && json.Valid(a.Body) && bytes.Contains(a.Body, []byte(word)), nil
}

func judgeLog(made []act, entries []journal.Entry, began time.Time, shown bool) claim.Evidence {
	e, logged, denied := world.Evidence(), 0, 0
	for _, a := range made {
		outcome := journal.Done
		if a.denied {
			outcome = journal.Denied
			denied++
		}
		found := slices.ContainsFunc(entries, func(n journal.Entry) bool {
			named := n.Actor != [16]byte{} || n.ActorName != ""
			return n.Action == a.action && vault.ActorKind(n.ActorKind) == a.kind && n.Outcome == outcome && !n.At.Before(began) && named && (a.part == "" || n.ActorName == a.part)
		})
		if found {
			logged++
		}
		e.See(found, a.action, "%s", map[bool]string{true: "in the log, with actor and time", false: "not in the log"}[found])
	}
	e.See(shown, "the log's list in the API", "%s", map[bool]string{true: "shows it", false: "does not show it"}[shown])
	e.Figure("acts", "%d", len(made))
	e.Figure("logged", "%d", logged)
	e.Figure("denied", "%d", denied)
	return e
}

// automation is aud-2.
func automation(w view) claim.Claim {
	swept := []act{{action: "retention.run", kind: vault.AsSystem, part: "retention"}}
	return claim.Claim{
		ID: "aud-2", Theme: world.Auditing, Owner: world.Security, Every: world.Hourly,
		Wording:   "What runs by itself is in the log too: {acts} automatic acts done now, {logged} found there by who, what and when",
		Predicate: "An automatic run that is made now has an entry in the log that names the part of the program, the action and the time, and a query by actor kind and part finds it.",
		Method:    "The probe lets the retention run over the canary's data as the schedule does, reads the log, and asks the API for what the system did.",
		Refs:      claim.References{ISO: []string{"A.8.15", "A.8.16"}, SOC2: []string{"CC7.2"}, GDPR: []string{"5(2)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			side, err := w.Canaries.Await(ctx, canary.South)
			if err != nil {
				return claim.Evidence{}, err
			}
			from, _, _, err := w.Vault.Head(ctx, side.Tenant)
			if err != nil {
				return claim.Evidence{}, err
			}
			began := w.Vault.Now().Add(-time.Second)
			if err := w.Retention.Sweep(ctx, side.Tenant); err != nil {
				return claim.Evidence{}, err
			}
			entries, err := w.Vault.Entries(ctx, side.Tenant, from, 200)
			if err != nil {
				return claim.Evidence{}, err
			}
			shown, err := w.shows(ctx, side, "by=system&part=retention", "retention")
			return judgeLog(swept, entries, began, shown), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a run that leaves no entry", func(context.Context) (claim.Evidence, error) { return judgeLog(swept, nil, time.Now(), true), nil }),
			world.Fixture("an entry that a query does not find", func(context.Context) (claim.Evidence, error) {
				now := time.Now()
				return judgeLog(swept, entriesOf(now, swept...), now.Add(-time.Second), false), nil
			}),
		},
	}
}

// tampering is aud-4.
func tampering(w view) claim.Claim {
	return claim.Claim{
		ID: "aud-4", Theme: world.Auditing, Owner: world.Security, Every: world.Hourly, Within: 2 * time.Minute,
		Wording:   "The log is tamper-evident: {entries} entries exported and verified offline, {altered} ways of altering the file tried and named; {logs} workspaces' logs are what was recorded of them, {reread} entries read back in this run",
		Predicate: "The exported log of a canary verifies against the installation's key, and with one byte of an entry flipped, with its end cut off, and with another key, verification fails and says what is wrong. Every workspace's log begins with what the installation's signed log records of it.",
		Method:    "The probe exports the canary's log as an auditor would and verifies the file with the same code as the command, once as it is and once for each alteration. It compares every workspace's log with its recorded head, and computes hashes anew from the entries themselves, some in each run, log after log.",
		Refs:      claim.References{ISO: []string{"A.8.15", "A.5.28"}, SOC2: []string{"CC7.2", "CC7.3"}, GDPR: []string{"5(2)", "32(1)(d)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			side, err := w.Canaries.Await(ctx, canary.South)
			if err != nil {
				return claim.Evidence{}, err
			}
			key, err := w.Audit.VerifierKey(ctx)
			if err != nil {
				return claim.Evidence{}, err
			}
			var bundle bytes.Buffer
			if err := w.Audit.Export(ctx, side.Owner, &bundle, 0); err != nil {
				return claim.Evidence{}, err
			}
			e, err := judgeBundle(bundle.Bytes(), key, verdict.Verify)
			if err != nil {
				return e, err
			}
			r, err := w.Audit.Recheck(ctx, rehashed)
			judgeLogs(&e, r)
			return e, err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a log that was altered in the store", func(context.Context) (claim.Evidence, error) {
				bundle, key, err := exported("the first entry", "the second entry")
				if err != nil {
					return claim.Evidence{}, err
				}
				return judgeBundle(bytes.Replace(bundle, []byte("the second"), []byte("a  second."), 1), key, verdict.Verify)
			}),
			world.Fixture("a workspace's log that is not what was recorded of it", func(context.Context) (claim.Evidence, error) {
				bundle, key, err := exported("the first entry", "the second entry")
				if err != nil {
					return claim.Evidence{}, err
				}
				e, err := judgeBundle(bundle, key, verdict.Verify)
				judgeLogs(&e, audit.Rechecked{Logs: 3, Entries: 100, Altered: 1})
				return e, err
			}),
			world.Fixture("a file that is no export", func(context.Context) (claim.Evidence, error) {
				return judgeBundle([]byte("no bundle at all"), "", verdict.Verify)
			}),
			world.Fixture("a verifier that finds everything good", func(context.Context) (claim.Evidence, error) {
				return judgeBundle(make([]byte, 1000), "", func(io.Reader, tlog.Options) (verdict.Verdict, error) { return verdict.Verdict{Holds: true}, nil })
			}),
		},
	}
}

// rehashed is how many entries are hashed anew in a run: a second or two of work.
const rehashed = 100_000

func judgeLogs(e *claim.Evidence, r audit.Rechecked) {
	e.See(r.Altered == 0, "logs of all workspaces", "%d are what was recorded of them, %d are not", r.Logs, r.Altered)
	e.Figure("logs", "%d", r.Logs)
	e.Figure("reread", "%s", page.Number(int(r.Entries)))
}

// exported is an honest export of a log with these entries, and the key that signed it.
func exported(texts ...string) (bundle []byte, key string, err error) {
	const origin = "aver/fixture"
	signer, err := tlog.NewSigner(origin, make([]byte, 32))
	if err != nil {
		return nil, "", err
	}
	leaf := func(index int, text string) []byte {
		return append(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(index)), 1_700_000_000_000_000), text...)
	}
	var edge tlog.Frontier
	var chunk []byte
	for i, text := range texts {
		edge.Append(tlog.LeafHash(leaf(i, text)))
		chunk = journal.AppendChunk(chunk, leaf(i, text))
	}
	head := tlog.Checkpoint{Origin: origin + "/tenant", Size: edge.Size(), Root: edge.Root()}
	record := leaf(0, string([]byte{byte(len(head.Text()))})+head.Text())
	signed, err := signer.Sign(tlog.Checkpoint{Origin: origin, Size: 1, Root: tlog.LeafHash(record)})
	if err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	w, err := tlog.NewBundleWriter(&out, tlog.Header{Origin: head.Origin, Key: signer.VerifierKey()})
	if err != nil {
		return nil, "", err
	}
	if err := w.Chunk(chunk); err != nil {
		return nil, "", err
	}
	err = w.Close(tlog.Evidence{Head: head, Entry: record, Checkpoint: signed})
	return out.Bytes(), signer.VerifierKey(), err
}

type verify func(io.Reader, tlog.Options) (verdict.Verdict, error)

func judgeBundle(bundle []byte, key string, check verify) (claim.Evidence, error) {
	e := world.Evidence()
	stranger, err := tlog.NewSigner("aver/other", make([]byte, 32)) // a key that this installation does not sign with
	if err != nil {
		return e, err
	}
	whole, err := check(bytes.NewReader(bundle), tlog.Options{Key: key})
	if err != nil {
		return e, err
	}
	e.See(whole.Holds, "the export as it is", "%d entries, %s", whole.Report.Head.Size, orFound("verified", whole.Findings))
	e.Figure("entries", "%d", whole.Report.Head.Size)
	flipped := bytes.Clone(bundle)
	flipped[len(flipped)/3] ^= 1
	altered := 0
	for name, one := range map[string]struct {
		file []byte
		key  string
	}{"one byte flipped": {flipped, key}, "the end cut off": {bundle[:len(bundle)*3/4], key}, "another key": {bundle, stranger.VerifierKey()}} {
		v, err := check(bytes.NewReader(one.file), tlog.Options{Key: one.key})
		if err != nil {
			return e, errors.Join(fmt.Errorf("verify the export with %s", name), err)
		}
		named := !v.Holds && len(v.Findings) > 0
		if named {
			altered++
		}
		e.See(named, name, "%s", orFound("nothing was noticed", v.Findings))
	}
	e.Figure("altered", "%d", altered)
	return e, nil
}

func orFound(otherwise string, findings []string) string {
	if len(findings) == 0 {
		return otherwise
	}
	return strings.Join(findings[:min(len(findings), 2)], "; ")
}
