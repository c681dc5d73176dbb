// Package demo shows Aver to somebody who has a minute: two made-up businesses with three weeks behind them, their
// sample sites with the real widget, and everything else as it is served in earnest. Nothing of it is a stand-in but
// the people and the mail server, which keeps what is mailed on a page of its own.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/frame/mail"
	"aver/frame/mail/mailbox"
	"aver/frame/module"
)

// Config says where the demo lives. The zero value is ./demo-data on https://localhost:8443.
type Config struct {
	Data   string
	Listen string
	Plain  string
}

// Run seeds the folder the first time, and serves it until ctx ends.
func Run(ctx context.Context, c Config, out io.Writer) error {
	box, err := mailbox.Start(mailbox.Options{})
	if err != nil {
		return fmt.Errorf("start the demo's mail server: %w", err)
	}
	defer box.Close()
	config := c.installation(box)
	if err := c.prepare(ctx, config, out); err != nil {
		return err
	}
	tenants := map[string]ids.Tenant{}
	config.Modules = []module.Module{shops(tenants), letters(box)}
	log, err := os.OpenFile(filepath.Join(c.Data, "aver.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the demo's log: %w", err)
	}
	defer log.Close()
	config.Log = log
	slog.SetDefault(app.NewLog(log))
	a, err := app.Open(ctx, config)
	if err != nil {
		return err
	}
	for _, t := range trades {
		tenant, err := a.Vault.TenantBySlug(ctx, t.slug)
		if err != nil {
			return errors.Join(fmt.Errorf("find the demo's %s: %w", t.name, err), a.Close())
		}
		tenants[t.slug] = tenant.ID
	}
	return a.Serve(ctx, func(a *app.App) { sayHello(out, a, c) })
}

func (c Config) installation(box *mailbox.Mailbox) app.Config {
	_, number, _ := strings.Cut(box.Address(), ":") // of our own making: 127.0.0.1:port
	relay, _ := strconv.Atoi(number)
	return app.Config{Data: c.Data, Region: "eu", Listen: c.Listen, Plain: c.Plain, Admin: "127.0.0.1:0", Email: "security@aver.example",
		Mail:     &mail.Sender{Host: "127.0.0.1", Port: relay, From: "Aver demo <no-reply@aver.example>", Encryption: mail.Clear},
		Loopback: map[string]bool{box.Address(): true}}
}

// seeded marks a folder whose past has been played to the end.
const seeded = "demo-is-ready"

// prepare plays the past once. A folder in which that was interrupted is begun again.
func (c Config) prepare(ctx context.Context, config app.Config, out io.Writer) error {
	mark := filepath.Join(c.Data, seeded)
	_, err := os.Stat(mark)
	if err == nil {
		fmt.Fprintf(out, "Found the demo's data in %s.\n", c.Data)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Data, "root.key")); err == nil {
		fmt.Fprintf(out, "The data in %s is not complete; it is made anew.\n", c.Data)
		if err := os.RemoveAll(c.Data); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "Making two businesses with three weeks of conversations …")
	if err := Seed(ctx, config); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte("made by aver demo\n"), 0o600)
}

// letters shows what the demo has mailed.
func letters(box *mailbox.Mailbox) module.Module {
	return module.Module{Name: "letters", Number: 901, Routes: func(mux module.Mux) { mux.Handle("GET /letters", http.Handler(box)) }}
}

func sayHello(out io.Writer, a *app.App, c Config) {
	https, admin, plain := a.Edge.Addresses()
	base := "https://localhost" + port(https.String())
	fmt.Fprintf(out, `
Aver is running. Its certificate is its own, so the browser asks once.

  Shops with the widget   %[1]s/shop/kowal
                          %[1]s/shop/harbour
  Console                 %[1]s/inbox
  Trust centre            %[1]s/trust
  A claim that failed     %[1]s/trust/claims/ret-5 (the sweep of the next night made it hold)
  My data                 %[1]s/my-data/kowal
  API reference           %[1]s/docs
  Mail that was sent      %[1]s/letters
  Metrics                 http://%[2]s/metrics
`, base, admin)
	if plain != nil {
		fmt.Fprintf(out, "  Redirect                http://localhost%s\n", port(plain.String()))
	}
	fmt.Fprintf(out, "\n  Everybody's password is  %s\n\n", Password)
	for _, t := range trades {
		for _, p := range t.staff {
			fmt.Fprintf(out, "  %-14s %-16s %-24s %s\n", t.name, p.name, p.email, p.role)
		}
	}
	fmt.Fprintf(out, "\nStop with Ctrl+C. The data is in the folder %s: remove it to begin anew.\n", c.Data)
}

func port(address string) string {
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == ':' {
			return address[i:]
		}
	}
	return ""
}
