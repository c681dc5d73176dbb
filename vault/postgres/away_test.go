package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

// What was acknowledged before the server crashed is there when it is back; what failed is told as ErrAway; and the
// engine works again without being opened anew.
func TestTheServerGoesAndComesBack(t *testing.T) {
	t.Parallel()
	c := pgtest.NewCluster(t)
	db := c.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	e, err := postgres.Open(t.Context(), postgres.Config{URL: db.App, Migrations: people, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	tenant := newTenant()
	var all sync.WaitGroup
	var mu sync.Mutex
	acknowledged, unknown := int64(0), int64(0)
	busy := make(chan struct{}, 1000)
	for range 8 {
		all.Go(func() {
			for {
				err := e.Write(context.Background(), tenant, func(c engine.Conn) error { return add(c, tenant, random(), 1) })
				mu.Lock()
				if err == nil {
					acknowledged++
					select {
					case busy <- struct{}{}:
					default:
					}
				} else {
					unknown++
				}
				mu.Unlock()
				if err != nil {
					if !errors.Is(err, engine.ErrAway) {
						t.Errorf("got %v", err)
					}
					return
				}
			}
		})
	}
	for range 100 {
		<-busy
	}
	c.Stop(t)
	all.Wait()
	if err := e.Read(t.Context(), tenant, func(c engine.Conn) error { return nil }); !errors.Is(err, engine.ErrAway) {
		t.Errorf("while the server is away: %v", err)
	}
	c.Restart(t)
	if got := count(t, e, tenant); got < acknowledged || got > acknowledged+unknown {
		t.Errorf("%d acknowledged, %d unknown, %d found", acknowledged, unknown, got)
	}
	write(t, e, tenant, func(c engine.Conn) error { return add(c, tenant, random(), 1) })
}

// A transaction that the server's end cut off is ErrAway, and one that comes right after the server is back is served.
func TestATransactionThatIsCutOff(t *testing.T) {
	t.Parallel()
	c := pgtest.NewCluster(t)
	db := c.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	e := db.Open(t, postgres.StoreSchema, people)
	tenant := newTenant()
	err := e.Write(t.Context(), tenant, func(conn engine.Conn) error {
		if err := add(conn, tenant, random(), 1); err != nil {
			return err
		}
		c.Stop(t)
		c.Restart(t)
		return add(conn, tenant, random(), 2)
	})
	if !errors.Is(err, engine.ErrAway) {
		t.Errorf("got %v", err)
	}
	if got := count(t, e, tenant); got != 0 {
		t.Errorf("%d rows of a transaction that failed", got)
	}
}

func listen(t *testing.T, e *postgres.Engine, channel string) (news chan string) {
	t.Helper()
	news = make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := e.Listen(ctx, channel, func(payload string) { news <- payload }); !errors.Is(err, context.Canceled) {
			t.Errorf("listen: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	next(t, news, "") // listening
	return news
}

func next(t *testing.T, news chan string, want string) {
	t.Helper()
	select {
	case got := <-news:
		if got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("did not hear %q", want)
	}
}

func TestNewsReachesEveryProcessInOrder(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	one, other := db.Open(t, postgres.StoreSchema, people), db.Open(t, postgres.StoreSchema, people)
	const channel = `odd "name"; --`
	ears := []chan string{listen(t, one, channel), listen(t, other, channel)}
	elsewhere := listen(t, one, "elsewhere")
	for i := range 10 {
		if err := one.Notify(t.Context(), channel, fmt.Sprint("news ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.Notify(t.Context(), channel, strings.Repeat("x", postgres.MaxPayload)); err != nil {
		t.Error(err)
	}
	for _, ear := range ears {
		for i := range 10 {
			next(t, ear, fmt.Sprint("news ", i))
		}
		next(t, ear, strings.Repeat("x", postgres.MaxPayload))
	}
	if len(elsewhere) > 0 {
		t.Errorf("another channel heard %q", <-elsewhere)
	}
	for _, payload := range []string{"", strings.Repeat("x", postgres.MaxPayload+1)} {
		if err := one.Notify(t.Context(), channel, payload); err == nil {
			t.Errorf("a payload of %d bytes was sent", len(payload))
		}
	}
}

func TestListenersAreToldThatTheyMayHaveMissedNews(t *testing.T) {
	t.Parallel()
	c := pgtest.NewCluster(t)
	e := c.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people}).Open(t, postgres.StoreSchema, people)
	news := listen(t, e, "news")
	c.Stop(t)
	if err := e.Notify(t.Context(), "news", "lost"); !errors.Is(err, engine.ErrAway) {
		t.Errorf("notify: %v", err)
	}
	c.Restart(t)
	next(t, news, "")
	if err := e.Notify(t.Context(), "news", "again"); err != nil {
		t.Fatal(err)
	}
	next(t, news, "again")
}
