// Command preview shows every part that pages are made of, and whole pages composed of them, with invented people.
//
//	go run ./frame/page/preview
//
// It is for those who make pages. It stores nothing and reads nothing; no part of it is in the product.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"aver/base/errs"
	"aver/frame/page"
)

func main() {
	listen := flag.String("listen", "localhost:8090", "address to listen on")
	flag.Parse()
	log.Printf("the preview is at http://%s", *listen)
	log.Fatal(http.ListenAndServe(*listen, handler()))
}

// now is the time at which all samples were taken.
var now = time.Now().UTC()

func ago(d time.Duration) time.Time { return now.Add(-d) }

// screens are the pages of the preview by path.
var screens = map[string]templ.Component{
	"/{$}":                partsPage(),
	"/forms":              formsPage(nil),
	"/inbox":              inboxPage(1),
	"/inbox/list":         inboxPage(0),
	"/inbox/person":       inboxPage(2),
	"/contacts":           contactsPage(),
	"/contacts/maria":     contactPage(),
	"/contacts/none":      contactsEmptyPage(),
	"/trust":              trustPage(),
	"/trust/claims/rgt-4": claimPage(),
	"/login":              loginPage(),
	"/lost":               page.ErrorPage(errs.AsProblem(errs.New(errs.NotFound, "There is no such conversation."))),
	"/broken":             page.ErrorPage(errs.Problem{Code: errs.Internal}),
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/assets/", page.Assets())
	mux.HandleFunc("POST /theme", page.SetTheme)
	for path, screen := range screens {
		mux.HandleFunc("GET "+path, show(screen))
	}
	mux.HandleFunc("POST /forms", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		answer(w, r, http.StatusUnprocessableEntity, formsPage(r.PostForm))
	})
	mux.HandleFunc("POST /saved", func(w http.ResponseWriter, r *http.Request) {
		page.Redirect(w, r, "/", "Contact saved")
	})
	mux.HandleFunc("GET /progress", func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, http.StatusOK, running(int64(time.Since(now)/time.Second)))
	})
	mux.HandleFunc("GET /palette", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`[{"title":"Maria Kowal","note":"Contact","href":"/contacts/maria"}]`))
	})
	return mux
}

func show(c templ.Component) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { answer(w, r, http.StatusOK, c) }
}

// answer adds the view that edge would add.
func answer(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	v := page.View{
		Path: r.URL.Path, Tenant: "Brightwater Dental", Region: "Frankfurt, EU", User: "Ines Moreau", Role: "Owner",
		Claims: page.Claims{Holding: 41, Failing: 1, Total: 43}, Waiting: map[string]int{"/inbox": 3},
		Theme: page.ThemeOf(r), RequestID: "01k2v7q9m3x8", Flash: page.TakeFlash(w, r),
	}
	if t := page.Theme(r.URL.Query().Get("theme")); t == page.Light || t == page.Dark {
		v.Theme = t
	}
	if err := page.Render(w, r.WithContext(page.With(r.Context(), v)), status, c); err != nil {
		log.Print(err)
	}
}
