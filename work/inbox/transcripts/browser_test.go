package transcripts_test

import (
	"net/http/httptest"
	"testing"

	"aver/frame/module/moduletest"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/consent"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/trust/improvement"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/inbox"
)

func TestThePagesFitTheirWindowAndLeaveNobodyOut(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, moduletest.Config(t, identity.New(nil).Module(), consent.New(nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module(),
		inbox.New(nil, nil, nil, nil).Module(), improvement.New(nil, nil, nil, nil).Module())))
	server := httptest.NewServer(h.pages(h.owner))
	t.Cleanup(server.Close)
	b := browser.New(t)
	home := server.URL + "/settings/improvement"
	b.Goto(home)
	axe.Look(t, b, "improvement-off")
	h.crowd(t, 5)
	one, _ := h.made(t)
	_, err := h.service.Make(t.Context(), h.owner)
	must(t, err)
	for name, path := range map[string]string{"list": "", "set": "/sets/" + one.ID.String() + "?sample"} {
		b.Goto(home + path)
		axe.Look(t, b, "improvement-"+name)
	}
}
