package webchat

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aver/base/errs"
	"aver/frame/request"
	"aver/trust/consent/receipts"
	"aver/trust/identity"
	"aver/trust/rights"
	"aver/trust/rights/portal"
	"aver/trust/rights/state"
	"aver/vault"
)

func (s *Service) copy(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	if err := decode(r, &struct{}{}); err != nil {
		return err
	}
	task, err := s.rights.StartExport(r.Context(), actor)
	if err != nil {
		return err
	}
	return answer(w, map[string]any{"task": task})
}

func taskOf(r *http.Request) (rights.RequestID, error) {
	return request.PathID[rights.RequestID](r, "task", "task")
}

func (s *Service) progress(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	id, err := taskOf(r)
	if err != nil {
		return err
	}
	task, err := s.rights.Task(r.Context(), actor, id)
	if err != nil {
		return err
	}
	out := map[string]any{"state": task.State, "done": task.Done, "total": task.Total}
	if task.State == "done" {
		out["url"] = "/widget/v1/privacy/files/" + id.String()
	}
	return answer(w, out)
}

func (s *Service) archive(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	id, err := taskOf(r)
	if err != nil {
		return err
	}
	content, size, err := s.rights.Collect(r.Context(), actor, id)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="my-data.zip"`)
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.Copy(w, content) // a visitor who went away is nobody's mistake
	return nil
}

func (s *Service) erase(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	var in struct {
		Confirm  bool   `json:"confirm"`
		Language string `json:"language"`
	}
	if err := decode(r, &in); err != nil {
		return err
	}
	if !in.Confirm {
		return errs.New(errs.Invalid, "Confirm that everything is to be erased.", errs.Field{Field: "confirm", Code: "required", Message: "Confirm first."})
	}
	workspace, err := s.vault.Tenant(r.Context(), actor.Tenant())
	if err != nil {
		return err
	}
	receipt, err := s.rights.Erase(r.Context(), actor, actor.Subject(), "asked_in_the_widget")
	if err != nil {
		return err
	}
	done, err := s.rights.Read(r.Context(), identity.System(actor.Tenant(), "webchat"), receipt.ID)
	if err != nil {
		return err
	}
	text := portal.Erased(portal.Spoken(in.Language), workspace.Name, done)
	return answer(w, map[string]any{"receipt": map[string]any{"id": receipt.ID, "at": receipt.At.UTC().Format(time.RFC3339), "text": text,
		"url": "/my-data/receipts/" + workspace.Slug + "/" + receipt.ID.String()}})
}

const ownReceipts = "/widget/v1/privacy/receipts/"

// proofs lists the receipts of what the visitor agreed to and took back, in their language.
func (s *Service) proofs(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	mine, err := s.receipts.Mine(r.Context(), actor, supported(r.URL.Query().Get("lang")), ownReceipts, actor.Subject())
	if err != nil {
		return err
	}
	return answer(w, mine.Offer())
}

func (s *Service) proof(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	name := r.PathValue("receipt")
	file, err := s.receipts.File(r.Context(), actor, name, actor.Subject())
	return receipts.Send(w, file, name, err)
}

// offer says which rights there are beside a copy and an erasure, who was told what was done for them, and what becomes of a
// restriction.
func (s *Service) offer(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	told, err := s.rights.Told(r.Context(), actor, actor.Subject())
	if err != nil {
		return err
	}
	limited, err := portal.LimitedBy(r.Context(), s.limits, identity.System(actor.Tenant(), "webchat"), actor.Subject())
	if err != nil {
		return err
	}
	workspace, err := s.vault.Tenant(r.Context(), actor.Tenant())
	if err != nil {
		return err
	}
	return answer(w, portal.OfferIn(portal.Spoken(r.URL.Query().Get("lang")), workspace.Name, told, limited))
}

// request takes a wish of the visitor's about their own data. That it is theirs, the token proves.
func (s *Service) request(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	var in struct {
		Kind     state.Kind `json:"kind"`
		Words    string     `json:"words"`
		Language string     `json:"language"`
	}
	if err := decode(r, &in); err != nil {
		return err
	}
	lang := portal.Spoken(in.Language)
	id, err := s.rights.Start(r.Context(), actor, rights.Wish{Kind: in.Kind, Text: strings.TrimSpace(in.Words), Language: lang}, actor.Subject())
	if err != nil {
		return err
	}
	made, err := s.rights.Read(r.Context(), actor, id)
	if err != nil {
		return err
	}
	workspace, err := s.vault.Tenant(r.Context(), actor.Tenant())
	if err != nil {
		return err
	}
	return answer(w, map[string]any{"id": id, "text": portal.Said(lang, workspace.Name, made.State, made.DueAt, made.LegalAt)})
}
