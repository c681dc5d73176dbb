package rights_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"aver/base/errs"
	"aver/base/personal"
	"aver/trust/holds"
	"aver/trust/rights/receipt"
	"aver/trust/rights/record"
	"aver/vault"
	"aver/vault/vaulttest"
)

func TestAReceiptProvesItselfOfflineAndSaysNothingAboutThePerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org"), Name: personal.Of("Ada Kowal")}, "secret words")
		twin := w.add(t, w.Tenant, person{Into: ada})
		w.hold(t, holds.Draft{Contact: ada, Classes: []string{"letters"}})
		done, err := w.rights.Erase(t.Context(), w.owner, ada, "test")
		must(t, err)
		file, err := w.rights.ReceiptFile(t.Context(), w.Tenant, done.ID)
		must(t, err)
		key, err := w.audit.VerifierKey(t.Context())
		must(t, err)
		verdict := receipt.Verify(file, key)
		if !verdict.Holds {
			t.Fatal(verdict.Findings)
		}
		var said receipt.Statement
		must(t, json.Unmarshal(verdict.Statement, &said))
		if len(said.People) != 2 || said.People[0] != ada || said.People[1] != twin || said.Entry != done.Index || !said.ErasedAt.Equal(done.At) {
			t.Errorf("it says %s", verdict.Statement)
		}
		words, err := receipt.Words(verdict.Statement)
		must(t, err)
		if all := strings.Join(words, " "); !strings.Contains(all, "kinds letters: to establish, exercise or defend legal claims") {
			t.Errorf("in words: %s", all)
		}
		for _, leak := range []string{"ada@example.org", "Kowal", "secret words", "3 O 17/26"} {
			if bytes.Contains(file, []byte(leak)) {
				t.Errorf("the file holds %q", leak)
			}
		}
		again, err := w.rights.ReceiptFile(t.Context(), w.Tenant, done.ID)
		must(t, err)
		if verdict := receipt.Verify(again, key); !verdict.Holds {
			t.Error("fetched again:", verdict.Findings)
		}
		if _, err := w.rights.ReceiptFile(t.Context(), w.Other, done.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("in another workspace: %v", err)
		}
	})
}

func TestAnAlteredReceiptIsRefusedWithWhatWasAltered(t *testing.T) {
	t.Parallel()
	w := embedded(t)
	ada := w.add(t, w.Tenant, person{}, "words")
	done, err := w.rights.Erase(t.Context(), w.owner, ada, "test")
	must(t, err)
	file, err := w.rights.ReceiptFile(t.Context(), w.Tenant, done.ID)
	must(t, err)
	key, err := w.audit.VerifierKey(t.Context())
	must(t, err)
	at := bytes.Index(file, []byte("con_")) + 6
	altered := bytes.Clone(file)
	altered[at] ^= 1
	if verdict := receipt.Verify(altered, key); verdict.Holds || !strings.Contains(verdict.Findings[0], "the statement was altered") {
		t.Errorf("another person: %v", verdict)
	}
	if verdict := receipt.Verify(file[:len(file)-3], key); verdict.Holds || !strings.Contains(verdict.Findings[0], "malformed at byte") {
		t.Errorf("a shortened file: %v", verdict)
	}
}

func TestAReceiptIsHandedOutToWhoeverHasItsNumber(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ada := o.add(t, o.Tenant, person{}, "words")
	done, err := o.rights.Erase(t.Context(), o.owner, ada, "test")
	must(t, err)
	key, err := o.audit.VerifierKey(t.Context())
	must(t, err)
	inConsole := "/privacy/receipts/" + done.ID.String()
	if status, file := o.get(t, inConsole); status != http.StatusOK || !receipt.Verify([]byte(file), key).Holds {
		t.Errorf("in the console: %d %s", status, file)
	}
	o.actor = vaulttest.User(o.Tenant, vault.Operator)
	if status, _ := o.get(t, inConsole); status != http.StatusForbidden {
		t.Errorf("an operator: %d", status)
	}
	o.actor = vault.Actor{}
	if status, file := o.get(t, "/my-data/receipts/acme/"+done.ID.String()); status != http.StatusOK || !receipt.Verify([]byte(file), key).Holds {
		t.Errorf("on the public page: %d %s", status, file)
	}
	for _, path := range []string{"/my-data/receipts/other/" + done.ID.String(), "/my-data/receipts/acme/" + record.NewID(vaulttest.Start).String(), "/my-data/receipts/acme/x"} {
		if status, _ := o.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}
