package page

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Theme is the light a person chose. The empty Theme follows the system.
type Theme string

// The themes.
const (
	System Theme = ""
	Light  Theme = "light"
	Dark   Theme = "dark"
)

const (
	themeCookie = "__Host-theme"
	flashCookie = "__Host-flash"
	themeYear   = 365 * 24 * 60 * 60 // seconds
	flashMinute = 60                 // seconds
)

// ThemeOf reads the theme from the request's cookie.
func ThemeOf(r *http.Request) Theme {
	c, err := r.Cookie(themeCookie)
	if err != nil {
		return System
	}
	return theme(c.Value)
}

func theme(value string) Theme {
	if t := Theme(value); t == Light || t == Dark {
		return t
	}
	return System
}

// SetTheme is the handler of POST /theme: it keeps the chosen theme in a cookie and goes back to where one was. The
// cookie says light or dark and nothing about the person.
func SetTheme(w http.ResponseWriter, r *http.Request) {
	t := theme(r.PostFormValue("theme"))
	age := themeYear
	if t == System {
		age = -1
	}
	http.SetCookie(w, cookie(themeCookie, string(t), age))
	http.Redirect(w, r, Local(r.PostFormValue("back")), http.StatusSeeOther)
}

// Local returns a path of this site, or "/" for anything that could lead elsewhere.
func Local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// Redirect answers a form that did its work: go there and say this. The sentence travels in a cookie for a minute at
// most and must not carry personal data.
func Redirect(w http.ResponseWriter, r *http.Request, to, flash string) {
	if flash != "" {
		http.SetCookie(w, cookie(flashCookie, base64.RawURLEncoding.EncodeToString([]byte(flash)), flashMinute))
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("HX-Request") == "true" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// Done ends a form: its error if the work failed, and otherwise Redirect.
func Done(w http.ResponseWriter, r *http.Request, err error, to, flash string) error {
	if err != nil {
		return err
	}
	Redirect(w, r, to, flash)
	return nil
}

// TakeFlash returns the sentence that Redirect left, once. Edge calls it when it makes the View of a GET. A part of a page
// has no place for it and leaves it for the next whole one.
func TakeFlash(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(flashCookie)
	if err != nil || Fragment(r) {
		return ""
	}
	http.SetCookie(w, cookie(flashCookie, "", -1))
	sentence, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(sentence) > 200 {
		return ""
	}
	return string(sentence)
}

func cookie(name, value string, age int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}
