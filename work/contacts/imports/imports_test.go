package imports_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/module/moduletest"
	"aver/trust/consent"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/imports"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// house is a vault with contacts and imports in it. Jobs wait until the test works on them.
type house struct {
	*vaulttest.Kit
	contacts *contacts.Service
	imports  *imports.Service
	operator vault.Actor
	waiting  []jobs.Job
}

func (h *house) Enqueue(_ context.Context, _ string, tenant ids.Tenant, id string, _ time.Time) error {
	h.waiting = append(h.waiting, jobs.Job{Tenant: tenant, ID: id, Attempt: 1})
	return nil
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	c := moduletest.Config(t, identity.New(nil).Module(), consent.New(nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module(), imports.New(nil, nil).Module())
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) {
		h := &house{Kit: k, contacts: contacts.New(k.Vault), operator: vaulttest.User(k.Tenant, vault.Operator)}
		h.imports = imports.New(k.Vault, h)
		test(t, h)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) upload(t testing.TB, text string) imports.Import {
	t.Helper()
	i, err := h.imports.Upload(t.Context(), h.operator, "people.csv", strings.NewReader(text))
	must(t, err)
	return i
}

// work does what waits.
func (h *house) work(t testing.TB) {
	t.Helper()
	for len(h.waiting) > 0 {
		job := h.waiting[0]
		h.waiting = h.waiting[1:]
		must(t, h.imports.Work(t.Context(), job))
	}
}

func ground(words string) identity.Ground {
	return identity.Ground{Basis: purpose.Contract, Purpose: purpose.Support, Since: vaulttest.Start, Words: words}
}

// ground is the words in which the importer said why somebody is kept.
func (h *house) ground(t testing.TB, id ids.Contact) string {
	t.Helper()
	all, err := consent.New(h.Vault).Grounds(t.Context(), h.operator, id)
	must(t, err)
	if len(all) != 1 || all[0].How != consent.ByImport {
		t.Fatalf("the importer said %v", all)
	}
	return all[0].Words.Reveal()
}

// plan takes the columns as they were guessed.
func plan(i imports.Import) imports.Plan {
	p := imports.Plan{Ground: ground("contract of 2026")}
	for _, c := range i.Columns {
		p.Fields = append(p.Fields, c.Field)
	}
	return p
}

func (h *house) try(t testing.TB, i imports.Import, p imports.Plan) imports.Import {
	t.Helper()
	must(t, h.imports.Try(t.Context(), h.operator, i.ID, p))
	h.work(t)
	return h.get(t, i.ID)
}

func (h *house) run(t testing.TB, text string) imports.Import {
	t.Helper()
	i := h.upload(t, text)
	h.try(t, i, plan(i))
	must(t, h.imports.Start(t.Context(), h.operator, i.ID))
	h.work(t)
	return h.get(t, i.ID)
}

func (h *house) get(t testing.TB, id imports.ID) imports.Import {
	t.Helper()
	i, err := h.imports.Get(t.Context(), h.operator, id)
	must(t, err)
	return i
}

// people counts the contacts there are.
func (h *house) people(t testing.TB) int {
	t.Helper()
	n := 0
	look := vault.Act("test.look", purpose.Storage, vault.System())
	must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), look, func(tx *vault.Tx) (err error) {
		n, err = contacts.Contacts.Count(tx, "")
		return err
	}))
	return n
}

func (h *house) find(t testing.TB, text string) contacts.Contact {
	t.Helper()
	p, err := h.contacts.List(t.Context(), h.operator, contacts.Filter{Search: text})
	must(t, err)
	if len(p.Contacts) != 1 {
		t.Fatalf("%q finds %d people", text, len(p.Contacts))
	}
	return p.Contacts[0]
}

func counts(i imports.Import) string {
	return fmt.Sprintf("%s %d/%d made %d changed %d refused %d", i.State, i.Rows, i.Total, i.Made, i.Changed, i.Refused)
}

func TestFiveThousandRowsOfWhichSomeAreBad(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var text strings.Builder
		text.WriteString("Customer ID,E-Mail,Full name,Phone\n")
		bad := 0
		for n := range 5000 {
			email, name := fmt.Sprintf("p%d@x.example", n), fmt.Sprintf("Person %d", n)
			switch n % 500 {
			case 7:
				email, bad = "nonsense", bad+1
			case 8:
				name = "=HYPERLINK(\"http://evil.example\",\"x\")" // a formula is only text here
			case 9:
				email, name, bad = "+bad", "@SUM(A1)", bad+1
			}
			row := []string{fmt.Sprint("c", n), email, name, fmt.Sprintf("+49 30 %06d", 100000+n)}
			w := csv.NewWriter(&text)
			must(t, w.Write(row))
			w.Flush()
		}
		i := h.upload(t, text.String())
		if tried := h.try(t, i, plan(i)); counts(tried) != fmt.Sprintf("tried 5000/5000 made %d changed 0 refused %d", 5000-bad, bad) || h.people(t) != 0 {
			t.Fatalf("the trial: %s, and %d people", counts(tried), h.people(t))
		}
		must(t, h.imports.Start(t.Context(), h.operator, i.ID))
		h.work(t)
		done := h.get(t, i.ID)
		if counts(done) != fmt.Sprintf("done 5000/5000 made %d changed 0 refused %d", 5000-bad, bad) || h.people(t) != 5000-bad {
			t.Fatalf("the import: %s, and %d people", counts(done), h.people(t))
		}
		c := h.find(t, "c4321")
		if c.Email.Reveal() != "p4321@x.example" || c.Phone.Reveal() != "+4930104321" || c.Basis != contacts.FromImport || h.ground(t, c.ID) != "contract of 2026" || c.Verified {
			t.Errorf("row 4321 became %s %s %s %q", c.Email.Reveal(), c.Phone.Reveal(), c.Basis, h.ground(t, c.ID))
		}
		report, err := h.imports.Report(t.Context(), h.operator, i.ID)
		must(t, err)
		rows, err := csv.NewReader(bytes.NewReader(report)).ReadAll()
		must(t, err)
		if len(rows) != bad+1 || rows[0][0] != "row" || rows[1][0] != "9" || rows[1][2] != "c7" || !strings.Contains(rows[1][1], "e-mail address") {
			t.Errorf("%d rows reported, first %q", len(rows)-1, rows[1])
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
					t.Errorf("a formula: %q", cell)
				}
			}
		}
	})
}

func TestAnImportCutOffGoesOnWithoutDoublingAnybody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var text strings.Builder
		text.WriteString("name,email\n")
		const rows = 730
		for n := range rows {
			fmt.Fprintf(&text, "Person %d,p%d@x.example\n", n, n)
		}
		i := h.upload(t, text.String())
		h.try(t, i, plan(i))
		must(t, h.imports.Start(t.Context(), h.operator, i.ID))
		job := h.waiting[0]
		h.waiting = nil
		for cut := 0; ; cut++ {
			ctx, cancel := context.WithCancel(t.Context())
			at := h.get(t, i.ID).Rows
			stop := make(chan struct{})
			go func() { // cuts the work off in the middle of the next batches
				defer close(stop)
				for ctx.Err() == nil {
					now, err := h.imports.Get(t.Context(), h.operator, i.ID)
					if err != nil || now.Rows > at || now.State.Ended() {
						cancel()
					}
				}
			}()
			err := h.imports.Work(ctx, job)
			cancel()
			<-stop
			if now := h.get(t, i.ID); now.State == imports.Done {
				if counts(now) != fmt.Sprintf("done %d/%d made %d changed 0 refused 0", rows, rows, rows) || h.people(t) != rows {
					t.Errorf("after %d cuts: %s, and %d people", cut, counts(now), h.people(t))
				}
				must(t, h.imports.Work(t.Context(), job)) // at least once
				if n := h.people(t); n != rows {
					t.Errorf("worked on again: %d people", n)
				}
				return
			}
			if err == nil || cut > rows {
				t.Fatalf("stopped without an error after %d cuts", cut)
			}
		}
	})
}

func TestTwoWorkersAtOnceDoubleNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		text := "id,name\n"
		for n := range 350 {
			text += fmt.Sprintf("c%d,Person %d\n", n, n)
		}
		i := h.upload(t, text)
		h.try(t, i, plan(i))
		must(t, h.imports.Start(t.Context(), h.operator, i.ID))
		job := h.waiting[0]
		ended := make(chan error, 2)
		for range 2 {
			go func() { ended <- h.imports.Work(t.Context(), job) }()
		}
		for range 2 {
			<-ended // one may find that the file is gone already
		}
		must(t, h.imports.Work(t.Context(), job))
		if now := h.get(t, i.ID); counts(now) != "done 350/350 made 350 changed 0 refused 0" || h.people(t) != 350 {
			t.Errorf("%s, and %d people", counts(now), h.people(t))
		}
	})
}

func TestAKnownPersonIsChangedAndAClaimIsNot(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		known, err := h.contacts.Create(ctx, h.operator, contacts.Draft{ExternalID: "c1", Name: "Old", Email: "one@x.example"})
		must(t, err)
		mailed, err := h.contacts.Create(ctx, h.operator, contacts.Draft{Email: "two@x.example"})
		must(t, err)
		claim, err := h.contacts.NewVisitor(ctx, h.Tenant, contacts.Draft{Email: "three@x.example"})
		must(t, err)
		for range 2 {
			_, err = h.contacts.Create(ctx, h.operator, contacts.Draft{Email: "four@x.example"})
			must(t, err)
		}
		i := h.run(t, "id;email;name\nc1;;New\n;two@x.example;Two\nc3;three@x.example;Three\n;four@x.example;Four\nc2;TWO@x.example;Again\n")
		if counts(i) != "done 5/5 made 1 changed 3 refused 1" {
			t.Errorf("counted %s", counts(i))
		}
		get := func(id ids.Contact) contacts.Contact {
			c, err := h.contacts.Get(ctx, h.operator, id)
			must(t, err)
			return c
		}
		if c := get(known.ID); c.Name.Reveal() != "New" || c.Email.Reveal() != "one@x.example" {
			t.Errorf("by identifier: %q %q", c.Name.Reveal(), c.Email.Reveal())
		}
		if c := get(mailed.ID); c.Name.Reveal() != "Again" || c.ExternalID.Reveal() != "c2" {
			t.Errorf("by address: %q %q", c.Name.Reveal(), c.ExternalID.Reveal())
		}
		if c := get(claim.ID); !c.Name.IsZero() || !c.ExternalID.IsZero() {
			t.Errorf("the claim took %q %q", c.Name.Reveal(), c.ExternalID.Reveal())
		}
		faults, err := h.imports.Faults(ctx, h.operator, i.ID, 10)
		must(t, err)
		if len(faults) != 1 || faults[0].Line != 5 || faults[0].Message != "Several people have this address." {
			t.Errorf("refused %+v", faults)
		}
	})
}

// Who is there is known, so that nobody is stored twice; but a file changes nothing about whoever has closed that.
func TestAFileChangesNothingAboutWhoeverHasClosedIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.run(t, "id;email;name\n1;anna@shop.example;Anna\n2;berta@shop.example;Berta\n3;carla@shop.example;Carla\n")
		system := vaulttest.System(h.Tenant)
		for external, said := range map[string]purpose.Said{"anna@shop.example": {Kind: purpose.Restrict, Purpose: purpose.All}, "berta@shop.example": {Kind: purpose.Object, Purpose: purpose.Sync}} {
			who := h.find(t, external).ID
			must(t, h.Vault.Do(t.Context(), system, vault.Act("test.close", purpose.Own, vault.System()), func(tx *vault.Tx) error {
				return vault.Standings.Put(tx, vault.Standing{Person: who, Kind: said.Kind, Purpose: said.Purpose, Since: tx.Now()})
			}))
		}
		file := "id;email;name\n1;anna@shop.example;Changed\n2;berta@shop.example;Changed\n3;carla@shop.example;Changed\n;anna@shop.example;Changed\n"
		tried := h.upload(t, file)
		tried = h.try(t, tried, plan(tried))
		got := h.run(t, file)
		if tried.Refused != 3 || got.Refused != 3 || got.Changed != 1 || got.Made != 0 || h.people(t) != 3 {
			t.Errorf("tried %+v, then %+v; %d people", tried, got, h.people(t))
		}
		report, err := h.imports.Report(t.Context(), h.operator, got.ID)
		must(t, err)
		if said := string(report); !strings.Contains(said, "restricted (GDPR Art. 18)") || !strings.Contains(said, "has objected") {
			t.Errorf("the report says %s", said)
		}
	})
}

func TestATrialCountsPeopleWhoStandInTheFileTwiceAsTheImportWill(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var far strings.Builder // enough rows that the repeated ones are not stored together
		for n := range 150 {
			fmt.Fprintf(&far, "x%d,,\n", n)
		}
		i := h.upload(t, "Customer ID,E-Mail,Full name\n"+
			"a,both@x.example,Ada\n"+
			"a,,Ada again\n"+
			",once@x.example,Bo\n"+
			",ONCE@x.example,Bo again\n"+
			"b,both@x.example,Bea\n"+ // shares Ada's address
			far.String()+
			"c,once@x.example,Bo with an identifier\n"+
			"c,,Bo by it\n"+
			",both@x.example,one of two\n")
		tried := h.try(t, i, plan(i))
		must(t, h.imports.Start(t.Context(), h.operator, i.ID))
		h.work(t)
		done := h.get(t, i.ID)
		if want := "158/158 made 153 changed 4 refused 1"; counts(tried) != "tried "+want || counts(done) != "done "+want || h.people(t) != 153 {
			t.Errorf("the trial: %s, the import: %s, %d people", counts(tried), counts(done), h.people(t))
		}
	})
}

func TestFilesAsProgramsWriteThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("Vorname\tNachname\nJörg\tŻółć\n")
		must(t, err)
		western, err := charmap.Windows1252.NewEncoder().String("Vorname;Nachname;Firma\nJörg;Müßig;\"Müßig; Söhne €\"\n")
		must(t, err)
		for _, c := range []struct{ text, encoding, delimiter, name string }{
			{"\ufeffVorname,Nachname\r\nZoë,李\r\n", "UTF-8", ",", "Zoë 李"},
			{western, "Windows-1252", ";", "Jörg Müßig"},
			{utf16, "UTF-16", "\t", "Jörg Żółć"},
			{"name\temail\tphone\nAda Empty\t\t+4930901820\n", "UTF-8", "\t", "Ada Empty"},
			{"name|email\n\"O\"\"Neil\nJr\"|o@x.example\nAda|a@x.example\n", "UTF-8", "|", "Ada"},
		} {
			i := h.run(t, c.text)
			if i.Encoding != c.encoding || i.Delimiter != c.delimiter || i.State != imports.Done {
				t.Errorf("%s: read as %s with %q: %s", c.name, i.Encoding, i.Delimiter, counts(i))
			}
			p, err := h.contacts.List(t.Context(), h.operator, contacts.Filter{})
			must(t, err)
			if !slices.ContainsFunc(p.Contacts, func(p contacts.Contact) bool { return p.Name.Reveal() == c.name }) {
				t.Errorf("%s is not there", c.name)
			}
		}
		for name, text := range map[string]string{"a picture": "\x89PNG\r\n\x1a\n\x00\x00", "nothing": "", "a head without rows": "name,email\n"} {
			if _, err := h.imports.Upload(t.Context(), h.operator, name, strings.NewReader(text)); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestEachBadRowSaysWhy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := vaulttest.User(h.Tenant, vault.Owner)
		_, err := h.contacts.Attributes.Define(t.Context(), owner, attributes.Attribute{Name: "seats", Label: "Seats", Kind: attributes.Numeric})
		must(t, err)
		i := h.run(t, "name,email,phone,seats\nAda,a@x.example,+4930901820,12\nBob,b@x.example,,many\nCyd,c@x.example\n,,,\nDee,\"d@x.example,\"x,1\nEve,e@x.example,030 1,\n")
		faults, err := h.imports.Faults(t.Context(), h.operator, i.ID, 10)
		must(t, err)
		var got []string
		for _, f := range faults {
			got = append(got, fmt.Sprintf("%d %s: %s", f.Line, f.Field, f.Message))
		}
		want := []string{"3 custom_attributes: Seats: write a number.", "4 : The row has another number of cells than the first line.", "5 : The row is empty.",
			"6 : A quotation mark is missing or misplaced.", "7 phone: Write the number with its country code, like +49 30 901820."}
		if counts(i) != "done 6/6 made 1 changed 0 refused 5" || !slices.Equal(got, want) {
			t.Errorf("%s\n%s", counts(i), strings.Join(got, "\n"))
		}
		values, err := h.find(t, "a@x.example").Values()
		must(t, err)
		if values["seats"] != 12.0 {
			t.Errorf("holds %v", values)
		}
	})
}

func TestThePlanMustSayWhoAndWhy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tag, err := h.contacts.MakeTag(t.Context(), h.operator, "Fair 2026", 2)
		must(t, err)
		i := h.upload(t, "Vorname,Telefon,Unbekannt\nAda,030 901820,x\n")
		if got := fmt.Sprint(i.Columns); got != "[{Vorname first_name [Ada]} {Telefon phone [030 901820]} {Unbekannt  [x]}]" {
			t.Errorf("guessed %s", got)
		}
		good := imports.Plan{Fields: []string{"first_name", "phone", ""}, Ground: ground("consent on paper"), Country: "de", Label: tag.ID}
		for name, spoil := range map[string]func(*imports.Plan){
			"no basis":         func(p *imports.Plan) { p.Ground.Words = " " },
			"nobody":           func(p *imports.Plan) { p.Fields = []string{"company", "", ""} },
			"a field twice":    func(p *imports.Plan) { p.Fields = []string{"phone", "phone", ""} },
			"an unknown field": func(p *imports.Plan) { p.Fields = []string{"phone", "verified", ""} },
			"a country":        func(p *imports.Plan) { p.Country = "Germany" },
			"a foreign label":  func(p *imports.Plan) { p.Label = contacts.TagID{1} },
		} {
			p := good
			p.Fields = slices.Clone(good.Fields)
			spoil(&p)
			if err := h.imports.Try(t.Context(), h.operator, i.ID, p); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := h.imports.Start(t.Context(), h.operator, i.ID); !errs.Is(err, errs.Conflict) {
			t.Errorf("started untried: %v", err)
		}
		h.try(t, i, good)
		must(t, h.imports.Start(t.Context(), h.operator, i.ID))
		h.work(t)
		c := h.find(t, "+4930901820")
		tags, err := h.contacts.TagsOf(t.Context(), h.operator, c.ID)
		must(t, err)
		if len(tags) != 1 || tags[0].Name != "Fair 2026" || c.Name.Reveal() != "Ada" || h.ground(t, c.ID) != "consent on paper" {
			t.Errorf("imported %q with %v", c.Name.Reveal(), tags)
		}
	})
}

func TestACancelledImportStopsAndItsFileGoes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		i := h.upload(t, "name\nAda\nBob\n")
		h.try(t, i, plan(i))
		must(t, h.imports.Start(t.Context(), h.operator, i.ID))
		must(t, h.imports.Cancel(t.Context(), h.operator, i.ID))
		h.work(t)
		if now := h.get(t, i.ID); now.State != imports.Cancelled || h.people(t) != 0 || !now.File.IsZero() {
			t.Errorf("%s, and %d people", counts(now), h.people(t))
		}
		if err := h.imports.Cancel(t.Context(), h.operator, i.ID); !errs.Is(err, errs.Conflict) {
			t.Errorf("cancelled again: %v", err)
		}
		look := vault.Act("test.look", purpose.Storage, vault.System())
		must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), look, func(tx *vault.Tx) error {
			n, err := vault.Blobs.Count(tx, "")
			if n != 0 {
				t.Errorf("%d files are left", n)
			}
			return err
		}))
	})
}

func TestAfterAWeekNothingOfAnImportIsLeft(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		i := h.run(t, "name,email\nAda,a@x.example\nBob,nonsense\n")
		lying := h.upload(t, "name\nCyd\n")
		h.Clock.Advance(8 * 24 * time.Hour)
		fresh := h.upload(t, "name\nDee\n")
		must(t, h.imports.Sweep(t.Context()))
		for _, gone := range []imports.ID{i.ID, lying.ID} {
			if _, err := h.imports.Get(t.Context(), h.operator, gone); !errs.Is(err, errs.NotFound) {
				t.Errorf("an old import is there: %v", err)
			}
		}
		h.get(t, fresh.ID)
		look := vault.Act("test.look", purpose.Storage, vault.System())
		must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), look, func(tx *vault.Tx) error {
			files, err := vault.Blobs.Count(tx, "")
			faults, err2 := imports.Faults.Count(tx, "")
			if files != 1 || faults != 0 || h.people(t) != 1 {
				t.Errorf("%d files, %d refused rows, %d people", files, faults, h.people(t))
			}
			if err == nil {
				err = err2
			}
			return err
		}))
	})
}

func TestImportsOfOthersDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, foreign := t.Context(), vaulttest.User(h.Other, vault.Owner)
		i := h.run(t, "name,email\nBob,nonsense\n")
		for name, call := range map[string]func() error{
			"get":    func() error { _, err := h.imports.Get(ctx, foreign, i.ID); return err },
			"faults": func() error { _, err := h.imports.Faults(ctx, foreign, i.ID, 5); return err },
			"report": func() error { _, err := h.imports.Report(ctx, foreign, i.ID); return err },
			"try":    func() error { return h.imports.Try(ctx, foreign, i.ID, plan(i)) },
			"start":  func() error { return h.imports.Start(ctx, foreign, i.ID) },
			"cancel": func() error { return h.imports.Cancel(ctx, foreign, i.ID) },
		} {
			if err := call(); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		dpo := vaulttest.User(h.Tenant, vault.DPO)
		if _, err := h.imports.Upload(ctx, dpo, "x.csv", strings.NewReader("name\nAda\n")); !errs.Is(err, errs.Forbidden) {
			t.Errorf("a DPO uploads: %v", err)
		}
	})
}

// erase makes somebody unreadable, who may be in any file.
func (h *house) erase(t testing.TB) {
	t.Helper()
	system := vaulttest.System(h.Tenant)
	who, err := h.Vault.NewSubject(t.Context(), system)
	must(t, err)
	h.Clock.Advance(time.Second)
	must(t, h.Vault.EraseSubject(t.Context(), system, vault.Act("test.erase", purpose.Storage, vault.System()), who, "test"))
	h.Clock.Advance(time.Second)
}

const list = "email,name\nada@kowal.example,Ada\nnot an address,Ben\n"

func TestAnErasureEndsTheImportsThatWereSentBefore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.imports.Follow(h.Tenant)
		done := h.run(t, list)
		if done.Report.IsZero() {
			t.Fatal("no row was refused")
		}
		waits := h.upload(t, list)
		tried := h.upload(t, list)
		tried = h.try(t, tried, plan(tried))
		h.erase(t)
		later := h.upload(t, list)
		eventually.Must(t, "the imports end", func() bool {
			return h.get(t, waits.ID).State == imports.Overtaken && h.get(t, tried.ID).State == imports.Overtaken && h.get(t, done.ID).Report.IsZero()
		})
		for _, file := range []ids.Object{done.Report, waits.File, tried.File} {
			look := vault.Act("test.look", purpose.Storage, vault.System())
			err := h.Vault.View(t.Context(), vaulttest.System(h.Tenant), look, func(tx *vault.Tx) error {
				_, _, err := h.Vault.ReadBlob(tx, file)
				return err
			})
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("a file that may hold the erased: %v", err)
			}
		}
		if i := h.get(t, waits.ID); !i.File.IsZero() || i.Columns[0].First != nil {
			t.Errorf("what was shown of the file is still there: %+v", i)
		}
		if h.get(t, done.ID).State != imports.Done || h.get(t, later.ID).State != imports.Mapping {
			t.Error("what had ended, or came later, is counted among the overtaken")
		}
	})
}

func TestNobodyErasedIsBroughtBackByAnImport(t *testing.T) {
	each(t, func(t *testing.T, h *house) { // nobody follows the journal: the ledger alone must do
		tried := h.upload(t, list)
		tried = h.try(t, tried, plan(tried))
		started := h.upload(t, list)
		h.try(t, started, plan(started))
		must(t, h.imports.Start(t.Context(), h.operator, started.ID))
		h.erase(t)
		if err := h.imports.Start(t.Context(), h.operator, tried.ID); !errs.Is(err, errs.Conflict) {
			t.Errorf("starting after an erasure: %v", err)
		}
		h.work(t)
		if n := h.people(t); n != 0 {
			t.Errorf("%d people were stored", n)
		}
		for _, id := range []imports.ID{tried.ID, started.ID} {
			if i := h.get(t, id); i.State != imports.Overtaken || !i.File.IsZero() {
				t.Errorf("it is %s", i.State)
			}
		}
	})
}
