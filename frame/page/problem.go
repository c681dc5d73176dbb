package page

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aver/base/errs"
)

// ShowProblem answers with the page about a problem; edge's configuration asks for a function of this shape.
func ShowProblem(w http.ResponseWriter, r *http.Request, p errs.Problem) error {
	return Render(w, r, p.Status, ErrorPage(p))
}

// problemText is a text about this kind of problem; a kind without words speaks as Internal.
func problemText(kind errs.Kind, part string) string {
	key := "problem." + string(kind) + part
	if _, ok := text.texts[key]; !ok {
		key = "problem." + string(errs.Internal) + part
	}
	return text.T(key)
}

// kept says what was kept, unless the problem's own words have said so.
func kept(p errs.Problem) string {
	sentence := problemText(p.Code, ".kept")
	if strings.Contains(p.Detail, sentence) {
		return ""
	}
	return sentence
}

// remedy says what to do, and when.
func remedy(p errs.Problem) string {
	if p.RetryAfter > 0 {
		return text.T("problem.after", Age(time.Duration(p.RetryAfter)*time.Second))
	}
	return problemText(p.Code, ".do")
}

// requestID is the number to ask about.
func requestID(ctx context.Context, p errs.Problem) string {
	return orElse(p.RequestID, From(ctx).RequestID)
}

// signInLink leads to the door, and from there back to this page.
func signInLink(ctx context.Context) string {
	if path := Local(From(ctx).Path); path != "/" {
		return "/login?next=" + url.QueryEscape(path)
	}
	return "/login"
}
