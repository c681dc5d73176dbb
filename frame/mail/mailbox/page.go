package mailbox

import (
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"regexp"
)

// The page stands beside the product, not in it, so it shares none of its parts; it must work when they do not.
const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b1b18;background:#fafaf7}
article{border-top:1px solid #d8d7cf;padding:1rem 0}h2{font-size:1rem;margin:0}p{margin:.25rem 0;color:#55544c}
pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere;margin:.75rem 0 0}
@media(prefers-color-scheme:dark){body{color:#ecebe4;background:#161614}article{border-color:#3a3a35}p{color:#a9a89e}a{color:#9cc4ff}}`

var link = regexp.MustCompile(`https?://[^\s<>"]+`)

type piece struct {
	Text string
	Link bool
}

type shown struct {
	Mail
	Lines []piece
}

// ServeHTTP shows the mails that are kept, newest first, as a plain page without scripts.
func (m *Mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mails := []shown{}
	for _, mail := range m.Mails() {
		mails = append(mails, shown{mail, pieces(mail.Text)})
	}
	sum := sha256.Sum256([]byte(style))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := list(mails).Render(r.Context(), w); err != nil {
		slog.Debug("the mailbox's reader went away", "error", err)
	}
}

// pieces makes the addresses of pages in a text clickable.
func pieces(text string) []piece {
	var all []piece
	end := 0
	for _, at := range link.FindAllStringIndex(text, -1) {
		all = append(all, piece{Text: text[end:at[0]]}, piece{Text: text[at[0]:at[1]], Link: true})
		end = at[1]
	}
	return append(all, piece{Text: text[end:]})
}
