// Package people has the probes of what people have a right to: a copy, an erasure, and that some things are never kept.
package people

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"aver/base/deadline"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
	"aver/trust/probes/copies"
	"aver/trust/probes/world"
	"aver/trust/rights"
	"aver/trust/rights/state"
	"aver/vault"
)

// view is the world with the ways of looking at it that are used here alone.
type view struct{ *world.World }

// Claims lists the promises to people.
func Claims(at *world.World) []claim.Claim {
	w := view{at}
	return []claim.Claim{informed(w), access(w), portability(w), erasure(w), restriction(w), decisions(w), passing(w), unitedStates(w), cardsClaim(w), childrenClaim(w)}
}

// copied is what came of a request for a copy.
type copied struct {
	archive []byte
	took    time.Duration
	open    []rights.Request // of all tenants
	now     time.Time
	words   []string // what the person wrote, on one day and on another
	others  []string // words of somebody else, whose address the person wrote
}

func (w view) copy(ctx context.Context, meddle world.Meddle) (c copied, err error) {
	other, err := w.NewPerson(ctx)
	if err != nil {
		return c, err
	}
	p, err := w.NewPerson(ctx, "Ask "+canary.Address(other.Word)+" too")
	if err != nil {
		return c, err
	}
	again, err := w.ComesBack(ctx, p)
	if err != nil {
		return c, err
	}
	if err := meddle.With(ctx, w.World, again); err != nil {
		return c, err
	}
	c.words, c.others = []string{p.Word, again.Word}, []string{other.Word}
	began := time.Now()
	var out bytes.Buffer
	if err := w.Rights.ExportOf(ctx, p.Side.Tenant, canary.Address(p.Word), &out); err != nil {
		return c, fmt.Errorf("make a copy: %w", err)
	}
	c.archive, c.took = out.Bytes(), time.Since(began)
	for _, one := range []*world.Person{p, again, other} {
		if err := w.Forget(ctx, one); err != nil {
			return c, err
		}
	}
	return c, w.lookAtRequests(ctx, &c)
}

func (w view) lookAtRequests(ctx context.Context, c *copied) error {
	tenants, err := w.Vault.TenantIDs(ctx)
	if err != nil {
		return err
	}
	c.now = w.Vault.Now()
	for _, t := range tenants {
		if w.Canaries.Is(t) { // nobody waits there, and nobody answers
			continue
		}
		var some []rights.Request
		err := w.Vault.View(ctx, world.System(t), world.Act, func(tx *vault.Tx) error {
			open, err := rights.Requests.Find(tx, "ended_at IS NULL AND due_at IS NOT NULL ORDER BY asked_at LIMIT 1000")
			some = open
			return err
		})
		if err != nil {
			return fmt.Errorf("read open requests: %w", err)
		}
		c.open = append(c.open, some...)
	}
	return nil
}

// access is rgt-2.
func access(w view) claim.Claim {
	judge := func(c copied) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeAccess(c), nil }
	}
	return claim.Claim{
		ID: "rgt-2", Theme: world.People, Owner: world.DPO, Every: world.Hourly, On: []string{"privacy_request."},
		Wording:   "Whoever asks for a copy of their data gets it within {limit}, free of charge: the last took {took}, {open} requests wait, {overdue} are overdue",
		Predicate: "Whoever has an address of which a canary knows two visitors gets an archive that holds what both wrote, no request of any tenant is open after the day on which it is due, none waits for the proof of who asked for longer than it may, and none was given a later day than its law has, whose clock stands still for that proof only where the law says so.",
		Method:    "The probe writes to a canary tenant from two browsers under one address, has the copy made that a code to this address would give out, opens it, reads the due dates of all open requests and counts them once more.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P5.1"}, GDPR: []string{"12(3)", "15(3)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			c, err := w.copy(ctx, nil)
			return judgeAccess(c), err
		},
		Fixtures: []claim.Fixture{
			asked(w, "a request that is overdue", rights.Request{State: state.Open}, func(w view, ctx context.Context) (claim.Evidence, error) {
				c, err := w.copy(ctx, nil)
				return judgeAccess(c), err
			}),
			world.Fixture("a request that nobody proves and that does not end", judge(asks(rights.Request{State: state.Verifying, Regime: deadline.GDPR, ProveUntil: time.Unix(0, 0)}))),
			world.Fixture("a clock that stood still under a law that does not stop", judge(asks(stood()))),
			world.Fixture("a copy in which the words are missing", judge(copied{archive: copies.Zip("data.jsonl", "{}"), words: []string{"canaryword"}})),
			w.Scratch.Broken("a copy of only one of the two", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				c, err := view{w}.copy(ctx, func(ctx context.Context, w *world.World, again *world.Person) error { // they are not one any more
					return w.Ask(ctx, again, http.MethodPut, "/v1/contacts/{contact}", `{"email":"elsewhere@canary.invalid"}`, nil)
				})
				return judgeAccess(c), err
			}),
		},
	}
}

// asks is a copy as it should be, and a request that waits.
func asks(r rights.Request) copied {
	return copied{archive: copies.Zip("data.jsonl", "hello canaryword"), words: []string{"canaryword"}, open: []rights.Request{r}, now: time.Unix(1e9, 0)}
}

// stood is a request of a Californian who took ten days to prove who they are, and whose last day is as much later.
func stood() rights.Request {
	asked, took := time.Unix(1e9, 0), 10*world.Daily
	r := rights.Request{State: state.Open, Kind: state.Access, Regime: deadline.CCPA, AskedAt: asked, ProofAt: asked, ProvedAt: asked.Add(took), DueAt: asked.Add(17 * world.Daily)}
	if law, err := deadline.Of(r.Regime, asked); err == nil {
		r.LegalAt = law.Due(asked.Add(took), deadline.PlaceOf(""), 0).Legal
	}
	return r
}

// beyond tells whether a request was given a later day than its law has, wherever the tenant is.
func beyond(r rights.Request) bool {
	law, err := deadline.Of(r.Kind.Clock(r.Regime), r.AskedAt)
	if err != nil {
		return true
	}
	var proving time.Duration
	if !r.ProofAt.IsZero() && !r.ProvedAt.IsZero() {
		proving = r.ProvedAt.Sub(r.ProofAt)
	}
	for _, place := range deadline.Places() {
		due := law.Due(r.AskedAt, place, proving)
		if !r.LegalAt.After(due.Legal) || !r.ExtendedAt.IsZero() && !r.LegalAt.After(due.Extended) {
			return false
		}
	}
	return true
}

// waitsForEver tells whether a request that nobody has proved should have ended by itself: what ends it runs every ten minutes.
func waitsForEver(r rights.Request, now time.Time) bool {
	return r.State == state.Verifying && now.Sub(r.ProveUntil) > time.Hour
}

// answerWithin is the promise of rgt-2; the law gives a month.
const answerWithin = 7 * world.Daily

func judgeAccess(c copied) claim.Evidence {
	e := world.Evidence()
	files, err := copies.Unzip(c.archive)
	for _, word := range c.words {
		held := 0
		for _, text := range files {
			if bytes.Contains(text, []byte(word)) {
				held++
			}
		}
		e.See(err == nil && held > 0, "the copy", "%d files, %s; %d hold what was written", len(files), world.Bytes(int64(len(c.archive))), held)
	}
	e.See(c.took <= answerWithin, "the time it took", "%s", world.Span(c.took))
	overdue, late, unproved := 0, 0, 0
	for _, r := range c.open {
		switch {
		case r.Late(c.now):
			overdue++
		case waitsForEver(r, c.now):
			unproved++
		case beyond(r):
			late++
		}
	}
	e.See(overdue == 0, "requests of all tenants", "%d open, %d after their day", len(c.open), overdue)
	e.See(late == 0 && unproved == 0, "their days", "%d have a later one than their law, %d wait for a proof for too long", late, unproved)
	e.Figure("limit", "%s", page.Age(answerWithin))
	e.Figure("took", "%s", world.Span(c.took))
	e.Figure("open", "%d", len(c.open))
	e.Figure("overdue", "%d", overdue)
	return e
}

// portability is rgt-3.
func portability(w view) claim.Claim {
	spoilt := func(name string, spoil func(files map[string][]byte, c copied)) claim.Fixture {
		return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
			c, err := view{w}.copy(ctx, nil)
			if err != nil {
				return claim.Evidence{}, err
			}
			files, err := copies.Unzip(c.archive)
			spoil(files, c)
			return judgeArchive(copies.Pack(files), c.words, c.others), err
		})
	}
	adds := func(file, text string) func(map[string][]byte, copied) {
		return func(files map[string][]byte, _ copied) { files[file] = append(files[file], text...) }
	}
	lacks := func(file string) func(map[string][]byte, copied) {
		return func(files map[string][]byte, _ copied) { delete(files, file) }
	}
	return claim.Claim{
		ID: "rgt-3", Theme: world.People, Owner: world.DPO, Every: 6 * world.Hourly,
		Wording:   "The copy can be read by programs: one archive of {tables} tables as JSON and CSV with {records} records, all of them well-formed",
		Predicate: "The archive holds data.jsonl, every line of which is JSON, a CSV file for every table in it with a line for every row and as many fields in every line, no CSV field that a spreadsheet would run, a page for people that loads nothing, and nothing of somebody else whose address the person wrote.",
		Method:    "The probe has the copy made that a code to the address of two visitors of a canary would give out, one of whom wrote the address of a third, and reads every file of it with a parser.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P5.1"}, GDPR: []string{"20(1)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			c, err := w.copy(ctx, nil)
			return judgeArchive(c.archive, c.words, c.others), err
		},
		Fixtures: []claim.Fixture{
			spoilt("an archive without the machine-readable file", lacks("data.jsonl")),
			spoilt("a line that is no JSON", adds("data.jsonl", "not json\n")),
			spoilt("a CSV field that a spreadsheet would run", func(files map[string][]byte, c copied) {
				files[messagesTable] = bytes.Replace(files[messagesTable], []byte("My name is "+c.words[0]), []byte("=HYPERLINK(1)"), 1)
			}),
			spoilt("a table without a CSV file", lacks(messagesTable)),
			spoilt("a CSV file with a line too few", func(files map[string][]byte, _ copied) {
				head, rest, _ := bytes.Cut(files[messagesTable], []byte("\n"))
				_, rest, _ = bytes.Cut(rest, []byte("\n"))
				files[messagesTable] = append(append(head, '\n'), rest...)
			}),
			spoilt("somebody else's address in it", func(files map[string][]byte, c copied) {
				adds("index.html", "<p>Ask "+canary.Address(c.others[0])+" too</p>")(files, c)
			}),
			spoilt("an archive without a page for people", lacks("index.html")),
			spoilt("a page whose style comes from elsewhere", adds("index.html", `<link rel="stylesheet" href="//fonts.example/a.css">`)),
			spoilt("a page whose style loads a picture", adds("index.html", "<style>p{background:URL( 'http://x.example/a.png')}</style>")),
		},
	}
}

// messagesTable is what the person wrote, in a copy.
const messagesTable = "csv/messages.csv"

func judgeArchive(raw []byte, words, others []string) claim.Evidence {
	e := world.Evidence()
	files, err := copies.Unzip(raw)
	e.See(err == nil, "the archive", "%d files", len(files))
	rows, records, bad := copies.Rows(files["data.jsonl"])
	e.See(bad == 0 && len(files["data.jsonl"]) > 0, "data.jsonl", "%d lines, %d that are no JSON", records, bad)
	for _, word := range words {
		held := bytes.Contains(files["data.jsonl"], []byte(word))
		e.See(held, "what the person wrote", "%v", held)
	}
	for _, word := range others {
		in := 0
		for _, text := range files {
			in += bytes.Count(text, []byte(word))
		}
		e.See(in == 0, "what is somebody else's", "%d times", in)
	}
	for table, n := range rows {
		lines, err := csv.NewReader(bytes.NewReader(files["csv/"+table+".csv"])).ReadAll()
		live := copies.Formulas(lines)
		e.See(err == nil && len(lines) == n+1 && live == 0, table+".csv", "%d lines for %d rows, %d fields that a spreadsheet would run", len(lines), n, live)
	}
	shown, there := files["index.html"]
	e.See(there, "index.html", "%s", map[bool]string{true: "is there", false: "is missing"}[there])
	load := copies.Load(shown)
	e.See(load == nil, "what the page loads", "%s", map[bool]string{true: "nothing", false: "something: " + string(load)}[load == nil])
	e.Figure("tables", "%d", len(rows))
	e.Figure("records", "%s", page.Number(records))
	return e
}

// gone is what is left of a person who was erased.
type gone struct {
	before  int            // stored world.Rows that were about the person
	rows    map[string]int // that are left, by table
	key     bool           // the key is still there
	words   []string       // where the words were found
	receipt error          // the receipt does not check
	lets    bool           // the token still opens something
	took    time.Duration
}

// erasure is rgt-4.
func erasure(w view) claim.Claim {
	judge := func(g gone) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) {
			e := judgeErasure(g)
			judgeSpared(&e, goodSpared)
			return e, nil
		}
	}
	return claim.Claim{
		ID: "rgt-4", Theme: world.People, Owner: world.DPO, Every: world.Hourly, Within: 4 * time.Minute, On: []string{"contact.erased", "subject.erased"},
		Wording:   "Whoever asks to be erased is gone: {rows} rows before, {left} after, {found} files or rows with their words, key destroyed in {took}",
		Predicate: "After a canary's visitor asked for erasure, no row of any table and of the index of words is about them, their key is destroyed and cannot be made again, no file of the data folder and no row as it is stored holds their words, their token opens nothing, and the receipt is proved by the log. Of somebody under a legal hold exactly what the hold covers stays readable until it is released, every recipient is written down to be told, and the receipt verifies without the installation. In no workspace a recipient who waits to be told has gone without a try for two days.",
		Method:    "The probe writes to a canary tenant as a visitor, asks for erasure in the widget, and looks for the words in the raw bytes. A second visitor is erased under a hold on their messages, with a recipient written down; the hold is read and released. That an older backup does not bring an erased person back is part of the restore drill.",
		Refs:      claim.References{ISO: []string{"A.8.10", "A.5.34"}, SOC2: []string{"C1.2", "P4.3"}, GDPR: []string{"17(1)", "17(3)", "19"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			g, err := w.erase(ctx, true, nil)
			if err != nil {
				return judgeErasure(g), err
			}
			s, err := w.underHold(ctx)
			e := judgeErasure(g)
			judgeSpared(&e, s)
			return e, err
		},
		Fixtures: append(brokenHolds(),
			notErased(w, "an erasure that is not carried out", false, nil),
			world.Fixture("a row that was left behind", judge(gone{before: 4, rows: map[string]int{"messages": 1}})),
			notErased(w, "words in a file", true, func(_ context.Context, w *world.World, p *world.Person) error {
				return os.WriteFile(filepath.Join(w.Folder, "left"), []byte("hello "+p.Word), 0o600)
			}),
			world.Fixture("words that are still filed", judge(gone{before: 4, rows: map[string]int{"search_docs": 1}})),
			world.Fixture("a key that was not destroyed", judge(gone{before: 4, key: true})),
			world.Fixture("a token that still works", judge(gone{before: 4, lets: true})),
			world.Fixture("a receipt that the log does not know", judge(gone{before: 4, receipt: io.ErrUnexpectedEOF})),
		),
	}
}

// notErased is the probe with an erasure that is not carried out, or with something broken after it.
func notErased(w view, name string, indeed bool, meddle world.Meddle) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		g, err := view{w}.erase(ctx, indeed, meddle)
		e := judgeErasure(g)
		judgeSpared(&e, goodSpared)
		return e, err
	})
}

// erase has somebody erased, and indeed if not a fixture wants otherwise.
func (w view) erase(ctx context.Context, indeed bool, meddle world.Meddle) (gone, error) {
	var g gone
	p, err := w.NewPerson(ctx, "Please write to "+attack.UniqueWord("zz")+" instead")
	if err != nil {
		return g, err
	}
	subject := p.Actor.Subject()
	if g.before, _, err = w.RowsAbout(ctx, p.Side.Tenant, subject); err != nil {
		return g, err
	}
	began := time.Now()
	if !indeed {
		err := w.lookFor(ctx, p, &g)
		return g, errors.Join(err, w.Forget(ctx, p))
	}
	answer, err := w.Canaries.Door().Do(ctx, inside.Request{Method: http.MethodPost, Path: "/widget/v1/privacy/erase", Body: []byte(`{"confirm":true}`), Header: world.WithJSON(inside.Bearer(p.Token))})
	if err != nil {
		return g, err
	}
	g.took = time.Since(began)
	var said struct{ Receipt struct{ ID rights.RequestID } }
	if err := json.Unmarshal(answer.Body, &said); err != nil {
		return g, fmt.Errorf("ask for erasure: status %d: %w", answer.Status, err)
	}
	_, g.receipt = w.Rights.CheckReceipt(ctx, p.Side.Tenant, said.Receipt.ID)
	if _, err := w.Vault.FinishErasures(ctx, p.Side.Tenant); err != nil {
		return g, err
	}
	if err := w.Vault.Scrub(ctx, p.Side.Tenant); err != nil {
		return g, err
	}
	if err := meddle.With(ctx, w.World, p); err != nil {
		return g, err
	}
	return g, w.lookFor(ctx, p, &g)
}

func (w view) lookFor(ctx context.Context, p *world.Person, g *gone) error {
	var err error
	if _, g.rows, err = w.RowsAbout(ctx, p.Side.Tenant, p.Actor.Subject()); err != nil {
		return err
	}
	if g.key, err = w.Vault.HasKey(ctx, world.System(p.Side.Tenant), p.Actor.Subject()); err != nil {
		return err
	}
	marks := attack.NewMarks(p.Word)
	files, err := world.LookAtFiles(ctx, os.DirFS(w.Folder), w.Canaries.Is, marks)
	if err != nil {
		return err
	}
	inRows, err := world.LookAtRows(ctx, marks, w.Vault.Stored, []ids.Tenant{p.Side.Tenant})
	if err != nil {
		return err
	}
	g.words = append(files.Found, inRows.Found...)
	hello, err := w.Canaries.Door().Do(ctx, inside.Request{Method: http.MethodPost, Path: "/widget/v1/send", Body: []byte(`{"op":"hello"}`), Header: world.WithJSON(inside.Bearer(p.Token))})
	g.lets = hello.Status == http.StatusOK
	return err
}

func judgeErasure(g gone) claim.Evidence {
	e, left := world.Evidence(), 0
	for _, n := range g.rows {
		left += n
	}
	e.See(g.before > 0, "rows about the person before", "%d", g.before)
	e.See(left == 0, "rows about the person after", "%d", left)
	e.See(!g.key, "the person's key", "%s", map[bool]string{true: "is still there", false: "destroyed"}[g.key])
	e.See(len(g.words) == 0, "raw bytes of files and rows", "%s", world.WordsIn(g.words))
	e.See(!g.lets, "the person's token", "%s", map[bool]string{true: "still opens something", false: "opens nothing"}[g.lets])
	e.See(g.receipt == nil, "the receipt", "%s", world.OrError("proved by the log", g.receipt))
	e.Figure("rows", "%d", g.before)
	e.Figure("left", "%d", left)
	e.Figure("found", "%d", len(g.words))
	e.Figure("took", "%s", world.Span(g.took))
	return e
}
