package backups

import (
	"net/http"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/backups/ui"
	"aver/vault"
)

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/backups", request.Handler(s.showPage))
	mux.Handle("GET /settings/backups/progress", request.Handler(s.progressPart))
	mux.Handle("POST /settings/backups/now", request.Handler(s.startBackup))
	mux.Handle("POST /settings/backups/drill", request.Handler(s.startDrill))
}

func (s *Service) view(r *http.Request) (ui.View, error) {
	actor := request.Actor(r.Context())
	v := ui.View{MayMake: actor.Can(actBackup), Now: s.vault.Now()}
	list, err := s.List(r.Context(), actor)
	if err != nil {
		return v, err
	}
	for _, b := range list {
		v.Backups = append(v.Backups, ui.Backup{Name: b.Name, Made: b.Made, Entries: entriesOf(b, actor.Tenant()), Signed: b.Signed})
	}
	drills, err := s.DrillList(r.Context(), 10)
	if err != nil {
		return v, err
	}
	for _, d := range drills {
		v.Drills = append(v.Drills, ui.Drill{Began: d.Began, Took: d.Took, Holds: d.Holds, Fault: d.Fault})
	}
	if w := s.Working(); w != nil {
		v.Working = &ui.Stage{What: w.What, Done: 100 * w.Done / max(1, w.Total), Total: 100}
	}
	return v, nil
}

// entriesOf is how much of a tenant's log a backup holds. How many other tenants are in it is no tenant's business.
func entriesOf(b Backup, tenant ids.Tenant) int64 {
	for _, p := range b.Tenants {
		if p.Tenant == tenant {
			return p.Entries
		}
	}
	return 0
}

func (s *Service) showPage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Page(v))
}

func (s *Service) progressPart(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Working(v))
}

// begin writes down who asked, in the asker's own log, and leaves the work to a job.
func (s *Service) begin(w http.ResponseWriter, r *http.Request, action *vault.Action, kind, said string) error {
	actor := request.Actor(r.Context())
	err := s.vault.Do(r.Context(), actor, action, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: kind + ".asked", Object: actor.Tenant().String()}, nil)
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.queue.Enqueue(r.Context(), kind, ids.Installation, "", time.Time{}); err != nil {
		return errs.New(errs.Unavailable, "The work could not be started. Try again in a moment.").Because(err)
	}
	page.Redirect(w, r, "/settings/backups", said)
	return nil
}

func (s *Service) startBackup(w http.ResponseWriter, r *http.Request) error {
	return s.begin(w, r, actBackup, backupKind, ui.Started())
}

func (s *Service) startDrill(w http.ResponseWriter, r *http.Request) error {
	return s.begin(w, r, actDrill, drillKind, ui.DrillStarted())
}
