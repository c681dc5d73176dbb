package web

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/request"
	"aver/work/inbox"
)

// upload takes a file for a reply: its bytes as the body, its name percent-encoded in X-File-Name.
func (s *Service) upload(w http.ResponseWriter, r *http.Request) error {
	id, err := conversation(r)
	if err != nil {
		return err
	}
	c, err := s.Conversation(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	name, err := url.PathUnescape(r.Header.Get("X-File-Name"))
	if err != nil {
		return errs.New(errs.Invalid, "The file's name must be percent-encoded.")
	}
	f, err := s.Upload(r.Context(), actor(r), c.Contact, personal.Of(name), r.Body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return json.NewEncoder(w).Encode(attachmentJSON{f.ID, f.Name.Reveal(), f.Kind, f.Size})
}

func (s *Service) download(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[ids.Object](r, "id", "file")
	if err != nil {
		return err
	}
	f, content, err := s.Attachment(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	return send(w, f, content)
}

// send answers with a file of a stranger's: to be saved, in a sandbox, never to be guessed at. A picture that was drawn
// anew may be shown.
func send(w http.ResponseWriter, f inbox.File, content io.Reader) error {
	disposition := "attachment"
	if f.Picture {
		disposition = "inline"
	}
	h := w.Header()
	h.Set("Content-Type", f.Kind)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name.Reveal()}))
	h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	_, err := io.Copy(w, content)
	return err
}
