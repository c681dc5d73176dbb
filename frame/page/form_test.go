package page_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"aver/base/errs"
	"aver/frame/page"
)

func TestAFormIsShownAgainForWhatItsSenderCanMend(t *testing.T) {
	t.Parallel()
	sent := url.Values{"roles": {"king"}}
	kept := errs.New(errs.Invalid, "Not saved.", errs.Field{Field: "roles", Code: "unknown", Message: "Choose from the list."})
	sheet, again := page.Refused(kept, sent)
	if !again || sheet.Status() != http.StatusUnprocessableEntity || sheet.Sent.Get("roles") != "king" || sheet.Whole("roles").Errors[0].Field != "" {
		t.Errorf("a wrong field: %v %+v", again, sheet)
	}
	sheet.Errors[0].Field = "other"
	if kept.Fields[0].Field != "roles" {
		t.Error("the sheet shares its errors with the error")
	}
	sheet, again = page.Refused(errs.New(errs.Conflict, "The last owner stays one."), sent)
	if !again || sheet.Status() != http.StatusConflict || len(sheet.Errors) != 1 || sheet.Errors[0].Field != "" || sheet.Errors[0].Message != "The last owner stays one." {
		t.Errorf("no field: %v %+v", again, sheet)
	}
	for _, err := range []error{nil, errors.New("disk on fire"), errs.New(errs.Forbidden, "No."), errs.New(errs.NotFound, "No.")} {
		if sheet, again := page.Refused(err, sent); again || sheet.Status() != http.StatusOK {
			t.Errorf("%v: %v, %d", err, again, sheet.Status())
		}
	}
	if own := (page.Sheet{Errors: []errs.Field{{Field: "confirm"}}}); own.Status() != http.StatusUnprocessableEntity {
		t.Errorf("an error of the page's own: %d", own.Status())
	}
}

func TestAFormThatFailedLeadsNowhere(t *testing.T) {
	t.Parallel()
	r, fault := httptest.NewRequest(http.MethodPost, "/", nil), errs.New(errs.NotFound, "There is no such label.")
	w := httptest.NewRecorder()
	if err := page.Done(w, r, fault, "/labels", "Saved"); err != fault || len(w.Header()) != 0 {
		t.Errorf("got %v, %v", err, w.Header())
	}
	if err := page.Done(w, r, nil, "/labels", "Saved"); err != nil || w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/labels" {
		t.Errorf("got %v, %d %v", err, w.Code, w.Header())
	}
}
